"""The literals of a serialised Polars expression → values, for a column of one Arrow type."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["UnprovedError", "read_items", "read_literal"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICROS = {"Milliseconds": 1000, "Microseconds": 1, "Nanoseconds": 0}
_UNITS = {"s": "Milliseconds", "ms": "Milliseconds", "us": "Microseconds", "ns": "Nanoseconds"}
_INTEGERS = frozenset({"Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"})
_MOST_ITEMS = 1 << 21
"""So many bytes of a list are read; a longer one is left to Polars."""


class UnprovedError(Exception):
    """The expression is outside what is proved equal: Polars evaluates it."""


def read_literal(node: Any, type_: Any) -> object:
    """The value of a literal that is compared with a column of an Arrow type; None for a null.

    Polars has made the two of one type before; a literal of another type is declined.

    Raises:
        UnprovedError: When the value cannot be bound without a change.
    """
    scalar = node.get("Literal", {}).get("Scalar") if isinstance(node, dict) else None
    if not isinstance(scalar, dict) or len(scalar) != 1:
        raise UnprovedError
    ((kind, value),) = scalar.items()
    if kind == "Null":
        return None
    reader = _READERS.get(kind)
    if value is None or reader is None:  # JSON has no NaN and no infinity: they come as null
        raise UnprovedError
    try:
        return reader(kind, value, type_)
    except (ValueError, OverflowError, ArithmeticError, TypeError):
        raise UnprovedError from None


def read_items(node: Any, type_: Any) -> list[object]:
    """The values of a literal that is a list: Polars writes it as an Arrow stream."""
    import polars as pl

    if isinstance(node, dict) and "Alias" in node:
        node = node["Alias"][0]
    try:
        raw = node["Literal"]["Scalar"]["List"]
    except (KeyError, TypeError):
        raise UnprovedError from None
    if not isinstance(raw, list) or len(raw) > _MOST_ITEMS:
        raise UnprovedError
    series = pl.read_ipc_stream(bytes(raw)).to_series()
    if not _holds(series.dtype, type_):
        raise UnprovedError
    items = series.to_list()
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        if any(isinstance(item, float) and not np.isfinite(item) for item in items):
            raise UnprovedError
        if pa.types.is_decimal(type_) and getattr(series.dtype, "scale", 0) > type_.scale:
            raise UnprovedError
    if pa.types.is_timestamp(type_) and type_.tz is not None:
        items = [None if item is None else item.astimezone(UTC) for item in items]
    return items


def _holds(dtype: Any, type_: Any) -> bool:
    import polars as pl

    if pa.types.is_timestamp(type_):
        return bool(dtype == pl.Datetime) and type_.unit != "ns" and type_.tz == dtype.time_zone
    if pa.types.is_decimal(type_):
        return bool(dtype == pl.Decimal)
    return bool(dtype == _SERIES_TYPES(type_))


def _SERIES_TYPES(type_: Any) -> Any:  # noqa: N802
    import polars as pl

    if pa.types.is_integer(type_) or type_ in (pa.float32(), pa.float64()):
        return pl.from_arrow(pa.array([], type_)).dtype  # type: ignore[union-attr]
    if pa.types.is_boolean(type_):
        return pl.Boolean
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return pl.String
    return pl.Date if pa.types.is_date32(type_) else None


def _require(holds: bool) -> None:
    if not holds:
        raise UnprovedError


def _read_integer(kind: str, value: Any, type_: Any) -> object:
    _require(type_ == getattr(pa, kind.lower())() and type(value) is int)
    return value


def _read_float(kind: str, value: Any, type_: Any) -> object:
    _require(pa.types.is_floating(type_) and kind == f"Float{type_.bit_width}")
    if kind == "Float16":  # written by its bits
        _require(type(value) is int)
        number = float(np.uint16(value).view(np.float16))
    else:
        number = float(np.float32(value)) if kind == "Float32" else float(value)
    _require(bool(np.isfinite(number)))
    return number


def _read_text(_: str, value: Any, type_: Any) -> object:
    _require(pa.types.is_string(type_) or pa.types.is_large_string(type_))
    return str(value)


def _read_flag(_: str, value: Any, type_: Any) -> object:
    _require(pa.types.is_boolean(type_) and isinstance(value, bool))
    return value


def _read_bytes(_: str, value: Any, type_: Any) -> object:
    _require(pa.types.is_binary(type_) or pa.types.is_large_binary(type_))
    return bytes(value)


def _read_date(_: str, value: Any, type_: Any) -> object:
    _require(pa.types.is_date32(type_))
    return date.fromordinal(_EPOCH_DAY + value)


def _read_datetime(_: str, value: Any, type_: Any) -> object:
    number, unit, zone = value
    _require(pa.types.is_timestamp(type_) and _UNITS[type_.unit] == unit)
    _require((None if zone is None else zone["inner"]) == type_.tz)  # Polars refuses to compare two zones
    if unit == "Nanoseconds":
        _require(number % 1000 == 0 and zone is None)
        micros = number // 1000
    else:
        micros = number * _MICROS[unit]
    moment = _EPOCH + timedelta(microseconds=micros)
    return moment if zone is not None else moment.replace(tzinfo=None)


def _read_time(_: str, value: Any, type_: Any) -> object:
    _require(pa.types.is_time(type_) and value % 1000 == 0)
    seconds, micros = divmod(value // 1000, 10**6)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, micros)


def _read_decimal(_: str, value: Any, type_: Any) -> object:
    digits, _precision, scale = value
    _require(pa.types.is_decimal(type_) and scale <= type_.scale)
    return Decimal(int(digits)).scaleb(-scale)


_READERS: dict[str, Any] = {
    **dict.fromkeys(_INTEGERS, _read_integer),
    **dict.fromkeys(("Float16", "Float32", "Float64"), _read_float),
    "String": _read_text,
    "Boolean": _read_flag,
    "Binary": _read_bytes,
    "Date": _read_date,
    "Datetime": _read_datetime,
    "Time": _read_time,
    "Decimal": _read_decimal,
}
