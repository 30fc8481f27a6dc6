"""The rows nearest to a vector: the filter resolved, a strategy chosen, the rows found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.errors import ArgumentError
from lancesql.execution.filters.resolve import ResolvedFilter, resolve_filter
from lancesql.execution.run import Run, read_count, read_number
from lancesql.optimizer.choose_strategy import Effort, Strategy, choose_strategy, is_cheaper_by_rows
from lancesql.optimizer.ignored_effort import describe_ignored
from lancesql.plan.sources import DISTANCE, ROW_ID, VectorSearch
from lancesql.plan.values import Value
from lancesql.storage.scan import serialize_row_ids
from lancesql.storage.searches.distances import is_measured_by_lance
from lancesql.storage.searches.estimated_vectors import refine_estimates
from lancesql.storage.searches.measured_vectors import Bounds, rank_rows, scan_vectors
from lancesql.storage.searches.vectors import search_vectors

from .counts import make_empty
from .examples import Target

__all__ = ["VectorAction", "choose_effort", "plan_vector_search", "rank_vectors"]


_VECTORS_A_ROW = 16
"""The vectors a list of vectors is assumed to hold, for what it costs to compare them."""
_READ_AT_ONCE = 1_000
"""So few values of the rows that qualify are read with their vectors: it costs less than to ask once more."""
_LEAST_CANDIDATES = 10
"""Of lists of vectors even a flat index gives estimates: so many times k rows hold the k nearest. Of 20,000 rows with
6 vectors of 64 dimensions, k candidates gave a recall of 0.91, five times as many 1.00. With half a bit a dimension
twice as many are needed as of single vectors: of 2,000 random rows 0.88 then became 0.97."""


@dataclass(frozen=True)
class VectorAction:
    """A vector search whose filter is resolved and whose strategy is chosen."""

    filter: ResolvedFilter
    strategy: Strategy
    k: int
    bounds: Bounds


def plan_vector_search(source: VectorSearch, run: Run, k: int | None) -> VectorAction:
    """Resolves the filter and chooses the strategy; EXPLAIN prints just this."""
    resolved = resolve_filter(source, run)
    bounds = _read_bounds(source, run)
    wanted = max(1, min(resolved.matches, source.table.rows) if k is None else min(k, max(source.table.rows, 1)))
    return VectorAction(resolved, _choose(source, run, bounds, wanted, resolved.matches), wanted, bounds)


def _choose(source: VectorSearch, run: Run, bounds: Bounds, k: int, matches: int) -> Strategy:
    strategy = _choose_way(source, run, bounds, k, matches)
    ignored = describe_ignored(
        source.table.index_on(source.column, ("IVF",), source.metric), strategy, _read_effort(source, run)
    )
    return strategy if not ignored else replace(strategy, reason="; ".join((strategy.reason, *ignored)))


def _choose_way(source: VectorSearch, run: Run, bounds: Bounds, k: int, matches: int) -> Strategy:
    if bounds != (None, None):
        return Strategy(True, "a range of distances needs true distances")
    type_ = source.table.schema.field(source.column).type
    index = source.table.index_on(source.column, ("IVF",), source.metric)
    fast = source.options.fast_search
    single = pa.types.is_fixed_size_list(type_)
    if single and not is_measured_by_lance(type_, source.metric):
        what = "no index has" if source.metric == "l1" else f"Lance does not search {type_.value_type} by"
        skipped = "; fast_search has no index to ask" if fast else ""
        return Strategy(True, f"{what} metric {source.metric}{skipped}")
    served = index is not None and index.metric in (None, source.metric)
    effort = _read_effort(source, run)
    if fast and served:
        effort = replace(effort, exact=False)
    strategy = choose_strategy(
        index, source.metric, _count_words(type_), k, matches, effort, filtered=bool(source.filter)
    )
    if not single and not strategy.exact and effort.refine_factor is None:
        deeper = replace(effort, exact=False, refine_factor=max(2 * (strategy.refine_factor or 1), _LEAST_CANDIDATES))
        strategy = choose_strategy(
            index, source.metric, _count_words(type_), k, matches, deeper, filtered=bool(source.filter)
        )
    if not fast:
        return strategy
    note = f"{index.rows_unindexed:,} rows not indexed are left out" if served and index else "no index to ask"
    return replace(strategy, reason=f"{strategy.reason}; fast_search: {note}")


def _count_words(type_: Any) -> int:
    """How many words of 4 bytes a row has, as a rule."""
    vectors, vector = (1, type_) if pa.types.is_fixed_size_list(type_) else (_VECTORS_A_ROW, type_.value_type)
    return max(1, int(vectors * vector.list_size * vector.value_type.bit_width) // 32)


def choose_effort(source: VectorSearch, run: Run, k: int, matches: int) -> tuple[Strategy, Effort]:
    """The strategy of one search of so many rows, without bounds, and what the user asked for."""
    return _choose(source, run, (None, None), k, matches), _read_effort(source, run)


def _read_bounds(source: VectorSearch, run: Run) -> Bounds:
    """The bounds, each as the least number of single precision that is not below it.

    A distance is of single precision: it is then in range exactly when the number shown is in the range asked for.
    """
    low = read_number(source.lower_bound, run, "lower_bound")
    high = read_number(source.upper_bound, run, "upper_bound")
    if low is not None and high is not None and low > high:
        span = source.upper_bound.span if source.upper_bound is not None else None
        raise ArgumentError(f"lower_bound {low:g} lies above upper_bound {high:g}", span=span)
    return (_round_up(low), _round_up(high))


def _round_up(number: float | None) -> float | None:
    if number is None:
        return None
    with np.errstate(over="ignore"):
        single = np.float32(number)
    return float(single if float(single) >= number else np.nextafter(single, np.float32(np.inf)))


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


def rank_vectors(source: VectorSearch, run: Run, columns: Sequence[str], k: int | None, target: Target) -> pa.Table:
    """The k rows nearest to a query, nearest first; every one in range when k is None."""
    if k == 0 or source.table.rows == 0:
        return make_empty(source, columns)
    if not target.excluded:
        return _rank(source, run, columns, k, target.vector)
    wanted = tuple(dict.fromkeys((*columns, ROW_ID)))
    ranked = _rank(source, run, wanted, None if k is None else k + len(target.excluded), target.vector)
    examples = pa.array(target.excluded, pa.uint64())
    others = ranked.filter(pc.invert(pc.is_in(ranked.column(ROW_ID), value_set=examples)))
    return others.slice(0, k).select(list(columns))


def _rank(
    source: VectorSearch, run: Run, columns: Sequence[str], k: int | None, query: np.ndarray[Any, Any]
) -> pa.Table:
    action = plan_vector_search(source, run, k)
    if action.filter.matches == 0:
        return make_empty(source, columns)
    dataset = run.database.open_dataset(source.table)
    return run.ask_storage(source.table, lambda: _find_rows(source, dataset, action, columns, query))


def _find_rows(
    source: VectorSearch, dataset: Any, action: VectorAction, columns: Sequence[str], query: np.ndarray[Any, Any]
) -> pa.Table:
    type_ = source.table.schema.field(source.column).type
    strategy, resolved = action.strategy, action.filter
    search: dict[str, Any] = {
        "column": source.column, "query": query, "k": action.k, "metric": source.metric, "bounds": action.bounds,
        "finite": source.scan is None,
    }  # fmt: skip
    ids = resolved.row_ids
    scope: dict[str, Any] = {"filter": resolved.text, "row_ids": None if ids is None else serialize_row_ids(ids)}
    narrowed = ids is not None or resolved.text is not None
    if narrowed and strategy.exact and is_cheaper_by_rows(resolved.matches, source.table.rows, _count_words(type_)):
        few = resolved.matches * len(columns) <= _READ_AT_ONCE
        few = few and (resolved.matches <= action.k or _are_narrow(source, columns, pa.types.is_string))
        return rank_rows(dataset, columns, few=few, **search, **scope)
    measured = is_measured_by_lance(type_, source.metric)
    if source.scan is not None and pa.types.is_float16(type_.value_type):
        # Lance's distances of float16 are coarser than DuckDB's, and it is DuckDB that orders the rows.
        measured = False
    if not strategy.exact:
        table = _ask_index(
            dataset,
            columns,
            strategy,
            search | scope,
            measured=measured,
            fast=source.options.fast_search,
            narrow=_are_narrow(source, columns),
        )
        enough = table.num_rows >= min(action.k, resolved.matches)
        if enough or source.options.nprobes is not None or source.options.fast_search:
            return table
    if measured:
        return search_vectors(dataset, columns, exact=True, **search, **scope)
    return scan_vectors(dataset, columns, **search, **scope)


def _are_narrow(source: VectorSearch, columns: Sequence[str], also: Callable[[Any], bool] = lambda _: False) -> bool:
    """Whether no column is so wide that it is to be read for the rows shown alone."""
    types = [source.table.schema.field(name).type for name in columns if name in source.table.schema.names]
    return all(pa.types.is_primitive(type_) or also(type_) for type_ in types)


def _ask_index(
    dataset: Any,
    columns: Sequence[str],
    strategy: Strategy,
    search: dict[str, Any],
    *,
    measured: bool,
    fast: bool,
    narrow: bool,
) -> pa.Table:
    depth = search["k"] * (strategy.refine_factor or 1)
    asked: dict[str, Any] = {"nprobes": strategy.nprobes, "ef": strategy.ef, "fast_search": fast}
    if measured:
        if strategy.adapts:
            own = {name: value for name, value in search.items() if name not in ("bounds", "finite")}
            asked_of = {"depth": depth, "missed": strategy.missed, "nprobes": strategy.nprobes, "ef": strategy.ef}
            code_bytes = strategy.code_bits * len(search["query"]) / 8
            table = refine_estimates(dataset, columns, narrow=narrow, code_bytes=code_bytes, **asked_of, **own)
            if table is not None:
                return table
        return search_vectors(dataset, columns, refine_factor=strategy.refine_factor, **asked, **search)
    # Of lists of vectors the index gives estimates: it chooses candidates, and their distances are measured here.
    candidates = search_vectors(dataset, (ROW_ID, DISTANCE), **asked, **(search | {"k": depth}))
    own = {name: value for name, value in search.items() if name not in ("filter", "row_ids")}
    return rank_rows(dataset, columns, row_ids=serialize_row_ids(candidates.column(ROW_ID)), **own)
