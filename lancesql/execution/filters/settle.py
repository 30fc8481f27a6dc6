"""Whether the values of a run let the relation leave out what Lance answers exactly."""

from __future__ import annotations

from lancesql.execution.run import Run
from lancesql.plan.query import QueryPlan

from .resolve import render_conjuncts

__all__ = ["settle_plan"]


def settle_plan(run: Run) -> QueryPlan:
    """The plan whose relation is given to the engine: without those conjuncts when Lance can be told all of them."""
    settled = run.plan.settled
    if settled is None or render_conjuncts(settled.conjuncts, run)[1]:
        return run.plan
    return settled.plan
