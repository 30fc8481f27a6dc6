"""COPY and EXPORT DATABASE, read."""

from __future__ import annotations

from lancesql.errors import ParseError, Span, UnsupportedError
from lancesql.parser.tokens import TokenType, find_closing

from .copy_syntax import CopyDatabaseSyntax, CopySyntax
from .cursor import NameSyntax, OptionSyntax, TokenCursor

__all__ = ["read_copy", "read_export"]

_DEVICES = {"STDIN": "/dev/stdin", "STDOUT": "/dev/stdout"}
_OPENING = {TokenType.L_PAREN: TokenType.R_PAREN, TokenType.L_BRACKET: TokenType.R_BRACKET}
_NESTING = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
_ENDING = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)


def read_copy(cursor: TokenCursor) -> CopySyntax | CopyDatabaseSyntax | None:
    """`name [(columns)] TO | FROM path [(options)]` or `(query) TO path [(options)]`, behind the word COPY."""
    if cursor.accept("FROM", "DATABASE"):
        return _read_databases(cursor)
    name, query = None, None
    columns: tuple[NameSyntax, ...] = ()
    if cursor.at_kind(TokenType.L_PAREN):
        closing = find_closing(cursor.tokens, cursor.at)
        query = Span(cursor.tokens[cursor.at].end + 1, cursor.tokens[closing].start)
        cursor.at = closing + 1
    else:
        name = cursor.read_name()
        if name is None:
            return None
        if cursor.at_kind(TokenType.L_PAREN):
            columns = cursor.read_columns()
    writes_file = cursor.accept("TO")
    if not writes_file and not (query is None and cursor.accept("FROM")):
        raise cursor.expected("TO and a file" if query is not None else "TO or FROM, and a file")
    start = cursor.span.start
    path_text = _read_path(cursor)
    path = Span(start, cursor.last_taken.end)
    rest = Span(start, cursor.last_span.end)
    try:
        options = _read_options(cursor)
    except (ParseError, UnsupportedError) as error:
        return CopySyntax(name, query, columns, writes_file, path, path_text, rest, problem=error)
    return CopySyntax(name, query, columns, writes_file, path, path_text, rest, options)


def read_export(cursor: TokenCursor) -> CopyDatabaseSyntax | None:
    """`DATABASE [name TO] 'folder'`, behind the word EXPORT."""
    start = cursor.last_taken
    if not cursor.accept("DATABASE"):
        return None
    span = Span(start.start, cursor.last_taken.end)
    name = None if cursor.at_kind(TokenType.STRING) else cursor.read_name()
    return CopyDatabaseSyntax(() if name is None else (name,), span, exports=True)


def _read_databases(cursor: TokenCursor) -> CopyDatabaseSyntax | None:
    span = Span(cursor.tokens[0].start, cursor.last_taken.end)
    source = cursor.read_name()
    target = cursor.read_name() if source is not None and cursor.accept("TO") else None
    return None if source is None or target is None else CopyDatabaseSyntax((source, target), span)


def _read_path(cursor: TokenCursor) -> str | None:
    """The name of a file: a text, a parameter, or an expression in brackets."""
    if cursor.at_kind(TokenType.L_PAREN):
        cursor.at = find_closing(cursor.tokens, cursor.at) + 1
        return None
    if cursor.at_kind(TokenType.STRING):
        return cursor.take().text
    if cursor.at_word(*_DEVICES):
        return _DEVICES[cursor.take().text.upper()]
    if cursor.accept_kind(TokenType.PARAMETER):
        if not cursor.at_end():
            cursor.take()
        return None
    if cursor.accept_kind(TokenType.PLACEHOLDER):
        return None
    raise cursor.expected("the name of a file in quotes")


def _read_options(cursor: TokenCursor) -> tuple[OptionSyntax, ...]:
    """`[WITH] (FORMAT csv, HEADER, DELIMITER '|', FORCE_NOT_NULL (a, b))`."""
    if cursor.at_end():
        return ()
    cursor.accept("WITH")
    if not cursor.accept_kind(TokenType.L_PAREN):
        raise ParseError(
            f"(options) are expected here, not '{cursor.text_of(cursor.span)}'",
            hint="(FORMAT csv, HEADER, DELIMITER '|')",
            span=cursor.span,
        )
    options: list[OptionSyntax] = []
    while not cursor.accept_kind(TokenType.R_PAREN):
        if options and not cursor.accept_kind(TokenType.COMMA):
            raise cursor.expected("',' or ')'")
        options.append(_read_option(cursor))
    if not cursor.at_end():
        raise cursor.expected("the end of the statement")
    return tuple(options)


def _read_option(cursor: TokenCursor) -> OptionSyntax:
    name = cursor.read_word()
    if name is None:
        raise cursor.expected("the name of an option")
    for kind in (TokenType.EQ, TokenType.FARROW, TokenType.COLON_EQ):
        if cursor.accept_kind(kind):
            break
    first, depth = cursor.at, 0
    while not cursor.at_end():
        kind = cursor.tokens[cursor.at].token_type
        if depth == 0 and kind in (TokenType.COMMA, TokenType.R_PAREN):
            break
        depth += (kind in _NESTING) - (kind in _ENDING)
        cursor.at += 1
    if cursor.at == first:
        return OptionSyntax(name.parts[0].lower(), True, name.span, name.span)
    place = Span(cursor.tokens[first].start, cursor.last_taken.end)
    value = _read_value(TokenCursor(cursor.sql, cursor.tokens[: cursor.at], first))
    return OptionSyntax(name.parts[0].lower(), value, name.span, place)


def _read_value(cursor: TokenCursor) -> object:
    """The value of an option; None for one that is not plain."""
    if cursor.accept_kind(TokenType.STAR) and cursor.at_end():
        return "*"
    opening = None if cursor.at_end() else _OPENING.get(cursor.tokens[cursor.at].token_type)
    try:
        if opening is None:
            value = cursor.read_value()
            return value if cursor.at_end() else None
        cursor.at += 1
        values: list[object] = []
        while not cursor.accept_kind(opening):
            if values and not cursor.accept_kind(TokenType.COMMA):
                return None
            values.append(cursor.read_value())
    except ParseError:
        return None
    return tuple(values) if cursor.at_end() else None
