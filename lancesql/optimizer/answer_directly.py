"""Rule: a plain projection of one source needs no engine."""

from __future__ import annotations

from dataclasses import replace

from lancesql.catalog import Catalog
from lancesql.plan.query import DirectAnswer, QueryPlan
from lancesql.plan.sources import TableScan

__all__ = ["answer_directly"]


def answer_directly(plan: QueryPlan, catalog: Catalog) -> QueryPlan:
    """Refused when WHERE holds more than the source's own filter, or a scan's filter is not all Lance's.

    Refused, too, when DuckDB cannot read the statement: the mistake is left to it. A scan that finds its first rows by
    their order has DuckDB's filter and DuckDB's order already.
    """
    shape = plan.shape
    if shape is None or shape.output is None or not shape.filtered or not catalog.can_read(plan.relation):
        return plan
    (source,) = plan.sources
    if isinstance(source, TableScan) and source.defers:
        return replace(plan, direct=DirectAnswer(shape.output, shape.limit, shape.offset))
    if not shape.keeps_order:
        return plan
    if isinstance(source, TableScan) and any(conjunct.predicate is None for conjunct in source.filter):
        return plan
    return replace(plan, direct=DirectAnswer(shape.output, shape.limit, shape.offset))
