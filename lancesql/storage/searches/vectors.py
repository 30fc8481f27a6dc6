"""Nearest-neighbour search in Lance, always with an explicit metric, before the filter never after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.plan.sources import DISTANCE, ROW_ID
from lancesql.storage.index_flaws import avoid_flawed_index
from lancesql.storage.scan import wrap_lance_error
from lancesql.storage.types import READ_BLOBS

from .measured_vectors import Bounds
from .served_index import choose_served_index

__all__ = ["search_vectors"]

_FETCHED_PER_VECTOR = 10
"""Of lists of vectors Lance looks for so many times k near each vector of the query, and refuses a shorter list."""


def search_vectors(
    dataset: lance.LanceDataset,
    columns: Sequence[str],
    *,
    column: str,
    query: np.ndarray[Any, Any],
    k: int,
    metric: str,
    filter: str | None = None,
    row_ids: bytes | None = None,
    exact: bool = False,
    estimates: bool = False,
    nprobes: int | None = None,
    refine_factor: int | None = None,
    ef: int | None = None,
    bounds: Bounds = (None, None),
    finite: bool = True,
    fast_search: bool = False,
) -> pa.Table:
    """The k nearest rows with true distances, nearest first, ties by `_rowid`.

    Of lists of vectors the index only estimates distances: its answer is a choice of candidates.

    Args:
        dataset: The table at its version.
        columns: The columns to read; `_distance` and `_rowid` may be among them.
        column: The vector column.
        query: The query vector, shape `(dimension,)`; for lists of vectors `(m, dimension)`.
        k: How many rows.
        metric: `l2` (squared), `cosine` (1 − cos), `dot` (1 − q·x) or `hamming` (bits).
        filter: Lance filter text, applied before the search.
        row_ids: Serialised row ids outside which nothing is searched.
        exact: Compare every row instead of asking the index.
        estimates: The distances stay what the index estimates.
        nprobes: The fewest partitions looked at.
        refine_factor: Recompute the true distances of so many times k candidates.
        ef: The candidate list of an HNSW index.
        bounds: The half-open range of distances, for an exact search.
        finite: Leave out rows whose distance is not finite.
        fast_search: Leave out the rows that the index does not cover.
    """
    single = query.ndim == 1
    nearest: dict[str, Any] = {"column": column, "q": pa.array(query) if single else query, "k": k, "metric": metric}
    if exact:
        nearest["use_index"] = False
    else:
        if single and not estimates:
            nearest["refine_factor"] = refine_factor or 1
        if nprobes is not None:
            nearest["minimum_nprobes"] = nprobes
        if ef is not None:
            nearest["ef"] = ef if single else max(ef, _FETCHED_PER_VECTOR * k)
    if bounds != (None, None):
        nearest["distance_range"] = bounds
    served = {} if exact else choose_served_index(dataset, column, metric, fast=fast_search)
    asked = [*(name for name in columns if name not in (ROW_ID, DISTANCE)), DISTANCE]
    while True:
        try:
            table = dataset.scanner(
                columns=asked,
                nearest=nearest,
                filter=filter,
                prefilter=True,
                with_row_id=ROW_ID in columns,
                row_addr_allowlist=row_ids,
                fast_search=fast_search,
                disable_scoring_autoprojection=True,
                **served,
                **READ_BLOBS,
                **avoid_flawed_index(dataset, filter),
            ).to_table()
        except BaseException as error:
            raise wrap_lance_error(error, f"searching column '{column}'") from None
        if not finite or _is_finite(table.column(DISTANCE)):
            break
        complete = table.num_rows < nearest["k"]
        table = table.filter(pc.is_finite(table.column(DISTANCE))).slice(0, k)
        if complete or table.num_rows == k:
            break
        if "ef" in nearest:
            nearest["ef"] *= 4
        nearest["k"] *= 4  # vectors with an infinity took the place of others: with `dot` they come first
    return table if asked == list(columns) else table.select(list(columns))


def _is_finite(distances: Any) -> bool:
    """Whether all are finite. They are sorted: what is not stands at an end."""
    if not len(distances):
        return True
    numbers = distances.to_numpy()
    return math.isfinite(numbers[0]) and math.isfinite(numbers[-1])
