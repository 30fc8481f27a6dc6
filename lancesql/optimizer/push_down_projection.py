"""Rule: a column that stands nowhere in the statement is not offered to the relation, so it is never read."""

from __future__ import annotations

from dataclasses import replace

from lancesql.catalog import Catalog
from lancesql.plan.query import QueryPlan, Usage
from lancesql.plan.sources import ROW_ID, Source, TableScan, score_fields

__all__ = ["prune_columns", "push_down_projection"]


def push_down_projection(plan: QueryPlan, catalog: Catalog) -> QueryPlan:
    """Leaves each source the columns its usage names; a relation that asks for everything keeps everything."""
    usages = {usage.placeholder: usage for usage in plan.usage}
    return replace(
        plan, sources=tuple(prune_columns(source, usages.get(source.placeholder)) for source in plan.sources)
    )


def prune_columns(source: Source, usage: Usage | None) -> Source:
    """The source with no columns but those its usage names."""
    if usage is None or usage.everything:
        return source
    computed = {field.name for field in score_fields(source)}
    kept = tuple(name for name in source.columns if name in computed or name.lower() in usage.names)
    if isinstance(source, TableScan) and not kept:
        kept = (min(source.columns, key=lambda name: _width(source, name)),)  # count(*) needs some column to count by
    return replace(source, columns=kept)


def _width(source: Source, name: str) -> int:
    if name == ROW_ID:
        return 8
    type_ = source.table.schema.field(name).type
    try:
        return int(type_.bit_width)
    except ValueError:
        return 1 << 20
