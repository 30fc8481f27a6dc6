"""Tokens → the statements about settings: `SET lancesql.name = value`, `RESET`, `SHOW`; all others are DuckDB's."""

from __future__ import annotations

from lancesql.errors import ParseError, UnsupportedError
from lancesql.parser.tokens import TokenType, is_word
from lancesql.settings import SETTINGS_SCHEMA

from .cursor import NameSyntax, TokenCursor
from .syntax import SetSyntax, ShowSettingsSyntax

__all__ = ["read_reset", "read_set", "read_show_settings"]


def read_set(cursor: TokenCursor) -> SetSyntax | None:
    """`SET [SESSION] lancesql.name = value`, or `TO value`."""
    if not _at_setting(cursor):
        return None
    name = _read_setting(cursor)
    if not (cursor.accept_kind(TokenType.EQ) or cursor.accept("TO")):
        raise cursor.expected("'=' and a value")
    if cursor.at_kind(TokenType.PARAMETER) or cursor.at_kind(TokenType.PLACEHOLDER):
        raise ParseError("a setting takes no parameter", hint="write the value in the statement", span=cursor.span)
    if cursor.accept("DEFAULT"):
        return _end(cursor, SetSyntax(name))
    start = cursor.span
    value = None if cursor.accept("NULL") else cursor.read_value()
    return _end(cursor, SetSyntax(name, value, start._replace(end=cursor.last_taken.end)))


def read_reset(cursor: TokenCursor) -> SetSyntax | None:
    """`RESET [SESSION] lancesql.name`."""
    return _end(cursor, SetSyntax(_read_setting(cursor))) if _at_setting(cursor) else None


def read_show_settings(cursor: TokenCursor) -> ShowSettingsSyntax | None:
    """`SHOW lancesql SETTINGS`, or `SHOW lancesql.name`."""
    if cursor.accept(SETTINGS_SCHEMA.upper(), "SETTINGS"):
        if not cursor.at_end():
            raise cursor.expected("the end of the statement")
        return ShowSettingsSyntax()
    if not _at_setting(cursor):
        return None
    name = _read_setting(cursor)
    if not cursor.at_end():
        raise cursor.expected("the end of the statement")
    return ShowSettingsSyntax(name)


def _at_setting(cursor: TokenCursor) -> bool:
    """Whether a setting of ours comes next, behind the word that says how far it holds."""
    scoped = cursor.at_word("SESSION", "GLOBAL", "LOCAL")
    coming = (cursor.ahead(scoped), cursor.ahead(scoped + 1))
    if coming[0] is None or coming[1] is None or coming[1].token_type is not TokenType.DOT:
        return False
    if not is_word(coming[0], SETTINGS_SCHEMA.upper()):
        return False
    if cursor.at_word("GLOBAL", "LOCAL"):
        raise UnsupportedError(
            "a setting of lancesql holds for the session", hint="leave the word out", span=cursor.span
        )
    cursor.accept("SESSION")
    return True


def _read_setting(cursor: TokenCursor) -> NameSyntax:
    cursor.take()
    cursor.take()
    name = cursor.read_word()
    if name is None:
        raise cursor.expected("the name of a setting")
    return name


def _end(cursor: TokenCursor, syntax: SetSyntax) -> SetSyntax:
    if not cursor.at_end():
        raise cursor.expected("the end of the statement")
    return syntax
