"""What users of text search stumble over, over an index as others build it: stemmed, without positions, and behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lance
import pyarrow as pa
import pytest

import lancesql

TEXTS = (
    "incident reports of the week",
    "a ticket for an incident",
    "tickets and reports",
    "the reports of incidents",
    "to be or not to be",
    'the text {"match": {"column": "text", "terms": "incident"}} itself',
    "C++ and C# developers",
    "+incident -ticket",
)
LATER = ("a fox in the snow", "incidental music", "reports incident of nothing")
ROWS = dict(enumerate((*TEXTS, *LATER)))


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    folder: Path = tmp_path_factory.mktemp("pains")
    rows = [{"id": id_, "text": text} for id_, text in ROWS.items()]
    dataset = lance.write_dataset(pa.Table.from_pylist(rows[: len(TEXTS)]), folder / "docs.lance")
    dataset.create_scalar_index("text", "INVERTED")
    lance.write_dataset(pa.Table.from_pylist(rows[len(TEXTS) :]), folder / "docs.lance", mode="append")
    many = [{"id": number, "text": "word " * (1 + number % 2)} for number in range(180)]
    dataset = lance.write_dataset(pa.Table.from_pylist(many), folder / "many.lance")
    dataset.create_scalar_index("text", "INVERTED")
    with lancesql.connect(folder) as connection:
        assert "with_position = false" in connection.sql("SHOW INDEXES ON docs").to_arrow()["parameters"][0].as_py()
        yield connection


def ask(db: lancesql.Connection, query: str, options: str = "") -> set[int]:
    return {row[0] for row in db.sql(f"SELECT id FROM fts('docs', $q{options})", {"q": query}).fetchall()}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("incident AND ticket", {1, 7}),
        ("+incident -ticket", {0, 3, 5, 10}),
        ("incident NOT (ticket OR reports)", {5}),
        ("incid*", {0, 1, 3, 5, 7, 9, 10}),
        ("text:incident", {0, 1, 3, 5, 7, 10}),
        ("incidnt~1", {0, 1, 5, 7, 10}),
    ],
)
def test_operators_are_operators(db: lancesql.Connection, query: str, expected: set[int]) -> None:
    assert ask(db, query) == expected


def test_what_looks_like_json_is_words(db: lancesql.Connection) -> None:
    match = '{"match": {"column": "text", "terms": "ticket"}}'
    assert ask(db, match, ", syntax => 'plain'") == {1, 2, 5, 7}
    assert ask(db, '{"phrase": {"terms": "x"}}', ", syntax => 'plain'") == {5}
    assert ask(db, match, ", syntax => 'json'") == {1, 2, 7}


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ('"incident reports"', {0}),
        ('"reports of incidents"', {3}),
        ('"report incident"', {10}),
        ('"fox in the snow"', {8}),
    ],
)
def test_a_phrase_without_positions(db: lancesql.Connection, phrase: str, expected: set[int]) -> None:
    assert ask(db, phrase) == expected
    plan = db.explain(f"SELECT id FROM fts('docs', '{phrase}')")
    assert "WITH (with_position = true) does" in plan


def test_fuzzy_words_on_a_stemmed_index(db: lancesql.Connection) -> None:
    assert ask(db, "incident", ", fuzziness => 1") >= {0, 1, 3, 5, 7, 10}
    assert ask(db, "insident reprots", ", fuzziness => 2, operator => 'and'") >= {0, 3, 10}
    assert 8 in ask(db, "fxo~2")
    assert ask(db, "fix~1") == {8}  # among rows that the index does not know


def test_words_that_are_never_kept_empty_nothing(db: lancesql.Connection) -> None:
    for query in ("incident AND to", "+incident +the", "the incident of a", "+to incident"):
        assert ask(db, query) == {0, 1, 3, 5, 7, 10}, query
    for query in ("the", "to be or not to", "", "  ", "+the"):
        found = ask(db, query, ", syntax => 'plain'")
        assert found in (set(), {4}), query


@pytest.mark.parametrize(
    "text",
    [
        "C++ (C#", '"open', "a AND", "OR", "NOT", "~1", "*", "^2", "text:", "((((", "\0", "a\0b", "'; DROP TABLE docs",
        "{", '{"match":', "[1, 2", "\\", '"' * 99, "ünï çødé", "\U0001f600", "x" * 10_000, "incident " * 1_200,
        "+-" * 500,
    ],
)  # fmt: skip
def test_hostile_text_is_text(db: lancesql.Connection, text: str) -> None:
    assert ask(db, text, ", syntax => 'plain'") <= ROWS.keys()
    assert len(db.sql("SELECT id FROM docs").fetchall()) == len(ROWS)


def test_pages_hold_every_match_once(db: lancesql.Connection) -> None:
    for tail in ("", " ORDER BY _score DESC"):
        pages = [
            [row[0] for row in db.sql(f"SELECT id FROM fts('many', 'word'){tail} LIMIT 10 OFFSET {start}").fetchall()]
            for start in range(0, 180, 10)
        ]
        assert all(len(page) == 10 for page in pages)
        assert len({id_ for page in pages for id_ in page}) == 180


def test_rows_behind_the_index_are_found(db: lancesql.Connection) -> None:
    assert ask(db, "fox") == {8}
    assert ask(db, "music") == {9}
    assert ask(db, "fox", ", fast_search => true") == set()
    (row,) = db.sql("SHOW INDEXES ON docs").to_arrow().to_pylist()
    assert (row["rows_indexed"], row["rows_unindexed"]) == (len(TEXTS), len(LATER))
