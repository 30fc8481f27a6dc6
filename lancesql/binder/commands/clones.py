"""CREATE TABLE … CLONE, bound."""

from __future__ import annotations

from lancesql.errors import BindError, UnsupportedError
from lancesql.parser.commands import CloneTableSyntax
from lancesql.plan.commands import CloneTable

from .databases import unknown_database
from .tables import find_place
from .targets import CommandContext, require_target
from .versions import find_version

__all__ = ["bind_clone_table"]


def bind_clone_table(syntax: CloneTableSyntax, context: CommandContext) -> CloneTable:
    """The table to copy, and what the copy is called."""
    place = find_place(syntax, context)
    if place is None:
        if len(syntax.name.parts) > 1 and not context.catalog.engine_has_schema(syntax.name.parts[0]):
            raise unknown_database(syntax.name, context.catalog)
        raise UnsupportedError(
            "a clone is a Lance table", hint="CREATE TABLE … AS SELECT copies rows into DuckDB", span=syntax.name.span
        )
    name, existing = place
    table = require_target(syntax.source, context.catalog, "CREATE TABLE … AS SELECT * FROM it copies its rows")
    if syntax.version is not None:
        table = find_version(table, syntax.source, syntax.version, context)
    if syntax.shallow:
        if existing is not None and syntax.replace and existing.uri == table.uri:
            raise BindError(
                f"'{existing.name}' would read its own files after they are gone",
                hint=f"RESTORE TABLE {existing.name} TO VERSION n, or a DEEP CLONE",
                span=syntax.source.span,
            )
        if context.catalog.is_read_only(table.name):
            raise UnsupportedError(
                f"a shallow clone tags the version it reads, and the database of '{table.name}' is for reading only",
                hint="a DEEP CLONE copies it",
                span=syntax.source.span,
            )
    return CloneTable(name, table, syntax.shallow, syntax.replace, existing)
