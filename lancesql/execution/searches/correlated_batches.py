"""Vector searches for each row, in batches: rows of one filter together, and rows of many filters together as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.execution.run import Run
from lancesql.plan.sources import DISTANCE, ROW_ID, VectorSearch
from lancesql.storage.searches.vector_batches import Neighbours, VectorBlocks, rank_pairs

from .correlated_filters import CorrelatedFilter
from .counts import sum_counts
from .examples import read_target
from .vector_batch import open_blocks, rank_vector_batch

__all__ = ["CorrelatedBatch"]

Array = np.ndarray[Any, Any]

_FEW_FILTERS = 4
"""So many different filters are resolved one by one; more of them are checked on the rows that are near."""
_PAIRS = 1 << 22
"""Pairs of a row and an outer row that may be found at a time."""


class CorrelatedBatch:
    """Carries out one search of a statement for many rows at once."""

    def __init__(self, source: VectorSearch, run: Run, filter: CorrelatedFilter) -> None:
        self._source = source
        self._run = run
        self._filter = filter
        self._blocks: VectorBlocks = open_blocks(source, filter.fixed, run)

    def search(self, rows: Sequence[Mapping[str, object]], outer: pa.Table) -> tuple[pa.Table, Array]:
        """The ids and distances that the rows find, by row, and which row found each.

        Args:
            rows: The values of each row.
            outer: The same as columns.
        """
        parts: list[Neighbours] = []
        for k, places in self._group_by_count(rows):
            queries = self._read_queries([rows[at] for at in places])
            found = self._rank(queries, [rows[at] for at in places], outer.take(places), k)
            parts.append(Neighbours(places[found.query_index], found.row_ids, found.distances))
        owners = np.concatenate([part.query_index for part in parts] or [np.empty(0, np.int64)])
        order = np.argsort(owners, kind="stable")
        ids = np.concatenate([part.row_ids for part in parts] or [np.empty(0, np.uint64)])
        distances = np.concatenate([part.distances for part in parts] or [np.empty(0, np.float32)])
        return pa.table({ROW_ID: ids[order], DISTANCE: distances[order]}), owners[order]

    def _group_by_count(self, rows: Sequence[Mapping[str, object]]) -> Iterator[tuple[int, Array]]:
        counts = [sum_counts(self._source, self._bind(values)) or 0 for values in rows]
        for k in dict.fromkeys(counts):
            if k and self._source.table.rows:
                yield k, np.array([at for at, count in enumerate(counts) if count == k], np.int64)

    def _bind(self, values: Mapping[str, object]) -> Run:
        return replace(self._run, values={**self._run.values, **values})

    def _read_queries(self, rows: Sequence[Mapping[str, object]]) -> Array:
        targets = [read_target(self._source, self._bind(values)) for values in rows]
        return np.stack([target.vector for target in targets if target is not None])  # a vector is never missing

    def _rank(self, queries: Array, rows: Sequence[Mapping[str, object]], outer: pa.Table, k: int) -> Neighbours:
        if not self._filter.moving:
            return self._rank_fixed(queries, k)
        keys = [self._filter.make_key(values) for values in rows]
        distinct = list(dict.fromkeys(keys))
        if len(distinct) > _FEW_FILTERS:
            return self._rank_checking(queries, outer, k)
        parts = []
        for key in distinct:
            places = np.array([at for at, one in enumerate(keys) if one == key], np.int64)
            resolved = self._filter.resolve(rows[places[0]])
            if resolved.matches:
                blocks = open_blocks(self._source, resolved, self._run)
                found = rank_vector_batch(self._source, self._run, resolved, blocks, queries[places], k)
                parts.append(Neighbours(places[found.query_index], found.row_ids, found.distances))
        return join_neighbours(parts)

    def _rank_fixed(self, queries: Array, k: int) -> Neighbours:
        fixed = self._filter.fixed
        if fixed.matches == 0:
            return join_neighbours([])
        return rank_vector_batch(self._source, self._run, fixed, self._blocks, queries, k)

    def _rank_checking(self, queries: Array, outer: pa.Table, k: int) -> Neighbours:
        """Looks at more rows than k, and checks them; what is then still short of k is ranked among all that match."""
        matches = self._filter.fixed.matches
        depth: int | None = min(2 * k + 8, matches)
        open_ = np.arange(len(queries))
        parts: list[Neighbours] = []
        while depth and len(open_):
            found = self._rank_fixed(queries[open_], depth)
            kept = self._filter.check_pairs(found.row_ids, open_[found.query_index], outer)
            found = Neighbours(found.query_index[kept], found.row_ids[kept], found.distances[kept])
            counts = np.bincount(found.query_index, minlength=len(open_))
            done = (counts >= k) | (depth >= matches)
            starts = np.cumsum(counts) - counts
            first = np.arange(len(found.query_index)) - starts[found.query_index] < k
            taken = first & done[found.query_index]
            parts.append(Neighbours(open_[found.query_index[taken]], found.row_ids[taken], found.distances[taken]))
            open_ = open_[~done]
            depth = _deepen(depth, k, matches, kept)
        step = max(1, _PAIRS // max(matches, 1))
        for start in range(0, len(open_), step):
            parts.append(self._rank_matching(queries, open_[start : start + step], outer, k))
        return join_neighbours(parts)

    def _rank_matching(self, queries: Array, places: Array, outer: pa.Table, k: int) -> Neighbours:
        row_ids, owners = self._filter.match_rows(outer.take(places))
        blocks = self._blocks.restrict(row_ids)
        found = rank_pairs(blocks, row_ids, owners, queries[places], k, self._source.metric)
        return Neighbours(places[found.query_index], found.row_ids, found.distances)


def _deepen(depth: int, k: int, matches: int, kept: Array) -> int | None:
    """How many rows to look at next, by the share that was kept; None when it is better to ask which rows match."""
    wanted = 2 * k * len(kept) // max(int(kept.sum()), 1) + 16
    return wanted if 2 * depth < wanted < min(64 * k + 64, matches // 4) else None


def join_neighbours(parts: list[Neighbours]) -> Neighbours:
    """Neighbours of different queries as one."""
    query_index = np.concatenate([part.query_index for part in parts] or [np.empty(0, np.int64)])
    order = np.argsort(query_index, kind="stable")
    return Neighbours(
        query_index[order],
        np.concatenate([part.row_ids for part in parts] or [np.empty(0, np.uint64)])[order],
        np.concatenate([part.distances for part in parts] or [np.empty(0, np.float32)])[order],
    )
