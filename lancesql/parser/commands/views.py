"""CREATE VIEW and DROP VIEW, read; whose view it is, the binder decides."""

from __future__ import annotations

from lancesql.parser.tokens import TokenType

from .cursor import NameSyntax, TokenCursor
from .syntax import CreateViewSyntax, DropViewSyntax

__all__ = ["read_create_view", "read_drop_view"]


def read_create_view(cursor: TokenCursor, *, replace: bool) -> CreateViewSyntax | None:
    """`… VIEW [IF NOT EXISTS] name [(columns)] AS query`, behind the word VIEW; None when it is DuckDB's to judge."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.read_name()
    if name is None:
        return None
    columns: tuple[NameSyntax, ...] = cursor.read_columns() if cursor.at_kind(TokenType.L_PAREN) else ()
    if not cursor.accept("AS") or cursor.at_end():
        return None
    return CreateViewSyntax(name, cursor.rest, columns, replace, if_not_exists)


def read_drop_view(cursor: TokenCursor) -> DropViewSyntax | None:
    """`… VIEW [IF EXISTS] name [CASCADE]`, behind the word VIEW."""
    cursor.accept("IF", "EXISTS")
    name = cursor.read_name()
    if name is None:
        return None
    if not cursor.accept("CASCADE"):
        cursor.accept("RESTRICT")
    return DropViewSyntax(name) if cursor.at_end() else None
