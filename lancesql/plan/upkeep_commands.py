"""Statements about versions and upkeep: one frozen dataclass each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lancesql.catalog import TableInfo
from lancesql.errors import Span

__all__ = [
    "CreateReference",
    "DiffTable",
    "DropReference",
    "OptimizeTable",
    "RestoreTable",
    "SetAutoCleanup",
    "ShowHealth",
    "ShowHistory",
    "VacuumTable",
]


@dataclass(frozen=True)
class ShowHistory:
    """`SHOW VERSIONS | TAGS | BRANCHES ON table`."""

    table: TableInfo
    what: Literal["versions", "tags", "branches"]


@dataclass(frozen=True)
class CreateReference:
    """`CREATE TAG | BRANCH name ON table AS OF …`: `table` is at the version the name is given to.

    Attributes:
        span: Where the name stands.
    """

    table: TableInfo
    name: str
    is_branch: bool
    replace: bool = False
    if_not_exists: bool = False
    span: Span | None = None


@dataclass(frozen=True)
class DropReference:
    """`DROP TAG | BRANCH [IF EXISTS] name ON table`; `span` is where the name stands."""

    table: TableInfo
    name: str
    is_branch: bool
    if_exists: bool = False
    span: Span | None = None


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
class OptimizeTable:
    """`OPTIMIZE table`: fragments are put together, then each index learns the rows it does not know.

    Attributes:
        options: How they are put together: `target_rows` of a fragment, `materialize_deletions`, …
    """

    table: TableInfo
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class VacuumTable:
    """`VACUUM table`: versions older than `seconds`, all but the newest `retain`, or those before `before` go.

    Attributes:
        unverified: Files of the last days that no version knows go too: what a killed writer left.
        strict: A tag that keeps a version is an error.
    """

    table: TableInfo
    seconds: float | None = None
    retain: int | None = None
    before: int | None = None
    unverified: bool = False
    strict: bool = False


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
