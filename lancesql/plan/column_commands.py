"""Statements that change what a table is: one frozen dataclass each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from lancesql.catalog import IndexInfo, TableInfo
from lancesql.errors import Span

from .constraints import Check
from .query import QueryPlan
from .row_commands import ChangedRows

__all__ = [
    "AddCheck",
    "AddColumn",
    "ChangeColumn",
    "ChangeType",
    "CommentOn",
    "DropCheck",
    "RenameTable",
    "SetPrimaryKey",
    "ShowConstraints",
]


@dataclass(frozen=True)
class AddColumn:
    """`ALTER TABLE table ADD COLUMN …`.

    Attributes:
        column: What is added; its default is in its metadata. None when the table has such a column, and may.
        values: Gives `_rowid` and the value of each row; None for the default, or NULL.
        checks: What is asked of its values.
    """

    table: TableInfo
    column: pa.Field[Any] | None
    values: ChangedRows | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class ChangeColumn:
    """`ALTER TABLE table DROP | RENAME | ALTER COLUMN …`; another type is `ChangeType`.

    Attributes:
        change: `drop`, `rename`, `null` or `default`.
        to: The new name, whether NULL may stand there, or the expression.
    """

    table: TableInfo
    column: str
    change: Literal["drop", "rename", "null", "default"]
    to: Any = None


@dataclass(frozen=True)
class ChangeType:
    """`ALTER TABLE table ALTER COLUMN column TYPE type [USING expression] [CASCADE]`.

    Attributes:
        column: The column as it is going to be.
        spelled: What DuckDB calls the new type.
        expression: DuckDB's expression of the new values, over a row of the table.
        reads: The columns it is over.
        is_cast: It is nothing but a cast of the column.
        indexes: Those of the column, which are built anew.
        span: Where the values are said: the expression, or else the type.
        check: Counts the keys that would be those of other rows, when it is a column of the primary key.
    """

    table: TableInfo
    column: pa.Field[Any]
    spelled: str
    expression: str
    span: Span
    reads: tuple[str, ...] = ()
    is_cast: bool = True
    indexes: tuple[IndexInfo, ...] = ()
    check: QueryPlan | None = None


@dataclass(frozen=True)
class RenameTable:
    """`ALTER TABLE table RENAME TO name`."""

    table: TableInfo
    name: str


@dataclass(frozen=True)
class CommentOn:
    """`COMMENT ON TABLE table IS text`, or on one of its columns."""

    table: TableInfo
    column: str | None
    text: str | None


@dataclass(frozen=True)
class SetPrimaryKey:
    """`ALTER TABLE table ADD PRIMARY KEY (…)`.

    Attributes:
        check: Counts the rows without a key, and those whose key another has; None when they are not looked at.
    """

    table: TableInfo
    columns: tuple[str, ...]
    check: QueryPlan | None = None


@dataclass(frozen=True)
class AddCheck:
    """`ALTER TABLE table ADD CHECK (…)`.

    Attributes:
        columns: The columns that no check has named before, and what this one calls them.
        broken: Counts the rows that break it, and gives the first of them.
    """

    table: TableInfo
    check: Check
    columns: tuple[tuple[str, str], ...]
    broken: QueryPlan


@dataclass(frozen=True)
class ShowConstraints:
    """`SHOW CONSTRAINTS ON table`."""

    table: TableInfo


@dataclass(frozen=True)
class DropCheck:
    """`ALTER TABLE table DROP CONSTRAINT name`; no name when there is none such, and that may be."""

    table: TableInfo
    name: str | None
