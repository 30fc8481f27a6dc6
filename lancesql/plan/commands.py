"""Statements that are not queries: one frozen dataclass each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from lancesql.catalog import TableInfo, View

from .composition import Composition
from .query import QueryPlan

__all__ = [
    "AnalyzeTable",
    "ChangeSetting",
    "ChangedRows",
    "ChangingCommand",
    "Command",
    "CreateIndex",
    "CreateReference",
    "CreateTable",
    "CreateView",
    "DefineTable",
    "DeleteRows",
    "DescribeTable",
    "DiffTable",
    "DropIndex",
    "DropReference",
    "DropTable",
    "DropView",
    "Explain",
    "InsertInto",
    "MergeBranch",
    "MergeRows",
    "OptimizeTable",
    "RefreshIndexes",
    "RestoreTable",
    "SetAutoCleanup",
    "SettingCommand",
    "ShowEmbeddings",
    "ShowHealth",
    "ShowHistory",
    "ShowIndexes",
    "ShowSettings",
    "ShowTables",
    "TruncateTable",
    "UpdateRows",
    "VacuumTable",
    "ViewCommand",
    "find_query",
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
        returning: The columns behind RETURNING, or "".
    """

    table: TableInfo
    query: QueryPlan
    composition: Composition
    alias: str
    returning: str = ""


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
        first: Which column of the query is the value of the first of them.
    """

    action: Literal["update", "delete", "insert", "nothing", "error"]
    columns: tuple[str, ...] = ()
    first: int = 0


@dataclass(frozen=True)
class MergeRows:
    """`MERGE INTO table …`: behind the row's id the query gives the number of the branch, then the values of all.

    Attributes:
        keys: The columns by which rows are found: what is inserted has each key once, and no NULL.
        by_keys: Nothing but the keys decides which rows are a pair.
    """

    changed: ChangedRows
    branches: tuple[MergeBranch, ...]
    keys: tuple[str, ...] = ()
    by_keys: bool = False


@dataclass(frozen=True)
class TruncateTable:
    """`TRUNCATE table`, or DELETE without a condition: every row goes."""

    table: TableInfo


@dataclass(frozen=True)
class CreateView:
    """`CREATE [OR REPLACE] VIEW name [(columns)] AS query`, kept by the session."""

    view: View


@dataclass(frozen=True)
class DropView:
    """`DROP VIEW [IF EXISTS] name`."""

    name: str


@dataclass(frozen=True)
class DropTable:
    """`DROP TABLE [IF EXISTS] name`; `table` is None when it does not exist and need not."""

    name: str
    table: TableInfo | None


@dataclass(frozen=True)
class CreateIndex:
    """`CREATE [OR REPLACE] INDEX [IF NOT EXISTS] [name] ON table (column) USING kind WITH (options)`."""

    table: TableInfo
    column: str
    kind: str
    name: str | None = None
    replace: bool = False
    if_not_exists: bool = False
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ShowEmbeddings:
    """`SHOW EMBEDDINGS`: the functions of the session, and those of the tables' metadata."""


@dataclass(frozen=True)
class ShowTables:
    """`SHOW TABLES`; the views of the session are listed with them."""

    views: tuple[View, ...] = ()


@dataclass(frozen=True)
class ShowIndexes:
    """`SHOW INDEXES ON table`."""

    table: TableInfo


@dataclass(frozen=True)
class DescribeTable:
    """`DESCRIBE table`."""

    table: TableInfo


@dataclass(frozen=True)
class AnalyzeTable:
    """`ANALYZE table`: measures its vector indexes."""

    table: TableInfo


@dataclass(frozen=True)
class ShowHistory:
    """`SHOW VERSIONS | TAGS | BRANCHES ON table`."""

    table: TableInfo
    what: Literal["versions", "tags", "branches"]


@dataclass(frozen=True)
class CreateReference:
    """`CREATE TAG | BRANCH name ON table AS OF …`: `table` is at the version the name is given to."""

    table: TableInfo
    name: str
    is_branch: bool
    replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True)
class DropReference:
    """`DROP TAG | BRANCH [IF EXISTS] name ON table`."""

    table: TableInfo
    name: str
    is_branch: bool
    if_exists: bool = False


@dataclass(frozen=True)
class RestoreTable:
    """`RESTORE TABLE table TO VERSION n`: `table` is at that version."""

    table: TableInfo


@dataclass(frozen=True)
class DiffTable:
    """`DIFF TABLE table BETWEEN VERSION a AND b`."""

    older: TableInfo
    newer: TableInfo


@dataclass(frozen=True)
class DropIndex:
    """`DROP INDEX [IF EXISTS] name ON table`."""

    table: TableInfo
    name: str


@dataclass(frozen=True)
class RefreshIndexes:
    """`REINDEX` and `ALTER INDEX … OPTIMIZE`: the rows that indexes do not know are added, or they are built anew."""

    table: TableInfo
    names: tuple[str, ...]
    retrain: bool = False


@dataclass(frozen=True)
class OptimizeTable:
    """`OPTIMIZE table`: fragments are put together, then each index learns the rows it does not know."""

    table: TableInfo
    target_rows: int | None = None


@dataclass(frozen=True)
class VacuumTable:
    """`VACUUM table`: versions older than `seconds`, all but the newest `retain`, or those before `before` go."""

    table: TableInfo
    seconds: float | None = None
    retain: int | None = None
    before: int | None = None
    unverified: bool = False


@dataclass(frozen=True)
class ShowHealth:
    """`SHOW HEALTH ON table`, or `SHOW MAINTENANCE ON table`."""

    table: TableInfo
    maintenance: bool = False


@dataclass(frozen=True)
class SetAutoCleanup:
    """`ALTER TABLE table SET AUTO_CLEANUP`: every `interval` versions, those older than `seconds` go; None ends it."""

    table: TableInfo
    interval: int | None
    seconds: float | None = None
    retain: int | None = None


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
    | ShowTables
    | ShowIndexes
    | DescribeTable
)
ChangingCommand = DeleteRows | UpdateRows | MergeRows
"""Commands that are run again when somebody else has changed the same rows meanwhile."""
SettingCommand = ChangeSetting | ShowSettings
ViewCommand = CreateView | DropView


@dataclass(frozen=True)
class Explain:
    """`EXPLAIN [(ANALYZE, RECALL)]` of a plan."""

    plan: QueryPlan | Command | SettingCommand | ViewCommand
    analyze: bool = False
    recall: bool = False


def find_query(command: Command | SettingCommand | ViewCommand) -> QueryPlan | None:
    """The query within a command; None when there is none."""
    match command:
        case CreateTable() | InsertInto():
            return command.query
        case DeleteRows(changed) | UpdateRows(changed) | MergeRows(changed):
            return changed.query
        case _:
            return None
