"""CREATE TABLE, DROP TABLE and DESCRIBE, read."""

from __future__ import annotations

from lancesql.catalog import MAIN_DATABASE
from lancesql.errors import LanceSQLError, ParseError, Span, UnsupportedError
from lancesql.parser.tokens import TokenType, find_closing

from .cursor import NameSyntax, OptionSyntax, TokenCursor
from .database_syntax import CloneTableSyntax
from .syntax import CreateTableSyntax, DescribeSyntax, DropTableSyntax
from .upkeep_syntax import VersionSyntax
from .versions import read_snapshot

__all__ = ["read_create_table", "read_describe", "read_drop_table"]


def read_create_table(cursor: TokenCursor, *, replace: bool) -> CreateTableSyntax | CloneTableSyntax | None:
    """`… TABLE [IF NOT EXISTS] name [WITH (…)] AS query`, `name (columns)` or `name CLONE source`, behind TABLE."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.read_name()
    if name is None:
        return None
    if cursor.at_word("CLONE") or (cursor.at_word("SHALLOW", "DEEP") and not cursor.is_last()):
        return _read_clone(cursor, name, replace=replace, if_not_exists=if_not_exists)
    if cursor.at_kind(TokenType.L_PAREN):
        return _read_definition(cursor, name, replace=replace, if_not_exists=if_not_exists)
    try:
        return _read_query(cursor, name, replace=replace, if_not_exists=if_not_exists)
    except ParseError:
        if len(name.parts) > 1 and name.parts[0].lower() != MAIN_DATABASE:
            return None  # most likely one of DuckDB's
        raise


def _read_query(cursor: TokenCursor, name: NameSyntax, *, replace: bool, if_not_exists: bool) -> CreateTableSyntax:
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


def _read_clone(cursor: TokenCursor, name: NameSyntax, *, replace: bool, if_not_exists: bool) -> CloneTableSyntax:
    """`[SHALLOW | DEEP] CLONE source [AT 3 | AT 'tag' | AT (VERSION => 3) | VERSION AS OF 3]`."""
    shallow = cursor.accept("SHALLOW")
    if not shallow:
        cursor.accept("DEEP")
    if not cursor.accept("CLONE"):
        raise cursor.expected("CLONE and a table")
    cursor.accept("OF")
    source = cursor.read_name()
    if source is None:
        raise cursor.expected("a table")
    version: VersionSyntax | None = None
    problem: LanceSQLError | None = None
    try:
        if not cursor.at_end():
            version = read_snapshot(cursor)
        if not cursor.at_end():
            raise cursor.expected("AT and a version, or the end of the statement")
    except (ParseError, UnsupportedError) as error:
        problem = error
    return CloneTableSyntax(name, source, version, shallow, replace, if_not_exists, problem)


def _read_definition(cursor: TokenCursor, name: NameSyntax, *, replace: bool, if_not_exists: bool) -> CreateTableSyntax:
    opening = cursor.at
    closing = find_closing(cursor.tokens, opening)
    body = Span(cursor.tokens[opening].end + 1, cursor.tokens[closing].start)
    cursor.at = closing + 1
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None
    try:
        if cursor.accept("WITH"):
            options = cursor.read_options()
        if cursor.at_word("AS"):
            raise UnsupportedError(
                "names in brackets and a query do not go together", hint="name them in the query", span=cursor.span
            )
        if not cursor.at_end():
            raise cursor.expected("the end of the statement")
    except (ParseError, UnsupportedError) as error:
        problem = error
    return CreateTableSyntax(name, body, replace, if_not_exists, options, problem, is_defined=True)


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
