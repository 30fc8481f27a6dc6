"""A session's tables and searches as Polars LazyFrames."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .engines.duckdb import DuckDBEngine
from .engines.namespace import Namespace
from .errors import LanceSQLError
from .execution.lazy_reads import describe_query, read_rows
from .session import Session

if TYPE_CHECKING:
    import polars as pl

    from .frames.statements import Description, Statement

__all__ = ["LazySession"]

_FORKING = threading.Lock()


class LazySession(Session):
    """A session whose tables and searches are LazyFrames too."""

    def scan(
        self,
        table: str,
        *,
        version: int | None = None,
        tag: str | None = None,
        timestamp: datetime | str | None = None,
    ) -> pl.LazyFrame:
        """A table as a Polars LazyFrame: what `collect()` needs of it is all that is read.

        Columns, limits, and the predicates that LanceDB answers as Polars does are pushed into the scan; Polars applies
        the others. `explain()` shows which. Each `collect()` reads the newest version, unless one is named.

        Args:
            table: The table's name, as SQL has it in quotes.
            version: The number of a version.
            tag: The name of a version.
            timestamp: The moment whose version is read.

        Raises:
            UnknownTableError: There is no such table.
            ExecutionError: Polars is not installed.

        Example:
            >>> import lancesql, polars as pl, tempfile
            >>> db = lancesql.connect(tempfile.mkdtemp())
            >>> _ = db.execute("CREATE TABLE films AS SELECT i AS id, 1900 + i AS year FROM range(100) AS t(i)")
            >>> db.scan("films").filter(pl.col("year") > 1997).select("id").collect()["id"].to_list()
            [98, 99]
        """
        from .frames.lazy import make_lazy_frame
        from .frames.scan import TableRows
        from .frames.statements import name_table

        snapshot = {"version": version, "tag": tag, "timestamp": timestamp}
        return make_lazy_frame(TableRows(self, name_table(table, snapshot)), "scan()")

    def vector_search(self, table: str, *query: Any, filter: Any = None, **arguments: Any) -> pl.LazyFrame:
        """The k rows nearest to a vector as a LazyFrame, nearest first; the search runs at each `collect()`.

        Filters written on the LazyFrame apply to the rows found; `filter` is applied before the search.

        Args:
            table: The table's name.
            query: The vector, or a text that is embedded; before it the column's name, when there are several.
            filter: A predicate as a Polars expression or as SQL.
            arguments: Those of `vector_search` in SQL: `k`, `metric`, `column`, `exact`, `recall`, `upper_bound`, …

        Raises:
            BindError: A name or an argument does not fit.
            ExecutionError: Polars is not installed.

        Example:
            >>> import lancesql, polars as pl, tempfile
            >>> db = lancesql.connect(tempfile.mkdtemp())
            >>> _ = db.execute("CREATE TABLE spots AS SELECT i AS id, [i, 0]::FLOAT[2] AS v FROM range(9) AS t(i)")
            >>> db.vector_search("spots", [2.1, 0], k=2, filter=pl.col("id") > 2).collect()["id"].to_list()
            [3, 4]
        """
        return self._search("vector_search", table, query, filter, arguments)

    def fts(self, table: str, *query: Any, filter: Any = None, **arguments: Any) -> pl.LazyFrame:
        """The rows whose text matches as a LazyFrame, best first; without `k` all of them.

        Args:
            table: The table's name.
            query: The text; before it a column's name, or a list of them.
            filter: A predicate as a Polars expression or as SQL, applied before the search.
            arguments: Those of `fts` in SQL: `k`, `columns`, `operator`, `fuzziness`, `syntax`, …

        Raises:
            BindError: A name or an argument does not fit.
            ExecutionError: Polars is not installed.
        """
        return self._search("fts", table, query, filter, arguments)

    def hybrid_search(self, table: str, *query: Any, filter: Any = None, **arguments: Any) -> pl.LazyFrame:
        """The k best rows of a vector and a text search as a LazyFrame, best first.

        Args:
            table: The table's name.
            query: The vector and the text, or the text alone, which is then embedded too.
            filter: A predicate as a Polars expression or as SQL, applied before the search.
            arguments: Those of `hybrid_search` in SQL: `k`, `fusion`, `weights`, `vector_column`, …

        Raises:
            BindError: A name or an argument does not fit.
            ExecutionError: Polars is not installed.
        """
        return self._search("hybrid_search", table, query, filter, arguments)

    def _search(
        self, function: str, table: str, queries: tuple[Any, ...], filter: Any, arguments: Mapping[str, Any]
    ) -> pl.LazyFrame:
        from .frames.lazy import make_lazy_frame
        from .frames.search import SearchCall, SearchRows, split_queries

        columns, queries = split_queries(function, queries)
        call = SearchCall(function, table, queries, {**columns, **arguments}, filter)
        return make_lazy_frame(SearchRows(self, call), f"{function}()")

    def describe_statement(self, statement: Statement) -> Description:
        """What a statement over one source will do, without carrying it out."""
        with self._ask() as session:
            try:
                plan, run = session.prepare(statement.sql, statement.parameters, _offer(statement))
                return describe_query(plan, run, statement.places)
            except LanceSQLError as error:
                raise _forget_place(error, statement) from None

    def read_statement(self, statement: Statement) -> pa.RecordBatchReader:
        """The rows of a statement: a scan as it is read, a search when it is done."""
        with self._ask() as session:
            try:
                plan, run = session.prepare(statement.sql, statement.parameters, _offer(statement))
                return read_rows(plan, run)
            except LanceSQLError as error:
                raise _forget_place(error, statement) from None

    @contextmanager
    def _ask(self) -> Iterator[Session]:
        """This session; one beside it, when a statement that may wait for the answer has the connection."""
        with ExitStack() as stack:
            self._check_open()
            try:
                stack.enter_context(self._turn.take(self._give_up))
            except _BusyError as busy:
                with _FORKING:
                    session = Session(self._database.reopen(), busy.beside.keep_fork())
                session.resemble(self)
                stack.callback(session._engine.close)
                yield session
                return
            if self._beside is None and self._engine.owned and not self._engine.has_stream():
                self._beside = self._engine.keep_fork()
            yield self

    def _give_up(self) -> None:
        if self._beside is not None:
            raise _BusyError(self._beside)


class _BusyError(Exception):
    """Another thread has the connection; there is one beside it."""

    def __init__(self, beside: DuckDBEngine) -> None:
        self.beside = beside


def _forget_place(error: LanceSQLError, statement: Statement) -> LanceSQLError:
    """The error without its place in a statement that the caller did not write."""
    if error.sql in (None, statement.sql):
        error.span = None
    return error


def _offer(statement: Statement) -> Namespace:
    return Namespace(None).extend(statement.tables)
