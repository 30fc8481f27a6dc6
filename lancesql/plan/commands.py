"""Statements that are not queries: one frozen dataclass each."""

from __future__ import annotations

from dataclasses import dataclass, field

from lancesql.catalog import TableInfo, View

from .query import QueryPlan

__all__ = [
    "AnalyzeTable",
    "ChangeSetting",
    "Command",
    "CreateIndex",
    "CreateTable",
    "CreateView",
    "DescribeTable",
    "DropTable",
    "DropView",
    "Explain",
    "InsertInto",
    "SettingCommand",
    "ShowIndexes",
    "ShowSettings",
    "ShowTables",
    "ViewCommand",
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
class InsertInto:
    """`INSERT INTO table [(columns)] [BY NAME] query`."""

    table: TableInfo
    query: QueryPlan
    columns: tuple[str, ...] = ()
    by_name: bool = False


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
class ChangeSetting:
    """`SET lancesql.name = value`, or `RESET`, whose value is the default."""

    name: str
    value: object


@dataclass(frozen=True)
class ShowSettings:
    """`SHOW lancesql SETTINGS`, or one of them."""

    name: str | None = None


Command = AnalyzeTable | CreateTable | InsertInto | DropTable | CreateIndex | ShowTables | ShowIndexes | DescribeTable
SettingCommand = ChangeSetting | ShowSettings
ViewCommand = CreateView | DropView


@dataclass(frozen=True)
class Explain:
    """`EXPLAIN [(ANALYZE, RECALL)]` of a plan."""

    plan: QueryPlan | Command | SettingCommand | ViewCommand
    analyze: bool = False
    recall: bool = False
