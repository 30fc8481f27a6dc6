"""What a statement about versions, indexes and upkeep is once it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lancesql.errors import LanceSQLError, Span

from .cursor import NameSyntax, OptionSyntax

__all__ = [
    "AutoCleanupSyntax",
    "CreateReferenceSyntax",
    "DiffSyntax",
    "DropIndexSyntax",
    "DropReferenceSyntax",
    "OptimizeSyntax",
    "PrimaryKeySyntax",
    "RefreshIndexSyntax",
    "RestoreSyntax",
    "ShowHealthSyntax",
    "ShowHistorySyntax",
    "VacuumSyntax",
    "VersionSyntax",
]


@dataclass(frozen=True)
class VersionSyntax:
    """Which snapshot of a table is meant: a number, a tag, `timestamp:…` or `branch:…`."""

    reference: int | str
    span: Span


@dataclass(frozen=True)
class ShowHistorySyntax:
    """`SHOW VERSIONS | TAGS | BRANCHES ON name`."""

    what: Literal["versions", "tags", "branches"]
    name: NameSyntax


@dataclass(frozen=True)
class CreateReferenceSyntax:
    """`CREATE [OR REPLACE] TAG | BRANCH [IF NOT EXISTS] reference ON table [AS OF version]`."""

    table: NameSyntax
    reference: NameSyntax
    is_branch: bool
    version: VersionSyntax | None = None
    replace: bool = False
    if_not_exists: bool = False
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class DropReferenceSyntax:
    """`DROP TAG | BRANCH [IF EXISTS] reference ON table`."""

    table: NameSyntax
    reference: NameSyntax
    is_branch: bool
    if_exists: bool = False
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class RestoreSyntax:
    """`RESTORE TABLE name TO VERSION n`."""

    name: NameSyntax
    version: VersionSyntax | None
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class DiffSyntax:
    """`DIFF TABLE name BETWEEN VERSION a AND b`; `newer` is None for the newest."""

    name: NameSyntax
    older: VersionSyntax | None = None
    newer: VersionSyntax | None = None
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class DropIndexSyntax:
    """`DROP INDEX [IF EXISTS] name [ON table]`."""

    table: NameSyntax | None
    name: NameSyntax
    if_exists: bool = False
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class RefreshIndexSyntax:
    """`REINDEX name ON table` (rebuild), or `ALTER INDEX name ON table OPTIMIZE`; `name` is None for all of them."""

    table: NameSyntax
    name: NameSyntax | None
    rebuild: bool
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None
    if_exists: bool = False


@dataclass(frozen=True)
class OptimizeSyntax:
    """`OPTIMIZE [TABLE] name [WITH (…)]`."""

    name: NameSyntax
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class VacuumSyntax:
    """`VACUUM [LANCE] name [OLDER THAN …] [RETAIN n VERSIONS]`."""

    name: NameSyntax
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class ShowHealthSyntax:
    """`SHOW HEALTH | MAINTENANCE ON name`."""

    name: NameSyntax
    maintenance: bool = False


@dataclass(frozen=True)
class AutoCleanupSyntax:
    """`ALTER TABLE name SET AUTO_CLEANUP WITH (…)`; no options for UNSET."""

    name: NameSyntax
    options: tuple[OptionSyntax, ...] | None
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class PrimaryKeySyntax:
    """`ALTER TABLE name SET UNENFORCED PRIMARY KEY (…)`, or `ADD PRIMARY KEY (…)`, for which the rows are `checked`."""

    name: NameSyntax
    checked: bool
    columns: tuple[NameSyntax, ...] = ()
    problem: LanceSQLError | None = None
