"""CREATE INDEX, bound."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from lancesql.binder.index_kinds import INDEX_KINDS, check_column, find_kind, read_options, refuse_nested
from lancesql.binder.languages import choose_text_options
from lancesql.binder.tables import require_table
from lancesql.errors import (
    ArgumentError,
    Span,
)
from lancesql.parser.commands import CreateIndexSyntax
from lancesql.plan.commands import CreateIndex

from .targets import CommandContext, find_column, find_target, read_lance_name

__all__ = ["bind_create_index"]


def bind_create_index(syntax: CreateIndexSyntax, context: CommandContext) -> CreateIndex | None:
    """The index to build; None when the table is DuckDB's."""
    table = find_target(syntax.table, context.catalog)
    if table is None:
        name, _ = read_lance_name(syntax.table)
        if name is None or not context.has_database or context.catalog.engine_tables(name):
            return None
        table = require_table(name, syntax.table.span, context.catalog, None)
    if syntax.problem is not None:
        raise syntax.problem
    assert syntax.kind is not None
    assert syntax.column is not None
    context.refuse_writing(syntax.table.span)
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
