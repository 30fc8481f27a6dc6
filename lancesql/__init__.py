"""SQL with vector, text and hybrid search over LanceDB, joined and aggregated by DuckDB.

The way of a statement, and the listing of this package:

| stage | folder | from → to |
|---|---|---|
| 1 parse | `parser/` | text → Statement: tree, tokens, search calls, each with its place |
| 2 bind | `binder/` | Statement + Catalog → LogicalPlan: what is searched, what its filter is, what k is |
| 3 – | `plan/` | the types everyone passes around |
| 4 optimize | `optimizer/` | QueryPlan → QueryPlan of the same meaning, one rule per file |
| 5 execute | `execution/` | LogicalPlan → Result; `storage/` answers the sources, `engines/` runs the relation |

`connection.py` calls the stages in this order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors
from .errors import (
    AmbiguousNameError,
    ArgumentError,
    BindError,
    CardinalityError,
    ConflictError,
    ConnectionClosedError,
    ConstraintError,
    ConversionError,
    EmbeddingError,
    EngineError,
    ExecutionError,
    LanceSQLError,
    ParameterError,
    ParseError,
    QueryInterruptedError,
    QueryTimeoutError,
    RerankError,
    RowLimitError,
    StorageError,
    UnknownColumnError,
    UnknownTableError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from .connection import Connection
    from .execution.results.result import Result

__version__ = "0.1.0"

__all__ = [
    "AmbiguousNameError",
    "ArgumentError",
    "BindError",
    "CardinalityError",
    "ConflictError",
    "Connection",
    "ConnectionClosedError",
    "ConstraintError",
    "ConversionError",
    "EmbeddingError",
    "EngineError",
    "ExecutionError",
    "LanceSQLError",
    "ParameterError",
    "ParseError",
    "QueryInterruptedError",
    "QueryTimeoutError",
    "RerankError",
    "Result",
    "RowLimitError",
    "StorageError",
    "UnknownColumnError",
    "UnknownTableError",
    "UnsupportedError",
    "connect",
    "errors",
    "sql",
]

_default: Connection | None = None


def connect(
    target: Any = None,
    *,
    duckdb: Any = None,
    storage_options: dict[str, str] | None = None,
    read_only: bool = False,
) -> Connection:
    """Opens a LanceDB database; see `Connection` for the arguments.

    Example:
        >>> db = connect()
        >>> db.sql("SELECT 1 AS one").fetchall()
        [(1,)]
        >>> db.close()
    """
    from .connection import Connection

    return Connection(target, duckdb=duckdb, storage_options=storage_options, read_only=read_only)


def sql(sql: str, parameters: Any = None) -> Result:
    """Runs a statement on the module's own connection, as `duckdb.sql` does.

    The connection opens the database that the environment variable `LANCESQL_DATABASE` names; without it, Lance tables
    are named by their path.

    Example:
        >>> sql("SELECT 1 AS one").fetchall()
        [(1,)]
    """
    import os

    from .engines.namespace import capture_namespace

    global _default  # noqa: PLW0603 - one connection for the module, as duckdb has
    if _default is None or _default.closed:
        _default = connect(os.environ.get("LANCESQL_DATABASE"))
    return _default.run(sql, parameters, capture_namespace(2))


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext lancesql` calls: the magics `%lancesql` and `%sql`."""
    from .notebook import load_magics

    load_magics(shell)


def __getattr__(name: str) -> Any:
    """Loads the classes that need DuckDB and LanceDB when they are asked for."""
    if name == "Connection":
        from .connection import Connection

        return Connection
    if name == "Result":
        from .execution.results.result import Result

        return Result
    raise AttributeError(f"module 'lancesql' has no attribute '{name}'")
