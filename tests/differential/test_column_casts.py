"""ALTER COLUMN TYPE against DuckDB: the same values, or the same refusal, with rows and versions as they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql
from lancesql.errors import LanceSQLError

from .conftest import DIFFERENTIAL, scaled

CASTS: list[tuple[str, str, list[Any]]] = [
    ("BIGINT", "INTEGER", [1, -5, None]),
    ("BIGINT", "INTEGER", [1, 2**40]),
    ("DOUBLE", "INTEGER", [1.5, 2.5, -1.5, None]),
    ("VARCHAR", "INTEGER", ["1", " 2", None]),
    ("VARCHAR", "INTEGER", ["1", "x"]),
    ("DOUBLE", "VARCHAR", [1.0, 1e20, None]),
    ("BOOLEAN", "VARCHAR", [True, None]),
    ("VARCHAR", "DATE", ["2024-01-01", None]),
    ("DATE", "TIMESTAMP", ["2024-01-01"]),
    ("TIMESTAMP", "DATE", ["2024-01-01 10:00:00"]),
    ("INTEGER", "BOOLEAN", [0, 5, None]),
    ("DOUBLE", "FLOAT", [0.1, None]),
    ("DOUBLE", "FLOAT", [1e300]),
    ("DECIMAL(10,2)", "DECIMAL(10,1)", ["1.25", "1.35", "-1.25"]),
    ("DECIMAL(10,2)", "DECIMAL(3,1)", ["1234.5"]),
    ("TINYINT", "UTINYINT", [-1, 5]),
    ("BIGINT", "TIMESTAMP", [5]),
    ("FLOAT[2]", "FLOAT[3]", [[1, 2]]),
    ("FLOAT[2]", "DOUBLE[2]", [[0.1, 2], None]),
    ("DOUBLE[2]", "FLOAT[2]", [[1e300, 0.1]]),
    ("INTEGER[]", "BIGINT[]", [[1], [], None]),
    ("VARCHAR[]", "INTEGER[]", [["1"], ["2", None]]),
    ("FLOAT[]", "FLOAT[2]", [[1, 2], [3, 4], None]),
    ("FLOAT[]", "FLOAT[2]", [[1, 2], [3]]),
    ("FLOAT[2]", "FLOAT[]", [[1, 2], None]),
    ("STRUCT(a INTEGER)", "STRUCT(a BIGINT)", [{"a": 1}, None]),
    ("VARCHAR", "BLOB", ["a", None]),
]


@pytest.mark.parametrize(("source", "target", "values"), CASTS)
def test_values_are_cast_as_duckdb_casts_them(tmp_path: Path, source: str, target: str, values: list[Any]) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        check_cast(db, source, target, values)


def check_cast(db: lancesql.Connection, source: str, target: str, values: list[Any]) -> None:
    db.execute(f"CREATE OR REPLACE TABLE t (id INTEGER, c {source}, z VARCHAR)")
    middle = len(values) // 2
    for start, part in ((0, values[:middle]), (middle, values[middle:])):
        if part:
            rows = ", ".join(f"({start + number}, $v{number}, 'z')" for number in range(len(part)))
            db.execute(f"INSERT INTO t VALUES {rows}, (-1, NULL, NULL)", {f"v{n}": one for n, one in enumerate(part)})
    db.execute("DELETE FROM t WHERE id < 0")
    with duckdb.connect() as plain:
        plain.execute(f"CREATE TABLE t (id INTEGER, c {source})")
        for number, one in enumerate(values):
            plain.execute("INSERT INTO t VALUES (?, ?)", [number, one])
        try:
            wanted = plain.execute(f"SELECT id, CAST(c AS {target}), 'z' FROM t ORDER BY id").fetchall()
        except duckdb.Error:
            wanted = None
    before = (db.sql("SELECT * FROM t ORDER BY id").fetchall(), db.sql("SHOW VERSIONS ON t").fetchall())
    statement = f"ALTER TABLE t ALTER c TYPE {target}"
    if wanted is None:
        with pytest.raises(LanceSQLError, match=f"column 'c' cannot be {target.partition('[')[0].partition('(')[0]}"):
            db.execute(statement)
        assert (db.sql("SELECT * FROM t ORDER BY id").fetchall(), db.sql("SHOW VERSIONS ON t").fetchall()) == before
        return
    db.execute(statement)
    assert db.sql("SELECT * FROM t ORDER BY id").fetchall() == wanted
    assert len(db.sql("SHOW VERSIONS ON t").fetchall()) == len(before[1]) + 1


NUMBERS = st.one_of(st.none(), st.integers(-(2**40), 2**40), st.integers(-200, 300), st.floats(allow_nan=False))
PAIRS = st.one_of(
    st.tuples(st.just("DOUBLE"), st.sampled_from(["BIGINT", "SMALLINT", "FLOAT", "VARCHAR", "BOOLEAN"])),
    st.tuples(st.just("VARCHAR"), st.sampled_from(["BIGINT", "DOUBLE", "DATE", "BOOLEAN"])),
    st.tuples(st.just("BIGINT"), st.sampled_from(["TINYINT", "UINTEGER", "DOUBLE", "VARCHAR", "DECIMAL(9,2)"])),
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path_factory.mktemp("types") / "db") as db:
        yield db


@settings(DIFFERENTIAL, max_examples=scaled(25))
@given(pair=PAIRS, values=st.lists(NUMBERS, min_size=1, max_size=6))
def test_any_values(empty: lancesql.Connection, pair: tuple[str, str], values: list[Any]) -> None:
    source, target = pair
    if source == "BIGINT":
        values = [value if not isinstance(value, float) else None for value in values]
    if source == "VARCHAR":
        values = [None if value is None else str(value) for value in values]
    check_cast(empty, source, target, values)
