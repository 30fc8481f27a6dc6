"""A vector search, carried out: its nearest rows, the best rows of each group, or rows unlike each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.errors import ArgumentError
from lancesql.execution.run import Run, read_count, read_number
from lancesql.plan.sources import DISTANCE, ROW_ID, VectorSearch
from lancesql.plan.vector_options import Diversity, Grouping
from lancesql.storage.scan import list_row_ids, take_rows
from lancesql.storage.searches.distances import measure_distances, read_matrix

from .counts import make_empty
from .examples import Target, read_target
from .pages import list_steps, rank_pages
from .vector import rank_vectors

__all__ = ["run_vector_search", "select_vectors"]

_LEAST_DEPTH = 100
_DEEPER = 8
"""A ranking that does not fill its groups is asked for so many times as many rows."""


def run_vector_search(source: VectorSearch, run: Run, columns: Sequence[str], k: int | None) -> pa.Table:
    """The k nearest rows, nearest first (every row in range when k is None), or what is selected of the ranking."""
    target = read_target(source, run)
    return make_empty(source, columns) if target is None else select_vectors(source, run, columns, k, target)


def select_vectors(source: VectorSearch, run: Run, columns: Sequence[str], k: int | None, target: Target) -> pa.Table:
    """As `run_vector_search`, of a query that is read."""
    if source.selection is None or k == 0:
        return _read_ranking(source, run, columns, k, target)
    if isinstance(source.selection, Grouping):
        chosen = _select_groups(source, source.selection, run, k, target)
    else:
        chosen = _select_diverse(source, source.selection, run, k or 1, target)
    if set(columns) <= set(chosen.column_names):
        return chosen.select(list(columns))
    own = [name for name in columns if name != DISTANCE]
    rows = take_rows(run.database.open_dataset(source.table), list_row_ids(chosen.column(ROW_ID)), own)
    return rows.append_column(DISTANCE, chosen.column(DISTANCE)).select(list(columns))


def _read_ranking(source: VectorSearch, run: Run, columns: Sequence[str], k: int | None, target: Target) -> pa.Table:
    steps = list_steps(source, run, k)
    if not steps or k is None:
        return rank_vectors(source, run, columns, k, target)
    wanted = (ROW_ID, DISTANCE)
    return rank_pages(source, run, columns, k, steps, lambda rows: rank_vectors(source, run, wanted, rows, target))


def _select_groups(source: VectorSearch, grouping: Grouping, run: Run, k: int | None, target: Target) -> pa.Table:
    """The nearest rows of the k groups that come first, nearest first.

    The ranking is read deeper until k groups are full or no row is left, so that the answer is the same as if every
    row had been ranked.
    """
    size = read_count(grouping.size, run, "group_size")
    depth = None if k is None else max(_LEAST_DEPTH, 4 * k * size)
    while True:
        ranked = rank_vectors(source, run, (ROW_ID, DISTANCE, grouping.column), depth, target)
        chosen, full = _pick_groups(ranked.column(grouping.column), k, size)
        if full or depth is None or ranked.num_rows < depth:
            return ranked.take(pa.array(chosen))
        depth *= _DEEPER


def _pick_groups(values: pa.ChunkedArray[Any], k: int | None, size: int) -> tuple[np.ndarray[Any, Any], bool]:
    """The places of the rows kept, in order, and whether no later row can change them."""
    groups = _number_groups(values)
    _, first = np.unique(groups, return_index=True)
    kept = groups[np.sort(first)][:k]  # the groups in the order of their nearest rows
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], groups[order])
    rank = np.empty(len(groups), np.int64)
    rank[order] = np.arange(len(groups)) - starts
    chosen = np.flatnonzero((rank < size) & np.isin(groups, kept))
    return chosen, k is not None and len(chosen) == k * size


def _number_groups(values: pa.ChunkedArray[Any]) -> np.ndarray[Any, Any]:
    """A number for each value, equal where GROUP BY would find them equal: NULL with NULL, NaN with NaN, 0 with -0."""
    array: Any = values.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), math.nan, pc.add(array.cast(pa.float64()), pa.scalar(0.0)))
    numbers = pc.fill_null(array.dictionary_encode(null_encoding="mask").indices, -1)
    return np.asarray(numbers.to_numpy(zero_copy_only=False))


def _select_diverse(source: VectorSearch, diversity: Diversity, run: Run, k: int, target: Target) -> pa.Table:
    """Rows chosen one by one, in the order of choice."""
    weight = read_number(diversity.weight, run, "mmr")
    if weight is None or not 0 <= weight <= 1:
        raise ArgumentError("mmr is between 0 and 1", hint="1 is the plain ranking", span=diversity.weight.span)
    page = read_count(source.k[0], run, "k", least=0)  # never by OFFSET: every page is cut from one order
    depth = max(_LEAST_DEPTH, 4 * page)
    if diversity.candidates is not None:
        depth = read_count(diversity.candidates, run, "candidates")
        if depth < page:
            raise ArgumentError(
                f"candidates is {depth}, fewer than the {page} rows wanted", span=diversity.candidates.span
            )
    ranked = rank_vectors(source, run, (ROW_ID, DISTANCE, source.column), depth, target)
    if not ranked.num_rows:
        return ranked
    order = _order_by_relevance(ranked, source.column, source.metric, weight, k)
    return ranked.take(pa.array(order))


def _order_by_relevance(ranked: pa.Table, column: str, metric: str, weight: float, k: int) -> np.ndarray[Any, Any]:
    """Maximal marginal relevance (Carbonell and Goldstein, 1998), a similarity being a distance with its sign turned.

    The nearest row comes first. Each next one has the least weight · d(query, x) − (1 − weight) · min d(s, x) over the
    rows s chosen before; of equal ones the nearer, then the one with the smaller row id.
    """
    far = ranked.column(DISTANCE).to_numpy().astype(np.float64)
    vectors = pa.chunked_array([ranked.column(column).combine_chunks()])
    matrix, _ = read_matrix(vectors.chunk(0))
    closest = np.full(len(far), np.inf)
    left = np.ones(len(far), bool)
    order = [0]
    while len(order) < min(k, len(far)):
        left[order[-1]] = False
        np.minimum(closest, measure_distances(vectors, matrix[order[-1]], metric), out=closest)
        cost = np.where(left, weight * far - (1 - weight) * closest, np.inf)
        order.append(int(np.argmin(cost)))
    return np.array(order)
