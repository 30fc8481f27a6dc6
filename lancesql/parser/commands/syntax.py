"""What a command is once it is read: one frozen dataclass for each, with the places of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lancesql.errors import LanceSQLError, Span

from .copy_syntax import CopyDatabaseSyntax, CopySyntax
from .cursor import NameSyntax, OptionSyntax
from .database_syntax import AttachSyntax, CloneTableSyntax, DetachSyntax, ShowDatabasesSyntax, UseSyntax
from .row_syntax import DeleteSyntax, InsertSyntax, MergeSyntax, TruncateSyntax, UpdateSyntax
from .upkeep_syntax import (
    AutoCleanupSyntax,
    CreateReferenceSyntax,
    DiffSyntax,
    DropIndexSyntax,
    DropReferenceSyntax,
    OptimizeSyntax,
    PrimaryKeySyntax,
    RefreshIndexSyntax,
    RestoreSyntax,
    ShowHealthSyntax,
    ShowHistorySyntax,
    VacuumSyntax,
)

__all__ = [
    "AlterSyntax",
    "AnalyzeSyntax",
    "CommandSyntax",
    "CommentSyntax",
    "ConstraintSyntax",
    "CreateIndexSyntax",
    "CreateTableSyntax",
    "CreateViewSyntax",
    "DescribeSyntax",
    "DropTableSyntax",
    "DropViewSyntax",
    "ExplainSyntax",
    "IndexFamily",
    "SetSyntax",
    "ShowConstraintsSyntax",
    "ShowIndexesSyntax",
    "ShowSettingsSyntax",
    "ShowTablesSyntax",
]

IndexFamily = Literal["vector", "text"]


@dataclass(frozen=True)
class CreateTableSyntax:
    """`CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name [WITH (…)] AS body`, or `name (columns)`.

    Attributes:
        body: The query, or what stands between the brackets when there is none.
        is_defined: Whether the columns are defined.
    """

    name: NameSyntax
    body: Span
    replace: bool = False
    if_not_exists: bool = False
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None
    is_defined: bool = False


@dataclass(frozen=True)
class AlterSyntax:
    """`ALTER TABLE name …`: a column is added, dropped, renamed or changed, or the table is renamed.

    Attributes:
        definition: `column TYPE …` of ADD, or the type of ALTER COLUMN.
        value: The expression of `ADD … AS`, of SET DEFAULT and of `TYPE … USING`.
        target: The new name.
        cascade: Indexes of the column are built anew; checks that name one that is dropped go.
    """

    name: NameSyntax
    action: Literal["add", "drop", "rename", "rename table", "type", "set not null", "drop not null", "default"]
    column: NameSyntax | None = None
    definition: Span | None = None
    value: Span | None = None
    target: NameSyntax | None = None
    if_exists: bool = False
    problem: LanceSQLError | None = None
    cascade: bool = False


@dataclass(frozen=True)
class ConstraintSyntax:
    """`ALTER TABLE name ADD [CONSTRAINT constraint] CHECK (check)`, or `DROP CONSTRAINT [IF EXISTS] constraint`."""

    name: NameSyntax
    constraint: NameSyntax | None = None
    check: Span | None = None
    if_exists: bool = False
    problem: LanceSQLError | None = None


@dataclass(frozen=True)
class CommentSyntax:
    """`COMMENT ON TABLE name IS text`, or `COMMENT ON COLUMN name.column IS text`."""

    name: NameSyntax
    column: NameSyntax | None
    text: str | None


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
    """`CREATE [OR REPLACE] INDEX [IF NOT EXISTS] [name] ON table (column) [USING kind] [WITH (…)]`.

    Attributes:
        kind: None when USING is left out.
        column: None when `problem` stopped the reading before it.
        opclass: `vector_cosine_ops` of `(column vector_cosine_ops)`.
        family: What `CREATE VECTOR INDEX` and `CREATE SEARCH INDEX` ask for.
    """

    table: NameSyntax
    name: NameSyntax | None = None
    replace: bool = False
    if_not_exists: bool = False
    kind: NameSyntax | None = None
    column: NameSyntax | None = None
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None
    opclass: NameSyntax | None = None
    family: IndexFamily | None = None


@dataclass(frozen=True)
class ShowTablesSyntax:
    """`SHOW TABLES [FROM database]`."""

    database: NameSyntax | None = None


@dataclass(frozen=True)
class ShowConstraintsSyntax:
    """`SHOW CONSTRAINTS ON name`."""

    name: NameSyntax


@dataclass(frozen=True)
class ShowIndexesSyntax:
    """`SHOW INDEXES [ON name]`."""

    name: NameSyntax | None


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
    """`EXPLAIN [ANALYZE] [(FORMAT TEXT | JSON, ANALYZE, RECALL, SQL)] body`; `problem` is one of the options."""

    analyze: bool
    body: Span
    recall: bool = False
    format: Literal["text", "json", "sql"] = "text"
    problem: LanceSQLError | None = None


CommandSyntax = (
    AnalyzeSyntax
    | AttachSyntax
    | CloneTableSyntax
    | DetachSyntax
    | ShowDatabasesSyntax
    | UseSyntax
    | AlterSyntax
    | CommentSyntax
    | ConstraintSyntax
    | CopyDatabaseSyntax
    | CopySyntax
    | AutoCleanupSyntax
    | PrimaryKeySyntax
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
    | ShowConstraintsSyntax
    | ShowIndexesSyntax
    | DescribeSyntax
    | SetSyntax
    | ShowSettingsSyntax
    | ExplainSyntax
)
