"""Search calls of a statement, found by their tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lancesql.errors import ParseError, Span

from .tokens import Token, TokenType, find_closing, is_word

__all__ = [
    "COMBINATORS",
    "FACETS",
    "SEARCH_FUNCTIONS",
    "Argument",
    "SearchCall",
    "find_search_calls",
    "names_facets",
    "read_search_argument",
    "split_arguments",
]

SEARCH_FUNCTIONS = frozenset(
    {"vector_search", "fts", "hybrid_search", "lance_vector_search", "lance_fts", "lance_hybrid_search"}
)
FACETS = "facets"
"""Counts the rows of any relation; without a parenthesis behind it the word is a name."""
COMBINATORS = frozenset({"rrf", "rerank"})
"""Functions of searches. A function of the user's may have such a name: without a search in it the call is not ours."""

_FACETS_CALL = re.compile(r"(?<!\w)facets\s*\(", re.IGNORECASE)
_NAMED = (TokenType.FARROW, TokenType.COLON_EQ, TokenType.EQ)
_NOT_A_CALL = ("INTO", "TABLE", "VIEW", "MACRO", "FUNCTION", "AS", "INDEX")


@dataclass(frozen=True)
class Argument:
    """One argument of a search call: its name, if it has one, and the tokens of its value."""

    name: str | None
    name_span: Span
    span: Span
    tokens: tuple[Token, ...]


@dataclass(frozen=True)
class SearchCall:
    """`vector_search('docs', $q, k => 5)`, without its alias.

    Attributes:
        function: The function's name in lower case.
        span: From the name to the closing parenthesis.
        lateral: The word LATERAL before it, when it stands there.
    """

    function: str
    span: Span
    name_span: Span
    arguments: tuple[Argument, ...]
    lateral: Span | None = None


def find_search_calls(tokens: list[Token]) -> tuple[SearchCall, ...]:
    """The outermost search calls, in the order of the text."""
    calls: list[SearchCall] = []
    index = 0
    while index < len(tokens) - 1:
        if _starts_call(tokens, index):
            closing = find_closing(tokens, index + 1)
            calls.append(_read_call(tokens, index, closing))
            index = closing
        index += 1
    return tuple(calls)


def read_search_argument(argument: Argument) -> SearchCall | None:
    """The search an argument is; None when it is anything else."""
    tokens = list(argument.tokens)
    if argument.name is not None or len(tokens) < 3 or not _starts_call(tokens, 0):
        return None
    closing = find_closing(tokens, 1)
    return _read_call(tokens, 0, closing) if closing == len(tokens) - 1 else None


def _read_call(tokens: list[Token], index: int, closing: int) -> SearchCall:
    token = tokens[index]
    return SearchCall(
        function=token.text.lower(),
        span=Span(token.start, tokens[closing].end + 1),
        name_span=Span(token.start, token.end + 1),
        arguments=split_arguments(tokens, index + 1, closing),
        lateral=_find_lateral(tokens, index),
    )


def names_facets(sql: str) -> bool:
    """Whether a text may call `facets()`.

    Example:
        >>> names_facets("FROM facets (t, ['a'])"), names_facets("SELECT facets FROM t")
        (True, False)
    """
    return _FACETS_CALL.search(sql) is not None


def _starts_call(tokens: list[Token], index: int) -> bool:
    token = tokens[index]
    name = token.text.lower()
    if name not in SEARCH_FUNCTIONS | COMBINATORS | {FACETS} or token.token_type in (
        TokenType.STRING,
        TokenType.IDENTIFIER,
    ):
        return False
    if index + 1 >= len(tokens) or tokens[index + 1].token_type is not TokenType.L_PAREN:
        return False
    if name in COMBINATORS and not _holds_search(tokens, index + 1):
        return False
    if index == 0:
        return True
    before = tokens[index - 1]
    if is_word(before, "USING"):  # USING FTS (column) names the kind of an index
        return not is_word(tokens[0], "CREATE", "ALTER", "EXPLAIN")
    return before.token_type is not TokenType.DOT and not is_word(before, *_NOT_A_CALL)


def _holds_search(tokens: list[Token], opening: int) -> bool:
    """Whether an argument between the brackets begins with a search."""
    closing = find_closing(tokens, opening)
    index = opening + 1
    while index < closing:
        if _starts_call(tokens, index):
            return True
        index = _find_argument_end(tokens, index, closing) + 1
    return False


def _find_lateral(tokens: list[Token], index: int) -> Span | None:
    before = tokens[index - 1] if index else None
    return Span(before.start, before.end + 1) if before is not None and is_word(before, "LATERAL") else None


def split_arguments(
    tokens: list[Token], opening: int, closing: int, names: tuple[TokenType, ...] = _NAMED
) -> tuple[Argument, ...]:
    """The arguments between two parentheses; `names` are what may stand behind the name of one."""
    arguments: list[Argument] = []
    index = opening + 1
    if index == closing:
        return ()
    while index <= closing:
        end = _find_argument_end(tokens, index, closing)
        if end == index:
            at = tokens[index]
            raise ParseError("an argument is missing here", span=Span(at.start, at.end + 1))
        arguments.append(_read_argument(tokens[index:end], names))
        index = end + 1
    return tuple(arguments)


def _find_argument_end(tokens: list[Token], start: int, closing: int) -> int:
    index = start
    while index < closing:
        kind = tokens[index].token_type
        if kind is TokenType.COMMA:
            return index
        if kind in (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE):
            index = find_closing(tokens, index)
        index += 1
    return closing


def _read_argument(tokens: list[Token], names: tuple[TokenType, ...]) -> Argument:
    first = tokens[0]
    whole = Span(first.start, tokens[-1].end + 1)
    named = len(tokens) >= 2 and tokens[1].token_type in names and first.token_type is not TokenType.STRING
    if not named or not (first.text.isidentifier() or first.token_type is TokenType.IDENTIFIER):
        return Argument(None, whole, whole, tuple(tokens))
    name_span = Span(first.start, first.end + 1)
    if len(tokens) == 2:
        raise ParseError(f"argument '{first.text}' has no value", span=name_span)
    return Argument(first.text, name_span, Span(tokens[2].start, tokens[-1].end + 1), tuple(tokens[2:]))
