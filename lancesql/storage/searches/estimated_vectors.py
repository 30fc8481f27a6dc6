"""Nearest rows by an index's estimates, of which as many are made true as these estimates turn out to need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lance
import numpy as np
import pyarrow as pa

from lancesql.plan.sources import DISTANCE, ROW_ID
from lancesql.storage.scan import select_rows

from .distances import measure_distances
from .measured_vectors import NearestRows
from .vectors import search_vectors

__all__ = ["refine_estimates"]

_FIRST = 150
"""So many candidates are compared first, and at least three times k."""
_ROUNDS = 4
_MISSED = 0.08
"""So small a share of the k rows may be expected among the candidates that are not compared. More than that was never
missed: of 45 sets of queries half of it as a rule, a third where the estimates are good."""
_AIM = 0.04
"""When it is more, so many more are compared that no more than this share will be: it saves asking a third time."""
_DOUBT = 0.3
"""How far the slope of distances over estimates is from 1 as a rule. It would be 1 if every code were the mean of its
vectors; it is more where codes far away stand for more room, less where rows have come since the codes were chosen."""
_READ_AT_ONCE = 1_000
"""So few values of candidates are read with their vectors: it costs less than to ask once more."""

Numbers = np.ndarray[Any, np.dtype[np.float64]]


def refine_estimates(
    dataset: lance.LanceDataset,
    columns: Sequence[str],
    *,
    column: str,
    query: np.ndarray[Any, Any],
    k: int,
    metric: str,
    depth: int,
    nprobes: int | None,
    ef: int | None = None,
    filter: str | None = None,
    row_ids: bytes | None = None,
) -> pa.Table | None:
    """The k nearest rows, nearest first, or None where the estimates are not to be used.

    What the true distances of the first candidates have to do with their estimates tells how many rows of the answer
    may be expected among the others. Among rows that lie together the estimates say nothing, and all are compared.

    Args:
        dataset: The table at its version.
        columns: The columns to read; `_distance` and `_rowid` may be among them.
        column: The vector column.
        query: The query vector.
        k: How many rows.
        metric: The metric of the index.
        depth: At most so many candidates are compared.
        nprobes: The fewest partitions looked at.
        ef: The candidate list of an HNSW index.
        filter: Lance filter text.
        row_ids: Serialised row ids outside which nothing is searched.
    """
    search: dict[str, Any] = {"column": column, "query": query, "metric": metric, "filter": filter, "row_ids": row_ids}
    found = search_vectors(
        dataset, (ROW_ID, DISTANCE), k=depth, nprobes=nprobes, ef=ef, estimates=True, finite=False, **search
    )
    ids, estimates = found.column(ROW_ID).to_numpy(), found.column(DISTANCE).to_numpy().astype(np.float64)
    if metric == "cosine":
        estimates /= 2  # of directions Lance estimates (q − x)², and that is twice the distance
    if len(ids) < k or not np.isfinite(estimates).all():
        return None
    nearest = NearestRows(query, metric, k, (None, None), finite=True)
    distances = np.empty(0)
    enough = min(len(ids), max(_FIRST, 3 * k))
    own = [name for name in columns if name not in (ROW_ID, DISTANCE)]
    held: list[pa.Table] = []
    for number in range(_ROUNDS):
        done = len(distances)
        with_them = own if enough * len(own) <= _READ_AT_ONCE else []
        rows = select_rows(dataset, ids[done:enough].tolist(), list(dict.fromkeys([column, *with_them])))
        held.append(rows.select([*own, ROW_ID]) if len(with_them) == len(own) else rows.select([]))
        nearest.add(rows.column(ROW_ID), rows.column(column))
        distances = np.concatenate([distances, _measure(rows, column, ids[done:enough], query, metric)])
        if len(distances) == len(ids):
            break
        wanted = _count_needed(estimates, distances, k)
        if wanted <= len(distances):
            break
        enough = len(ids) if number == _ROUNDS - 2 else wanted
    if np.isfinite(distances).sum() < k:
        return None
    complete = all(ROW_ID in rows.column_names for rows in held)
    return nearest.take(dataset, columns, pa.concat_tables(held) if complete else None)


def _measure(rows: pa.Table, column: str, ids: Any, query: Any, metric: str) -> Numbers:
    """The true distances, in the order of the ids."""
    found = rows.column(ROW_ID).to_numpy()
    order = np.argsort(found)
    measured = measure_distances(rows.column(column), query, metric)
    return np.asarray(measured[order[np.searchsorted(found, ids, sorter=order)]], np.float64)


def _count_needed(estimates: Numbers, distances: Numbers, k: int) -> int:
    """How many candidates have to be compared so that hardly one of the k nearest is expected among the others.

    The distance of a candidate is taken to be normal around a line over its estimate. A choice by the estimate does
    not bend that line. Its slope is what the compared candidates say and what is known beforehand, weighed by how sure
    each is, and at most 1: among rows that lie together some hundred of them say next to nothing.
    """
    done = len(distances)
    x = estimates[:done] - estimates[:done].mean()
    spread = float((x**2).sum())
    if not np.isfinite(distances).all() or spread <= 0:
        return len(estimates)
    away = distances - distances.mean()
    seen = float((x * away).sum()) / spread
    sure, known = spread * (done - 2) / max(float(((away - seen * x) ** 2).sum()), 1e-30), 1 / _DOUBT**2
    slope = max(0.0, min((seen * sure + known) / (sure + known), 1.0))
    error = float(np.sqrt(((away - slope * x) ** 2).sum() / (done - 2)))
    bound = float(np.partition(distances, k - 1)[k - 1])
    others = distances.mean() + slope * (estimates[done:] - estimates[:done].mean())
    beyond = np.clip((others - bound) / max(error, 1e-30), -8, 8)
    missed = 1 / (1 + np.exp(1.5976 * beyond + 0.07056 * beyond**3))  # the normal tail, to three digits
    left = np.cumsum(missed[::-1])[::-1]
    return done if left[0] <= _MISSED * k else done + max(1, int((left > _AIM * k).sum()))
