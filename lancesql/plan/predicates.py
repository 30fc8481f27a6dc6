"""Predicates Lance is proved to evaluate as DuckDB does.

This is the whole vocabulary of push-down: what cannot be said here is evaluated by DuckDB. Values are still unknown;
storage renders them by the column's type when the statement runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from .values import Value

__all__ = [
    "And",
    "Column",
    "Comparison",
    "InList",
    "IsNull",
    "IsTrue",
    "ListContains",
    "Not",
    "Or",
    "Predicate",
    "StringMatch",
]


@dataclass(frozen=True)
class Column:
    """A top-level column of the table, as the table spells it."""

    name: str
    type: pa.DataType


@dataclass(frozen=True)
class Comparison:
    """`column op value`."""

    column: Column
    op: Literal["=", "<>", "<", "<=", ">", ">="]
    value: Value


@dataclass(frozen=True)
class InList:
    """`column IN (values)`."""

    column: Column
    values: tuple[Value, ...]


@dataclass(frozen=True)
class IsNull:
    """`column IS NULL`."""

    column: Column


@dataclass(frozen=True)
class IsTrue:
    """A boolean column used as a predicate."""

    column: Column


@dataclass(frozen=True)
class StringMatch:
    """`column LIKE value`, `starts_with(column, value)` and their kind."""

    column: Column
    op: Literal["like", "starts_with", "ends_with", "contains"]
    value: Value


@dataclass(frozen=True)
class ListContains:
    """`list_contains(column, value)`."""

    column: Column
    value: Value


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


Predicate = Comparison | InList | IsNull | IsTrue | StringMatch | ListContains | And | Or | Not
