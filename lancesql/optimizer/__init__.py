"""Stage 4, QueryPlan → QueryPlan with the same meaning: one rule per file, in the order of `RULES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from lancesql.catalog import Catalog
from lancesql.plan.parts import change_parts
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import FullTextSearch, Source, VectorSearch
from lancesql.plan.values import ScalarQuery

from .answer_directly import answer_directly
from .find_key_queries import find_key_queries
from .push_down_filter import push_down_filter
from .push_down_limit import push_down_limit
from .push_down_projection import push_down_projection
from .read_first_rows import read_first_rows
from .search_nearest import search_nearest
from .settle_filter import settle_filter

__all__ = ["RULES", "Rule", "optimize"]

T = TypeVar("T", bound=Source)
Rule = Callable[[QueryPlan, Catalog], QueryPlan]

RULES: tuple[Rule, ...] = (
    push_down_filter,  # first: the others ask what is left to DuckDB
    find_key_queries,  # after it: only of what Lance does not evaluate as it stands
    push_down_projection,
    search_nearest,  # behind the two: the search takes over what the scan filters and offers
    read_first_rows,  # after the projection: it asks which columns can wait
    push_down_limit,  # needs the filter's outcome: a limit is not pushed past a predicate that stays behind
    answer_directly,  # behind them: it asks what the others left to DuckDB
    settle_filter,  # last: it copies the plan that the others made
)


def optimize(plan: QueryPlan, catalog: Catalog, rules: tuple[Rule, ...] = RULES) -> QueryPlan:
    """Applies each rule once, to the scalar subqueries too; a rule may not change what the statement answers."""
    for rule in rules:
        before = (plan.relation, plan.output, [source.placeholder for source in plan.sources])
        plan = rule(plan, catalog)
        after = (plan.relation, plan.output, [source.placeholder for source in plan.sources])
        assert before == after, f"rule {rule.__name__} changed what the statement answers"

    def improve(source: T) -> T:
        """A source whose query is a subquery, with that subquery's plan optimized."""
        source = change_parts(source, improve)
        if isinstance(source, VectorSearch | FullTextSearch) and isinstance(source.query, ScalarQuery):
            return replace(source, query=improve_value(source.query))
        return source

    def improve_value(value: ScalarQuery) -> ScalarQuery:
        return replace(value, plan=optimize(value.plan, catalog, rules))

    return replace(
        plan,
        sources=tuple(improve(source) for source in plan.sources),
        scalars=tuple(improve_value(value) for value in plan.scalars),
    )
