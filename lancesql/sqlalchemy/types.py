"""SQL types that SQLAlchemy lacks, and the types of columns by their names."""

from __future__ import annotations

import decimal
import re
import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import INTERVAL, insert
from sqlalchemy.sql.operators import custom_op

from lancesql.plan.literals import write_literal

__all__ = ["COLUMN_TYPES", "HALF", "SQLType", "SizedInteger", "Vector", "insert", "is_list", "read_type"]

_ARRAY = re.compile(r"^(.+)\[(\d*)\]$")
_LISTS = re.compile(r"[^\]](\[\])+$")
_DECIMAL = re.compile(r"^DECIMAL\((\d+),\s*(\d+)\)$")


def is_list(value: object) -> bool:
    """Whether a value is a list, or an array of numpy or another library with at least one dimension."""
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0


class SQLType(sqltypes.UserDefinedType[Any]):
    """A type by its name in SQL, such as `STRUCT(a INTEGER, b VARCHAR)`; values go and come as they are.

    Args:
        name: The type as DuckDB spells it.
    """

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """The type in SQL."""
        return self.name


class SizedInteger(sqltypes.Integer):
    """A whole number of a size that SQLAlchemy has no name for: `TINYINT`, `UBIGINT`, `HUGEINT`.

    Args:
        name: The type as DuckDB spells it.
    """

    __visit_name__ = "lancesql_integer"

    def __init__(self, name: str = "UBIGINT") -> None:
        self.name = name


class HALF(sqltypes.Float[float]):
    """A floating-point number of 16 bits."""

    __visit_name__ = "HALF"


class Vector(sqltypes.UserDefinedType[Any]):
    """A vector column: `FLOAT[384]`. Values are lists, tuples or numpy arrays, and come back as lists.

    Args:
        dimension: How many numbers a vector has.
        element: `FLOAT`, `HALF`, `DOUBLE`, `UTINYINT`, …

    Example:
        >>> Vector(384, "HALF").get_col_spec()
        'HALF[384]'
    """

    cache_ok = True

    class comparator_factory(sqltypes.UserDefinedType.Comparator[Any]):  # noqa: N801 - SQLAlchemy's name
        """The distances of a vector to another, which `ORDER BY` takes for a search."""

        def l2_distance(self, other: Any) -> Any:
            """The root of the sum of squared differences, `<->`."""
            return self._measure("<->", other)

        def cosine_distance(self, other: Any) -> Any:
            """One minus the cosine, `<=>`."""
            return self._measure("<=>", other)

        def negative_inner_product(self, other: Any) -> Any:
            """The inner product with its sign turned, `<#>`."""
            return self._measure("<#>", other)

        def l1_distance(self, other: Any) -> Any:
            """The sum of absolute differences, `<+>`."""
            return self._measure("<+>", other)

        def _measure(self, sign: str, other: Any) -> Any:
            return self.operate(custom_op(sign, precedence=8, return_type=sqltypes.Float()), other)

    def __init__(self, dimension: int, element: str = "FLOAT") -> None:
        self.dimension = dimension
        self.element = element

    @property
    def python_type(self) -> type[list[Any]]:
        """What values are in Python."""
        return list

    def get_col_spec(self, **_: Any) -> str:
        """The type in SQL."""
        return f"{self.element}[{self.dimension}]"

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """A list or an array beside a vector is one."""
        return self if is_list(value) else super().coerce_compared_value(op, value)

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        """A tuple is a list; arrays go as they are."""
        return lambda value: list(value) if isinstance(value, tuple) else value

    def literal_processor(self, dialect: Any) -> Callable[[Any], str]:
        """The vector written out."""
        return write_literal

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[Any], Any]:
        """A list."""
        return lambda value: list(value) if isinstance(value, tuple) else value


class _Text(sqltypes.String):
    """A text; DuckDB would write a list out as one."""

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        return _refuse_lists


def _refuse_lists(value: Any) -> Any:
    if isinstance(value, dict) or is_list(value):
        raise TypeError(
            f"a {type(value).__name__} is no text: give the column a type, such as Vector(3), ARRAY(Integer) or JSON; "
            "DataFrame.to_sql takes it as dtype={'column': Vector(3)}"
        )
    return value


class _Uuid(sqltypes.Uuid[Any]):
    """Lance stores the text of a UUID."""

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any] | None:
        if not self.native_uuid:
            return super().bind_processor(dialect)
        return lambda value: None if value is None else str(value)

    def literal_processor(self, dialect: Any) -> Any:
        return (lambda value: f"'{value}'") if self.native_uuid else super().literal_processor(dialect)  # type: ignore[no-untyped-call]

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[Any], Any] | None:
        if not self.native_uuid:
            return super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call,no-any-return]
        wanted: Callable[[str], Any] = uuid.UUID if self.as_uuid else str
        return lambda value: None if value is None else wanted(str(value))


class _Numeric(sqltypes.Numeric[Any]):
    """A decimal, also where DuckDB computes with floating-point numbers: in divisions, and in means."""

    def result_processor(self, dialect: Any, coltype: object) -> Any:
        if not self.asdecimal:
            return super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]
        return lambda value: decimal.Decimal(repr(value)) if isinstance(value, float) else value


class _Json(sqltypes.JSON):
    """A text; a path is one of DuckDB's, `$.a[0]`."""

    class JSONPathType(sqltypes.JSON.JSONPathType):
        def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
            return self._write

        def literal_processor(self, dialect: Any) -> Callable[[Any], str]:
            return lambda value: "'" + self._write(value).replace("'", "''") + "'"

        def _write(self, value: Any) -> str:
            parts = (f"[{part}]" if isinstance(part, int) else f'."{part}"' for part in value)
            return "$" + "".join(parts)


COLUMN_TYPES: dict[Any, Any] = {
    sqltypes.String: _Text,
    sqltypes.Enum: sqltypes.Enum,
    sqltypes.Numeric: _Numeric,
    sqltypes.Float: sqltypes.Float,
    sqltypes.Uuid: _Uuid,
    sqltypes.JSON: _Json,
    sqltypes.JSON.JSONPathType: _Json.JSONPathType,
    sqltypes.Interval: INTERVAL,
}
"""SQLAlchemy's types and what they are here."""

_PLAIN: dict[str, Callable[[], Any]] = {
    "BOOLEAN": sqltypes.BOOLEAN,
    "SMALLINT": sqltypes.SMALLINT,
    "INTEGER": sqltypes.INTEGER,
    "BIGINT": sqltypes.BIGINT,
    "FLOAT16": HALF,
    "FLOAT": sqltypes.REAL,
    "DOUBLE": sqltypes.DOUBLE,
    "VARCHAR": sqltypes.VARCHAR,
    "BLOB": sqltypes.BLOB,
    "DATE": sqltypes.DATE,
    "TIME": sqltypes.TIME,
    "TIMESTAMP": sqltypes.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": lambda: sqltypes.TIMESTAMP(timezone=True),
    "UUID": sqltypes.UUID,
    "JSON": sqltypes.JSON,
    "INTERVAL": INTERVAL,
}
_INTEGERS = ("TINYINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")


def read_type(name: str) -> Any:
    """The type of a column, as DuckDB spells it, for SQLAlchemy.

    Example:
        >>> read_type("FLOAT[384]").dimension, read_type("DECIMAL(9,2)").scale
        (384, 2)
        >>> [(kind.item_type, kind.dimensions) for kind in (read_type("DATE[][]"), read_type("FLOAT[2][]"))]
        [(DATE(), 2), (Vector(2), 1)]
    """
    if (array := _ARRAY.match(name)) is not None:
        inner, size = array.groups()
        if size:
            return Vector(int(size), "HALF" if inner == "FLOAT16" else inner)
        plain = inner.rstrip("[]") if _LISTS.search(inner) else inner
        return sqltypes.ARRAY(read_type(plain), dimensions=1 + (len(inner) - len(plain)) // 2)
    if (number := _DECIMAL.match(name)) is not None:
        return sqltypes.DECIMAL(int(number.group(1)), int(number.group(2)))
    if name in _INTEGERS:
        return SizedInteger(name)
    return _PLAIN[name]() if name in _PLAIN else SQLType(name)
