"""EXPLAIN: the very plan that runs, with what its values decide."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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
from lancesql.plan.commands import CreateIndex, find_query
from lancesql.plan.display import display_plan, flatten
from lancesql.plan.notes import ConjunctNote, Note, Notes, StrategyNote
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

__all__ = ["Explained", "find_explained", "inspect_plan", "name_command", "name_target", "write_text"]


def write_text(plan: LogicalPlan, run: Run, found: Explained | None, touched: Sequence[str] = ()) -> str:
    """The lines of EXPLAIN."""
    query = find_explained(plan)
    head = [] if isinstance(plan, QueryPlan) else [name_command(plan), *describe_fills(plan, run)]
    label = "builds" if isinstance(plan, CreateIndex) else "touches"
    head += [f"  {label:<10} {one}" for one in touched]
    if query is None or found is None:
        return "\n".join(head)
    text = restore_names(display_plan(found.shown, found.notes), query.functions)
    if found.seconds is not None:
        inner = sum(run.report(source.placeholder).seconds for source in query.sources)
        text += (
            f"\n  rows       {found.rows:,}\n"
            f"  time       {found.seconds * 1e3:.1f} ms, {inner * 1e3:.1f} ms of it in the sources"
        )
    return "\n".join([*head, *describe_calls(query, run), name_embeds(text, query)])


def find_explained(plan: LogicalPlan) -> QueryPlan | None:
    """The query that an EXPLAIN is of, or that is within the command it is of."""
    return plan if isinstance(plan, QueryPlan) else None if isinstance(plan, Explain) else find_query(plan)


@dataclass(frozen=True)
class Explained:
    """A query that was looked into.

    Attributes:
        shown: The plan as these values let it run.
        notes: What was noted of each source, by its placeholder.
        rows: How many rows it gave, when it was run.
        seconds: How long that took.
    """

    shown: QueryPlan
    notes: Mapping[str, Notes]
    rows: int | None = None
    seconds: float | None = None


def inspect_plan(plan: LogicalPlan, run: Run, *, analyze: bool = False, recall: bool = False) -> Explained | None:
    """Resolves the filters and strategies of a query's sources; `analyze` runs it, `recall` its searches.

    The filter of a search is resolved either way, since the choice between exact and index depends on its matches. None
    without a query.
    """
    query = find_explained(plan)
    if not isinstance(query, QueryPlan):
        return None
    with offer_embeds(run.within(query)):
        return _inspect_query(plan, query, run.within(query), analyze=analyze, recall=recall)


def _inspect_query(plan: LogicalPlan, query: QueryPlan, run: Run, *, analyze: bool, recall: bool) -> Explained:
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
            notes[source.placeholder]["recall"] = list(measured)
    shown = query
    direct: DirectAnswer | None = find_direct_answer(run)
    if direct is None:
        shown = replace(settle_plan(run), direct=None, settled=None)
    shown = replace(shown, sources=tuple(_settle_first_rows(source, run) for source in shown.sources))
    return Explained(shown, notes, rows, seconds)


def _settle_first_rows(source: Source, run: Run) -> Source:
    """A scan as these values let it run: many rows are not worth being found first."""
    if not isinstance(source, TableScan) or not source.defers:
        return source
    return replace(source, defers=defers_columns(source, run))


def name_command(plan: object) -> str:
    """The kind of a command and its target."""
    return f"{type(plan).__name__} {name_target(plan)}".rstrip()


def name_target(plan: object) -> str:
    """The table, or the file, that a command is about; "" when there is none."""
    changed = getattr(plan, "changed", None) or getattr(plan, "view", plan)
    table = getattr(changed, "table", None)
    branch = getattr(table, "branch", "")
    name = str(getattr(table, "name", None) or getattr(changed, "name", None) or "")
    return f"{name} @ branch {branch}" if branch else name


def _note_source(source: Source, run: Run) -> dict[str, list[Note]]:
    notes: dict[str, list[Note]] = {}
    match source:
        case _ if isinstance(source, Search) and source.outer:
            notes["strategy"] = list(_describe_correlated(source))
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
            notes["strategy"] = list(_describe_text(source, run))
            notes["filter"] = _describe_filter(resolve_filter(source, run))
        case FusedSearch() | RerankedSearch():
            notes["filter"] = _describe_filter(resolve_filter(source, run))
            notes["strategy"] = _describe_leaves(source, run)
    notes["embedding"] = list(describe_embedding(source, run))
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
) -> list[Note]:
    lines: list[Note] = [ConjunctNote(flatten(one.sql), "", note) for one, note in matched]
    lines += [ConjunctNote(flatten(one.sql), "Lance", text) for one, text in pushed]
    return lines + [ConjunctNote(flatten(one.sql), "DuckDB", reason) for one, reason in left]


def _describe_strategy(source: VectorSearch, run: Run) -> StrategyNote:
    if source.scan is not None:
        found = run.nearest.get(source.placeholder)  # what ANALYZE has seen
        refusal = found if isinstance(found, str) else refuse_search(source, run)
        if refusal is not None:
            return StrategyNote("scan", None, refusal)
        if not run.settings.approximate and source.table.index_on(source.column, ("IVF",)) is not None:
            return StrategyNote("exact", None, "lancesql.approximate is off")
    k = sum(read_count(value, run, "k", least=0) for value in source.k) if source.k else None
    steps = list_steps(source, run, k)
    action = plan_vector_search(source, run, steps[-1] if steps else k)
    exact, index = action.strategy.exact, action.strategy.index
    paged = f"; a page of the searches for {', '.join(f'{one:,}' for one in steps)} rows" if steps else ""
    return StrategyNote("exact" if exact else "index", None if exact else index, f"{action.strategy.reason}{paged}")


def _describe_leaves(source: FusedSearch | RerankedSearch, run: Run) -> list[Note]:
    """How each of the searches is carried out, and the filter of one that has more than its share."""
    lines: list[Note] = []
    for leaf in settle_leaves(source, run):
        name = leaf.placeholder.removeprefix(f"{source.placeholder}/")
        if isinstance(leaf, VectorSearch):
            lines.append(_describe_strategy(leaf, run).of(name))
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


def _describe_correlated_filter(source: Search, run: Run) -> list[Note]:
    fixed, moving = split_filter(source)
    pushed, left = render_conjuncts(moving, run)
    lines = _describe_filter(resolve_filter(replace(source, filter=fixed), replace(run, filters={})))
    lines += [ConjunctNote(flatten(one.sql), "Lance, for each row", text) for one, text in pushed]
    return lines + [ConjunctNote(flatten(one.sql), "DuckDB, as row ids for each row", reason) for one, reason in left]


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


def _describe_filter(resolved: ResolvedFilter) -> list[Note]:
    lines: list[Note] = [ConjunctNote(flatten(sql), "Lance", text) for sql, text in resolved.pushed]
    lines += [ConjunctNote(flatten(sql), "", note) for sql, note in resolved.keyed]
    lines += [ConjunctNote(flatten(sql), "DuckDB, as row ids", reason) for sql, reason in resolved.left]
    if lines:
        lines.append(f"{resolved.matches:,} rows qualify")
    return lines
