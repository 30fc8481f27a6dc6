"""Which of several vector indexes on a column answers a search.

Lance takes the one that was made first, whatever its metric, and compares every row when that is another one.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import lance

__all__ = ["choose_served_index"]

_SEGMENTS: WeakKeyDictionary[lance.LanceDataset, dict[tuple[str, str], tuple[str, ...]]] = WeakKeyDictionary()
"""By column and metric, the parts of the index asked where there are several; a handle never changes its version."""


def choose_served_index(dataset: lance.LanceDataset, column: str, metric: str, *, fast: bool) -> dict[str, Any]:
    """The scanner's options that name the first index of the metric; none where there is nothing to choose from.

    Rows that the index does not cover are compared all the same, unless the search is `fast`: Lance then has to be told
    of every fragment.
    """
    chosen = _SEGMENTS.get(dataset)
    if chosen is None:
        chosen = _SEGMENTS[dataset] = _list_segments(dataset)
    segments = chosen.get((column, metric))
    if segments is None:
        return {}
    return {"index_segments": segments, **({} if fast else {"fragments": dataset.get_fragments()})}


def _list_segments(dataset: lance.LanceDataset) -> dict[tuple[str, str], tuple[str, ...]]:
    by_column: dict[str, list[Any]] = {}
    for described in dataset.describe_indices():
        if "VectorIndex" in described.type_url:
            by_column.setdefault(described.field_names[0], []).append(described)
    if not any(len(several) > 1 for several in by_column.values()):
        return {}
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for column, several in by_column.items():
        for described in several if len(several) > 1 else ():
            metric = _read_metric(dataset, described)
            if metric is not None:
                found.setdefault((column, metric), tuple(str(segment.uuid) for segment in described.segments))
    return found


def _read_metric(dataset: lance.LanceDataset, described: Any) -> str | None:
    """The metric of an index; one of an older Lance says it in its file alone."""
    metric = (described.details or {}).get("metric_type")
    if metric is None:
        parts = dataset.stats.index_stats(described.name).get("indices") or [{}]
        metric = parts[0].get("metric_type")
    return None if metric is None else str(metric).lower()
