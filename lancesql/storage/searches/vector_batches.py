"""Exact nearest neighbours of many queries at once: blocks of vectors against all queries, then true distances.

A product of matrices in float32 says which pairs may be among the nearest, with a margin for its rounding; their
distances are then computed as for a single query. Memory holds one block and the nearest so far.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import lance
import numpy as np
import pyarrow as pa

from lancesql.plan.sources import DISTANCE, ROW_ID
from lancesql.storage.scan import name_dataset, open_scan, serialize_row_ids, wrap_lance_error

from .distances import measure_pairs, read_matrix
from .served_index import choose_served_index

__all__ = ["Neighbours", "VectorBlocks", "ask_index", "rank_batch", "rank_pairs"]

Array = np.ndarray[Any, Any]

_BLOCK_ROWS = 8192
_BLOCK_QUERIES = 512
_KEPT_BYTES = 256 << 20
"""Vectors of a column that are kept in memory while a statement runs."""


@dataclass(frozen=True)
class Neighbours:
    """Pairs of a query and a row, by query, then nearest first, ties by row id."""

    query_index: Array
    row_ids: Array
    distances: Array


@dataclass
class VectorBlocks:
    """The vectors that qualify, block by block; kept while they are few."""

    dataset: lance.LanceDataset
    column: str
    filter: str | None = None
    row_ids: bytes | None = None
    _kept: list[tuple[Array, Array]] | None = field(default=None, repr=False)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        """Row ids and vectors; rows without a vector, or with a component that is not finite, are left out."""
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[tuple[Array, Array]] | None = []
        size = 0
        for ids, vectors in self._read():
            size += vectors.nbytes
            kept = None if kept is None or size > _KEPT_BYTES else [*kept, (ids, vectors)]
            yield ids, vectors
        self._kept = kept

    def restrict(self, row_ids: Array) -> VectorBlocks:
        """Blocks in which the rows with these ids are, all of them among those that qualify."""
        if self._kept is not None:
            return self
        return VectorBlocks(self.dataset, self.column, None, serialize_row_ids(np.unique(row_ids).tolist()))

    def _read(self) -> Iterator[tuple[Array, Array]]:
        columns = [self.column, ROW_ID]
        reader = open_scan(self.dataset, columns, filter=self.filter, row_ids=self.row_ids, widen=False)
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except BaseException as error:
                raise wrap_lance_error(error, f"reading {name_dataset(self.dataset)}") from None
            for start in range(0, batch.num_rows, _BLOCK_ROWS):
                block = _read_block(batch.slice(start, _BLOCK_ROWS), self.column)
                if len(block[0]):
                    yield block


def _read_block(batch: pa.RecordBatch, column: str) -> tuple[Array, Array]:
    matrix, missing = read_matrix(batch.column(column))
    there = ~missing
    if matrix.dtype.kind == "f":
        there &= np.isfinite(matrix).all(axis=1)
    ids = batch.column(ROW_ID).to_numpy()
    return (ids, matrix) if there.all() else (ids[there], matrix[there])


def ask_index(
    dataset: lance.LanceDataset,
    column: str,
    queries: Array,
    k: int,
    metric: str,
    *,
    filter: str | None,
    row_ids: bytes | None,
    nprobes: int | None,
    refine_factor: int | None,
    ef: int | None,
) -> Neighbours:
    """The k nearest to each query as the index of the column finds them, with true distances."""
    nearest: dict[str, Any] = {"column": column, "k": k, "metric": metric, "refine_factor": refine_factor or 1}
    if nprobes is not None:
        nearest["minimum_nprobes"] = nprobes
    if ef is not None:
        nearest["ef"] = ef
    served = choose_served_index(dataset, column, metric, fast=False)
    parts: list[tuple[Array, Array, Array]] = []
    for first in range(0, len(queries), _BLOCK_QUERIES):
        try:
            table = dataset.scanner(
                columns=[DISTANCE],
                nearest=nearest | {"q": queries[first : first + _BLOCK_QUERIES]},
                filter=filter,
                prefilter=True,
                with_row_id=True,
                row_addr_allowlist=row_ids,
                disable_scoring_autoprojection=True,
                **served,
            ).to_table()
        except BaseException as error:
            raise wrap_lance_error(error, f"searching column '{column}'") from None
        query_index = table.column("query_index").to_numpy().astype(np.int64) + first
        parts.append((query_index, table.column(ROW_ID).to_numpy(), table.column(DISTANCE).to_numpy()))
    query_index, ids, distances = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    finite = np.isfinite(distances)
    query_index, ids, distances = query_index[finite], ids[finite], distances[finite]
    order = np.lexsort((ids, distances, query_index))
    return Neighbours(query_index[order], ids[order], distances[order])


def rank_batch(blocks: VectorBlocks, queries: Array, k: int, metric: str) -> Neighbours:
    """The k nearest of the blocks' vectors to each query, with true distances.

    Args:
        blocks: The vectors.
        queries: Shape `(n, dimension)`, checked: finite, and not zero for cosine.
        k: How many for each query.
        metric: `l2`, `cosine`, `dot` or `hamming`.
    """
    if not len(queries):
        return Neighbours(np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.float32))
    best = [_Best(queries[at : at + _BLOCK_QUERIES], at, k, metric) for at in range(0, len(queries), _BLOCK_QUERIES)]
    for ids, vectors in blocks:
        prepared = _Prepared(vectors, metric)
        for one in best:
            one.consider(ids, vectors, prepared)
    return Neighbours(
        np.concatenate([one.query_index + one.first for one in best]),
        np.concatenate([one.row_ids for one in best]),
        np.concatenate([one.distances for one in best]),
    )


def rank_pairs(blocks: VectorBlocks, row_ids: Array, owners: Array, queries: Array, k: int, metric: str) -> Neighbours:
    """The k nearest to each query among its own rows: those `row_ids` whose `owners` is the query."""
    best = _Best(queries, 0, k, metric)
    order = np.argsort(row_ids, kind="stable")
    row_ids, owners = row_ids[order], owners[order]
    for ids, vectors in blocks:
        starts, ends = np.searchsorted(row_ids, ids, "left"), np.searchsorted(row_ids, ids, "right")
        counts = ends - starts
        places = np.repeat(np.arange(len(ids)), counts)
        pairs = np.arange(len(places)) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
        best.keep(owners[pairs], ids[places], measure_pairs(vectors, places, queries, owners[pairs], metric))
    return Neighbours(best.query_index, best.row_ids, best.distances)


class _Prepared:
    """Vectors as the product needs them: base + query · vector is the distance, but for rounding.

    Attributes:
        matrix: One vector a row; of double precision where single does not reach, which is slow, and right.
        squares: Their squared lengths.
        longest: The length of the longest.
        absent: The vectors that have no distance, or None.
    """

    def __init__(self, vectors: Array, metric: str) -> None:
        self.absent: Array | None = None
        if metric == "hamming":
            bits = np.unpackbits(np.ascontiguousarray(vectors, np.uint8), axis=1)
            self.matrix: Array = bits.astype(np.float32) * 2 - 1
            self.squares: Array = np.full(len(vectors), bits.shape[1], np.float32)
            self.longest = 1.0
            return
        with np.errstate(all="ignore"):
            self.matrix = vectors.astype(np.float32)
            self.squares = np.einsum("ij,ij->i", self.matrix, self.matrix)
            least = self.squares.min(initial=1.0, where=self.matrix.any(axis=1))
            if not (least > 1e-20 and self.squares.max(initial=1.0) < 1e20):
                self.matrix = vectors.astype(np.float64)
                self.squares = np.einsum("ij,ij->i", self.matrix, self.matrix)
            self.longest = float(np.sqrt(self.squares.max(initial=0.0)))
            if metric == "cosine":
                self.absent = self.squares == 0
                self.matrix /= np.sqrt(self.squares)[:, None]
                self.longest = 1.0
            elif metric == "l2":
                self.matrix = np.column_stack((self.matrix, self.squares))


class _Queries:
    """Queries as the product needs them."""

    def __init__(self, queries: Array, metric: str) -> None:
        prepared = _Prepared(queries, metric)
        matrix, squares = prepared.matrix, prepared.squares.astype(np.float64)
        self.dimension = matrix.shape[1]
        self.lengths: Array = np.sqrt(squares) if metric in ("l2", "dot") else np.ones(len(matrix))
        if metric == "l2":
            matrix = matrix[:, :-1] * -2
            self.matrix: Array = np.column_stack((matrix, np.ones(len(matrix), matrix.dtype)))
            self.base: Array = squares
        else:
            self.matrix = matrix * (-0.5 if metric == "hamming" else -1)
            self.base = squares / 2 if metric == "hamming" else np.ones(len(matrix))


class _Best:
    """The k nearest rows found so far to each of some queries."""

    def __init__(self, queries: Array, first: int, k: int, metric: str) -> None:
        self.first = first
        self.query_index: Array = np.empty(0, np.int64)
        self.row_ids: Array = np.empty(0, np.uint64)
        self.distances: Array = np.empty(0, np.float32)
        self._queries = queries
        self._prepared = _Queries(queries, metric)
        self._k = k
        self._metric = metric
        self._limits: Array = np.full(len(queries), np.inf)
        """The distance of the k-th so far."""

    def consider(self, ids: Array, vectors: Array, prepared: _Prepared) -> None:
        """Takes a block's vectors into account."""
        own = self._prepared
        with np.errstate(all="ignore"):
            products = own.matrix @ prepared.matrix.T
            margins = self._find_margins(prepared, products.dtype == np.float32)
            limits = self._limits - own.base + margins
            open_ = np.isinf(self._limits)
            if open_.any() and len(ids) > self._k:
                limits[open_] = np.partition(products[open_], self._k - 1, axis=1)[:, self._k - 1] + 2 * margins[open_]
            near = ~(products > limits.astype(products.dtype)[:, None])  # what is not a number is looked at
        if prepared.absent is not None and prepared.absent.any():
            near[:, prepared.absent] = False
        query_index, places = np.divmod(np.flatnonzero(near), len(ids))
        if len(places):
            found = measure_pairs(vectors, places, self._queries, query_index, self._metric)
            self.keep(query_index, ids[places], found)

    def _find_margins(self, prepared: _Prepared, single: bool) -> Array:
        """How far off the product may be for each query: what sums of so many rounded terms can gather."""
        rounding = (self._prepared.dimension + 16) * (2.0**-23 if single else 2.0**-52)
        margins: Array = 4 * rounding * (self._prepared.lengths + prepared.longest) ** 2 + 2.0**-120
        return margins

    def keep(self, query_index: Array, ids: Array, distances: Array) -> None:
        """Keeps the k nearest to each query of what is held and what is new."""
        finite = np.isfinite(distances)
        query_index = np.concatenate([self.query_index, query_index[finite]])
        ids = np.concatenate([self.row_ids, ids[finite]])
        distances = np.concatenate([self.distances, distances[finite]])
        order = np.lexsort((ids, distances, query_index))
        query_index = query_index[order]
        starts = np.searchsorted(query_index, np.arange(len(self._queries) + 1))
        kept = np.arange(len(order)) - starts[query_index] < self._k
        order = order[kept]
        self.query_index, self.row_ids, self.distances = query_index[kept], ids[order], distances[order]
        counts = np.minimum(np.diff(starts), self._k)
        full = counts == self._k
        ends = np.cumsum(counts) - 1
        self._limits[full] = self.distances[ends[full]]
