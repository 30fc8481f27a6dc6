"""INSERT, read."""

from __future__ import annotations

from lancesql.errors import LanceSQLError, ParseError, Span, UnsupportedError
from lancesql.parser.tokens import Token, TokenType, is_word

from .cursor import TokenCursor
from .syntax import InsertSyntax

__all__ = ["read_insert", "read_prefixed_insert"]


def read_insert(cursor: TokenCursor) -> InsertSyntax | None:
    """`INSERT INTO name [(columns)] [BY NAME] query`."""
    problem: LanceSQLError | None = None
    start = cursor.span
    if cursor.accept("OR", "REPLACE") or cursor.accept("OR", "IGNORE"):
        problem = UnsupportedError("INSERT OR … is not supported for a Lance table", span=start)
    if not cursor.accept("INTO"):
        return None
    name = cursor.read_name()
    if name is None:
        return None
    try:
        columns = () if _starts_query(cursor) else cursor.read_columns()
        by_name = cursor.accept("BY", "NAME")
        if not by_name:
            cursor.accept("BY", "POSITION")
        if by_name and columns:
            raise ParseError("BY NAME and a list of columns exclude each other", span=columns[0].span)
        if cursor.at_end():
            raise cursor.expected("a query")
        if cursor.at_word("DEFAULT"):
            raise UnsupportedError("DEFAULT VALUES is not supported for a Lance table", span=cursor.span)
        if cursor.at_word("AS"):
            raise UnsupportedError("an alias of the table is not supported for a Lance table", span=cursor.span)
    except (ParseError, UnsupportedError) as error:
        return InsertSyntax(name, cursor.rest, problem=problem or error)
    return InsertSyntax(name, cursor.rest, columns, by_name, problem or _find_clause_behind_query(cursor))


def read_prefixed_insert(cursor: TokenCursor) -> InsertSyntax | None:
    """`INTO …` behind `WITH … INSERT`: DuckDB takes it, and we need the query in one piece."""
    insert = read_insert(cursor)
    problem = UnsupportedError(
        "WITH in front of INSERT is not supported for a Lance table",
        hint="write it behind the table: INSERT INTO t WITH … SELECT …",
        span=_place(cursor.tokens[0]),
    )
    return None if insert is None else InsertSyntax(insert.name, insert.body, problem=problem)


def _starts_query(cursor: TokenCursor) -> bool:
    """Whether a bracket opens a query and not a list of columns."""
    if not cursor.at_kind(TokenType.L_PAREN):
        return True
    behind = cursor.ahead(1)
    return (
        behind is None
        or behind.token_type is TokenType.L_PAREN
        or is_word(
            behind, "SELECT", "FROM", "WITH", "VALUES", "TABLE", "PIVOT", "UNPIVOT", "SUMMARIZE", "DESCRIBE", "SHOW"
        )
    )


def _find_clause_behind_query(cursor: TokenCursor) -> LanceSQLError | None:
    depth = 0
    rest = cursor.remaining()
    for token, behind in zip(rest, [*rest[1:], None], strict=True):
        if token.token_type in (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE):
            depth += 1
        elif token.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE):
            depth -= 1
        elif depth:
            continue
        elif is_word(token, "RETURNING"):
            return UnsupportedError(
                "RETURNING is not supported for a Lance table",
                hint="ask for the rows in a SELECT of its own",
                span=_place(token),
            )
        elif is_word(token, "ON") and behind is not None and is_word(behind, "CONFLICT"):
            return UnsupportedError(
                "ON CONFLICT is not supported for a Lance table, which has no unique keys",
                hint="leave out the rows that exist with WHERE … NOT IN (SELECT …)",
                span=Span(token.start, behind.end + 1),
            )
    return None


def _place(token: Token) -> Span:
    return Span(token.start, token.end + 1)
