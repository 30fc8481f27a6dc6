"""Nearest rows by distances measured here: few rows that are known, or a column Lance does not measure, as a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lance
import numpy as np
import pyarrow as pa

from lancesql.plan.sources import DISTANCE, ROW_ID
from lancesql.storage.scan import open_scan, order_rows, read_scan, take_rows, wrap_lance_error

from .distances import measure_distances

__all__ = ["Bounds", "NearestRows", "rank_rows", "scan_vectors"]

Bounds = tuple[float | None, float | None]
"""The half-open range of distances, each bound a number that single precision holds."""

_HELD = 1 << 16
"""So many rows beyond k are held before those that are too far are dropped."""


def rank_rows(
    dataset: lance.LanceDataset,
    columns: Sequence[str],
    *,
    column: str,
    query: np.ndarray[Any, Any],
    k: int,
    metric: str,
    filter: str | None = None,
    row_ids: bytes | None = None,
    few: bool = False,
    bounds: Bounds = (None, None),
    finite: bool = True,
) -> pa.Table:
    """The same answer as an exact search, when the qualifying rows are few: only they are read, and held.

    Args:
        dataset: The table at its version.
        columns: The columns to read; `_distance` and `_rowid` may be among them.
        column: The vector column.
        query: The query vector, or a matrix for lists of vectors.
        k: How many rows.
        metric: Any metric of `measure_distances`.
        filter: Lance filter text.
        row_ids: Serialised row ids outside which nothing is read.
        few: So few rows that all of their columns are read at once.
        bounds: The range of distances.
        finite: Leave out rows whose distance is not finite.
    """
    wanted = [name for name in dict.fromkeys([column, *(columns if few else ()), ROW_ID]) if name != DISTANCE]
    candidates = read_scan(open_scan(dataset, wanted, filter=filter, row_ids=row_ids, widen=False))
    nearest = NearestRows(query, metric, k, bounds, finite=finite)
    nearest.add(candidates.column(ROW_ID), candidates.column(column))
    return nearest.take(dataset, columns, candidates if few else None)


def scan_vectors(
    dataset: lance.LanceDataset,
    columns: Sequence[str],
    *,
    column: str,
    query: np.ndarray[Any, Any],
    k: int,
    metric: str,
    filter: str | None = None,
    row_ids: bytes | None = None,
    bounds: Bounds = (None, None),
    finite: bool = True,
) -> pa.Table:
    """The k nearest of all qualifying rows, each compared; the column is read as a stream and never held.

    Args:
        dataset: The table at its version.
        columns: The columns to read; `_distance` and `_rowid` may be among them.
        column: The vector column.
        query: The query vector, or a matrix for lists of vectors.
        k: How many rows.
        metric: Any metric of `measure_distances`.
        filter: Lance filter text.
        row_ids: Serialised row ids outside which nothing is read.
        bounds: The range of distances.
        finite: Leave out rows whose distance is not finite.
    """
    nearest = NearestRows(query, metric, k, bounds, finite=finite)
    reader = open_scan(dataset, [column, ROW_ID], filter=filter, row_ids=row_ids, widen=False)
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            break
        except BaseException as error:
            raise wrap_lance_error(error, f"searching column '{column}'") from None
        nearest.add(batch.column(ROW_ID), pa.chunked_array([batch.column(column)]))
    return nearest.take(dataset, columns)


class NearestRows:
    """The k nearest rows of what has been added."""

    def __init__(self, query: np.ndarray[Any, Any], metric: str, k: int, bounds: Bounds, *, finite: bool) -> None:
        self.query, self.metric, self.k, self.bounds, self.finite = query, metric, k, bounds, finite
        self._parts: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
        self._held = 0

    def add(self, row_ids: Any, vectors: pa.ChunkedArray[Any]) -> np.ndarray[Any, Any]:
        """Compares some rows more; their distances."""
        ids, distances = row_ids.to_numpy(), measure_distances(vectors, self.query, self.metric)
        keep = np.isfinite(distances) if self.finite else ~np.isnan(distances)
        low, high = self.bounds
        if low is not None:
            keep &= distances >= np.float32(low)
        if high is not None:
            keep &= distances < np.float32(high)
        self._parts.append((ids[keep], distances[keep]))
        self._held += len(self._parts[-1][0])
        if self._held > self.k + _HELD:
            self._parts = [self.rank()]
            self._held = self.k
        return distances

    def rank(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Row ids and distances, nearest first, ties by row id."""
        if not self._parts:
            return np.empty(0, np.uint64), np.empty(0, np.float32)
        ids = np.concatenate([part[0] for part in self._parts])
        distances = np.concatenate([part[1] for part in self._parts])
        order = np.lexsort((ids, distances))[: self.k]
        return ids[order], distances[order]

    def take(self, dataset: lance.LanceDataset, columns: Sequence[str], held: pa.Table | None = None) -> pa.Table:
        """The columns of the rows found, in their order; out of the rows held when there are such."""
        ids, distances = self.rank()
        own = [name for name in columns if name != DISTANCE] or [ROW_ID]
        rows = take_rows(dataset, ids.tolist(), own) if held is None else order_rows(held, ids, own)
        return rows.append_column(DISTANCE, pa.array(distances, pa.float32())).select(list(columns))
