"""Tokens → CommandSyntax: the statements about tables and indexes, which sqlglot and DuckDB do not read as we do.

Whether a statement is ours depends on what its name means, which only the binder knows. So what is wrong behind the
name is kept in `problem`, and counts when the table is one of Lance; the rest is DuckDB's to judge.
"""

from __future__ import annotations

from collections.abc import Callable

from lancesql.errors import Span
from lancesql.parser.tokens import Token, TokenType, is_word

from .alter import read_alter_columns, read_comment, refuse_snapshot
from .changes import read_delete, read_merge, read_truncate, read_update
from .constraints import read_constraint, read_show_constraints
from .copy import read_copy, read_export
from .cursor import TokenCursor
from .database_syntax import ShowDatabasesSyntax
from .databases import read_attach, read_detach, read_show_tables, read_use
from .explain import read_explain
from .index_upkeep import (
    pass_index,
    read_analyze,
    read_drop_index,
    read_optimize_index,
    read_refresh_index,
    read_show_indexes,
)
from .indexes import at_index, read_alter_index, read_create_index
from .keys import read_primary_key
from .maintenance import read_auto_cleanup, read_optimize, read_show_health, read_vacuum
from .refused import refuse_policy, refuse_privileges, refuse_secret
from .rows import read_insert
from .settings import read_reset, read_set, read_show_settings
from .syntax import CommandSyntax, DescribeSyntax, ShowTablesSyntax
from .tables import read_create_table, read_describe, read_drop_table
from .versions import (
    at_history,
    read_alter_reference,
    read_create_reference,
    read_diff,
    read_drop_reference,
    read_restore,
    read_show_history,
    read_table,
)
from .views import read_create_view, read_drop_view

__all__ = ["read_command"]


def read_command(sql: str, tokens: list[Token]) -> CommandSyntax | None:
    """Reads one statement; None when it is none of these, and DuckDB or the planner of queries has it.

    Example:
        >>> from lancesql.parser.tokens import read_tokens
        >>> text = "EXPLAIN ANALYZE SELECT 1"
        >>> read_command(text, read_tokens(text)).body
        Span(start=16, end=24)

    Raises:
        ParseError: When it is one of these, whatever its names mean, and not complete.
    """
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens = tokens[:-1]
    if not tokens:
        return None
    cursor = TokenCursor(sql, tokens)
    if is_word(tokens[0], "WITH"):
        return _read_prefixed(cursor)
    reader = _READERS.get(cursor.take().text.upper()) if is_word(tokens[0], *_READERS) else None
    return None if reader is None else reader(cursor)


def _read_prefixed(cursor: TokenCursor) -> CommandSyntax | None:
    """`WITH … INSERT | UPDATE | DELETE | MERGE …`; None when a query stands behind the common table expressions."""
    depth = 0
    for at, token in enumerate(cursor.tokens):
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth or not is_word(token, "SELECT", "VALUES", "FROM", *_CHANGES):
            continue
        cursor.at = at
        word = cursor.take().text.upper()
        prefix = Span(cursor.tokens[0].start, cursor.tokens[at - 1].end + 1)
        return _CHANGES[word](cursor, prefix) if word in _CHANGES else None
    return None


def _read_create(cursor: TokenCursor) -> CommandSyntax | None:
    replace = cursor.accept("OR", "REPLACE")
    if cursor.accept("TABLE"):
        return read_create_table(cursor, replace=replace)
    if at_index(cursor):
        return read_create_index(cursor, replace=replace)
    if cursor.at_word("TAG", "BRANCH"):
        return read_create_reference(cursor, replace=replace)
    if cursor.at_word("POLICY"):
        refuse_policy(cursor)
    if cursor.at_word("SECRET", "PERSISTENT", "TEMPORARY"):
        refuse_secret(cursor)
    if not cursor.accept("TEMP"):
        cursor.accept("TEMPORARY")
    return read_create_view(cursor, replace=replace) if cursor.accept("VIEW") else None


def _read_drop(cursor: TokenCursor) -> CommandSyntax | None:
    if cursor.accept("VIEW"):
        return read_drop_view(cursor)
    if cursor.at_word("TAG", "BRANCH"):
        return read_drop_reference(cursor)
    if pass_index(cursor):
        return read_drop_index(cursor)
    return read_drop_table(cursor) if cursor.accept("TABLE") else None


def _read_show(cursor: TokenCursor) -> CommandSyntax | None:
    if cursor.accept("TABLES"):
        if cursor.at_end():
            return ShowTablesSyntax()
        database = read_show_tables(cursor)
        return None if database is None else ShowTablesSyntax(database)
    if cursor.at_word("DATABASES") and cursor.is_last():
        return ShowDatabasesSyntax()
    if cursor.at_word("EMBEDDINGS") and cursor.is_last():
        name = cursor.read_name()
        return None if name is None else DescribeSyntax(name, shows_embeddings=True)
    if cursor.at_word("INDEXES", "INDICES") or (cursor.at_word("INDEX") and not cursor.is_last()):
        return read_show_indexes(cursor)
    if cursor.at_word("HEALTH", "MAINTENANCE") and not cursor.is_last():
        return read_show_health(cursor)
    if cursor.at_word("CONSTRAINTS") and not cursor.is_last():
        return read_show_constraints(cursor)
    if at_history(cursor):
        return read_show_history(cursor)
    return read_show_settings(cursor) or read_describe(cursor)


def _read_alter(cursor: TokenCursor) -> CommandSyntax | None:
    if pass_index(cursor):
        return read_refresh_index(cursor, rebuild=False)
    if not cursor.accept("TABLE"):
        return None
    cursor.accept("IF", "EXISTS")
    name = read_table(cursor)
    if name is None:
        return None
    for read in (
        read_alter_index,
        read_optimize_index,
        refuse_snapshot,
        read_alter_reference,
        read_auto_cleanup,
        read_primary_key,
        read_constraint,
        read_alter_columns,
    ):
        found = read(cursor, name)
        if found is not None:
            return found
    return None


def _read_reindex(cursor: TokenCursor) -> CommandSyntax | None:
    return read_refresh_index(cursor, rebuild=True)


_CHANGES: dict[str, Callable[[TokenCursor, Span], CommandSyntax | None]] = {
    "INSERT": read_insert,
    "DELETE": read_delete,
    "UPDATE": read_update,
    "MERGE": read_merge,
}
_READERS: dict[str, Callable[[TokenCursor], CommandSyntax | None]] = {
    "CREATE": _read_create,
    "INSERT": read_insert,
    "DELETE": read_delete,
    "UPDATE": read_update,
    "MERGE": read_merge,
    "TRUNCATE": read_truncate,
    "COPY": read_copy,
    "EXPORT": read_export,
    "DROP": _read_drop,
    "ALTER": _read_alter,
    "OPTIMIZE": read_optimize,
    "VACUUM": read_vacuum,
    "REINDEX": _read_reindex,
    "COMMENT": read_comment,
    "RESTORE": read_restore,
    "DIFF": read_diff,
    "SHOW": _read_show,
    "SET": read_set,
    "RESET": read_reset,
    "DESCRIBE": read_describe,
    "DESC": read_describe,
    "ATTACH": read_attach,
    "DETACH": read_detach,
    "USE": read_use,
    "EXPLAIN": read_explain,
    "GRANT": refuse_privileges,
    "REVOKE": refuse_privileges,
    "ANALYZE": read_analyze,
}
