"""Rule: what Lance answers exactly is not asked again, and a column that nothing else names is not read."""

from __future__ import annotations

from dataclasses import replace

from lancesql.catalog import Catalog
from lancesql.errors import Span
from lancesql.parser import read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.plan.query import Asked, QueryPlan, SettledPlan, Usage
from lancesql.plan.sources import Conjunct, Source, TableScan

from .push_down_projection import prune_columns

__all__ = ["settle_filter"]


def settle_filter(plan: QueryPlan, catalog: Catalog) -> QueryPlan:
    """Refused for what Lance does not evaluate, and for a scan that a search may stand in for.

    The relation stays beside it: a value that comes with the call may be one that Lance cannot be told.
    """
    scans = {source.placeholder: source for source in plan.sources if isinstance(source, TableScan)}
    found = [(asked, _find_conjunct(asked, scans.get(asked.placeholder))) for asked in plan.asked]
    answered = [(asked, conjunct) for asked, conjunct in found if conjunct is not None]
    if not answered:
        return replace(plan, settled=None)
    relation = plan.relation
    for asked, _ in sorted(answered, key=lambda one: one[0].place, reverse=True):
        relation = f"{relation[: asked.place.start]}true{relation[asked.place.end :]}"
    named = {use.name for use in find_parameters(read_tokens(relation))} if plan.parameters else set()
    spans = [asked.span for asked, _ in answered]
    usages = {usage.placeholder: _leave_out(usage, spans) for usage in plan.usage}
    settled = replace(
        plan,
        relation=relation,
        sources=tuple(_prune(source, usages.get(source.placeholder)) for source in plan.sources),
        parameters=tuple(name for name in plan.parameters if name in named),
        settled=None,
    )
    return replace(plan, settled=SettledPlan(settled, tuple(conjunct for _, conjunct in answered)))


def _find_conjunct(asked: Asked, scan: TableScan | None) -> Conjunct | None:
    if scan is None or scan.nearest is not None:
        return None
    conjunct = next((one for one in scan.filter if one.span == asked.span), None)
    return conjunct if conjunct is not None and conjunct.predicate is not None and not conjunct.barred else None


def _leave_out(usage: Usage, spans: list[Span]) -> Usage:
    def is_needed(name: str) -> bool:
        places = usage.places.get(name)
        return places is None or not all(any(one.start <= at < one.end for one in spans) for at in places)

    return replace(usage, names=frozenset(name for name in usage.names if is_needed(name)))


def _prune(source: Source, usage: Usage | None) -> Source:
    return prune_columns(source, usage) if isinstance(source, TableScan) else source
