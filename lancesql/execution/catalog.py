"""The catalog of one statement: the Lance database, the engine's tables, and the caller's variables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from lancesql.catalog import MAIN_DATABASE, DatabaseInfo, EmbeddingInfo, TableInfo, VersionRef, View
from lancesql.engines.databases import has_index, has_schema, list_databases
from lancesql.engines.definitions import chooses_arrays, name_types, read_definition
from lancesql.engines.duckdb import DuckDBEngine
from lancesql.engines.moments import read_moment
from lancesql.engines.namespace import Namespace
from lancesql.engines.null_rows import rejects_nulls
from lancesql.engines.parsed import find_syntax_error
from lancesql.frames import name_columns
from lancesql.parser.text_calls import TEXT_FUNCTIONS
from lancesql.settings import Settings
from lancesql.storage.databases import Databases
from lancesql.storage.rerankers import Rerankers
from lancesql.storage.types import widen_schema

from .embeddings.registry import Embeddings

__all__ = ["StatementCatalog"]


class StatementCatalog:
    """Answers the planner; every table is looked up once per statement, so all its references read one version.

    Attributes:
        settings: Those of the session.
    """

    def __init__(
        self,
        database: Databases,
        engine: DuckDBEngine,
        namespace: Namespace,
        registered: Mapping[str, object],
        settings: Settings = Settings(),  # noqa: B008 - a frozen value
        views: Mapping[str, View] = MappingProxyType({}),
        embeddings: Embeddings | None = None,
        rerankers: Rerankers | None = None,
    ) -> None:
        self._database = database
        self._engine = engine
        self._namespace = namespace
        self._registered = registered
        self.settings = settings
        self._views = views
        self._rerankers = Rerankers() if rerankers is None else rerankers
        self._embeddings = Embeddings(database) if embeddings is None else embeddings
        self._functions: dict[str, bool] = {}
        self._found: dict[tuple[str, VersionRef | None], TableInfo | None] = {}

    def find_table(self, name: str, version: VersionRef | None = None) -> TableInfo | None:
        """The Lance table of that name, at one version for the whole statement."""
        key = (name.lower() if not name.lower().endswith(".lance") else name, version)
        if key not in self._found:
            self._found[key] = self._database.find_table(name, version)
        return self._found[key]

    def table_names(self) -> Sequence[str]:
        """Every Lance table, as a statement names it."""
        return self._database.table_names()

    def whole_tables(self) -> Sequence[TableInfo]:
        """Every Lance table at its newest version, sorted by name, but for those that are damaged."""
        return self._database.whole_tables()

    def databases(self) -> Sequence[DatabaseInfo]:
        """The Lance databases of the session."""
        return self._database.describe()

    def is_database(self, name: str) -> bool:
        """Whether a Lance database is called so."""
        folded = name.lower()
        return folded == MAIN_DATABASE or folded in {one.lower() for one in self._database.names}

    def name_database(self, name: str) -> str:
        """What the database is called in which a table of that name lies, or would lie."""
        return self._database.find_database(name).name

    def is_read_only(self, name: str) -> bool:
        """Whether the database of a table of that name refuses writes."""
        return self._database.find_database(name).read_only

    def engine_databases(self) -> Sequence[DatabaseInfo]:
        """DuckDB's databases, but for those that are its own affair."""
        return list_databases(self._engine)

    def engine_has_schema(self, name: str) -> bool:
        """Whether DuckDB has a schema or a database of that name."""
        return has_schema(self._engine, name)

    def engine_has_index(self, name: str) -> bool:
        """Whether the engine has an index of that name."""
        return has_index(self._engine, name)

    def find_view(self, name: str) -> View | None:
        """The view of the session called `name`."""
        return self._views.get(name.lower()) if self._views else None

    def views(self) -> Sequence[View]:
        """The views of the session, sorted by name."""
        return [self._views[name] for name in sorted(self._views)]

    def engine_tables(self, name: str) -> Sequence[str]:
        """The qualified names of DuckDB's tables and views called `name`; a registered object counts."""
        found = list(self._engine.tables_named(name))
        return found or (["the registered object"] if name in self._registered else [])

    def engine_columns(self, name: str) -> Sequence[str] | None:
        """The columns of a table, view or variable DuckDB can see."""
        if name in self._registered:
            return name_columns(self._registered[name])
        return self._engine.columns_of(name, self._namespace)

    def sample_column(self, table: TableInfo, column: str) -> pa.Array[Any]:
        """Values of a column at equal distances."""
        return self._database.sample_column(table, column)

    def find_embedding(self, table: TableInfo, column: str) -> EmbeddingInfo | None:
        """The function that embeds texts for a vector column."""
        found = self._embeddings.find(table, column)
        return None if found is None else found.info

    def session_embeddings(self) -> Sequence[EmbeddingInfo]:
        """The embedding functions registered with the session."""
        return self._embeddings.registered()

    def rerankers(self) -> Sequence[str]:
        """The names of the rerankers registered with the session."""
        return self._rerankers.names()

    def embeddings(self) -> Sequence[EmbeddingInfo]:
        """Every embedding function: the session's, and those of the tables."""
        return self._embeddings.list()

    def can_read(self, sql: str) -> bool:
        """Whether DuckDB's parser reads a text."""
        return find_syntax_error(sql, self._engine.connection) is None

    def has_function(self, name: str) -> bool:
        """Whether DuckDB knows a function or macro of that name; asked once for a statement."""
        if name not in self._functions:
            self._functions[name] = self._engine.has_function(name)
        return self._functions[name]

    def read_definition(self, columns: str, halves: Collection[str]) -> pa.Schema:
        """The schema that column definitions mean to DuckDB."""
        return read_definition(self._engine, columns, halves)

    def column_types(self, schema: pa.Schema) -> Sequence[str]:
        """DuckDB's names for the types of Lance columns."""
        return name_types(self._engine, widen_schema(schema))

    def query_columns(self, sql: str) -> Sequence[str] | None:
        """The columns of a query that DuckDB can bind."""
        return self._engine.columns_of_query(sql, self._registered, self._namespace)

    def read_moment(self, expression: str) -> datetime | None:
        """The moment that an expression means to DuckDB; None when it is none."""
        return read_moment(self._engine, expression)

    def rejects_nulls(self, predicate: str, alias: str, schema: pa.Schema) -> bool:
        """Whether a predicate is not true of a row of NULLs, as DuckDB evaluates it."""
        return rejects_nulls(self._engine, predicate, alias, widen_schema(schema))

    def is_volatile(self, function: str) -> bool:
        """Whether DuckDB calls the function volatile."""
        return not self._is_own(function) and self._engine.is_volatile(function)

    def changes_rows(self, function: str) -> bool:
        """Whether DuckDB's function is an aggregate or makes rows, or a macro of the user's calls one that does."""
        return not self._is_own(function) and self._engine.changes_rows(function)

    def _is_own(self, function: str) -> bool:
        return function in TEXT_FUNCTIONS and not self.has_function(function)

    def puts_nulls_last(self) -> bool:
        """Whether DuckDB's `default_null_order` puts NULL behind everything in an ascending order."""
        return self._engine.puts_nulls_last()

    def orders_descending(self) -> bool:
        """Whether DuckDB's `default_order` is DESC."""
        return self._engine.orders_descending()

    def chooses_arrays(self) -> bool:
        """Whether a CASE of DuckDB may choose between arrays."""
        return chooses_arrays()
