"""The dialect: how SQLAlchemy opens, asks and looks at a database of Lance tables."""

from __future__ import annotations

import uuid
import weakref
from typing import Any

from sqlalchemy import exc, schema
from sqlalchemy.engine import default
from sqlalchemy.engine.url import URL
from sqlalchemy.pool import QueuePool

from lancesql import dbapi
from lancesql.errors import nearest_name

from .compiler import LanceCompiler, LanceDDLCompiler, LanceIdentifierPreparer, LanceTypeCompiler
from .reflection import LanceReflection
from .types import COLUMN_TYPES

__all__ = ["LanceDialect"]

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_OPTIONS = ("read_only", "duckdb")
_STORAGE = "storage."


class LanceExecutionContext(default.DefaultExecutionContext):
    """One execution."""

    def create_server_side_cursor(self) -> Any:
        """A cursor that reads rows when they are fetched: `execution_options(stream_results=True)`."""
        return self._dbapi_connection.cursor(stream=True)


class LanceDialect(LanceReflection, default.DefaultDialect):
    """SQLAlchemy's dialect `lancesql`: `lancesql:///path`, or `lancesql://` for no database but DuckDB's."""

    name = "lancesql"
    driver = "lancesql"
    supports_statement_cache = True
    default_paramstyle = "qmark"
    statement_compiler = LanceCompiler
    ddl_compiler = LanceDDLCompiler
    type_compiler_cls = LanceTypeCompiler
    preparer = LanceIdentifierPreparer
    execution_ctx_cls = LanceExecutionContext
    colspecs = COLUMN_TYPES
    construct_arguments = [(schema.Index, {"using": None, "with": None})]  # noqa: RUF012 - SQLAlchemy's
    max_identifier_length = 255
    supports_alter = False
    supports_comments = True
    inline_comments = False
    supports_default_values = True
    supports_default_metavalue = True
    supports_multivalues_insert = True
    supports_native_boolean = True
    supports_native_decimal = True
    supports_native_enum = False
    supports_native_uuid = True
    supports_is_distinct_from = True
    supports_sane_rowcount = True
    supports_sane_multi_rowcount = True
    supports_server_side_cursors = True
    supports_sequences = False
    postfetch_lastrowid = False
    insert_returning = True
    update_returning = True
    delete_returning = True
    insert_executemany_returning = True
    use_insertmanyvalues = True
    tuple_in_values = True
    returns_native_bytes = True
    div_is_floordiv = False
    _backslash_escapes = False

    def __init__(self, json_serializer: Any = None, json_deserializer: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self._json_serializer, self._json_deserializer = json_serializer, json_deserializer
        self._shared = f":memory:lancesql_{uuid.uuid4().hex}"
        self._told: weakref.WeakSet[dbapi.Connection] = weakref.WeakSet()

    @classmethod
    def import_dbapi(cls) -> Any:
        """Python's database API of lancesql."""
        return dbapi

    @classmethod
    def get_pool_class(cls, url: URL) -> Any:
        """Every thread has a connection of its own; those of an engine share DuckDB's tables."""
        return QueuePool

    def create_connect_args(self, url: URL) -> tuple[list[Any], dict[str, Any]]:
        """What `lancesql.dbapi.connect` is given.

        Raises:
            ArgumentError: For an option of the URL that is unknown, or a part that means nothing.
        """
        if url.host or url.username or url.port:
            raise exc.ArgumentError(
                f"a lancesql URL has three slashes before a path and four before an absolute one: "
                f"lancesql:///{url.host or ''}"
            )
        options: dict[str, Any] = {"duckdb": self._shared}
        storage: dict[str, str] = {}
        for name, value in url.query.items():
            if isinstance(value, tuple):
                raise exc.ArgumentError(f"option '{name}' is given twice")
            if name.startswith(_STORAGE):
                storage[name.removeprefix(_STORAGE)] = value
            elif name == "read_only" and value.lower() in _FLAGS:
                options[name] = _FLAGS[value.lower()]
            elif name == "duckdb":
                options[name] = value
            else:
                like = nearest_name(name, _OPTIONS)
                known = f"did you mean '{like}'?" if like else f"options: {', '.join(_OPTIONS)}, {_STORAGE}<name>"
                raise exc.ArgumentError(f"lancesql knows no option '{name}' with the value '{value}'; {known}")
        if storage:
            options["storage_options"] = storage
        return [url.database or None], options

    def get_isolation_level_values(self, dbapi_connection: Any) -> list[Any]:
        """`AUTOCOMMIT`, or `SNAPSHOT` for transactions of DuckDB's tables."""
        return ["AUTOCOMMIT", "SNAPSHOT"]

    def get_default_isolation_level(self, dbapi_conn: Any) -> Any:
        """LanceDB commits each statement."""
        return "AUTOCOMMIT"

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        """What the connection has."""
        return "AUTOCOMMIT" if dbapi_connection.autocommit else "SNAPSHOT"

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None:
        """Begins or leaves transactions of DuckDB."""
        dbapi_connection.autocommit = level == "AUTOCOMMIT"
        self._told.add(dbapi_connection)

    def reset_isolation_level(self, dbapi_conn: Any) -> None:
        """As the engine was made."""
        super().reset_isolation_level(dbapi_conn)  # type: ignore[no-untyped-call]
        if self._on_connect_isolation_level is None:
            self._told.discard(dbapi_conn)

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Warns of what stays written, unless AUTOCOMMIT was asked for."""
        own = getattr(dbapi_connection, "dbapi_connection", dbapi_connection)  # the pool's face of it, or itself
        if own.autocommit and own in self._told:
            own.commit()
        else:
            own.rollback()

    def do_savepoint(self, connection: Any, name: str) -> None:
        """There are none.

        Raises:
            InvalidRequestError: Always.
        """
        raise exc.InvalidRequestError(
            "lancesql has no savepoints: LanceDB commits each statement; begin() instead of begin_nested()"
        )

    def detect_autocommit_setting(self, dbapi_conn: Any) -> bool:
        """Whether each statement is committed by itself."""
        return bool(dbapi_conn.autocommit)

    def do_ping(self, dbapi_connection: Any) -> bool:
        """Whether the connection is open."""
        return not dbapi_connection.closed

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        """Whether an error means that the connection is closed."""
        return isinstance(e, dbapi.InterfaceError) and connection is not None and bool(connection.closed)

    def _get_server_version_info(self, connection: Any) -> tuple[int, ...]:
        import lancesql

        return tuple(int(part) for part in lancesql.__version__.split(".") if part.isdigit())

    def _get_default_schema_name(self, connection: Any) -> str:
        return next((one.name for one in self._contents(connection).databases() if one.current), "main")
