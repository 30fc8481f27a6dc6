"""Decimals on their way into columns of floating-point numbers, and back: the nearest number, as DuckDB has it.

Upstream: Arrow multiplies by a power of ten that is no exact number, and makes 1.2000000000000002 of 1.2; and it
rounds what lies in the middle to the even digit, DuckDB away from zero.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["convert_decimals"]


def convert_decimals(array: Any, type_: Any) -> Any:
    """The column with floating-point numbers for decimals, or decimals for those, where its new type has them.

    Also within lists and structs.

    Args:
        array: The column.
        type_: The type it is going to have.

    Raises:
        pyarrow.ArrowInvalid: When a number has more digits than its decimal.

    Example:
        >>> from decimal import Decimal
        >>> convert_decimals(pa.array([Decimal("1.2"), None]), pa.float64()).to_pylist()
        [1.2, None]
    """
    types = pa.types
    source: Any = array.type
    if types.is_decimal(source):
        wanted = pa.float64() if types.is_float16(type_) else type_
        return array.cast(pa.string()).cast(wanted) if types.is_floating(type_) else array
    if types.is_floating(source):
        return _round(array, type_) if types.is_decimal(type_) else array
    if not _is_nested(source) or not _is_nested(type_) or not (_holds_decimal(source) or _holds_decimal(type_)):
        return array
    if types.is_list_view(source) or types.is_large_list_view(source):
        array = array.cast((pa.list_ if types.is_list_view(source) else pa.large_list)(source.value_type))
    array = pa.concat_arrays([array, array.slice(0, 0)]) if array.offset else array
    if types.is_struct(source) and types.is_struct(type_):
        wanted = {type_.field(index).name: type_.field(index).type for index in range(type_.num_fields)}
        fields = [source.field(index) for index in range(source.num_fields)]
        made = [convert_decimals(array.field(at), wanted.get(one.name, one.type)) for at, one in enumerate(fields)]
        named = [field.with_type(one.type) for field, one in zip(fields, made, strict=True)]
        return pa.StructArray.from_arrays(made, fields=named, mask=array.is_null())
    if types.is_map(source) and types.is_map(type_):
        keys, items = convert_decimals(array.keys, type_.key_type), convert_decimals(array.items, type_.item_type)
        return pa.MapArray.from_arrays(array.offsets, keys, items, mask=array.is_null())
    if types.is_struct(type_) or types.is_map(type_) or types.is_struct(source) or types.is_map(source):
        return array
    values = convert_decimals(array.values, type_.value_type)
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


def _round(array: Any, type_: Any) -> Any:
    """The decimals, rounded."""
    numbers = array.cast(pa.float64()).fill_null(0).to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.abs(numbers) * 10.0**type_.scale
        whole = np.trunc(scaled)
        whole += scaled - whole >= 0.5
        wide = ~(whole < 10.0**type_.precision)
    if wide.any():
        raise pa.ArrowInvalid(f"{numbers[wide][0]} has more digits than {type_}")
    whole = np.copysign(whole, numbers)
    if pa.types.is_decimal128(type_) and (np.abs(whole) < 1 << 62).all():
        words = np.empty((len(whole), 2), np.int64)  # the low one, and the high one that has the sign
        words[:, 0] = whole
        words[:, 1] = words[:, 0] >> 63
        made: Any = pa.Array.from_buffers(type_, len(whole), [None, pa.py_buffer(words.tobytes())])
    else:
        context = Context(prec=80)
        made = pa.array([Decimal(int(one)).scaleb(-type_.scale, context) for one in whole], type_)
    return pc.if_else(array.is_valid(), made, pa.scalar(None, type_)) if array.null_count else made
