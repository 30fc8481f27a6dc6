"""ALTER TABLE and COMMENT ON, bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lancesql.binder.tables import name_alias
from lancesql.catalog import TableInfo
from lancesql.errors import BindError, Span, UnsupportedError
from lancesql.parser.commands import AlterSyntax, CommentSyntax, NameSyntax
from lancesql.plan.commands import AddColumn, ChangeColumn, ChangeType, CommentOn, RenameTable
from lancesql.plan.constraints import DEFAULT, NAME, PRIMARY_KEY, add_metadata, list_called, read_constraints
from lancesql.plan.sources import ROW_ID
from lancesql.plan.spelling import quote_name

from .changes import ROW, plan_changes
from .column_types import bind_type, define_column
from .constraints import call_check, call_columns, name_defined, refuse_taken_name, write_check
from .tables import TABLE_NAME, read_columns
from .targets import CommandContext, find_changed, find_column, find_target

__all__ = ["bind_alter", "bind_comment"]


def bind_alter(
    syntax: AlterSyntax, context: CommandContext
) -> AddColumn | ChangeColumn | ChangeType | RenameTable | None:
    """The change; None when the table is DuckDB's."""
    table = find_changed(syntax, context)
    if table is None:
        return None
    if syntax.action == "add":
        return _bind_add(syntax, table, context)
    if syntax.action == "rename table":
        return _bind_rename(syntax, table, context)
    assert syntax.column is not None
    if len(syntax.column.parts) > 1:
        raise UnsupportedError("a field of a struct is not changed alone", span=syntax.column.span)
    if syntax.action == "drop" and syntax.if_exists and not _has_column(table, syntax.column):
        return AddColumn(table, None)
    column = find_column(syntax.column, table)
    match syntax.action:
        case "drop":
            _refuse_last(table, syntax.column)
            _refuse_needed(table, column.name, syntax)
            return ChangeColumn(table, column.name, "drop")
        case "rename":
            assert syntax.target is not None
            others = [one for one in table.schema.names if one != column.name or one == syntax.target.parts[0]]
            _refuse_taken(table, syntax.target, others)
            return ChangeColumn(table, column.name, "rename", syntax.target.parts[0])
        case "type":
            return bind_type(syntax, table, column, context)
        case "default":
            value = None if syntax.value is None else context.sql[syntax.value.start : syntax.value.end]
            if syntax.value is not None:
                _read_default(column, syntax.value, context)
            return ChangeColumn(table, column.name, "default", value)
        case _:
            if syntax.action == "drop not null" and column.name in read_constraints(table.schema).primary_key:
                raise BindError("a primary key cannot be NULL", span=syntax.column.span)
            return ChangeColumn(table, column.name, "null", syntax.action == "drop not null")


def bind_comment(syntax: CommentSyntax, context: CommandContext) -> CommentOn | None:
    """The comment; None when the table is DuckDB's."""
    table = find_target(syntax.name, context.catalog)
    if table is None:
        return None
    context.refuse_writing(syntax.name)
    return CommentOn(table, None if syntax.column is None else find_column(syntax.column, table).name, syntax.text)


def _bind_add(syntax: AlterSyntax, table: TableInfo, context: CommandContext) -> AddColumn:
    assert syntax.column is not None
    if len(syntax.column.parts) > 1:
        raise UnsupportedError("a field of a struct is not added alone", span=syntax.column.span)
    if _has_column(table, syntax.column):
        if syntax.if_exists:
            return AddColumn(table, None)
        raise BindError(
            f"table '{table.name}' has a column '{syntax.column.parts[0]}' already",
            hint="ADD COLUMN IF NOT EXISTS leaves it as it is",
            span=syntax.column.span,
        )
    if syntax.value is None:
        assert syntax.definition is not None
        return _read_definition(syntax.definition, table, context)
    name = quote_name(syntax.column.parts[0])
    added = pa.field(syntax.column.parts[0], pa.null())
    spelled: str | None = None
    if syntax.definition is not None:
        added = _read_typed(syntax.definition, context)
        (spelled,) = context.catalog.column_types(pa.schema([added]))
    alias = name_alias(syntax.name.parts[-1])
    parts: list[str | Span] = [f'SELECT {quote_name(alias)}.{ROW_ID} AS "{ROW}", ']
    parts += ["(", syntax.value, ")"] if spelled is None else ["CAST((", syntax.value, f") AS {spelled})"]
    parts += [f" AS {name} FROM ", syntax.name.span]
    return AddColumn(table, added, plan_changes(context, table, alias, parts, None))


def _read_typed(span: Span, context: CommandContext) -> pa.Field[Any]:
    """`name TYPE` in front of an expression, which alone says what the values are."""
    schema = read_columns(span, context)
    field = schema.field(0)
    if schema.metadata or field.metadata or not field.nullable:
        raise UnsupportedError(
            "a column that is computed takes a plain type", hint="write ADD COLUMN name AS expression", span=span
        )
    return field


def _read_definition(span: Span, table: TableInfo, context: CommandContext) -> AddColumn:
    try:
        schema = read_columns(span, context)
    except BindError as error:
        if "column names" in error.message:
            error.hint = "ADD COLUMN name AS expression fills it with what the expression gives for each row"
        raise
    field = schema.field(0)
    if PRIMARY_KEY in (field.metadata or {}):
        raise UnsupportedError(
            "a column is added without a PRIMARY KEY",
            hint=f"ALTER TABLE {table.name} ADD PRIMARY KEY ({field.name}) behind it",
            span=span,
        )
    if not field.nullable and DEFAULT not in (field.metadata or {}) and table.rows:
        raise BindError(
            f"column '{field.name}' cannot be NULL, and the rows that are there have no value for it",
            hint="give it a DEFAULT",
            span=span,
        )
    held = [one.name for one in read_constraints(table.schema).checks]
    checks = read_constraints(name_defined(schema, table.name, held)).checks
    for check in checks:
        refuse_taken_name(check.name, table, span)
    called = call_columns([field.name], list_called(table.schema))
    if checks:
        field = add_metadata(field, {NAME: called[field.name].encode()})
    return AddColumn(table, field, checks=tuple(call_check(one, called) for one in checks))


def _bind_rename(syntax: AlterSyntax, table: TableInfo, context: CommandContext) -> RenameTable:
    assert syntax.target is not None
    name = syntax.target.parts[-1]
    if len(syntax.target.parts) > 1:
        _refuse_moving(syntax.target, table, context)
    if not TABLE_NAME.fullmatch(name):
        raise BindError(
            f"'{name}' cannot be the name of a Lance table",
            hint="letters, digits, '_', '-' and '.' can",
            span=syntax.target.span,
        )
    if table.database:
        name = f"{table.database}.{name}"
    if context.catalog.find_table(name) is not None or context.catalog.engine_tables(name):
        raise BindError(f"table '{name}' exists already", hint="choose another name", span=syntax.target.span)
    if not table.database and context.catalog.find_view(name) is not None:
        raise BindError(f"'{name}' is a view of this session", hint="choose another name", span=syntax.target.span)
    return RenameTable(table, name)


def _refuse_moving(target: NameSyntax, table: TableInfo, context: CommandContext) -> None:
    owner = context.catalog.name_database(table.name)
    if target.parts[0].lower() != owner.lower() or (len(target.parts) == 3 and target.parts[1].lower() != "main"):
        raise UnsupportedError(
            f"a table stays in its database, which is {owner}",
            hint=f"CREATE TABLE {'.'.join(target.parts)} CLONE {table.name} copies it",
            span=target.span,
        )


def _read_default(column: pa.Field[Any], span: Span, context: CommandContext) -> None:
    """Refuses an expression that DuckDB cannot read as a default."""
    define_column(f"{quote_name(column.name)} VARCHAR DEFAULT ({context.sql[span.start : span.end]})", span, context)


def _has_column(table: TableInfo, name: NameSyntax) -> bool:
    return name.parts[0].lower() in {one.lower() for one in table.schema.names}


def _refuse_taken(table: TableInfo, name: NameSyntax, others: Sequence[str]) -> None:
    if name.parts[0].lower() in {one.lower() for one in others}:
        raise BindError(f"table '{table.name}' has a column '{name.parts[0]}' already", span=name.span)


def _refuse_needed(table: TableInfo, column: str, syntax: AlterSyntax) -> None:
    """A column that says what a row is, or what it may be, does not go unnoticed."""
    assert syntax.column is not None
    constraints = read_constraints(table.schema)
    if column in constraints.primary_key:
        raise BindError(
            f"column '{column}' is part of the primary key of '{table.name}'",
            hint="CREATE TABLE … AS SELECT the other columns makes a table without one",
            span=syntax.column.span,
        )
    named = next((check for check in constraints.checks if check.names(column)), None)
    if named is not None and not syntax.cascade:
        raise BindError(
            f"column '{column}' is named by CHECK {write_check(named)} ({named.name})",
            hint=f"DROP COLUMN {column} CASCADE takes the check away too",
            span=syntax.column.span,
        )


def _refuse_last(table: TableInfo, name: NameSyntax) -> None:
    if len(table.schema) == 1:
        raise BindError(f"'{name.parts[0]}' is the only column of '{table.name}'", hint="DROP TABLE", span=name.span)
