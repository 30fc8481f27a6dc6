"""Statements that change what a table is: one frozen dataclass each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from lancesql.catalog import TableInfo

from .query import QueryPlan
from .row_commands import ChangedRows

__all__ = [
    "AddColumn",
    "ChangeColumn",
    "CommentOn",
    "RenameTable",
    "SetPrimaryKey",
]


@dataclass(frozen=True)
class AddColumn:
    """`ALTER TABLE table ADD COLUMN …`.

    Attributes:
        column: What is added; its default is in its metadata. None when the table has such a column, and may.
        values: Gives `_rowid` and the value of each row; None for the default, or NULL.
    """

    table: TableInfo
    column: pa.Field[Any] | None
    values: ChangedRows | None = None


@dataclass(frozen=True)
class ChangeColumn:
    """`ALTER TABLE table DROP | RENAME | ALTER COLUMN …`.

    Attributes:
        change: `drop`, `rename`, `type`, `null` or `default`.
        to: The new name, the new type, whether NULL may stand there, or the expression.
    """

    table: TableInfo
    column: str
    change: Literal["drop", "rename", "type", "null", "default"]
    to: Any = None


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
