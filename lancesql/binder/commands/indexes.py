"""Statements about indexes, bound."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from lancesql.binder.index_choice import choose_kind
from lancesql.binder.index_classes import expand_options, read_opclass
from lancesql.binder.index_columns import check_column, check_field, find_vector
from lancesql.binder.index_kinds import INDEX_KINDS, find_kind
from lancesql.binder.languages import choose_text_options
from lancesql.binder.options import Choice, Flag, Option, read_options
from lancesql.binder.tables import require_table
from lancesql.catalog import IndexInfo, TableInfo
from lancesql.errors import ArgumentError, BindError, Span, nearest_name
from lancesql.parser.commands import (
    CreateIndexSyntax,
    DropIndexSyntax,
    NameSyntax,
    RefreshIndexSyntax,
    ShowIndexesSyntax,
)
from lancesql.plan.commands import CreateIndex, DropIndex, RefreshIndexes, ShowIndexes
from lancesql.plan.spelling import spell_name, spell_table
from lancesql.plan.type_names import name_arrow_type

from .targets import CommandContext, find_field, find_target, read_lance_name, require_target

__all__ = ["bind_create_index", "bind_drop_index", "bind_refresh_index", "bind_show_indexes"]

_MODES = {"append": "append", "merge": "merge", "retrain": "retrain"}
_OPTIMIZE: dict[str, Option] = {"mode": Choice(_MODES), "retrain": Flag()}


def bind_create_index(syntax: CreateIndexSyntax, context: CommandContext) -> CreateIndex | None:
    """The index to build; None when the table is DuckDB's."""
    table = _find_indexed(syntax.table, context)
    if table is None:
        return None
    if syntax.problem is not None:
        raise syntax.problem
    assert syntax.column is not None
    context.refuse_writing(syntax.table)
    path, field = find_field(syntax.column, table)
    asked, named = expand_options(syntax.options, syntax.kind)
    metric, kind, chosen = _choose(syntax, named, path, field, table, context)
    options, spans = read_options(asked, INDEX_KINDS[kind].options, kind)
    metric_span = syntax.column.span if syntax.opclass is None else syntax.opclass.span
    check_column(kind, ".".join(path), field.type, name_arrow_type(field.type), None, syntax.column.span)
    if len(path) > 1:
        check_field(kind, path, field.type, syntax.column.span)
    if metric is not None:
        if options.get("metric", metric) != metric:
            raise ArgumentError(
                f"the operator class says {metric}, and the option {options['metric']}", span=spans["metric"]
            )
        options["metric"] = metric
    given = options.get("metric")
    place = spans.get("metric", metric_span)
    check_column(
        kind, field.name, field.type, name_arrow_type(field.type), str(given) if given is not None else None, place
    )
    _check_together(field, options, spans, table)
    if kind == "FTS":
        options = choose_text_options(options, spans)
    return CreateIndex(
        table=table,
        column=".".join(path),
        kind=kind,
        name=None if syntax.name is None else syntax.name.parts[0],
        replace=syntax.replace,
        if_not_exists=syntax.if_not_exists,
        options=options,
        given=frozenset(spans) | ({"metric"} if metric is not None else set()),
        chosen=chosen,
    )


def _choose(
    syntax: CreateIndexSyntax,
    named: NameSyntax | None,
    path: tuple[str, ...],
    field: pa.Field[Any],
    table: TableInfo,
    context: CommandContext,
) -> tuple[str | None, str, str | None]:
    """The metric of the operator class, the kind of the index, and why it is that one where nothing says so."""
    assert syntax.column is not None
    metric = None
    asked: str | None = None
    if syntax.opclass is not None:
        metric, asked = read_opclass(syntax.opclass, field)
    if named is not None and not (asked is not None and named.parts[0].upper() in ("GIN", "GIST")):
        kind = find_kind(named.parts[0], named.span)
        if asked is not None and asked != kind:
            assert syntax.opclass is not None
            raise ArgumentError(
                f"{syntax.opclass.parts[0]} is of {asked}, not of {kind}", hint="leave it out", span=syntax.opclass.span
            )
        if syntax.family is not None and syntax.family != INDEX_KINDS[kind].family:
            what = "a vector index" if syntax.family == "vector" else "a search index"
            raise ArgumentError(f"{kind} is not {what}", hint="write CREATE INDEX", span=named.span)
        return metric, kind, None
    if asked is not None:
        return metric, asked, None
    kind, reason = choose_kind(table, path, field, syntax.family, syntax.column.span, context.catalog)
    return metric, kind, reason


def _find_indexed(name: NameSyntax, context: CommandContext) -> TableInfo | None:
    """The table whose index is meant; None when it is DuckDB's."""
    table = find_target(name, context.catalog)
    if table is not None:
        return table
    plain, _ = read_lance_name(name, context.catalog)
    if plain is None and not context.catalog.engine_has_schema(name.parts[0]):
        plain = ".".join(name.parts)
    if plain is None or not context.has_database or context.catalog.engine_tables(plain):
        return None
    return require_table(plain, name.span, context.catalog, None)


def _check_together(field: pa.Field[Any], options: dict[str, object], spans: dict[str, Span], table: TableInfo) -> None:
    """Refuses options that are right alone and wrong for this table and column, or beside each other."""
    parts = options.get("num_sub_vectors")
    if isinstance(parts, int):
        type_ = find_vector(field.type)
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
    edges, candidates = options.get("m"), options.get("ef_construction")
    if isinstance(edges, int) and isinstance(candidates, int) and candidates < edges:
        raise ArgumentError(
            f"ef_construction has to be at least m, and {candidates} is less than {edges}",
            span=spans["ef_construction"],
        )
    wanted = options.get("num_partitions")
    if isinstance(wanted, int) and wanted > max(table.rows, 1):
        raise ArgumentError(
            f"{wanted:,} partitions are more than the {table.rows:,} rows of '{table.name}'",
            hint="leave num_partitions out, and build the index anew when the table has grown (REINDEX)",
            span=spans["num_partitions"],
        )
    if "num_partitions" in options and "target_partition_size" in options:
        raise ArgumentError(
            "num_partitions and target_partition_size exclude each other", span=spans["target_partition_size"]
        )


def bind_drop_index(syntax: DropIndexSyntax, context: CommandContext) -> DropIndex | None:
    """The index to drop; None when it is DuckDB's, or when there is none and need not be."""
    table = _find_owner(syntax, context) if syntax.table is None else _find_indexed(syntax.table, context)
    if table is None:
        return None
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.table or NameSyntax((table.name,), quoted_string=True, span=syntax.name.span))
    if syntax.if_exists and not _has_index(table, syntax.name):
        return DropIndex(table, "")
    return DropIndex(table, _find_index(table, syntax.name).name)


def _find_owner(syntax: DropIndexSyntax, context: CommandContext) -> TableInfo | None:
    """The table with an index of that name; None when the index is DuckDB's, or nobody's.

    Raises:
        BindError: When several have one.
    """
    name = syntax.name.parts[0]
    if not context.has_database or context.catalog.engine_has_index(name):
        return None
    owners = [table for table in context.catalog.whole_tables() if _has_index(table, syntax.name)]
    if len(owners) > 1:
        raise BindError(
            f"several tables have an index '{name}': {', '.join(table.name for table in owners)}",
            hint=f"DROP INDEX {spell_name(name)} ON {spell_table(owners[0])} says which",
            span=syntax.name.span,
        )
    if not owners and not syntax.if_exists:
        raise BindError(f"no table has an index '{name}'", hint="SHOW INDEXES lists them", span=syntax.name.span)
    return owners[0] if owners else None


def bind_refresh_index(syntax: RefreshIndexSyntax, context: CommandContext) -> RefreshIndexes | None:
    """The indexes to bring up to date; None when the table is DuckDB's."""
    table = _find_indexed(syntax.table, context)
    if table is None:
        return None
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.table)
    options, spans = read_options(
        syntax.options, {} if syntax.rebuild else _OPTIMIZE, "REINDEX" if syntax.rebuild else "OPTIMIZE"
    )
    mode = options.get("mode")
    if mode is not None and "retrain" in options and (mode == "retrain") != options["retrain"]:
        raise ArgumentError("mode and retrain contradict each other", span=spans["retrain"])
    if syntax.rebuild or options.get("retrain") is True:
        mode = "retrain"
    if syntax.name is None:
        names = [index.name for index in table.indexes]
    elif syntax.if_exists and not _has_index(table, syntax.name):
        names = []
    else:
        names = [_find_index(table, syntax.name).name]
    return RefreshIndexes(table, tuple(names), mode if mode in _MODES else None)


def bind_show_indexes(syntax: ShowIndexesSyntax, context: CommandContext) -> ShowIndexes:
    """The tables whose indexes are listed: one, or all of the database."""
    if syntax.name is not None:
        hint = "SELECT * FROM duckdb_indexes() lists the indexes of DuckDB"
        return ShowIndexes((require_target(syntax.name, context.catalog, hint),))
    return ShowIndexes(tuple(context.catalog.whole_tables()))


def _has_index(table: TableInfo, name: NameSyntax) -> bool:
    return any(index.name.lower() == name.parts[0].lower() for index in table.indexes)


def _find_index(table: TableInfo, name: NameSyntax) -> IndexInfo:
    for index in table.indexes:
        if index.name.lower() == name.parts[0].lower():
            return index
    names = [index.name for index in table.indexes]
    near = nearest_name(name.parts[0], names)
    listed = f"indexes: {', '.join(names) or 'none'}"
    raise BindError(
        f"table '{table.name}' has no index '{name.parts[0]}'",
        hint=f"did you mean '{near}'? {listed}" if near else listed,
        span=name.span,
    )
