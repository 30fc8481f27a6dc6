"""ATTACH, DETACH, USE and SHOW DATABASES, read; which of them are ours, the binder decides."""

from __future__ import annotations

import dataclasses

from lancesql.errors import ParseError, Span, UnsupportedError
from lancesql.parser.tokens import TokenType

from .cursor import NameSyntax, OptionSyntax, TokenCursor
from .database_syntax import AttachSyntax, DetachSyntax, UseSyntax

__all__ = ["read_attach", "read_detach", "read_show_tables", "read_use"]


def read_attach(cursor: TokenCursor) -> AttachSyntax | None:
    """`[OR REPLACE] [DATABASE] [IF NOT EXISTS] 'path' [AS name] (TYPE LANCE, …)`, behind the word ATTACH."""
    replace = cursor.accept("OR", "REPLACE")
    cursor.accept("DATABASE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    if not cursor.at_kind(TokenType.STRING):
        return None
    token = cursor.take()
    name = cursor.read_word() if cursor.accept("AS") and not cursor.at_end() else None
    type_ = _find_type(cursor) if cursor.at_kind(TokenType.L_PAREN) else None
    is_lance = type_ is not None and type_.parts[0].upper() == "LANCE"
    span = Span(token.start, token.end + 1)
    syntax = AttachSyntax(token.text, span, is_lance, name, if_not_exists, replace, type=type_)
    if not is_lance:
        return syntax
    try:
        options = _read_options(cursor)
        if not cursor.at_end():
            raise cursor.expected("the end of the statement")
    except (ParseError, UnsupportedError) as error:
        return dataclasses.replace(syntax, problem=error)
    return dataclasses.replace(syntax, options=options)


def read_detach(cursor: TokenCursor) -> DetachSyntax | None:
    """`[DATABASE] [IF EXISTS] name`, behind the word DETACH."""
    if not cursor.is_last():
        cursor.accept("DATABASE")
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.read_name()
    return None if name is None or not cursor.at_end() else DetachSyntax(name, if_exists)


def read_use(cursor: TokenCursor) -> UseSyntax | None:
    """`name`, behind the word USE."""
    name = cursor.read_name()
    return None if name is None or not cursor.at_end() else UseSyntax(name)


def _find_type(cursor: TokenCursor) -> NameSyntax | None:
    """What the options that come next say behind TYPE: `LANCE`, or `'lance'`."""
    rest = cursor.remaining()
    for at, token in enumerate(rest[:-1]):
        if token.text.upper() == "TYPE" and rest[at - 1].token_type in (TokenType.L_PAREN, TokenType.COMMA):
            value = rest[at + 2] if rest[at + 1].token_type is TokenType.EQ and at + 2 < len(rest) else rest[at + 1]
            quoted = value.token_type is TokenType.STRING
            return NameSyntax((value.text,), quoted_string=quoted, span=Span(value.start, value.end + 1))
    return None


def _read_options(cursor: TokenCursor) -> tuple[OptionSyntax, ...]:
    """`(TYPE LANCE, READ_ONLY, STORAGE_OPTIONS {'region': 'x'})`, without the type."""
    cursor.take()
    options: list[OptionSyntax] = []
    while True:
        name = cursor.read_word()
        if name is None:
            raise cursor.expected("the name of an option")
        cursor.accept_kind(TokenType.EQ)
        start = cursor.span
        value = _read_value(cursor)
        span = name.span if value is True else Span(start.start, cursor.last_taken.end)
        if name.parts[0].upper() != "TYPE":
            options.append(OptionSyntax(name.parts[0].lower(), value, name.span, span))
        if cursor.accept_kind(TokenType.R_PAREN):
            return tuple(options)
        if not cursor.accept_kind(TokenType.COMMA):
            raise cursor.expected("',' or ')'")


def _read_value(cursor: TokenCursor) -> object:
    if cursor.at_kind(TokenType.COMMA) or cursor.at_kind(TokenType.R_PAREN):
        return True
    cursor.accept("MAP")
    if not cursor.at_kind(TokenType.L_BRACE):
        return cursor.read_value()
    cursor.take()
    found: dict[str, str] = {}
    while not cursor.accept_kind(TokenType.R_BRACE):
        key = cursor.read_value()
        if not cursor.accept_kind(TokenType.COLON):
            raise cursor.expected("':' and a value")
        found[str(key)] = str(cursor.read_value())
        if not cursor.at_kind(TokenType.R_BRACE) and not cursor.accept_kind(TokenType.COMMA):
            raise cursor.expected("',' or '}'")
    return found


def read_show_tables(cursor: TokenCursor) -> NameSyntax | None:
    """`FROM | IN database`, behind SHOW TABLES."""
    if not (cursor.accept("FROM") or cursor.accept("IN")):
        return None
    name = cursor.read_name()
    return name if cursor.at_end() else None
