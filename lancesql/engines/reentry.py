"""Functions that DuckDB 1 calls on the very thread that waits for it: a statement there would wait for itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lancesql.errors import ExecutionError

__all__ = ["Reentry"]


class Reentry:
    """Which thread waits for a connection of DuckDB."""

    def __init__(self) -> None:
        self._waiting: int | None = None

    @contextmanager
    def entered(self) -> Iterator[None]:
        """While this thread waits."""
        before, self._waiting = self._waiting, threading.get_ident()
        try:
            yield
        finally:
            self._waiting = before

    def refuse(self) -> None:
        """Raises on the thread that waits.

        Raises:
            ExecutionError: It is within a statement of the connection.
        """
        if self._waiting == threading.get_ident():
            raise ExecutionError(
                "the connection is busy with the statement that calls this function",
                hint="use a connection of its own there, db.cursor()",
            )
