"""Lance tables through SQLAlchemy 2: `create_engine("lancesql:///path")`.

The dialect is registered with SQLAlchemy; what is imported from here are the types and functions that SQLAlchemy lacks.

Example:
    >>> from sqlalchemy import create_engine, text
    >>> with create_engine("lancesql://").connect() as connection:
    ...     connection.execute(text("SELECT 40 + :n AS answer"), {"n": 2}).scalar()
    42
"""

from __future__ import annotations

from lancesql.errors import UnsupportedError

try:
    import sqlalchemy  # noqa: F401 - found here or not at all
except ImportError:
    raise UnsupportedError(
        "lancesql.sqlalchemy needs SQLAlchemy, which is not installed", hint="pip install 'lancesql[sqlalchemy]'"
    ) from None

from .dialect import LanceDialect
from .searches import argument, fts, hybrid_search, rrf, vector_search
from .types import HALF, SizedInteger, SQLType, Vector, insert

__all__ = [
    "HALF",
    "LanceDialect",
    "SQLType",
    "SizedInteger",
    "Vector",
    "argument",
    "fts",
    "hybrid_search",
    "insert",
    "rrf",
    "vector_search",
]
