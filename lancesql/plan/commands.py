"""Statements that are not queries: one frozen dataclass each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from lancesql.catalog import TableInfo, View

from .column_commands import (
    AddCheck,
    AddColumn,
    ChangeColumn,
    ChangeType,
    CommentOn,
    DropCheck,
    RenameTable,
    SetPrimaryKey,
    ShowConstraints,
)
from .copy_commands import CopyFromArrow, CopyToArrow, CopyToFile
from .database_commands import AttachDatabase, CloneTable, DetachDatabase, ShowDatabases, UseDatabase
from .index_commands import CreateIndex, DropIndex, IndexPlan, RefreshIndexes, ShowIndexes
from .query import QueryPlan
from .row_commands import ChangedRows, DeleteRows, InsertInto, MergeBranch, MergeRows, TruncateTable, UpdateRows
from .upkeep_commands import (
    CreateReference,
    DiffTable,
    DropReference,
    OptimizeTable,
    RestoreTable,
    SetAutoCleanup,
    ShowHealth,
    ShowHistory,
    VacuumTable,
)

__all__ = [
    "AddCheck",
    "AddColumn",
    "AnalyzeTable",
    "AttachDatabase",
    "ChangeColumn",
    "ChangeSetting",
    "ChangeType",
    "ChangedRows",
    "ChangingCommand",
    "CloneTable",
    "Command",
    "CommentOn",
    "CopyFromArrow",
    "CopyToArrow",
    "CopyToFile",
    "CreateIndex",
    "CreateReference",
    "CreateTable",
    "CreateView",
    "DatabaseCommand",
    "DefineTable",
    "DeleteRows",
    "DescribeTable",
    "DetachDatabase",
    "DiffTable",
    "DropCheck",
    "DropIndex",
    "DropReference",
    "DropTable",
    "DropView",
    "Explain",
    "IndexPlan",
    "InsertInto",
    "MergeBranch",
    "MergeRows",
    "OptimizeTable",
    "ReadingCommand",
    "RefreshIndexes",
    "RenameTable",
    "RestoreTable",
    "SetAutoCleanup",
    "SetPrimaryKey",
    "SettingCommand",
    "ShowConstraints",
    "ShowDatabases",
    "ShowEmbeddings",
    "ShowHealth",
    "ShowHistory",
    "ShowIndexes",
    "ShowSettings",
    "ShowTables",
    "TruncateTable",
    "UpdateRows",
    "UseDatabase",
    "VacuumTable",
    "ViewCommand",
    "WritingCommand",
    "find_query",
    "is_returning",
]


@dataclass(frozen=True)
class CreateTable:
    """`CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name [WITH (…)] AS query`, in the Lance database."""

    name: str
    query: QueryPlan
    replace: bool = False
    if_not_exists: bool = False
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class DefineTable:
    """`CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name (columns)`: an empty table; constraints are in the schema."""

    name: str
    schema: pa.Schema
    replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True)
class CreateView:
    """`CREATE [OR REPLACE] VIEW name [(columns)] AS query`, kept by the session."""

    view: View
    query: QueryPlan


@dataclass(frozen=True)
class DropView:
    """`DROP VIEW [IF EXISTS] name`."""

    name: str


@dataclass(frozen=True)
class DropTable:
    """`DROP TABLE [IF EXISTS] name`; `table` is None when it does not exist and need not.

    Attributes:
        has_remains: There is a folder of that name without a version, which a killed writer left.
    """

    name: str
    table: TableInfo | None
    has_remains: bool = False


@dataclass(frozen=True)
class ShowEmbeddings:
    """`SHOW EMBEDDINGS`: the functions of the session, and those of the tables' metadata."""


@dataclass(frozen=True)
class ShowTables:
    """`SHOW TABLES [FROM database]`; the views of the session are listed with those of the current database."""

    views: tuple[View, ...] = ()
    database: str | None = None


@dataclass(frozen=True)
class DescribeTable:
    """`DESCRIBE table`."""

    table: TableInfo


@dataclass(frozen=True)
class AnalyzeTable:
    """`ANALYZE table`: measures its vector indexes."""

    table: TableInfo


@dataclass(frozen=True)
class ChangeSetting:
    """`SET lancesql.name = value`, or `RESET`, whose value is the default."""

    name: str
    value: object


@dataclass(frozen=True)
class ShowSettings:
    """`SHOW lancesql SETTINGS`, or one of them."""

    name: str | None = None


Command = (
    AnalyzeTable
    | AddCheck
    | AddColumn
    | ChangeColumn
    | ChangeType
    | CommentOn
    | CopyFromArrow
    | CopyToArrow
    | CopyToFile
    | RenameTable
    | SetPrimaryKey
    | DropCheck
    | DropIndex
    | OptimizeTable
    | RefreshIndexes
    | SetAutoCleanup
    | ShowHealth
    | VacuumTable
    | CreateReference
    | DiffTable
    | DropReference
    | RestoreTable
    | ShowHistory
    | CloneTable
    | CreateTable
    | DefineTable
    | InsertInto
    | DeleteRows
    | UpdateRows
    | MergeRows
    | TruncateTable
    | DropTable
    | CreateIndex
    | ShowEmbeddings
    | ShowDatabases
    | ShowTables
    | ShowConstraints
    | ShowIndexes
    | DescribeTable
)
ReadingCommand = (
    ShowDatabases
    | ShowTables
    | ShowConstraints
    | ShowIndexes
    | DescribeTable
    | ShowHistory
    | DiffTable
    | ShowHealth
    | ShowEmbeddings
    | CopyToFile
    | CopyToArrow
)
"""Commands that write no Lance table."""
ChangingCommand = DeleteRows | UpdateRows | MergeRows
"""Commands that are run again when somebody else has changed the same rows meanwhile."""
WritingCommand = (
    CreateTable | CloneTable | DefineTable | InsertInto | DeleteRows | UpdateRows | MergeRows | TruncateTable
)
"""Commands that answer with the number of rows they wrote or removed, or with what is behind RETURNING."""
SettingCommand = ChangeSetting | ShowSettings
ViewCommand = CreateView | DropView
DatabaseCommand = AttachDatabase | DetachDatabase | UseDatabase


@dataclass(frozen=True)
class Explain:
    """`EXPLAIN [(ANALYZE, RECALL, FORMAT …, SQL)]` of a plan."""

    plan: QueryPlan | Command | SettingCommand | ViewCommand | DatabaseCommand
    analyze: bool = False
    recall: bool = False
    format: Literal["text", "json", "sql"] = "text"


def find_query(command: Command | SettingCommand | ViewCommand | DatabaseCommand) -> QueryPlan | None:
    """The query within a command; None when there is none."""
    match command:
        case CreateTable() | CreateView() | InsertInto() | CopyToFile() | CopyToArrow():
            return command.query
        case AddColumn(values=ChangedRows() as values):
            return values.query
        case SetPrimaryKey():
            return command.check
        case AddCheck():
            return command.broken
        case DeleteRows(changed) | UpdateRows(changed) | MergeRows(changed):
            return changed.query
        case _:
            return None


def is_returning(command: Command) -> bool:
    """Whether a command answers with rows that it changed."""
    return isinstance(command, ChangingCommand) and command.changed.returning is not None
