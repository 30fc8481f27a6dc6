"""Arrow tables as plain rows that compare: one NaN, moments as nanoseconds, every text and binary type alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

Row = tuple[Any, ...]
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def read_rows(table: pa.Table) -> list[Row]:
    """The rows in their order, each value in a form that can be compared and hashed."""
    columns = [list(_read_column(column)) for column in table.columns]
    return list(zip(*columns, strict=True)) if columns else [()] * table.num_rows


def count_rows(table: pa.Table) -> Counter[Row]:
    """The rows as a multiset."""
    return Counter(read_rows(table))


def _read_column(column: pa.ChunkedArray) -> Iterator[Any]:
    type_ = column.type
    if isinstance(type_, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], type_.storage_type)
        type_ = column.type
    if pa.types.is_timestamp(type_) or pa.types.is_duration(type_) or pa.types.is_time(type_):
        factor = _NANOSECONDS[type_.unit]
        whole = column.cast(pa.int32()).cast(pa.int64()) if pa.types.is_time32(type_) else column.cast(pa.int64())
        return (None if value is None else value * factor for value in whole.to_pylist())
    if pa.types.is_date64(type_):
        column = column.cast(pa.date32())
    return map(_freeze, column.to_pylist())


def _freeze(value: Any) -> Any:
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value
    if isinstance(value, dict):
        return tuple((name, _freeze(one)) for name, one in value.items())
    if isinstance(value, pa.MonthDayNano):
        assert value.months == 0
        return value.days * 86_400 * 10**9 + value.nanoseconds
    if isinstance(value, list | tuple):
        return tuple(map(_freeze, value))
    return value


def run_oracle(connection: Any, sql: str) -> pa.Table:
    """What DuckDB answers to any statement; DuckDB 1 has no relation for one that changes rows."""
    relation = connection.sql(sql) if hasattr(connection, "to_arrow_table") else None
    table: pa.Table = connection.execute(sql).fetch_arrow_table() if relation is None else relation.to_arrow_table()
    return table
