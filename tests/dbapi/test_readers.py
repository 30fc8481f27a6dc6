"""pandas, Polars and everything that takes Arrow, over cursors and results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import lancesql
from lancesql import dbapi

QUERY = "SELECT id, title, vector, id::FLOAT / 2 AS half, DATE '2024-02-29' AS day FROM docs WHERE id >= ? ORDER BY id"


@pytest.fixture
def answer(docs: dbapi.Connection) -> pa.Table:
    return docs.native.sql(QUERY, [2]).to_arrow()


def test_pandas_reads_a_query(docs: dbapi.Connection) -> None:
    with pytest.warns(UserWarning, match="SQLAlchemy"):  # pandas says so of every connection but its own three
        frame = pd.read_sql(QUERY, docs, params=[2])
    assert frame.columns.tolist() == ["id", "title", "vector", "half", "day"]
    assert frame["id"].tolist() == [2, 3, 4]
    assert [list(vector) for vector in frame["vector"]] == [[2.0, 1.0], [3.0, 1.0], [4.0, 1.0]]
    with pytest.warns(UserWarning, match="SQLAlchemy"):
        parts = list(pd.read_sql(QUERY, docs, params=[0], chunksize=2))
    assert [len(part) for part in parts] == [2, 2, 1]


def test_polars_reads_arrow(docs: dbapi.Connection, answer: pa.Table) -> None:
    wanted = pl.DataFrame(answer)
    options: dict[str, Any] = {"execute_options": {"parameters": [2]}}
    for source in (docs, docs.cursor(), docs.cursor(stream=True)):
        frame = pl.read_database(QUERY, source, **options)
        assert frame.schema == wanted.schema == pl.Schema(
            {"id": pl.Int64, "title": pl.String, "vector": pl.Array(pl.Float32, 2), "half": pl.Float32, "day": pl.Date}
        )  # fmt: skip
        assert frame.equals(wanted)
        parts = list(pl.read_database(QUERY, source, iter_batches=True, batch_size=2, **options))
        assert [len(part) for part in parts] == [2, 1]
        assert pl.concat(parts).equals(wanted)


SCALARS = {
    "TINYINT": pl.Int8, "UTINYINT": pl.UInt8, "SMALLINT": pl.Int16, "USMALLINT": pl.UInt16, "INTEGER": pl.Int32,
    "UINTEGER": pl.UInt32, "BIGINT": pl.Int64, "UBIGINT": pl.UInt64, "FLOAT": pl.Float32, "DOUBLE": pl.Float64,
    "DECIMAL(9,2)": pl.Decimal(9, 2), "VARCHAR": pl.String, "BLOB": pl.Binary, "BOOLEAN": pl.Boolean, "DATE": pl.Date,
    "TIME": pl.Time, "TIMESTAMP": pl.Datetime("us"),
}  # fmt: skip


def test_polars_that_reads_rows_finds_the_types(docs: dbapi.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    from polars.io.database import _arrow_registry

    from lancesql.frames import registry

    monkeypatch.setattr(registry, "offer_arrow_to_polars", lambda: False)
    monkeypatch.delitem(_arrow_registry.ARROW_DRIVER_REGISTRY, "lancesql", raising=False)
    nulls = ", ".join(f'NULL::{name} AS "{name}"' for name in SCALARS)
    assert pl.read_database(f"SELECT {nulls}", docs).schema == pl.Schema(SCALARS)
    nested = "SELECT [1, 2]::FLOAT[2] AS a, [1, 2] AS l, {'x': 'y'} AS s, MAP {'a': 1} AS m"
    frame = pl.read_database(nested, docs)
    assert frame["a"].to_list() == [[1.0, 2.0]]
    assert frame["s"].to_list() == [{"x": "y"}]


@pytest.mark.parametrize("stream", [False, True])
def test_arrow_of_a_cursor(docs: dbapi.Connection, answer: pa.Table, stream: bool) -> None:
    cursor = docs.cursor(stream=stream)
    ways: list[Callable[[], Any]] = [
        cursor.fetch_arrow_table,
        cursor.to_arrow_table,
        lambda: cursor.fetch_record_batch().read_all(),
        lambda: cursor.to_arrow_reader(2).read_all(),
        lambda: cursor.fetch_arrow().read_all(),
        lambda: pa.table(cursor),
        lambda: cursor.fetch_polars().to_arrow().cast(answer.schema),
    ]
    for way in ways:
        cursor.execute(QUERY, [2])
        assert way().equals(answer)
        assert cursor.fetchall() == []
    cursor.execute(QUERY, [2])
    assert cursor.fetchone()[0] == 2  # type: ignore[index]
    assert cursor.fetch_arrow_table().equals(answer.slice(1))
    assert cursor.execute(QUERY, [2]).fetch_df()["title"].tolist() == ["title 2", "title 3", "title 4"]


TAKERS: dict[str, Callable[[Any], Any]] = {
    "pyarrow": pa.table,
    "polars": lambda result: pl.DataFrame(result).to_arrow(),
    "duckdb": lambda result: duckdb.sql("SELECT * FROM result").to_arrow_table(),
}


@pytest.mark.parametrize("taker", TAKERS)
def test_who_takes_a_result(docs: dbapi.Connection, answer: pa.Table, taker: str) -> None:
    taken = TAKERS[taker](docs.native.sql(QUERY, [2]))
    assert taken.cast(answer.schema).equals(answer)


@pytest.mark.skipif(not hasattr(pd.DataFrame, "from_arrow"), reason="pandas 3 takes Arrow by itself")
def test_pandas_takes_a_result(docs: dbapi.Connection, answer: pa.Table) -> None:
    frame = pd.DataFrame.from_arrow(docs.native.sql(QUERY, [2]))  # type: ignore[attr-defined]
    assert frame["id"].tolist() == answer["id"].to_pylist()


def test_datafusion_takes_a_result(docs: dbapi.Connection) -> None:
    datafusion = pytest.importorskip("datafusion")
    context = datafusion.SessionContext()
    context.from_arrow(docs.native.sql(QUERY, [2]), name="hits")
    assert context.sql("SELECT sum(id) AS total FROM hits").to_pydict() == {"total": [9]}


def find_values(table: pa.Table) -> list[int]:
    """Where the values of the columns lie; who takes them may leave out that none is NULL."""
    return [buffers[-1].address for column in table.columns for buffers in [column.chunk(0).buffers()] if buffers[-1]]


QUERIES = ["SELECT id, vector FROM docs", "SELECT id, id / 2 AS half, vector FROM docs ORDER BY id"]


@pytest.mark.parametrize("query", QUERIES)
def test_no_buffer_is_copied(docs: dbapi.Connection, query: str) -> None:
    result = docs.native.sql(query)
    addresses = find_values(result.to_arrow())
    assert find_values(pa.table(result)) == addresses
    assert find_values(pl.DataFrame(result).to_arrow(compat_level=pl.CompatLevel.newest())) == addresses
    cursor = docs.execute(query)
    read = cursor.fetch_arrow_table()
    cursor.scroll(0, "absolute")
    assert find_values(cursor.fetch_arrow_table()) == find_values(read)


def test_datafusion_copies_no_buffer(docs: dbapi.Connection) -> None:
    datafusion = pytest.importorskip("datafusion")
    result = docs.native.sql("SELECT id, title, vector FROM docs")
    addresses = find_values(result.to_arrow())
    taken = datafusion.SessionContext().from_arrow(result).collect()
    assert find_values(pa.Table.from_batches(taken)) == addresses


def test_the_schema_is_that_of_the_stream(docs: dbapi.Connection) -> None:
    assert pa.RecordBatchReader.from_stream(docs.native.sql(QUERY, [2])).schema == docs.native.sql(QUERY, [2]).schema


def test_a_result_says_what_it_is(docs: dbapi.Connection) -> None:
    read: lancesql.Result = docs.native.sql("SELECT id, vector FROM docs")
    assert (read.types, read.rows_changed, read.returns_rows) == (["BIGINT", "FLOAT[2]"], None, True)
    written = docs.native.sql("DELETE FROM docs WHERE id < 2")
    assert (written.rows_changed, written.returns_rows) == (2, False)
    assert docs.native.sql("SET threads = 2").returns_rows is False
