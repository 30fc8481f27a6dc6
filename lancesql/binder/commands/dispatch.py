"""CommandSyntax + catalog → Command: whose table a name is, and whether what is asked of it fits."""

from __future__ import annotations

from collections.abc import Callable

from lancesql.binder.views import bind_create_view, bind_drop_view
from lancesql.catalog import Catalog
from lancesql.errors import Span
from lancesql.parser.commands import (
    AnalyzeSyntax,
    CommandSyntax,
    CreateIndexSyntax,
    CreateTableSyntax,
    CreateViewSyntax,
    DescribeSyntax,
    DropTableSyntax,
    DropViewSyntax,
    InsertSyntax,
    SetSyntax,
    ShowIndexesSyntax,
    ShowSettingsSyntax,
    ShowTablesSyntax,
)
from lancesql.plan.commands import (
    AnalyzeTable,
    ChangeSetting,
    Command,
    DescribeTable,
    SettingCommand,
    ShowIndexes,
    ShowSettings,
    ShowTables,
    ViewCommand,
)
from lancesql.plan.query import QueryPlan
from lancesql.settings import Settings, check_setting, find_setting

from .indexes import bind_create_index
from .rows import bind_insert
from .tables import bind_create_table, bind_drop_table
from .targets import CommandContext, find_target, require_target

__all__ = ["bind_command"]


def bind_command(
    syntax: CommandSyntax,
    catalog: Catalog,
    bind_query: Callable[[Span], QueryPlan],
    read_only: bool,
    has_database: bool = True,
) -> Command | SettingCommand | ViewCommand | None:
    """Resolves the names of a command.

    Args:
        syntax: The command, read.
        catalog: Answers about names.
        bind_query: Plans the query that stands at a place of the statement.
        read_only: Refuse what writes.
        has_database: Whether there is a Lance database that plain names can mean.

    Returns:
        The command, or None when its table is none of Lance: DuckDB runs the text.

    Raises:
        BindError: When a name, an option or a type does not fit.
        UnsupportedError: When the command is understood and refused.
    """
    context = CommandContext(catalog, bind_query, read_only, has_database)
    match syntax:
        case CreateTableSyntax():
            return bind_create_table(syntax, context)
        case InsertSyntax():
            return bind_insert(syntax, context)
        case DropTableSyntax():
            return bind_drop_table(syntax, context)
        case CreateViewSyntax():
            return bind_create_view(syntax, bind_query(syntax.body), catalog)
        case DropViewSyntax():
            return bind_drop_view(syntax, catalog)
        case CreateIndexSyntax():
            return bind_create_index(syntax, context)
        case ShowTablesSyntax():
            return ShowTables(tuple(catalog.views())) if has_database else None
        case ShowIndexesSyntax(name):
            return ShowIndexes(
                require_target(name, catalog, "SELECT * FROM duckdb_indexes() lists the indexes of DuckDB")
            )
        case DescribeSyntax(name):
            table = find_target(name, catalog)
            return None if table is None else DescribeTable(table)
        case AnalyzeSyntax(name):
            table = find_target(name, catalog)
            if table is not None:
                context.refuse_writing(name.span)
            return None if table is None else AnalyzeTable(table)
        case SetSyntax():
            return _bind_set(syntax)
        case ShowSettingsSyntax(given):
            return ShowSettings(None if given is None else find_setting(given.parts[0], given.span))
        case _:
            return None


def _bind_set(syntax: SetSyntax) -> ChangeSetting:
    name = find_setting(syntax.name.parts[0], syntax.name.span)
    if syntax.value_span is None:
        return ChangeSetting(name, getattr(Settings(), name))
    return ChangeSetting(name, check_setting(name, syntax.value, syntax.value_span))
