"""The values of a text search's arguments, once they are known: checked, and brought to what a reading holds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from lancesql.errors import ArgumentError, Span, nearest_name

__all__ = ["find_boosted", "read_boosts", "read_fuzziness", "read_operator", "read_slop", "read_syntax"]

_MOST_SLOP, _MOST_BOOST = 10_000, 1_000_000
_BOOSTS_HINT = "write boosts => {'title': 3, 'text': 1}, or one number for each of the columns: [3, 1]"


def read_operator(value: object, span: Span | None = None) -> Any:
    """`or` or `and`."""
    return _choose("operator", value, ("or", "and"), span)


def read_syntax(value: object, span: Span | None = None) -> Any:
    """`query`, `plain` or `json`."""
    return _choose("syntax", value, ("query", "plain", "json"), span)


def read_fuzziness(value: object, span: Span | None = None) -> Any:
    """0, 1, 2 or `auto`."""
    value = _unwrap(value)
    if value is None:
        return 0
    if isinstance(value, str) and value.lower() == "auto":
        return "auto"
    if isinstance(value, bool | str) or value not in (0, 1, 2):
        raise ArgumentError(
            f"'fuzziness' is 0, 1, 2 or 'auto', not {_show(value)}",
            hint="a word may differ by so many letters; 'auto' allows long words more",
            span=span,
        )
    return int(value)


def read_slop(value: object, span: Span | None = None) -> int:
    """A whole number of moves."""
    value = _unwrap(value)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_SLOP:
        raise ArgumentError(
            f"'slop' is a whole number up to {_MOST_SLOP}, not {_show(value)}",
            hint="so many other words may stand between those of a phrase",
            span=span,
        )
    return value


def read_boosts(value: object, columns: tuple[str, ...], span: Span | None = None) -> tuple[float, ...]:
    """One factor for each column; () when nothing is given.

    Example:
        >>> read_boosts({"Title": 3}, ("title", "text"))
        (3.0, 1.0)
    """
    if value is None:
        return ()
    pairs = _list_pairs(value)
    if pairs is None:
        numbers = list(value) if isinstance(value, list | tuple | np.ndarray) else None
        if numbers is None or len(numbers) != len(columns):
            given = f"{len(numbers)} numbers" if numbers is not None else _show(value)
            raise ArgumentError(
                f"'boosts' is given {given} for {len(columns)} column{'s' if len(columns) > 1 else ''}: "
                f"{', '.join(columns)}",
                hint=_BOOSTS_HINT,
                span=span,
            )
        return tuple(1.0 if number is None else _read_boost(number, span) for number in numbers)
    factors: dict[str, float] = {}
    for name, number in pairs:
        column = find_boosted(str(name), columns, span)
        if column in factors:
            raise ArgumentError(f"'boosts' names column '{column}' twice", hint=_BOOSTS_HINT, span=span)
        factors[column] = 1.0 if number is None else _read_boost(number, span)
    return tuple(factors.get(column, 1.0) for column in columns)


def find_boosted(name: str, columns: tuple[str, ...], span: Span | None) -> str:
    """The searched column that a boost names."""
    if name in columns:
        return name
    alike = [column for column in columns if column.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    near = nearest_name(name, columns)
    did = f"did you mean '{near}'? " if near is not None else ""
    raise ArgumentError(
        f"'boosts' names '{name}', which is not searched", hint=f"{did}searched: {', '.join(columns)}", span=span
    )


def _list_pairs(value: object) -> list[tuple[object, object]] | None:
    """The names and numbers of a struct or a map; None when it is neither."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list) and value and all(isinstance(one, tuple) and len(one) == 2 for one in value):
        return value
    return None


def _read_boost(value: object, span: Span | None) -> float:
    number = _unwrap(value)
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal) or not 0 < number <= _MOST_BOOST:
        raise ArgumentError(
            f"a boost is a number above 0, up to a million, not {_show(number)}", hint=_BOOSTS_HINT, span=span
        )
    return float(number)


def _choose(name: str, value: object, words: tuple[str, ...], span: Span | None) -> str:
    if value is None:
        return words[0]
    if not isinstance(value, str) or value.lower() not in words:
        near = nearest_name(value, words) if isinstance(value, str) else None
        raise ArgumentError(
            f"'{name}' is one of {', '.join(words)}, not {_show(value)}",
            hint=f"did you mean '{near}'?" if near is not None else None,
            span=span,
        )
    return value.lower()


def _unwrap(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _show(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list | tuple | np.ndarray):
        return "a list"
    return f"'{value}'"[:60] if isinstance(value, str) else str(value)[:60]
