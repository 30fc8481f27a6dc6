"""Statements about indexes that are there, read: DROP, REINDEX, OPTIMIZE, SHOW and ANALYZE."""

from __future__ import annotations

from lancesql.errors import UnsupportedError

from .cursor import NameSyntax, TokenCursor
from .syntax import AnalyzeSyntax, ShowIndexesSyntax
from .upkeep_syntax import DropIndexSyntax, RefreshIndexSyntax
from .versions import read_table

__all__ = [
    "pass_index",
    "read_analyze",
    "read_drop_index",
    "read_optimize_index",
    "read_refresh_index",
    "read_show_indexes",
]


def pass_index(cursor: TokenCursor) -> bool:
    """Passes `[VECTOR | SEARCH] INDEX` when it comes next."""
    return cursor.accept("INDEX") or cursor.accept("VECTOR", "INDEX") or cursor.accept("SEARCH", "INDEX")


def read_analyze(cursor: TokenCursor) -> AnalyzeSyntax | None:
    """`ANALYZE name`."""
    name = read_table(cursor)
    return AnalyzeSyntax(name) if name is not None and cursor.at_end() else None


def read_show_indexes(cursor: TokenCursor) -> ShowIndexesSyntax:
    """`SHOW INDEXES [ON name]`, at the word INDEXES."""
    cursor.take()
    if cursor.at_end():
        return ShowIndexesSyntax(None)
    if not (cursor.accept("ON") or cursor.accept("FROM") or cursor.accept("IN")):
        raise cursor.expected("ON and a table")
    cursor.accept("TABLE")
    name = read_table(cursor)
    if name is None:
        raise cursor.expected("a table")
    if not cursor.at_end():
        raise cursor.expected("the end of the statement")
    return ShowIndexesSyntax(name)


def read_drop_index(cursor: TokenCursor) -> DropIndexSyntax | None:
    """`… INDEX [IF EXISTS] name [ON table]`, or `table.name`, behind the word INDEX."""
    cursor.accept("CONCURRENTLY")
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.read_name()
    if name is None:
        return None
    table = None
    if cursor.accept("ON"):
        cursor.accept("TABLE")
        table = read_table(cursor)
    elif len(name.parts) > 1:
        table, name = _split_name(name)
    problem = None if cursor.at_end() else cursor.expected("the end of the statement")
    return DropIndexSyntax(table, name, if_exists, problem)


def read_refresh_index(cursor: TokenCursor, *, rebuild: bool) -> RefreshIndexSyntax:
    """`name ON table OPTIMIZE | REBUILD` behind ALTER INDEX; `name ON table` or `[TABLE] table` behind REINDEX."""
    name: NameSyntax | None = None
    table: NameSyntax | None = None
    if_exists = False
    if rebuild and cursor.accept("TABLE"):
        cursor.accept("CONCURRENTLY")
        table = read_table(cursor)
    else:
        cursor.accept("INDEX")
        cursor.accept("CONCURRENTLY")
        if_exists = cursor.accept("IF", "EXISTS")
        name = read_table(cursor) if rebuild else cursor.read_name()
        if cursor.accept("ON"):
            cursor.accept("TABLE")
            table = read_table(cursor)
        elif rebuild:
            name, table = None, name
        elif name is not None and len(name.parts) > 1:
            table, name = _split_name(name)
    if cursor.at_word("RENAME", "SET", "RESET") and not rebuild:
        raise UnsupportedError(
            f"Lance has no ALTER INDEX … {cursor.take().text.upper()}",
            hint="CREATE OR REPLACE INDEX builds it with other options, or under another name",
            span=cursor.last_taken,
        )
    if table is None:
        raise cursor.expected("a table, or an index ON a table" if rebuild else "ON and a table")
    if not rebuild and not cursor.accept("OPTIMIZE"):
        if not cursor.accept("REBUILD"):
            raise cursor.expected("OPTIMIZE or REBUILD")
        rebuild = True
    return _finish_refresh(cursor, table, name, rebuild, if_exists)


def read_optimize_index(cursor: TokenCursor, table: NameSyntax) -> RefreshIndexSyntax | DropIndexSyntax | None:
    """`OPTIMIZE | DROP INDEX name`, behind `ALTER TABLE name`; None when something else comes."""
    if cursor.accept("DROP", "INDEX"):
        if_exists = cursor.accept("IF", "EXISTS")
        name = cursor.read_word()
        if name is None:
            raise cursor.expected("the name of an index")
        problem = None if cursor.at_end() else cursor.expected("the end of the statement")
        return DropIndexSyntax(table, name, if_exists, problem)
    if not cursor.accept("OPTIMIZE", "INDEX"):
        return None
    name = cursor.read_word()
    if name is None:
        raise cursor.expected("the name of an index")
    return _finish_refresh(cursor, table, name, False, False)


def _split_name(name: NameSyntax) -> tuple[NameSyntax, NameSyntax]:
    """The table and the index of `table.index`."""
    return (
        NameSyntax(name.parts[:-1], quoted_string=False, span=name.span),
        NameSyntax(name.parts[-1:], quoted_string=False, span=name.span),
    )


def _finish_refresh(
    cursor: TokenCursor, table: NameSyntax, name: NameSyntax | None, rebuild: bool, if_exists: bool
) -> RefreshIndexSyntax:
    options, problem = cursor.finish_with_options()
    return RefreshIndexSyntax(table, name, rebuild, options, problem, if_exists)
