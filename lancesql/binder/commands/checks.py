"""The checks of a table that is there already, bound."""

from __future__ import annotations

from dataclasses import replace

from lancesql.binder.tables import name_alias, require_table
from lancesql.catalog import TableInfo
from lancesql.errors import BindError, LanceSQLError, Span, nearest_name
from lancesql.parser.commands import ConstraintSyntax, NameSyntax, ShowConstraintsSyntax
from lancesql.plan.commands import AddCheck, DropCheck, ShowConstraints
from lancesql.plan.composition import compose
from lancesql.plan.constraints import Check, list_called, name_checks, read_checks, read_constraints
from lancesql.plan.spelling import quote_name

from .constraints import call_check, call_columns, refuse_taken_name
from .targets import CommandContext, find_changed, require_target

__all__ = ["bind_constraint", "bind_show_constraints"]


def bind_show_constraints(syntax: ShowConstraintsSyntax, context: CommandContext) -> ShowConstraints:
    """The table whose constraints are listed."""
    hint = "duckdb_constraints() lists those of DuckDB's tables"
    return ShowConstraints(require_target(syntax.name, context.catalog, hint))


def bind_constraint(syntax: ConstraintSyntax, context: CommandContext) -> AddCheck | DropCheck | None:
    """The check that comes or goes; None when the table is DuckDB's."""
    table = find_changed(syntax, context)
    if table is None:
        if not context.catalog.engine_tables(".".join(syntax.name.parts)):  # DuckDB would speak of what it cannot do
            require_table(".".join(syntax.name.parts), syntax.name.span, context.catalog, None)
        return None
    if syntax.check is None:
        assert syntax.constraint is not None
        return _bind_drop(syntax.constraint, table, if_exists=syntax.if_exists)
    if syntax.constraint is not None:
        refuse_taken_name(syntax.constraint.parts[0], table, syntax.constraint.span)
    return _bind_add(syntax, syntax.check, table, context)


def _bind_add(syntax: ConstraintSyntax, span: Span, table: TableInfo, context: CommandContext) -> AddCheck:
    defined = _define(span, table, context)
    columns = [name for _, name in defined.columns]
    known = list_called(table.schema)
    called = call_columns(columns, known)
    name = "" if syntax.constraint is None else syntax.constraint.parts[0]
    check = replace(call_check(defined, called), name=name)
    held = [one.name for one in read_constraints(table.schema).checks]
    (check,) = name_checks([check], name_alias(table.name), held)
    listed = "".join(f", {quote_name(name)}" for name in columns)
    parts: list[str | Span] = [f"SELECT count(*) OVER (){listed} FROM ", syntax.name.span, " WHERE NOT (", span]
    broken = context.bind_composition(compose(context.sql, [*parts, ") LIMIT 1"]))
    return AddCheck(table, check, tuple((name, called[name]) for name in columns if name not in known), broken)


def _define(span: Span, table: TableInfo, context: CommandContext) -> Check:
    """The check as DuckDB reads it in the definition of such a table."""
    types = context.catalog.column_types(table.schema)
    columns = [f"{quote_name(name)} {type_}" for name, type_ in zip(table.schema.names, types, strict=True)]
    composition = compose(context.sql, [f"{', '.join(columns)}, CHECK (", span, ")"])
    try:
        return read_checks(context.catalog.read_definition(composition.text, ()))[0]
    except LanceSQLError as error:
        error.sql = None
        composition.place_error(error)
        error.span = error.span or span
        raise


def _bind_drop(name: NameSyntax, table: TableInfo, *, if_exists: bool) -> DropCheck:
    constraints = read_constraints(table.schema)
    names = [check.name for check in constraints.checks]
    found = next((one for one in names if one.lower() == name.parts[0].lower()), None)
    if found is not None or if_exists:
        return DropCheck(table, found)
    near = nearest_name(name.parts[0], names)
    listed = f"constraints: {', '.join(names)}" if names else "it has no constraint that could go"
    raise BindError(
        f"table '{table.name}' has no constraint '{name.parts[0]}'",
        hint=f"did you mean '{near}'? {listed}" if near else listed,
        span=name.span,
    )
