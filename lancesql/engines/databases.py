"""The databases, schemas and indexes of a DuckDB connection."""

from __future__ import annotations

from collections.abc import Sequence

from lancesql.catalog import DatabaseInfo

from .duckdb import DuckDBEngine
from .namespace import Namespace

__all__ = ["has_index", "has_schema", "list_databases"]

_DATABASES = """
SELECT database_name AS name, path, readonly AS read_only, database_name = current_database() AS current
FROM duckdb_databases() WHERE NOT internal ORDER BY name
"""
_SCHEMAS = """
SELECT 1 FROM (SELECT schema_name AS name FROM duckdb_schemas() UNION ALL SELECT database_name FROM duckdb_databases())
WHERE lower(name) = lower($1) LIMIT 1
"""


def list_databases(engine: DuckDBEngine) -> Sequence[DatabaseInfo]:
    """The databases that are attached, in memory or in files."""
    return [DatabaseInfo(**row) for row in engine.run(_DATABASES, None, {}, Namespace(None)).to_pylist()]


def has_schema(engine: DuckDBEngine, name: str) -> bool:
    """Whether there is a schema or a database of that name."""
    return engine.run(_SCHEMAS, [name], {}, Namespace(None)).num_rows > 0


def has_index(engine: DuckDBEngine, name: str) -> bool:
    """Whether there is an index of that name."""
    sql = "SELECT 1 FROM duckdb_indexes() WHERE lower(index_name) = lower($1) LIMIT 1"
    return engine.run(sql, [name], {}, Namespace(None)).num_rows > 0
