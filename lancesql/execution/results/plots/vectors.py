"""Vectors on the plane of their two principal components."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lancesql.errors import ArgumentError
from lancesql.execution.results.cells import NULL, format_column

from .figure import BLUE, GREY, Plot
from .scores import read_numbers

__all__ = ["draw_vectors", "project_vectors"]

_MOST_POINTS = 20_000
"""More of them hide each other; every n-th row is drawn then."""
_FIT_ROWS = 5_000
_MOST_COLORS = 9
_LABEL_LENGTH = 24
_FEW_POINTS = 300


def draw_vectors(table: pa.Table, column: str, color: str | None, plot: Plot) -> Plot:
    """Draws a point for each vector, coloured by another column.

    Raises:
        ArgumentError: When no two vectors can be drawn, or they differ in their length.
    """
    step = -(-table.num_rows // _MOST_POINTS)
    rows = table.take(list(range(0, table.num_rows, step))) if step > 1 else table
    places, vectors = _read_vectors(rows.column(column), column)
    points, shares = project_vectors(vectors)
    axes = plot.axes
    options = {"s": 26 if len(points) <= _FEW_POINTS else 9, "linewidths": 0, "alpha": 0.85}
    if color is None:
        axes.scatter(points[:, 0], points[:, 1], color=BLUE, **options)
    else:
        _draw_colors(points, rows.column(color).take(places), color, plot, options)
    drawn = f"{len(points):,} vectors" + (f" of {table.num_rows:,} rows" if len(points) < table.num_rows else "")
    axes.set_title(f"{column}: {drawn}, {shares.sum():.0%} of their variance", loc="left", fontsize=11)
    axes.set_xlabel(f"first principal component ({shares[0]:.0%})")
    axes.set_ylabel(f"second principal component ({shares[1]:.0%})")
    axes.set_aspect("equal", adjustable="datalim")
    return plot


def project_vectors(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places on the plane that keeps most of the variance, and each axis's share of it.

    The plane is that of at most 5,000 of the vectors. An axis points where its largest weight is positive, so that the
    same vectors are drawn the same way.

    Example:
        >>> points, shares = project_vectors(np.array([[0.0, 0, 1], [4, 0, 1], [2, 1, 1], [2, -1, 1]]))
        >>> points.round(3).tolist(), shares.round(3).tolist()
        ([[-2.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [0.8, 0.2])
    """
    center = vectors.mean(axis=0)
    step = -(-len(vectors) // _FIT_ROWS)
    _, strengths, directions = np.linalg.svd(vectors[::step] - center, full_matrices=False)
    axes = np.zeros((2, vectors.shape[1]))
    axes[: min(2, len(directions))] = directions[:2]
    axes *= np.where(axes[np.arange(2), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    shares = np.zeros(2)
    total = float((strengths**2).sum())
    if total > 0:
        shares[: min(2, len(strengths))] = strengths[:2] ** 2 / total
    return (vectors - center) @ axes.T, shares


def _read_vectors(column: pa.ChunkedArray[Any], name: str) -> tuple[pa.Array[Any], NDArray[np.float64]]:
    """The places of the vectors that can be drawn, and their numbers."""
    listed: Any = column.combine_chunks()
    lists = listed.to_numpy(zero_copy_only=False)
    present = [at for at, one in enumerate(lists) if one is not None and len(one)]
    lengths = {len(lists[at]) for at in present}
    if len(lengths) > 1:
        raise ArgumentError(f"the vectors of column '{name}' differ in their length", hint="draw those of one length")
    vectors = np.array([lists[at] for at in present], np.float64).reshape(len(present), max(lengths, default=0))
    finite = np.isfinite(vectors).all(axis=1)
    if finite.sum() < 2:
        raise ArgumentError(f"column '{name}' has fewer than two vectors to draw", hint="ask for more rows")
    return pa.array(np.array(present)[finite]), vectors[finite]


def _draw_colors(
    points: NDArray[np.float64], values: pa.ChunkedArray[Any], name: str, plot: Plot, options: dict[str, Any]
) -> None:
    kind = values.type
    axes = plot.axes
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if numeric and len(values.unique()) > _MOST_COLORS:
        numbers = read_numbers(values)
        known = np.isfinite(numbers)
        axes.scatter(points[~known, 0], points[~known, 1], color=GREY, **options)
        drawn = axes.scatter(points[known, 0], points[known, 1], c=numbers[known], cmap="viridis", **options)
        plot.figure.colorbar(drawn, ax=axes, label=name, pad=0.01)
        return
    labels = [_shorten(text) for text in format_column(values.to_pylist(), kind)]
    counts: dict[str, int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    shown = sorted((one for one in counts if one != NULL), key=lambda one: (-counts[one], one))[:_MOST_COLORS]
    if numeric:
        shown.sort(key=float)
    at = np.array([shown.index(label) if label in shown else -1 for label in labels])
    others = [label for label in counts if label not in shown]
    if others:
        word = others[0] if len(others) == 1 else f"{len(others):,} others"
        axes.scatter(points[at < 0, 0], points[at < 0, 1], color=GREY, label=word, **options)
    for number, label in enumerate(shown):
        axes.scatter(points[at == number, 0], points[at == number, 1], color=f"C{number}", label=label, **options)
    axes.legend(title=name, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, markerscale=1.5, fontsize=9)


def _shorten(text: str) -> str:
    return text if len(text) <= _LABEL_LENGTH else f"{text[: _LABEL_LENGTH - 1]}…"
