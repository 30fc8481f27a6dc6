"""The primary key of a table that is there already, bound."""

from __future__ import annotations

import pyarrow as pa

from lancesql.binder.tables import name_alias
from lancesql.errors import BindError, Span
from lancesql.parser.commands import PrimaryKeySyntax
from lancesql.plan.commands import SetPrimaryKey
from lancesql.plan.composition import compose
from lancesql.plan.constraints import read_constraints
from lancesql.plan.spelling import quote_name

from .changes import resolve_columns
from .targets import CommandContext, find_changed

__all__ = ["bind_primary_key"]


def bind_primary_key(syntax: PrimaryKeySyntax, context: CommandContext) -> SetPrimaryKey | None:
    """The columns of the key; None when the table is DuckDB's."""
    table = find_changed(syntax, context)
    if table is None:
        return None
    place = Span(syntax.columns[0].span.start, syntax.columns[-1].span.end)
    columns = resolve_columns(syntax.columns, table)
    key = read_constraints(table.schema).primary_key
    if key:
        raise BindError(
            f"table '{table.name}' has a primary key already: {', '.join(key)}",
            hint="LanceDB keeps it for good; another table can have another",
            span=place,
        )
    for column, name in zip(columns, syntax.columns, strict=True):
        if pa.types.is_nested(table.schema.field(column).type):
            raise BindError("a primary key is made of plain values, not of vectors, lists or structs", span=name.span)
        if table.schema.field(column).nullable and not syntax.checked:
            raise BindError(
                f"column '{column}' of a primary key cannot be NULL",
                hint=f"ALTER TABLE {table.name} ALTER {quote_name(column)} SET NOT NULL; ADD PRIMARY KEY does it too",
                span=name.span,
            )
    if not syntax.checked:
        return SetPrimaryKey(table, columns)
    alias = quote_name(name_alias(syntax.name.parts[-1]))
    named = [f"{alias}.{quote_name(column)}" for column in columns]
    nulls = f"count(*) FILTER (WHERE {' OR '.join(f'{one} IS NULL' for one in named)})"
    repeated = f"count(*) - count(DISTINCT row({', '.join(named)}))"
    parts: list[str | Span] = [f"SELECT {nulls}, {repeated} FROM ", syntax.name.span]
    return SetPrimaryKey(table, columns, context.bind_composition(compose(context.sql, parts)))
