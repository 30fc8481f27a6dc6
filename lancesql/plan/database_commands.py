"""Statements about databases, and copies of tables: one frozen dataclass each."""

from __future__ import annotations

from dataclasses import dataclass, field

from lancesql.catalog import DatabaseInfo, TableInfo, VersionRef
from lancesql.errors import Span

__all__ = ["AttachDatabase", "CloneTable", "DetachDatabase", "ShowDatabases", "UseDatabase"]


@dataclass(frozen=True)
class AttachDatabase:
    """`ATTACH 'path' AS name (TYPE LANCE)`; `path` is None when it is attached already, and may be.

    Attributes:
        snapshot: The version at which every table is read; None for the newest.
    """

    name: str
    path: str | None
    read_only: bool = False
    storage_options: dict[str, str] | None = field(default=None, repr=False)
    path_span: Span | None = field(default=None, repr=False, compare=False)
    snapshot: VersionRef | None = None


@dataclass(frozen=True)
class DetachDatabase:
    """`DETACH name`."""

    name: str


@dataclass(frozen=True)
class UseDatabase:
    """`USE name`.

    Attributes:
        statement: What the engine is told before, when it is a database of its own; plain names are then again those
            of the session's own Lance database.
    """

    name: str
    statement: str = ""


@dataclass(frozen=True)
class ShowDatabases:
    """`SHOW DATABASES`."""

    databases: tuple[DatabaseInfo, ...]
    engine_databases: tuple[DatabaseInfo, ...]


@dataclass(frozen=True)
class CloneTable:
    """`CREATE [OR REPLACE] TABLE name [SHALLOW | DEEP] CLONE source`; `source` is at the version that is cloned.

    Attributes:
        existing: The table of that name that is there.
    """

    name: str
    source: TableInfo
    shallow: bool = False
    replace: bool = False
    existing: TableInfo | None = None
