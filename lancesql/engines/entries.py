"""What a DuckDB connection of the user's is given for good: views over objects, and table macros over functions."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa

from lancesql.errors import ArgumentError
from lancesql.plan.spelling import quote_name

from .dataset import ScanDataset
from .duckdb import DuckDBEngine
from .engine_errors import explain_engine_error
from .namespace import Namespace

__all__ = ["Entries"]

_OWN = re.compile(r"__lancesql_\w+")
"""What stands behind an entry that was made here, and in its definition."""
_LISTED = """
SELECT kind, lower(name) AS name, database_name, schema_name, definition FROM (
    SELECT 'macro' AS kind, function_name AS name, database_name, schema_name, macro_definition AS definition
    FROM duckdb_functions() WHERE function_type = 'table_macro' AND NOT internal
    UNION ALL SELECT 'view', table_name, database_name, schema_name, NULL FROM duckdb_tables() WHERE NOT internal
    UNION ALL SELECT 'view', view_name, database_name, schema_name, sql FROM duckdb_views() WHERE NOT internal)
"""
_IN_MEMORY = "SELECT 1 FROM duckdb_databases() WHERE database_name = current_database() AND path IS NULL"


class Entries:
    """The catalog of a connection, as it was when this was made and as this has changed it since."""

    def __init__(self, engine: DuckDBEngine) -> None:
        self._engine = engine
        self._found: dict[tuple[str, str], list[tuple[str, str | None]]] = {}
        for row in self._run(_LISTED).to_pylist():
            own = _OWN.search(row["definition"] or "")
            place = f"{quote_name(row['database_name'])}.{quote_name(row['schema_name'])}"
            known = self._found.setdefault((row["kind"], row["name"]), [])
            known.append((place, own.group() if own else None))
        self._temporary = "" if self._run(_IN_MEMORY).num_rows else "TEMP "

    def create_macro(
        self, name: str, parameters: str, arguments: str, act: Callable[..., pa.Array[Any]], schema: pa.Schema
    ) -> str:
        """Makes a table macro that gives the rows of `act`; returns the name of the function behind it.

        It is temporary where the current database is a file: the function is gone when the process is. In memory it
        is not, so that other cursors of the connection know it too.

        Args:
            name: The macro's name. One that was made here is replaced.
            parameters: Its parameters.
            arguments: What it calls the function with.
            act: The function.
            schema: The columns of its rows.

        Raises:
            ArgumentError: There is a macro of that name that was not made here.
        """
        self._drop_own("macro", name)
        function = _make_name(name)
        self._engine.add_function(function, act, schema)
        rows = f"SELECT unnest({quote_name(function)}({arguments}), max_depth := 2)"
        self._run(f"CREATE {self._temporary}MACRO {quote_name(name)}({parameters}) AS TABLE {rows}")
        return function

    def create_view(self, name: str, data: ScanDataset) -> str:
        """Makes a temporary view of a source; returns the name that the source has.

        Raises:
            ArgumentError: There is a table or a view of that name that was not made here.
        """
        self._drop_own("view", name)
        hidden = _make_name(name)
        connection: Any = self._engine.connection
        try:
            connection.register(hidden, data)
        except duckdb.Error as error:
            raise explain_engine_error(error) from None
        self._run(f"CREATE TEMP VIEW {quote_name(name)} AS SELECT {_write_star(data.schema)} FROM {quote_name(hidden)}")
        return hidden

    def drop(self, kind: str, name: str, own: str) -> None:
        """Takes the macro or the view over `own` away, if it is still there, and what is behind it."""
        for place, behind in self._found.pop((kind, name.lower()), []):
            if behind == own:
                self._run(f"DROP {'MACRO TABLE' if kind == 'macro' else 'VIEW'} {place}.{quote_name(name)}")
        if kind == "macro":
            self._engine.remove_function(own)
        else:
            connection: Any = self._engine.connection
            connection.unregister(own)

    def _drop_own(self, kind: str, name: str) -> None:
        known = self._found.get((kind, name.lower()), [])
        if any(behind is None for _, behind in known):
            there = "a macro" if kind == "macro" else "a table or a view"
            raise ArgumentError(f"DuckDB has {there} '{name}' already", hint="give other names with prefix='lance_'")
        for _, behind in list(known):
            assert behind is not None
            self.drop(kind, name, behind)

    def _run(self, sql: str) -> Any:
        return self._engine.run(sql, None, {}, Namespace(None))


def _write_star(schema: pa.Schema) -> str:
    """Every column. DuckDB 1 would have Arrow compare plain floats, to which NaN is not the greatest."""
    floats = [quote_name(field.name) for field in schema if pa.types.is_floating(field.type)]
    if not floats or not duckdb.__version__.startswith("1."):
        return "*"
    return f"* REPLACE ({', '.join(f'{name} * 1 AS {name}' for name in floats)})"


def _make_name(name: str) -> str:
    return f"__lancesql_{re.sub(r'[^a-z0-9_]', '_', name.lower())}_{secrets.token_hex(4)}"
