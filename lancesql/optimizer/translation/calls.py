"""Functions and operators over texts and lists → predicates."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from sqlglot import exp

from lancesql.plan.predicates import (
    Column,
    InList,
    InValues,
    ListContains,
    ListOverlaps,
    Operand,
    Predicate,
    StringMatch,
)

from .columns import ColumnReader, is_column, is_comparable
from .values import UntranslatableError, ValueReader, describe

__all__ = ["read_any", "translate_any", "translate_call", "translate_like"]

_STRING_FUNCTIONS: dict[str, Any] = {
    "starts_with": "starts_with",
    "prefix": "starts_with",
    "ends_with": "ends_with",
    "suffix": "ends_with",
    "contains": "contains",
}
_CONTAINS = frozenset({"list_contains", "list_has", "array_contains", "array_has"})
_OVERLAPS: dict[str, Any] = {
    "list_has_any": "any",
    "array_has_any": "any",
    "list_has_all": "all",
    "array_has_all": "all",
}
_CLASSES: dict[type[exp.Expr], str] = {
    exp.StartsWith: "starts_with",
    exp.EndsWith: "ends_with",
    exp.Contains: "contains",
    exp.ArrayContains: "list_contains",
    exp.ArrayOverlaps: "list_has_any",
    exp.ArrayContainsAll: "list_has_all",
    exp.ArrayContainedBy: "<@",
}


def translate_call(tree: exp.Expr, columns: ColumnReader, values: ValueReader) -> Predicate:
    """`starts_with`, `list_contains`, `list_has_any` and their kind.

    Raises:
        UntranslatableError: For any other function.
    """
    name, arguments = _read_call(tree)
    if name == "<@":
        name, arguments = "list_has_all", arguments[::-1]
    if len(arguments) == 2:
        first, second = arguments
        if name in _CONTAINS and is_column(second) and not is_column(first):
            return _translate_membership(columns.read(second), first, values, unknown_null=False)
        if name in _CONTAINS:
            return ListContains(_read_list(columns, first, name), values.read(second))
        if name in _OVERLAPS:
            if _OVERLAPS[name] == "any" and is_column(second) and not is_column(first):
                first, second = second, first
            return ListOverlaps(_read_list(columns, first, name), _OVERLAPS[name], _read_items(second, values))
        if name in _STRING_FUNCTIONS:
            return StringMatch(_read_string(columns, first), _STRING_FUNCTIONS[name], values.read(second))
    raise UntranslatableError(f"{describe(tree)} is not on the list of what Lance is proved to evaluate as DuckDB does")


def _read_call(tree: exp.Expr) -> tuple[str, list[exp.Expr]]:
    if isinstance(tree, exp.Anonymous):
        return tree.name.lower(), list(tree.expressions)
    name = _CLASSES.get(type(tree), "")
    return name, [tree.this, tree.expression] if name else []


def translate_like(tree: exp.Expr, columns: ColumnReader, values: ValueReader) -> StringMatch:
    """`LIKE` and `ILIKE`, with their `ESCAPE`; a negation is the caller's to read."""
    escape = None
    if isinstance(tree, exp.Escape):
        escape, tree = values.read(tree.expression), tree.this
    if not isinstance(tree, exp.Like | exp.ILike):
        raise UntranslatableError(
            f"{describe(tree)} is not on the list of what Lance is proved to evaluate as DuckDB does"
        )
    op: Any = "like" if isinstance(tree, exp.Like) else "ilike"
    return StringMatch(_read_string(columns, tree.this), op, values.read(tree.expression), escape)


def read_any(tree: exp.Expr) -> tuple[str, exp.Expr] | None:
    """`ANY (…)` or `ALL (…)` on the right of a comparison: which, and of what."""
    if isinstance(tree, exp.Any):
        inner = tree.this
        while isinstance(inner, exp.Paren):
            inner = inner.this
        return "any", inner
    if isinstance(tree, exp.Anonymous) and tree.name.upper() == "ALL" and len(tree.expressions) == 1:
        return "all", tree.expressions[0]
    return None


def translate_any(value: exp.Expr, items: exp.Expr, columns: ColumnReader, values: ValueReader) -> Predicate:
    """`value = ANY (items)`: one of them is a column."""
    if is_column(items):
        return ListContains(_read_list(columns, items, "ANY"), values.read(value), unknown_null=True)
    return _translate_membership(columns.read(value), items, values, unknown_null=True)


def _translate_membership(column: Column, items: exp.Expr, values: ValueReader, *, unknown_null: bool) -> Predicate:
    if not is_comparable(column.type):
        raise UntranslatableError(f"comparisons on {column.type} are not proved equal")
    listed = _read_items(items, values)
    if isinstance(listed, tuple):
        return InList(column, listed, unknown_null, typed=True)
    return InValues(column, listed, unknown_null)


def _read_items(tree: exp.Expr, values: ValueReader) -> tuple[Operand, ...] | Operand:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.Array):
        return tuple(values.read(item) for item in tree.expressions)
    if isinstance(tree, exp.Query):
        raise UntranslatableError("its list is a query")
    return values.read(tree)


def _read_list(columns: ColumnReader, tree: exp.Expr, name: str) -> Column:
    column = columns.read(tree)
    type_: Any = column.type
    listed = pa.types.is_list(type_) or pa.types.is_large_list(type_)
    if not listed or pa.types.is_dictionary(type_.value_type) or not is_comparable(type_.value_type):
        raise UntranslatableError(f"{name} on {type_} is not proved equal")
    return column


def _read_string(columns: ColumnReader, tree: exp.Expr) -> Column:
    column = columns.read(tree)
    type_: Any = column.type
    if column.json:
        raise UntranslatableError("the text in a JSON column is compared by = and <> alone")
    inner = type_.value_type if pa.types.is_dictionary(type_) else type_
    if not (pa.types.is_string(inner) or pa.types.is_large_string(inner)):
        raise UntranslatableError(f"column '{column.name}' is {type_}, not VARCHAR")
    return column
