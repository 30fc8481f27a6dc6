"""Statements about indexes: one frozen dataclass each."""

from __future__ import annotations

from dataclasses import dataclass, field

from lancesql.catalog import IndexInfo, TableInfo

__all__ = ["CreateIndex", "DropIndex", "IndexPlan", "RefreshIndexes", "ShowIndexes"]


@dataclass(frozen=True)
class CreateIndex:
    """`CREATE [OR REPLACE] INDEX [IF NOT EXISTS] [name] ON table (column) [USING kind] [WITH (options)]`.

    Attributes:
        options: What was given, checked, and what follows from it.
        given: Which of the options were given.
        chosen: Why it is that kind, where USING is left out.
    """

    table: TableInfo
    column: str
    kind: str
    name: str | None = None
    replace: bool = False
    if_not_exists: bool = False
    options: dict[str, object] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    chosen: str | None = None


@dataclass(frozen=True)
class IndexPlan:
    """An index as it is going to be built.

    Attributes:
        options: Every option it is built with.
        defaults: Which of them nobody gave.
        notes: What to know of it: why it is so, and what searches through it find.
        replaces: The index whose place it takes.
        stays: There is such an index, and it is left as it is.
    """

    table: TableInfo
    column: str
    kind: str
    name: str
    options: dict[str, object]
    defaults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    replaces: IndexInfo | None = None
    stays: bool = False


@dataclass(frozen=True)
class DropIndex:
    """`DROP INDEX [IF EXISTS] name ON table`."""

    table: TableInfo
    name: str


@dataclass(frozen=True)
class RefreshIndexes:
    """`REINDEX` and `ALTER INDEX … OPTIMIZE`: the rows that indexes do not know are added, or they are built anew.

    Attributes:
        mode: `append` puts the new rows beside the others, `merge` makes one part of all, `retrain` builds anew; None
            puts them into the newest part.
    """

    table: TableInfo
    names: tuple[str, ...]
    mode: str | None = None


@dataclass(frozen=True)
class ShowIndexes:
    """`SHOW INDEXES [ON table]`."""

    tables: tuple[TableInfo, ...]
