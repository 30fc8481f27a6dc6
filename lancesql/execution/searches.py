"""Searches carried out: vector, text, and the fusion of both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from lancesql.errors import ArgumentError, LanceSQLError
from lancesql.optimizer.choose_strategy import Effort, Strategy, choose_strategy, is_cheaper_by_rows
from lancesql.parser.text_query import parse_text_query
from lancesql.plan.sources import DISTANCE, ROW_ID, SCORE, FullTextSearch, HybridSearch, VectorSearch
from lancesql.plan.text import TextQuery, Words
from lancesql.plan.values import Value
from lancesql.storage.scan import list_row_ids, read_row_ids, serialize_row_ids, take_rows
from lancesql.storage.texts import search_texts
from lancesql.storage.vectors import rank_rows, search_vectors

from .filters import ResolvedFilter, resolve_filter
from .fusion import fuse_legs
from .run import Run, evaluate, read_count, read_number, read_vector

__all__ = ["VectorAction", "plan_vector_search", "run_search"]

Search = VectorSearch | FullTextSearch | HybridSearch


def run_search(source: Search, run: Run, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a search, best first, types as Lance stores them; memoised for the run.

    Args:
        source: The search.
        run: The run it belongs to.
        columns: The columns wanted; those of the source unless given.
    """
    wanted = tuple(source.columns if columns is None else columns)
    held = run.answers.get(source.placeholder)
    if held is not None and set(wanted) <= set(held.column_names):
        return held.select(list(wanted))
    started = time.perf_counter()
    match source:
        case VectorSearch():
            table = _run_vector(source, run, wanted, _sum_counts(source, run))
        case FullTextSearch():
            table = _run_text(source, run, wanted, _sum_counts(source, run))
        case HybridSearch():
            table = _run_hybrid(source, run, wanted)
    run.answers[source.placeholder] = table
    report = run.report(source.placeholder)
    report.rows, report.seconds = table.num_rows, time.perf_counter() - started
    return table


def _sum_counts(source: Search, run: Run) -> int | None:
    least = 1 if source.k_origin == "k" else 0  # LIMIT 0 is a question; k => 0 is a mistake
    return sum(read_count(value, run, "k", least=least) for value in source.k) if source.k else None


@dataclass(frozen=True)
class VectorAction:
    """A vector search whose filter is resolved and whose strategy is chosen."""

    filter: ResolvedFilter
    strategy: Strategy
    k: int
    bounds: tuple[float | None, float | None]


def plan_vector_search(source: VectorSearch, run: Run, k: int | None) -> VectorAction:
    """Resolves the filter and chooses the strategy; EXPLAIN prints just this."""
    resolved = resolve_filter(source, run)
    bounds = (
        read_number(source.lower_bound, run, "lower_bound"),
        read_number(source.upper_bound, run, "upper_bound"),
    )
    wanted = max(1, min(resolved.matches, source.table.rows) if k is None else min(k, max(source.table.rows, 1)))
    if bounds != (None, None):
        strategy = Strategy(True, "a range of distances needs true distances")
    else:
        dimension = source.table.schema.field(source.column).type.list_size
        strategy = choose_strategy(
            source.table.index_on(source.column, ("IVF",)),
            source.metric,
            dimension,
            wanted,
            resolved.matches,
            _read_effort(source, run),
            filtered=bool(source.filter),
        )
    return VectorAction(resolved, strategy, wanted, bounds)


def _read_effort(source: VectorSearch, run: Run) -> Effort:
    options = source.options
    recall = read_number(options.recall, run, "recall")
    if recall is not None and not 0 < recall <= 1:
        raise ArgumentError("recall is between 0 and 1", span=options.recall.span if options.recall else None)

    def count(value: Value | None, what: str) -> int | None:
        return None if value is None else read_count(value, run, what)

    return Effort(
        exact=options.exact,
        recall=recall,
        nprobes=count(options.nprobes, "nprobes"),
        ef=count(options.ef, "ef"),
        refine_factor=count(options.refine_factor, "refine_factor"),
    )


def _run_vector(source: VectorSearch, run: Run, columns: Sequence[str], k: int | None) -> pa.Table:
    type_ = source.table.schema.field(source.column).type
    query = read_vector(source.query, run, type_, source.metric, source.column)
    dataset = run.database.open_dataset(source.table)
    if k == 0 or source.table.rows == 0:
        return _empty(source, columns)
    action = plan_vector_search(source, run, k)
    if action.filter.matches == 0:
        return _empty(source, columns)
    strategy, resolved = action.strategy, action.filter
    search: dict[str, Any] = {
        "column": source.column, "query": query, "k": action.k, "metric": source.metric, "bounds": action.bounds,
    }  # fmt: skip
    ids = resolved.row_ids
    if strategy.exact and is_cheaper_by_rows(resolved.matches, source.table.rows, type_.list_size):
        if ids is None and resolved.text is not None and not _is_indexed(source):
            ids = read_row_ids(dataset, resolved.text, None)
        if ids is not None:
            return rank_rows(dataset, columns, row_ids=list_row_ids(ids), **search)
    search |= {"filter": resolved.text, "row_ids": None if ids is None else serialize_row_ids(ids)}
    if strategy.exact:
        return search_vectors(dataset, columns, exact=True, **search)
    table = search_vectors(
        dataset,
        columns,
        nprobes=strategy.nprobes,
        refine_factor=strategy.refine_factor,
        ef=strategy.ef,
        **search,
    )
    if table.num_rows < min(action.k, resolved.matches) and source.options.nprobes is None:
        return search_vectors(dataset, columns, exact=True, **search)
    return table


def _is_indexed(source: VectorSearch) -> bool:
    """Whether indexes answer the filter: Lance then reads only the rows that qualify, else every vector."""
    columns = {name for conjunct in source.filter for name in conjunct.columns}
    served = {index.columns for index in source.table.indexes if not index.kind.startswith(("IVF", "INVERTED", "FTS"))}
    return all((name,) in served for name in columns)


def _empty(source: Search, columns: Sequence[str]) -> pa.Table:
    types = {field.name: field.type for field in source.table.schema}
    types |= {ROW_ID: pa.uint64(), DISTANCE: pa.float32(), SCORE: pa.float32()}
    return pa.schema([pa.field(name, types.get(name, pa.float64())) for name in columns]).empty_table()


def _read_text(source: FullTextSearch, run: Run) -> TextQuery:
    raw = evaluate(source.query, run)
    if not isinstance(raw, str):
        shown = "NULL" if raw is None else "a list" if isinstance(raw, tuple | list) else type(raw).__name__
        raise ArgumentError(f"the text query is a text, not {shown}", span=source.query.span)
    if source.syntax == "plain":
        return Words(raw)
    try:
        return parse_text_query(raw, source.operator)
    except LanceSQLError as error:
        error.sql = error.sql or raw
        raise


def _run_text(source: FullTextSearch, run: Run, columns: Sequence[str], k: int | None) -> pa.Table:
    query = _read_text(source, run)
    dataset = run.database.open_dataset(source.table)
    if k == 0 or source.table.rows == 0:
        return _empty(source, columns)
    resolved = resolve_filter(source, run)
    if resolved.matches == 0:
        return _empty(source, columns)
    return search_texts(
        dataset,
        columns,
        text_columns=source.text_columns,
        query=query,
        limit=k,
        filter=resolved.text,
        row_ids=None if resolved.row_ids is None else serialize_row_ids(resolved.row_ids),
    )


def _run_hybrid(source: HybridSearch, run: Run, columns: Sequence[str]) -> pa.Table:
    k = _sum_counts(source, run) or 0
    if k == 0:
        return _empty(source, columns)
    depth = find_depth(source, run)
    resolved = resolve_filter(source, run)
    run.filters[f"{source.placeholder}/vector"] = run.filters[f"{source.placeholder}/text"] = resolved
    vector = replace(source.vector, placeholder=f"{source.placeholder}/vector")
    text = replace(source.text, placeholder=f"{source.placeholder}/text")
    nearest = _run_vector(vector, run, (ROW_ID, DISTANCE), depth)
    matching = _run_text(text, run, (ROW_ID, SCORE), depth)
    fused = fuse_legs(
        nearest,
        matching,
        fusion=source.fusion,
        rrf_k=read_number(source.rrf_k, run, "rrf_k") or 60.0,
        alpha=_read_alpha(source, run),
        score=source.score_column,
    ).slice(0, k)
    base = [name for name in columns if name in source.table.schema.names]
    if base:
        dataset = run.database.open_dataset(source.table)
        rows = take_rows(dataset, list_row_ids(fused.column(ROW_ID)), [*base, ROW_ID])
        for name in base:
            fused = fused.append_column(rows.schema.field(name), rows.column(name))
    return fused.select(list(columns))


def find_depth(source: HybridSearch, run: Run) -> int:
    """How many rows each leg gives: never by OFFSET, so that every page is cut from one ranking."""
    page = read_count(source.k[0], run, "k", least=0)
    if source.oversample is not None:
        return page * read_count(source.oversample, run, "oversample_factor")
    return max(read_count(source.candidates, run, "candidates"), page)


def _read_alpha(source: HybridSearch, run: Run) -> float:
    alpha = read_number(source.alpha, run, "alpha")
    if alpha is None or not 0 <= alpha <= 1:
        raise ArgumentError("alpha is between 0 and 1", span=source.alpha.span if source.alpha else None)
    return alpha
