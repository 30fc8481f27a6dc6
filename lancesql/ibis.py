"""Lance tables in Ibis: its backend for DuckDB, asked through lancesql.

Example:
    >>> import lancesql.ibis
    >>> con = lancesql.ibis.connect()
    >>> con.sql("SELECT i FROM range(5) AS t(i)").i.sum().to_pyarrow().as_py()
    10
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lancesql import dbapi
from lancesql.connection import Connection
from lancesql.dbapi.cursor import Cursor
from lancesql.errors import ArgumentError, UnknownTableError, UnsupportedError
from lancesql.plan.literals import write_literal
from lancesql.plan.spelling import quote_name

try:
    import ibis
    from ibis.backends.duckdb import Backend as DuckDBBackend
    from ibis.common.exceptions import TableNotFound
except ImportError:
    raise UnsupportedError(
        "lancesql.ibis needs Ibis and its backend for DuckDB, which are not installed",
        hint="pip install 'lancesql[ibis]'",
    ) from None

if TYPE_CHECKING:
    import duckdb as duckdb_module

__all__ = ["Backend", "connect"]

_HALF = re.compile(r"FLOAT16(?P<list>\[(?P<size>\d+)?\])?")


def connect(
    database: Any = None,
    *,
    duckdb: str | Path | duckdb_module.DuckDBPyConnection | None = None,
    storage_options: dict[str, str] | None = None,
    read_only: bool = False,
) -> Backend:
    """Opens a LanceDB database for Ibis.

    Args:
        database: What `lancesql.dbapi.connect` takes: a path, a URI, None, or a connection of lancesql.
        duckdb: The DuckDB database beside it: a connection, or the path of a file. One in memory unless given.
        storage_options: Credentials and settings of the object store.
        read_only: Refuse every write to the Lance database.
    """
    opened = dbapi.connect(database, duckdb=duckdb, storage_options=storage_options, read_only=read_only)
    backend: Backend = Backend.from_connection(_Connection(opened))
    return backend


class Backend(DuckDBBackend):  # type: ignore[misc]
    """An Ibis backend whose tables are those of a Lance database, and of the DuckDB database beside it."""

    con: _Connection

    @property
    def native(self) -> Connection:
        """The connection of lancesql beneath."""
        return self.con.native

    def list_tables(self, *, like: str | None = None, database: tuple[str, str] | str | None = None) -> list[str]:
        """The tables and views that `table` takes by name; with `database` those of a Lance database, or DuckDB's."""
        contents = self.native.contents()
        names: list[str] = []
        if database is None:
            names = [*contents.table_names(), *contents.view_names()]
        elif database in [one.name for one in contents.databases()]:
            return list(self._filter_with_like(contents.table_names(str(database)), like))
        others = super().list_tables(like=like, database=database)
        return [*self._filter_with_like(names, like), *(one for one in others if one not in names)]

    def get_schema(self, table_name: str, *, catalog: str | None = None, database: str | None = None) -> Any:
        """The columns of a table."""
        try:
            return _read_halves(super().get_schema(table_name, catalog=catalog, database=database))
        except dbapi.ProgrammingError as error:
            if isinstance(error.origin, UnknownTableError):
                raise TableNotFound(table_name) from None
            raise

    def create_table(
        self,
        name: str,
        /,
        obj: Any = None,
        *,
        schema: Any = None,
        database: tuple[str, str] | str | None = None,
        temp: bool = False,
        overwrite: bool = False,
    ) -> Any:
        """Creates a Lance table, or one of DuckDB where `temp` or `database` says so, and gives it.

        Args:
            name: The table's name.
            obj: Its rows: an expression, or a frame.
            schema: Its columns, where there are no rows, or they are to be cast.
            database: A Lance database, or a database of DuckDB.
            temp: A temporary table of DuckDB.
            overwrite: Replace a table of that name.
        """
        words = (
            f"CREATE {'OR REPLACE ' if overwrite else ''}{'TEMP ' if temp else ''}TABLE {self._write(name, database)}"
        )
        if obj is None:
            if schema is None:
                raise ArgumentError("a table needs rows or a schema", hint="create_table(name, rows)")
            columns = ibis.schema(schema).to_sqlglot_column_defs(self.dialect)
            self.con.execute(f"{words} ({', '.join(one.sql(self.dialect) for one in columns)})")
        else:
            rows = obj if isinstance(obj, ibis.Expr) else ibis.memtable(obj)
            rows = rows if schema is None else rows.cast(schema)
            self._run_pre_execute_hooks(rows)
            self.con.execute(f"{words} AS {self.compile(rows)}")
        return self.table(name, database=database)

    def drop_table(self, name: str, /, *, database: tuple[str, str] | str | None = None, force: bool = False) -> None:
        """Drops a table; with `force` it need not be there."""
        self.con.execute(f"DROP TABLE {'IF EXISTS ' if force else ''}{self._write(name, database)}")

    def drop_view(self, name: str, /, *, database: tuple[str, str] | str | None = None, force: bool = False) -> None:
        """Drops a view; with `force` it need not be there."""
        self.con.execute(f"DROP VIEW {'IF EXISTS ' if force else ''}{self._write(name, database)}")

    def vector_search(self, table: str, query: Any, **arguments: Any) -> Any:
        """The rows whose vectors are nearest, as a table expression.

        What is done with it is done with the rows that were found; `filter="price < 3"` is applied before the top-k.

        Args:
            table: The table's name.
            query: A vector, or a text where the column has an embedding.
            arguments: The other arguments of `vector_search` in SQL: `k`, `column`, `filter`, `metric`, …
        """
        return self._search("vector_search", table, {"query": query, **arguments})

    def fts(self, table: str, query: str, **arguments: Any) -> Any:
        """The rows whose texts match, best first, as a table expression; `arguments` are those of `fts` in SQL."""
        return self._search("fts", table, {"query": query, **arguments})

    def hybrid_search(self, table: str, vector: Any, text: str, **arguments: Any) -> Any:
        """The rows that are best by vector and text, as a table expression; `arguments` are those of the function."""
        return self._search("hybrid_search", table, {"vector": vector, "text": text, **arguments})

    def _search(self, function: str, table: str, arguments: dict[str, Any]) -> Any:
        written = [f"{name} => {write_literal(value)}" for name, value in arguments.items()]
        return self.sql(f"SELECT * FROM {function}({', '.join([write_literal(table), *written])})")

    def _get_schema_using_query(self, query: str) -> Any:
        return _read_halves(super()._get_schema_using_query(query))

    def _write(self, name: str, database: tuple[str, str] | str | None) -> str:
        parts = database.split(".") if isinstance(database, str) else database or ()
        return ".".join(map(quote_name, (*parts, name)))

    def _make_memtable_finalizer(self, name: str) -> Callable[[], None]:
        return lambda: self.native.unregister(name)


def _read_halves(schema: Any) -> Any:
    """The schema with numbers of 16 bits, and vectors of them, which Ibis does not know by DuckDB's name."""
    types = dict(schema.items())
    for name, kind in types.items():
        half = _HALF.fullmatch(str(getattr(getattr(kind, "raw_type", None), "args", {}).get("kind")))
        if half is not None and half["list"] is None:
            types[name] = ibis.dtype("float16")
        elif half is not None:
            types[name] = ibis.expr.datatypes.Array(ibis.dtype("float16"), length=half["size"] and int(half["size"]))
    return ibis.schema(types)


class _Cursor(Cursor):
    """A cursor of which Ibis fetches the rows of every statement, also where there are none."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [] if self.description is None else super().fetchall()


class _Connection(dbapi.Connection):
    """What Ibis takes for a connection of DuckDB."""

    def __init__(self, opened: dbapi.Connection) -> None:
        super().__init__(opened.native, engine=opened._engine, owned=opened._owned)

    def cursor(self, *, stream: bool = False) -> _Cursor:
        self._check_open()
        return _Cursor(self, stream=stream)

    def execute(self, operation: Any, parameters: Any = None) -> Cursor:
        sql = operation if isinstance(operation, str) else operation.sql("duckdb")
        if sql.startswith("SET python_enable_replacements"):  # by which lancesql offers its sources to DuckDB
            sql = "SELECT 1"
        return super().execute(sql, parameters)

    sql = execute

    def register(self, name: str, data: object) -> None:
        self.native.register(name, data)

    def __getattr__(self, name: str) -> Any:
        """What is DuckDB's own: functions, file systems."""
        if name in ("create_function", "remove_function", "register_filesystem"):
            return getattr(self.native._engine.connection, name)
        raise AttributeError(name)
