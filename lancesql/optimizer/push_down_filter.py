"""Rule: each conjunct of a source's filter is given to Lance where Lance provably answers as DuckDB does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lancesql.catalog import Catalog, TableInfo
from lancesql.optimizer.translation.predicates import UntranslatableError, translate_predicate
from lancesql.plan.parts import change_parts
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import Conjunct, Source

__all__ = ["push_down_filter"]


def push_down_filter(plan: QueryPlan, catalog: Catalog) -> QueryPlan:
    """Sets every conjunct's predicate, or the reason why it has none. A scan keeps only what Lance evaluates.

    A search keeps every conjunct: what Lance cannot evaluate, DuckDB does before the search.
    """
    return replace(plan, sources=tuple(_push(source) for source in plan.sources))


def _push(source: Source) -> Any:
    translated = tuple(_translate(conjunct, source.alias, source.table) for conjunct in source.filter)
    return change_parts(replace(source, filter=translated), _push)


def _translate(conjunct: Conjunct, alias: str, table: TableInfo) -> Conjunct:
    if conjunct.barred:
        return conjunct
    if '"__lancesql_text_' in conjunct.sql:
        return replace(conjunct, reason="the words of each text are looked at")
    if conjunct.prelude:
        return replace(conjunct, reason="it reads a common table expression")
    try:
        return replace(conjunct, predicate=translate_predicate(conjunct.sql, alias, table))
    except UntranslatableError as error:
        return replace(conjunct, reason=str(error))
