"""What a search for each row leaves behind, and how it fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import lancesql
from lancesql.errors import ArgumentError, UnknownTableError

SQL = "SELECT a.id, b.id AS near FROM docs a, LATERAL vector_search('docs', a.v, k => 2) b WHERE b.id <> a.id"


@pytest.fixture
def own() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def db(tmp_path: Path, own: duckdb.DuckDBPyConnection) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path, duckdb=own) as db:
        db.execute("CREATE TABLE docs AS SELECT i AS id, [i, i * i % 7]::FLOAT[2] AS v FROM range(3000) r(i)")
        yield db


def count_functions(own: duckdb.DuckDBPyConnection) -> int:
    row = own.execute("SELECT count(*) FROM duckdb_functions() WHERE function_name LIKE '%lancesql%'").fetchone()
    assert row is not None
    return int(row[0])


def test_nothing_is_left_in_the_users_connection(db: lancesql.Connection, own: duckdb.DuckDBPyConnection) -> None:
    assert db.sql(SQL).to_arrow().num_rows == 6000
    assert len(db.sql(f"{SQL} LIMIT 5").fetchall()) == 5
    assert "near" in repr(db.sql(SQL))
    assert count_functions(own) == 0


def test_a_stream_holds_the_function_until_its_end(db: lancesql.Connection, own: duckdb.DuckDBPyConnection) -> None:
    reader = db.sql(SQL).to_reader()
    assert reader.read_all().num_rows == 6000
    del reader
    stopped = db.sql(SQL).to_reader()
    assert stopped.read_next_batch().num_rows > 0
    stopped.close()
    del stopped
    assert db.sql(f"{SQL} AND a.id < 10").to_arrow().num_rows == 20
    assert count_functions(own) == 0


def test_within_a_transaction(db: lancesql.Connection, own: duckdb.DuckDBPyConnection) -> None:
    own.execute("BEGIN")
    own.execute("CREATE TABLE mine AS SELECT 7 AS id, [7, 0]::FLOAT[2] AS v")
    sql = "SELECT b.id FROM mine m, LATERAL vector_search('docs', m.v, k => 1) b WHERE b.id > m.id + 1"
    assert db.sql(sql).fetchall() == [(10,)]
    own.execute("ROLLBACK")
    assert db.sql(f"{SQL} AND a.id = 5").to_arrow().num_rows == 2
    assert count_functions(own) == 0


def test_an_error_in_a_batch_keeps_its_kind_and_place(db: lancesql.Connection, own: duckdb.DuckDBPyConnection) -> None:
    own.execute("CREATE TABLE bad AS SELECT * FROM (VALUES (1, [1.0, 2.0]), (2, [1.0])) t(id, v)")
    with pytest.raises(ArgumentError, match="has 1 dimensions, column 'v' has 2") as caught:
        db.sql("SELECT b.id FROM bad q, LATERAL vector_search('docs', q.v) b").to_arrow()
    assert "q.v" in str(caught.value)
    own.execute("CREATE OR REPLACE TABLE bad AS SELECT 1 AS id, [1.0, 'NaN'::DOUBLE] AS v")
    with pytest.raises(ArgumentError, match="holds NaN"):
        db.sql("SELECT b.id FROM bad q, LATERAL vector_search('docs', q.v) b").to_arrow()
    assert count_functions(own) == 0


def test_a_temporary_table_is_out_of_reach_of_a_predicate_for_each_row(
    db: lancesql.Connection, own: duckdb.DuckDBPyConnection
) -> None:
    own.execute("CREATE TEMP TABLE seen AS SELECT i AS id, i % 5 AS u FROM range(20) r(i)")
    predicate = "b.id NOT IN (SELECT s.id FROM seen s WHERE s.u = a.id)"
    with pytest.raises(UnknownTableError, match="for each row") as caught:
        db.sql(f"{SQL} AND a.id < 8 AND {predicate}").to_arrow()
    assert "without TEMP" in str(caught.value)
    assert db.sql(f"{SQL} AND a.id < 8 AND b.id IN (SELECT s.id FROM seen s)").to_arrow().num_rows == 16
    own.execute("CREATE TABLE kept AS SELECT * FROM seen")
    assert db.sql(f"{SQL} AND a.id < 8 AND {predicate.replace('seen', 'kept')}").to_arrow().num_rows == 16


def test_types_come_back_as_lance_stores_them(db: lancesql.Connection) -> None:
    halves = pa.table({"n": [1, 2], "half": pa.array([[0.5, 1.5], [2.5, 3.5]], pa.list_(pa.float16(), 2))})
    assert halves.num_rows == 2
    db.execute("CREATE TABLE halves WITH (float16 = 'half') AS SELECT n, half::FLOAT[2] AS half FROM "
               "(VALUES (1, [0.5, 1.5]), (2, [2.5, 3.5])) t(n, half)")  # fmt: skip
    answer = db.sql(
        "SELECT a.n, b.half FROM halves a, vector_search('halves', a.half, k => 1) b ORDER BY a.n"
    ).to_arrow()
    assert answer.schema.field("half").type == halves.schema.field("half").type
    assert answer.column("half").to_pylist() == halves.column("half").to_pylist()
