"""Versions, tags and branches of a table: SHOW, CREATE, DROP, RESTORE and DIFF, read."""

from __future__ import annotations

from dataclasses import replace

from lancesql.errors import LanceSQLError, ParseError, Span, UnsupportedError
from lancesql.parser.tokens import TokenType

from .cursor import NameSyntax, TokenCursor
from .upkeep_syntax import (
    CreateReferenceSyntax,
    DiffSyntax,
    DropReferenceSyntax,
    RestoreSyntax,
    ShowHistorySyntax,
    VersionSyntax,
)

__all__ = [
    "read_alter_reference",
    "read_create_reference",
    "read_diff",
    "read_drop_reference",
    "read_restore",
    "read_show_history",
    "read_shown_table",
    "read_snapshot",
    "read_table",
]

_EQUALS = (TokenType.FARROW, TokenType.EQ, TokenType.COLON_EQ)
_HISTORIES = {"VERSIONS": "versions", "TAGS": "tags", "BRANCHES": "branches"}


def at_history(cursor: TokenCursor) -> bool:
    """Whether `VERSIONS`, `TAGS` or `BRANCHES` comes next, with something behind it."""
    return cursor.at_word(*_HISTORIES) and not cursor.is_last()


def read_show_history(cursor: TokenCursor) -> ShowHistorySyntax:
    """`VERSIONS | TAGS | BRANCHES ON name`, behind the word SHOW."""
    what = _HISTORIES[cursor.take().text.upper()]
    name = read_shown_table(cursor, with_branch=what == "versions")
    return ShowHistorySyntax(what, name)  # type: ignore[arg-type]


def read_create_reference(cursor: TokenCursor, *, replace: bool) -> CreateReferenceSyntax | None:
    """`TAG | BRANCH [IF NOT EXISTS] name ON table [AS OF version]`, behind the word CREATE."""
    is_branch = cursor.take().text.upper() == "BRANCH"
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    reference = _read_reference(cursor)
    if not cursor.accept("ON"):
        raise cursor.expected("ON and a table")
    cursor.accept("TABLE")
    table = cursor.read_name()
    if table is None:
        raise cursor.expected("a table")
    return _finish_creation(cursor, table, reference, replace, if_not_exists, is_branch)


def read_drop_reference(cursor: TokenCursor) -> DropReferenceSyntax | None:
    """`TAG | BRANCH [IF EXISTS] name ON table`, behind the word DROP."""
    is_branch = cursor.take().text.upper() == "BRANCH"
    if_exists = cursor.accept("IF", "EXISTS")
    reference = _read_reference(cursor)
    if not (cursor.accept("ON") or cursor.accept("FROM")):
        raise cursor.expected("ON and a table")
    cursor.accept("TABLE")
    table = cursor.read_name()
    if table is None:
        raise cursor.expected("a table")
    problem = None if cursor.at_end() else cursor.expected("the end of the statement")
    return DropReferenceSyntax(table, reference, is_branch, if_exists, problem)


def read_alter_reference(cursor: TokenCursor, table: NameSyntax) -> CreateReferenceSyntax | DropReferenceSyntax | None:
    """`CREATE | DROP TAG | BRANCH …`, behind `ALTER TABLE name`; None when something else comes."""
    drops = cursor.at_word("DROP")
    kind = cursor.ahead(3 if cursor.at_word("CREATE") and _is_replacing(cursor) else 1)
    if kind is None or kind.text.upper() not in ("TAG", "BRANCH") or not cursor.at_word("CREATE", "DROP"):
        return None
    cursor.take()
    replace = cursor.accept("OR", "REPLACE")
    is_branch = cursor.take().text.upper() == "BRANCH"
    exists = cursor.accept("IF", "EXISTS") if drops else cursor.accept("IF", "NOT", "EXISTS")
    reference = _read_reference(cursor)
    if drops:
        problem = None if cursor.at_end() else cursor.expected("the end of the statement")
        return DropReferenceSyntax(table, reference, is_branch, exists, problem)
    return _finish_creation(cursor, table, reference, replace, exists, is_branch)


def read_restore(cursor: TokenCursor) -> RestoreSyntax | None:
    """`TABLE name TO VERSION n`, behind the word RESTORE."""
    cursor.accept("TABLE")
    name = cursor.read_name()
    if name is None:
        return None
    problem: LanceSQLError | None = None
    version: VersionSyntax | None = None
    try:
        if not (cursor.accept("TO") or cursor.accept("AS", "OF")):
            raise cursor.expected("TO VERSION and a number")
        version = _read_version(cursor)
        if not cursor.at_end():
            raise cursor.expected("the end of the statement")
    except (ParseError, UnsupportedError) as error:
        problem = error
    return RestoreSyntax(name, version, problem)


def read_diff(cursor: TokenCursor) -> DiffSyntax | None:
    """`TABLE name BETWEEN VERSION a AND b`, or `SINCE VERSION a`, behind the word DIFF."""
    if not cursor.accept("TABLE"):
        return None
    name = cursor.read_name()
    if name is None:
        raise cursor.expected("a table")
    older: VersionSyntax | None = None
    newer: VersionSyntax | None = None
    try:
        if cursor.accept("SINCE"):
            older = _read_version(cursor)
        elif cursor.accept("BETWEEN"):
            older = _read_version(cursor)
            if not cursor.accept("AND"):
                raise cursor.expected("AND and a version")
            newer = _read_version(cursor)
        else:
            raise cursor.expected("BETWEEN VERSION a AND b, or SINCE VERSION a")
        if not cursor.at_end():
            raise cursor.expected("the end of the statement")
    except (ParseError, UnsupportedError) as error:
        return DiffSyntax(name, problem=error)
    return DiffSyntax(name, older, newer)


def _is_replacing(cursor: TokenCursor) -> bool:
    word = cursor.ahead(1)
    return word is not None and word.text.upper() == "OR"


def _read_reference(cursor: TokenCursor) -> NameSyntax:
    name = cursor.read_name()
    if name is None or len(name.parts) > 1:
        raise cursor.expected("a name")
    return name


def _finish_creation(
    cursor: TokenCursor, table: NameSyntax, reference: NameSyntax, replace: bool, if_not_exists: bool, is_branch: bool
) -> CreateReferenceSyntax:
    version: VersionSyntax | None = None
    problem: LanceSQLError | None = None
    try:
        if cursor.accept("AS", "OF"):
            version = _read_version(cursor)
        if not cursor.at_end():
            raise cursor.expected("AS OF VERSION and a number, or the end of the statement")
        if replace and is_branch:
            raise UnsupportedError("a branch is not replaced", hint="drop it first", span=reference.span)
    except (ParseError, UnsupportedError) as error:
        problem = error
    return CreateReferenceSyntax(table, reference, is_branch, version, replace, if_not_exists, problem)


def read_snapshot(cursor: TokenCursor) -> VersionSyntax:
    """`AT 3`, `AT 'tag'`, `AT TAG 'x'`, `AT (VERSION => 3)` or `[FOR] VERSION AS OF 3`, behind a table."""
    start = cursor.span
    if not cursor.accept("AT"):
        cursor.accept("FOR")
        kind = cursor.take() if cursor.at_word("VERSION", "TAG", "TIMESTAMP", "BRANCH") else None
        if kind is None or not cursor.accept("AS", "OF"):
            raise cursor.expected("AT and a version")
        return _read_version(cursor, kind.text.lower())
    if not cursor.accept_kind(TokenType.L_PAREN):
        return _read_version(cursor)
    kind = cursor.take() if cursor.at_word("VERSION", "TAG", "TIMESTAMP", "BRANCH") else None
    if kind is None:
        raise cursor.expected("VERSION => 3, TAG => 'name', TIMESTAMP => '…' or BRANCH => 'name'")
    if not any(cursor.accept_kind(one) for one in _EQUALS):
        raise cursor.expected("'=>' and a value")
    found = _read_version(cursor, kind.text.lower())
    if kind.text.upper() == "BRANCH" and cursor.accept_kind(TokenType.COMMA):
        found = _read_numbered(cursor, found)
    if not cursor.accept_kind(TokenType.R_PAREN):
        raise cursor.expected("')'")
    return VersionSyntax(found.reference, Span(start.start, cursor.last_taken.end))


def _read_numbered(cursor: TokenCursor, branch: VersionSyntax) -> VersionSyntax:
    """`VERSION => 3`, behind `BRANCH => 'dev',`."""
    start = cursor.span
    if not cursor.accept("VERSION") or not any(cursor.accept_kind(one) for one in _EQUALS):
        raise cursor.expected("VERSION => and a number")
    number = cursor.read_value()
    if not isinstance(number, int) or isinstance(number, bool):
        raise ParseError("a version of a branch is a number", span=Span(start.start, cursor.last_taken.end))
    return VersionSyntax(f"{branch.reference}@{number}", branch.span)


def read_shown_table(cursor: TokenCursor, *, with_branch: bool = True) -> NameSyntax:
    """`ON name`, behind what is shown of a table, to the end of the statement.

    Raises:
        ParseError: When something else stands there.
    """
    if not (cursor.accept("ON") or cursor.accept("FROM") or cursor.accept("IN") or cursor.accept("OF")):
        raise cursor.expected("ON and a table")
    name = read_table(cursor) if with_branch else cursor.read_name()
    if name is None:
        raise cursor.expected("a table")
    if not cursor.at_end():
        raise cursor.expected("the end of the statement")
    return name


def read_table(cursor: TokenCursor) -> NameSyntax | None:
    """The name of a table that is written, and what is behind it: `docs AT (BRANCH => 'dev')`."""
    name = cursor.read_name()
    behind = cursor.ahead(1)
    if name is None or not cursor.at_word("AT") or behind is None or behind.token_type is not TokenType.L_PAREN:
        return name
    snapshot = read_snapshot(cursor)
    return replace(name, version=snapshot.reference, span=Span(name.span.start, snapshot.span.end))


def _read_version(cursor: TokenCursor, known: str | None = None) -> VersionSyntax:
    """`[VERSION [AS OF]] 3`, `[VERSION | TAG] 'name'`, `TIMESTAMP '…'`, `BRANCH name [VERSION 3]`."""
    start = cursor.span
    kind = known or "version"
    if known is None and cursor.at_word("VERSION", "TAG", "TIMESTAMP", "BRANCH"):
        kind = cursor.take().text.lower()
        known = kind if cursor.accept("AS", "OF") else None
    if kind == "timestamp" and known is not None:
        cursor.accept("TIMESTAMP")
    place = cursor.span
    value = cursor.read_value()
    if kind == "version" and isinstance(value, int) and not isinstance(value, bool):
        return VersionSyntax(value, Span(start.start, cursor.last_taken.end))
    if not isinstance(value, str):
        wanted = "a version number or a tag" if kind == "version" else f"the {kind} as text"
        raise ParseError(f"{wanted} is expected here", span=Span(place.start, cursor.last_taken.end))
    reference = value if kind in ("version", "tag") else f"{kind}:{value}"
    if kind == "branch" and cursor.accept("VERSION"):
        number = cursor.read_value()
        if not isinstance(number, int) or isinstance(number, bool):
            raise ParseError("the number of a version is expected here", span=cursor.last_taken)
        reference += f"@{number}"
    return VersionSyntax(reference, Span(start.start, cursor.last_taken.end))
