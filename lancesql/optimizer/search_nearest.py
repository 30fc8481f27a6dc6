"""Rule: a scan of which only the rows nearest to a vector are needed becomes a search."""

from __future__ import annotations

from dataclasses import replace

from lancesql.catalog import Catalog
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import Source, TableScan, VectorSearch
from lancesql.plan.vector_options import VectorOptions

__all__ = ["search_nearest"]


def search_nearest(plan: QueryPlan, catalog: Catalog) -> QueryPlan:
    """The relation orders the k rows again, by the distance as DuckDB computes it."""
    return replace(plan, sources=tuple(_search(source, catalog) for source in plan.sources))


def _search(source: Source, catalog: Catalog) -> Source:
    if not isinstance(source, TableScan) or source.nearest is None:
        return source
    nearest = source.nearest
    texts = {one.sql for one in nearest.required}
    required = tuple(one for one in source.filter if one.span is None and one.sql in texts)
    return VectorSearch(
        placeholder=source.placeholder,
        alias=source.alias,
        table=source.table,
        columns=source.columns,
        column=nearest.column,
        query=nearest.query,
        k=nearest.k,
        k_origin=nearest.origin,
        metric=nearest.metric,
        metric_origin=f"of {nearest.distance}",
        options=VectorOptions(exact=None if catalog.settings.approximate else True),
        filter=tuple(one for one in source.filter if one not in required and one.span not in nearest.bounds),
        function=nearest.distance,
        span=source.span,
        scan=replace(source, nearest=None),
        required=required,
    )
