"""A vector as a small picture of its numbers, with its norm."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_vector", "is_vector", "read_reach"]

_SHORTEST = 9
_BARS = 48
_WIDTH, _HEIGHT = 97, 20


def is_vector(value: object) -> bool:
    """Whether a value is a list of so many numbers that nobody reads them."""
    return (
        isinstance(value, (list, tuple))
        and len(value) >= _SHORTEST
        and all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in value)
    )


def read_reach(values: Sequence[Any]) -> float:
    """The largest finite number of all the vectors, without its sign: they are drawn to one scale."""
    reaches = [np.abs(numbers[np.isfinite(numbers)]) for numbers in map(_read_numbers, filter(is_vector, values))]
    return max((float(reach.max()) for reach in reaches if reach.size), default=0.0)


def draw_vector(value: Sequence[Any], reach: float, text: str) -> str:
    """The numbers as bars around zero, the norm beside them.

    Args:
        value: The vector.
        reach: What a bar of full height stands for.
        text: The vector in a few characters.
    """
    numbers = _read_numbers(value)
    finite = numbers[np.isfinite(numbers)]
    norm = f"{np.linalg.norm(numbers):.4g}" if any(isinstance(one, float) for one in value) else ""
    parts = [f"vector of {len(numbers):,} numbers"]
    if finite.size:
        parts.append(f"from {finite.min():.3g} to {finite.max():.3g}")
    if norm:
        parts.append(f"norm {norm}")
    picture = (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{html.escape(", ".join(parts))}"><line x1="0" x2="{_WIDTH}" y1="{_HEIGHT // 2}" '
        f'y2="{_HEIGHT // 2}"/><path d="{_draw_bars(numbers, reach)}"/></svg>'
    )
    label = f"norm {norm}" if norm else html.escape(text)
    return f'<span class="vector" title="{html.escape(text)}">{picture}{label}</span>'


def _draw_bars(numbers: NDArray[np.float64], reach: float) -> str:
    """One bar for each number or, when there are many, for the largest of each stretch of them."""
    stretches = np.array_split(np.where(np.isfinite(numbers), numbers, 0.0), min(_BARS, len(numbers)))
    tops = [float(one[np.abs(one).argmax()]) for one in stretches]
    step = _WIDTH / len(tops)
    middle = _HEIGHT / 2
    heights = [middle * (1 - top / reach) if reach else middle for top in tops]
    bars = (f"M{(at + 0.5) * step:.1f} {middle:g}V{y:.1f}" for at, y in enumerate(heights) if abs(y - middle) >= 0.05)
    return "".join(bars)


def _read_numbers(value: Any) -> NDArray[np.float64]:
    return np.asarray(value, np.float64)
