"""DELETE, UPDATE, MERGE and TRUNCATE, read: where each of their clauses stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from lancesql.errors import ParseError, Span, UnsupportedError
from lancesql.parser.tokens import TokenType, is_word

from .cursor import NameSyntax, TokenCursor
from .row_syntax import AssignmentSyntax, BranchSyntax, DeleteSyntax, MergeSyntax, TruncateSyntax, UpdateSyntax
from .versions import read_table

__all__ = ["read_assignments", "read_clause", "read_delete", "read_merge", "read_truncate", "read_update"]

_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
_CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)

_OF_QUERIES = (
    TokenType.GROUP_BY, TokenType.ORDER_BY, TokenType.HAVING, TokenType.QUALIFY, TokenType.WINDOW, TokenType.LIMIT,
    TokenType.OFFSET, TokenType.FETCH, TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT,
)  # fmt: skip


def read_delete(cursor: TokenCursor, prefix: Span | None = None) -> DeleteSyntax | None:
    """`FROM target [USING …] [WHERE …] [RETURNING …]`, behind the word DELETE."""
    problem = None if cursor.accept("FROM") else cursor.expected("FROM")
    found = _read_target(cursor)
    if found is None:
        return None
    name, target, alias = found
    if problem is not None:
        return DeleteSyntax(name, target, alias, prefix, problem=problem)
    using = where = returning = None
    try:
        if cursor.accept("USING"):
            using = read_clause(cursor, "tables", "WHERE", "RETURNING")
        where, returning = _read_ending(cursor)
    except (ParseError, UnsupportedError) as error:
        return DeleteSyntax(name, target, alias, prefix, problem=error)
    return DeleteSyntax(name, target, alias, prefix, using, where, returning)


def read_update(cursor: TokenCursor, prefix: Span | None = None) -> UpdateSyntax | None:
    """`target SET … [FROM …] [WHERE …] [RETURNING …]`, behind the word UPDATE."""
    found = _read_target(cursor)
    if found is None:
        return None
    name, target, alias = found
    using = where = returning = None
    try:
        if not cursor.accept("SET"):
            raise cursor.expected("SET")
        assignments = read_assignments(cursor, "FROM", "WHERE", "RETURNING")
        if cursor.accept("FROM"):
            using = read_clause(cursor, "tables", "WHERE", "RETURNING")
        where, returning = _read_ending(cursor)
    except (ParseError, UnsupportedError) as error:
        return UpdateSyntax(name, target, alias, prefix=prefix, problem=error)
    return UpdateSyntax(name, target, alias, assignments, prefix, using, where, returning)


def read_merge(cursor: TokenCursor, prefix: Span | None = None) -> MergeSyntax | None:
    """`INTO target USING source ON … WHEN … THEN … [RETURNING …]`, behind the word MERGE."""
    if not cursor.accept("INTO"):
        return None
    found = _read_target(cursor)
    if found is None:
        return None
    name, target, alias = found
    on = returning = None
    columns: tuple[NameSyntax, ...] = ()
    branches: list[BranchSyntax] = []
    try:
        if not cursor.accept("USING"):
            raise cursor.expected("USING and a table or a query")
        source = read_clause(cursor, "a table or a query in brackets", "ON", "USING")
        if cursor.accept("ON"):
            on = read_clause(cursor, "a condition", "WHEN")
        elif cursor.accept("USING"):
            columns = cursor.read_columns()
        else:
            raise cursor.expected("ON and a condition")
        while cursor.at_word("WHEN"):
            branches.append(_read_branch(cursor))
        if not branches:
            raise cursor.expected("WHEN MATCHED or WHEN NOT MATCHED")
        _, returning = _read_ending(cursor)
    except (ParseError, UnsupportedError) as error:
        return MergeSyntax(name, target, alias, prefix, problem=error)
    return MergeSyntax(name, target, alias, prefix, source, on, columns, tuple(branches), returning)


def read_truncate(cursor: TokenCursor) -> TruncateSyntax | None:
    """`[TABLE] name`, behind the word TRUNCATE."""
    cursor.accept("TABLE")
    name = read_table(cursor)
    if name is None:
        return None
    return TruncateSyntax(name, None if cursor.at_end() else cursor.expected("the end of the statement"))


def read_assignments(cursor: TokenCursor, *ends: str) -> tuple[AssignmentSyntax, ...]:
    """`column = value, …`, up to one of these words."""
    found: list[AssignmentSyntax] = []
    while True:
        if cursor.at_kind(TokenType.L_PAREN):
            found += _read_list(cursor)
        else:
            column = cursor.read_name()
            if column is None or column.quoted_string:
                raise cursor.expected("column = value")
            if not cursor.accept_kind(TokenType.EQ):
                raise cursor.expected("'='")
            value = read_clause(cursor, "a value", *ends, comma=True)
            is_default = cursor.text_of(value).upper() == "DEFAULT"
            found.append(AssignmentSyntax(column, None if is_default else value))
        if not cursor.accept_kind(TokenType.COMMA):
            return tuple(found)


def _read_list(cursor: TokenCursor) -> list[AssignmentSyntax]:
    """`(column, …) = (value, …)`, or `= ROW(value, …)`."""
    columns = cursor.read_columns()
    if not cursor.accept_kind(TokenType.EQ):
        raise cursor.expected("'='")
    start = cursor.span
    cursor.accept("ROW")
    following = cursor.ahead(1)
    if not cursor.at_kind(TokenType.L_PAREN) or (
        following is not None and is_word(following, "SELECT", "FROM", "WITH")
    ):
        raise UnsupportedError(
            "the columns of a list are set to a list of values", hint="write column = value for each", span=cursor.span
        )
    values = _read_values(cursor)
    if len(values) != len(columns):
        raise ParseError(
            f"{len(columns)} columns are named, and {len(values)} values are given",
            span=Span(start.start, cursor.last_taken.end),
        )
    return [AssignmentSyntax(column, value) for column, value in zip(columns, values, strict=True)]


def _read_target(cursor: TokenCursor) -> tuple[NameSyntax, Span, str | None] | None:
    name = read_table(cursor)
    if name is None:
        return None
    end, alias = name.span.end, None
    if cursor.accept("AS") or not cursor.at_word("USING", "WHERE", "RETURNING", "SET"):
        word = cursor.read_word() if not cursor.at_end() else None
        if word is not None:
            end, alias = word.span.end, word.parts[0]
    return name, Span(name.span.start, end), alias


def _read_ending(cursor: TokenCursor) -> tuple[Span | None, Span | None]:
    where = read_clause(cursor, "a condition", "RETURNING") if cursor.accept("WHERE") else None
    returning = read_clause(cursor, "columns") if cursor.accept("RETURNING") else None
    if not cursor.at_end():
        raise cursor.expected("WHERE, RETURNING or the end of the statement")
    return where, returning


def read_clause(
    cursor: TokenCursor,
    wanted: str,
    *ends: str,
    comma: bool = False,
    stop: Callable[[TokenCursor, int], bool] | None = None,
    query: bool = False,
) -> Span:
    """What stands up to one of these words outside of brackets, to a comma, to where `stop` says, or to the end.

    The text becomes a part of another query, so nothing may stand in it that would be a part of that one.
    """
    start = cursor.at
    for at in _walk_outside(cursor):
        token = cursor.tokens[at]
        if not query and ((token.token_type in _OF_QUERIES and not _is_label(cursor, at)) or _samples(cursor, at)):
            raise ParseError(
                f"{token.text.upper()} is not expected here",
                hint="a query in brackets takes it: WHERE id IN (SELECT … ORDER BY … LIMIT …)",
                span=Span(token.start, token.end + 1),
            )
        if (comma and token.token_type is TokenType.COMMA) or (is_word(token, *ends) and not _is_inside(cursor, at)):
            cursor.at = at
            break
        if stop is not None and stop(cursor, at):
            cursor.at = at
            break
    else:
        cursor.at = len(cursor.tokens)
    if cursor.at == start:
        raise cursor.expected(wanted)
    return Span(cursor.tokens[start].start, cursor.last_taken.end)


def _walk_outside(cursor: TokenCursor) -> Iterator[int]:
    """The places of the tokens that stand in no bracket and in no CASE."""
    depth = 0
    for at in range(cursor.at, len(cursor.tokens)):
        token = cursor.tokens[at]
        if token.token_type in _OPENING or is_word(token, "CASE"):
            depth += 1
        elif token.token_type in _CLOSING or (depth and is_word(token, "END")):
            depth -= 1
            if depth < 0:
                raise ParseError(f"'{token.text}' closes nothing", span=Span(token.start, token.end + 1))
        elif depth == 0:
            yield at


def _is_inside(cursor: TokenCursor, at: int) -> bool:
    """Whether FROM belongs to IS [NOT] DISTINCT FROM, or USING to a join."""
    return is_word(cursor.tokens[at], "FROM") and at > 0 and is_word(cursor.tokens[at - 1], "DISTINCT")


def _is_label(cursor: TokenCursor, at: int) -> bool:
    """Whether a word is the name of a field or of a result: `row.limit`, `id AS limit`."""
    before = cursor.tokens[at - 1]
    return before.token_type is TokenType.DOT or is_word(before, "AS")


def _samples(cursor: TokenCursor, at: int) -> bool:
    """Whether `USING SAMPLE` stands here."""
    following = cursor.tokens[at + 1 : at + 2]
    return is_word(cursor.tokens[at], "USING") and bool(following) and is_word(following[0], "SAMPLE")


def _read_branch(cursor: TokenCursor) -> BranchSyntax:
    start = cursor.span
    cursor.take()
    negated = cursor.accept("NOT")
    if not cursor.accept("MATCHED"):
        raise cursor.expected("MATCHED" if negated else "MATCHED or NOT MATCHED")
    matched: Literal["matched", "source only", "target only"] = "source only" if negated else "matched"
    if negated and cursor.accept("BY", "SOURCE"):
        matched = "target only"
    elif negated:
        cursor.accept("BY", "TARGET")
    condition = read_clause(cursor, "a condition", "THEN") if cursor.accept("AND") else None
    if not cursor.accept("THEN"):
        raise cursor.expected("AND and a condition, or THEN")
    return _read_action(cursor, matched, condition, Span(start.start, cursor.last_taken.end))


def _read_action(
    cursor: TokenCursor, matched: Literal["matched", "source only", "target only"], condition: Span | None, span: Span
) -> BranchSyntax:
    place = cursor.span
    if cursor.accept("DO", "NOTHING"):
        return BranchSyntax(matched, "nothing", span, condition)
    if cursor.accept("ERROR"):
        ends = cursor.at_end() or cursor.at_word("WHEN", "RETURNING")
        message = None if ends else read_clause(cursor, "a message", "WHEN", "RETURNING")
        return BranchSyntax(matched, "error", span, condition, message=message)
    if cursor.accept("INSERT"):
        return _read_insert_action(cursor, matched, condition, span)
    if matched == "source only":
        raise cursor.expected("INSERT, DO NOTHING or ERROR")
    if cursor.accept("DELETE"):
        return BranchSyntax(matched, "delete", span, condition)
    if not cursor.accept("UPDATE"):
        raise cursor.expected("UPDATE, DELETE, INSERT, DO NOTHING or ERROR")
    if cursor.accept("SET") and not cursor.at_kind(TokenType.STAR):
        assignments = read_assignments(cursor, "WHEN", "RETURNING")
        return BranchSyntax(matched, "update", span, condition, assignments)
    if matched == "target only":
        raise UnsupportedError(
            "a row without a source needs UPDATE SET column = value", span=Span(place.start, cursor.last_taken.end)
        )
    return BranchSyntax(matched, "update", span, condition, by=_read_pairing(cursor))


def _read_insert_action(
    cursor: TokenCursor, matched: Literal["matched", "source only", "target only"], condition: Span | None, span: Span
) -> BranchSyntax:
    columns = cursor.read_columns() if cursor.at_kind(TokenType.L_PAREN) else ()
    if not columns and cursor.accept("DEFAULT", "VALUES"):
        return BranchSyntax(matched, "insert", span, condition)
    if not columns and not cursor.at_word("VALUES") and matched == "target only":
        raise UnsupportedError("a row without a source needs INSERT (column, …) VALUES (…)", span=cursor.last_taken)
    if not columns and not cursor.at_word("VALUES"):
        return BranchSyntax(matched, "insert", span, condition, by=_read_pairing(cursor))
    if not cursor.accept("VALUES"):
        raise cursor.expected("VALUES (…)")
    values = _read_values(cursor)
    if columns and len(values) != len(columns):
        raise ParseError(
            f"{len(columns)} columns are named, and {len(values)} values are given", span=cursor.last_taken
        )
    named = columns or (None,) * len(values)
    assignments = tuple(
        AssignmentSyntax(column or NameSyntax((), quoted_string=False, span=span), value)
        for column, value in zip(named, values, strict=True)
    )
    return BranchSyntax(matched, "insert", span, condition, assignments)


def _read_values(cursor: TokenCursor) -> tuple[Span | None, ...]:
    if not cursor.accept_kind(TokenType.L_PAREN):
        raise cursor.expected("(value, …)")
    values: list[Span | None] = []
    while True:
        value = _read_item(cursor)
        values.append(None if cursor.text_of(value).upper() == "DEFAULT" else value)
        if cursor.accept_kind(TokenType.R_PAREN):
            return tuple(values)
        if not cursor.accept_kind(TokenType.COMMA):
            raise cursor.expected("',' or ')'")


def _read_item(cursor: TokenCursor) -> Span:
    """One item of a list in brackets."""
    start, depth = cursor.at, 0
    while not cursor.at_end():
        kind = cursor.tokens[cursor.at].token_type
        if depth == 0 and kind in (TokenType.COMMA, TokenType.R_PAREN):
            break
        depth += (kind in _OPENING) - (kind in _CLOSING)
        cursor.at += 1
    if cursor.at == start:
        raise cursor.expected("a value")
    return Span(cursor.tokens[start].start, cursor.last_taken.end)


def _read_pairing(cursor: TokenCursor) -> Literal["name", "position"]:
    """`[*] [BY NAME | BY POSITION] [*]`; by position when nothing is said, as in DuckDB."""
    starred = cursor.accept_kind(TokenType.STAR)
    by_name = cursor.accept("BY", "NAME")
    if (by_name or cursor.accept("BY", "POSITION")) and not starred:
        cursor.accept_kind(TokenType.STAR)
    return "name" if by_name else "position"
