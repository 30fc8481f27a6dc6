"""MERGE, ON CONFLICT and UPDATE keep a primary key as DuckDB does: the same rows, or an error and no change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import lance
import pytest

import lancesql

from .rows import count_rows

TABLES = {
    "BIGINT": ("id BIGINT PRIMARY KEY", "{}"),
    "DOUBLE": ("id DOUBLE PRIMARY KEY", "({} - 1)::DOUBLE"),
    "DATE": ("id DATE PRIMARY KEY", "(DATE '2020-01-01' + {})"),
    "VARCHAR": ("id VARCHAR PRIMARY KEY", "('k' || {})"),
    "DECIMAL": ("id DECIMAL(9, 2) PRIMARY KEY", "({} / 4)"),
}
SOURCE = "(SELECT {} AS id, s.name, s.x FROM (VALUES {}) s(n, name, x)) AS s"
BOTH = "ON t.name = s.name WHEN MATCHED THEN UPDATE SET id = s.id WHEN NOT MATCHED THEN INSERT BY NAME"
STATEMENTS = (
    ("(1, 'z', 7)", "ON t.id = s.id WHEN MATCHED THEN INSERT BY NAME"),
    ("(1, 'z', 7), (9, 'y', 7)", "ON t.name = s.name WHEN NOT MATCHED THEN INSERT BY NAME"),
    ("(8, 'z', 7), (9, 'y', 7)", "ON t.name = s.name WHEN NOT MATCHED THEN INSERT BY NAME"),
    ("(1, 'z', 7), (9, 'a', 7)", "ON t.name = s.name WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT BY NAME"),
    ("(2, 'z', 7), (9, 'a', 7)", "ON t.name = s.name WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT BY NAME"),
    ("(1, 'z', 7)", "ON t.id = s.id AND t.x > 50 WHEN NOT MATCHED THEN INSERT BY NAME"),
    ("(7, 'z', 7)", "ON t.id = s.id AND t.x > 50 WHEN NOT MATCHED THEN INSERT BY NAME"),
    ("(1, 'z', 7), (9, 'y', 7)", "ON t.x > s.x WHEN NOT MATCHED THEN INSERT BY NAME"),
    ("(2, 'a', 7)", "ON t.name = s.name WHEN MATCHED THEN UPDATE SET id = s.id"),
    ("(7, 'a', 7)", "ON t.name = s.name WHEN MATCHED THEN UPDATE SET id = s.id"),
    ("(7, 'a', 7), (7, 'b', 7)", "ON t.name = s.name WHEN MATCHED THEN UPDATE SET id = s.id"),
    ("(7, 'a', 7), (7, 'y', 7)", BOTH),
    ("(7, 'a', 7), (8, 'y', 7)", BOTH),
    ("(7, 'a', 7)", "ON t.name = s.name WHEN NOT MATCHED BY SOURCE THEN INSERT (id, x) VALUES (t.id, 1)"),
)
OTHERS = (
    "UPDATE t SET id = {2} WHERE name = 'a'",
    "UPDATE t SET id = {9} WHERE name = 'a'",
    "UPDATE t SET id = {9}",
    "UPDATE t SET id = {3} WHERE name = 'c'",
    "UPDATE t SET id = {4}, x = 5 WHERE name = 'd' RETURNING x",
)


@pytest.fixture(params=TABLES)
def pair(request: Any, tmp_path: Path) -> Iterator[tuple[lancesql.Connection, duckdb.DuckDBPyConnection, str]]:
    columns, key = TABLES[request.param]
    with lancesql.connect(tmp_path) as db, duckdb.connect() as oracle:
        for one in (db, oracle):
            one.execute(f"CREATE TABLE t ({columns}, name VARCHAR, x INTEGER)")
            for number, name in enumerate("abc", 1):
                one.execute(f"INSERT INTO t VALUES ({key.format(number)}, '{name}', {10 * number})")
        yield db, oracle, key


def check_same(pair: Any, path: Path, statement: str) -> None:
    db, oracle, _ = pair
    before = lance.dataset(path / "t.lance").version
    try:
        oracle.execute(statement)
    except duckdb.ConstraintException:
        with pytest.raises(lancesql.ConstraintError, match="the primary key id = "):
            db.execute(statement)
        assert lance.dataset(path / "t.lance").version == before
    else:
        db.execute(statement)
    assert count_rows(db.sql("FROM t").to_arrow()) == count_rows(oracle.sql("FROM t").to_arrow_table())


@pytest.mark.parametrize(("source", "clauses"), STATEMENTS)
def test_merge(pair: Any, tmp_path: Path, source: str, clauses: str) -> None:
    check_same(pair, tmp_path, f"MERGE INTO t USING {SOURCE.format(pair[2].format('s.n'), source)} {clauses}")


@pytest.mark.parametrize("statement", OTHERS)
def test_update(pair: Any, tmp_path: Path, statement: str) -> None:
    keys = {number: pair[2].format(number) for number in range(10)}
    check_same(pair, tmp_path, statement.format(*(keys[number] for number in range(10))))


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("UPDATE t SET a = 1 WHERE x = 3", True),
        ("UPDATE t SET a = a + 1", False),
        ("UPDATE t SET b = NULL", True),
        ("MERGE INTO t USING (VALUES (1, 5)) s(a, b) USING (b) WHEN NOT MATCHED THEN INSERT BY NAME", False),
        ("MERGE INTO t USING (VALUES (2, 1, 9)) s(a, b, x) ON t.x = s.x WHEN NOT MATCHED THEN INSERT BY NAME", False),
        ("MERGE INTO t USING (VALUES (1, 2, 9)) s(a, b, x) ON t.x = s.x WHEN NOT MATCHED THEN INSERT BY NAME", True),
    ],
)
def test_a_key_of_two_columns(tmp_path: Path, statement: str, refused: bool) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t (a INTEGER, b DOUBLE, x INTEGER, PRIMARY KEY (a, b))")
        db.execute("INSERT INTO t VALUES (1, 1, 1), (1, 2, 2), (3, 1, 3)")
        rows = db.sql("FROM t ORDER BY ALL").fetchall()
        db.execute("INSERT INTO t VALUES (5, 0, 5), (6, 0, 6)")
        if not refused:
            db.execute(statement)
            assert db.sql("SELECT count(DISTINCT (a, b)) = count(*) FROM t").fetchall() == [(True,)]
            return
        with pytest.raises(lancesql.ConstraintError, match=r"would have the primary key a = 1, b = |cannot be NULL"):
            db.execute(statement)
        assert db.sql("FROM t WHERE b > 0 ORDER BY ALL").fetchall() == rows


def test_zero_has_a_sign_and_a_nan_is_equal_to_itself(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t (id DOUBLE PRIMARY KEY, name VARCHAR)")
        db.execute("INSERT INTO t VALUES (0.0, 'zero'), ('nan'::DOUBLE, 'none'), (2, 'two')")
        for value in ("'-0.0'::DOUBLE", "'nan'::DOUBLE", "2"):
            with pytest.raises(lancesql.ConstraintError, match="would have the primary key"):
                db.execute(f"MERGE INTO t USING (SELECT {value} AS id, 'x' AS name) s USING (name)"
                           " WHEN NOT MATCHED THEN INSERT BY NAME")  # fmt: skip
        assert db.sql("SELECT count(*) FROM t").fetchall() == [(3,)]


def test_an_update_that_is_refused_leaves_no_file(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t SELECT i, i FROM range(500) r(i)")
        before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
        for statement in ("UPDATE t SET id = 1 WHERE id = 2", "UPDATE t SET id = id // 2", "UPDATE t SET id = NULL"):
            with pytest.raises(lancesql.ConstraintError):
                db.execute(statement)
            assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
        db.execute("UPDATE t SET id = id + 1")
        assert db.sql("SELECT min(id), max(id), count(DISTINCT id) FROM t").fetchall() == [(1, 500, 500)]
