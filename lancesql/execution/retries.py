"""Statements that lost a race: somebody else's commit came first, and they are run again over what it left."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import pyarrow as pa
import pyarrow.dataset as pads

from lancesql.engines.namespace import Namespace
from lancesql.errors import ConflictError
from lancesql.parser import read_tokens

__all__ = ["find_read_once", "retry_conflicts"]

T = TypeVar("T")

_ATTEMPTS = 60
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.2


def retry_conflicts(
    act: Callable[[], T], again: Callable[[], T], read_once: Callable[[], str | None] = lambda: None
) -> T:
    """What `act` gives, or else what `again` gives: tried with growing pauses of random length.

    Args:
        act: Runs the statement.
        again: Plans it anew, over the newest versions, and runs it.
        read_once: Tells what the statement reads that would be empty the next time.

    Raises:
        ConflictError: When every attempt came too late, or there can be only one.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return act() if attempt == 0 else again()
        except ConflictError as error:
            if (once := read_once()) is not None:
                error.hint = f"'{once}' can be read only once, so nothing was tried again: read it into a table first"
                raise
            if attempt + 1 == _ATTEMPTS:
                error.message += f" ({_ATTEMPTS} attempts)"
                raise
        time.sleep(random.uniform(0.5, 1.0) * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt))  # noqa: S311
    raise AssertionError


def find_read_once(sql: str, namespace: Namespace, registered: Mapping[str, object]) -> str | None:
    """The name in a statement of a stream of the caller's: DuckDB 1 takes it for empty when it is read again."""
    given = {name.lower(): one for name, one in registered.items()}
    for token in read_tokens(sql):
        found = given.get(token.text.lower(), namespace.find(token.text))
        if isinstance(found, pa.RecordBatchReader | pads.Scanner):
            return token.text
    return None
