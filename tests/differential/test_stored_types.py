"""Values of one type written to a column of another: what DuckDB writes, whichever statement does it, or a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import duckdb
import pytest

import lancesql
from lancesql.errors import LanceSQLError

ID = "'00000000-0000-0000-0000-0000000000aB'"
WRITTEN = [
    (f"{ID}::UUID", "BLOB"),
    (f"{ID}::UUID", "VARCHAR"),
    (f"{ID}", "UUID"),
    ("'0123456789abcdef'::BLOB", "UUID"),
    (f"[{ID}::UUID, NULL]", "BLOB[]"),
    (f"{{'u': {ID}::UUID}}", "STRUCT(u BLOB)"),
    ("'\"x\"'::JSON", "BLOB"),
    ("'null'::JSON", "INTEGER"),
    ("100.00::DECIMAL(9,2)", "JSON"),
    ("[1, 2]", "JSON"),
    ("'101'::BIT", "BLOB"),
    ("'101'::BIT", "VARCHAR"),
    ("'12:34:56+05:30'::TIMETZ", "VARCHAR"),
    ("1::BIGNUM", "VARCHAR"),
    ("union_value(n := 1)", "VARCHAR"),
    ("340282366920938463463374607431768211455::UHUGEINT", "VARCHAR"),
    ("340282366920938463463374607431768211455::UHUGEINT", "DOUBLE"),
    ("INTERVAL '1 month 90 minutes'", "VARCHAR"),
    ("1e16::DOUBLE", "VARCHAR"),
    ("1e-10::DECIMAL(38,10)", "VARCHAR"),
    ("'\\xAA\\x00'::BLOB", "VARCHAR"),
    ("TIME '12:34:56.5'", "VARCHAR"),
    ("DATE 'infinity'", "VARCHAR"),
    ("DATE 'infinity'", "TIMESTAMP_MS"),
    ("TIMESTAMP 'infinity'", "DATE"),
    ("TIMESTAMPTZ '2024-03-01 01:00:00+00'", "VARCHAR"),
    ("TIMESTAMPTZ '2024-03-01 01:00:00+00'", "DATE"),
    ("[TIMESTAMPTZ '2024-02-29 12:34:56.789+00']", "VARCHAR[]"),
    ("MAP {1: 2.5::DOUBLE}", "MAP(VARCHAR, DOUBLE)"),
    ("[1.5, 2.5]::FLOAT[2]", "VARCHAR"),
    ("{'a': 1, 'b': 'it''s, x'}", "VARCHAR"),
]
REFUSED = [
    ("[DATE '2024-02-29']", "INTEGER[]"),
    ("[1, 2]", "DATE[]"),
    ("{'d': DATE '2024-02-29'}", "STRUCT(d INTEGER)"),
    ("MAP {'a': 1}", "INTEGER[]"),
    ("1::BIGNUM", "BLOB"),
    ("340282366920938463463374607431768211455::UHUGEINT", "BIGINT"),
    ("'{\"a\":1}'::JSON", "STRUCT(a INTEGER, b VARCHAR)"),
    ("['a']", "UUID[]"),
    ("'\\xAA\\x00'::BLOB", "UUID"),
    ("1.5", "INTEGER"),
]
STATEMENTS = (
    "INSERT INTO t SELECT 2, {value}",
    "INSERT INTO t VALUES (2, {value})",
    "INSERT INTO t BY NAME SELECT {value} AS c, 2 AS k",
    "INSERT INTO t VALUES (1, {value}) ON CONFLICT (k) DO UPDATE SET c = excluded.c",
    "UPDATE t SET c = {value}",
    "MERGE INTO t USING (SELECT 1 AS k, {value} AS c) s USING (k) WHEN MATCHED THEN UPDATE SET c = s.c",
)
Pair = tuple[lancesql.Connection, duckdb.DuckDBPyConnection]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    own, oracle = duckdb.connect(), duckdb.connect()
    for connection in (own, oracle):
        connection.execute("SET TimeZone = 'America/New_York'")
    with lancesql.connect(tmp_path_factory.mktemp("stored") / "db", duckdb=own) as db:
        yield db, oracle
    own.close()
    oracle.close()


def write_text(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


@pytest.mark.parametrize(("value", "target"), WRITTEN)
def test_the_same_value_is_stored(pair: Pair, value: str, target: str) -> None:
    for connection in pair:
        connection.execute(f"CREATE OR REPLACE TABLE t (k INTEGER PRIMARY KEY, c {target})")
    for statement in STATEMENTS:
        kept = []
        for connection in pair:
            connection.execute("DELETE FROM t")
            connection.execute("INSERT INTO t (k) VALUES (1)")
            connection.execute(statement.format(value=value))
            found: Any = connection.sql("SELECT k, c FROM t ORDER BY k")
            kept.append([(key, write_text(one)) for key, one in found.fetchall()])
        assert kept[0] == kept[1], statement


@pytest.mark.parametrize(("value", "target"), REFUSED)
def test_what_is_not_cast_is_refused(pair: Pair, value: str, target: str) -> None:
    db, _ = pair
    db.execute(f"CREATE OR REPLACE TABLE t (k INTEGER PRIMARY KEY, c {target})")
    db.execute("INSERT INTO t (k) VALUES (1)")
    for statement in STATEMENTS:
        with pytest.raises(LanceSQLError):
            db.execute(statement.format(value=value))
    assert db.sql("FROM t").fetchall() == [(1, None)]


def test_rows_of_another_table_are_cast_as_well(pair: Pair) -> None:
    for connection in pair:
        connection.execute(
            "CREATE OR REPLACE TABLE s AS SELECT 1.5::DOUBLE AS x, TIMESTAMPTZ '2024-03-01 01:00:00+00' AS z"
        )
        connection.execute("CREATE OR REPLACE TABLE t (x VARCHAR, z DATE)")
        connection.execute("INSERT INTO t SELECT x, z FROM s")
        connection.execute("INSERT INTO t (z, x) SELECT z, x FROM s")
    assert pair[0].sql("FROM t").fetchall() == pair[1].sql("FROM t").fetchall()


@pytest.mark.parametrize("type_", ["BIT", "TIMETZ", "BIGNUM", "UHUGEINT", "UHUGEINT[]", "STRUCT(v VARIANT)"])
def test_a_column_that_would_hold_something_else_is_refused(pair: Pair, type_: str) -> None:
    db, _ = pair
    with pytest.raises(LanceSQLError, match=r"which Lance cannot store|VARIANT column"):
        db.execute(f"CREATE TABLE refused (c {type_})")
    with pytest.raises(LanceSQLError, match=r"which Lance cannot store|VARIANT column"):
        db.execute(f"CREATE TABLE refused AS SELECT NULL::{type_} AS c")
    assert "refused" not in [row[0] for row in db.sql("SHOW TABLES").fetchall()]


def test_a_column_of_a_new_type_has_the_values_of_it(pair: Pair) -> None:
    for connection in pair:
        connection.execute("CREATE OR REPLACE TABLE t (k INTEGER)")
        connection.execute("INSERT INTO t VALUES (1)")
    pair[0].execute(f"ALTER TABLE t ADD COLUMN c BLOB AS {ID}::UUID")
    pair[1].execute(f"ALTER TABLE t ADD COLUMN c BLOB DEFAULT ({ID}::UUID)")
    assert pair[0].sql("FROM t").fetchall() == pair[1].sql("FROM t").fetchall()
