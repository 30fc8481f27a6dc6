"""Database files of DuckDB."""

from __future__ import annotations

import duckdb

from .engine_errors import explain_engine_error

__all__ = ["open_database"]


def open_database(path: str) -> duckdb.DuckDBPyConnection:
    """Opens a DuckDB database file, or one in memory (`:memory:name`) that all who name it share.

    Raises:
        EngineError: When it cannot be opened.
    """
    try:
        return duckdb.connect(path)
    except duckdb.Error as error:
        raise explain_engine_error(error) from None
