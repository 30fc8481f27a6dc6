"""A relation of DuckDB's → Arrow."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from .engine_errors import explain_engine_error

__all__ = ["open_relation_reader", "read_relation_table"]


def read_relation_table(relation: duckdb.DuckDBPyRelation) -> pa.Table:
    """Runs a relation and returns all its rows."""
    try:
        table: pa.Table = relation.to_arrow_table()
    except duckdb.Error as error:
        raise explain_engine_error(error) from None
    return table


def open_relation_reader(relation: duckdb.DuckDBPyRelation, first: int | None = None) -> pa.RecordBatchReader:
    """Runs a relation as a stream; when its first rows are counted, reads them alone and leaves nothing running."""
    if first is not None:
        return read_relation_table(relation.limit(first)).rename_columns(relation.columns).to_reader()
    try:
        return pa.RecordBatchReader.from_stream(relation)
    except duckdb.Error as error:
        raise explain_engine_error(error) from None
