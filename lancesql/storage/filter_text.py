"""Predicate → the filter text Lance evaluates, every literal rendered by its column's type.

A value that Lance would read differently from DuckDB is refused with a reason, and DuckDB evaluates it instead.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, cast

import pyarrow as pa

from lancesql.plan.moments import read_date, read_timestamp
from lancesql.plan.predicates import (
    And,
    Column,
    Comparison,
    InList,
    IsNull,
    IsTrue,
    ListContains,
    Not,
    Or,
    Predicate,
    StringMatch,
)
from lancesql.plan.values import Constant, Parameter, ScalarQuery, Value

__all__ = ["UnrenderableError", "render_filter"]

_MAX_DEPTH = 30  # Lance's own parser stops at about 45 nested parentheses


class UnrenderableError(Exception):
    """The value cannot be said to Lance with DuckDB's meaning; the text is the reason."""


def render_filter(predicate: Predicate, values: Mapping[str, object]) -> str:
    """The text of a predicate; a parameter without a value is shown by its name.

    Example:
        >>> from lancesql.plan.values import Constant
        >>> render_filter(Comparison(Column("year", pa.int32()), ">=", Constant(2000)), {})
        '`year` >= 2000'

    Raises:
        UnrenderableError: When a value does not fit the column's type exactly.
    """
    return _render(predicate, values, 0)


def _render(predicate: Predicate, values: Mapping[str, object], depth: int) -> str:
    if depth > _MAX_DEPTH:
        raise UnrenderableError("it is nested too deeply for Lance")
    match predicate:
        case And(items):
            return " AND ".join(_nest(item, values, depth) for item in items)
        case Or(items):
            return " OR ".join(_nest(item, values, depth) for item in items)
        case Not(item):
            return f"NOT ({_render(item, values, depth + 1)})"
        case IsNull(column):
            return f"{_name(column)} IS NULL"
        case IsTrue(column):
            return _name(column)
        case Comparison():
            return _render_comparison(predicate, values)
        case InList(column, items):
            literals = ", ".join(_literal(column.type, item, values) for item in items)
            return f"{_name(column)} IN ({literals})"
        case StringMatch(column, op, value):
            return _render_match(column, op, value, values)
        case ListContains(column, value):
            inner = _item_type(column.type)
            if pa.types.is_floating(inner) and _value(value, values) == 0:
                raise UnrenderableError("Lance tells -0.0 from 0.0 inside a list, DuckDB does not")
            return f"array_has({_name(column)}, {_literal(inner, value, values)})"


def _item_type(type_: Any) -> pa.DataType:
    return cast("pa.DataType", type_.value_type)


def _nest(item: Predicate, values: Mapping[str, object], depth: int) -> str:
    text = _render(item, values, depth + 1)
    return f"({text})" if isinstance(item, And | Or) else text


def _name(column: Column) -> str:
    return f"`{column.name}`"


def _render_comparison(predicate: Comparison, values: Mapping[str, object]) -> str:
    name = _name(predicate.column)
    text = f"{name} {predicate.op} {_literal(predicate.column.type, predicate.value, values)}"
    if not pa.types.is_floating(predicate.column.type):
        return text
    # Lance orders a NaN by its sign bit, DuckDB puts every NaN above infinity.
    if predicate.op in (">", ">="):
        return f"({text} OR isnan({name}))"
    if predicate.op in ("<", "<="):
        return f"({text} AND NOT isnan({name}))"
    return text


def _render_match(column: Column, op: str, value: Value, values: Mapping[str, object]) -> str:
    raw = _value(value, values)
    if op == "like" and isinstance(raw, str) and "\\" in raw:
        raise UnrenderableError("Lance reads a backslash in a LIKE pattern as an escape, DuckDB does not")
    literal = _literal(pa.string(), value, values)
    return f"{_name(column)} LIKE {literal}" if op == "like" else f"{op}({_name(column)}, {literal})"


class _Unknown(str):
    """A parameter that has no value yet."""

    __slots__ = ()


def _value(value: Value, values: Mapping[str, object]) -> object:
    match value:
        case Constant(constant):
            return constant
        case Parameter(name):
            return values[name] if name in values else _Unknown(f"${name}")
        case ScalarQuery():
            raise UnrenderableError("its value is an expression")


def _literal(type_: pa.DataType, value: Value, values: Mapping[str, object]) -> str:
    raw = _value(value, values)
    if isinstance(raw, _Unknown):
        return str(raw)
    if raw is None:
        raise UnrenderableError("its value is NULL")
    if hasattr(raw, "item") and getattr(raw, "ndim", None) == 0:
        raw = raw.item()
    if pa.types.is_boolean(type_):
        return _boolean(raw)
    if pa.types.is_integer(type_):
        return _integer(type_, raw)
    if pa.types.is_floating(type_):
        return _float(type_, raw)
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return _string(raw)
    if pa.types.is_date32(type_):
        return _date(raw)
    if pa.types.is_timestamp(type_):
        return _timestamp(raw)
    raise UnrenderableError(f"literals of type {type_} are not proved equal")


def _boolean(raw: object) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    raise UnrenderableError("a BOOLEAN column is compared with something else")


def _integer(type_: pa.DataType, raw: object) -> str:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise UnrenderableError("an integer column is compared with something else")
    bits = type_.bit_width
    low, high = (0, 2**bits - 1) if pa.types.is_unsigned_integer(type_) else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if not low <= raw <= high:
        raise UnrenderableError(f"{raw} does not fit {type_}")
    if raw == -(2**63):
        raise UnrenderableError("Lance reads the smallest BIGINT as a DOUBLE")
    return str(raw)


def _float(type_: pa.DataType, raw: object) -> str:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise UnrenderableError("a floating-point column is compared with something else")
    number = float(raw)
    if not math.isfinite(number) or (isinstance(raw, int) and int(number) != raw):
        raise UnrenderableError(f"{raw} is not an ordinary DOUBLE")
    if pa.types.is_float32(type_):
        if abs(number) > 3.4e38 or struct.unpack("f", struct.pack("f", number))[0] != number:
            raise UnrenderableError(f"{raw} is not exactly a FLOAT")
    elif not pa.types.is_float64(type_):
        raise UnrenderableError(f"literals of type {type_} are not proved equal")
    return repr(number)


def _string(raw: object) -> str:
    if not isinstance(raw, str):
        raise UnrenderableError("a VARCHAR column is compared with something else")
    return "'" + raw.replace("'", "''") + "'"


def _date(raw: object) -> str:
    if isinstance(raw, str):
        raw = read_date(raw)
    if isinstance(raw, datetime) or not isinstance(raw, date):
        raise UnrenderableError("a DATE column is compared with something else")
    return f"DATE '{raw.isoformat()}'"


def _timestamp(raw: object) -> str:
    if isinstance(raw, str):
        raw = read_timestamp(raw)
    if not isinstance(raw, datetime) or raw.tzinfo is not None:
        raise UnrenderableError("a TIMESTAMP column is compared with something else")
    return f"TIMESTAMP '{raw.isoformat(sep=' ', timespec='microseconds')}'"
