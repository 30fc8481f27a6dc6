"""Keys that are looked for among the rows of a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.plan.sources import ROW_ID

__all__ = ["find_key"]

_NO_ROWS = np.empty(0, np.uint64)


def find_key(
    dataset: lance.LanceDataset,
    keys: pa.Table,
    *,
    fragments: Sequence[Any] | None = None,
    without: np.ndarray[Any, np.dtype[np.uint64]] = _NO_ROWS,
) -> tuple[object, ...] | None:
    """One of these keys that a row of a table has; None when there is no such row.

    Args:
        dataset: The table.
        keys: Columns of the table.
        fragments: The fragments to look in; all of them when it is None.
        without: The ids of rows that do not count.
    """
    names = keys.column_names
    told = [name for name in names if _is_told_by_bits(keys.schema.field(name).type)]
    wanted = {name: keys.column(name).combine_chunks() for name in told}
    known: set[tuple[object, ...]] | None = None
    scanner = dataset.scanner(columns=names, with_row_id=True, fragments=None if fragments is None else list(fragments))
    for batch in scanner.to_batches():
        met = batch
        for name in told:
            met = met.filter(pc.is_in(met.column(name), value_set=wanted[name]))
        if len(without) and met.num_rows:
            met = met.filter(pa.array(~np.isin(met.column(ROW_ID).to_numpy(), without)))
        if not met.num_rows:
            continue
        if len(names) == len(told) == 1:
            return next(_list_rows(met.select(names)))
        if known is None:
            known = set(_list_rows(keys))
        found = next((row for row in _list_rows(met.select(names)) if row in known), None)
        if found is not None:
            return found
    return None


def _list_rows(rows: pa.Table | pa.RecordBatch) -> Iterator[tuple[object, ...]]:
    for row in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        yield tuple(_freeze(value) for value in row)


def _freeze(value: object) -> object:
    """What is equal when the values are: a NaN is one to DuckDB, and lists and structs have parts."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, list):
        return tuple(_freeze(one) for one in value)
    if isinstance(value, dict):
        return tuple((name, _freeze(one)) for name, one in value.items())
    return value


def _is_told_by_bits(type_: pa.DataType) -> bool:
    """Whether values of a type are equal when their bits are, and only then: zero has a sign, and lists have parts."""
    types = pa.types
    return (
        types.is_integer(type_)
        or types.is_temporal(type_)
        or types.is_decimal(type_)
        or types.is_boolean(type_)
        or types.is_string(type_)
        or types.is_large_string(type_)
        or types.is_binary(type_)
        or types.is_large_binary(type_)
    )
