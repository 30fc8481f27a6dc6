"""The values of a filter: read when the statement runs, in the kinds that decide how DuckDB compares them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.plan.moments import Moment, measure_datetime
from lancesql.plan.predicates import Operand
from lancesql.plan.values import Constant, ConstantExpression, Parameter, ScalarQuery

from .clauses import UnrenderableError

__all__ = ["Ask", "Unknown", "Values", "check_kinds", "describe_value", "show_value"]

Ask = Callable[[str, Mapping[str, object]], object]
"""Computes an expression and its parameters in DuckDB; a moment comes as `Moment`, a FLOAT as `numpy.float32`."""


class Unknown(str):
    """A value that is not known yet, by its text."""

    __slots__ = ()


class Values:
    """The values of one run."""

    def __init__(self, parameters: Mapping[str, object], ask: Ask | None) -> None:
        self.parameters = parameters
        self.ask = ask

    def read(self, operand: Operand) -> object:
        """The value of an operand, a moment as `Moment`."""
        return _normalize(self._find(operand))

    def read_list(self, operand: Operand) -> list[object] | Unknown | None:
        """The items of an operand that is a list."""
        raw = self._find(operand)
        if raw is None or isinstance(raw, Unknown):
            return raw
        if isinstance(raw, np.ndarray) and raw.ndim == 1 and raw.dtype.kind in "iufb":
            raw = raw.tolist()
        if not isinstance(raw, list | tuple):
            raise UnrenderableError(f"{type(raw).__name__} is not a plain list")
        return [_normalize(item) for item in raw]

    def cast(self, value: object, type_: str) -> object:
        """A value as DuckDB makes another type of it."""
        if self.ask is None:
            raise UnrenderableError(f"only DuckDB can make a {type_} of {value!r}")
        if isinstance(value, Moment):
            epoch = "TIMESTAMPTZ '1970-01-01 00:00:00+00'" if value.zoned else "TIMESTAMP '1970-01-01 00:00:00'"
            whole = Moment(value.number, value.unit, value.zoned)
            return self.ask(f"CAST({epoch} + to_microseconds({_micros(whole)}) AS {type_})", {})
        return self.ask(f"CAST($value AS {type_})", {"value": value})

    def _find(self, operand: Operand) -> object:
        match operand:
            case Constant(constant):
                return constant
            case Parameter(name):
                return self.parameters[name] if name in self.parameters else Unknown(f"${name}")
            case ConstantExpression(sql, names):
                if self.ask is None or any(name not in self.parameters for name in names):
                    return Unknown(sql)
                return self.ask(sql, {name: self.parameters[name] for name in names})
            case ScalarQuery():
                raise UnrenderableError("its value is an expression")


def _micros(moment: Moment) -> int:
    if moment.unit != "us":
        raise UnrenderableError("a moment of another precision is cast")
    return moment.number


def _normalize(raw: object) -> object:
    if isinstance(raw, datetime):
        return _measure(raw)
    if isinstance(raw, np.generic) and not isinstance(raw, np.float32 | np.datetime64 | np.timedelta64):
        return raw.item()
    if isinstance(raw, bytearray | memoryview):
        return bytes(raw)
    return raw


def _measure(raw: datetime) -> Moment:
    if type(raw) is datetime:
        return measure_datetime(raw)
    try:  # pandas' Timestamp: DuckDB takes of it what Python's datetime holds
        clock = (raw.hour, raw.minute, raw.second, raw.microsecond)
        return measure_datetime(datetime(raw.year, raw.month, raw.day, *clock, tzinfo=raw.tzinfo))
    except (TypeError, ValueError):
        raise UnrenderableError(f"{raw} is not a moment") from None


_KINDS: dict[type, str] = {
    bool: "BOOLEAN",
    int: "integer",
    Decimal: "DECIMAL",
    float: "DOUBLE",
    np.float32: "FLOAT",
    str: "text",
    bytes: "BLOB",
    date: "DATE",
    Moment: "TIMESTAMP",
    time: "TIME",
}


def describe_value(value: object) -> str:
    """What kind of value it is, in DuckDB's words."""
    if isinstance(value, Moment) and value.zoned:
        return "TIMESTAMPTZ"
    return _KINDS.get(type(value), type(value).__name__)


def show_value(value: object) -> str:
    """A value beside others that are not known yet."""
    return str(value) if isinstance(value, Unknown) else repr(value)


_EXACT = ({"integer", "DECIMAL"}, {"DATE", "TIMESTAMP"})
_EXACT_IN_DOUBLE = {"integer", "DECIMAL", "FLOAT", "DOUBLE"}


def check_kinds(type_: Any, values: Iterable[object]) -> None:
    """Refuses a list of values that DuckDB brings to one type in which they no longer compare as they do alone."""
    kinds = {describe_value(value) for value in values if value is not None and not isinstance(value, Unknown)}
    if len(kinds) <= 1 or any(kinds <= exact for exact in _EXACT):
        return
    if pa.types.is_float64(type_) and kinds <= _EXACT_IN_DOUBLE:
        return
    if pa.types.is_integer(type_) and type_.bit_width <= 32 and kinds == {"integer", "DOUBLE"}:
        return
    if pa.types.is_timestamp(type_) and type_.tz is not None and kinds <= {"DATE", "TIMESTAMP", "TIMESTAMPTZ"}:
        return
    raise UnrenderableError(f"its values are of several kinds ({', '.join(sorted(kinds))})")
