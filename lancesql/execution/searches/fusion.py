"""Two ranked legs into one ranking: by reciprocal ranks, or by a blend of normalised scores."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pyarrow as pa

from lancesql.plan.sources import DISTANCE, ROW_ID, SCORE

__all__ = ["fuse_legs"]


def fuse_legs(
    nearest: pa.Table,
    matching: pa.Table,
    *,
    fusion: Literal["rrf", "linear"],
    rrf_k: float,
    alpha: float,
    score: str,
) -> pa.Table:
    """The rows of both legs, best first, ties by row id; a leg that lacks a row gives NULL.

    Reciprocal rank fusion adds 1 / (k + rank) of each leg (Cormack, Clarke and Büttcher, 2009). The linear blend adds
    `alpha` times the closeness and `1 - alpha` times the text score, each scaled to [0, 1] within its leg.

    Args:
        nearest: `_rowid` and `_distance`, nearest first.
        matching: `_rowid` and `_score`, best first.
        fusion: The formula.
        rrf_k: The k of reciprocal rank fusion.
        alpha: The weight of the vector leg in the linear blend.
        score: The name of the fused score.

    Returns:
        `_rowid`, the fused score (float64), `_distance`, `_score`.

    Example:
        >>> vectors = pa.table({"_rowid": pa.array([1, 2], pa.uint64()), "_distance": [0.1, 0.2]})
        >>> texts = pa.table({"_rowid": pa.array([2], pa.uint64()), "_score": [3.0]})
        >>> fuse_legs(vectors, texts, fusion="rrf", rrf_k=60, alpha=0.5, score="s").column("_rowid").to_pylist()
        [2, 1]
    """
    left, right = nearest.column(ROW_ID).to_numpy(), matching.column(ROW_ID).to_numpy()
    ids = np.union1d(left, right)
    in_left, in_right = _places(ids, left), _places(ids, right)
    distances = _pick(nearest.column(DISTANCE).to_numpy(), in_left)
    scores = _pick(matching.column(SCORE).to_numpy(), in_right)
    if fusion == "rrf":
        total = np.where(in_left >= 0, 1.0 / (rrf_k + in_left + 1), 0.0)
        total = total + np.where(in_right >= 0, 1.0 / (rrf_k + in_right + 1), 0.0)
    else:
        total = alpha * _scale(-distances) + (1 - alpha) * _scale(scores)
    order = np.lexsort((ids, -total))
    return pa.table(
        {
            ROW_ID: pa.array(ids[order], pa.uint64()),
            score: pa.array(total[order], pa.float64()),
            DISTANCE: pa.array(distances[order], pa.float32(), mask=in_left[order] < 0),
            SCORE: pa.array(scores[order], pa.float32(), mask=in_right[order] < 0),
        }
    )


def _places(ids: np.ndarray[Any, Any], leg: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The rank (from 0) of each id in a leg, or -1."""
    places = np.full(len(ids), -1, np.int64)
    places[np.searchsorted(ids, leg)] = np.arange(len(leg))
    return places


def _pick(values: np.ndarray[Any, Any], places: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    picked = np.full(len(places), np.nan)
    picked[places >= 0] = values[places[places >= 0]]
    return picked


def _scale(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    present = ~np.isnan(values)
    if not present.any():
        return np.zeros(len(values))
    low, high = values[present].min(), values[present].max()
    scaled = np.where(present, 1.0 if high == low else (values - low) / (high - low), 0.0)
    return np.nan_to_num(scaled)
