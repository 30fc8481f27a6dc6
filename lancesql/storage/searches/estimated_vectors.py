"""Nearest rows by an index's estimates, of which as many are made true as these estimates turn out to need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lance
import numpy as np
import pyarrow as pa

from lancesql.plan.sources import DISTANCE, ROW_ID
from lancesql.storage.scan import take_rows

from .measured_vectors import NearestRows
from .vectors import search_vectors

__all__ = ["refine_estimates"]

_FIRST, _MOST_FIRST = 128, 400
"""So many candidates are compared first, and at least three times k; more where estimates lie close together."""
_ERROR = 0.34
"""An estimate errs by so much of itself, divided by the root of the bytes of a code: each of them errs by itself."""
_LISTED = 800
_LISTED_OF_GRAPH = 400
"""So many are listed first, and at least five times k: a longer list takes longer, above all of a graph."""
_ROUNDS = 4
_AIM = 0.5
"""When more is expected to be missed than may be, so many more are compared that it will be no more than this part of
it: it saves asking a third time."""
_DOUBT = 0.3
"""How far the slope of distances over estimates is from 1 as a rule. It would be 1 if every code were the mean of its
vectors; it is more where codes far away stand for more room, less where rows have come since the codes were chosen."""
_MEAN_LOG = 1 - float(np.log(2))
"""The mean of −ln u for u between ½ and 1."""
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
    missed: float,
    narrow: bool,
    code_bytes: float,
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
        missed: The share of the k rows that may be expected among the candidates that are not.
        narrow: All columns are numbers: those of the candidates are read with their vectors.
        code_bytes: The bytes of a vector's code.
        nprobes: The fewest partitions looked at.
        ef: The candidate list of an HNSW index.
        filter: Lance filter text.
        row_ids: Serialised row ids outside which nothing is searched.
    """
    search: dict[str, Any] = {"column": column, "query": query, "k": k, "metric": metric}
    scope: dict[str, Any] = {
        "missed": missed,
        "narrow": narrow,
        "code_bytes": code_bytes,
        "nprobes": nprobes,
        "filter": filter,
        "row_ids": row_ids,
    }
    listed = max(_LISTED if ef is None else _LISTED_OF_GRAPH, 5 * k)
    if listed < depth:
        first = None if ef is None else min(ef, listed)
        table = _refine(dataset, columns, depth=listed, unlisted=depth - listed, ef=first, **search, **scope)
        if table is not None:
            return table
    return _refine(dataset, columns, depth=depth, unlisted=0, ef=ef, **search, **scope)


def _refine(
    dataset: lance.LanceDataset,
    columns: Sequence[str],
    *,
    column: str,
    query: np.ndarray[Any, Any],
    k: int,
    metric: str,
    depth: int,
    unlisted: int,
    missed: float,
    narrow: bool,
    code_bytes: float,
    **scope: Any,
) -> pa.Table | None:
    """The k nearest of the candidates listed; None where one is expected among the others, that are not."""
    search: dict[str, Any] = {"column": column, "query": query, "metric": metric, "estimates": True, "finite": False}
    found = search_vectors(dataset, (ROW_ID, DISTANCE), k=depth, **search, **scope)
    ids, estimates = found.column(ROW_ID).to_numpy(), found.column(DISTANCE).to_numpy().astype(np.float64)
    if metric == "cosine":
        estimates /= 2  # of directions Lance estimates (q − x)², and that is twice the distance
    if len(ids) < k or not np.isfinite(estimates).all():
        return None
    if len(ids) < depth:
        if unlisted and scope["ef"] is not None:  # a graph has more to give, when it looks further
            return None
        unlisted = 0
    nearest = NearestRows(query, metric, k, (None, None), finite=True)
    distances = np.empty(0)
    near = float(estimates[k - 1]) * (1 + 2 * _ERROR / code_bytes**0.5)
    likely = min(int(np.searchsorted(estimates, near)), _MOST_FIRST)
    enough = min(len(ids), max(_FIRST, 3 * k, likely))
    own = [name for name in columns if name not in (ROW_ID, DISTANCE)]
    held: list[pa.Table] = []
    for number in range(_ROUNDS):
        done = len(distances)
        with_them = own if narrow and enough * len(own) <= _READ_AT_ONCE else []
        order = np.argsort(ids[done:enough])  # rows are read a little faster in storage's order
        asked = pa.array(ids[done:enough][order])
        rows = take_rows(dataset, asked.to_pylist(), list(dict.fromkeys([column, *with_them])))
        held.append(rows.select(own).append_column(ROW_ID, asked) if len(with_them) == len(own) else rows.select([]))
        more = np.empty(len(order))
        more[order] = nearest.add(asked, rows.column(column))
        distances = np.concatenate([distances, more])
        if len(distances) == len(ids) and not unlisted:
            break
        wanted = _count_needed(estimates, distances, k, missed, unlisted)
        if wanted <= len(distances):
            break
        if wanted > len(ids):
            return None
        enough = len(ids) if number == _ROUNDS - 2 else wanted
    if np.isfinite(distances).sum() < k:
        return None
    complete = all(ROW_ID in rows.column_names for rows in held)
    return nearest.take(dataset, columns, pa.concat_tables(held) if complete else None)


def _count_needed(estimates: Numbers, distances: Numbers, k: int, missed: float, unlisted: int = 0) -> int:
    """How many candidates have to be compared so that hardly one of the k nearest is expected among the others.

    More than there are estimates, when it is expected among those `unlisted`.

    The distance of a candidate is taken to be normal around a line over its estimate. A choice by the estimate does
    not bend that line. Its slope is what the compared candidates say and what is known beforehand, weighed by how sure
    each is, and at most 1: among rows that lie together some hundred of them say next to nothing.
    """
    done = len(distances)
    x = estimates[:done] - estimates[:done].mean()
    spread = float((x**2).sum())
    if not np.isfinite(distances).all() or spread <= 0:
        return len(estimates) + unlisted
    away = distances - distances.mean()
    seen = float((x * away).sum()) / spread
    sure, known = spread * (done - 2) / max(float(((away - seen * x) ** 2).sum()), 1e-30), 1 / _DOUBT**2
    slope = max(0.0, min((seen * sure + known) / (sure + known), 1.0))
    error = float(np.sqrt(((away - slope * x) ** 2).sum() / (done - 2)))
    bound = float(np.partition(distances, k - 1)[k - 1])
    all_estimates = np.concatenate([estimates[done:], _continue(estimates, unlisted)])
    others = distances.mean() + slope * (all_estimates - estimates[:done].mean())
    beyond = np.clip((others - bound) / max(error, 1e-30), -8, 8)
    nearer = 1 / (1 + np.exp(beyond * (1.5976 + 0.07056 * beyond * beyond)))  # the normal tail, to three digits
    left = np.cumsum(nearer[::-1])[::-1]
    return done if left[0] <= missed * k else done + max(1, int((left > _AIM * missed * k).sum()))


def _continue(estimates: Numbers, more: int) -> Numbers:
    """What the next estimates may be: as many are within a distance as a power of it, that of the farther half.

    Of a code that errs either way the near half may lie below zero, and says nothing of that power.
    """
    listed, last = len(estimates), float(estimates[-1])
    half = estimates[listed // 2 :]
    if not more or half[0] <= 0:
        return np.full(more, last)
    growth = float(np.log(last / half).mean()) / _MEAN_LOG
    further: Numbers = last * (np.arange(listed + 1, listed + more + 1) / listed) ** growth
    return further
