"""Statements that lost a race: somebody else's commit came first, and they are run again over what it left."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from lancesql.errors import ConflictError

__all__ = ["retry_conflicts"]

T = TypeVar("T")

_ATTEMPTS = 60
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.2


def retry_conflicts(act: Callable[[], T], again: Callable[[], T]) -> T:
    """What `act` gives, or else what `again` gives: tried with growing pauses of random length.

    Args:
        act: Runs the statement.
        again: Plans it anew, over the newest versions, and runs it.

    Raises:
        ConflictError: When every attempt came too late.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return act() if attempt == 0 else again()
        except ConflictError as error:
            if attempt + 1 == _ATTEMPTS:
                error.message += f" ({_ATTEMPTS} attempts)"
                raise
        time.sleep(random.uniform(0.5, 1.0) * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt))  # noqa: S311
    raise AssertionError
