"""Decimals, as which SQL reads numbers like 1.2, become the floating-point numbers DuckDB makes of them, and back."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import lancesql
from lancesql import ConversionError
from lancesql.storage.writes.decimals import convert_decimals

TABLE = (
    "CREATE TABLE t (k INTEGER PRIMARY KEY, x DOUBLE, f FLOAT, l DOUBLE[], s STRUCT(a DOUBLE, b VARCHAR)[], v FLOAT[3])"
)
TENTHS = ", ".join(
    f"({k}, {k / 10}, -{k / 100}, [{k / 10}, NULL, {k}.07], [{{'a': {k / 10}, 'b': 'x'}}], [{k / 10}, 8.7, {k}.3])"
    for k in range(100)
)
STATEMENTS = (
    "UPDATE t SET x = 1.2, f = 8.7 WHERE k < 20",
    "UPDATE t SET l = [0.7, 1.2], v = [1.2, 8.7, 0.1], s = [{'a': 1.2, 'b': NULL}] WHERE k BETWEEN 10 AND 30",
    "INSERT INTO t (k, x) VALUES (3, 1.2), (200, 1.3) ON CONFLICT (k) DO UPDATE SET x = excluded.x, f = excluded.x",
    "INSERT INTO t (k, x) SELECT 300 + i, i * 1.2 FROM range(50) r(i)",
    """MERGE INTO t USING (VALUES (7, 8.7), (400, 1.2)) s(k, x) ON t.k = s.k WHEN MATCHED THEN UPDATE SET x = s.x
    WHEN NOT MATCHED THEN INSERT (k, x) VALUES (s.k, s.x)""",
)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[lancesql.Connection, duckdb.DuckDBPyConnection]]:
    with lancesql.connect(tmp_path) as db, duckdb.connect() as oracle:
        for connection in (db, oracle):
            connection.execute(TABLE)
            connection.execute(f"INSERT INTO t VALUES {TENTHS}")
        yield db, oracle


def test_the_same_numbers_are_stored(pair: tuple[lancesql.Connection, duckdb.DuckDBPyConnection]) -> None:
    db, oracle = pair
    everything = "SELECT * FROM t ORDER BY k"
    assert db.sql(everything).fetchall() == oracle.sql(everything).fetchall()
    for statement in STATEMENTS:
        for connection in pair:
            connection.execute(statement)
        assert db.sql(everything).fetchall() == oracle.sql(everything).fetchall(), statement
    for where in ("x = 1.2", "x = k / 10", "x IN (8.7, 1.3)", "f = 8.7", "list_contains(l, 1.2)"):
        counted = f"SELECT count(*) FROM t WHERE {where}"
        assert db.sql(counted).fetchall() == oracle.sql(counted).fetchall() != [(0,)], where


def test_vectors_of_decimals(tmp_path: Path) -> None:
    numbers = [[k / 10, 8.7, -k / 100] for k in range(100)]
    listed = ", ".join(f"({one})" for one in numbers)
    with lancesql.connect(tmp_path) as db:
        db.execute(f"CREATE TABLE v AS SELECT l AS vector FROM (VALUES {listed}) r(l)")
        (stored,) = db.sql("SELECT vector FROM v").to_arrow().columns
        assert np.array_equal(np.array(stored.to_pylist(), np.float32), np.array(numbers, np.float32))


@pytest.mark.parametrize("type_", [pa.float64(), pa.float32()])
@pytest.mark.parametrize(("precision", "scale"), [(2, 1), (4, 4), (15, 7), (18, 18), (38, 10), (38, 38), (20, 0)])
def test_each_is_the_nearest(precision: int, scale: int, type_: pa.DataType) -> None:
    random = np.random.default_rng(precision * 100 + scale)
    digits = [int("".join(map(str, random.integers(0, 10, random.integers(1, precision + 1))))) for _ in range(300)]
    values = [Decimal(one * (-1) ** at).scaleb(-scale, Context(prec=60)) for at, one in enumerate(digits)]
    column: Any = pa.array([*values, None], pa.decimal128(precision, scale))
    kind = type_.to_pandas_dtype()
    want = [None if one is None else float(kind(str(one))) for one in (*values, None)]
    assert convert_decimals(column, type_).to_pylist() == want
    nested = pa.array([[one] for one in (*values, None)], pa.list_(column.type)).slice(3)
    assert convert_decimals(nested, pa.list_(type_)).to_pylist() == [[one] for one in want[3:]]


def test_what_is_no_number_stays() -> None:
    column: Any = pa.array([Decimal("1.2")], pa.decimal128(2, 1))
    assert convert_decimals(column, pa.string()) is column
    kept: Any = pa.array([{"a": Decimal("1.2"), "b": Decimal("1.2")}, None])
    made = convert_decimals(kept, pa.struct([("a", pa.float64())]))
    assert made.to_pylist() == [{"a": 1.2, "b": Decimal("1.2")}, None]
    pairs: Any = pa.array([[("x", Decimal("1.2"))], None], pa.map_(pa.string(), pa.decimal128(2, 1)))
    assert convert_decimals(pairs, pa.map_(pa.string(), pa.float64())).to_pylist() == [[("x", 1.2)], None]


@pytest.mark.parametrize(("precision", "scale"), [(4, 1), (9, 0), (18, 9), (19, 3), (38, 10), (38, 30)])
@pytest.mark.parametrize("type_", [pa.float64(), pa.float32()])
def test_floats_are_rounded_as_by_duckdb(precision: int, scale: int, type_: pa.DataType) -> None:
    """DuckDB 1 counts in 32 bits where the number has 32."""
    random = np.random.default_rng(precision * 100 + scale)
    most = 10.0 ** (precision - scale) * 0.9
    drawn = [*random.uniform(-most, most, 300), *random.integers(-200, 200, 300) / 40, 0.0, -0.0, 1e-30]
    column: Any = pa.array([*(one for one in drawn if abs(one) < most), None], pa.float64()).cast(type_)
    wanted = pa.decimal128(precision, scale)
    with duckdb.connect() as oracle:
        oracle.register("given", pa.table({"x": column}))
        want = oracle.sql(f"SELECT x::DOUBLE::DECIMAL({precision}, {scale}) FROM given").fetchall()
    assert convert_decimals(column, wanted).to_pylist() == [row[0] for row in want]
    assert convert_decimals(column.slice(5), wanted).to_pylist() == [row[0] for row in want[5:]]


def test_floats_are_written_as_decimals(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db, duckdb.connect() as oracle:
        for connection in (db, oracle):
            connection.execute("CREATE TABLE t (k INTEGER, d DECIMAL(4, 1), l DECIMAL(4, 1)[])")
            connection.execute("INSERT INTO t SELECT i, (i / 20)::DOUBLE, [(i / 20)::DOUBLE, NULL] FROM range(90) r(i)")
            connection.execute("UPDATE t SET d = 1.25::DOUBLE WHERE k < 5")
        assert db.sql("FROM t ORDER BY k").fetchall() == oracle.sql("FROM t ORDER BY k").fetchall()
        before = db.sql("SHOW VERSIONS ON t").fetchall()
        for value in ("999.95::DOUBLE", "'nan'::DOUBLE", "'-inf'::FLOAT", "1e300::DOUBLE"):
            with pytest.raises(ConversionError, match="column 'd' is decimal"):
                db.execute(f"INSERT INTO t (d) VALUES ({value})")
        assert db.sql("SHOW VERSIONS ON t").fetchall() == before
