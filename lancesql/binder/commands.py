"""CommandSyntax + catalog → Command: whose table a name is, and whether what is asked of it fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from lancesql.catalog import Catalog, TableInfo
from lancesql.errors import (
    AmbiguousNameError,
    ArgumentError,
    BindError,
    Span,
    UnknownColumnError,
    UnknownTableError,
    UnsupportedError,
    nearest_name,
)
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
    NameSyntax,
    SetSyntax,
    ShowIndexesSyntax,
    ShowSettingsSyntax,
    ShowTablesSyntax,
)
from lancesql.plan.commands import (
    AnalyzeTable,
    ChangeSetting,
    Command,
    CreateIndex,
    CreateTable,
    DescribeTable,
    DropTable,
    InsertInto,
    SettingCommand,
    ShowIndexes,
    ShowSettings,
    ShowTables,
    ViewCommand,
)
from lancesql.plan.query import QueryPlan
from lancesql.settings import Settings, check_setting, find_setting

from .index_kinds import INDEX_KINDS, Flag, Names, Option, check_column, find_kind, read_options, refuse_nested
from .tables import LANCE_SCHEMA, is_lance_path, require_table
from .views import bind_create_view, bind_drop_view

__all__ = ["bind_command"]

_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_TABLE_OPTIONS: dict[str, Option] = {"float16": Names(), "vectors": Flag()}


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
    match syntax:
        case CreateTableSyntax():
            return _bind_create_table(syntax, catalog, bind_query, read_only=read_only, has_database=has_database)
        case InsertSyntax():
            return _bind_insert(syntax, catalog, bind_query, read_only=read_only)
        case DropTableSyntax():
            return _bind_drop(syntax, catalog, read_only=read_only, has_database=has_database)
        case CreateViewSyntax():
            return bind_create_view(syntax, bind_query(syntax.body), catalog)
        case DropViewSyntax():
            return bind_drop_view(syntax, catalog)
        case CreateIndexSyntax():
            return _bind_create_index(syntax, catalog, read_only=read_only, has_database=has_database)
        case ShowTablesSyntax():
            return ShowTables(tuple(catalog.views())) if has_database else None
        case ShowIndexesSyntax(name):
            return ShowIndexes(
                _require_target(name, catalog, "SELECT * FROM duckdb_indexes() lists the indexes of DuckDB")
            )
        case DescribeSyntax(name):
            table = _find_target(name, catalog)
            return None if table is None else DescribeTable(table)
        case AnalyzeSyntax(name):
            table = _find_target(name, catalog)
            if table is not None:
                _refuse_writing(name.span, read_only=read_only)
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


def _bind_create_table(
    syntax: CreateTableSyntax,
    catalog: Catalog,
    bind_query: Callable[[Span], QueryPlan],
    *,
    read_only: bool,
    has_database: bool,
) -> CreateTable | None:
    name, explicit = _read_lance_name(syntax.name)
    if name is None or (not explicit and not has_database):
        return None
    is_path = is_lance_path(name)
    if not has_database and not is_path:
        raise BindError(
            "this connection has no Lance database",
            hint="open one: lancesql.connect('directory')",
            span=syntax.name.span,
        )
    existing = catalog.find_table(name)
    if existing is None and explicit and catalog.engine_tables(f"{LANCE_SCHEMA}.{name}"):
        return None
    if syntax.problem is not None:
        raise syntax.problem
    if not explicit and (rivals := catalog.engine_tables(name)):
        raise AmbiguousNameError(
            f"'{name}' is a DuckDB table already", hint=_show_rivals(name, rivals), span=syntax.name.span
        )
    if not is_path and not _TABLE_NAME.fullmatch(name):
        raise BindError(
            f"'{name}' cannot be the name of a Lance table",
            hint="letters, digits, '_', '-' and '.' can",
            span=syntax.name.span,
        )
    _refuse_writing(syntax.name.span, read_only=read_only)
    if existing is not None and not syntax.replace and not syntax.if_not_exists:
        raise BindError(
            f"table '{existing.name}' exists already",
            hint=f"CREATE OR REPLACE TABLE {existing.name}, or INSERT INTO it",
            span=syntax.name.span,
        )
    options, _ = read_options(syntax.options, _TABLE_OPTIONS, "CREATE TABLE")
    return CreateTable(
        name=existing.name if existing is not None else name,
        query=bind_query(syntax.body),
        replace=syntax.replace,
        if_not_exists=syntax.if_not_exists,
        options=options,
    )


def _bind_insert(
    syntax: InsertSyntax, catalog: Catalog, bind_query: Callable[[Span], QueryPlan], *, read_only: bool
) -> InsertInto | None:
    table = _find_target(syntax.name, catalog)
    if table is None:
        return None
    if syntax.problem is not None:
        raise syntax.problem
    _refuse_writing(syntax.name.span, read_only=read_only)
    columns: list[str] = []
    for column in syntax.columns:
        if len(column.parts) > 1:
            raise UnsupportedError("a column of an INSERT is named without a qualifier", span=column.span)
        field = _find_column(column, table)
        if field.name in columns:
            raise BindError(f"column '{field.name}' is named twice", span=column.span)
        columns.append(field.name)
    return InsertInto(table, bind_query(syntax.body), tuple(columns), syntax.by_name)


def _bind_drop(syntax: DropTableSyntax, catalog: Catalog, *, read_only: bool, has_database: bool) -> DropTable | None:
    name, explicit = _read_lance_name(syntax.name)
    if name is None or (not explicit and not has_database):
        return None
    try:
        table = _find_target(syntax.name, catalog)
    except UnknownTableError:
        if not syntax.if_exists:
            raise
        table = None
    if table is None:
        if catalog.engine_tables(f"{LANCE_SCHEMA}.{name}" if explicit else name):
            return None
        if not syntax.if_exists:
            require_table(name, syntax.name.span, catalog, None)
    if syntax.problem is not None:
        raise syntax.problem
    _refuse_writing(syntax.name.span, read_only=read_only)
    return DropTable(name if table is None else table.name, table)


def _bind_create_index(
    syntax: CreateIndexSyntax, catalog: Catalog, *, read_only: bool, has_database: bool
) -> CreateIndex | None:
    table = _find_target(syntax.table, catalog)
    if table is None:
        name, _ = _read_lance_name(syntax.table)
        if name is None or not has_database or catalog.engine_tables(name):
            return None
        table = require_table(name, syntax.table.span, catalog, None)
    if syntax.problem is not None:
        raise syntax.problem
    assert syntax.kind is not None
    assert syntax.column is not None
    _refuse_writing(syntax.table.span, read_only=read_only)
    kind = find_kind(syntax.kind.parts[0], syntax.kind.span)
    refuse_nested(syntax.column.parts, syntax.column.span)
    field = _find_column(syntax.column, table)
    known = INDEX_KINDS[kind].options
    metric = next(
        (option for option in syntax.options if option.name in ("metric", "metric_type", "distance_type")), None
    )
    options, spans = read_options(syntax.options, known, kind)
    given = options.get("metric")
    place = metric.value_span if metric is not None and given is not None else syntax.column.span
    check_column(kind, field.name, field.type, str(field.type), None, syntax.column.span)
    check_column(kind, field.name, field.type, str(field.type), str(given) if given is not None else None, place)
    _check_together(kind, field, options, spans)
    return CreateIndex(
        table=table,
        column=field.name,
        kind=kind,
        name=None if syntax.name is None else syntax.name.parts[0],
        replace=syntax.replace,
        if_not_exists=syntax.if_not_exists,
        options=options,
    )


def _check_together(kind: str, field: pa.Field[Any], options: dict[str, object], spans: dict[str, Span]) -> None:
    """Refuses options that are right alone and wrong for this column, or beside each other."""
    parts = options.get("num_sub_vectors")
    if isinstance(parts, int):
        type_ = field.type if pa.types.is_fixed_size_list(field.type) else field.type.value_type
        if type_.list_size % parts:
            divisors = [str(number) for number in range(1, type_.list_size + 1) if type_.list_size % number == 0]
            raise ArgumentError(
                f"num_sub_vectors has to divide the {type_.list_size} dimensions of column '{field.name}', "
                f"{parts} does not",
                hint=f"one of {', '.join(divisors)}",
                span=spans["num_sub_vectors"],
            )
        if options.get("num_bits") == 4 and parts % 2:
            raise ArgumentError("num_sub_vectors has to be even when num_bits = 4", span=spans["num_sub_vectors"])
    if "num_partitions" in options and "target_partition_size" in options:
        raise ArgumentError(
            "num_partitions and target_partition_size exclude each other", span=spans["target_partition_size"]
        )
    least, most = options.get("ngram_min_length", 3), options.get("ngram_max_length", 3)
    for name in ("ngram_min_length", "ngram_max_length", "prefix_only"):
        if name in options and options.get("base_tokenizer") != "ngram":
            raise ArgumentError(f"option '{name}' needs base_tokenizer = 'ngram'", span=spans[name])
        if name in options and kind == "FTS" and isinstance(least, int) and isinstance(most, int) and least > most:
            raise ArgumentError(f"ngram_min_length {least} is more than ngram_max_length {most}", span=spans[name])


def _read_lance_name(name: NameSyntax) -> tuple[str | None, bool]:
    """The name a Lance table would have, and whether it can be nothing else; None when it is DuckDB's for certain."""
    if name.quoted_string:
        return name.parts[0], is_lance_path(name.parts[0])
    if len(name.parts) == 1:
        return name.parts[0], False
    if len(name.parts) == 2 and name.parts[0].lower() == LANCE_SCHEMA:
        return name.parts[1], True
    return None, False


def _find_target(syntax: NameSyntax, catalog: Catalog) -> TableInfo | None:
    """The Lance table a name means; None when it is the engine's, or nobody's.

    Raises:
        AmbiguousNameError: When it is a table of both.
        UnknownTableError: When it can only be a Lance table and there is none.
    """
    name, explicit = _read_lance_name(syntax)
    if name is None:
        return None
    table = catalog.find_table(name)
    if explicit:
        if table is None and not is_lance_path(name) and catalog.engine_tables(f"{LANCE_SCHEMA}.{name}"):
            return None
        return table or require_table(name, syntax.span, catalog, None)
    if table is not None and (rivals := catalog.engine_tables(name)):
        raise AmbiguousNameError(
            f"'{name}' is both a Lance table and a DuckDB table",
            hint=_show_rivals(table.name, rivals),
            span=syntax.span,
        )
    return table


def _require_target(syntax: NameSyntax, catalog: Catalog, hint: str) -> TableInfo:
    table = _find_target(syntax, catalog)
    if table is not None:
        return table
    shown = ".".join(syntax.parts)
    if catalog.engine_tables(shown):
        raise UnsupportedError(f"'{shown}' is a DuckDB table", hint=hint, span=syntax.span)
    return require_table(shown, syntax.span, catalog, None)


def _find_column(syntax: NameSyntax, table: TableInfo) -> pa.Field[Any]:
    wanted = syntax.parts[0]
    if wanted in table.schema.names:
        return table.schema.field(wanted)
    matches = [field for field in table.schema if field.name.lower() == wanted.lower()]
    if len(matches) == 1:
        return matches[0]
    if matches:
        listed = ", ".join(f'"{field.name}"' for field in matches)
        raise AmbiguousNameError(
            f"'{wanted}' could be any of {listed}", hint="write it as the table does", span=syntax.span
        )
    near = nearest_name(wanted, table.schema.names)
    listed = f"columns: {', '.join(table.schema.names)}"
    raise UnknownColumnError(
        f"table '{table.name}' has no column '{wanted}'",
        hint=f"did you mean '{near}'? {listed}" if near else listed,
        span=syntax.span,
    )


def _show_rivals(name: str, rivals: object) -> str:
    listed = " or ".join(rivals) if isinstance(rivals, list | tuple) else str(rivals)
    return f"write {LANCE_SCHEMA}.{name} or {listed}"


def _refuse_writing(span: Span, *, read_only: bool) -> None:
    if read_only:
        raise UnsupportedError("the database is open for reading only", hint="connect with read_only=False", span=span)
