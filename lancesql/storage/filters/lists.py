"""Lists: whether they hold a value, any of several, or all of them."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa

from lancesql.plan.predicates import Column

from .clauses import Clause, Piece, UnrenderableError, name_column
from .columns import find_point
from .floats import find_floats
from .values import Unknown, Values, check_kinds, show_value

__all__ = ["write_contains", "write_overlap"]


def write_contains(values: Values, column: Column, value: object, truth: bool) -> Piece:
    """Whether a list holds a value, or does not, for rows that have a list."""
    negated = "" if truth else "NOT "
    if isinstance(value, Unknown):
        return Clause(f"{negated}array_has({name_column(column)}, {value})")
    literal = _find_item(values, column.type, value)
    return not truth if literal is None else Clause(f"{negated}array_has({name_column(column)}, {literal})")


def write_overlap(
    values: Values, column: Column, how: Literal["any", "all"], items: list[object] | Unknown, truth: bool
) -> Piece:
    """Whether a list holds any or all of some values, for rows that have a list; DuckDB overlooks a NULL among them."""
    name, negated = name_column(column), "" if truth else "NOT "
    if isinstance(items, Unknown):
        return Clause(f"{negated}array_has_{how}({name}, {items})")
    held = [item for item in items if item is not None]
    check_kinds(column.type, held)
    if any(isinstance(item, Unknown) for item in held):
        return Clause(f"{negated}array_has_{how}({name}, [{', '.join(map(show_value, held))}])")
    found = [_find_item(values, column.type, item) for item in held]
    literals = list(dict.fromkeys(literal for literal in found if literal is not None))
    if how == "all" and None in found:
        return not truth
    if not literals:
        return truth if how == "all" else not truth
    if len(literals) == 1:
        return Clause(f"{negated}array_has({name}, {literals[0]})")
    return Clause(f"{negated}array_has_{how}({name}, [{', '.join(literals)}])")


def _find_item(values: Values, type_: Any, value: object) -> str | None:
    inner: pa.DataType = type_.value_type
    if not pa.types.is_floating(inner):
        if pa.types.is_boolean(inner):
            if not isinstance(value, bool):
                raise UnrenderableError("a list of BOOLEAN is asked for something else")
            return "true" if value else "false"
        return find_point(values, inner, value)
    literals, has_nan = find_floats(values, inner, [value])
    if has_nan:
        raise UnrenderableError("Lance tells one NaN from another inside a list")
    if literals == ["0.0"]:
        raise UnrenderableError("Lance tells -0.0 from 0.0 inside a list, DuckDB does not")
    return literals[0] if literals else None
