"""The checks of a table that is there already, read."""

from __future__ import annotations

from lancesql.errors import ParseError, Span, UnsupportedError
from lancesql.parser.tokens import TokenType, find_closing

from .cursor import NameSyntax, TokenCursor
from .syntax import ConstraintSyntax, ShowConstraintsSyntax
from .versions import read_shown_table

__all__ = ["read_constraint", "read_show_constraints"]

_REFUSED = {
    "UNIQUE": "unique columns but its primary key",
    "FOREIGN": "foreign keys",
    "FOREIGN KEY": "foreign keys",
}


def read_show_constraints(cursor: TokenCursor) -> ShowConstraintsSyntax:
    """`CONSTRAINTS ON name`, behind the word SHOW."""
    cursor.take()
    return ShowConstraintsSyntax(read_shown_table(cursor))


def read_constraint(cursor: TokenCursor, table: NameSyntax) -> ConstraintSyntax | None:
    """`ADD [CONSTRAINT name] CHECK (…)` or `DROP CONSTRAINT [IF EXISTS] name`; None for something else."""
    start = cursor.at
    try:
        if cursor.accept("DROP", "CONSTRAINT"):
            return _read_drop(cursor, table)
        if cursor.accept("ADD") and cursor.at_word("CONSTRAINT", "CHECK", *_REFUSED):
            return _read_add(cursor, table)
    except (ParseError, UnsupportedError) as error:
        return ConstraintSyntax(table, problem=error)
    cursor.at = start
    return None


def _read_drop(cursor: TokenCursor, table: NameSyntax) -> ConstraintSyntax:
    exists = cursor.accept("IF", "EXISTS")
    name = _read_name(cursor)
    if not cursor.accept("CASCADE"):
        cursor.accept("RESTRICT")
    if not cursor.at_end():
        raise cursor.expected("the end of the statement")
    return ConstraintSyntax(table, name, if_exists=exists)


def _read_add(cursor: TokenCursor, table: NameSyntax) -> ConstraintSyntax:
    name = _read_name(cursor) if cursor.accept("CONSTRAINT") else None
    if cursor.at_word(*_REFUSED):
        what = _REFUSED[cursor.tokens[cursor.at].text.upper()]
        raise UnsupportedError(f"a Lance table has no {what}", hint="ADD CHECK and ADD PRIMARY KEY", span=cursor.span)
    if not cursor.accept("CHECK"):
        raise cursor.expected("CHECK (predicate) or PRIMARY KEY (columns)")
    if not cursor.at_kind(TokenType.L_PAREN):
        raise cursor.expected("a predicate in brackets")
    opening = cursor.at
    closing = find_closing(cursor.tokens, opening)
    cursor.at = opening + 1
    if closing == cursor.at:
        raise cursor.expected("a predicate")
    check = Span(cursor.span.start, cursor.tokens[closing - 1].end + 1)
    cursor.at = closing + 1
    if not cursor.at_end():
        raise cursor.expected("the end of the statement")
    return ConstraintSyntax(table, name, check)


def _read_name(cursor: TokenCursor) -> NameSyntax:
    name = None if cursor.at_word("CHECK", "PRIMARY", *_REFUSED) else cursor.read_word()
    if name is None:
        raise cursor.expected("the name of a constraint")
    return name
