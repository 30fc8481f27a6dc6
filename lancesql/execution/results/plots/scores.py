"""How the numbers of a column are distributed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.errors import ArgumentError

from .figure import BLUE, Plot

__all__ = ["draw_scores", "read_numbers"]

_MOST_BINS, _LEAST_BINS = 60, 8


def draw_scores(table: pa.Table, column: str, plot: Plot) -> Plot:
    """Draws a histogram, with a line for the median; every finite number is counted."""
    numbers = read_numbers(table.column(column))
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        raise ArgumentError(f"column '{column}' has no numbers to draw", hint="every one of its values is NULL or NaN")
    bins = int(np.clip(np.sqrt(finite.size) * 2, _LEAST_BINS, _MOST_BINS))
    axes = plot.axes
    axes.hist(finite, bins=bins, color=BLUE, edgecolor="white", linewidth=0.6)
    median = float(np.median(finite))
    axes.axvline(median, color="#333333", linewidth=1, linestyle="--")
    axes.annotate(
        f"median {median:.4g}", (median, 1), (4, -2), xycoords=("data", "axes fraction"),
        textcoords="offset points", va="top", fontsize=9,
    )  # fmt: skip
    left_out = table.num_rows - finite.size
    rest = f", {left_out:,} without a number" if left_out else ""
    axes.set_title(f"{column} of {finite.size:,} row{'' if finite.size == 1 else 's'}{rest}", loc="left", fontsize=11)
    axes.set_xlabel(column)
    axes.set_ylabel("rows")
    axes.yaxis.get_major_locator().set_params(integer=True)
    return plot


def read_numbers(column: pa.ChunkedArray[pa.Scalar[pa.DataType]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The numbers of a column, NaN for NULL."""
    return np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(), np.float64)
