"""Predicates Lance is proved to evaluate as DuckDB does.

This is the whole vocabulary of push-down: what cannot be said here is evaluated by DuckDB. Values are still unknown;
storage renders them by the column's type when the statement runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from .values import ConstantExpression, Value

__all__ = [
    "And",
    "Between",
    "Column",
    "Comparison",
    "DistinctFrom",
    "Fixed",
    "InList",
    "InValues",
    "IsNull",
    "IsTrue",
    "ListContains",
    "ListOverlaps",
    "Not",
    "Operand",
    "Operator",
    "Or",
    "Predicate",
    "StringMatch",
    "Truth",
    "compares_texts",
]

Operand = Value | ConstantExpression
Operator = Literal["=", "<>", "<", "<=", ">", ">="]


@dataclass(frozen=True)
class Column:
    """A column of the table, a field of its struct, or a text in its JSON, as the table spells it.

    Attributes:
        path: The names of the fields that lead to it.
        json: Where `column ->> json` finds the text: `$.a.b`.
    """

    name: str
    type: pa.DataType
    path: tuple[str, ...] = ()
    json: str = ""


@dataclass(frozen=True)
class Comparison:
    """`column op value`."""

    column: Column
    op: Operator
    value: Operand


@dataclass(frozen=True)
class Between:
    """`column BETWEEN low AND high`."""

    column: Column
    low: Operand
    high: Operand


@dataclass(frozen=True)
class InList:
    """`column IN (values)`. With `unknown_null` a NULL among the values makes NULL of what is not found.

    The values of a list in brackets are `typed`: a text among them is a VARCHAR, and no date or number.
    """

    column: Column
    values: tuple[Operand, ...]
    unknown_null: bool = True
    typed: bool = False


@dataclass(frozen=True)
class InValues:
    """`column IN $list`, `column = ANY($list)`: the values are one list, known when the statement runs."""

    column: Column
    values: Operand
    unknown_null: bool


@dataclass(frozen=True)
class DistinctFrom:
    """`column IS DISTINCT FROM value`."""

    column: Column
    value: Operand


@dataclass(frozen=True)
class IsNull:
    """`column IS NULL`."""

    column: Column


@dataclass(frozen=True)
class IsTrue:
    """A boolean column used as a predicate."""

    column: Column


@dataclass(frozen=True)
class Fixed:
    """A constant or a parameter used as a predicate."""

    value: Operand


@dataclass(frozen=True)
class StringMatch:
    """`column LIKE value`, `starts_with(column, value)` and their kind."""

    column: Column
    op: Literal["like", "ilike", "starts_with", "ends_with", "contains"]
    value: Operand
    escape: Operand | None = None


@dataclass(frozen=True)
class ListContains:
    """`list_contains(column, value)`; with `unknown_null`, `value = ANY(column)`."""

    column: Column
    value: Operand
    unknown_null: bool = False


@dataclass(frozen=True)
class ListOverlaps:
    """`list_has_any(column, values)` or `list_has_all(column, values)`; one value that is a list, or the items."""

    column: Column
    how: Literal["any", "all"]
    values: tuple[Operand, ...] | Operand


@dataclass(frozen=True)
class Truth:
    """`item IS TRUE`, `item IS FALSE`, `item IS NULL`: never NULL itself."""

    item: Predicate
    value: bool | None


@dataclass(frozen=True)
class And:
    """All of `items`."""

    items: tuple[Predicate, ...]


@dataclass(frozen=True)
class Or:
    """Any of `items`."""

    items: tuple[Predicate, ...]


@dataclass(frozen=True)
class Not:
    """The opposite of `item`; NULL stays NULL."""

    item: Predicate


Predicate = (
    Comparison
    | Between
    | InList
    | InValues
    | DistinctFrom
    | IsNull
    | IsTrue
    | Fixed
    | StringMatch
    | ListContains
    | ListOverlaps
    | Truth
    | And
    | Or
    | Not
)


def compares_texts(predicate: Predicate) -> bool:
    """Whether the predicate compares texts, so that a collation would change its answer.

    Example:
        >>> compares_texts(IsNull(Column("title", pa.string())))
        False
    """
    match predicate:
        case And(items) | Or(items):
            return any(map(compares_texts, items))
        case Not(item) | Truth(item, _):
            return compares_texts(item)
        case IsNull() | IsTrue() | Fixed():
            return False
    type_: Any = predicate.column.type
    while hasattr(type_, "value_type"):
        type_ = type_.value_type
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))
