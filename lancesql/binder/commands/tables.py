"""CREATE TABLE and DROP TABLE, bound."""

from __future__ import annotations

import re

from lancesql.binder.options import Flag, Names, Option, read_options
from lancesql.binder.tables import LANCE_SCHEMA, is_lance_path, require_table
from lancesql.errors import (
    AmbiguousNameError,
    BindError,
    UnknownTableError,
)
from lancesql.parser.commands import CreateTableSyntax, DropTableSyntax
from lancesql.plan.commands import CreateTable, DropTable

from .targets import CommandContext, find_target, read_lance_name, show_rivals

__all__ = ["bind_create_table", "bind_drop_table"]

_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_TABLE_OPTIONS: dict[str, Option] = {"float16": Names(), "vectors": Flag()}


def bind_create_table(syntax: CreateTableSyntax, context: CommandContext) -> CreateTable | None:
    """The new table; None when it is DuckDB's."""
    name, explicit = read_lance_name(syntax.name)
    if name is None or (not explicit and not context.has_database):
        return None
    is_path = is_lance_path(name)
    if not context.has_database and not is_path:
        raise BindError(
            "this connection has no Lance database",
            hint="open one: lancesql.connect('directory')",
            span=syntax.name.span,
        )
    existing = context.catalog.find_table(name)
    if existing is None and explicit and context.catalog.engine_tables(f"{LANCE_SCHEMA}.{name}"):
        return None
    if syntax.problem is not None:
        raise syntax.problem
    if not explicit and (rivals := context.catalog.engine_tables(name)):
        raise AmbiguousNameError(
            f"'{name}' is a DuckDB table already", hint=show_rivals(name, rivals), span=syntax.name.span
        )
    if not is_path and not _TABLE_NAME.fullmatch(name):
        raise BindError(
            f"'{name}' cannot be the name of a Lance table",
            hint="letters, digits, '_', '-' and '.' can",
            span=syntax.name.span,
        )
    context.refuse_writing(syntax.name.span)
    if existing is not None and not syntax.replace and not syntax.if_not_exists:
        raise BindError(
            f"table '{existing.name}' exists already",
            hint=f"CREATE OR REPLACE TABLE {existing.name}, or INSERT INTO it",
            span=syntax.name.span,
        )
    options, _ = read_options(syntax.options, _TABLE_OPTIONS, "CREATE TABLE")
    return CreateTable(
        name=existing.name if existing is not None else name,
        query=context.bind_query(syntax.body),
        replace=syntax.replace,
        if_not_exists=syntax.if_not_exists,
        options=options,
    )


def bind_drop_table(syntax: DropTableSyntax, context: CommandContext) -> DropTable | None:
    """The table to drop; None when it is DuckDB's."""
    name, explicit = read_lance_name(syntax.name)
    if name is None or (not explicit and not context.has_database):
        return None
    try:
        table = find_target(syntax.name, context.catalog)
    except UnknownTableError:
        if not syntax.if_exists:
            raise
        table = None
    if table is None:
        if context.catalog.engine_tables(f"{LANCE_SCHEMA}.{name}" if explicit else name):
            return None
        if not syntax.if_exists:
            require_table(name, syntax.name.span, context.catalog, None)
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.name.span)
    return DropTable(name if table is None else table.name, table)
