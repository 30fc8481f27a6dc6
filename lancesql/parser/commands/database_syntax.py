"""What a command about databases is once it is read, and a clone of a table."""

from __future__ import annotations

from dataclasses import dataclass

from lancesql.errors import LanceSQLError, Span

from .cursor import NameSyntax, OptionSyntax
from .upkeep_syntax import VersionSyntax

__all__ = ["AttachSyntax", "CloneTableSyntax", "DetachSyntax", "ShowDatabasesSyntax", "UseSyntax"]


@dataclass(frozen=True)
class AttachSyntax:
    """`ATTACH [OR REPLACE] [DATABASE] [IF NOT EXISTS] 'path' [AS name] (TYPE LANCE, …)`.

    Attributes:
        path: Where the database lies.
        is_lance: Whether it says TYPE LANCE; DuckDB attaches the others.
        type: The type it says.
        options: All but TYPE.
    """

    path: str
    path_span: Span
    is_lance: bool
    name: NameSyntax | None = None
    if_not_exists: bool = False
    replace: bool = False
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None
    type: NameSyntax | None = None


@dataclass(frozen=True)
class DetachSyntax:
    """`DETACH [DATABASE] [IF EXISTS] name`."""

    name: NameSyntax
    if_exists: bool = False


@dataclass(frozen=True)
class UseSyntax:
    """`USE name`."""

    name: NameSyntax


@dataclass(frozen=True)
class ShowDatabasesSyntax:
    """`SHOW DATABASES`."""


@dataclass(frozen=True)
class CloneTableSyntax:
    """`CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name [SHALLOW | DEEP] CLONE source [AT …]`."""

    name: NameSyntax
    source: NameSyntax
    version: VersionSyntax | None = None
    shallow: bool = False
    replace: bool = False
    if_not_exists: bool = False
    problem: LanceSQLError | None = None
