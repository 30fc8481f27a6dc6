"""A picture, drawn by Matplotlib without its global state."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from lancesql.errors import UnsupportedError

__all__ = ["BLUE", "GREY", "Plot", "add_axes"]

BLUE, GREY = "#3b82c4", "#a8a8a8"
_INCHES = (7.0, 4.2)
_DPI = 144
_SCALE = 2
"""Points of the picture for each of the page: it is sharp on screens that have as many."""


class Plot:
    """A picture of an answer, shown by a notebook.

    Attributes:
        figure: The Matplotlib figure.
        axes: Its axes, to change a title or a limit.
    """

    def __init__(self, figure: Any, axes: Any) -> None:
        self.figure = figure
        self.axes = axes

    def save(self, path: str | Path) -> None:
        """Writes the picture; the ending of the name says in which format (`.png`, `.svg`, `.pdf`)."""
        self.figure.savefig(path, dpi=_DPI)

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
        buffer = io.BytesIO()
        self.figure.savefig(buffer, dpi=_DPI, format="png")
        width, height = (round(inches * _DPI / _SCALE) for inches in self.figure.get_size_inches())
        shown = {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": repr(self)}
        return shown, {"image/png": {"width": width, "height": height}}


def add_axes(axes: Any = None) -> Plot:
    """Axes to draw on: those given, or new ones.

    Raises:
        UnsupportedError: Without Matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UnsupportedError("a plot needs Matplotlib", hint="pip install 'lancesql[notebook]'") from None
    if axes is not None:
        return Plot(axes.figure, axes)
    figure = Figure(_INCHES, layout="constrained", facecolor="white")
    drawn = figure.add_subplot()
    drawn.spines[["top", "right"]].set_visible(False)
    return Plot(figure, drawn)
