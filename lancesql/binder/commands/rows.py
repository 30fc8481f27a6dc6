"""INSERT, bound."""

from __future__ import annotations

from lancesql.errors import (
    BindError,
    UnsupportedError,
)
from lancesql.parser.commands import InsertSyntax
from lancesql.plan.commands import InsertInto

from .targets import CommandContext, find_column, find_target

__all__ = ["bind_insert"]


def bind_insert(syntax: InsertSyntax, context: CommandContext) -> InsertInto | None:
    """The rows to write; None when the table is DuckDB's."""
    table = find_target(syntax.name, context.catalog)
    if table is None:
        return None
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.name.span)
    columns: list[str] = []
    for column in syntax.columns:
        if len(column.parts) > 1:
            raise UnsupportedError("a column of an INSERT is named without a qualifier", span=column.span)
        field = find_column(column, table)
        if field.name in columns:
            raise BindError(f"column '{field.name}' is named twice", span=column.span)
        columns.append(field.name)
    return InsertInto(table, context.bind_query(syntax.body), tuple(columns), syntax.by_name)
