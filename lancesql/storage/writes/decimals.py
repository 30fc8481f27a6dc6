"""Decimals on their way into columns of floating-point numbers: the number nearest to each, as DuckDB has it.

Upstream: Arrow multiplies by a power of ten that is no exact number, and makes 1.2000000000000002 of 1.2.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

__all__ = ["float_decimals"]


def float_decimals(array: Any, type_: Any) -> Any:
    """The column with floating-point numbers for decimals, also within lists and structs, where its new type has them.

    Args:
        array: The column.
        type_: The type it is going to have.

    Example:
        >>> from decimal import Decimal
        >>> float_decimals(pa.array([Decimal("1.2"), None]), pa.float64()).to_pylist()
        [1.2, None]
    """
    types = pa.types
    source: Any = array.type
    if types.is_decimal(source):
        wanted = pa.float64() if types.is_float16(type_) else type_
        return array.cast(pa.string()).cast(wanted) if types.is_floating(type_) else array
    if not _is_nested(source) or not _is_nested(type_) or not _holds_decimal(source):
        return array
    if types.is_list_view(source) or types.is_large_list_view(source):
        array = array.cast((pa.list_ if types.is_list_view(source) else pa.large_list)(source.value_type))
    array = pa.concat_arrays([array, array.slice(0, 0)]) if array.offset else array
    if types.is_struct(source) and types.is_struct(type_):
        wanted = {type_.field(index).name: type_.field(index).type for index in range(type_.num_fields)}
        fields = [source.field(index) for index in range(source.num_fields)]
        made = [float_decimals(array.field(at), wanted.get(one.name, one.type)) for at, one in enumerate(fields)]
        named = [field.with_type(one.type) for field, one in zip(fields, made, strict=True)]
        return pa.StructArray.from_arrays(made, fields=named, mask=array.is_null())
    if types.is_map(source) and types.is_map(type_):
        keys, items = float_decimals(array.keys, type_.key_type), float_decimals(array.items, type_.item_type)
        return pa.MapArray.from_arrays(array.offsets, keys, items, mask=array.is_null())
    if types.is_struct(type_) or types.is_map(type_) or types.is_struct(source) or types.is_map(source):
        return array
    values = float_decimals(array.values, type_.value_type)
    if types.is_fixed_size_list(source):
        return pa.FixedSizeListArray.from_arrays(values, source.list_size, mask=array.is_null())
    kind: Any = pa.LargeListArray if types.is_large_list(array.type) else pa.ListArray
    return kind.from_arrays(array.offsets, values, mask=array.is_null())


def _is_nested(type_: Any) -> bool:
    return bool(pa.types.is_nested(type_))


def _holds_decimal(type_: Any) -> bool:
    if not _is_nested(type_):
        return bool(pa.types.is_decimal(type_))
    return any(_holds_decimal(type_.field(index).type) for index in range(type_.num_fields))
