"""ATTACH, DETACH, USE and SHOW DATABASES, bound."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from lancesql.binder.options import Flag, Option, read_options
from lancesql.binder.tables import resolve_moment
from lancesql.catalog import MAIN_DATABASE, Catalog, VersionRef
from lancesql.errors import (
    ArgumentError,
    BindError,
    LanceSQLError,
    Span,
    UnknownTableError,
    UnsupportedError,
    nearest_name,
)
from lancesql.parser.commands import AttachSyntax, DetachSyntax, NameSyntax, OptionSyntax, UseSyntax
from lancesql.plan.commands import AttachDatabase, DetachDatabase, ShowDatabases, ShowTables, UseDatabase

from .targets import CommandContext

__all__ = ["bind_attach", "bind_detach", "bind_show_databases", "bind_show_tables", "bind_use", "unknown_database"]

_NAME = re.compile(r"[^\W\d][\w-]*")
_OPTIONS: dict[str, Option] = {"read_only": Flag(), "read_write": Flag(), "storage_options": Flag()}
_SNAPSHOTS = ("version", "tag", "branch", "timestamp")


def bind_attach(syntax: AttachSyntax, context: CommandContext) -> AttachDatabase | None:
    """The database to attach; None when it is DuckDB's."""
    catalog = context.catalog
    span = syntax.path_span if syntax.name is None else syntax.name.span
    name = _name_after(syntax.path) if syntax.name is None else syntax.name.parts[0]
    if not syntax.is_lance:
        if name in _list_attached(catalog):
            raise BindError(f"'{name}' is an attached Lance database", hint="choose another name behind AS", span=span)
        if syntax.type is not None and nearest_name(syntax.type.parts[0], ["lance"]):
            raise ArgumentError(
                f"there is no type of databases '{syntax.type.parts[0]}'",
                hint="did you mean LANCE?",
                span=syntax.type.span,
            )
        return None
    if syntax.problem is not None:
        raise syntax.problem
    storage_options, options, spans = _read_options(syntax)
    snapshot = _read_snapshot(syntax, catalog)
    if not _NAME.fullmatch(name):
        raise BindError(
            f"'{name}' cannot be the name of a database", hint="give it one: ATTACH '…' AS name (TYPE LANCE)", span=span
        )
    if name.lower() == MAIN_DATABASE:
        raise BindError(
            f"'{MAIN_DATABASE}' is the name of the session's own database", hint="choose another name", span=span
        )
    held = _list_attached(catalog).get(name.lower())
    if held is not None and not syntax.replace:
        if syntax.if_not_exists and held[1] == _find_place(syntax.path):
            return AttachDatabase(held[0], None)
        raise BindError(
            f"'{held[0]}' is attached already, from '{held[1]}'",
            hint=f"DETACH {held[0]}, or ATTACH OR REPLACE",
            span=span,
        )
    if catalog.engine_has_schema(name):
        raise BindError(f"'{name}' is a database or a schema of DuckDB", hint="choose another name", span=span)
    hidden = [one for one in catalog.table_names() if one.lower().startswith(f"{name.lower()}.")]
    if hidden and held is None:
        raise BindError(f"the name would hide table '{hidden[0]}'", hint="choose another name", span=span)
    is_read_only = catalog.is_read_only(f"{MAIN_DATABASE}.x")
    asked = options.get("read_only", None if "read_write" not in options else not options["read_write"])
    if is_read_only and asked is False:
        raise UnsupportedError(
            "the connection is for reading only, and so is what it attaches",
            hint="connect with read_only=False",
            span=spans.get("read_only") or spans["read_write"],
        )
    if snapshot is not None and asked is False:
        raise UnsupportedError(
            "versions that are past are for reading only", span=spans.get("read_only") or spans["read_write"]
        )
    read_only = bool(is_read_only if asked is None else asked) or snapshot is not None
    return AttachDatabase(name, syntax.path, read_only, storage_options, syntax.path_span, snapshot)


def bind_detach(syntax: DetachSyntax, context: CommandContext) -> DetachDatabase | None:
    """The database to detach; None when it is DuckDB's, or nobody's."""
    name = syntax.name.parts[0]
    if len(syntax.name.parts) > 1:
        return None
    held = _list_attached(context.catalog).get(name.lower())
    if held is None:
        if context.catalog.engine_has_schema(name) or syntax.if_exists:
            return None
        if name.lower() == MAIN_DATABASE:
            raise UnsupportedError(
                "the session's own database stays", hint="close the connection", span=syntax.name.span
            )
        raise unknown_database(syntax.name, context.catalog)
    if context.catalog.name_database("") == held[0]:
        raise UnsupportedError(
            f"'{held[0]}' is the database that plain names mean",
            hint=f"USE {MAIN_DATABASE} first",
            span=syntax.name.span,
        )
    return DetachDatabase(held[0])


def bind_use(syntax: UseSyntax, context: CommandContext) -> UseDatabase | None:
    """The database that plain names are to mean; None when it is DuckDB's, and they are not changed by it."""
    parts, catalog = syntax.name.parts, context.catalog
    current = catalog.name_database("")
    if len(parts) == 1 or (len(parts) == 2 and parts[1].lower() == "main"):
        held = _list_attached(catalog).get(parts[0].lower())
        if held is not None:
            return UseDatabase(held[0])
        if parts[0].lower() == MAIN_DATABASE and not (
            current == MAIN_DATABASE and catalog.engine_has_schema(MAIN_DATABASE)
        ):
            return UseDatabase(MAIN_DATABASE)
    if len(parts) == 1 and not catalog.engine_has_schema(parts[0]):
        raise unknown_database(syntax.name, catalog)
    return None if current == MAIN_DATABASE else UseDatabase(MAIN_DATABASE, context.sql)


def bind_show_databases(context: CommandContext) -> ShowDatabases | None:
    """What statements can name; None when DuckDB's databases are all there are."""
    databases = tuple(context.catalog.databases())
    return ShowDatabases(databases, tuple(context.catalog.engine_databases())) if databases else None


def bind_show_tables(database: NameSyntax | None, context: CommandContext) -> ShowTables | None:
    """The tables to list; None when they are DuckDB's."""
    if database is None:
        return ShowTables(tuple(context.catalog.views())) if context.has_database else None
    if len(database.parts) > 1:
        return None
    name = next(
        (one.name for one in context.catalog.databases() if one.name.lower() == database.parts[0].lower()), None
    )
    if name is None and not context.catalog.engine_has_schema(database.parts[0]):
        raise unknown_database(database, context.catalog)
    return None if name is None else ShowTables(database=name)


def _read_snapshot(syntax: AttachSyntax, catalog: Catalog) -> VersionRef | None:
    """The version, tag, branch or moment at which every table is read; None for the newest."""
    given = [option for option in syntax.options if option.name in _SNAPSHOTS]
    if not given:
        return None
    if len(given) > 1:
        raise ArgumentError("the version of the tables is given twice", span=given[1].span)
    kind, value = given[0].name, given[0].value
    if kind == "version" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise ArgumentError(
            f"{kind} is {'a number or a tag' if kind == 'version' else 'a text'}", span=given[0].value_span
        )
    if kind != "timestamp":
        return f"branch:{value}" if kind == "branch" else value
    try:
        return resolve_moment("'" + value.replace("'", "''") + "'", catalog)
    except LanceSQLError as error:
        error.span = error.span or given[0].value_span
        raise


def _read_options(syntax: AttachSyntax) -> tuple[dict[str, str] | None, dict[str, object], dict[str, Span]]:
    storage_options: dict[str, str] | None = None
    others: list[OptionSyntax] = []
    for option in syntax.options:
        if option.name != "storage_options":
            others += [option] if option.name not in _SNAPSHOTS else []
        elif storage_options is not None:
            raise ArgumentError("option 'storage_options' is given twice", span=option.span)
        elif not isinstance(option.value, dict):
            raise ArgumentError(
                "storage_options are names and values", hint="write {'region': 'eu-west-1'}", span=option.value_span
            )
        else:
            storage_options = option.value
    options, spans = read_options(others, _OPTIONS | dict.fromkeys(_SNAPSHOTS, Flag()), "ATTACH")
    if len(options) > 1:
        raise ArgumentError("read_only and read_write exclude each other", span=spans["read_write"])
    return storage_options, options, spans


def _list_attached(catalog: Catalog) -> dict[str, tuple[str, str | None]]:
    """The attached databases by their names in lower case: how they are spelled, and where they lie."""
    return {one.name.lower(): (one.name, one.path) for one in catalog.databases() if one.name != MAIN_DATABASE}


def _name_after(path: str) -> str:
    return PurePosixPath(path.rstrip("/")).name.partition(".")[0]


def _find_place(path: str) -> str:
    return path if "://" in path else str(Path(path).expanduser().absolute())


def unknown_database(name: NameSyntax, catalog: Catalog) -> BindError:
    """The error of a name that is no database's; the hint lists those there are."""
    names = [one.name for one in (*catalog.databases(), *catalog.engine_databases())]
    near = nearest_name(name.parts[0], names)
    listed = f"databases: {', '.join(names)}"
    return UnknownTableError(
        f"there is no database '{name.parts[0]}'",
        hint=f"did you mean '{near}'? {listed}" if near else listed,
        span=name.span,
    )
