"""Gives a DuckDB connection the macros and views of a Lance database, and takes them away."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import lancesql
from lancesql.binder.searches.columns import is_text_column, is_vector_column
from lancesql.catalog import TableInfo
from lancesql.connection import Connection
from lancesql.engines.dataset import ScanDataset
from lancesql.engines.duckdb import DuckDBEngine
from lancesql.engines.entries import Entries
from lancesql.errors import ArgumentError, ConnectionClosedError
from lancesql.plan.spelling import quote_name
from lancesql.storage.scan import open_scan
from lancesql.storage.types import widen_schema

from .searches import KINDS, SearchCalls

if TYPE_CHECKING:
    from typing import Self

    import duckdb as duckdb_module

__all__ = ["Registration", "register"]

_RENAMED = {"column": "vector_column"}
"""Names that DuckDB keeps for itself."""


def register(
    con: duckdb_module.DuckDBPyConnection,
    db: Any,
    *,
    tables: Iterable[str] | None = None,
    prefix: str = "",
) -> Registration:
    """Makes the tables of a Lance database, and searches of them, known to a DuckDB connection.

    For a table `films` there are the view `films`, and the table macros `films_search(query, k := 10, filter := …)`,
    `films_fts(query, …)` and `films_hybrid(vector, text, …)`, as far as it has vectors and texts. Each takes the
    arguments of `vector_search`, `fts` and `hybrid_search`.

    Args:
        con: The connection; what it sees is what its statements may name, with no rewriting.
        db: A connection of lancesql, with its views, embedding functions and settings of this moment; or a path, a URI
            or a lancedb connection, as `lancesql.connect` takes it.
        tables: The names of the tables; all of them unless given.
        prefix: What the names begin with.

    Returns:
        What takes it all away again; it need not be kept.

    Raises:
        UnknownTableError: There is no such table.
        ArgumentError: DuckDB has something of one of these names already.
    """
    session = db.cursor() if isinstance(db, Connection) else lancesql.connect(db)
    return Registration(con, session, session.tables() if tables is None else list(tables), prefix)


class Registration:
    """What a DuckDB connection was given; `close`, or the end of a `with` block, takes it away."""

    def __init__(
        self, con: duckdb_module.DuckDBPyConnection, session: Connection, tables: Sequence[str], prefix: str
    ) -> None:
        self._engine = DuckDBEngine(con)
        self._session = session
        self._lock = threading.Lock()
        self._views: dict[str, str] = {}
        self._macros: dict[str, str] = {}
        self._entries = Entries(self._engine)
        try:
            for table in tables:
                self._add_table(table, prefix + re.sub(r"\W", "_", table))
        except BaseException:
            self.close()
            raise

    @property
    def names(self) -> list[str]:
        """The views and the macros, sorted."""
        return sorted([*self._views, *self._macros])

    def close(self) -> None:
        """Takes the views, the macros and their functions away."""
        entries = Entries(self._engine)
        for name, function in self._macros.items():
            entries.drop("macro", name, function)
        for name, hidden in self._views.items():
            entries.drop("view", name, hidden)
        self._macros, self._views = {}, {}
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Registration: {', '.join(self.names)}"

    def _add_table(self, table: str, name: str) -> None:
        found = self._session.contents().require_table(table)
        taken = {one.lower() for one in self._views}
        if name.lower() in taken:
            raise ArgumentError(f"two tables would be called '{name}'", hint="register them one by one, with prefix=…")
        self._views[name] = self._entries.create_view(name, _offer_table(found, self._session))
        vectors = [field.name for field in found.schema if is_vector_column(field.type)]
        texts = [field.name for field in found.schema if is_text_column(field.type)]
        if vectors:
            self._add_macro(table, f"{name}_search", "search", {"column": vectors[0]})
        if texts:
            self._add_macro(table, f"{name}_fts", "fts", {"columns": texts[0]})
        if vectors and texts:
            self._add_macro(table, f"{name}_hybrid", "hybrid", {"vector_column": vectors[0], "text_columns": texts[0]})

    def _add_macro(self, table: str, name: str, suffix: str, columns: dict[str, str]) -> None:
        kind = KINDS[suffix]
        calls = SearchCalls(self._session, self._lock, table, kind, columns)
        options = [quote_name(_RENAMED.get(one, one)) for one in kind.options]
        parameters = [*kind.queries, "k := 10", *(f"{one} := NULL" for one in options)]
        arguments = [*kind.queries, "k", *options]
        self._macros[name] = self._entries.create_macro(
            name, ", ".join(parameters), ", ".join(arguments), calls.answer, calls.schema
        )


def _offer_table(table: TableInfo, session: Connection) -> ScanDataset:
    """The table as DuckDB scans it: at its newest version each time, with the columns of now."""

    def open_reader(columns: Sequence[str]) -> pa.RecordBatchReader:
        if session.closed:
            raise ConnectionClosedError("the registration was closed", hint="call lancesql.duckdb.register() again")
        return open_scan(session.contents().open_table(table.name), columns)

    return ScanDataset(widen_schema(table.schema), open_reader)
