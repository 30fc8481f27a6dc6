"""When a DuckDB connection is closed: with its user, and never in a child process, which has none of its threads."""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Callable

import duckdb

__all__ = ["close_with"]

_open: set[weakref.ref[duckdb.DuckDBPyConnection]] = set()


def close_with(user: object, connection: duckdb.DuckDBPyConnection) -> Callable[[], object]:
    """Closes the connection when its user is gone; what is returned closes it now."""
    process, reference = os.getpid(), weakref.ref(connection)
    _open.add(reference)

    def close() -> None:
        _open.discard(reference)
        if os.getpid() == process:
            connection.close()

    return weakref.finalize(user, close)


def _keep_for_good() -> None:
    """DuckDB ends a process in which it takes a connection down without its threads: there it is never taken down."""
    for reference in _open:
        connection = reference()
        if connection is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keep_for_good)
