"""The values a search takes from other relations, as DuckDB hands them over: columns into distinct tuples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["OuterRow", "read_numbers", "read_outer_rows"]

OuterRow = tuple[object, ...]


def read_outer_rows(columns: Sequence[Any]) -> tuple[list[OuterRow], list[int], list[int]]:
    """The distinct rows of some columns, where each first stands, and for each row of the columns which of them it is.

    A list of numbers becomes a numpy array, everything else a Python value.

    Example:
        >>> read_outer_rows([pa.array([1, 2, 1]), pa.array(["a", "b", "a"])])
        ([(1, 'a'), (2, 'b')], [0, 1], [0, 1, 0])
    """
    rows = list(zip(*(read_numbers(column) for column in columns), strict=True))
    places: dict[tuple[object, ...], int] = {}
    distinct: list[OuterRow] = []
    firsts: list[int] = []
    found: list[int] = []
    for at, row in enumerate(rows):
        key = tuple(map(_make_key, row))
        place = places.get(key)
        if place is None:
            place = places[key] = len(distinct)
            distinct.append(row)
            firsts.append(at)
        found.append(place)
    return distinct, firsts, found


def read_numbers(column: Any) -> list[object]:
    """The values of a column, each list of numbers as a numpy array."""
    array: Any = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    type_ = array.type
    is_list = pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_)
    if not is_list or not (pa.types.is_integer(type_.value_type) or pa.types.is_floating(type_.value_type)):
        return list(array.to_pylist())
    numbers = array.values.to_numpy(zero_copy_only=False)
    if pa.types.is_fixed_size_list(type_):
        starts = (np.arange(len(array) + 1) + array.offset) * type_.list_size
    else:
        starts = array.offsets.to_numpy()
    valid = array.is_valid().to_pylist()
    return [numbers[starts[at] : starts[at + 1]] if is_there else None for at, is_there in enumerate(valid)]


def _make_key(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, list | dict):
        return repr(value)
    return value
