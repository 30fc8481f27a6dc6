"""A connection of PEP 249 over one of lancesql."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lancesql
from lancesql.connection import Connection as NativeConnection
from lancesql.engines.files import open_database
from lancesql.engines.namespace import Namespace
from lancesql.execution.results.result import Result
from lancesql.session import Parameters

from . import errors
from .cursor import Cursor
from .errors import InterfaceError, ProgrammingError, translated

if TYPE_CHECKING:
    from typing import Self

    import duckdb as duckdb_module

__all__ = ["Connection", "connect"]


def connect(
    database: Any = None,
    *,
    duckdb: str | Path | duckdb_module.DuckDBPyConnection | None = None,
    storage_options: dict[str, str] | None = None,
    read_only: bool = False,
    autocommit: bool = True,
) -> Connection:
    """Opens a LanceDB database for the API of PEP 249.

    Args:
        database: A path, a URI, a lancedb connection, or None, as `lancesql.connect` takes it; or a connection of
            lancesql, which then stays open when this one is closed.
        duckdb: The DuckDB database beside it: a connection, or the path of a file. One in memory unless given.
        storage_options: Credentials and settings of the object store.
        read_only: Refuse every write to the Lance database.
        autocommit: Whether each statement is committed by itself; see `Connection.autocommit`.

    Raises:
        OperationalError: When the database cannot be opened.

    Example:
        >>> connection = connect()
        >>> connection.execute("SELECT 1").fetchone()
        (1,)
        >>> connection.close()
    """
    with translated():
        if isinstance(database, NativeConnection):
            return Connection(database, owned=False, autocommit=autocommit)
        opened = open_database(str(duckdb)) if isinstance(duckdb, str | Path) else None
        engine = duckdb if opened is None else opened
        try:
            native = lancesql.connect(database, duckdb=engine, storage_options=storage_options, read_only=read_only)
        except BaseException:
            if opened is not None:
                opened.close()
            raise
        return Connection(native, engine=opened, autocommit=autocommit)


class Connection:
    """A connection of PEP 249.

    Attributes:
        native: The connection of lancesql beneath, for what PEP 249 has no word for: `register`, `explain`, settings.
        messages: Empty: nothing is reported but errors.
    """

    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(
        self,
        native: NativeConnection,
        *,
        engine: duckdb_module.DuckDBPyConnection | None = None,
        owned: bool = True,
        autocommit: bool = True,
    ) -> None:
        """Keeps the connection of lancesql; `engine` is the connection to DuckDB that is closed with it."""
        self.native = native
        self.messages: list[object] = []
        self._engine = engine
        self._owned = owned
        self._autocommit = autocommit
        self._closed = False
        self._unconfirmed = 0

    @property
    def closed(self) -> bool:
        """Whether it can no longer be used."""
        return self._closed or self.native.closed

    @property
    def autocommit(self) -> bool:
        """Whether each statement is committed by itself, which is what LanceDB always does.

        With False the first statement begins a transaction of DuckDB, for DuckDB's own tables; Lance tables cannot be
        written in it. Setting it to True commits what is pending.
        """
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        if value and not self._autocommit:
            self.commit()
        self._autocommit = value

    def cursor(self, *, stream: bool = False) -> Cursor:
        """A cursor; with `stream` rows are read when they are fetched, and the connection's next statement ends it."""
        self._check_open()
        return Cursor(self, stream=stream)

    def execute(self, operation: str, parameters: Parameters = None) -> Cursor:
        """A new cursor that has executed the statement."""
        return self.cursor().execute(operation, parameters)

    def executemany(self, operation: str, seq_of_parameters: Any) -> Cursor:
        """A new cursor that has executed the statement for all of the parameters."""
        return self.cursor().executemany(operation, seq_of_parameters)

    def commit(self) -> None:
        """Commits the transaction of DuckDB, if there is one. What was written to Lance tables is committed already."""
        self._check_open()
        with translated():
            if self.native.in_transaction():
                self.native.execute("COMMIT")
        self._unconfirmed = 0

    def rollback(self) -> None:
        """Undoes the transaction of DuckDB, if there is one.

        What was written outside of one since the last `commit`, to Lance tables above all, stays written: a `Warning`
        says so.
        """
        self._check_open()
        with translated():
            if self.native.in_transaction():
                self.native.execute("ROLLBACK")
        count, self._unconfirmed = self._unconfirmed, 0
        if count:
            what = "a statement" if count == 1 else f"{count} statements"
            warnings.warn(
                f"rollback() does not undo what {what} wrote: each is committed by itself", errors.Warning, stacklevel=2
            )

    def close(self) -> None:
        """Closes the connection; what is pending in DuckDB is undone."""
        if self._closed:
            return
        self._closed = True
        if self._owned:
            self.native.close()
        if self._engine is not None:
            self._engine.close()

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Commits at the end of a block, or undoes what can be undone when it failed; then closes."""
        if not self.closed:
            try:
                self.commit() if kind is None else self.rollback()
            finally:
                self.close()

    def _check_open(self) -> None:
        if self.closed:
            raise InterfaceError("the connection is closed", hint="open another with lancesql.dbapi.connect()")

    def _run(self, sql: str, parameters: Parameters, tables: dict[str, object] | None = None) -> Result:
        """Runs a statement at once, beginning a transaction where one is wanted."""
        self._check_open()
        if not isinstance(sql, str):
            raise ProgrammingError(f"a statement is a text, not {type(sql).__name__}")
        namespace = Namespace(None).extend(tables or {})
        before = self.native.writes
        if not self._autocommit and not self.native.in_transaction():
            self.native.execute("BEGIN")
        result = self.native.run(sql, parameters, namespace)
        wrote = self.native.writes > before
        if wrote or (result.rows_changed is not None and self._autocommit and not self.native.in_transaction()):
            self._unconfirmed += 1
        return result

    def _writes_lance(self, sql: str) -> bool:
        return self.native.writes_lance(sql, Namespace(None))
