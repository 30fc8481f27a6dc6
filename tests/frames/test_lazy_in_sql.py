"""LazyFrames that SQL names: those of Polars alone, and those that ask the very connection."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

import lancesql

c = pl.col
QUERY = [1.0, 0.0, 0.0, 0.0]


FRAMES = {
    "scan": lambda db: db.scan("movies").filter(c.year > 1980),
    "search": lambda db: db.vector_search("movies", QUERY, k=3),
    "search with SQL": lambda db: db.vector_search("movies", QUERY, k=3, filter="upper(title) LIKE '%A%'"),
    "search with a subquery": lambda db: db.vector_search(
        "movies", QUERY, filter="id IN (SELECT i FROM range(5) r(i))"
    ),
    "search with Polars": lambda db: db.vector_search("movies", QUERY, k=3, filter=c.title.str.contains("[a-n]$")),
    "text": lambda db: db.fts("movies", "space"),
    "result": lambda db: db.sql("SELECT * FROM lance.movies WHERE upper(title) < 'D'").lazy(),
    "join": lambda db: db.scan("movies").join(db.fts("movies", "space"), on="id", how="semi", maintain_order="left"),
    "neighbours": lambda db: db.scan("movies").filter(c.id < 3).lance.knn_join(db, "movies", on="vector", k=2),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_that_asks_the_connection(films, name):
    found = FRAMES[name](films)
    held = found.collect()
    assert films.sql("SELECT id FROM found ORDER BY id").fetchall() == [(one,) for one in sorted(held["id"])]
    joined = films.sql(
        "SELECT m.id FROM found f JOIN lance.movies m ON m.id = f.id WHERE m.year > 1 ORDER BY m.id"
    ).fetchall()
    assert joined == [(one,) for one in sorted(held.filter(c.year > 1)["id"])]
    sql = "SELECT f.id, n.id FROM found f, LATERAL vector_search('movies', f.vector, k => 1) n WHERE n.id <> f.id"
    assert {one for one, _ in films.sql(sql).fetchall()} <= set(held["id"])
    assert films.explain("SELECT count(*) FROM found")


def test_a_frame_of_many_rows(films):
    many = pl.LazyFrame({"a": range(1_000_000)}).with_columns(b=c.a * 2)
    wanted = [(999_999_000_000 - 90, 999_990)]
    assert films.sql("SELECT sum(b), count(*) FROM many WHERE a >= 10").fetchall() == wanted
    mapped = many.map_batches(lambda frame: frame, streamable=True)  # noqa: F841
    assert films.sql("SELECT sum(b), count(*) FROM mapped WHERE a >= 10").fetchall() == [
        (999_999_000_000 - 90, 999_990)
    ]


def test_a_registered_frame_is_read_when_it_is_used(own_films):
    own_films.register("newer", own_films.scan("movies").filter(c.year > 1990))
    before = own_films.sql("SELECT count(*) FROM newer").fetchall()
    own_films.sql("INSERT INTO movies (id, year) VALUES (50, 2001)")
    assert own_films.sql("SELECT count(*) FROM newer").fetchall() == [(before[0][0] + 1,)]


def test_an_error_within_a_frame_keeps_its_class(films):
    broken = films.vector_search("movies", [1.0])  # noqa: F841
    with pytest.raises(lancesql.ArgumentError, match="1 dimension"):
        films.sql("SELECT * FROM broken")


def test_a_frame_is_inserted(own_films):
    more = own_films.scan("movies").filter(c.id < 3).with_columns(id=c.id + 100)  # noqa: F841
    own_films.sql("INSERT INTO movies SELECT * FROM more")
    assert own_films.sql("SELECT id FROM lance.movies WHERE id > 50 ORDER BY id").fetchall() == [(101,), (102,)]


def test_a_frame_is_read_only_where_it_stands_as_a_table(films):
    asked = []

    def count(frame):
        asked.append(frame.height)
        return frame

    title = films.scan("movies").map_batches(count)
    assert films.sql("SELECT title FROM lance.movies WHERE title > 'A'").to_arrow().num_rows
    assert films.sql("SELECT m.title FROM range(3) r(title), lance.movies m").to_arrow().num_rows
    assert not asked
    assert films.sql("SELECT count(*) FROM range(2), title").fetchall() == [(24,)]
    assert asked == [12]
    movies = title  # noqa: F841
    assert films.sql("SELECT count(*) FROM movies").fetchall() == [(12,)]
    assert asked == [12]


def test_a_registered_frame_that_asks_twice(own_films):
    slow = own_films.scan("movies").map_batches(lambda frame: time.sleep(0.3) or frame)
    own_films.register("twice", slow.join(own_films.fts("movies", "space"), on="id", how="semi").join(slow, on="id"))
    assert own_films.sql("SELECT count(*) FROM twice").fetchall() == [(3,)]
    own_films.sql("CREATE VIEW seen AS SELECT t.id FROM twice t JOIN lance.movies m USING (id)")
    assert own_films.sql("SELECT count(*) FROM seen").fetchall() == [(3,)]


def test_frames_are_read_while_another_thread_has_the_connection(films):
    frames = [films.vector_search("movies", QUERY, k=3), films.scan("movies").filter(c.year > 1980)]
    wanted = [frame.collect() for frame in frames]
    endless = "SELECT sum(sqrt(a.range * b.range)) FROM range(200000) a, range(200000) b"
    with ThreadPoolExecutor(3) as pool:
        waiting = pool.submit(lambda: films.execute(endless))
        time.sleep(0.2)
        got = list(pool.map(lambda frame: frame.collect(), frames))
        assert not waiting.done()
        films.interrupt()
        with pytest.raises(lancesql.QueryInterruptedError):
            waiting.result()
    assert [one.equals(other) for one, other in zip(got, wanted, strict=True)] == [True, True]


def test_a_function_of_the_statement_reads_a_frame(own_films):
    frame = own_films.fts("movies", "space", filter="upper(title) < 'Z'")

    def embed(texts):
        return [[float(frame.collect().height), 0.0, 0.0, 0.0] for _ in texts]

    own_films.register_embedding("movies", "vector", embed)
    found = own_films.sql("SELECT id FROM vector_search('movies', 'words', k => 1)").fetchall()
    assert (
        found == own_films.sql("SELECT id FROM vector_search('movies', $q, k => 1)", {"q": [3.0, 0, 0, 0]}).fetchall()
    )
