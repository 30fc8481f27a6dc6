"""Calls of `embed()`, found by their tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lancesql.errors import Span

from .calls import Argument, split_arguments
from .tokens import Token, TokenType, find_closing, is_word

__all__ = ["EMBED", "EmbedCall", "find_embed_calls", "names_embed"]

EMBED = "embed"

_NAMED_QUERY = ("query", "vector")
_SEARCHES = frozenset({"vector_search", "hybrid_search", "lance_vector_search", "lance_hybrid_search"})
_NAMING = (TokenType.FARROW, TokenType.COLON_EQ, TokenType.EQ)
_NOT_A_CALL = ("MACRO", "FUNCTION", "TABLE", "INTO", "VIEW", "INDEX", "AS", "WITH", "RECURSIVE", "FROM", "JOIN")
_CALL = re.compile(r"(?<!\w)embed\s*\(", re.IGNORECASE)


@dataclass(frozen=True)
class EmbedCall:
    """`embed(text [, 'table.column'] [, role => 'query'])`.

    Attributes:
        span: From the name to the closing parenthesis.
        searched: Whether it is the query of a search, which says whose vectors are compared.
        unnamed: The search, when that query stands there without a name.
        alone: Whether no other argument without a name but the table stands beside it.
    """

    span: Span
    name_span: Span
    arguments: tuple[Argument, ...]
    searched: bool = False
    unnamed: str = ""
    alone: bool = False


def names_embed(sql: str) -> bool:
    """Whether a text may call `embed()`.

    Example:
        >>> names_embed("SELECT embed ('moon')"), names_embed("SELECT embed, embedded(1) FROM t")
        (True, False)
    """
    return "embed" in sql.lower() and _CALL.search(sql) is not None


def find_embed_calls(tokens: list[Token]) -> tuple[EmbedCall, ...]:
    """The outermost calls, in the order of the text."""
    calls: list[EmbedCall] = []
    opened: list[int] = []
    index = 0
    while index < len(tokens) - 1:
        kind = tokens[index].token_type
        if kind in (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE):
            opened.append(index)
        elif kind in (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE) and opened:
            opened.pop()
        elif _starts_call(tokens, index):
            closing = find_closing(tokens, index + 1)
            calls.append(_read_call(tokens, index, closing, opened[-1] if opened else None))
            index = closing
        index += 1
    return tuple(calls)


def _starts_call(tokens: list[Token], index: int) -> bool:
    token = tokens[index]
    if token.text.lower() != EMBED or token.token_type in (TokenType.STRING, TokenType.IDENTIFIER):
        return False
    if tokens[index + 1].token_type is not TokenType.L_PAREN:
        return False
    before = tokens[index - 1] if index else None
    if before is not None and (before.token_type is TokenType.DOT or is_word(before, *_NOT_A_CALL)):
        return False
    behind = tokens[find_closing(tokens, index + 1) + 1 :][:2]
    names_query = len(behind) == 2 and is_word(behind[0], "AS") and behind[1].token_type is TokenType.L_PAREN
    return not names_query  # `WITH …, embed(a) AS (SELECT …)`


def _read_call(tokens: list[Token], index: int, closing: int, around: int | None) -> EmbedCall:
    span = Span(tokens[index].start, tokens[closing].end + 1)
    name_span = Span(tokens[index].start, tokens[index].end + 1)
    arguments = split_arguments(tokens, index + 1, closing)
    search = tokens[around - 1].text.lower() if around else ""
    behind = tokens[closing + 1].token_type if closing + 1 < len(tokens) else None
    if search not in _SEARCHES or behind not in (TokenType.COMMA, TokenType.R_PAREN):
        return EmbedCall(span, name_span, arguments)
    before = tokens[index - 1].token_type
    if before in _NAMING:
        return EmbedCall(span, name_span, arguments, searched=tokens[index - 2].text.lower() in _NAMED_QUERY)
    last = behind is TokenType.R_PAREN or tokens[closing + 3].token_type in _NAMING
    searched = before is TokenType.COMMA
    alone = last and len(split_arguments(tokens[: index + 1], around or 0, index - 1)) == 1
    return EmbedCall(span, name_span, arguments, searched, search if searched else "", alone)
