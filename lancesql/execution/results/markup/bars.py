"""Scores and distances as bars behind their numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lancesql.execution.results.cells import is_right_aligned

__all__ = ["is_score", "scale_bars"]

_SCORE = re.compile(r"(?:^|_)(?:distance|score|relevance|similarity)$", re.IGNORECASE)


def is_score(name: str, kind: pa.DataType) -> bool:
    """Whether a column is what a search found rows by, by its name and type.

    Example:
        >>> is_score("_distance", pa.float32()), is_score("relevance", pa.float64()), is_score("scores", pa.float32())
        (True, True, False)
    """
    return is_right_aligned(kind) and not pa.types.is_integer(kind) and _SCORE.search(name) is not None


def scale_bars(values: Sequence[Any]) -> list[float | None]:
    """The length of each bar, from -1 to 1; None where there is no number to draw."""
    numbers = [None if value is None or not math.isfinite(value) else float(value) for value in values]
    most = max((abs(number) for number in numbers if number is not None), default=0.0)
    return [None if number is None or not most else number / most for number in numbers]
