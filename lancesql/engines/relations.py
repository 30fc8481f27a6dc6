"""A relation of DuckDB's → Arrow."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from .engine_errors import explain_engine_error

__all__ = ["open_relation_reader", "read_relation_table"]

_STREAM_ROWS = 16_384


def read_relation_table(relation: duckdb.DuckDBPyRelation) -> pa.Table:
    """Runs a relation and returns all its rows."""
    try:
        table: pa.Table = relation.to_arrow_table()
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise explain_engine_error(error) from None
    return table


def open_relation_reader(relation: duckdb.DuckDBPyRelation, first: int | None = None) -> pa.RecordBatchReader:
    """Runs a relation as a stream; when its first rows are counted, reads them alone and leaves nothing running.

    Upstream: as a stream of Arrow's own protocol, DuckDB 1 holds the whole answer before its first batch.
    """
    if first is not None:
        return read_relation_table(relation.limit(first)).rename_columns(relation.columns).to_reader()
    try:
        opened: Any = relation
        open_reader = getattr(opened, "to_arrow_reader", None) or opened.fetch_arrow_reader
        reader: pa.RecordBatchReader = open_reader(_STREAM_ROWS)
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise explain_engine_error(error) from None
    return reader
