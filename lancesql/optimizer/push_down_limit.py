"""Rule: a scan whose rows nothing else changes stops after LIMIT + OFFSET rows."""

from __future__ import annotations

from dataclasses import replace

from lancesql.catalog import Catalog
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import TableScan

__all__ = ["push_down_limit"]


def push_down_limit(plan: QueryPlan, catalog: Catalog) -> QueryPlan:
    """Refused when a predicate is left to DuckDB: the scan's first n rows are not the first n that qualify."""
    shape = plan.shape
    if shape is None or shape.limit is None or not shape.filtered or not shape.keeps_order:
        return plan
    (source,) = plan.sources
    if not isinstance(source, TableScan) or any(conjunct.predicate is None for conjunct in source.filter):
        return plan
    limit = (shape.limit,) if shape.offset is None else (shape.limit, shape.offset)
    return replace(plan, sources=(replace(source, limit=limit),))
