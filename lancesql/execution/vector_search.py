"""A vector search carried out: its filter resolved, its strategy chosen, its rows found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lancesql.errors import ArgumentError
from lancesql.optimizer.choose_strategy import Effort, Strategy, choose_strategy, is_cheaper_by_rows
from lancesql.plan.sources import VectorSearch
from lancesql.plan.values import Value
from lancesql.storage.scan import list_row_ids, read_row_ids, serialize_row_ids
from lancesql.storage.vectors import rank_rows, search_vectors

from .counts import make_empty
from .filters import ResolvedFilter, resolve_filter
from .query_vectors import read_vector
from .run import Run, read_count, read_number

__all__ = ["VectorAction", "plan_vector_search", "run_vector_search"]


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
        recall=run.settings.recall if recall is None else recall,
        nprobes=count(options.nprobes, "nprobes"),
        ef=count(options.ef, "ef"),
        refine_factor=count(options.refine_factor, "refine_factor"),
    )


def run_vector_search(source: VectorSearch, run: Run, columns: Sequence[str], k: int | None) -> pa.Table:
    """The k nearest rows, nearest first; every row in range when k is None."""
    type_ = source.table.schema.field(source.column).type
    query = read_vector(source.query, run, type_, source.metric, source.column)
    dataset = run.database.open_dataset(source.table)
    if k == 0 or source.table.rows == 0:
        return make_empty(source, columns)
    action = plan_vector_search(source, run, k)
    if action.filter.matches == 0:
        return make_empty(source, columns)
    strategy, resolved = action.strategy, action.filter
    search: dict[str, Any] = {
        "column": source.column, "query": query, "k": action.k, "metric": source.metric, "bounds": action.bounds,
        "finite": source.scan is None,
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
