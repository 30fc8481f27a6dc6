"""ALTER TABLE and COMMENT ON, read."""

from __future__ import annotations

from lancesql.errors import ParseError, Span, UnsupportedError

from .changes import read_clause
from .cursor import NameSyntax, TokenCursor
from .syntax import AlterSyntax, CommentSyntax
from .versions import read_table

__all__ = ["read_alter_columns", "read_comment", "refuse_snapshot"]


def read_alter_columns(cursor: TokenCursor, table: NameSyntax) -> AlterSyntax | None:
    """What is changed, behind `ALTER TABLE name`; None when something else comes."""
    start = cursor.at
    try:
        if cursor.accept("ADD"):
            return _read_add(cursor, table)
        if cursor.accept("DROP"):
            return _read_drop(cursor, table)
        if cursor.accept("RENAME"):
            return _read_rename(cursor, table)
        if cursor.accept("ALTER"):
            return _read_change(cursor, table)
    except (ParseError, UnsupportedError) as error:
        return AlterSyntax(table, "add", problem=error)
    cursor.at = start
    return None


def read_comment(cursor: TokenCursor) -> CommentSyntax | None:
    """`ON TABLE name IS '…'` or `ON COLUMN table.name IS '…'`, behind the word COMMENT."""
    if not cursor.accept("ON") or not cursor.at_word("TABLE", "COLUMN"):
        return None
    of_column = cursor.take().text.upper() == "COLUMN"
    name = read_table(cursor)
    if name is not None:
        refuse_snapshot(cursor, name)
    if name is None or not cursor.accept("IS") or (of_column and len(name.parts) < 2):
        return None
    text: object = None if cursor.accept("NULL") else cursor.read_value()
    if not cursor.at_end() or not (text is None or isinstance(text, str)):
        return None
    column = NameSyntax(name.parts[-1:], quoted_string=False, span=name.span) if of_column else None
    table = NameSyntax(name.parts[:-1], quoted_string=False, span=name.span) if of_column else name
    return CommentSyntax(table, column, text)


def refuse_snapshot(_: TokenCursor, table: NameSyntax) -> None:
    """What is said of a table is said of it alone, not of one of its versions or branches.

    Raises:
        UnsupportedError: When a version or a branch stands behind its name.
    """
    if table.version is not None:
        raise UnsupportedError(
            "a table is altered, not a version or a branch of it",
            hint="CREATE TABLE … CLONE … AT (…) makes a table of it, which can be altered",
            span=table.span,
        )


def _read_add(cursor: TokenCursor, table: NameSyntax) -> AlterSyntax:
    cursor.accept("COLUMN")
    exists = cursor.accept("IF", "NOT", "EXISTS")
    start = cursor.span
    column = _read_column(cursor)
    definition: Span | None = None
    if not cursor.at_word("AS"):
        read_clause(cursor, "a type, or AS and an expression", "AS")
        definition = Span(start.start, cursor.last_taken.end)
    value = read_clause(cursor, "an expression") if cursor.accept("AS") else None
    return AlterSyntax(table, "add", column, definition=definition, value=value, if_exists=exists)


def _read_drop(cursor: TokenCursor, table: NameSyntax) -> AlterSyntax:
    cursor.accept("COLUMN")
    exists = cursor.accept("IF", "EXISTS")
    column = _read_column(cursor)
    cascade = cursor.accept("CASCADE")
    if not cascade:
        cursor.accept("RESTRICT")
    return _finish(cursor, AlterSyntax(table, "drop", column, if_exists=exists, cascade=cascade))


def _read_rename(cursor: TokenCursor, table: NameSyntax) -> AlterSyntax:
    if cursor.accept("TO"):
        return _finish(cursor, AlterSyntax(table, "rename table", target=_read_column(cursor)))
    cursor.accept("COLUMN")
    column = _read_column(cursor)
    if not cursor.accept("TO"):
        raise cursor.expected("TO and a name")
    return _finish(cursor, AlterSyntax(table, "rename", column, target=_read_column(cursor)))


def _read_change(cursor: TokenCursor, table: NameSyntax) -> AlterSyntax:
    cursor.accept("COLUMN")
    column = _read_column(cursor)
    if cursor.accept("SET", "NOT", "NULL"):
        return _finish(cursor, AlterSyntax(table, "set not null", column))
    if cursor.accept("DROP", "NOT", "NULL"):
        return _finish(cursor, AlterSyntax(table, "drop not null", column))
    if cursor.accept("DROP", "DEFAULT"):
        return _finish(cursor, AlterSyntax(table, "default", column))
    if cursor.accept("SET", "DEFAULT"):
        return AlterSyntax(table, "default", column, value=read_clause(cursor, "an expression"))
    if cursor.accept("TYPE") or cursor.accept("SET", "DATA", "TYPE"):
        type_ = read_clause(cursor, "a type", "USING", "CASCADE", "RESTRICT")
        value = read_clause(cursor, "an expression", "CASCADE", "RESTRICT") if cursor.accept("USING") else None
        cascade = cursor.accept("CASCADE")
        if not cascade:
            cursor.accept("RESTRICT")
        return _finish(cursor, AlterSyntax(table, "type", column, definition=type_, value=value, cascade=cascade))
    raise cursor.expected("TYPE, SET or DROP NOT NULL, or SET or DROP DEFAULT")


def _read_column(cursor: TokenCursor) -> NameSyntax:
    name = cursor.read_name() if not cursor.at_end() else None
    if name is None:
        raise cursor.expected("a name")
    return name


def _finish(cursor: TokenCursor, syntax: AlterSyntax) -> AlterSyntax:
    if not cursor.at_end():
        raise cursor.expected("the end of the statement")
    return syntax
