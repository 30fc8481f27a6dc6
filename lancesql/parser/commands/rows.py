"""INSERT, read."""

from __future__ import annotations

from lancesql.errors import ParseError, Span, UnsupportedError
from lancesql.parser.tokens import TokenType, is_word

from .changes import read_assignments, read_clause
from .cursor import TokenCursor
from .row_syntax import ConflictSyntax, InsertSyntax
from .versions import read_table

__all__ = ["read_insert"]


def read_insert(cursor: TokenCursor, prefix: Span | None = None) -> InsertSyntax | None:
    """`INTO name [(columns)] [BY NAME] query [ON CONFLICT …] [RETURNING …]`, behind the word INSERT."""
    conflict: ConflictSyntax | None = None
    start = cursor.span
    if cursor.accept("OR", "REPLACE"):
        conflict = ConflictSyntax("update", Span(start.start, cursor.last_taken.end), everything=True)
    elif cursor.accept("OR", "IGNORE"):
        conflict = ConflictSyntax("nothing", Span(start.start, cursor.last_taken.end))
    if not cursor.accept("INTO"):
        return None
    name = read_table(cursor)
    if name is None:
        return None
    body = returning = None
    alias: str | None = None
    try:
        if cursor.accept("AS"):
            word = cursor.read_word()
            if word is None:
                raise cursor.expected("another name of the table")
            alias = word.parts[0]
        columns = () if _starts_query(cursor) else cursor.read_columns()
        by_name = cursor.accept("BY", "NAME")
        if not by_name:
            cursor.accept("BY", "POSITION")
        if by_name and columns:
            raise ParseError("BY NAME and a list of columns exclude each other", span=columns[0].span)
        if cursor.at_end():
            raise cursor.expected("a query")
        if cursor.accept("DEFAULT", "VALUES"):
            if columns or by_name:
                raise UnsupportedError("DEFAULT VALUES takes no columns", span=cursor.last_taken)
        else:
            body = read_clause(cursor, "a query", "RETURNING", stop=_at_conflict, query=True)
        if _at_conflict(cursor, cursor.at):
            if conflict is not None:
                raise ParseError("INSERT OR … and ON CONFLICT exclude each other", span=cursor.span)
            conflict = _read_conflict(cursor)
        if cursor.accept("RETURNING"):
            returning = read_clause(cursor, "columns")
        if not cursor.at_end():
            raise cursor.expected("ON CONFLICT, RETURNING or the end of the statement")
    except (ParseError, UnsupportedError) as error:
        return InsertSyntax(name, None, problem=error)
    return InsertSyntax(name, body, columns, by_name, None, alias, prefix, conflict, returning)


def _at_conflict(cursor: TokenCursor, at: int) -> bool:
    coming = cursor.tokens[at : at + 2]
    return len(coming) == 2 and is_word(coming[0], "ON") and is_word(coming[1], "CONFLICT")


def _read_conflict(cursor: TokenCursor) -> ConflictSyntax:
    start = cursor.span
    cursor.accept("ON", "CONFLICT")
    columns = cursor.read_columns() if cursor.at_kind(TokenType.L_PAREN) else ()
    if cursor.accept("DO", "NOTHING"):
        return ConflictSyntax("nothing", Span(start.start, cursor.last_taken.end), columns)
    if not cursor.accept("DO", "UPDATE", "SET"):
        raise cursor.expected("DO NOTHING, or DO UPDATE SET")
    assignments = read_assignments(cursor, "WHERE", "RETURNING")
    where = read_clause(cursor, "a condition", "RETURNING") if cursor.accept("WHERE") else None
    return ConflictSyntax("update", Span(start.start, cursor.last_taken.end), columns, assignments, where)


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
