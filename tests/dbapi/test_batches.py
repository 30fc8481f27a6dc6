# ruff: noqa: E501  # one case a line
"""executemany: one commit, and what as many statements would have left."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lancesql import dbapi
from tests.differential.conftest import DIFFERENTIAL, scaled


def count_commits(connection: dbapi.Connection, table: str = "docs") -> int:
    return len(connection.native.sql(f"SHOW VERSIONS ON {table}").fetchall())


ONE_COMMIT = [
    ("INSERT INTO docs (id, title, vector) VALUES (?, ?, ?)", [(7, "a", [1, 2]), (8, None, np.array([3, 4], "f4"))]),
    ("INSERT INTO docs VALUES ($id, upper($t), [$x, 1])", [{"id": 7, "t": "a", "x": 1}, {"id": 8, "t": "b", "x": 2.5}]),
    ("INSERT INTO docs (title, id) VALUES ($2, $1 + $1)", [(7, "a"), (8, "b")]),
    ("INSERT INTO docs (id, title) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET title = excluded.title", [(1, "a"), (9, "b")]),
    ("INSERT INTO docs (id, title) VALUES (?, NULL) ON CONFLICT (id) DO NOTHING", [(1,), (9,)]),
    ("UPDATE docs SET title = ? WHERE id = ?", [("a", 1), ("b", 2), ("c", 99)]),
    ("UPDATE docs SET title = title || ? WHERE docs.id = ? AND vector IS NOT NULL", [("a", 1), (None, 2)]),
    ("UPDATE docs AS d SET vector = ? WHERE d.id = ?", [([5, 6], 1), ([7, 8], 2)]),
    ("DELETE FROM docs WHERE id = ? AND title <> ?", [(1, "x"), (2, "title 2"), (1, "y")]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "rows"), ONE_COMMIT, ids=[sql for sql, _ in ONE_COMMIT])
def test_one_commit_for_many(docs: dbapi.Connection, tmp_path: Path, sql: str, rows: list[Any]) -> None:
    before = count_commits(docs)
    cursor = docs.cursor().executemany(sql, rows)
    assert count_commits(docs) == before + 1
    assert cursor.description is None
    with dbapi.connect(tmp_path / "twin") as twin:
        twin.native.register("first", docs.native.sql("SELECT * FROM docs AT (VERSION => 1)").to_arrow())
        twin.execute("CREATE TABLE docs AS SELECT * FROM first")
        counts = [twin.execute(sql, row).rowcount for row in rows]
        read = "SELECT * FROM docs ORDER BY id"
        assert docs.execute(read).fetchall() == twin.execute(read).fetchall()
        assert cursor.rowcount == sum(counts)


ONE_BY_ONE = [
    ("UPDATE docs SET id = ? WHERE id = ?", [(11, 1), (12, 11)]),  # the second looks for what the first writes
    ("UPDATE docs SET title = ? WHERE title <> ?", [("a", "title 1"), ("b", "a")]),
    ("UPDATE docs SET vector = ? WHERE id < ?", [([0, 0], 3), ([9, 9], 2)]),  # one row, twice
    ("DELETE FROM docs WHERE id = (SELECT max(id) FROM docs) - ?", [(0,), (0,)]),
    ("INSERT INTO docs (id) SELECT count(*) + ? FROM docs", [(0,), (0,)]),
    ("INSERT INTO docs (id, title) VALUES (?, 'a'), (?, 'b')", [(7, 8), (9, 10)]),
    ("INSERT INTO docs (id, title) VALUES (?, DEFAULT)", [(7,), (9,)]),
    ("INSERT INTO docs (id, title) VALUES (?, ?)", [(7, "a"), (9, 1)]),  # a text and a number
    ("INSERT INTO docs (id, title) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET title = excluded.title || 'x'", [(7, "a"), (7, "b")]),
    ("INSERT INTO docs (id, title) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET title = docs.title || excluded.title", [(7, "a"), (7, "b")]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "rows"), ONE_BY_ONE, ids=[sql for sql, _ in ONE_BY_ONE])
def test_what_has_to_be_done_one_by_one(docs: dbapi.Connection, tmp_path: Path, sql: str, rows: list[Any]) -> None:
    cursor = docs.cursor().executemany(sql, rows)
    with dbapi.connect(tmp_path / "twin") as twin:
        twin.native.register("first", docs.native.sql("SELECT * FROM docs AT (VERSION => 1)").to_arrow())
        twin.execute("CREATE TABLE docs AS SELECT * FROM first")
        counts = [twin.execute(sql, row).rowcount for row in rows]
        read = "SELECT * FROM docs ORDER BY id"
        assert docs.execute(read).fetchall() == twin.execute(read).fetchall()
        assert cursor.rowcount == sum(counts)


SAME = {
    "BIGINT": [1, None, -(2**62)],
    "UBIGINT": [2**64 - 1, 0],
    "DOUBLE": [1, 2.5, float("inf"), None],
    "DECIMAL(9, 2)": [Decimal("1.5"), Decimal(100)],
    "VARCHAR": ["a", "", None, "ü'\n"],
    "BOOLEAN": [True, False, None],
    "BLOB": [b"a", b"\x00", None],
    "DATE": [dt.date(2024, 2, 29), None],
    "TIMESTAMP": [dt.datetime(2024, 2, 29, 1, 2, 3, 4), dt.date(2024, 1, 1), None],
    "TIMESTAMPTZ": [dt.datetime(2024, 2, 29, tzinfo=dt.UTC), dt.datetime(2024, 2, 29, tzinfo=dt.timezone(dt.timedelta(hours=2)))],
    "TIME": [dt.time(1, 2, 3, 4), None],
    "FLOAT[2]": [[1, 2], [0.5, 3], (4, 5), np.array([6, 7]), np.array([0.5, 1], "f2"), None],
    "INT[]": [[1], [], [1, None], None],
    "VARCHAR[]": [["a", None], []],
    "STRUCT(a INT, b VARCHAR)": [{"a": 1, "b": "x"}, {"a": None, "b": None}, None],
    "FLOAT[2][]": [[[1, 2]], np.array([[3, 4], [5, 6]]), None],
    "UUID": [uuid.UUID(int=7), None],
    "INTEGER": [None, None],
}  # fmt: skip


@pytest.mark.parametrize("type_", SAME)
def test_values_of_every_type(connection: dbapi.Connection, type_: str) -> None:
    values = [(place, value) for place, value in enumerate(SAME[type_])]
    for table in ("many", "one"):
        connection.execute(f"CREATE TABLE {table} (id INT, value {type_})")
    connection.executemany("INSERT INTO many VALUES (?, ?)", values)
    for row in values:
        connection.execute("INSERT INTO one VALUES (?, ?)", row)
    read = "SELECT * FROM {} ORDER BY id"
    many, one = (connection.execute(read.format(table)).fetch_arrow_table() for table in ("many", "one"))
    assert many.equals(one)


def test_a_batch_that_fails_writes_nothing(docs: dbapi.Connection) -> None:
    before = count_commits(docs)
    with pytest.raises(dbapi.DataError, match="vectors of 2 dimensions"):
        docs.executemany("INSERT INTO docs (id, vector) VALUES (?, ?)", [(7, [1, 2]), (8, [1, 2, 3])])
    assert count_commits(docs) == before


@pytest.mark.parametrize(
    ("sql", "rows", "message", "marked"),
    [
        ("INSERT INTO docs (idd) VALUES (?)", [(1,), (2,)], "no column 'idd'", "idd"),
        ("INSERT INTO docs (id) VALUES (? + x)", [(1,), (2,)], '"x"', "x"),
        ("UPDATE docs SET titel = ? WHERE id = ?", [("a", 1), ("b", 2)], "titel", "titel"),
        ("INSERT INTO dox VALUES (?)", [(1,), (2,)], "dox", "dox"),
    ],
)
def test_an_error_is_placed_in_the_text_as_it_was_written(
    docs: dbapi.Connection, sql: str, rows: list[Any], message: str, marked: str
) -> None:
    with pytest.raises(dbapi.ProgrammingError, match=message) as caught:
        docs.executemany(sql, rows)
    assert caught.value.sql == sql
    assert caught.value.span is not None
    assert sql[caught.value.span.start : caught.value.span.end] == marked
    assert "__lancesql" not in str(caught.value)


def test_the_wrong_number_of_values(docs: dbapi.Connection) -> None:
    for rows in ([(1, "a"), (2,)], [(1,), (2,)], [{"a": 1}, {"a": 2}]):
        with pytest.raises(dbapi.ProgrammingError):
            docs.executemany("INSERT INTO docs (id, title) VALUES (?, ?)", rows)


def test_few_parameters_or_none(docs: dbapi.Connection) -> None:
    assert docs.executemany("INSERT INTO docs (id) VALUES (?)", []).rowcount == 0
    assert docs.executemany("INSERT INTO docs (id) VALUES (?)", iter([(7,)])).rowcount == 1
    assert docs.executemany("SET threads = 2", [(), ()]).rowcount == -1
    with pytest.raises(dbapi.ProgrammingError, match="no rows"):
        docs.executemany("SELECT ?", [(1,), (2,)])


def test_tables_of_duckdb(docs: dbapi.Connection) -> None:
    docs.execute("CREATE TABLE memory.main.plain (n INT, s VARCHAR)")
    assert docs.executemany("INSERT INTO memory.main.plain VALUES (?, ?)", [(1, "a"), (2, None)]).rowcount == 2
    assert docs.executemany("UPDATE memory.main.plain SET s = ? WHERE n = ?", [("x", 1), ("y", 1)]).rowcount == 2
    assert docs.execute("SELECT * FROM memory.main.plain ORDER BY n").fetchall() == [(1, "y"), (2, None)]


ROWS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["a", "b", None])), min_size=2, max_size=5)
STATEMENTS = st.sampled_from(
    [
        "INSERT INTO t (id, s) VALUES (?, ?)",
        "INSERT INTO t (id, s) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET s = excluded.s",
        "INSERT INTO t (id, s) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
        "UPDATE t SET s = $2 WHERE id = $1",
        "UPDATE t SET s = $2, id = id + 1 WHERE id >= $1",
        "UPDATE t SET s = coalesce(s, '') || $2 WHERE id < $1",
        "DELETE FROM t WHERE id = ? AND s IS NOT DISTINCT FROM ?",
        "DELETE FROM t WHERE id < ? AND s > ?",
    ]
)


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dbapi.Connection]:
    with dbapi.connect(tmp_path_factory.mktemp("twins")) as connection:
        first = pa.table({"id": [1, 2, 3, 4], "s": ["a", "b", None, "a"]})
        connection.native.register("first", first)
        yield connection


@settings(DIFFERENTIAL, max_examples=scaled(15))
@given(sql=STATEMENTS, rows=ROWS)
def test_many_at_once_are_one_by_one(twins: dbapi.Connection, sql: str, rows: list[Any]) -> None:
    answers = []
    for table in ("many", "one"):
        twins.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM first")
        own = sql.replace(" t ", f" {table} ")
        if table == "many":
            changed = twins.executemany(own, rows).rowcount
        else:
            changed = sum(twins.execute(own, row).rowcount for row in rows)
        answers.append((changed, sorted(twins.execute(f"SELECT * FROM {table}").fetchall(), key=repr)))
    assert answers[0] == answers[1]
