"""Connection: what a user opens, asks and closes."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .engines.duckdb import DuckDBEngine
from .engines.namespace import Namespace, capture_namespace
from .errors import ArgumentError
from .execution.results.result import Result
from .execution.watch import Watches
from .frames import register_namespace
from .lazy import LazySession
from .session import Parameters, Session
from .settings import Settings
from .storage.database import LanceDatabase
from .storage.databases import Databases

if TYPE_CHECKING:
    from typing import Self

    import duckdb
    import lancedb

__all__ = ["Connection"]


class Connection(LazySession):
    """A LanceDB database and a DuckDB connection, asked in one SQL.

    Args:
        target: The database: a path, a URI, a lancedb connection, or None for tables named by their path alone.
        duckdb: The DuckDB connection that runs the relations; one of our own unless given. Its tables, views, attached
            databases, settings and transaction are what a statement sees; nothing is written to its catalog.
        storage_options: Credentials and settings of the object store.
        read_only: Refuse every write to the Lance database.

    Raises:
        StorageError: When the database cannot be opened.

    Example:
        >>> import lancesql
        >>> with lancesql.connect() as db:
        ...     db.sql("SELECT 40 + $n AS answer", {"n": 2}).fetchall()
        [(42,)]
    """

    def __init__(
        self,
        target: str | Path | lancedb.DBConnection | None = None,
        *,
        duckdb: duckdb.DuckDBPyConnection | None = None,
        storage_options: dict[str, str] | None = None,
        read_only: bool = False,
    ) -> None:
        database = LanceDatabase(target, storage_options, read_only=read_only)
        super().__init__(Databases(database), DuckDBEngine(duckdb))
        register_namespace()

    def sql(
        self,
        sql: str,
        parameters: Parameters = None,
        *,
        timeout: float | None = None,
        max_rows: int | None = None,
    ) -> Result:
        """A statement's result. A query runs when its rows are asked for; any other statement runs at once.

        Args:
            sql: One statement, or several separated by semicolons; the result is the last one's.
            parameters: Values by name for `$name`, a list for `?` and `$1`. A vector is a list, a numpy array, an Arrow
                or a Polars array.
            timeout: Seconds after which this statement is stopped; the setting unless given.
            max_rows: A result of more rows is an error; the setting unless given.

        Raises:
            ParseError: The text cannot be read.
            BindError: A name, an argument or a parameter does not fit.
            UnsupportedError: The statement is understood and refused.
            ExecutionError: The statement could not be carried out.
        """
        return self.run(sql, parameters, capture_namespace(2), timeout=timeout, max_rows=max_rows)

    def execute(
        self,
        sql: str,
        parameters: Parameters = None,
        *,
        timeout: float | None = None,
        max_rows: int | None = None,
    ) -> Result:
        """Runs a statement at once and returns its result; the arguments are those of `sql`."""
        result = self.run(sql, parameters, capture_namespace(2), timeout=timeout, max_rows=max_rows)
        result.to_arrow()
        return result

    def sql_async(
        self,
        sql: str,
        parameters: Parameters = None,
        *,
        timeout: float | None = None,
        max_rows: int | None = None,
    ) -> Awaitable[Result]:
        """As `execute`, to be awaited: the statement runs and its rows are read away from the event loop.

        Statements of one connection run one after another, in the order they were given; `cursor` makes connections
        that run at the same time. When the task is cancelled the statement is stopped, and the cancellation
        arrives when it has ended; one that has not begun never begins. The caller's variables are looked up when this
        is called.

        Example:
            >>> import asyncio
            >>> import lancesql
            >>> async def ask() -> list:
            ...     with lancesql.connect() as db:
            ...         return (await db.sql_async("SELECT 40 + $n AS answer", {"n": 2})).fetchall()
            >>> asyncio.run(ask())
            [(42,)]
        """
        return self.run_async(sql, parameters, capture_namespace(2), timeout=timeout, max_rows=max_rows)

    execute_async = sql_async

    def run_async(
        self,
        sql: str,
        parameters: Parameters,
        namespace: Namespace,
        *,
        timeout: float | None = None,
        max_rows: int | None = None,
    ) -> Awaitable[Result]:
        """As `sql_async`, with the variables of `namespace` visible by name."""
        self._check_open()
        watches = Watches(self._watches)

        def run() -> Result:
            result = self.run(sql, parameters, namespace, timeout=timeout, max_rows=max_rows, watches=watches)
            result.to_arrow()
            return result

        return self._lane.call(run, watches)

    def cursor(self) -> Connection:
        """Another connection to the same database and the same DuckDB, for work at the same time.

        It has the settings, views, registered objects, attached databases, functions and rerankers that this one has
        now, and a transaction of its own; temporary tables of DuckDB stay with the connection that made them. Close it
        like any other. A stream that is still open on this one ends.

        Example:
            >>> import lancesql
            >>> with lancesql.connect() as db, db.cursor() as other:
            ...     _ = db.sql("CREATE TABLE memory.main.numbers AS SELECT 42 AS n")
            ...     other.sql("SELECT n FROM numbers").fetchall()
            [(42,)]
        """
        with self._turn.take():
            self._check_open()
            other = Connection.__new__(Connection)
            Session.__init__(other, self._database.reopen(), self._engine.share())
            other.resemble(self)
            self._plans.clear()  # from now on DuckDB's tables may change behind our back
        return other

    def explain(self, sql: str, parameters: Parameters = None, *, analyze: bool = False) -> str:
        """The plan that runs: each source, what it reads and how, and the relation given to DuckDB.

        Nothing is carried out but a query with `analyze`.
        """
        return self.run(sql, parameters, capture_namespace(2), explains=True).explain(analyze=analyze)

    def register(self, name: str, data: object) -> None:
        """Makes a pandas, Polars or Arrow object visible to SQL under a name. A lazy frame is read when it is used.

        Raises:
            ArgumentError: When the object has no rows to read, or the name is a Lance table's.
        """
        from .frames import frame_to_arrow
        from .storage.types import widen_object

        self._check_open()
        _check_names(name=name)
        if self._database.find_table(name) is not None:
            raise ArgumentError(f"'{name}' is a Lance table", hint="register the object under another name")
        is_lazy = type(data).__name__ == "LazyFrame"
        self._registered[name] = data if is_lazy else widen_object(frame_to_arrow(data))
        self._plans.clear()

    def unregister(self, name: str) -> None:
        """Forgets an object that `register` made visible; one that is unknown is none."""
        self._check_open()
        if self._registered.pop(name, None) is not None:
            self._plans.clear()

    def register_embedding(
        self,
        table: str,
        column: str,
        function: Any,
        *,
        query_function: Any = None,
        source: str | None = None,
        batch_size: int = 256,
    ) -> None:
        """Says what embeds texts for a vector column: in searches, in `embed()`, and on INSERT.

        It holds for this connection, and overrules the function that the table's metadata names.

        Args:
            table: The table's name; it need not exist yet.
            column: The vector column.
            function: Takes a list of texts and gives a vector for each; or an EmbeddingFunction of LanceDB.
            query_function: Embeds the texts that are searched for, when the model does so differently.
            source: The text column that INSERT embeds when it leaves out the vector.
            batch_size: The most texts the function is given at a time.

        Raises:
            BindError: When a name or an argument does not fit.

        Example:
            >>> import lancesql
            >>> with lancesql.connect() as db:
            ...     db.register_embedding("docs", "vector", lambda texts: [[len(text), 1.0] for text in texts])
            ...     db.sql("SELECT embed('four') AS vector").fetchall()
            [([4.0, 1.0],)]
        """
        self._check_open()
        _check_names(table=table, column=column)
        options = {"query_function": query_function, "source": source, "batch_size": batch_size}
        self._embeddings.register(table, column, function, **options)
        self._plans.clear()

    def unregister_embedding(self, table: str, column: str) -> None:
        """Takes the embedding function of a column away; one of the table's metadata is then used again."""
        self._check_open()
        self._embeddings.unregister(table, column)
        self._plans.clear()

    def register_reranker(self, name: str, reranker: Any) -> None:
        """Makes a reranker known to `rerank(search, 'name', …)` on this connection.

        Args:
            name: The name, in any case.
            reranker: A Reranker of LanceDB, or a function of the query's text and the rows as an Arrow table that
                gives a score for each row, the greater the better.

        Raises:
            ArgumentError: When it is no reranker, or LanceDB has one of that name.

        Example:
            >>> import lancesql
            >>> with lancesql.connect() as db:
            ...     db.register_reranker("shortest", lambda query, rows: [-len(t) for t in rows["title"].to_pylist()])
        """
        self._check_open()
        _check_names(name=name)
        self._rerankers.register(name, reranker)
        self._plans.clear()

    def tables(self) -> list[str]:
        """The names of the Lance tables, sorted; those of an attached database with its name before theirs."""
        self._check_open()
        return sorted(self._database.table_names())

    def interrupt(self) -> None:
        """Stops the statements that run, from another thread: each raises a QueryInterruptedError where it was asked.

        A stream that is not at its end raises it when its next batch is asked for.
        """
        self._watches.stop()

    def close(self) -> None:
        """Closes the connection and stops what another thread runs on it; a DuckDB connection given stays open."""
        if self._closed:
            return
        if self._turn.is_inherited:
            self._closed = True  # what is open is the parent's
            return
        with self._turn.take(self._watches.stop):
            self._closed = True
            self._engine.close()
            if self._beside is not None:
                self._beside.close()

    def __repr__(self) -> str:
        place = self._database.main.uri
        return f"<lancesql.Connection{' to ' + repr(place) if place else ''}{', closed' if self._closed else ''}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def uri(self) -> str:
        """Where the Lance database lies; "" when tables are named by their path alone."""
        return self._database.main.uri

    @property
    def settings(self) -> Settings:
        """The settings of the session; `SET lancesql.name = value` changes them.

        Example:
            >>> import lancesql
            >>> with lancesql.connect() as db:
            ...     _ = db.sql("SET lancesql.recall = 0.99")
            ...     db.settings.recall
            0.99
        """
        return self._settings

    @property
    def closed(self) -> bool:
        """Whether the connection was closed, or is another process's."""
        return self._closed or self._turn.is_inherited


def _check_names(**names: object) -> None:
    for argument, name in names.items():
        if not (isinstance(name, str) and name):
            given = "an empty text" if name == "" else type(name).__name__
            raise ArgumentError(f"'{argument}' is a name, not {given}")
