"""Lance tables through Python's database API, PEP 249.

`connect` opens a database for everything that speaks that API: `pandas.read_sql`, Polars' `read_database`, SQLAlchemy,
notebook magics, and code that is written against it.

Example:
    >>> import lancesql.dbapi
    >>> with lancesql.dbapi.connect() as connection, connection.cursor() as cursor:
    ...     cursor.execute("SELECT 40 + ? AS answer", [2]).fetchall()
    [(42,)]
"""

from __future__ import annotations

from .connection import Connection, connect
from .cursor import Cursor
from .errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,  # noqa: A004 - the name is PEP 249's
)
from .types import (
    BINARY,
    DATETIME,
    LIST,
    NUMBER,
    ROWID,
    STRING,
    STRUCT,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)

__all__ = [
    "BINARY",
    "DATETIME",
    "LIST",
    "NUMBER",
    "ROWID",
    "STRING",
    "STRUCT",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]

apilevel = "2.0"
"""The level of the API."""
threadsafety = 1
"""Threads may share the module, but each has a connection of its own."""
paramstyle = "qmark"
"""`?` in the order of a sequence; `$name` with a mapping and `$1` are understood as well."""
