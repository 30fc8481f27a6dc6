"""DELETE, UPDATE and TRUNCATE, bound: the query that finds the rows, and what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lancesql.binder.tables import name_alias
from lancesql.catalog import TableInfo
from lancesql.errors import BindError, Span, UnsupportedError
from lancesql.parser import read_tokens
from lancesql.parser.commands import (
    AssignmentSyntax,
    DeleteSyntax,
    MergeSyntax,
    NameSyntax,
    TruncateSyntax,
    UpdateSyntax,
)
from lancesql.parser.parameters import find_parameters
from lancesql.parser.tokens import TokenType
from lancesql.plan.commands import ChangedRows, DeleteRows, TruncateTable, UpdateRows
from lancesql.plan.composition import Composition
from lancesql.plan.sources import ROW_ID
from lancesql.plan.spelling import quote_name

from .constraints import write_default
from .targets import CommandContext, find_changed, find_column

__all__ = [
    "bind_delete",
    "bind_truncate",
    "bind_update",
    "plan_changes",
    "resolve_columns",
]

ROW = "__lancesql_row"


def bind_delete(syntax: DeleteSyntax, context: CommandContext) -> DeleteRows | TruncateTable | None:
    """The rows to delete; None when the table is DuckDB's."""
    table = find_changed(syntax, context)
    if table is None:
        return None
    if syntax.using is None and syntax.where is None and syntax.returning is None:
        return TruncateTable(table)
    parts = [*_select_rows(syntax), " FROM ", syntax.target]
    parts += _find_rows(syntax)
    return DeleteRows(plan_changes(context, table, find_alias(syntax), parts, syntax.returning))


def bind_update(syntax: UpdateSyntax, context: CommandContext) -> UpdateRows | None:
    """The rows to change and their new values; None when the table is DuckDB's."""
    table = find_changed(syntax, context)
    if table is None:
        return None
    columns = resolve_columns([one.column for one in syntax.assignments], table)
    parts: list[str | Span] = _select_rows(syntax)
    for number, one in enumerate(syntax.assignments):
        parts += [", (", write_value(one, table, columns[number], context), f') AS "__lancesql_{number}"']
    parts += [" FROM ", syntax.target, *_find_rows(syntax)]
    return UpdateRows(plan_changes(context, table, find_alias(syntax), parts, syntax.returning), columns)


def bind_truncate(syntax: TruncateSyntax, context: CommandContext) -> TruncateTable | None:
    """The table to empty; None when it is DuckDB's."""
    table = find_changed(syntax, context)
    if table is None:
        return None
    return TruncateTable(table)


def plan_changes(
    context: CommandContext, table: TableInfo, alias: str, parts: Sequence[str | Span], returning: Span | None
) -> ChangedRows:
    """The query that finds the rows of a table, put together of parts, planned."""
    composition = context.compose(parts)
    query = context.bind_composition(composition)
    asked = None if returning is None else _write_returning(returning, alias, context)
    named = [] if asked is None else [use.name for use in find_parameters(read_tokens(asked.text))]
    query = replace(query, used_parameters=tuple(dict.fromkeys([*query.used_parameters, *named])))
    return ChangedRows(table, query, composition, alias, asked)


def find_alias(syntax: DeleteSyntax | UpdateSyntax | MergeSyntax) -> str:
    """What the statement calls the table."""
    return syntax.alias or name_alias(syntax.name.parts[-1])


def resolve_columns(names: Sequence[NameSyntax], table: TableInfo) -> tuple[str, ...]:
    """The columns of a table that are given values, each once.

    Raises:
        BindError: When one is named twice.
        UnknownColumnError: When there is none of a name.
    """
    columns: list[str] = []
    for name in names:
        if len(name.parts) > 1:
            raise UnsupportedError(
                "a column that is set has no qualifier, and a field of a struct cannot be set alone",
                hint="write column = value, with the whole struct for a struct",
                span=name.span,
            )
        column = find_column(name, table).name
        if column in columns:
            raise BindError(f"column '{column}' is set twice", span=name.span)
        columns.append(column)
    return tuple(columns)


def write_value(assignment: AssignmentSyntax, table: TableInfo, column: str, context: CommandContext) -> str | Span:
    """The value of an assignment as SQL; DEFAULT is the column's own, or NULL."""
    if assignment.value is None:
        return write_default(table, column, context.catalog)
    return assignment.value


def _select_rows(syntax: DeleteSyntax | UpdateSyntax) -> list[str | Span]:
    prefix: list[str | Span] = [] if syntax.prefix is None else [syntax.prefix, " "]
    return [*prefix, f'SELECT {quote_name(find_alias(syntax))}.{ROW_ID} AS "{ROW}"']


def _find_rows(syntax: DeleteSyntax | UpdateSyntax) -> list[str | Span]:
    parts: list[str | Span] = []
    if syntax.using is not None:
        parts += [", ", syntax.using]
    if syntax.where is not None:
        parts += [" WHERE ", syntax.where]
    return parts


def _write_returning(span: Span, alias: str, context: CommandContext) -> Composition:
    """`SELECT` and the columns asked for; a star is the table's own columns."""
    text = context.sql[span.start : span.end]
    tokens = read_tokens(text)
    if any(one.token_type is TokenType.SELECT for one in tokens):
        raise UnsupportedError("RETURNING takes no subquery for a Lance table", span=span)
    parts: list[str | Span] = ["SELECT "]
    at = span.start
    for before, one in zip([None, *tokens], tokens, strict=False):
        if one.token_type is TokenType.STAR and (before is None or before.token_type is TokenType.COMMA):
            parts += [Span(at, span.start + one.start), f"{quote_name(alias)}.*"]
            at = span.start + one.end + 1
    return context.compose([*parts, Span(at, span.end)])
