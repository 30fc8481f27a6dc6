"""Statements about indexes, bound."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from lancesql.binder.index_kinds import INDEX_KINDS, check_column, find_kind, refuse_nested
from lancesql.binder.languages import choose_text_options
from lancesql.binder.options import Choice, Flag, Option, read_options
from lancesql.binder.tables import require_table
from lancesql.catalog import IndexInfo, TableInfo
from lancesql.errors import ArgumentError, BindError, Span, nearest_name
from lancesql.parser.commands import CreateIndexSyntax, DropIndexSyntax, NameSyntax, RefreshIndexSyntax
from lancesql.plan.commands import CreateIndex, DropIndex, RefreshIndexes

from .targets import CommandContext, find_column, find_target, read_lance_name

__all__ = ["bind_create_index", "bind_drop_index", "bind_refresh_index"]

_OPTIMIZE: dict[str, Option] = {"mode": Choice({"append": "append", "retrain": "retrain"}), "retrain": Flag()}


def bind_create_index(syntax: CreateIndexSyntax, context: CommandContext) -> CreateIndex | None:
    """The index to build; None when the table is DuckDB's."""
    table = find_target(syntax.table, context.catalog)
    if table is None:
        name, _ = read_lance_name(syntax.table, context.catalog)
        if name is None or not context.has_database or context.catalog.engine_tables(name):
            return None
        table = require_table(name, syntax.table.span, context.catalog, None)
    if syntax.problem is not None:
        raise syntax.problem
    assert syntax.kind is not None
    assert syntax.column is not None
    context.refuse_writing(syntax.table)
    kind = find_kind(syntax.kind.parts[0], syntax.kind.span)
    refuse_nested(syntax.column.parts, syntax.column.span)
    field = find_column(syntax.column, table)
    known = INDEX_KINDS[kind].options
    metric = next(
        (option for option in syntax.options if option.name in ("metric", "metric_type", "distance_type")), None
    )
    options, spans = read_options(syntax.options, known, kind)
    given = options.get("metric")
    place = metric.value_span if metric is not None and given is not None else syntax.column.span
    check_column(kind, field.name, field.type, str(field.type), None, syntax.column.span)
    check_column(kind, field.name, field.type, str(field.type), str(given) if given is not None else None, place)
    _check_together(field, options, spans)
    if kind == "FTS":
        options = choose_text_options(options, spans)
    return CreateIndex(
        table=table,
        column=field.name,
        kind=kind,
        name=None if syntax.name is None else syntax.name.parts[0],
        replace=syntax.replace,
        if_not_exists=syntax.if_not_exists,
        options=options,
    )


def _check_together(field: pa.Field[Any], options: dict[str, object], spans: dict[str, Span]) -> None:
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


def bind_drop_index(syntax: DropIndexSyntax, context: CommandContext) -> DropIndex | None:
    """The index to drop; None when the table is DuckDB's, or when there is none and need not be."""
    table = find_target(syntax.table, context.catalog)
    if table is None:
        name, _ = read_lance_name(syntax.table, context.catalog)
        if name is None or not context.has_database or context.catalog.engine_tables(name):
            return None
        table = require_table(name, syntax.table.span, context.catalog, None)
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.table)
    if syntax.if_exists and not any(index.name.lower() == syntax.name.parts[0].lower() for index in table.indexes):
        return DropIndex(table, "")
    return DropIndex(table, _find_index(table, syntax.name).name)


def bind_refresh_index(syntax: RefreshIndexSyntax, context: CommandContext) -> RefreshIndexes | None:
    """The indexes to bring up to date; None when the table is DuckDB's."""
    table = find_target(syntax.table, context.catalog)
    if table is None:
        name, _ = read_lance_name(syntax.table, context.catalog)
        if name is None or not context.has_database or context.catalog.engine_tables(name):
            return None
        table = require_table(name, syntax.table.span, context.catalog, None)
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.table)
    options, _ = read_options(
        syntax.options, {} if syntax.rebuild else _OPTIMIZE, "REINDEX" if syntax.rebuild else "OPTIMIZE"
    )
    names = [index.name for index in table.indexes] if syntax.name is None else [_find_index(table, syntax.name).name]
    retrain = syntax.rebuild or options.get("retrain") is True or options.get("mode") == "retrain"
    return RefreshIndexes(table, tuple(names), retrain)


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
