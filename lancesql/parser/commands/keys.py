"""The primary key of a table that is there already, read."""

from __future__ import annotations

from lancesql.errors import ParseError, UnsupportedError
from lancesql.parser.tokens import TokenType

from .cursor import NameSyntax, TokenCursor
from .upkeep_syntax import PrimaryKeySyntax

__all__ = ["read_primary_key"]


def read_primary_key(cursor: TokenCursor, table: NameSyntax) -> PrimaryKeySyntax | None:
    """`SET UNENFORCED PRIMARY KEY (…)` or `ADD [CONSTRAINT name] PRIMARY KEY (…)`; None for something else."""
    start = cursor.at
    checked = not cursor.accept("SET", "UNENFORCED")
    if checked and cursor.accept("ADD") and cursor.accept("CONSTRAINT"):
        cursor.read_word()
    if cursor.at == start or not cursor.accept_kind(TokenType.PRIMARY_KEY):
        cursor.at = start
        return None
    try:
        columns = cursor.read_columns()
        if not cursor.at_end():
            raise cursor.expected("the end of the statement")
    except (ParseError, UnsupportedError) as error:
        return PrimaryKeySyntax(table, checked, problem=error)
    return PrimaryKeySyntax(table, checked, columns)
