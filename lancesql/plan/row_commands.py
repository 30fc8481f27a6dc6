"""Statements that write rows: one frozen dataclass each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lancesql.catalog import TableInfo

from .composition import Composition
from .query import QueryPlan

__all__ = [
    "ChangedRows",
    "DeleteRows",
    "InsertInto",
    "MergeBranch",
    "MergeRows",
    "TruncateTable",
    "UpdateRows",
]


@dataclass(frozen=True)
class InsertInto:
    """`INSERT INTO table [(columns)] [BY NAME] query`."""

    table: TableInfo
    query: QueryPlan
    columns: tuple[str, ...] = ()
    by_name: bool = False


@dataclass(frozen=True)
class ChangedRows:
    """What an UPDATE, DELETE or MERGE changes.

    Attributes:
        table: The table, at the version that is read.
        query: What is read: `_rowid` of the rows of the table first.
        composition: Where the text of the query came from.
        alias: What the statement calls the table.
        returning: `SELECT` and the columns behind RETURNING, for the rows that changed; None without it.
    """

    table: TableInfo
    query: QueryPlan
    composition: Composition
    alias: str
    returning: Composition | None = None


@dataclass(frozen=True)
class DeleteRows:
    """`DELETE FROM table …`: the rows the query names go."""

    changed: ChangedRows


@dataclass(frozen=True)
class UpdateRows:
    """`UPDATE table SET …`: the query gives the new values of `columns`, in that order, behind the row's id."""

    changed: ChangedRows
    columns: tuple[str, ...]


@dataclass(frozen=True)
class MergeBranch:
    """What is done with the rows of one WHEN of a MERGE.

    Attributes:
        columns: The columns it gives values to: for UPDATE and INSERT.
        first: Which column of the query is the value of the first of them, or what `error` says.
        says: There is something that `error` says.
        unmatched: It is for rows of the source alone.
    """

    action: Literal["update", "delete", "insert", "nothing", "error"]
    columns: tuple[str, ...] = ()
    first: int = 0
    says: bool = False
    unmatched: bool = False


@dataclass(frozen=True)
class MergeRows:
    """`MERGE INTO table …`: behind the row's id the query gives the number of the branch, then the values of all.

    Attributes:
        keys: The columns by which rows are found: what is inserted for want of a row has each key once, and no NULL.
        looks_up: That a row was not found does not mean that its primary key is not there: it is looked for.
        statement: What the history calls it.
    """

    changed: ChangedRows
    branches: tuple[MergeBranch, ...]
    keys: tuple[str, ...] = ()
    looks_up: bool = False
    statement: str = "MERGE"


@dataclass(frozen=True)
class TruncateTable:
    """`TRUNCATE table`, or DELETE without a condition: every row goes."""

    table: TableInfo
