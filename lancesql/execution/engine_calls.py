"""Calls of DuckDB that run, so that another thread can end them."""

from __future__ import annotations

import threading
import time

from lancesql.engines.duckdb import DuckDBEngine

__all__ = ["EngineCall"]

_PAUSE = 0.01


class EngineCall:
    """One call of DuckDB, for as long as it runs."""

    __slots__ = ("_engine", "_lock", "_runs", "_stops")

    def __init__(self, engine: DuckDBEngine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._runs = True
        self._stops = False

    def stop(self) -> None:
        """Has it interrupted, on a thread of its own: an interrupt that comes before a query starts is lost."""
        if not self._stops:
            self._stops = True
            threading.Thread(target=self._interrupt, name="lancesql-interrupter", daemon=True).start()

    def end(self) -> None:
        """It runs no longer; from now on nothing interrupts it, nor what the connection does next."""
        with self._lock:
            self._runs = False

    def _interrupt(self) -> None:
        while True:
            with self._lock:
                if not self._runs:
                    return
                self._engine.interrupt()
            time.sleep(_PAUSE)
