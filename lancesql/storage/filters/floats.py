"""Floating-point columns: values brought to the column's own grid, and every NaN where DuckDB puts it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from .clauses import Clause, Piece, UnrenderableError, compare_text, join_and, join_or
from .values import Values, describe_value

__all__ = ["compare_float", "find_floats"]

_GRIDS: dict[int, Any] = {16: np.float16, 32: np.float32, 64: np.float64}


def compare_float(values: Values, name: str, type_: Any, op: str, value: object) -> Piece:
    """`name op value`: Lance orders a NaN by its sign bit, DuckDB puts every NaN above infinity."""
    number = _read_number(values, type_, value)
    is_nan, is_number = Clause(f"isnan({name})"), Clause(f"NOT isnan({name})")
    if math.isnan(number):
        if op in ("<=", ">"):
            return op == "<="
        return is_nan if op in ("=", ">=") else is_number
    below, above = _find_neighbours(type_, number)
    if below != above:
        if op in ("=", "<>"):
            return op == "<>"
        op, below = ("<=", below) if op in ("<", "<=") else (">=", above)
    text = compare_text(name, op, _write_float(type_, below))
    if op in (">", ">="):
        return join_or((text, is_nan))
    return join_and((text, is_number)) if op in ("<", "<=") else text


def find_floats(values: Values, type_: Any, items: Sequence[object]) -> tuple[list[str], bool]:
    """The literals of the values of the column that equal one of the items, and whether NaN is among them."""
    numbers = [_read_number(values, type_, item) for item in items]
    ordinary = [number for number in numbers if not math.isnan(number)]
    literals = [_write_float(type_, one) for one in ordinary if _find_neighbours(type_, one) == (one, one)]
    return literals, len(ordinary) < len(numbers)


def _read_number(values: Values, type_: Any, value: object) -> float:
    """The value as DuckDB compares it: with a FLOAT column everything but a DOUBLE becomes FLOAT first."""
    double = type_.bit_width == 64
    if isinstance(value, np.float32):
        return float(value)
    match value:
        case bool():
            pass
        case float():
            return value
        case int() if abs(value) < 2**63:
            return float(value) if double else float(np.int64(value).astype(np.float32))
        case int():
            raise UnrenderableError(f"{value} is beyond BIGINT")
        case Decimal():
            return _read_decimal(value, double)
        case str():
            cast = values.cast(value, "DOUBLE" if double else "FLOAT")
            if isinstance(cast, float | np.float32):
                return float(cast)
    raise UnrenderableError(f"a floating-point column is compared with a {describe_value(value)}")


def _read_decimal(value: Decimal, double: bool) -> float:
    """DuckDB divides the digits by a power of ten; where both are exact, the quotient is the nearest number."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise UnrenderableError(f"{value} is not a number of digits")
    digits_number = int(value.scaleb(-exponent)) if exponent < 0 else int(value)
    scale = max(-exponent, 0)
    limit, widest = (2**53, 22) if double else (2**24, 10)
    if abs(digits_number) > limit or scale > widest:
        raise UnrenderableError(f"{value} has more digits than a {'DOUBLE' if double else 'FLOAT'}")
    grid = np.float64 if double else np.float32
    return float(grid(digits_number) / grid(10**scale))


def _find_neighbours(type_: Any, number: float) -> tuple[float, float]:
    """The values of the column's grid next to a number, below and above; both the number itself when it is on it."""
    grid = _GRIDS[type_.bit_width]
    with np.errstate(over="ignore"):
        near = grid(number)
        if float(near) == number:
            return number, number
        if float(near) < number:
            return float(near), float(np.nextafter(near, grid(math.inf)))
        return float(np.nextafter(near, grid(-math.inf))), float(near)


def _write_float(type_: Any, number: float) -> str:
    if math.isinf(number):
        return f"arrow_cast('{'-' if number < 0 else ''}inf', 'Float{type_.bit_width}')"
    return repr(number + 0.0)
