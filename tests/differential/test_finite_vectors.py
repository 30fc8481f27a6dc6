"""A vector with NaN or an infinity refuses the statement that writes it, whatever statement that is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lancesql
from lancesql import ConstraintError
from lancesql.storage.writes.finite import refuse_infinite

from .conftest import DIFFERENTIAL

BAD = "[1, 'nan'::FLOAT]::FLOAT[2]"
STATEMENTS = (
    "INSERT INTO t SELECT i, if(i = 7, [1, 'nan'::FLOAT], [i, 1])::FLOAT[2], NULL FROM range(9) r(i)",
    "INSERT INTO t VALUES (1, [1, '-inf'::FLOAT], NULL)",
    "INSERT INTO t (id, half) VALUES (1, [1, 'nan'::FLOAT])",
    f"UPDATE t SET vector = {BAD} WHERE id = 3",
    "UPDATE t SET half = ['inf'::FLOAT, 0] WHERE id = 3",
    f"MERGE INTO t USING (VALUES (3, {BAD})) s(id, v) USING (id) WHEN MATCHED THEN UPDATE SET vector = s.v",
    (
        f"MERGE INTO t USING (VALUES (99, {BAD})) s(id, v) USING (id) WHEN NOT MATCHED THEN INSERT (id, vector) "
        "VALUES (s.id, s.v)"
    ),
    f"INSERT INTO t (id, vector) VALUES (3, {BAD}) ON CONFLICT (id) DO UPDATE SET vector = excluded.vector",
    f"INSERT OR REPLACE INTO t (id, vector) VALUES (3, {BAD})",
    f"INSERT INTO t (id, vector) VALUES (99, {BAD}) RETURNING id",
    "COPY t (id, vector) FROM 'bad.csv'",
    f"CREATE OR REPLACE TABLE t AS SELECT 1 AS id, {BAD} AS vector",
    "CREATE OR REPLACE TABLE t AS SELECT 1 AS id, [1.5, 'nan'::DOUBLE] AS vector",
    f"CREATE TABLE other AS SELECT 1 AS id, {BAD} AS vector",
    f"COPY (SELECT {BAD} AS vector) TO 'out.lance'",
    f"ALTER TABLE t ADD COLUMN more FLOAT[2] DEFAULT ({BAD})",
    "ALTER TABLE t ADD COLUMN more AS if(id = 3, [1, 'nan'::FLOAT], vector::FLOAT[])::FLOAT[2]",
)


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[lancesql.Connection]:
    monkeypatch.chdir(tmp_path)
    Path("bad.csv").write_text('id,vector\n1,"[1, 2]"\n2,"[1, nan]"\n')
    with lancesql.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, vector FLOAT[2], half HALF[2])")
        db.execute("INSERT INTO t SELECT i, if(i = 2, NULL, [i, 1])::FLOAT[2], [i, 0.5] FROM range(5) r(i)")
        yield db


@pytest.mark.parametrize("sql", STATEMENTS)
def test_the_whole_statement_is_refused(db: lancesql.Connection, sql: str) -> None:
    before = db.sql("SHOW VERSIONS ON t").fetchall(), db.sql("SELECT * FROM t ORDER BY id").to_arrow(), db.tables()
    with pytest.raises(ConstraintError, match=r"number \d of column '\w+' is -?(nan|inf)") as caught:
        db.execute(sql)
    assert "SET lancesql.finite_vectors = false" in str(caught.value)
    after = db.sql("SHOW VERSIONS ON t").fetchall(), db.sql("SELECT * FROM t ORDER BY id").to_arrow(), db.tables()
    assert before == after
    assert not Path("out.lance").exists()
    db.execute("SET lancesql.finite_vectors = false")
    db.execute(sql)


def test_the_row_is_named(db: lancesql.Connection) -> None:
    with pytest.raises(ConstraintError, match=r"row 100,001 has .*number 2 of column 'vector' is nan"):
        db.execute(
            "INSERT INTO t SELECT i, if(i = 100000, [1, 'nan'::FLOAT], [i, 1])::FLOAT[2], NULL FROM range(100001) r(i)"
        )
    (row_id,) = db.sql("SELECT _rowid FROM t WHERE id = 3").fetchall()[0]
    with pytest.raises(ConstraintError, match=f"the row with _rowid {row_id} has"):
        db.execute("UPDATE t SET vector = if(id = 3, [1, 'nan'::FLOAT], vector::FLOAT[])::FLOAT[2]")


def test_what_is_stored_is_not_asked_again(db: lancesql.Connection) -> None:
    db.execute("SET lancesql.finite_vectors = false")
    db.execute(f"INSERT INTO t VALUES (7, {BAD}, NULL)")
    db.execute("RESET lancesql.finite_vectors")
    db.execute("UPDATE t SET half = [1, 1] WHERE id = 7")
    db.execute("DELETE FROM t WHERE id < 3")
    db.execute("OPTIMIZE t")
    assert math.isnan(db.sql("SELECT vector[2] FROM t WHERE id = 7").fetchall()[0][0])
    with pytest.raises(ConstraintError, match="finite_vectors"):
        db.execute("CREATE TABLE copy AS SELECT * FROM t")
    db.execute(
        "CREATE TABLE copy AS SELECT id, vector[2] AS number, 'nan'::DOUBLE AS other, ['nan'::DOUBLE] AS list FROM t"
    )


def test_lists_of_vectors(db: lancesql.Connection) -> None:
    db.execute("CREATE TABLE many AS SELECT i AS id, [[i, 1], [i, 2]]::FLOAT[2][] AS v FROM range(3) r(i)")
    db.execute("INSERT INTO many VALUES (3, NULL), (4, []), (5, [NULL])")
    with pytest.raises(ConstraintError, match=r"row 3 has .*number 2 of column 'v' is nan"):
        db.execute("INSERT INTO many VALUES (6, NULL), (7, [[1, 2]]), (8, [[1, 2], [1, 'nan'::FLOAT]])")
    assert db.sql("SELECT count(*) FROM many").fetchall() == [(6,)]


@DIFFERENTIAL
@given(
    rows=st.lists(st.none() | st.lists(st.none() | st.floats(width=16), min_size=3, max_size=3), max_size=6),
    type_=st.sampled_from([pa.float16(), pa.float32(), pa.float64()]),
    cut=st.integers(0, 3),
)
def test_numpy_agrees(rows: list[Any], type_: pa.DataType, cut: int) -> None:
    halves = [None if row is None else [None if one is None else np.float16(one) for one in row] for row in rows]
    array = pa.array(halves, pa.list_(pa.float16(), 3)).cast(pa.list_(type_, 3))[cut:]
    bad = [
        (at, number)
        for at, row in enumerate(rows[cut:])
        for number, one in enumerate(row or ())
        if one is not None and not math.isfinite(one)
    ]
    try:
        refuse_infinite(array, "v", lambda at: f"row {at}")
        found = ""
    except ConstraintError as error:
        found = error.message
    expected = f"row {bad[0][0]} has a vector that no search would find: number {bad[0][1] + 1} of" if bad else ""
    assert found.startswith(expected)
    assert bool(found) == bool(bad)
