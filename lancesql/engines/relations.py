"""A relation of DuckDB's → Arrow."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pyarrow as pa

from lancesql.errors import UnsupportedError

from .engine_errors import explain_engine_error

__all__ = ["find_unstored", "open_relation_reader", "read_relation_table", "refuse_unstored"]

_STREAM_ROWS = 16_384
_QUOTED = re.compile("'(?:[^']|'')*'" + r'|"(?:[^"]|"")*"')
_UNSTORED = re.compile(r"(?<!\w)(BIT|TIME WITH TIME ZONE)(?!\w)")


def find_unstored(type_: str) -> str | None:
    """The part of a type whose values Arrow gives as others: bits as bytes, times without their zone.

    Example:
        >>> find_unstored("STRUCT(a BIT[], b VARCHAR)")
        'BIT'
    """
    found = _UNSTORED.search(_QUOTED.sub("", type_))
    return None if found is None else found.group(1)


def refuse_unstored(relation: duckdb.DuckDBPyRelation) -> None:
    """Raises for rows that would be stored as something else."""
    for name, type_ in zip(relation.columns, relation.types, strict=True):
        found = find_unstored(str(type_))
        if found is not None:
            what = "a value" if name.startswith("__lancesql") else f"column '{name}'"
            raise UnsupportedError(f"{what} is {found}, which Lance cannot store", hint="cast it to VARCHAR")


def read_relation_table(relation: duckdb.DuckDBPyRelation) -> pa.Table:
    """Runs a relation and returns all its rows."""
    try:
        table: pa.Table = relation.to_arrow_table()
    except duckdb.Error as error:
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
    except duckdb.Error as error:
        raise explain_engine_error(error) from None
    return reader
