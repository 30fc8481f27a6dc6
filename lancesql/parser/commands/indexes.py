"""Statements about indexes, read: CREATE, DROP, REINDEX, OPTIMIZE, SHOW and ANALYZE."""

from __future__ import annotations

from lancesql.errors import LanceSQLError, ParseError, Span, UnsupportedError
from lancesql.parser.tokens import TokenType

from .cursor import NameSyntax, OptionSyntax, TokenCursor
from .syntax import AnalyzeSyntax, CreateIndexSyntax, ShowIndexesSyntax
from .upkeep_syntax import DropIndexSyntax, RefreshIndexSyntax

__all__ = [
    "read_analyze",
    "read_create_index",
    "read_drop_index",
    "read_optimize_index",
    "read_refresh_index",
    "read_show_indexes",
]


def read_create_index(cursor: TokenCursor, *, replace: bool) -> CreateIndexSyntax | None:
    """`… INDEX [IF NOT EXISTS] [name] ON table (column) USING kind [WITH (…)]`, behind the word INDEX."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = None if cursor.at_word("ON") else cursor.read_name()
    if not cursor.accept("ON"):
        return None
    cursor.accept("TABLE")
    table = cursor.read_name()
    if table is None:
        return None
    kind: NameSyntax | None = None
    column: NameSyntax | None = None
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None
    try:
        if name is not None and len(name.parts) > 1:
            raise ParseError("the name of an index has no qualifier", span=name.span)
        if cursor.at_kind(TokenType.L_PAREN):
            column = _read_indexed_column(cursor)
            kind = _read_kind(cursor, "USING and a kind of index: IVF_PQ, FTS, BTREE, …")
        else:
            kind = _read_kind(cursor, "(column) or USING")
            column = _read_indexed_column(cursor)
        if cursor.accept("WITH"):
            options = cursor.read_options()
        if not cursor.at_end():
            raise cursor.expected(
                "the end of the statement" if options else "WITH (options) or the end of the statement"
            )
    except (ParseError, UnsupportedError) as error:
        problem = error
    return CreateIndexSyntax(table, name, replace, if_not_exists, kind, column, options, problem)


def _read_kind(cursor: TokenCursor, wanted: str) -> NameSyntax:
    if not cursor.accept("USING"):
        raise cursor.expected(wanted)
    kind = cursor.read_word()
    if kind is None:
        raise cursor.expected("a kind of index: IVF_PQ, FTS, BTREE, …")
    return kind


def _read_indexed_column(cursor: TokenCursor) -> NameSyntax:
    opening = cursor.span
    columns = cursor.read_columns()
    if len(columns) != 1:
        raise UnsupportedError(
            f"an index is on one column, not {len(columns)}",
            hint="make one index for each column",
            span=Span(opening.start, cursor.last_taken.end),
        )
    return columns[0]


def read_analyze(cursor: TokenCursor) -> AnalyzeSyntax | None:
    """`ANALYZE name`."""
    name = cursor.read_name()
    return AnalyzeSyntax(name) if name is not None and cursor.at_end() else None


def read_show_indexes(cursor: TokenCursor) -> ShowIndexesSyntax:
    """`SHOW INDEXES ON name`, at the word INDEXES."""
    cursor.take()
    if not (cursor.accept("ON") or cursor.accept("FROM") or cursor.accept("IN")):
        raise cursor.expected("ON and a table")
    name = cursor.read_name()
    if name is None:
        raise cursor.expected("a table")
    if not cursor.at_end():
        raise cursor.expected("the end of the statement")
    return ShowIndexesSyntax(name)


def read_drop_index(cursor: TokenCursor) -> DropIndexSyntax | None:
    """`… INDEX [IF EXISTS] name ON table`, or `table.name`, behind the word INDEX."""
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.read_name()
    if name is None:
        return None
    table = None
    if cursor.accept("ON"):
        cursor.accept("TABLE")
        table = cursor.read_name()
    elif len(name.parts) > 1:
        table = NameSyntax(name.parts[:-1], quoted_string=False, span=name.span)
        name = NameSyntax(name.parts[-1:], quoted_string=False, span=name.span)
    if table is None:
        return None
    problem = None if cursor.at_end() else cursor.expected("the end of the statement")
    return DropIndexSyntax(table, name, if_exists, problem)


def read_refresh_index(cursor: TokenCursor, *, rebuild: bool) -> RefreshIndexSyntax | None:
    """`name ON table [OPTIMIZE] [WITH (…)]`, behind ALTER INDEX or REINDEX; `REINDEX [TABLE] table` for all of them."""
    name: NameSyntax | None = None
    table: NameSyntax | None = None
    if rebuild and cursor.accept("TABLE"):
        table = cursor.read_name()
    else:
        cursor.accept("INDEX")
        name = cursor.read_name()
        if cursor.accept("ON"):
            cursor.accept("TABLE")
            table = cursor.read_name()
        elif rebuild:
            name, table = None, name
        elif name is not None and len(name.parts) > 1:
            table = NameSyntax(name.parts[:-1], quoted_string=False, span=name.span)
            name = NameSyntax(name.parts[-1:], quoted_string=False, span=name.span)
    if table is None or (not rebuild and not cursor.accept("OPTIMIZE")):
        return None
    return _finish_refresh(cursor, table, name, rebuild)


def read_optimize_index(cursor: TokenCursor, table: NameSyntax) -> RefreshIndexSyntax | None:
    """`OPTIMIZE INDEX name [WITH (…)]`, behind `ALTER TABLE name`; None when something else comes."""
    if not cursor.accept("OPTIMIZE", "INDEX"):
        return None
    name = cursor.read_word()
    if name is None:
        raise cursor.expected("the name of an index")
    return _finish_refresh(cursor, table, name, rebuild=False)


def _finish_refresh(
    cursor: TokenCursor, table: NameSyntax, name: NameSyntax | None, rebuild: bool
) -> RefreshIndexSyntax:
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None
    try:
        if cursor.accept("WITH"):
            options = cursor.read_options()
        if not cursor.at_end():
            raise cursor.expected("WITH (options) or the end of the statement")
    except (ParseError, UnsupportedError) as error:
        problem = error
    return RefreshIndexSyntax(table, name, rebuild, options, problem)
