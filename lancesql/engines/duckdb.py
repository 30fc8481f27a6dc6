"""DuckDB runs the relation, on the user's own connection, with the sources found by name in a private namespace."""

from __future__ import annotations

import contextlib
import threading
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from lancesql.errors import ArgumentError, EngineError, LanceSQLError
from lancesql.plan.spelling import quote_name

from .closing import close_with
from .engine_errors import explain_engine_error
from .functions import KnownFunctions
from .namespace import Namespace
from .parsed import ParsedQueries
from .reentry import Reentry
from .relations import open_relation_reader, read_relation_table
from .stored_types import cast_stored

__all__ = ["DuckDBEngine", "Stream"]

_SQL = compile("connection.sql(sql, params=params)", "<lancesql>", "eval")
_EXECUTE = compile("connection.execute(sql, params)", "<lancesql>", "eval")
_QUIET = threading.Lock()
_SETTINGS = """
SELECT name, value FROM duckdb_settings() WHERE name IN ('TimeZone', 'Calendar', 'default_collation',
    'default_null_order', 'default_order', 'integer_division', 'ieee_floating_point_ops', 'old_implicit_casting',
    'search_path', 'schema')
"""
"""Those that say what a predicate means."""
_ENDED = "a later statement of the connection ended this stream"


class Stream(Protocol):
    """An answer that is being read, and holds the connection."""

    is_pulling: bool

    def release(self, failure: LanceSQLError | None = None) -> None:
        """Lets go of the connection; whoever reads on is told why."""
        ...


class DuckDBEngine:
    """A DuckDB connection: the user's, or one of our own.

    Attributes:
        connection: The connection every relation runs on, within its transaction and with its settings.
        owned: Nobody else changes the database it is connected to.
        reentry: Who waits for the connection.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection | None = None) -> None:
        if not isinstance(connection, duckdb.DuckDBPyConnection | None):
            raise ArgumentError(
                f"{type(connection).__name__} is no DuckDB connection", hint="duckdb.connect() gives one"
            )
        self.owned = connection is None
        self.connection = duckdb.connect() if connection is None else connection
        self._functions = KnownFunctions()
        self._unwanted: set[str] = set()
        self._shared: dict[str, int] = {}
        self._parsed = ParsedQueries()
        self._collation_named = False
        self._stream: Callable[[], Stream | None] = lambda: None
        self._close: Callable[[], object] = lambda: None
        self.reentry = Reentry()
        if self.owned:
            self._close = close_with(self, self.connection)

    def close(self) -> None:
        """Closes the connection when it is our own."""
        self._close()

    def interrupt(self) -> None:
        """Asks the query that runs, if one does, to stop."""
        with contextlib.suppress(duckdb.Error):
            self.connection.interrupt()

    def keep_stream(self, stream: Stream) -> None:
        """Takes note of the stream that holds the connection, for as long as somebody reads it."""
        self._stream = weakref.ref(stream)

    def has_stream(self) -> bool:
        """Whether somebody reads an answer that the next statement would end."""
        return self._stream() is not None

    def _begin(self, sql: str) -> None:
        """A statement begins: what is left of an earlier answer gives way."""
        if "collation" in sql.lower():
            self._collation_named = True
        self._end_stream()

    def _end_stream(self) -> None:
        """The connection has one answer at a time: what is left of an earlier one gives way."""
        stream = self._stream()
        if stream is not None and not stream.is_pulling:
            stream.release(EngineError(_ENDED, hint="read a stream to its end first, or open another connection"))

    def relate(
        self, sql: str, parameters: object, sources: Mapping[str, object], namespace: Namespace
    ) -> duckdb.DuckDBPyRelation | None:
        """Binds a relation over the sources; None for a statement without rows, which has then run.

        Raises:
            LanceSQLError: DuckDB's error as one of ours.
        """
        self._begin(sql)
        try:
            relation: duckdb.DuckDBPyRelation | None = self._ask(_SQL, sql, parameters, sources, namespace)
        except duckdb.Error as error:
            given = (_EXECUTE, f"EXPLAIN {sql}", parameters, sources, namespace)
            raise explain_engine_error(error, (lambda: self._ask(*given)) if self.owned else None) from None
        return relation

    def run(self, sql: str, parameters: object, sources: Mapping[str, object], namespace: Namespace) -> pa.Table:
        """Runs a statement at once and returns what it answers: a count for most, nothing for some."""
        if duckdb.__version__.startswith("1.") and not self.reads_only(sql):  # as a relation it would lose its count
            return self._execute(sql, parameters, sources, namespace)
        relation = self.relate(sql, parameters, sources, namespace)
        return pa.table({}) if relation is None else read_relation_table(relation)

    def open_reader(
        self,
        sql: str,
        parameters: object,
        sources: Mapping[str, object],
        namespace: Namespace,
        first: int | None = None,
        *,
        stores: Callable[[Sequence[str]], Sequence[str | None]] | None = None,
    ) -> pa.RecordBatchReader:
        """Runs a query as a stream, of which only the first rows are read when they are counted; see `relate`.

        `stores` names the types of the columns that those of the query are written to; see `cast_stored`.
        """
        relation = self.relate(sql, parameters, sources, namespace)
        stored = cast_stored(relation, stores) if stores and relation is not None else relation
        return pa.table({}).to_reader() if stored is None else open_relation_reader(stored, first)

    def read_condensed(
        self, sql: str, parameters: object, sources: Mapping[str, object], namespace: Namespace
    ) -> pa.Table:
        """All rows of a query that gives few: a relation would plan it twice, which costs more than copying them.

        On the user's own connection it is a relation all the same, since running it would take the place of a result
        the user has not fetched yet.
        """
        run = self._execute if self.owned else self.run
        return run(sql, parameters, sources, namespace)

    def _execute(self, sql: str, parameters: object, sources: Mapping[str, object], namespace: Namespace) -> pa.Table:
        self._begin(sql)
        try:
            done = self._ask(_EXECUTE, sql, parameters, sources, namespace)
            with _QUIET, warnings.catch_warnings(action="ignore", category=UserWarning):  # DuckDB warns of the copy
                reader = done.to_arrow_reader() if hasattr(done, "to_arrow_reader") else done.fetch_record_batch()
            table: pa.Table = reader.read_all()
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            self._drop_result()
            raise explain_engine_error(error) from None
        return table

    def _ask(
        self, code: CodeType, sql: str, parameters: object, sources: Mapping[str, object], namespace: Namespace
    ) -> Any:
        """What DuckDB makes of a text, where it finds the sources and the variables by their names."""
        text = self._read(sql)
        values = {**namespace.locals, **sources, "connection": self.connection, "sql": text, "params": parameters}
        return eval(code, namespace.globals, values)

    def _read(self, sql: str) -> str | duckdb.Statement:
        return self._parsed.read(sql, self.connection) if self.owned else sql

    def fork(self) -> DuckDBEngine:
        """Another connection to the same database, with the same settings, for use while this one is busy."""
        try:
            own = dict(self._query(_SETTINGS, None))
            other = DuckDBEngine(self.connection.cursor())
            for name, value in other._query(_SETTINGS, None):
                if own.get(name, value) != value:
                    other.connection.execute(f"SET {name} = '{str(own[name]).replace(chr(39), chr(39) * 2)}'")
        except duckdb.Error as error:
            raise explain_engine_error(error) from None
        return other

    def duplicate(self) -> DuckDBEngine:
        """As `fork`, with the settings of a new connection; it can be made while this one is busy."""
        return DuckDBEngine(self.connection.cursor())

    def share(self) -> DuckDBEngine:
        """As `fork`, for good. From now on neither has the database to itself."""
        other, self.owned = self.keep_fork(), False
        return other

    def keep_fork(self) -> DuckDBEngine:
        """As `fork`, for good; whoever uses it changes no table."""
        other = self.fork()
        other._close = close_with(other, other.connection)
        return other

    def add_function(self, name: str, act: Callable[..., pa.Array[Any]], schema: pa.Schema) -> None:
        """Makes `act` a function of SQL that takes any arguments and gives a list of rows for each call."""
        self._create_function(name, act, schema, has_rows=True)

    def add_scalar_function(self, name: str, act: Callable[..., pa.Array[Any]], type_: pa.DataType) -> None:
        """Makes `act` a function of SQL that takes any arguments and gives a value, the same for the same arguments."""
        self._create_function(name, act, pa.schema([("value", type_)]), has_rows=False)

    def _create_function(
        self, name: str, act: Callable[..., pa.Array[Any]], schema: pa.Schema, *, has_rows: bool
    ) -> None:
        connection: Any = self.connection
        try:
            row = connection.from_arrow(schema.empty_table())
            given = row.types[0]
            if has_rows:
                given = connection.list_type(connection.struct_type(dict(zip(row.columns, row.types, strict=True))))
            connection.create_function(
                name,
                lambda *values: act(*values),  # noqa: PLW0108  # DuckDB reads off it: any number of values of any type
                None,
                given,
                type="arrow",
                null_handling="special",
                side_effects=has_rows,  # else a call whose arguments are constants runs while it is planned
            )
        except duckdb.Error as error:
            raise explain_engine_error(error) from None

    def share_scalar_function(self, name: str, act: Callable[..., pa.Array[Any]], type_: pa.DataType) -> None:
        """As `add_scalar_function`; what is shared again while it is there is gone when it was released as often."""
        self._shared[name] = self._shared.get(name, 0) + 1
        if self._shared[name] == 1:
            self.add_scalar_function(name, act, type_)

    def release_scalar_function(self, name: str) -> None:
        """Takes a function away that was shared."""
        self._shared[name] -= 1
        if not self._shared[name]:
            del self._shared[name]
            self.remove_function(name)

    def remove_function(self, name: str) -> None:
        """Takes a function away; one that a ROLLBACK has taken, or that a result still needs, is left alone."""
        self._unwanted.add(name)
        for unwanted in list(self._unwanted):
            try:
                self.connection.remove_function(unwanted)
            except duckdb.CatalogException:
                pass
            except duckdb.Error:
                continue
            self._unwanted.discard(unwanted)

    def _drop_result(self) -> None:
        """The connection keeps the result it last executed, and is busy with one that was stopped half way."""
        for _ in range(100):
            try:
                self.connection.execute("SELECT NULL").fetchall()
            except duckdb.InterruptException:
                continue  # who stops a statement says so until it has ended
            except duckdb.Error:
                return
            return

    def in_transaction(self) -> bool:
        """Whether statements are between BEGIN and COMMIT: outside, each has a number of its own."""
        self._end_stream()
        try:
            numbers = {self.connection.sql("SELECT txid_current()").fetchall()[0][0] for _ in range(2)}
        except duckdb.Error:
            return True  # it was aborted, and waits for ROLLBACK
        return len(numbers) == 1

    def reads_only(self, sql: str) -> bool:
        """Whether a text is one query: it may be run when its rows are asked for."""
        try:
            read = self._read(sql)
            statements = [read] if isinstance(read, duckdb.Statement) else self.connection.extract_statements(sql)
        except duckdb.Error as error:
            raise explain_engine_error(error) from None
        return len(statements) == 1 and statements[0].type == duckdb.StatementType.SELECT

    def tables_named(self, name: str) -> Sequence[str]:
        """The qualified names of the tables and views called `name`, or `schema.name`, in any database attached."""
        schema, _, table = name.rpartition(".")
        rows = self._query(
            "SELECT database_name || '.' || schema_name || '.' || table_name FROM ("
            "SELECT database_name, schema_name, table_name FROM duckdb_tables() UNION ALL "
            "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal) "
            "WHERE lower(table_name) = lower($1) AND ($2 = '' OR lower(schema_name) = lower($2)"
            " OR lower(database_name) = lower($2))",
            [table, schema],
        )
        names = [str(row[0]) for row in rows]
        if names and not schema and self.columns_of(table, Namespace(None)) is None:
            return []  # in a schema where the bare name does not reach
        return names

    def columns_of(self, name: str, namespace: Namespace) -> Sequence[str] | None:
        """The columns of a table, view or variable; None when there is none of that name."""
        return self.columns_of_query(f"SELECT * FROM {quote_name(name)}", {}, namespace)

    def columns_of_query(self, sql: str, sources: Mapping[str, object], namespace: Namespace) -> Sequence[str] | None:
        """The columns of a query; None when it cannot be bound."""
        try:
            relation = self.relate(sql, None, sources, namespace)
        except LanceSQLError:
            return None
        return None if relation is None else list(relation.columns)

    def is_volatile(self, function: str) -> bool:
        """Whether a function, the user's own among them, may answer differently for the same arguments."""
        self._functions.look_up(function, self._query)
        return function in self._functions.volatile

    def changes_rows(self, function: str) -> bool:
        """Whether a function, the user's own among them, makes one row of several (an aggregate) or several of one."""
        self._functions.look_up(function, self._query)
        return function in self._functions.row_changing

    def has_function(self, name: str) -> bool:
        """Whether there is a function or a macro of that name."""
        rows = self._query("SELECT 1 FROM duckdb_functions() WHERE lower(function_name) = lower($1) LIMIT 1", [name])
        return bool(rows)

    def orders_descending(self) -> bool:
        """Whether `default_order` is DESC."""
        ((order,),) = self._query("SELECT current_setting('default_order')", None)
        return str(order).upper().startswith("DESC")

    def collates(self) -> bool:
        """Whether `default_collation` is set. Our own connection is asked only once a statement has named it."""
        if self.owned and not self._collation_named:
            return False
        return bool(self.connection.sql("SELECT current_setting('default_collation') <> ''").fetchall()[0][0])

    def has_collations(self, sql: str) -> bool:
        """Whether a collation might decide which texts of a statement are equal: set, declared or written."""
        if "collate" in sql.lower():
            return True
        ((found,),) = self._query(
            "SELECT current_setting('default_collation') <> '' OR EXISTS (FROM (SELECT sql FROM duckdb_tables() "
            "UNION ALL SELECT sql FROM duckdb_views() WHERE NOT internal) WHERE contains(lower(sql), 'collate'))",
            None,
        )
        return bool(found)

    def puts_nulls_last(self) -> bool:
        """Whether `default_null_order` is NULLS LAST for an ascending order."""
        ((order,),) = self._query("SELECT current_setting('default_null_order')", None)
        return str(order).upper().startswith("NULLS_LAST")

    def _query(self, sql: str, parameters: object) -> list[tuple[Any, ...]]:
        self._end_stream()
        try:
            return self.connection.execute(sql, parameters).fetchall()
        except duckdb.Error as error:
            raise explain_engine_error(error) from None
        except RuntimeError as error:
            if str(error) != "Query interrupted":  # what DuckDB makes of Ctrl-C, or of what a handler raises
                raise
            raise error.__cause__ or KeyboardInterrupt() from None
