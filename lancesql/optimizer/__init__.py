"""Stage 4, QueryPlan → QueryPlan with the same meaning: one rule per file, in the order of `RULES`."""

from __future__ import annotations

from collections.abc import Callable

from lancesql.catalog import Catalog
from lancesql.plan.query import QueryPlan

from .answer_directly import answer_directly
from .find_key_queries import find_key_queries
from .push_down_filter import push_down_filter
from .push_down_limit import push_down_limit
from .push_down_projection import push_down_projection
from .read_first_rows import read_first_rows
from .search_nearest import search_nearest

__all__ = ["RULES", "Rule", "optimize"]

Rule = Callable[[QueryPlan, Catalog], QueryPlan]

RULES: tuple[Rule, ...] = (
    push_down_filter,  # first: the others ask what is left to DuckDB
    find_key_queries,  # after it: only of what Lance does not evaluate as it stands
    push_down_projection,
    search_nearest,  # behind the two: the search takes over what the scan filters and offers
    read_first_rows,  # after the projection: it asks which columns can wait
    push_down_limit,  # needs the filter's outcome: a limit is not pushed past a predicate that stays behind
    answer_directly,  # last: it asks what the others left to DuckDB
)


def optimize(plan: QueryPlan, catalog: Catalog, rules: tuple[Rule, ...] = RULES) -> QueryPlan:
    """Applies each rule once; a rule may not change what the statement answers."""
    for rule in rules:
        before = (plan.relation, plan.output, [source.placeholder for source in plan.sources])
        plan = rule(plan, catalog)
        after = (plan.relation, plan.output, [source.placeholder for source in plan.sources])
        assert before == after, f"rule {rule.__name__} changed what the statement answers"
    return plan
