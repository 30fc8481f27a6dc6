"""CREATE TABLE, DROP TABLE and DESCRIBE, read."""

from __future__ import annotations

from lancesql.errors import UnsupportedError
from lancesql.parser.tokens import TokenType

from .cursor import OptionSyntax, TokenCursor
from .syntax import CreateTableSyntax, DescribeSyntax, DropTableSyntax

__all__ = ["read_create_table", "read_describe", "read_drop_table"]


def read_create_table(cursor: TokenCursor, *, replace: bool) -> CreateTableSyntax | None:
    """`… TABLE [IF NOT EXISTS] name [WITH (…)] AS query`, behind the word TABLE."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.read_name()
    if name is None:
        return None
    if len(name.parts) > 1 and (len(name.parts) > 2 or name.parts[0].lower() != "lance"):
        return None
    if cursor.at_kind(TokenType.L_PAREN):
        refusal = UnsupportedError(
            "a Lance table takes its columns from a query",
            hint=f"CREATE TABLE {cursor.text_of(name.span)} AS SELECT … (with LIMIT 0 for an empty one)",
            span=cursor.span,
        )
        return CreateTableSyntax(name, cursor.rest, problem=refusal) if len(name.parts) > 1 else None
    options: tuple[OptionSyntax, ...] = ()
    if cursor.accept("WITH"):
        options = cursor.read_options()
    if not cursor.accept("AS"):
        raise cursor.expected("AS and a query" if options else "AS and a query, or WITH (options)")
    if cursor.at_end():
        raise cursor.expected("a query")
    body = cursor.rest
    problem: UnsupportedError | None = None
    if cursor.ends_with("WITH", "DATA"):
        body = cursor.cut_last(2)
    elif cursor.ends_with("WITH", "NO", "DATA"):
        problem = UnsupportedError(
            "WITH NO DATA is not supported for a Lance table", hint="add LIMIT 0", span=cursor.last_span
        )
    return CreateTableSyntax(name, body, replace, if_not_exists, options, problem)


def read_drop_table(cursor: TokenCursor) -> DropTableSyntax | None:
    """`… TABLE [IF EXISTS] name [CASCADE]`, behind the word TABLE."""
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.read_name()
    if name is None:
        return None
    if not cursor.accept("CASCADE"):
        cursor.accept("RESTRICT")
    return DropTableSyntax(name, if_exists, None if cursor.at_end() else cursor.expected("the end of the statement"))


def read_describe(cursor: TokenCursor) -> DescribeSyntax | None:
    """`DESCRIBE [TABLE] name`."""
    if not cursor.is_last():
        cursor.accept("TABLE")
    name = cursor.read_name()
    return DescribeSyntax(name) if name is not None and cursor.at_end() else None
