"""Values as SQL text."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa


def write_literal(value: Any) -> str:
    """The SQL text of a value, as a person would write it."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case float():
            return repr(value) if math.isfinite(value) else f"'{value}'::DOUBLE"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case bytes():
            return "'" + "".join(f"\\x{byte:02X}" for byte in value) + "'::BLOB"
        case datetime():
            kind = "TIMESTAMP" if value.tzinfo is None else "TIMESTAMPTZ"
            return f"{kind} '{value.isoformat(sep=' ')}'"
        case date():
            return f"DATE '{value.isoformat()}'"
        case time():
            return f"TIME '{value.isoformat()}'"
        case timedelta():
            return f"INTERVAL {value // timedelta(microseconds=1)} MICROSECONDS"
        case dict():
            return "{" + ", ".join(f"'{name}': {write_literal(one)}" for name, one in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(write_literal, value)) + "]"
    raise TypeError(type(value))


def write_name(name: str) -> str:
    """A column name, quoted when it must be."""
    return name if name.isascii() and name.islower() and name.isidentifier() and name != "select" else f'"{name}"'


def is_writable(value: Any) -> bool:
    """Whether a value can stand in a text: one with a NUL cannot."""
    return not (isinstance(value, str) and "\x00" in value)


def is_list(type_: pa.DataType) -> bool:
    """Whether the type is a list of either size."""
    return bool(pa.types.is_list(type_) or pa.types.is_large_list(type_))
