"""What PEP 249 asks of types: type codes of columns, the objects they equal, and constructors of values."""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import Any

__all__ = [
    "BINARY",
    "DATETIME",
    "LIST",
    "NUMBER",
    "ROWID",
    "STRING",
    "STRUCT",
    "Binary",
    "Date",
    "DateFromTicks",
    "NestedType",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "TypeCode",
    "TypeObject",
    "describe_column",
]

Date = dt.date
Time = dt.time
Timestamp = dt.datetime
Binary = bytes


def DateFromTicks(ticks: float) -> dt.date:  # noqa: N802 - the name is PEP 249's
    """The local date of a moment, given in seconds since 1970."""
    return dt.date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> dt.time:  # noqa: N802
    """The local time of day of a moment."""
    return dt.time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> dt.datetime:  # noqa: N802
    """The local date and time of a moment."""
    return dt.datetime(*time.localtime(ticks)[:6])  # noqa: DTZ001 - local, without a zone, as PEP 249 has it


class TypeObject:
    """A family of SQL types; equal to the type code of each of them.

    Example:
        >>> TypeCode("DECIMAL(9,2)") == NUMBER, TypeCode("VARCHAR") == NUMBER
        (True, False)
    """

    def __init__(self, name: str, *types: str) -> None:
        self.name = name
        self.types = frozenset(types)

    def __eq__(self, other: object) -> bool:
        return self is other or (not isinstance(other, TypeObject) and _name_family(str(other)) in self.types)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name


STRING = TypeObject("STRING", "VARCHAR", "JSON", "UUID", "ENUM", "BIT", "CHAR", "TEXT")
BINARY = TypeObject("BINARY", "BLOB", "GEOMETRY")
NUMBER = TypeObject(
    "NUMBER", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT", "UHUGEINT", "BIGNUM", "VARINT", "FLOAT16", "FLOAT", "DOUBLE", "DECIMAL",
)  # fmt: skip
DATETIME = TypeObject(
    "DATETIME", "DATE", "TIME", "TIME_NS", "TIME WITH TIME ZONE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS",
    "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS", "INTERVAL",
)  # fmt: skip
ROWID = TypeObject("ROWID")
LIST = TypeObject("LIST", "LIST")
STRUCT = TypeObject("STRUCT", "STRUCT", "MAP", "UNION", "TUPLE")


def _name_family(code: str) -> str:
    """`LIST` for a list or a vector; the name without its arguments for any other type."""
    return "LIST" if code.endswith("]") else code.partition("(")[0].strip().upper()


class TypeCode(str):
    """The SQL type of a column, such as `BIGINT` or `DECIMAL(9,2)`: a text, and equal to its type object."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other == self if isinstance(other, TypeObject) else str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return str.__hash__(self)


class NestedType:
    """The SQL type of a column of lists, vectors, structs, maps or unions: `FLOAT[384]`.

    It is equal to its text and to its type object, but is no text itself: readers that tell a column's type from the
    first word of the text would take `FLOAT[384]` for a number and `STRUCT(…)` for a string.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return other == self if isinstance(other, TypeObject) else self.name == str(other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return repr(self.name)


_SIZES = {
    "BOOLEAN": 1, "TINYINT": 1, "UTINYINT": 1, "SMALLINT": 2, "USMALLINT": 2, "INTEGER": 4, "UINTEGER": 4, "BIGINT": 8,
    "UBIGINT": 8, "FLOAT16": 2, "FLOAT": 4, "DOUBLE": 8,
}  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)$")


def describe_column(name: str, type_: str) -> tuple[Any, ...]:
    """The seven items of `Cursor.description` for a column.

    Example:
        >>> describe_column("price", "DECIMAL(9,2)")
        ('price', 'DECIMAL(9,2)', None, None, 9, 2, None)
    """
    decimal = _DECIMAL.match(type_)
    precision, scale = (int(decimal.group(1)), int(decimal.group(2))) if decimal else (None, None)
    family = _name_family(type_)
    code = NestedType(type_) if family == "LIST" or family in STRUCT.types else TypeCode(type_)
    return (name, code, None, _SIZES.get(type_), precision, scale, None)
