"""Columns on their way into a table: types Lance cannot store, lists that are vectors, and casts that lose nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.errors import ConversionError, UnsupportedError

from .decimals import convert_decimals

__all__ = ["RaggedVectorError", "convert_column", "convert_to_half", "copy_slice", "plan_field", "plan_type"]


class RaggedVectorError(Exception):
    """A list that was taken for a vector has another length than those before it."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def plan_field(field: pa.Field[Any]) -> pa.Field[Any]:
    """The field a new table has for a column of a query; only what makes an extension type of it is kept as metadata.

    Raises:
        UnsupportedError: When Lance has no type for it.
    """
    metadata = {key: value for key, value in (field.metadata or {}).items() if key.startswith(b"ARROW:extension")}
    return pa.field(field.name, plan_type(field.type, field.name), nullable=True, metadata=metadata or None)


def plan_type(type_: Any, column: str) -> pa.DataType:
    """The type Lance stores for a type of a query.

    Example:
        >>> plan_type(pa.list_(pa.string_view(), 2), "names")
        ListType(list<item: string>)
    """
    types = pa.types
    if types.is_null(type_):
        return pa.int32()  # as DuckDB types a column of nothing but NULL
    if types.is_string_view(type_):
        return pa.string()
    if types.is_binary_view(type_):
        return pa.binary()
    if types.is_fixed_size_list(type_):
        inner = plan_type(type_.value_type, column)
        # Upstream: Lance panics on fixed-size lists of strings, and refuses those of lists.
        return pa.list_(inner, type_.list_size) if _has_fixed_width(inner) else pa.list_(inner)
    if types.is_large_list(type_) or types.is_large_list_view(type_):
        return pa.large_list(plan_type(type_.value_type, column))
    if types.is_list(type_) or types.is_list_view(type_):
        return pa.list_(plan_type(type_.value_type, column))
    if types.is_map(type_):
        return pa.map_(plan_type(type_.key_type, column), plan_type(type_.item_type, column))
    if types.is_struct(type_) and type_.num_fields:
        fields = [type_.field(index) for index in range(type_.num_fields)]
        return pa.struct([pa.field(field.name, plan_type(field.type, column)) for field in fields])
    if types.is_run_end_encoded(type_):
        return plan_type(type_.value_type, column)
    refused = _name_unstored(type_)
    if refused is not None:
        raise UnsupportedError(
            f"column '{column}' is {refused}, which Lance cannot store",
            hint=f"cast it, for instance CAST({column} AS VARCHAR)",
        )
    stored: pa.DataType = type_
    return stored


def _name_unstored(type_: Any) -> str | None:
    """What SQL calls a type that Lance has not; None for one it has."""
    if getattr(type_, "extension_name", None) == "arrow.opaque":
        return str(type_.type_name).upper()
    if pa.types.is_interval(type_):
        return "INTERVAL"
    if pa.types.is_union(type_):
        return "UNION"
    return "STRUCT without fields" if pa.types.is_struct(type_) else None


def _has_fixed_width(type_: Any) -> bool:
    types = pa.types
    if types.is_fixed_size_list(type_):
        return _has_fixed_width(type_.value_type)
    return bool(types.is_primitive(type_) or types.is_decimal(type_) or types.is_fixed_size_binary(type_))


def convert_column(array: Any, type_: Any, column: str) -> Any:
    """The column in the type of the table. What a cast would change or cut off is refused.

    Raises:
        ConversionError: When a value does not fit; the message names the column.
    """
    if array.type == type_:
        return array
    if array.null_count == len(array):
        return pa.nulls(len(array), type_)
    types = pa.types
    if types.is_dictionary(array.type) and not types.is_dictionary(type_):
        array = array.dictionary_decode()
    if isinstance(array.type, pa.BaseExtensionType) and not isinstance(type_, pa.BaseExtensionType):
        array = array.storage
    if not _is_cast_meant(array.type, type_):
        raise _refuse(column, array.type, type_)
    if types.is_fixed_size_list(type_):
        return _convert_vectors(array, type_, column)
    try:
        array = convert_decimals(array, type_)
    except pa.ArrowInvalid as error:
        raise _refuse(column, array.type, type_, str(error)) from None
    if types.is_float16(type_) and types.is_floating(array.type):
        return convert_to_half(array.cast(pa.float64()), column)
    if types.is_struct(type_):
        _refuse_lost_fields(array.type, type_, column)
    if types.is_decimal(type_) and types.is_integer(array.type):
        array = array.cast(pa.decimal256(76, type_.scale))
    try:
        converted = array.cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _refuse(column, array.type, type_, str(error)) from None
    if types.is_floating(type_) and types.is_floating(array.type):
        _refuse_overflow(array, converted, column, type_)
    return converted


def convert_to_half(array: Any, column: str) -> Any:
    """Floating-point numbers, or vectors of them, as float16.

    Raises:
        ConversionError: When a number is beyond float16's range.
    """
    vectors = pa.types.is_fixed_size_list(array.type)
    type_ = pa.list_(pa.float16(), array.type.list_size) if vectors else pa.float16()
    converted = array.cast(type_)
    before, after = (array.flatten(), converted.flatten()) if vectors else (array, converted)
    _refuse_overflow(before, after, column, pa.float16())
    return converted


def _convert_vectors(array: Any, type_: Any, column: str) -> Any:
    size = type_.list_size
    lengths = pc.list_value_length(array).drop_null()
    wrong = lengths.filter(pc.not_equal(lengths, pa.scalar(size)))
    if len(wrong):
        raise ConversionError(
            f"column '{column}' holds vectors of {size} dimensions, and a row has {wrong[0].as_py()}",
            hint="nothing was written",
        )
    inner = array.type.value_type
    if inner != type_.value_type:
        values = convert_column(array.flatten(), type_.value_type, column)
        if array.null_count == 0:
            return pa.FixedSizeListArray.from_arrays(values, type=type_)
        dense = pa.FixedSizeListArray.from_arrays(values, type=type_)
        places = pc.cumulative_sum(array.is_valid().cast(pa.int64()))
        return dense.take(pc.if_else(array.is_valid(), pc.subtract(places, 1), pa.scalar(None, pa.int64())))
    return array.cast(type_)


def _is_cast_meant(source: Any, target: Any) -> bool:
    """Whether a cast keeps the meaning: pyarrow also casts what reads differently in SQL."""
    types = pa.types
    if types.is_null(source):
        return True
    text = types.is_string(source) or types.is_large_string(source) or types.is_string_view(source)
    number = types.is_integer(source) or types.is_floating(source) or types.is_decimal(source)
    if types.is_string(target) or types.is_large_string(target):
        exact = number and not types.is_floating(source)
        return bool(text or exact or types.is_boolean(source) or types.is_date32(source))
    if types.is_integer(target) or types.is_floating(target) or types.is_decimal(target):
        return bool(text or number or types.is_boolean(source))
    if types.is_timestamp(target):
        same_zone = types.is_timestamp(source) and (source.tz is None) == (target.tz is None)
        return bool(text or same_zone or (types.is_date(source) and target.tz is None))
    if types.is_date(target):
        return bool(text or types.is_date(source) or (types.is_timestamp(source) and source.tz is None))
    for is_kind in (types.is_time, types.is_duration, types.is_boolean):
        if is_kind(target):
            return bool(text or is_kind(source))
    within, wanted = (getattr(one, "value_type", None) for one in (source, target))
    if types.is_struct(target):
        if not types.is_struct(source):
            return False
        inner = {field.name: field.type for field in target}
        return all(_is_cast_meant(field.type, inner[field.name]) for field in source if field.name in inner)
    if types.is_map(target):
        keyed = types.is_map(source) and _is_cast_meant(source.key_type, target.key_type)
        return bool(keyed and _is_cast_meant(source.item_type, target.item_type))
    if types.is_nested(target) and not types.is_union(target):
        return within is not None and _is_cast_meant(within, wanted)
    return True


def _refuse_lost_fields(source: pa.DataType, target: pa.DataType, column: str) -> None:
    if not pa.types.is_struct(source):
        raise _refuse(column, source, target)
    known = {target.field(index).name for index in range(target.num_fields)}
    lost = [name for name in (source.field(index).name for index in range(source.num_fields)) if name not in known]
    if lost:
        raise ConversionError(
            f"column '{column}' has no field '{lost[0]}'", hint=f"its fields are {', '.join(sorted(known))}"
        )


def _refuse_overflow(before: Any, after: Any, column: str, type_: pa.DataType) -> None:
    finite = pc.is_finite(before)
    lost = pc.and_(finite, pc.is_inf(after.cast(pa.float32()) if pa.types.is_float16(after.type) else after))
    if pc.any(lost).as_py():
        value = before.filter(lost)[0].as_py()
        raise ConversionError(
            f"{value!r} is beyond the range of column '{column}', which is {type_}", hint="nothing was written"
        )


def _refuse(column: str, source: pa.DataType, target: pa.DataType, why: str = "") -> ConversionError:
    detail = f": {why.splitlines()[0]}" if why else ""
    return ConversionError(
        f"column '{column}' is {target}, and the query gives {source} that does not fit{detail}",
        hint="cast it in the query; nothing was written",
    )


def copy_slice(array: pa.Array[Any]) -> pa.Array[Any]:
    """A column as Lance takes it.

    Upstream: Lance panics on a slice of nested structs, and a search reads whatever bytes are under a NULL in a vector.
    """
    if array.offset and pa.types.is_nested(array.type):
        array = pa.concat_arrays([array, array.slice(0, 0)])
    if pa.types.is_fixed_size_list(array.type) and pa.types.is_primitive(array.type.value_type):
        array = _zero_hidden_numbers(array)
    return array


def _zero_hidden_numbers(array: Any) -> Any:
    """The vectors with zeros under the NULLs among their numbers."""
    if not array.flatten().null_count:
        return array
    values = array.values
    hidden = np.asarray(values.is_null())
    numbers = np.frombuffer(values.buffers()[1], values.type.to_pandas_dtype())[: values.offset + len(values)]
    numbers = numbers[values.offset :].copy()
    numbers[hidden] = 0
    child = pa.array(numbers, type=values.type, mask=hidden)
    return pa.FixedSizeListArray.from_arrays(child, type=array.type, mask=array.is_null())
