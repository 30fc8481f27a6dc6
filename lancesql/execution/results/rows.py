"""Arrow columns → Python values, equal to the ones DuckDB's own `fetchall` gives.

A column comes from DuckDB or straight from Lance; its values must not tell which. Arrow's types say nearly everything.
Where several SQL types share one Arrow type (HUGEINT and DECIMAL(38,0), UUID and VARCHAR, BIT and BLOB), the engine's
own type names decide.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, cast

import pyarrow as pa

from .engine_types import EngineType, parse_engine_type
from .moments import (
    read_dates,
    read_durations,
    read_intervals,
    read_times,
    read_timestamps,
    read_zoned_time,
)

__all__ = ["column_to_values", "table_to_rows"]

_TELLING = ("HUGEINT", "UUID", "BIT", "BIGNUM", "VARINT", "TUPLE")
_MASK_128 = (1 << 128) - 1


def table_to_rows(table: pa.Table, engine_types: Sequence[str] | None = None) -> list[tuple[Any, ...]]:
    """Every row as a tuple of Python values.

    Args:
        table: The answer.
        engine_types: The SQL type of each column as DuckDB spells it; None when DuckDB did not make the answer.

    Example:
        >>> table_to_rows(pa.table({"id": [1], "v": pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))}))
        [(1, (1.0, 2.0))]
    """
    if table.num_columns == 0:
        return [()] * table.num_rows
    kinds = engine_types if engine_types is not None else [None] * table.num_columns
    columns = [column_to_values(column, kind) for column, kind in zip(table.columns, kinds, strict=True)]
    return list(zip(*columns, strict=True))


def column_to_values(column: pa.ChunkedArray[Any], engine_type: str | None = None) -> list[Any]:
    """The values of one column, in order."""
    kind = None
    if engine_type is not None and any(name in engine_type for name in _TELLING):
        kind = parse_engine_type(engine_type)
    if column.num_chunks == 1:
        return _read_values(cast("pa.Array[Any]", column.chunk(0)), kind)
    return [value for chunk in column.chunks for value in _read_values(chunk, kind)]


def _read_values(array: pa.Array[Any], kind: EngineType | None) -> list[Any]:
    if kind is not None and kind.name in _BY_ENGINE and not isinstance(array, pa.ExtensionArray):
        return _BY_ENGINE[kind.name](array)
    reader = _READERS.get(array.type.id)
    if reader is not None:
        return reader(array)
    nested = _NESTED.get(array.type.id)
    return cast("list[Any]", array.to_pylist()) if nested is None else nested(array, kind)


def _put_nulls(array: pa.Array[Any], values: list[Any]) -> list[Any]:
    if array.null_count:
        for index in array.is_null().to_numpy(zero_copy_only=False).nonzero()[0].tolist():
            values[index] = None
    return values


def _read_numbers(array: pa.Array[Any]) -> list[Any]:
    # numpy's tolist is several times faster than Arrow's, and a vector column is millions of numbers.
    filled = array.fill_null(0) if array.null_count else array
    return _put_nulls(array, filled.to_numpy(zero_copy_only=False).tolist())


def _read_strings(array: pa.Array[Any]) -> list[Any]:
    return cast("list[Any]", array.to_numpy(zero_copy_only=False).tolist())


def _read_list(array: Any, kind: EngineType | None) -> list[Any]:
    offsets = array.offsets.to_numpy().tolist()
    first = offsets[0] if offsets else 0
    values = _read_values(array.values.slice(first, (offsets[-1] if offsets else 0) - first), _child(kind, 0))
    lists = [values[offsets[i] - first : offsets[i + 1] - first] for i in range(len(array))]
    return _put_nulls(array, lists)


def _read_list_view(array: Any, kind: EngineType | None) -> list[Any]:
    values = _read_values(array.values, _child(kind, 0))
    places = zip(array.offsets.to_pylist(), array.sizes.to_pylist(), strict=True)
    return _put_nulls(array, [values[start : start + size] for start, size in places])


def _read_fixed_list(array: Any, kind: EngineType | None) -> list[Any]:
    width = array.type.list_size
    values = _read_values(array.values.slice(array.offset * width, len(array) * width), _child(kind, 0))
    return _put_nulls(array, [tuple(values[at : at + width]) for at in range(0, len(array) * width, width or 1)])


def _read_struct(array: Any, kind: EngineType | None) -> list[Any]:
    names = [array.type.field(i).name for i in range(array.type.num_fields)]
    if not names:
        empty: list[Any] = [() if kind is not None and kind.name == "TUPLE" else {} for _ in range(len(array))]
        return _put_nulls(array, empty)
    columns = [_read_values(array.field(i), _child(kind, i)) for i in range(len(names))]
    rows = zip(*columns, strict=True)
    unnamed = not any(names) or (kind is not None and kind.name == "TUPLE")
    return _put_nulls(array, list(rows) if unnamed else [dict(zip(names, row, strict=True)) for row in rows])


def _read_map(array: Any, kind: EngineType | None) -> list[Any]:
    offsets = array.offsets.to_numpy().tolist()
    keys = _read_values(array.keys, _child(kind, 0))
    items = _read_values(array.items, _child(kind, 1))
    maps: list[Any] = []
    for i in range(len(array)):
        start, end = offsets[i], offsets[i + 1]
        if pa.types.is_nested(array.type.key_type):  # such keys cannot be hashed
            maps.append({"key": keys[start:end], "value": items[start:end]})
        else:
            maps.append(dict(zip(keys[start:end], items[start:end], strict=True)))
    return _put_nulls(array, maps)


def _read_union(array: Any, kind: EngineType | None) -> list[Any]:
    places = {code: index for index, code in enumerate(array.type.type_codes)}
    members = [_read_values(array.field(i), _child(kind, i)) for i in range(array.type.num_fields)]
    dense = array.type.mode == "dense"
    offsets = array.offsets.to_pylist() if dense else range(len(array))
    codes = array.type_codes.to_pylist()
    return [members[places[code]][offset] for code, offset in zip(codes, offsets, strict=True)]


def _read_dictionary(array: Any, kind: EngineType | None) -> list[Any]:
    words = _read_values(array.dictionary, kind)
    return [None if index is None else words[index] for index in _read_numbers(array.indices)]


def _read_run_ends(array: Any, kind: EngineType | None) -> list[Any]:
    import pyarrow.compute as pc

    return _read_values(pc.call_function("run_end_decode", [array]), kind)


def _read_extension(array: Any, kind: EngineType | None) -> list[Any]:
    storage = array.storage
    name = array.type.extension_name
    if name == "arrow.uuid":
        return [None if value is None else uuid.UUID(bytes=value) for value in storage.to_pylist()]
    if name == "arrow.bool8":
        return [None if value is None else value != 0 for value in storage.to_pylist()]
    if name == "arrow.opaque" and array.type.vendor_name == "DuckDB":
        reader = _OPAQUE.get(array.type.type_name)
        if reader is not None:
            return [None if value is None else reader(value) for value in storage.to_pylist()]
    return _read_values(storage, kind)


def _child(kind: EngineType | None, index: int) -> EngineType | None:
    return kind.children[index] if kind is not None and index < len(kind.children) else None


def _read_hugeints(array: pa.Array[Any]) -> list[Any]:
    try:
        return _read_numbers(array.cast(pa.int64()))
    except pa.ArrowInvalid:
        return [None if value is None else int(value) for value in array.to_pylist()]


def _read_unsigned_hugeints(array: pa.Array[Any]) -> list[Any]:
    # DuckDB exports all 128 bits as a signed decimal: the upper half of the range arrives negative.
    return [None if value is None else int(value) & _MASK_128 for value in array.to_pylist()]


def _read_uuids(array: pa.Array[Any]) -> list[Any]:
    return [None if value is None else uuid.UUID(value) for value in array.to_pylist()]


def _read_bits(array: pa.Array[Any]) -> list[Any]:
    return [None if value is None else _decode_bits(value) for value in array.to_pylist()]


def _decode_bits(value: bytes) -> str:
    # The first byte counts the padding bits at the front of the second.
    return "".join(f"{byte:08b}" for byte in value[1:])[value[0] :]


def _decode_bignum(value: bytes) -> str:
    # Three bytes of sign and length, then the magnitude; every bit of a negative number is inverted.
    if value[0] & 0x80:
        return str(_BigDecimal(int.from_bytes(value[3:], "big")))
    return f"-{_BigDecimal(int.from_bytes(bytes(byte ^ 0xFF for byte in value[3:]), 'big'))}"


class _BigDecimal:
    """Prints an integer of any length: Python refuses more than 4300 digits at once."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __str__(self) -> str:
        parts: list[str] = []
        number = self.number
        base = 10**4000
        while number >= base:
            number, rest = divmod(number, base)
            parts.append(f"{rest:04000d}")
        return "".join([str(number), *reversed(parts)])


_BY_ENGINE: dict[str, Callable[[pa.Array[Any]], list[Any]]] = {
    "HUGEINT": _read_hugeints,
    "UHUGEINT": _read_unsigned_hugeints,
    "UUID": _read_uuids,
    "BIT": _read_bits,
}

_OPAQUE: dict[str, Callable[[bytes], Any]] = {
    "hugeint": lambda value: int.from_bytes(value, "little", signed=True),
    "uhugeint": lambda value: int.from_bytes(value, "little"),
    "bit": _decode_bits,
    "bignum": _decode_bignum,
    "varint": _decode_bignum,
    "time_tz": read_zoned_time,
}

_LIB: Any = pa.lib

_READERS: dict[int, Callable[[Any], list[Any]]] = {
    **{
        getattr(_LIB, f"Type_{name}"): _read_numbers
        for name in ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")
    },
    **{getattr(_LIB, f"Type_{name}"): _read_numbers for name in ("HALF_FLOAT", "FLOAT", "DOUBLE")},
    **{getattr(_LIB, f"Type_{name}"): _read_strings for name in ("STRING", "LARGE_STRING", "BINARY", "LARGE_BINARY")},
    _LIB.Type_DATE32: read_dates,
    _LIB.Type_DATE64: read_dates,
    _LIB.Type_TIME32: read_times,
    _LIB.Type_TIME64: read_times,
    _LIB.Type_TIMESTAMP: read_timestamps,
    _LIB.Type_DURATION: read_durations,
    _LIB.Type_INTERVAL_MONTH_DAY_NANO: read_intervals,
}

_NESTED: dict[int, Callable[[Any, EngineType | None], list[Any]]] = {
    _LIB.Type_LIST: _read_list,
    _LIB.Type_LARGE_LIST: _read_list,
    _LIB.Type_LIST_VIEW: _read_list_view,
    _LIB.Type_LARGE_LIST_VIEW: _read_list_view,
    _LIB.Type_FIXED_SIZE_LIST: _read_fixed_list,
    _LIB.Type_STRUCT: _read_struct,
    _LIB.Type_MAP: _read_map,
    _LIB.Type_SPARSE_UNION: _read_union,
    _LIB.Type_DENSE_UNION: _read_union,
    _LIB.Type_DICTIONARY: _read_dictionary,
    pa.uuid().id: _read_extension,
    _LIB.Type_RUN_END_ENCODED: _read_run_ends,
}
