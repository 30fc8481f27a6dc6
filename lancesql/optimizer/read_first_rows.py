"""Rule: of `ORDER BY … LIMIT n` the ids of the n rows are found by their keys, and only those rows are read whole."""

from __future__ import annotations

from dataclasses import replace

from lancesql.catalog import Catalog
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import Source, TableScan

from .choose_deferral import is_worth_deferring

__all__ = ["read_first_rows"]


def read_first_rows(plan: QueryPlan, catalog: Catalog) -> QueryPlan:
    """Refused where the columns that are left for later cost less to read than a second query."""
    return replace(plan, sources=tuple(_defer(source) for source in plan.sources))


def _defer(source: Source) -> Source:
    if not isinstance(source, TableScan) or source.first is None or source.nearest is not None:
        return source
    return replace(source, defers=is_worth_deferring(source, 0))
