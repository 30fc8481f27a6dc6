"""Predicates on a Lance table that a plain DuckDB connection scans keep the rows they keep in DuckDB's own memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import lancesql
import lancesql.duckdb

VALUES = {
    "i": ["1", "2", "3"],
    "d": ["'nan'::DOUBLE", "1.5", "'inf'::DOUBLE", "0.0"],
    "f": ["'nan'::FLOAT", "2.5::FLOAT", "'-inf'::FLOAT", "0"],
    "m": ["1.10", "-3", "1.1::DECIMAL(12, 5)"],
    "s": ["'a'", "'é'", "''"],
    "dt": ["DATE '2020-01-01'", "DATE '1969-12-31'"],
    "ts": ["TIMESTAMP '2020-01-01 01:00:00'"],
    "tz": ["TIMESTAMPTZ '1969-12-31 23:59:59+00'", "TIMESTAMPTZ '2020-01-01 01:00:00+02'"],
    "b": ["true"],
    "bl": ["'x'::BLOB", "''::BLOB"],
}
ROWS = """
    (1::INT, 'nan'::DOUBLE, 'nan'::FLOAT, 1.10::DECIMAL(9, 2), 'a', DATE '2020-01-01', TIMESTAMP '2020-01-01 01:00:00',
     TIMESTAMPTZ '2020-01-01 01:00:00+02', true, 'x'::BLOB),
    (2, 1.5, 2.5, -3.00, 'é', NULL, NULL, NULL, false, 'yy'::BLOB),
    (3, 'inf', '-inf', NULL, NULL, DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59.5',
     TIMESTAMPTZ '1969-12-31 23:59:59+00', NULL, NULL),
    (NULL, -0.0, 0.0, 99.99, '', DATE '2300-01-01', TIMESTAMP '2261-01-01', TIMESTAMPTZ '2261-01-01 00:00:00+00', true,
     ''::BLOB)
"""


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with lancesql.connect(tmp_path_factory.mktemp("scans")) as db, duckdb.connect() as opened:
        opened.execute(f"CREATE TABLE expected AS SELECT * FROM (VALUES {ROWS}) AS t({', '.join(VALUES)})")
        rows = opened.sql("FROM expected").to_arrow_table()
        assert rows.num_rows == 4
        db.execute("CREATE TABLE given AS SELECT * FROM rows")
        lancesql.duckdb.register(opened, db)
        yield opened


@pytest.mark.parametrize("column", VALUES)
def test_the_same_rows_are_kept(con: duckdb.DuckDBPyConnection, column: str) -> None:
    values = VALUES[column]
    predicates = [f"{column} IS NULL", f"{column} IS NOT NULL", f"{column} BETWEEN {values[0]} AND {values[-1]}"]
    predicates += [f"{column} IN ({', '.join(values)})", f"{column} NOT IN ({', '.join(values)})"]
    for value in values:
        for sign in ("=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"):
            predicates.append(f"{column} {sign} {value}")
        predicates += [f"NOT ({column} > {value})", f"{column} > {value} OR {column} IS NULL"]
    for predicate in predicates:
        kept, expected = (
            con.sql(f"SELECT * FROM {table} WHERE {predicate} ORDER BY ALL").fetchall()
            for table in ("given", "expected")
        )
        assert str(kept) == str(expected), predicate  # NaN is not equal to itself


def test_every_type_comes_back(tmp_path: Path) -> None:
    moments = [datetime(2020, 1, 1), None]
    rows = pa.table({
        "id": pa.array([1, 2], pa.int8()),
        "dictionary": pa.array(["x", "y"]).dictionary_encode(),
        "decimal": pa.array([Decimal("1.25"), None], pa.decimal128(20, 2)),
        "text": pa.array(["a", None], pa.large_string()),
        "bytes": pa.array([b"ab", None], pa.binary(2)),
        "moment": pa.array(moments, pa.timestamp("ns")),
        "zoned": pa.array(moments, pa.timestamp("us", "Europe/Berlin")),
        "time": pa.array([time(1, 2), None], pa.time32("s")),
        "struct": pa.array([{"a": 1, "b": ["x"]}, None], pa.struct({"a": pa.int16(), "b": pa.list_(pa.string())})),
        "list": pa.array([[1, None], None], pa.large_list(pa.int32())),
        "large": pa.array([1, 2**64 - 1], pa.uint64()),
        "vector": pa.array([[0, 0], [3, 4]], pa.list_(pa.float32(), 2)),
    })  # fmt: skip
    assert rows.num_rows == 2
    with lancesql.connect(tmp_path) as db, duckdb.connect() as con:
        db.execute("CREATE TABLE t AS SELECT * FROM rows")
        lancesql.duckdb.register(con, db)
        expected = con.sql("FROM rows ORDER BY id").fetchall()
        assert con.sql("FROM t ORDER BY id").fetchall() == expected
        found = con.sql("FROM t_search([0, 0]) ORDER BY _distance").fetchall()
        assert [row[:-1] for row in found] == expected
        assert [row[-1] for row in found] == [0, 25]
