# ruff: noqa: E501  # one film a line
"""The small database of the fixture files: films whose distances can be told by looking at them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import lance
import lancedb
import pyarrow as pa

import lancesql

FILMS = (
    # id, title, year, rating, genres, released, plot, vector
    (1, "Alien", 1979, 8.5, ["horror", "scifi"], date(1979, 5, 25), "a monster hunts a crew in deep space", (1, 0, 0, 0)),
    (2, "Aliens", 1986, 8.4, ["action", "scifi"], date(1986, 7, 18), "marines fight a monster nest in space", (1, 1, 0, 0)),
    (3, "Brazil", 1985, 7.8, ["comedy", "scifi"], None, "a clerk dreams while a form is lost", (0, 0, 1, 0)),
    (4, "Casablanca", 1942, 8.5, ["drama", "romance"], date(1942, 11, 26), "a bar owner meets a lost love", (0, 0, 0, 1)),
    (5, "Duel", 1971, 7.6, ["thriller"], None, "a truck hunts a driver", (0, 2, 0, 0)),
    (6, "Eraserhead", 1977, None, ["horror"], date(1977, 3, 19), "a father and a monster child", (2, 0, 0, 0)),
    (7, "Fargo", 1996, 8.1, ["crime", "comedy"], date(1996, 4, 5), "a police chief follows a crime in the snow", (0, 0, 2, 1)),
    (8, "Gattaca", 1997, 7.7, ["drama", "scifi"], date(1997, 10, 24), "a man borrows a life to reach space", (1, 0, 2, 0)),
    (9, "Heat", 1995, 8.3, ["action", "crime"], date(1995, 12, 15), "a police chief and a thief share a coffee", (0, 3, 0, 1)),
    (10, "Ikiru", None, 8.3, ["drama"], None, "a clerk builds a playground", (0, 0, 0, 3)),
    (11, "Jaws", 1975, 8.1, None, date(1975, 6, 20), "a police chief hunts a shark", (1, 2, 0, 0)),
    (12, "Kwaidan", 1964, None, [], date(1964, 12, 29), "four ghosts", None),
)  # fmt: skip
MOVIES = pa.schema(
    {
        "id": pa.int32(),
        "title": pa.string(),
        "year": pa.int32(),
        "rating": pa.float64(),
        "genres": pa.list_(pa.string()),
        "released": pa.date32(),
        "plot": pa.string(),
        "vector": pa.list_(pa.float32(), 4),
    }
)
REVIEWS = (
    (1, 1, 5, "Nobody hears you"), (2, 1, 4, "Slow, then not"), (3, 2, 5, "Louder than Alien"), (4, 4, 3, "A good bar"),
    (5, 8, 4, "Clean"), (6, 99, 1, "Never made"),
)  # fmt: skip


def build_library(folder: Path) -> None:
    """Writes the tables: movies, reviews, chapters, stock (three versions), hashes, halves and shelf."""
    movies = pa.Table.from_pylist([dict(zip(MOVIES.names, film, strict=True)) for film in FILMS], schema=MOVIES)
    with_index = lance.write_dataset(movies, str(folder / "movies.lance"))
    with_index.create_scalar_index("plot", "INVERTED", with_position=True)
    db = lancedb.connect(str(folder))
    names = ("id", "movie_id", "stars", "body")
    db.create_table("reviews", pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in REVIEWS]))
    pair = pa.list_(pa.float32(), 2)
    chapters = {
        "id": [1, 2],
        "heading": ["One", "Two"],
        "body": ["it begins", "it ends"],
        "heading_vector": pa.array([[0, 1], [1, 0]], pair),
        "body_vector": pa.array([[1, 1], [0, 0]], pair),
    }
    db.create_table("chapters", pa.table(chapters))
    stock = db.create_table("stock", pa.table({"id": [1, 2], "amount": [10, 20]}))  # version 1
    stock.add(pa.table({"id": [3], "amount": [30]}))
    stock.tags.create("spring", 2)
    stock.delete("id = 1")  # version 3
    codes = pa.array([[0, 0], [255, 0], [255, 255]], pa.list_(pa.uint8(), 2))
    db.create_table("hashes", pa.table({"id": [1, 2, 3], "code": codes}))
    halves = pa.array([[0.5, 1.5], [2.5, 3.5]], pa.list_(pa.float16(), 2))
    db.create_table("halves", pa.table({"n": pa.array([1, 2], pa.int64()), "half": halves}))
    db.create_table("shelf", pa.table({"id": [1]}))


def open_library(folder: Path) -> lancesql.Connection:
    """The database, with the DuckDB tables box_office and shelf beside it."""
    db = lancesql.connect(folder)
    db.execute("CREATE TABLE memory.main.box_office (movie_id INTEGER, gross BIGINT)")
    db.execute("INSERT INTO box_office VALUES (1, 104), (2, 131), (4, 10), (8, 12), (9, 187), (11, 472)")
    db.execute("CREATE TABLE memory.main.shelf (id INTEGER)")
    return db
