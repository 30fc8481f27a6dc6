"""COPY, bound: who writes the file, and how its rows reach a table."""

from __future__ import annotations

from dataclasses import replace

from lancesql.binder.options import Choice, Flag, Names, Option, read_options
from lancesql.binder.tables import is_lance_path
from lancesql.errors import ArgumentError, BindError, UnsupportedError
from lancesql.parser.commands import CopyDatabaseSyntax, CopySyntax, NameSyntax, OptionSyntax
from lancesql.parser.commands.copy_syntax import OWN_FORMATS
from lancesql.plan.commands import CopyFromArrow, CopyToArrow, CopyToFile, CreateTable, InsertInto
from lancesql.plan.composition import Composition, compose
from lancesql.plan.query import QueryPlan
from lancesql.plan.spelling import quote_name

from .changes import resolve_columns
from .copy_from import bind_copy_from, number_parameters, require_copied
from .targets import CommandContext, find_target

__all__ = ["bind_copy", "refuse_copy_database"]

_COMPRESSIONS = Choice({"none": "none", "uncompressed": "none", "lz4": "lz4", "zstd": "zstd"})
_MODES = Choice({"create": "create", "overwrite": "overwrite", "append": "append"})
_LANCE_OPTIONS: dict[str, Option] = {
    "mode": _MODES,
    "overwrite": Flag(),
    "append": Flag(),
    "float16": Names(),
    "vectors": Flag(),
}

Copy = CopyToFile | CopyToArrow | CopyFromArrow | CreateTable | InsertInto


def bind_copy(syntax: CopySyntax, context: CommandContext) -> Copy:
    """What is copied where; a COPY that has nothing of Lance is DuckDB's as it stands."""
    format_, options = syntax.format, syntax.others
    if not syntax.writes_file:
        return bind_copy_from(syntax, context)
    query, selected = _plan_query(syntax, context)
    if format_ not in OWN_FORMATS:
        return CopyToFile(_show_path(syntax, context), _write_by_engine(syntax, query, selected, context))
    if syntax.problem is not None:
        raise syntax.problem
    if syntax.path_text is None:
        raise UnsupportedError(f"the name of a file of format {format_} is written in the statement", span=syntax.path)
    if format_ == "arrow":
        values, _ = read_options(options, {"compression": _COMPRESSIONS}, "COPY … TO (FORMAT arrow)")
        compression = values.get("compression", "none")
        return CopyToArrow(syntax.path_text, query, compression if compression in ("lz4", "zstd") else None)
    return _bind_to_lance(syntax, syntax.path_text, query, options, context)


def refuse_copy_database(syntax: CopyDatabaseSyntax, context: CommandContext) -> None:
    """Refuses what would leave Lance tables out; the rest is DuckDB's."""
    for name in syntax.names:
        if context.catalog.is_database(name.parts[0]):
            raise UnsupportedError(
                "a Lance database is not copied as a whole",
                hint="COPY table TO 'file' (FORMAT lance) copies a table",
                span=name.span,
            )
    tables = context.catalog.table_names() if syntax.exports and not syntax.names else ()
    if tables:
        raise UnsupportedError(
            f"EXPORT DATABASE exports the tables of DuckDB, and would leave out {len(tables)} Lance tables",
            hint="name the database of DuckDB: EXPORT DATABASE memory TO 'folder'; COPY exports a Lance table",
            span=syntax.span,
        )


def _plan_query(syntax: CopySyntax, context: CommandContext) -> tuple[QueryPlan, Composition | None]:
    """The rows that are copied, planned."""
    if syntax.query is not None:
        return context.bind_query(syntax.query), None
    assert syntax.name is not None
    table = find_target(syntax.name, context.catalog)
    if table is None:
        require_copied(syntax.name, context)
        listed = ", ".join(quote_name(one.parts[-1]) for one in syntax.columns) or "*"
    else:
        listed = ", ".join(map(quote_name, resolve_columns(syntax.columns, table))) or "*"
    selected = compose(context.sql, [f"SELECT {listed} FROM ", syntax.name.span])
    return context.bind_composition(selected), selected


def _write_by_engine(
    syntax: CopySyntax, query: QueryPlan, selected: Composition | None, context: CommandContext
) -> QueryPlan:
    """The plan whose relation is a COPY of DuckDB's around the query's own."""
    rest, names = number_parameters(context.sql[syntax.rest.start : syntax.rest.end], len(query.used_parameters))

    def wrap(plan: QueryPlan) -> QueryPlan:
        settled = None if plan.settled is None else replace(plan.settled, plan=wrap(plan.settled.plan))
        return replace(
            plan,
            sql=plan.sql if selected is None else selected.text,
            relation=f"COPY ({plan.relation}\n) TO {rest}",  # the query may end with a comment
            parameters=tuple(dict.fromkeys([*plan.parameters, *names])),
            used_parameters=tuple(dict.fromkeys([*plan.used_parameters, *names])),
            output=None,
            direct=None,
            condenses=False,
            returns_rows=False,
            settled=settled,
        )

    return wrap(query)


def _show_path(syntax: CopySyntax, context: CommandContext) -> str:
    return syntax.path_text or context.sql[syntax.path.start : syntax.path.end]


def _bind_to_lance(
    syntax: CopySyntax, path: str, query: QueryPlan, options: tuple[OptionSyntax, ...], context: CommandContext
) -> CreateTable | InsertInto:
    values, spans = read_options(options, _LANCE_OPTIONS, "COPY … TO (FORMAT lance)")
    if not is_lance_path(path):
        raise ArgumentError(
            f"'{path}' is no name of a Lance table", hint=f"it ends with .lance: '{path}.lance'", span=syntax.path
        )
    modes = {str(values["mode"])} if "mode" in values else set()
    modes |= {name for name in ("overwrite", "append") if values.get(name)}
    if len(modes) > 1:
        raise ArgumentError(f"{' and '.join(sorted(modes))} exclude each other", span=next(iter(spans.values())))
    mode = modes.pop() if modes else "create"
    context.refuse_writing(NameSyntax((path,), quoted_string=True, span=syntax.path))
    existing = context.catalog.find_table(path)
    if existing is not None and mode == "create":
        raise BindError(
            f"table '{path}' exists already",
            hint="(FORMAT lance, OVERWRITE) replaces its rows, (FORMAT lance, APPEND) adds to them",
            span=syntax.path,
        )
    if existing is not None and mode == "append":
        return InsertInto(existing, query)
    kept: dict[str, object] = {name: values[name] for name in ("float16", "vectors") if name in values}
    return CreateTable(path, query, replace=mode == "overwrite", options=kept)
