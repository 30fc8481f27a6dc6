"""What SQLAlchemy's inspector is told of Lance tables, views, and DuckDB's tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exc, text
from sqlalchemy.engine import reflection
from sqlalchemy.engine.interfaces import (
    ReflectedCheckConstraint,
    ReflectedColumn,
    ReflectedForeignKeyConstraint,
    ReflectedIndex,
    ReflectedPrimaryKeyConstraint,
    ReflectedTableComment,
    ReflectedUniqueConstraint,
)

from lancesql.binder.commands.constraints import write_check
from lancesql.catalog import IndexInfo, TableInfo
from lancesql.connection import Connection
from lancesql.execution.contents import Contents
from lancesql.plan.constraints import COMMENT, DEFAULT, read_constraints
from lancesql.plan.spelling import spell_column
from lancesql.plan.type_names import name_arrow_type

from .types import read_type

__all__ = ["LanceReflection"]

_HERE = "database_name IN (current_database(), 'temp')"
_SCHEMAS = f"""
SELECT DISTINCT schema_name FROM duckdb_schemas()
WHERE {_HERE} AND schema_name NOT IN ('information_schema', 'pg_catalog') ORDER BY 1
"""
_TABLES = f"SELECT table_name FROM duckdb_tables() WHERE schema_name = :schema AND NOT internal AND {_HERE} ORDER BY 1"
_VIEWS = f"SELECT view_name FROM duckdb_views() WHERE schema_name = :schema AND NOT internal AND {_HERE} ORDER BY 1"
_COLUMNS = f"""
SELECT column_name, data_type, is_nullable, column_default, comment FROM duckdb_columns()
WHERE schema_name = :schema AND table_name = :name AND {_HERE} ORDER BY column_index
"""
_KEYS = f"""
SELECT constraint_column_names FROM duckdb_constraints()
WHERE schema_name = :schema AND table_name = :name AND constraint_type = 'PRIMARY KEY' AND {_HERE}
"""


class LanceReflection:
    """The methods of the inspector. A schema is a Lance database or one of DuckDB's; a name without is of either."""

    @staticmethod
    def _native(connection: Any) -> Connection:
        native: Connection = connection.connection.dbapi_connection.native
        return native

    def _contents(self, connection: Any) -> Contents:
        return self._native(connection).contents()

    def _lists_lance(self, connection: Any, schema: str | None) -> bool:
        return schema is None or schema in [one.name for one in self._contents(connection).databases()]

    def _find(self, connection: Any, name: str, schema: str | None) -> TableInfo | None:
        if not self._lists_lance(connection, schema):
            return None
        return self._contents(connection).find_table(name if schema is None else f"{schema}.{name}")

    @reflection.cache
    def get_schema_names(self, connection: Any, **_: Any) -> list[str]:
        """The Lance databases, `lance` and those that are attached, and DuckDB's schemas."""
        own = [one.name for one in self._contents(connection).databases()]
        found = connection.execute(text(_SCHEMAS)).scalars()
        return [*own, *(name for name in found if name not in own)]

    @reflection.cache
    def get_table_names(self, connection: Any, schema: str | None = None, **_: Any) -> list[str]:
        """Lance tables; without a schema DuckDB's tables too."""
        names = self._contents(connection).table_names(schema) if self._lists_lance(connection, schema) else []
        if schema is None or not self._lists_lance(connection, schema):
            found = connection.execute(text(_TABLES), {"schema": schema or "main"}).scalars()
            names += [name for name in found if name not in names]
        return names

    @reflection.cache
    def get_view_names(self, connection: Any, schema: str | None = None, **_: Any) -> list[str]:
        """The views of the session over Lance tables, and DuckDB's."""
        names = self._contents(connection).view_names() if schema is None else []
        if schema is None or not self._lists_lance(connection, schema):
            names += list(connection.execute(text(_VIEWS), {"schema": schema or "main"}).scalars())
        return names

    @reflection.cache
    def has_table(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> bool:
        """Whether there is a table or a view of that name."""
        if self._find(connection, table_name, schema) is not None:
            return True
        return table_name in self.get_table_names(connection, schema) or table_name in self.get_view_names(
            connection, schema
        )

    @reflection.cache
    def get_columns(
        self, connection: Any, table_name: str, schema: str | None = None, **_: Any
    ) -> list[ReflectedColumn]:
        """Names, types, defaults and comments."""
        table = self._find(connection, table_name, schema)
        if table is not None:
            return [_describe_field(field) for field in table.schema]
        found = connection.execute(text(_COLUMNS), {"schema": schema or "main", "name": table_name}).all()
        if found:
            return [
                {"name": name, "type": read_type(kind), "nullable": nullable, "default": default, "comment": comment}
                for name, kind, nullable, default, comment in found
            ]
        return self._describe_view(connection, table_name, schema)

    def _describe_view(self, connection: Any, name: str, schema: str | None) -> list[ReflectedColumn]:
        if not self.has_table(connection, name, schema):
            raise exc.NoSuchTableError(name)
        result = self._native(connection).sql(f'SELECT * FROM "{name}" LIMIT 0')
        columns = zip(result.columns, result.types, strict=True)
        return [{"name": one, "type": read_type(kind), "nullable": True, "default": None} for one, kind in columns]

    @reflection.cache
    def get_pk_constraint(
        self, connection: Any, table_name: str, schema: str | None = None, **_: Any
    ) -> ReflectedPrimaryKeyConstraint:
        """The primary key, which has no name."""
        table = self._find(connection, table_name, schema)
        if table is not None:
            return {"constrained_columns": list(read_constraints(table.schema).primary_key), "name": None}
        self._check(connection, table_name, schema)
        found = connection.execute(text(_KEYS), {"schema": schema or "main", "name": table_name}).scalar()
        return {"constrained_columns": list(found or ()), "name": None}

    @reflection.cache
    def get_indexes(
        self, connection: Any, table_name: str, schema: str | None = None, **_: Any
    ) -> list[ReflectedIndex]:
        """The indexes of a Lance table, with kind and metric as `lancesql_using` and `lancesql_with`."""
        table = self._find(connection, table_name, schema)
        if table is None:
            self._check(connection, table_name, schema)
            return []
        return [_describe_index(index) for index in table.indexes]

    @reflection.cache
    def get_check_constraints(
        self, connection: Any, table_name: str, schema: str | None = None, **_: Any
    ) -> list[ReflectedCheckConstraint]:
        """The predicates that no row may make false."""
        table = self._find(connection, table_name, schema)
        if table is None:
            self._check(connection, table_name, schema)
            return []
        return [{"name": check.name, "sqltext": write_check(check)} for check in read_constraints(table.schema).checks]

    @reflection.cache
    def get_table_comment(
        self, connection: Any, table_name: str, schema: str | None = None, **_: Any
    ) -> ReflectedTableComment:
        """What `COMMENT ON TABLE` says."""
        table = self._find(connection, table_name, schema)
        if table is None:
            self._check(connection, table_name, schema)
            return {"text": None}
        held = (table.schema.metadata or {}).get(COMMENT)
        return {"text": None if held is None else held.decode()}

    def get_foreign_keys(
        self, connection: Any, table_name: str, schema: str | None = None, **_: Any
    ) -> list[ReflectedForeignKeyConstraint]:
        """None: Lance tables keep no references."""
        self._check(connection, table_name, schema)
        return []

    def get_unique_constraints(
        self, connection: Any, table_name: str, schema: str | None = None, **_: Any
    ) -> list[ReflectedUniqueConstraint]:
        """None but the primary key."""
        self._check(connection, table_name, schema)
        return []

    def get_view_definition(self, connection: Any, view_name: str, schema: str | None = None, **_: Any) -> str:
        """The query of a view."""
        found = self._contents(connection).view_definition(view_name) if schema is None else None
        if found is None:
            query = text("SELECT sql FROM duckdb_views() WHERE schema_name = :schema AND view_name = :name")
            found = connection.execute(query, {"schema": schema or "main", "name": view_name}).scalar()
        if found is None:
            raise exc.NoSuchTableError(view_name)
        return str(found)

    def _check(self, connection: Any, name: str, schema: str | None) -> None:
        if not self.has_table(connection, name, schema):
            raise exc.NoSuchTableError(name)


def _describe_field(field: Any) -> ReflectedColumn:
    held = field.metadata or {}
    default, comment = held.get(DEFAULT), held.get(COMMENT)
    return {
        "name": field.name,
        "type": read_type(name_arrow_type(field.type)),
        "nullable": field.nullable,
        "default": None if default is None else default.decode(),
        "comment": None if comment is None else comment.decode(),
        "autoincrement": False,
    }


def _describe_index(index: IndexInfo) -> ReflectedIndex:
    kind = "FTS" if index.kind == "INVERTED" else index.kind
    options: dict[str, Any] = {"lancesql_using": kind}
    if index.metric is not None:
        options["lancesql_with"] = {"metric": index.metric}
    found: ReflectedIndex = {
        "name": index.name,
        "column_names": list(index.columns),
        "unique": False,
        "dialect_options": options,
    }
    if any("." in column for column in index.columns):  # a field of a struct is no column of the table
        found["column_names"] = [None]
        found["expressions"] = [spell_column(column) for column in index.columns]
    return found
