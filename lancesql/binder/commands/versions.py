"""Statements about versions, tags and branches, bound."""

from __future__ import annotations

import re

from lancesql.binder.tables import resolve_moment
from lancesql.catalog import MAIN_BRANCH, TableInfo
from lancesql.errors import BindError, LanceSQLError, Span, UnsupportedError
from lancesql.parser.commands import (
    CreateReferenceSyntax,
    DiffSyntax,
    DropReferenceSyntax,
    NameSyntax,
    RestoreSyntax,
    ShowHistorySyntax,
    VersionSyntax,
)
from lancesql.plan.commands import CreateReference, DiffTable, DropReference, RestoreTable, ShowHistory

from .targets import CommandContext, find_target, require_target

__all__ = [
    "bind_create_reference",
    "bind_diff",
    "bind_drop_reference",
    "bind_restore",
    "bind_show_history",
    "find_version",
]

_REFERENCE = re.compile(r"[A-Za-z0-9._-]+")
_MOMENT = "timestamp:"
_LONGEST = 200
_NOT_LANCE = "only Lance tables have versions"


def bind_show_history(syntax: ShowHistorySyntax, context: CommandContext) -> ShowHistory:
    """The table whose history is asked for."""
    return ShowHistory(require_target(syntax.name, context.catalog, _NOT_LANCE), syntax.what)


def bind_create_reference(syntax: CreateReferenceSyntax, context: CommandContext) -> CreateReference:
    """The name that a version is given."""
    table = require_target(syntax.table, context.catalog, _NOT_LANCE)
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.table)
    name = syntax.reference.parts[0]
    _check_reference(name, syntax)
    if syntax.version is not None:
        table = find_version(table, syntax.table, syntax.version, context)
    span = syntax.reference.span
    return CreateReference(table, name, syntax.is_branch, syntax.replace, syntax.if_not_exists, span)


def _check_reference(name: str, syntax: CreateReferenceSyntax) -> None:
    """Refuses a name that Lance refuses, or that is too long for the name of a file."""
    hint = None
    if not _REFERENCE.fullmatch(name):
        hint = "letters, digits, '_', '-' and '.' can"
    elif name.startswith(".") or name.endswith((".", ".lock")) or ".." in name:
        hint = "no '.' at either end, no '..', and no '.lock' at the end"
    elif len(name) > _LONGEST:
        name, hint = f"{name[:40]}…", f"{_LONGEST} characters are the most, and these are {len(name):,}"
    elif syntax.is_branch and name == MAIN_BRANCH:
        hint = "Lance calls the table itself so"
    if hint is not None:
        kind = "branch" if syntax.is_branch else "tag"
        raise BindError(f"'{name}' cannot be the name of a {kind}", hint=hint, span=syntax.reference.span)


def bind_drop_reference(syntax: DropReferenceSyntax, context: CommandContext) -> DropReference:
    """The name that is taken away."""
    table = require_target(syntax.table, context.catalog, _NOT_LANCE)
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.table)
    name = syntax.reference
    return DropReference(table, name.parts[0], syntax.is_branch, syntax.if_exists, name.span)


def bind_restore(syntax: RestoreSyntax, context: CommandContext) -> RestoreTable:
    """The version to go back to."""
    table = require_target(syntax.name, context.catalog, _NOT_LANCE)
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.name)
    assert syntax.version is not None
    found = find_version(table, syntax.name, syntax.version, context)
    if found.uri != table.uri:
        raise UnsupportedError(
            f"'{table.name}' cannot go back to a version of a branch",
            hint=f"INSERT INTO {table.name} SELECT … FROM {table.name} AT (BRANCH => '…') takes rows over",
            span=syntax.version.span,
        )
    return RestoreTable(found)


def bind_diff(syntax: DiffSyntax, context: CommandContext) -> DiffTable | None:
    """The two versions to compare."""
    newest = find_target(syntax.name, context.catalog)
    if newest is None:
        newest = require_target(syntax.name, context.catalog, _NOT_LANCE)
    if syntax.problem is not None:
        raise syntax.problem
    assert syntax.older is not None
    older = find_version(newest, syntax.name, syntax.older, context)
    newer = newest if syntax.newer is None else find_version(newest, syntax.name, syntax.newer, context)
    return DiffTable(older, newer)


def find_version(table: TableInfo, name: NameSyntax, version: VersionSyntax, context: CommandContext) -> TableInfo:
    """A table at another version; the error of one that it does not have stands where it is written."""
    reference = version.reference
    try:
        if isinstance(reference, str) and reference.startswith(_MOMENT):
            text = reference.removeprefix(_MOMENT).replace("'", "''")
            reference = resolve_moment(f"'{text}'", context.catalog)
        found = context.catalog.find_table(table.name, reference)
    except LanceSQLError as error:
        error.span = error.span or version.span
        raise
    if found is None:
        raise BindError(f"table '{table.name}' is gone", span=Span(*name.span))
    return found
