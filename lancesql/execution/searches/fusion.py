"""Several rankings into one: by reciprocal ranks, or by a weighted sum of normalised scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lancesql.plan.fusion import Normalization

__all__ = ["FusedRanking", "Ranking", "fuse_rankings", "measure_closeness"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Ranking:
    """One leg, best first.

    Attributes:
        row_ids: No id stands twice.
        scores: How good each row is, the greater the better; positive where no scale brings them to one.
    """

    row_ids: Array
    scores: Array


@dataclass(frozen=True)
class FusedRanking:
    """The rows of every leg, by row id.

    Attributes:
        row_ids: In ascending order.
        scores: The fused score of each.
        places: Of each leg the place of each row, from 0; -1 where the leg lacks it.
    """

    row_ids: Array
    scores: Array
    places: tuple[Array, ...]


def fuse_rankings(
    rankings: Sequence[Ranking],
    weights: Sequence[float],
    *,
    formula: Literal["rrf", "linear"],
    rrf_k: float,
    normalize: Normalization,
) -> FusedRanking:
    """The rows of all legs with their fused scores; a leg that lacks a row adds nothing to its score.

    Reciprocal rank fusion adds up weight / (rrf_k + rank) (Cormack, Clarke and Büttcher, 2009), the linear
    combination weight times the normalised score.

    Example:
        >>> first = Ranking(np.array([1, 2]), np.array([0.9, 0.8]))
        >>> second = Ranking(np.array([2]), np.array([3.0]))
        >>> fused = fuse_rankings([first, second], [1, 1], formula="rrf", rrf_k=60, normalize="minmax")
        >>> fused.row_ids.tolist(), fused.places[1].tolist()
        ([1, 2], [-1, 0])
    """
    ids = np.unique(np.concatenate([one.row_ids for one in rankings]))
    total = np.zeros(len(ids))
    places = tuple(_find_places(ids, one.row_ids) for one in rankings)
    for ranking, weight, place in zip(rankings, weights, places, strict=True):
        if formula == "rrf":
            own = 1.0 / (rrf_k + np.arange(1, len(ranking.row_ids) + 1))
        else:
            own = _normalize(ranking.scores, normalize)
        found = place >= 0
        total[found] += weight * own[place[found]]
    return FusedRanking(ids, total, places)


def measure_closeness(distances: Array, metric: str) -> Array:
    """A distance as a positive score: 1 / (1 + d); for `dot`, whose d has any sign, 2 - d up to 1 and then 1 / d.

    Example:
        >>> measure_closeness(np.array([0.0, 1.0, 3.0]), "l2").tolist()
        [1.0, 0.5, 0.25]
    """
    far = distances.astype(np.float64)
    if metric != "dot":
        return np.asarray(1.0 / (1.0 + far))
    return np.where(far > 1.0, 1.0 / np.maximum(far, 1.0), 2.0 - far)


def _find_places(ids: Array, leg: Array) -> Array:
    """The place of each id in a leg, or -1."""
    places = np.full(len(ids), -1, np.int64)
    places[np.searchsorted(ids, leg)] = np.arange(len(leg))
    return places


def _normalize(scores: Array, how: Normalization) -> Array:
    """The scores of a leg on a scale that legs share. A row that the leg lacks counts 0, never more than one it has.

    `minmax` and `zscore` measure from the least score, in the range and in the standard deviation of the scores
    (Savoy, 2004); where all are equal each counts 1. `l2` divides by their Euclidean length. `rank` counts
    (n + 1 - rank) / n, as Borda did.
    """
    count = len(scores)
    if not count or how == "none":
        return scores
    if how == "rank":
        return np.asarray((count - np.arange(count)) / count)
    if how == "l2":
        return np.asarray(scores / (np.linalg.norm(scores) or 1.0))
    least = scores.min()
    scale = scores.max() - least if how == "minmax" else scores.std()
    return np.ones(count) if scores.max() == least else np.asarray((scores - least) / scale)
