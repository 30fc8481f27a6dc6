"""EXPLAIN: the very plan that runs, with what its values decide."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from lancesql.execution.embeddings.describe import describe_calls, describe_embedding, describe_fills
from lancesql.execution.embeddings.functions import name_embeds, offer_embeds
from lancesql.execution.filters.resolve import ResolvedFilter, render_conjuncts, resolve_filter
from lancesql.execution.filters.scans import resolve_scan
from lancesql.execution.filters.settle import settle_plan
from lancesql.execution.filters.text_matches import describe_match, settle_matches
from lancesql.execution.searches.correlated_filters import split_filter
from lancesql.execution.searches.fused import settle_leaves
from lancesql.execution.searches.nearest import refuse_search
from lancesql.execution.searches.pages import list_steps
from lancesql.execution.searches.text import describe_text, is_behind
from lancesql.execution.searches.vector import plan_vector_search
from lancesql.plan import Explain, LogicalPlan, QueryPlan
from lancesql.plan.commands import find_query
from lancesql.plan.display import display_plan, flatten
from lancesql.plan.parts import list_parts
from lancesql.plan.query import DirectAnswer
from lancesql.plan.sources import (
    Conjunct,
    FullTextSearch,
    FusedSearch,
    RerankedSearch,
    RowCount,
    Search,
    Source,
    TableScan,
    VectorSearch,
)
from lancesql.plan.text_functions import restore_names

from .first_rows import defers_columns
from .query import find_direct_answer, read_plan_table
from .recall import describe_recall
from .run import Run, read_count

__all__ = ["explain_plan"]


def explain_plan(
    plan: LogicalPlan, run: Run, *, touched: Sequence[str] = (), analyze: bool = False, recall: bool = False
) -> str:
    """The text of a plan. ANALYZE runs it too, and adds rows and times; RECALL runs its searches and their exact twins.

    The filter of a search is resolved either way, since the choice between exact and index depends on its matches.
    """
    query = plan if isinstance(plan, QueryPlan) else None if isinstance(plan, Explain) else find_query(plan)
    head = [] if isinstance(plan, QueryPlan) else [_name_command(plan), *describe_fills(plan, run)]
    head += [f"  touches    {one}" for one in touched]
    if not isinstance(query, QueryPlan):
        return "\n".join(head)
    with offer_embeds(run.within(query)):
        text = _explain_query(plan, query, run.within(query), analyze=analyze, recall=recall)
    return "\n".join([*head, *describe_calls(query, run), name_embeds(text, query)])


def _explain_query(plan: LogicalPlan, query: QueryPlan, run: Run, *, analyze: bool, recall: bool) -> str:
    run.measured = analyze and isinstance(plan, QueryPlan) and plan.returns_rows
    rows = seconds = None
    if run.measured:
        run.answers.clear()
        started = time.perf_counter()
        rows = read_plan_table(run).num_rows
        seconds = time.perf_counter() - started
    notes = {source.placeholder: _note_source(source, run) for source in query.sources}
    for source in query.sources if recall else ():
        measured = describe_recall(source, run)
        if measured:
            notes[source.placeholder]["recall"] = measured
    shown = query
    direct: DirectAnswer | None = find_direct_answer(run)
    if direct is None:
        shown = replace(settle_plan(run), direct=None, settled=None)
    shown = replace(shown, sources=tuple(_settle_first_rows(source, run) for source in shown.sources))
    text = restore_names(display_plan(shown, notes), query.functions)
    if seconds is not None:
        inner = sum(run.report(source.placeholder).seconds for source in query.sources)
        text += (
            f"\n  rows       {rows:,}\n  time       {seconds * 1e3:.1f} ms, {inner * 1e3:.1f} ms of it in the sources"
        )
    return text


def _settle_first_rows(source: Source, run: Run) -> Source:
    """A scan as these values let it run: many rows are not worth being found first."""
    if not isinstance(source, TableScan) or not source.defers:
        return source
    return replace(source, defers=defers_columns(source, run))


def _name_command(plan: object) -> str:
    changed = getattr(plan, "changed", plan)
    target = getattr(changed, "name", None) or getattr(getattr(changed, "table", None), "name", "")
    return f"{type(plan).__name__} {target}".rstrip()


def _note_source(source: Source, run: Run) -> dict[str, list[str]]:
    notes: dict[str, list[str]] = {}
    match source:
        case _ if isinstance(source, Search) and source.outer:
            notes["strategy"] = _describe_correlated(source)
            notes["filter"] = _describe_correlated_filter(source, run)
        case TableScan():
            scan = resolve_scan(source, run)
            notes["filter"] = _describe_conjuncts(scan.pushed, scan.left, scan.matched)
            notes["keys"] = [f"{query.label}: {note}" for query, note in scan.keys]
        case RowCount():
            pushed, left = render_conjuncts(source.filter, run)
            matched = settle_matches(left, run)
            notes["filter"] = _describe_conjuncts(pushed, matched.left, matched.found)
        case VectorSearch():
            notes["strategy"] = [_describe_strategy(source, run)]
            notes["filter"] = _describe_filter(resolve_filter(source, run))
        case FullTextSearch():
            notes["strategy"] = _describe_text(source, run)
            notes["filter"] = _describe_filter(resolve_filter(source, run))
        case FusedSearch() | RerankedSearch():
            notes["filter"] = _describe_filter(resolve_filter(source, run))
            notes["strategy"] = _describe_leaves(source, run)
    notes["embedding"] = describe_embedding(source, run)
    notes["filter"] += _describe_matches(source.filter, run)
    report = run.reports.get(source.placeholder)
    if report is not None and run.measured:
        notes["rows"] = [f"{report.rows:,}"]
        notes["time"] = [f"{report.seconds * 1e3:.1f} ms"]
    return notes


def _describe_conjuncts(
    pushed: Sequence[tuple[Conjunct, str]],
    left: Sequence[tuple[Conjunct, str]],
    matched: Sequence[tuple[Conjunct, str]],
) -> list[str]:
    lines = [f"{flatten(one.sql)} → {note}" for one, note in matched]
    lines += [f"{flatten(one.sql)} → Lance: {text}" for one, text in pushed]
    return lines + [f"{flatten(one.sql)} → DuckDB: {reason}" for one, reason in left]


def _describe_strategy(source: VectorSearch, run: Run) -> str:
    if source.scan is not None:
        found = run.nearest.get(source.placeholder)  # what ANALYZE has seen
        refusal = found if isinstance(found, str) else refuse_search(source, run)
        if refusal is not None:
            return f"scan: {refusal}"
        if not run.settings.approximate and source.table.index_on(source.column, ("IVF",)) is not None:
            return "exact: lancesql.approximate is off"
    k = sum(read_count(value, run, "k", least=0) for value in source.k) if source.k else None
    steps = list_steps(source, run, k)
    action = plan_vector_search(source, run, steps[-1] if steps else k)
    kind = "exact" if action.strategy.exact else f"index {action.strategy.index}"
    paged = f"; a page of the searches for {', '.join(f'{one:,}' for one in steps)} rows" if steps else ""
    return f"{kind}: {action.strategy.reason}{paged}"


def _describe_leaves(source: FusedSearch | RerankedSearch, run: Run) -> list[str]:
    """How each of the searches is carried out, and the filter of one that has more than its share."""
    lines = []
    for leaf in settle_leaves(source, run):
        name = leaf.placeholder.removeprefix(f"{source.placeholder}/")
        if isinstance(leaf, VectorSearch):
            lines.append(f"{name}: {_describe_strategy(leaf, run)}")
        else:
            lines += [line if name == "text" else f"{name}: {line}" for line in _describe_text(leaf, run)]
        if leaf.filter != source.filter:
            lines += [f"{name}: filter: {line}" for line in _describe_filter(resolve_filter(leaf, run))]
        report = run.reports.get(leaf.placeholder)
        if report is not None and run.measured:
            lines.append(f"{name}: {report.rows:,} rows in {report.seconds * 1e3:.1f} ms")
    return lines


def _describe_correlated(source: Search) -> list[str]:
    lines = ["for each row, in batches: equal values are searched for once"]
    texts = [part for part in (source, *list_parts(source)) if isinstance(part, FullTextSearch)]
    return lines + [line for text in texts for line in _describe_text(text)]


def _describe_correlated_filter(source: Search, run: Run) -> list[str]:
    fixed, moving = split_filter(source)
    pushed, left = render_conjuncts(moving, run)
    lines = _describe_filter(resolve_filter(replace(source, filter=fixed), replace(run, filters={})))
    lines += [f"{flatten(one.sql)} → Lance, for each row: {text}" for one, text in pushed]
    return lines + [f"{flatten(one.sql)} → DuckDB, as row ids for each row: {reason}" for one, reason in left]


def _describe_matches(conjuncts: Sequence[Conjunct], run: Run) -> list[str]:
    """How the text searches are answered that `match()` in a filter stands for."""
    lines: list[str] = []
    for function in [one.match.function for one in conjuncts if one.match is not None and not one.barred]:
        for traced in function.traced:
            index = None if traced is None else traced.table.index_on(traced.column, ("INVERTED", "FTS"))
            if index is not None:
                unindexed = f", {index.rows_unindexed:,} rows not indexed yet" if index.rows_unindexed else ""
                lines.append(f"text: index {index.name} on {index.columns[0]}{unindexed}")
            elif traced is not None:
                lines.append(f"text: no index on {traced.column}, every text is read and cut into words")
        lines += [f"text: {line}" for line in describe_match(function, run)]
    return list(dict.fromkeys(lines))


def _describe_text(source: FullTextSearch, run: Run | None = None) -> list[str]:
    lines = []
    for column in source.text_columns:
        index = source.table.index_on(column, ("INVERTED", "FTS"))
        if index is None:
            asked = "; fast_search: no index to ask" if source.fast_search else ""
            build = f"CREATE INDEX ON {source.table.name} USING FTS ({column})"
            lines.append(f"text: no index on {column}, every text is read and cut into words{asked}: {build}")
        else:
            outcome = "are left out" if source.fast_search else "yet"
            unindexed = f", {index.rows_unindexed:,} rows not indexed {outcome}" if index.rows_unindexed else ""
            lines.append(f"text: index {index.name} on {column}{unindexed}")
    if run is not None and source.table.rows:
        lines += [f"text: {line}" for line in describe_text(source, run)]
    if source.filter and is_behind(source):
        lines.append("text: the filter is read first, as row ids: scores of rows not indexed would depend on it")
    return lines


def _describe_filter(resolved: ResolvedFilter) -> list[str]:
    lines = [f"{flatten(sql)} → Lance: {text}" for sql, text in resolved.pushed]
    lines += [f"{flatten(sql)} → {note}" for sql, note in resolved.keyed]
    lines += [f"{flatten(sql)} → DuckDB, as row ids: {reason}" for sql, reason in resolved.left]
    if lines:
        lines.append(f"{resolved.matches:,} rows qualify")
    return lines
