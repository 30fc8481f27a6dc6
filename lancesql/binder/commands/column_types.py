"""`ALTER TABLE … ALTER COLUMN … TYPE`, bound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from lancesql.binder.index_columns import check_column
from lancesql.catalog import IndexInfo, TableInfo
from lancesql.errors import ArgumentError, LanceSQLError, Span, UnsupportedError
from lancesql.parser import read_tokens
from lancesql.parser.commands import AlterSyntax
from lancesql.plan.commands import ChangeType
from lancesql.plan.composition import compose
from lancesql.plan.constraints import read_constraints
from lancesql.plan.query import QueryPlan
from lancesql.plan.spelling import quote_name, spell_name, spell_table
from lancesql.plan.type_names import name_arrow_type

from .tables import read_columns
from .targets import CommandContext

__all__ = ["bind_type", "define_column"]


def bind_type(syntax: AlterSyntax, table: TableInfo, column: pa.Field[Any], context: CommandContext) -> ChangeType:
    """The new type, how values get it, and the indexes that are built anew.

    Raises:
        UnsupportedError: When the column has indexes, and nobody said CASCADE.
        ArgumentError: When one of them does not fit the new type.
    """
    assert syntax.definition is not None
    name, span = column.name, syntax.definition
    type_ = define_column(f"{quote_name(name)} {context.sql[span.start : span.end]}", span, context).type
    (spelled,) = context.catalog.column_types(pa.schema([pa.field(name, type_)]))
    given = syntax.value
    value = quote_name(name) if given is None else f"({context.sql[given.start : given.end]})"
    indexes = tuple(index for index in table.indexes if index.covers(name))
    if type_ == column.type and given is None:
        indexes = ()
    elif indexes and not syntax.cascade:
        listed = ", ".join(f"{index.name} ({_name_kind(index)})" for index in indexes)
        raise UnsupportedError(
            f"column '{name}' has indexes, which another type would make useless: {listed}",
            hint="CASCADE behind it builds them anew; "
            f"DROP INDEX {spell_name(indexes[0].name)} ON {spell_table(table)} does without",
            span=span,
        )
    for index in indexes:
        _refuse_unfit(index, name, type_, spelled, table, span)
    expression = f"CAST({value} AS {spelled})"
    return ChangeType(
        table=table,
        column=column.with_type(type_),
        spelled=spelled,
        expression=expression,
        span=given or span,
        reads=(name,) if given is None else _list_read(value, name, table),
        is_cast=given is None,
        indexes=indexes,
        check=_count_merged(syntax, table, name, expression, context),
    )


def _count_merged(
    syntax: AlterSyntax, table: TableInfo, name: str, expression: str, context: CommandContext
) -> QueryPlan | None:
    """Counts the keys that fall together; None when the column is in no key."""
    key = read_constraints(table.schema).primary_key
    if name not in key:
        return None
    old, new = ([expression if one == name and changed else quote_name(one) for one in key] for changed in (0, 1))
    parts: list[str | Span] = [
        f"SELECT count(DISTINCT row({', '.join(old)})) - count(DISTINCT row({', '.join(new)})) FROM ", syntax.name.span,
    ]  # fmt: skip
    return context.bind_composition(compose(context.sql, parts))


def _list_read(expression: str, name: str, table: TableInfo) -> tuple[str, ...]:
    """The columns whose names stand in an expression; the column itself where there are none."""
    words = {token.text.lower() for token in read_tokens(expression)}
    if "columns" in words:
        return tuple(table.schema.names)
    return tuple(one for one in table.schema.names if one.lower() in words) or (name,)


def _refuse_unfit(index: IndexInfo, name: str, type_: pa.DataType, spelled: str, table: TableInfo, span: Span) -> None:
    try:
        (path,) = index.columns
        field = _find_within(path.split("."), type_, span)
        shown = spelled if path == name else name_arrow_type(field)
        check_column(_name_kind(index), path, field, shown, index.metric, span)
    except LanceSQLError as error:
        raise ArgumentError(
            f"index '{index.name}' cannot be built on the new type: {error.message}",
            hint=f"DROP INDEX {spell_name(index.name)} ON {spell_table(table)} first",
            span=span,
        ) from None


def _find_within(path: list[str], type_: Any, span: Span) -> Any:
    """The type that an indexed field of a column would have in its new type."""
    for part in path[1:]:
        if not pa.types.is_struct(type_) or type_.get_field_index(part) < 0:
            raise ArgumentError(f"it has no field '{'.'.join(path[1:])}'", span=span)
        type_ = type_.field(part).type
    return type_


def _name_kind(index: IndexInfo) -> str:
    return "FTS" if index.kind == "INVERTED" else index.kind


def define_column(text: str, span: Span, context: CommandContext) -> pa.Field[Any]:
    """A column definition that is put together, as DuckDB reads it; an error is of what stands at `span`."""
    try:
        schema = read_columns(Span(0, len(text)), replace(context, sql=text))
    except LanceSQLError as error:
        error.sql, error.span = None, span
        raise
    if schema.metadata:
        raise UnsupportedError(
            "such a type asks something of its values, which a column that is there cannot begin to do",
            hint="VARCHAR holds them; ADD COLUMN adds a column of the type",
            span=span,
        )
    return schema.field(0)
