"""Arrow tables → NumPy arrays and PyTorch tensors, for code that computes with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from lancesql.errors import ArgumentError, ExecutionError, UnknownColumnError, nearest_name

if TYPE_CHECKING:
    import torch

__all__ = ["column_to_numpy", "import_torch", "pick_column", "table_to_matrix", "table_to_numpy", "table_to_torch"]

Array = np.ndarray[Any, Any]


def table_to_numpy(table: pa.Table, engine_types: Sequence[str] | None = None) -> dict[str, Array]:
    """An array for each column; see `column_to_numpy`.

    Args:
        table: The answer.
        engine_types: The SQL type of each column, when known: a HUGEINT becomes int64 when its values fit.
    """
    _refuse_repeated_names(table.column_names)
    kinds = engine_types or [""] * table.num_columns
    return {
        name: column_to_numpy(column, name, is_whole=kind == "HUGEINT")
        for name, column, kind in zip(table.column_names, table.columns, kinds, strict=True)
    }


def table_to_matrix(table: pa.Table, columns: Sequence[str], engine_types: Sequence[str] | None = None) -> Array:
    """The columns side by side as a matrix of numbers, a vector in as many columns as it has dimensions."""
    arrays = table_to_numpy(table, engine_types)
    parts = []
    for name in columns:
        array = _find_column(arrays, name)
        if array.dtype.kind not in "biuf" or array.ndim > 2:
            raise ArgumentError(f"column '{name}' is no number and no vector", hint="to_numpy() gives it by itself")
        parts.append(array.reshape(len(array), -1))
    if not parts:
        raise ArgumentError("no column is named", hint="to_numpy() gives every column by itself")
    return np.concatenate(parts, axis=1)


def pick_column(table: pa.Table, name: str, engine_types: Sequence[str] | None = None) -> Array:
    """The array of one column."""
    _refuse_repeated_names(table.column_names)
    _find_column(dict.fromkeys(table.column_names), name)
    at = table.column_names.index(name)
    return column_to_numpy(table.column(at), name, is_whole=engine_types is not None and engine_types[at] == "HUGEINT")


def column_to_numpy(column: pa.ChunkedArray[Any], name: str, *, is_whole: bool = False) -> Array:
    """The array of a column, over the same memory where that is possible, and then read-only.

    A vector is a row of a matrix. NULL among floats, or a vector that is NULL, is NaN; among dates and times it is NaT,
    among texts and everything else that is an object None. Decimals become float64, times with a zone are in UTC.

    Raises:
        ExecutionError: There is a NULL among integers or booleans, which have no value for it.
    """
    array: Any = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    while isinstance(array, pa.ExtensionArray):
        array = array.storage
    type_ = array.type
    if pa.types.is_dictionary(type_):
        array = array.dictionary_decode()
        type_ = array.type
    if pa.types.is_fixed_size_list(type_) and _is_number(_innermost(type_)):
        return _read_vectors(array, name)
    if pa.types.is_boolean(type_) or pa.types.is_integer(type_):
        _refuse_nulls(array, name)
        return _to_numpy(array)
    if pa.types.is_decimal(type_):
        return _read_decimals(array, is_whole=is_whole)
    if pa.types.is_date(type_) or pa.types.is_timestamp(type_) or pa.types.is_duration(type_):
        return _to_numpy(array)
    if pa.types.is_floating(type_):
        return _to_numpy(array)
    if (pa.types.is_list(type_) or pa.types.is_large_list(type_)) and _is_number(type_.value_type):
        lists = np.empty(len(array), object)
        for at, value in enumerate(array):
            lists[at] = None if value.values is None else column_to_numpy(pa.chunked_array([value.values]), name)
        return lists
    objects = np.empty(len(array), object)
    objects[:] = array.to_pylist()
    return objects


def table_to_torch(table: pa.Table, engine_types: Sequence[str] | None = None) -> dict[str, torch.Tensor | list[Any]]:
    """A tensor for each column of numbers, booleans or vectors; texts, times and everything else as lists.

    Raises:
        ExecutionError: PyTorch is not installed, or there is a NULL among integers or booleans.
    """
    torch = import_torch("to_torch()")
    made: dict[str, Any] = {}
    for name, array in table_to_numpy(table, engine_types).items():
        if array.dtype.kind in "biuf":
            made[name] = torch.from_numpy(array if array.flags.writeable else array.copy())
        else:
            at = table.column_names.index(name)
            made[name] = table.column(at).to_pylist()
    return made


def import_torch(wanted_by: str) -> Any:
    """PyTorch.

    Raises:
        ExecutionError: It is not installed.
    """
    try:
        import torch
    except ImportError:
        raise ExecutionError(
            f"{wanted_by} needs PyTorch, which is not installed", hint="pip install 'lancesql[torch]'"
        ) from None
    return torch


def _innermost(type_: Any) -> pa.DataType:
    while pa.types.is_fixed_size_list(type_):
        type_ = type_.value_type
    found: pa.DataType = type_
    return found


def _is_number(type_: Any) -> bool:
    return pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_boolean(type_)


def _read_vectors(array: Any, name: str) -> Array:
    shape = [len(array)]
    values, type_ = array, array.type
    missing = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    while pa.types.is_fixed_size_list(type_):
        shape.append(type_.list_size)
        start = values.offset * type_.list_size
        values = values.values.slice(start, len(values) * type_.list_size)
        type_ = type_.value_type
    if pa.types.is_floating(type_):
        numbers = _to_numpy(values).reshape(shape)
        if missing is not None:
            numbers = numbers.copy()
            numbers[missing] = np.nan
        return numbers
    _refuse_nulls(array, name)
    _refuse_nulls(values, name)
    return _to_numpy(values).reshape(shape)


def _read_decimals(array: Any, *, is_whole: bool) -> Array:
    if is_whole and not array.null_count:
        try:
            return _to_numpy(array.cast(pa.int64()))
        except pa.ArrowInvalid:
            pass
    return np.array([np.nan if value is None else float(value) for value in array.to_pylist()], np.float64)


def _to_numpy(array: Any) -> Array:
    found: Array = array.to_numpy(zero_copy_only=False)
    return found


def _refuse_nulls(array: Any, name: str) -> None:
    if array.null_count:
        raise ExecutionError(
            f"column '{name}' is {array.type} and has {array.null_count} NULL, for which such an array has no value",
            hint=f"leave them out (WHERE {name} IS NOT NULL), or write coalesce({name}, …) or CAST({name} AS DOUBLE)",
        )


def _find_column(columns: dict[str, Any], name: str) -> Any:
    if name not in columns:
        near = nearest_name(name, list(columns))
        listed = f"columns: {', '.join(columns)}"
        raise UnknownColumnError(
            f"the answer has no column '{name}'", hint=f"did you mean '{near}'? {listed}" if near else listed
        )
    return columns[name]


def _refuse_repeated_names(names: Sequence[str]) -> None:
    repeated = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if repeated is not None:
        raise ExecutionError(
            f"the answer has two columns named '{repeated}'", hint="give each its own name (AS in SQL)"
        )
