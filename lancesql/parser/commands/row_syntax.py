"""What a statement that writes rows is once it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lancesql.errors import LanceSQLError, Span

from .cursor import NameSyntax

__all__ = [
    "AssignmentSyntax",
    "BranchSyntax",
    "ConflictSyntax",
    "DeleteSyntax",
    "InsertSyntax",
    "MergeSyntax",
    "TruncateSyntax",
    "UpdateSyntax",
]


@dataclass(frozen=True)
class AssignmentSyntax:
    """`column = value`; `value` is None for DEFAULT, and a text when it was not written but follows from what was."""

    column: NameSyntax
    value: Span | str | None


@dataclass(frozen=True)
class ConflictSyntax:
    """`ON CONFLICT [(columns)] DO NOTHING | DO UPDATE SET assignments [WHERE where]`.

    Attributes:
        columns: The key; the primary key when there are none.
        everything: Every column is set, as INSERT OR REPLACE does.
    """

    action: Literal["update", "nothing"]
    span: Span
    columns: tuple[NameSyntax, ...] = ()
    assignments: tuple[AssignmentSyntax, ...] = ()
    where: Span | None = None
    everything: bool = False


@dataclass(frozen=True)
class InsertSyntax:
    """`[WITH …] INSERT INTO name [(columns)] [BY NAME | BY POSITION] body [ON CONFLICT …] [RETURNING returning]`.

    Attributes:
        body: The query; None for DEFAULT VALUES.
        conflict: What is done with rows whose key is there already.
    """

    name: NameSyntax
    body: Span | None
    columns: tuple[NameSyntax, ...] = ()
    by_name: bool = False
    problem: LanceSQLError | None = None
    alias: str | None = None
    prefix: Span | None = None
    conflict: ConflictSyntax | None = None
    returning: Span | None = None


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
        message: Behind ERROR.
    """

    matched: Literal["matched", "source only", "target only"]
    action: Literal["update", "delete", "insert", "nothing", "error"]
    span: Span
    condition: Span | str | None = None
    assignments: tuple[AssignmentSyntax, ...] = ()
    by: Literal["name", "position"] | None = None
    message: Span | None = None


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
