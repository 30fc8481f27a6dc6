"""CREATE INDEX, read: in the spellings of DuckDB, pgvector, Lance for Spark and BigQuery."""

from __future__ import annotations

from lancesql.errors import LanceSQLError, ParseError, Span, UnsupportedError
from lancesql.parser.tokens import TokenType

from .cursor import NameSyntax, OptionSyntax, TokenCursor
from .syntax import CreateIndexSyntax, IndexFamily
from .versions import read_table

__all__ = ["at_index", "read_alter_index", "read_create_index"]

_KINDS = "a kind of index: IVF_PQ, FTS, BTREE, …"
_CLAUSES = "USING kind, WITH (options) or the end of the statement"


def at_index(cursor: TokenCursor) -> bool:
    """Whether `[UNIQUE | VECTOR | SEARCH] INDEX` comes next."""
    after = cursor.ahead(1)
    return cursor.at_word("INDEX") or (
        cursor.at_word("UNIQUE", "VECTOR", "SEARCH") and after is not None and after.text.upper() == "INDEX"
    )


def read_create_index(cursor: TokenCursor, *, replace: bool) -> CreateIndexSyntax | None:
    """`[UNIQUE | VECTOR | SEARCH] INDEX [IF NOT EXISTS] [name] ON table (column) [USING kind] [WITH (…)]`."""
    family, unique = _read_family(cursor)
    cursor.accept("CONCURRENTLY")  # reading and writing go on while Lance builds any index
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = None if cursor.at_word("ON") else cursor.read_name()
    if not cursor.accept("ON"):
        return None
    cursor.accept("TABLE")
    table = read_table(cursor)
    if table is None:
        return None
    return _read_definition(cursor, table, name, (replace, if_not_exists), family, unique)


def read_alter_index(cursor: TokenCursor, table: NameSyntax) -> CreateIndexSyntax | None:
    """`CREATE INDEX name USING kind (column) [WITH (…)]`, behind `ALTER TABLE name`; None when something else comes."""
    start = cursor.at
    if cursor.accept("CREATE"):
        replace = cursor.accept("OR", "REPLACE")
        if at_index(cursor):
            family, unique = _read_family(cursor)
            if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
            name = None if cursor.at_kind(TokenType.L_PAREN) else cursor.read_name()
            cursor.accept("ON")
            return _read_definition(cursor, table, name, (replace, if_not_exists), family, unique)
    cursor.at = start
    return None


def _read_family(cursor: TokenCursor) -> tuple[IndexFamily | None, Span | None]:
    unique = cursor.last_taken if cursor.accept("UNIQUE") else None
    family: IndexFamily | None = "vector" if cursor.accept("VECTOR") else "text" if cursor.accept("SEARCH") else None
    cursor.accept("INDEX")
    return family, unique


def _read_definition(
    cursor: TokenCursor,
    table: NameSyntax,
    name: NameSyntax | None,
    existing: tuple[bool, bool],
    family: IndexFamily | None,
    unique: Span | None,
) -> CreateIndexSyntax:
    kind: NameSyntax | None = None
    column: NameSyntax | None = None
    opclass: NameSyntax | None = None
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None
    try:
        if unique is not None:
            raise UnsupportedError(
                "Lance has no unique index",
                hint="PRIMARY KEY says what is one row; INSERT … ON CONFLICT and MERGE keep to it",
                span=unique,
            )
        if name is not None and len(name.parts) > 1:
            raise ParseError("the name of an index has no qualifier", span=name.span)
        kind = _read_kind(cursor)
        if not cursor.at_kind(TokenType.L_PAREN):
            raise cursor.expected("(column)" if kind is not None else "(column) or USING")
        column, opclass = _read_indexed_column(cursor)
        kind = kind or _read_kind(cursor)
        if cursor.accept("WITH") or cursor.accept("OPTIONS"):
            options = cursor.read_options()
        _read_end(cursor, "the end of the statement" if options else _CLAUSES)
    except (ParseError, UnsupportedError) as error:
        problem = error
    return CreateIndexSyntax(table, name, *existing, kind, column, options, problem, opclass, family)


def _read_kind(cursor: TokenCursor) -> NameSyntax | None:
    if not cursor.accept("USING"):
        return None
    kind = cursor.read_word()
    if kind is None:
        raise cursor.expected(_KINDS)
    return kind


def _read_indexed_column(cursor: TokenCursor) -> tuple[NameSyntax, NameSyntax | None]:
    """`(column)` or `(column operator_class)`."""
    opening = cursor.span
    cursor.take()
    if cursor.accept("ALL", "COLUMNS"):
        raise UnsupportedError(
            "an index is on one column", hint="make one index for each column", span=cursor.last_taken
        )
    column = _read_path(cursor)
    if column is None or column.quoted_string or cursor.at_kind(TokenType.L_PAREN):
        if cursor.at_end() or cursor.at_kind(TokenType.R_PAREN) or (column is not None and column.quoted_string):
            raise cursor.expected("a column")
        raise UnsupportedError(
            "an index is on a column, not on an expression",
            hint="ALTER TABLE … ADD COLUMN name AS expression, and index that column",
            span=cursor.span if column is None else column.span,
        )
    if cursor.at_word("ASC", "DESC", "NULLS", "COLLATE"):
        raise UnsupportedError("an index of Lance has no order of its own", hint="leave it out", span=cursor.span)
    opclass = None if cursor.at_kind(TokenType.COMMA) or cursor.at_kind(TokenType.R_PAREN) else cursor.read_word()
    if cursor.at_kind(TokenType.COMMA):
        count = 1
        while cursor.accept_kind(TokenType.COMMA):
            count += 1
            if _read_path(cursor) is None:
                raise cursor.expected("a column")
        raise UnsupportedError(
            f"an index is on one column, not {count}",
            hint="make one index for each column: a filter on several asks each of them, and takes what all find",
            span=Span(opening.start, (cursor.span if cursor.at_kind(TokenType.R_PAREN) else cursor.last_taken).end),
        )
    if not cursor.accept_kind(TokenType.R_PAREN):
        raise cursor.expected("',' or ')'")
    return column, opclass


def _read_path(cursor: TokenCursor) -> NameSyntax | None:
    """`column`, or a field of a struct: `s.a`, `(s).a`, `s['a']`, also in brackets; None when there is neither."""
    start = cursor.at
    begin = cursor.span.start
    if cursor.accept_kind(TokenType.L_PAREN):
        path = _read_path(cursor)
        if path is None or path.quoted_string or not cursor.accept_kind(TokenType.R_PAREN):
            cursor.at = start
            return None
    else:
        path = cursor.read_name()
    while path is not None and not path.quoted_string:
        if cursor.accept_kind(TokenType.DOT):
            step = cursor.read_word()
            parts = () if step is None else step.parts
        elif _at_key(cursor):
            cursor.take()
            parts = (cursor.take().text,)
            cursor.take()
        else:
            return NameSyntax(path.parts, quoted_string=False, span=Span(begin, cursor.last_taken.end))
        if not parts:
            cursor.at = start
            return None
        path = NameSyntax((*path.parts, *parts), quoted_string=False, span=path.span)
    return path


def _at_key(cursor: TokenCursor) -> bool:
    key, closing = cursor.ahead(1), cursor.ahead(2)
    return (
        cursor.at_kind(TokenType.L_BRACKET)
        and (key is not None and key.token_type is TokenType.STRING)
        and (closing is not None and closing.token_type is TokenType.R_BRACKET)
    )


def _read_end(cursor: TokenCursor, wanted: str) -> None:
    """Refuses what other databases have behind an index, with the reason."""
    if cursor.at_word("WHERE"):
        raise UnsupportedError(
            "an index of Lance covers every row",
            hint="leave WHERE out: the filter of a query goes in front of its search",
            span=cursor.rest,
        )
    if cursor.at_word("INCLUDE", "STORING"):
        raise UnsupportedError(
            "an index of Lance stores no other columns",
            hint="leave them out: they are read for the rows that are found",
            span=cursor.rest,
        )
    if not cursor.at_end():
        raise cursor.expected(wanted)
