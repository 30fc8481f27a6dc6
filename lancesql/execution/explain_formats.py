"""EXPLAIN in each of its formats: a text that notebooks draw, JSON for programs, and the SQL that DuckDB is given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lancesql.execution.embeddings.describe import describe_calls, describe_fills
from lancesql.execution.embeddings.functions import name_embeds
from lancesql.execution.results.plan import ShownPlan
from lancesql.plan import LogicalPlan, QueryPlan
from lancesql.plan.display import (
    describe_bounds,
    describe_function,
    describe_source,
    display_value,
    flatten,
    narrow_plan,
)
from lancesql.plan.notes import ConjunctNote, Note, Notes, StrategyNote
from lancesql.plan.sources import Source
from lancesql.plan.text_functions import restore_names

from .explain import Explained, find_explained, inspect_plan, name_target, write_text
from .run import Run

__all__ = ["FORMAT", "explain_as_json", "explain_as_sql", "explain_plan"]

FORMAT = 1
"""The number of this form. It grows when a key goes or means something else, not when one is added."""


def explain_plan(
    plan: LogicalPlan, run: Run, *, touched: Sequence[str] = (), analyze: bool = False, recall: bool = False
) -> ShownPlan:
    """The plan as EXPLAIN prints it. ANALYZE runs it too; RECALL runs its searches and their exact twins."""
    found = inspect_plan(plan, run, analyze=analyze, recall=recall)
    return ShownPlan(write_text(plan, run, found, touched), _write_plan(plan, run, found, touched))


def explain_as_json(
    plan: LogicalPlan, run: Run, *, touched: Sequence[str] = (), analyze: bool = False, recall: bool = False
) -> str:
    """The plan as an object of JSON; see docs/sql-reference.md for its keys."""
    found = inspect_plan(plan, run, analyze=analyze, recall=recall)
    return json.dumps(_write_plan(plan, run, found, touched), indent=2, ensure_ascii=False)


def explain_as_sql(plan: LogicalPlan, run: Run) -> str:
    """What DuckDB is given, with a comment for each source that it names."""
    query, found = find_explained(plan), inspect_plan(plan, run)
    if query is None or found is None:
        return ""
    shown = found.shown
    lines = [
        f"-- {source.placeholder}: {type(source).__name__} {source.table.name} @ {source.table.snapshot}"
        for source in shown.sources
    ]
    lines += ["-- answered without DuckDB"] if shown.direct is not None else []
    relation = narrow_plan(shown).relation.strip()
    return name_embeds(restore_names("\n".join([*lines, relation]), query.functions), query)


def _write_plan(plan: LogicalPlan, run: Run, found: Explained | None, touched: Sequence[str]) -> dict[str, Any]:
    query = find_explained(plan)
    written: dict[str, Any] = {"format": FORMAT, "command": None, "sources": []}
    written |= {"values": [], "functions": [], "engine": None, "relation": None}
    if not isinstance(plan, QueryPlan):
        kind, target = type(plan).__name__, name_target(plan) or None
        fills = list(describe_fills(plan, run))
        written["command"] = {"kind": kind, "target": target, "touches": list(touched), "embeds": fills}
    if query is None or found is None:
        return written
    written |= _write_query(found, run)
    written["functions"] += describe_calls(query, run)
    renamed: dict[str, Any] = _rename(written, query)
    return renamed


def _write_query(explained: Explained, run: Run) -> dict[str, Any]:
    plan = narrow_plan(explained.shown)
    written: dict[str, Any] = {
        "sources": [_write_source(source, explained.notes.get(source.placeholder, {}), run) for source in plan.sources],
        "values": [{"name": one.placeholder, "sql": flatten(one.sql)} for one in plan.scalars],
        "functions": [describe_function(one) for one in plan.functions if f'"{one.placeholder}"(' in plan.relation],
        "engine": "DuckDB" if plan.direct is None else None,
        "relation": plan.relation.strip() if plan.direct is None else None,
    }
    if plan.direct is not None:
        written["output"] = [{"name": one.name, "column": one.source_column} for one in plan.direct.output]
        for label in ("limit", "offset"):
            value = getattr(plan.direct, label)
            written[label] = None if value is None else display_value(value)
    if explained.seconds is not None:
        written["rows"] = explained.rows
        written["milliseconds"] = explained.seconds * 1e3
    return written


def _write_source(source: Source, notes: Notes, run: Run) -> dict[str, Any]:
    filters = notes.get("filter", ())
    conjuncts = [one for one in filters if isinstance(one, ConjunctNote)]
    strategies = notes.get("strategy", ())
    written: dict[str, Any] = {
        "name": source.placeholder,
        "kind": type(source).__name__,
        "alias": source.alias,
        "table": source.table.name,
        "version": source.table.version,
        "columns": list(source.columns),
        "properties": dict([*describe_source(source), *describe_bounds(source)]),
        "strategy": [
            {"part": one.part or None, "kind": one.kind, "index": one.index, "reason": one.reason}
            for one in strategies
            if isinstance(one, StrategyNote)
        ],
        "pushed": _write_conjuncts(conjuncts, "Lance", "filter"),
        "left": _write_conjuncts(conjuncts, "DuckDB", "reason"),
        "known": [{"condition": one.sql, "by": one.text} for one in conjuncts if not one.where],
        "keys": list(map(str, notes.get("keys", ()))),
        "recall": list(map(str, notes.get("recall", ()))),
        "notes": [*_list_lines(strategies), *_list_lines(filters), *map(str, notes.get("embedding", ()))],
    }
    report = run.reports.get(source.placeholder)
    if report is not None and "rows" in notes:
        written["rows"], written["milliseconds"] = report.rows, report.seconds * 1e3
    return written


def _write_conjuncts(conjuncts: Sequence[ConjunctNote], where: str, label: str) -> list[dict[str, Any]]:
    return [
        {
            "condition": one.sql,
            label: one.text,
            "for_each_row": one.where.endswith("for each row"),
            **({"as_row_ids": "row ids" in one.where} if where == "DuckDB" else {}),
        }
        for one in conjuncts
        if one.where.startswith(where)
    ]


def _list_lines(notes: Sequence[Note]) -> list[str]:
    return [one for one in notes if isinstance(one, str)]


def _rename(value: Any, query: QueryPlan) -> Any:
    """The value with the functions of the statement called as the user called them."""
    if isinstance(value, dict):
        return {key: _rename(one, query) for key, one in value.items()}
    if isinstance(value, list):
        return [_rename(one, query) for one in value]
    return name_embeds(restore_names(value, query.functions), query) if isinstance(value, str) else value
