"""Tokens → CommandSyntax: the statements about tables and indexes, which sqlglot and DuckDB do not read as we do.

Whether a statement is ours depends on what its name means, which only the binder knows. So what is wrong behind the
name is kept in `problem`, and counts when the table is one of Lance; the rest is DuckDB's to judge.
"""

from __future__ import annotations

from collections.abc import Callable

from lancesql.errors import LanceSQLError, ParseError, Span, UnsupportedError

from .command_syntax import (
    AnalyzeSyntax,
    CommandSyntax,
    CreateIndexSyntax,
    CreateTableSyntax,
    CreateViewSyntax,
    DescribeSyntax,
    DropTableSyntax,
    DropViewSyntax,
    ExplainSyntax,
    InsertSyntax,
    SetSyntax,
    ShowIndexesSyntax,
    ShowSettingsSyntax,
    ShowTablesSyntax,
)
from .command_tokens import NameSyntax, OptionSyntax, TokenCursor
from .setting_commands import read_reset, read_set, read_show_settings
from .tokens import Token, TokenType, is_word
from .view_commands import read_create_view, read_drop_view

__all__ = [
    "AnalyzeSyntax",
    "CommandSyntax",
    "CreateIndexSyntax",
    "CreateTableSyntax",
    "CreateViewSyntax",
    "DescribeSyntax",
    "DropTableSyntax",
    "DropViewSyntax",
    "ExplainSyntax",
    "InsertSyntax",
    "NameSyntax",
    "OptionSyntax",
    "SetSyntax",
    "ShowIndexesSyntax",
    "ShowSettingsSyntax",
    "ShowTablesSyntax",
    "read_command",
]


def read_command(sql: str, tokens: list[Token]) -> CommandSyntax | None:
    """Reads one statement; None when it is none of these, and DuckDB or the planner of queries has it.

    Example:
        >>> from lancesql.parser.tokens import read_tokens
        >>> text = "EXPLAIN ANALYZE SELECT 1"
        >>> read_command(text, read_tokens(text))
        ExplainSyntax(analyze=True, body=Span(start=16, end=24), recall=False)

    Raises:
        ParseError: When it is one of these, whatever its names mean, and not complete.
    """
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens = tokens[:-1]
    if not tokens:
        return None
    cursor = TokenCursor(sql, tokens)
    if is_word(tokens[0], "WITH"):
        return _read_prefixed_insert(cursor)
    reader = _READERS.get(cursor.take().text.upper()) if is_word(tokens[0], *_READERS) else None
    return None if reader is None else reader(cursor)


def _read_create(cursor: TokenCursor) -> CommandSyntax | None:
    replace = cursor.accept("OR", "REPLACE")
    if cursor.accept("TABLE"):
        return _read_create_table(cursor, replace=replace)
    if cursor.accept("INDEX"):
        return _read_create_index(cursor, replace=replace)
    if not cursor.accept("TEMP"):
        cursor.accept("TEMPORARY")
    return read_create_view(cursor, replace=replace) if cursor.accept("VIEW") else None


def _read_create_table(cursor: TokenCursor, *, replace: bool) -> CommandSyntax | None:
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.read_name()
    if name is None:
        return None
    if len(name.parts) > 1 and (len(name.parts) > 2 or name.parts[0].lower() != "lance"):
        return None
    if cursor.at_kind(TokenType.L_PAREN):
        refusal = UnsupportedError(
            "a Lance table takes its columns from a query",
            hint=f"CREATE TABLE {cursor.text_of(name.span)} AS SELECT … (with LIMIT 0 for an empty one)",
            span=cursor.span,
        )
        return CreateTableSyntax(name, cursor.rest, problem=refusal) if len(name.parts) > 1 else None
    options: tuple[OptionSyntax, ...] = ()
    if cursor.accept("WITH"):
        options = cursor.read_options()
    if not cursor.accept("AS"):
        raise cursor.expected("AS and a query" if options else "AS and a query, or WITH (options)")
    if cursor.at_end():
        raise cursor.expected("a query")
    body = cursor.rest
    problem: UnsupportedError | None = None
    if cursor.ends_with("WITH", "DATA"):
        body = cursor.cut_last(2)
    elif cursor.ends_with("WITH", "NO", "DATA"):
        problem = UnsupportedError(
            "WITH NO DATA is not supported for a Lance table", hint="add LIMIT 0", span=cursor.last_span
        )
    return CreateTableSyntax(name, body, replace, if_not_exists, options, problem)


def _read_insert(cursor: TokenCursor) -> InsertSyntax | None:
    problem: LanceSQLError | None = None
    start = cursor.span
    if cursor.accept("OR", "REPLACE") or cursor.accept("OR", "IGNORE"):
        problem = UnsupportedError("INSERT OR … is not supported for a Lance table", span=start)
    if not cursor.accept("INTO"):
        return None
    name = cursor.read_name()
    if name is None:
        return None
    try:
        columns = () if _starts_query(cursor) else cursor.read_columns()
        by_name = cursor.accept("BY", "NAME")
        if not by_name:
            cursor.accept("BY", "POSITION")
        if by_name and columns:
            raise ParseError("BY NAME and a list of columns exclude each other", span=columns[0].span)
        if cursor.at_end():
            raise cursor.expected("a query")
        if cursor.at_word("DEFAULT"):
            raise UnsupportedError("DEFAULT VALUES is not supported for a Lance table", span=cursor.span)
        if cursor.at_word("AS"):
            raise UnsupportedError("an alias of the table is not supported for a Lance table", span=cursor.span)
    except (ParseError, UnsupportedError) as error:
        return InsertSyntax(name, cursor.rest, problem=problem or error)
    return InsertSyntax(name, cursor.rest, columns, by_name, problem or _find_clause_behind_query(cursor))


def _starts_query(cursor: TokenCursor) -> bool:
    """Whether a bracket opens a query and not a list of columns."""
    if not cursor.at_kind(TokenType.L_PAREN):
        return True
    behind = cursor.ahead(1)
    return (
        behind is None
        or behind.token_type is TokenType.L_PAREN
        or is_word(
            behind, "SELECT", "FROM", "WITH", "VALUES", "TABLE", "PIVOT", "UNPIVOT", "SUMMARIZE", "DESCRIBE", "SHOW"
        )
    )


def _find_clause_behind_query(cursor: TokenCursor) -> LanceSQLError | None:
    depth = 0
    rest = cursor.remaining()
    for token, behind in zip(rest, [*rest[1:], None], strict=True):
        if token.token_type in (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE):
            depth += 1
        elif token.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE):
            depth -= 1
        elif depth:
            continue
        elif is_word(token, "RETURNING"):
            return UnsupportedError(
                "RETURNING is not supported for a Lance table",
                hint="ask for the rows in a SELECT of its own",
                span=_place(token),
            )
        elif is_word(token, "ON") and behind is not None and is_word(behind, "CONFLICT"):
            return UnsupportedError(
                "ON CONFLICT is not supported for a Lance table, which has no unique keys",
                hint="leave out the rows that exist with WHERE … NOT IN (SELECT …)",
                span=Span(token.start, behind.end + 1),
            )
    return None


def _read_prefixed_insert(cursor: TokenCursor) -> InsertSyntax | None:
    """`WITH … INSERT INTO …`: DuckDB takes it, and we need the query in one piece."""
    depth = 0
    for index, token in enumerate(cursor.tokens):
        if token.token_type is TokenType.L_PAREN:
            depth += 1
        elif token.token_type is TokenType.R_PAREN:
            depth -= 1
        elif depth == 0 and is_word(token, "SELECT", "VALUES", "FROM"):
            return None
        elif depth == 0 and is_word(token, "INSERT"):
            insert = _read_insert(TokenCursor(cursor.sql, cursor.tokens, index + 1))
            problem = UnsupportedError(
                "WITH in front of INSERT is not supported for a Lance table",
                hint="write it behind the table: INSERT INTO t WITH … SELECT …",
                span=_place(cursor.tokens[0]),
            )
            return None if insert is None else InsertSyntax(insert.name, insert.body, problem=problem)
    return None


def _read_drop(cursor: TokenCursor) -> CommandSyntax | None:
    if cursor.accept("VIEW"):
        return read_drop_view(cursor)
    if not cursor.accept("TABLE"):
        return None
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.read_name()
    if name is None:
        return None
    if not cursor.accept("CASCADE"):
        cursor.accept("RESTRICT")
    return DropTableSyntax(name, if_exists, None if cursor.at_end() else cursor.expected("the end of the statement"))


def _read_create_index(cursor: TokenCursor, *, replace: bool) -> CreateIndexSyntax | None:
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = None if cursor.at_word("ON") else cursor.read_name()
    if not cursor.accept("ON"):
        return None
    cursor.accept("TABLE")
    table = cursor.read_name()
    if table is None:
        return None
    kind: NameSyntax | None = None
    column: NameSyntax | None = None
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None
    try:
        if name is not None and len(name.parts) > 1:
            raise ParseError("the name of an index has no qualifier", span=name.span)
        if cursor.at_kind(TokenType.L_PAREN):
            column = _read_indexed_column(cursor)
            kind = _read_kind(cursor, "USING and a kind of index: IVF_PQ, FTS, BTREE, …")
        else:
            kind = _read_kind(cursor, "(column) or USING")
            column = _read_indexed_column(cursor)
        if cursor.accept("WITH"):
            options = cursor.read_options()
        if not cursor.at_end():
            raise cursor.expected(
                "the end of the statement" if options else "WITH (options) or the end of the statement"
            )
    except (ParseError, UnsupportedError) as error:
        problem = error
    return CreateIndexSyntax(table, name, replace, if_not_exists, kind, column, options, problem)


def _read_kind(cursor: TokenCursor, wanted: str) -> NameSyntax:
    if not cursor.accept("USING"):
        raise cursor.expected(wanted)
    kind = cursor.read_word()
    if kind is None:
        raise cursor.expected("a kind of index: IVF_PQ, FTS, BTREE, …")
    return kind


def _read_indexed_column(cursor: TokenCursor) -> NameSyntax:
    opening = cursor.span
    columns = cursor.read_columns()
    if len(columns) != 1:
        raise UnsupportedError(
            f"an index is on one column, not {len(columns)}",
            hint="make one index for each column",
            span=Span(opening.start, cursor.last_taken.end),
        )
    return columns[0]


def _read_show(cursor: TokenCursor) -> CommandSyntax | None:
    if cursor.accept("TABLES"):
        return ShowTablesSyntax() if cursor.at_end() else None
    if cursor.at_word("INDEXES", "INDEX", "INDICES") and not cursor.is_last():
        cursor.take()
        if not (cursor.accept("ON") or cursor.accept("FROM") or cursor.accept("IN")):
            raise cursor.expected("ON and a table")
        name = cursor.read_name()
        if name is None:
            raise cursor.expected("a table")
        if not cursor.at_end():
            raise cursor.expected("the end of the statement")
        return ShowIndexesSyntax(name)
    if cursor.at_word("INDEXES", "INDICES"):
        cursor.take()
        raise cursor.expected("ON and a table")
    return read_show_settings(cursor) or _read_describe(cursor)


def _read_describe(cursor: TokenCursor) -> DescribeSyntax | None:
    if not cursor.is_last():
        cursor.accept("TABLE")
    name = cursor.read_name()
    return DescribeSyntax(name) if name is not None and cursor.at_end() else None


def _read_explain(cursor: TokenCursor) -> ExplainSyntax | None:
    analyze, recall = cursor.accept("ANALYZE"), False
    if not analyze and cursor.at_kind(TokenType.L_PAREN):
        options = _read_explain_options(cursor)
        if options is None:
            return None
        analyze, recall = "ANALYZE" in options, "RECALL" in options
    if cursor.at_end():
        raise cursor.expected("a statement")
    return ExplainSyntax(analyze, cursor.rest, recall)


def _read_explain_options(cursor: TokenCursor) -> set[str] | None:
    """`(ANALYZE, RECALL)`; nothing for a query in brackets, None for options of DuckDB."""
    option = cursor.ahead(1)
    if option is None or not is_word(option, "ANALYZE", "RECALL", "FORMAT"):
        return set()
    options: set[str] = set()
    cursor.take()
    while cursor.at_word("ANALYZE", "RECALL"):
        options.add(cursor.take().text.upper())
        if cursor.accept_kind(TokenType.R_PAREN):
            return options
        if not cursor.accept_kind(TokenType.COMMA):
            break
    if "RECALL" in options:
        raise cursor.expected("ANALYZE, RECALL or ')'")
    return None


def _read_analyze(cursor: TokenCursor) -> AnalyzeSyntax | None:
    name = cursor.read_name()
    return AnalyzeSyntax(name) if name is not None and cursor.at_end() else None


def _place(token: Token) -> Span:
    return Span(token.start, token.end + 1)


_READERS: dict[str, Callable[[TokenCursor], CommandSyntax | None]] = {
    "CREATE": _read_create,
    "INSERT": _read_insert,
    "DROP": _read_drop,
    "SHOW": _read_show,
    "SET": read_set,
    "RESET": read_reset,
    "DESCRIBE": _read_describe,
    "DESC": _read_describe,
    "EXPLAIN": _read_explain,
    "ANALYZE": _read_analyze,
}
