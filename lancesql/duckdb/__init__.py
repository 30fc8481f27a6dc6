"""Searches of Lance tables on a plain DuckDB connection, for tools that know nothing but DuckDB.

`register` gives the connection a macro for each search of each table, and a view for each table. What such a tool sends
is DuckDB's own SQL; nothing reads it on the way.

Example:
    >>> import duckdb, tempfile
    >>> import lancesql, lancesql.duckdb
    >>> with tempfile.TemporaryDirectory() as folder, lancesql.connect(folder) as db, duckdb.connect() as con:
    ...     _ = db.sql("CREATE TABLE films AS SELECT i AS id, [i, 1]::FLOAT[2] AS vector FROM range(9) AS t(i)")
    ...     _ = lancesql.duckdb.register(con, db)
    ...     con.sql("SELECT id FROM films_search([3.2, 1], k := 2, filter := 'id > 3')").fetchall()
    [(4,), (5,)]
"""

from __future__ import annotations

from .registration import Registration, register

__all__ = ["Registration", "register"]
