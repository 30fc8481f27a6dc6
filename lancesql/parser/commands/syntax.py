"""What a command is once it is read: one frozen dataclass for each, with the places of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lancesql.errors import LanceSQLError, Span

from .cursor import NameSyntax, OptionSyntax

__all__ = [
    "AnalyzeSyntax",
    "AssignmentSyntax",
    "AutoCleanupSyntax",
    "BranchSyntax",
    "CommandSyntax",
    "CreateIndexSyntax",
    "CreateReferenceSyntax",
    "CreateTableSyntax",
    "CreateViewSyntax",
    "DeleteSyntax",
    "DescribeSyntax",
    "DiffSyntax",
    "DropIndexSyntax",
    "DropReferenceSyntax",
    "DropTableSyntax",
    "DropViewSyntax",
    "ExplainSyntax",
    "InsertSyntax",
    "MergeSyntax",
    "OptimizeSyntax",
    "RefreshIndexSyntax",
    "RestoreSyntax",
    "SetSyntax",
    "ShowHealthSyntax",
    "ShowHistorySyntax",
    "ShowIndexesSyntax",
    "ShowSettingsSyntax",
    "ShowTablesSyntax",
    "TruncateSyntax",
    "UpdateSyntax",
    "VacuumSyntax",
    "VersionSyntax",
]


@dataclass(frozen=True)
class CreateTableSyntax:
    """`CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name [WITH (…)] AS body`."""

    name: NameSyntax
    body: Span
    replace: bool = False
    if_not_exists: bool = False
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class InsertSyntax:
    """`INSERT INTO name [(columns)] [BY NAME | BY POSITION] body`."""

    name: NameSyntax
    body: Span
    columns: tuple[NameSyntax, ...] = ()
    by_name: bool = False
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class AssignmentSyntax:
    """`column = value`; `value` is None for DEFAULT, and a text when it was not written but follows from what was."""

    column: NameSyntax
    value: Span | str | None


@dataclass(frozen=True)
class DeleteSyntax:
    """`[WITH …] DELETE FROM target [USING using] [WHERE where] [RETURNING returning]`.

    Attributes:
        name: The table.
        target: The name and its alias, as they stand.
        alias: What the table is called in the rest of the statement; None when it has no name of its own.
    """

    name: NameSyntax
    target: Span
    alias: str | None = None
    prefix: Span | None = None
    using: Span | None = None
    where: Span | None = None
    returning: Span | None = None
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class UpdateSyntax:
    """`[WITH …] UPDATE target SET assignments [FROM using] [WHERE where] [RETURNING …]`; as in `DeleteSyntax`."""

    name: NameSyntax
    target: Span
    alias: str | None = None
    assignments: tuple[AssignmentSyntax, ...] = ()
    prefix: Span | None = None
    using: Span | None = None
    where: Span | None = None
    returning: Span | None = None
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class BranchSyntax:
    """`WHEN [NOT] MATCHED [BY SOURCE | BY TARGET] [AND condition] THEN action` of a MERGE.

    Attributes:
        matched: `matched`, `source only` (WHEN NOT MATCHED) or `target only` (WHEN NOT MATCHED BY SOURCE).
        action: `update`, `delete`, `insert`, `nothing` or `error`.
        assignments: Of UPDATE SET and of INSERT (columns) VALUES (…).
        by: For UPDATE, INSERT and INSERT * without a list: which columns go together, by `name` or by `position`.
        span: Where WHEN stands.
    """

    matched: Literal["matched", "source only", "target only"]
    action: Literal["update", "delete", "insert", "nothing", "error"]
    span: Span
    condition: Span | None = None
    assignments: tuple[AssignmentSyntax, ...] = ()
    by: Literal["name", "position"] | None = None


@dataclass(frozen=True)
class MergeSyntax:
    """`[WITH …] MERGE INTO target USING source (ON on | USING (columns)) branches [RETURNING returning]`."""

    name: NameSyntax
    target: Span
    alias: str | None = None
    prefix: Span | None = None
    source: Span | None = None
    on: Span | None = None
    columns: tuple[NameSyntax, ...] = ()
    branches: tuple[BranchSyntax, ...] = ()
    returning: Span | None = None
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class TruncateSyntax:
    """`TRUNCATE [TABLE] name`."""

    name: NameSyntax
    problem: LanceSQLError | None = None


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
    """`DROP INDEX [IF EXISTS] name ON table`."""

    table: NameSyntax
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
class CreateViewSyntax:
    """`CREATE [OR REPLACE] [TEMP] VIEW [IF NOT EXISTS] name [(columns)] AS body`."""

    name: NameSyntax
    body: Span
    columns: tuple[NameSyntax, ...] = ()
    replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True)
class DropViewSyntax:
    """`DROP VIEW [IF EXISTS] name`."""

    name: NameSyntax


@dataclass(frozen=True)
class DropTableSyntax:
    """`DROP TABLE [IF EXISTS] name`."""

    name: NameSyntax
    if_exists: bool = False
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class CreateIndexSyntax:
    """`CREATE [OR REPLACE] INDEX [IF NOT EXISTS] [name] ON table (column) USING kind [WITH (…)]`.

    `kind` and `column` are None when `problem` stopped the reading before them.
    """

    table: NameSyntax
    name: NameSyntax | None = None
    replace: bool = False
    if_not_exists: bool = False
    kind: NameSyntax | None = None
    column: NameSyntax | None = None
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class ShowTablesSyntax:
    """`SHOW TABLES`."""


@dataclass(frozen=True)
class ShowIndexesSyntax:
    """`SHOW INDEXES ON name`."""

    name: NameSyntax


@dataclass(frozen=True)
class DescribeSyntax:
    """`DESCRIBE name`, or `SHOW EMBEDDINGS`, which may be the name of a table."""

    name: NameSyntax
    shows_embeddings: bool = False


@dataclass(frozen=True)
class AnalyzeSyntax:
    """`ANALYZE name`."""

    name: NameSyntax


@dataclass(frozen=True)
class SetSyntax:
    """`SET lancesql.name = value`; `value_span` is None for RESET and DEFAULT."""

    name: NameSyntax
    value: object = None
    value_span: Span | None = None


@dataclass(frozen=True)
class ShowSettingsSyntax:
    """`SHOW lancesql SETTINGS`, or `SHOW lancesql.name`."""

    name: NameSyntax | None = None


@dataclass(frozen=True)
class ExplainSyntax:
    """`EXPLAIN [ANALYZE | (ANALYZE, RECALL)] body`."""

    analyze: bool
    body: Span
    recall: bool = False


CommandSyntax = (
    AnalyzeSyntax
    | AutoCleanupSyntax
    | DropIndexSyntax
    | OptimizeSyntax
    | RefreshIndexSyntax
    | ShowHealthSyntax
    | VacuumSyntax
    | CreateReferenceSyntax
    | DiffSyntax
    | DropReferenceSyntax
    | RestoreSyntax
    | ShowHistorySyntax
    | DeleteSyntax
    | MergeSyntax
    | TruncateSyntax
    | UpdateSyntax
    | CreateTableSyntax
    | CreateViewSyntax
    | DropViewSyntax
    | InsertSyntax
    | DropTableSyntax
    | CreateIndexSyntax
    | ShowTablesSyntax
    | ShowIndexesSyntax
    | DescribeSyntax
    | SetSyntax
    | ShowSettingsSyntax
    | ExplainSyntax
)
