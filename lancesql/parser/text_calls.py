"""Calls of `match()`, `highlight()` and `snippet()`, found by their tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lancesql.errors import ParseError, Span

from .calls import Argument, split_arguments
from .tokens import Token, TokenType, find_closing, is_word

__all__ = ["TEXT_FUNCTIONS", "TextCall", "disguise_text_calls", "find_text_calls", "names_text_function"]

TEXT_FUNCTIONS = frozenset({"match", "highlight", "snippet"})

_CALLED = {name: re.compile(rf'{name}"?\s*\(') for name in sorted(TEXT_FUNCTIONS)}
_QUOTED = re.compile(r'"match"(?=\s*\()', re.IGNORECASE)
_NO_CALL_BEHIND = (
    "INTO", "TABLE", "VIEW", "MACRO", "FUNCTION", "USING", "AS", "INDEX", "FROM", "JOIN", "LATERAL", "REFERENCES",
    "UPDATE", "EXISTS", "WITH",
)  # fmt: skip
_ENDS_EXPRESSION = (
    TokenType.DOT, TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER, TokenType.R_PAREN,
    TokenType.R_BRACKET,
)  # fmt: skip
_NAMES = (TokenType.FARROW, TokenType.COLON_EQ)


@dataclass(frozen=True)
class TextCall:
    """`match(title, 'query', operator => 'and')`.

    Attributes:
        function: The function's name in lower case.
        span: From the name to the closing parenthesis.
        arguments: Those without a name, in order.
        options: Those with a name.
    """

    function: str
    span: Span
    name_span: Span
    arguments: tuple[Argument, ...]
    options: tuple[Argument, ...]


def names_text_function(sql: str) -> bool:
    """Whether a text may call one of the functions.

    Example:
        >>> names_text_function("SELECT highlight (plot, 'x') FROM films"), names_text_function("SELECT match FROM t")
        (True, False)
    """
    folded = sql.lower()
    return any(name in folded and pattern.search(folded) is not None for name, pattern in _CALLED.items())


def find_text_calls(tokens: list[Token], hidden: Iterable[Span] = ()) -> tuple[TextCall, ...]:
    """The calls in the order of the text, one within another too, but those within the spans `hidden`.

    Raises:
        ParseError: When an argument without a name stands behind one with a name.
    """
    if any(is_word(token, "INDEX") for token in tokens[:4]):
        return ()
    spans = list(hidden)
    calls: list[TextCall] = []
    for index in range(len(tokens) - 1):
        if _starts_call(tokens, index):
            closing = find_closing(tokens, index + 1)
            span = Span(tokens[index].start, tokens[closing].end + 1)
            if not any(one.start <= span.start < one.end for one in spans) and not _names_query(tokens, closing):
                calls.append(_read_call(tokens, index, closing))
    return tuple(calls)


def disguise_text_calls(text: str, calls: Iterable[TextCall]) -> str:
    """The text, of the same length, as sqlglot reads it: MATCH is a keyword to it, quoted too, and `end` is one."""
    text = _QUOTED.sub('"matc_"', text)
    for call in calls:
        if call.function == "match":
            text = f"{text[: call.name_span.start]}matc_{text[call.name_span.end :]}"
        if call.options:
            start = call.arguments[-1].span.end if call.arguments else call.options[0].name_span.start
            text = text[:start] + " " * (call.span.end - 1 - start) + text[call.span.end - 1 :]
    return text


def _starts_call(tokens: list[Token], index: int) -> bool:
    token = tokens[index]
    if token.text.lower() not in TEXT_FUNCTIONS or token.token_type in (TokenType.STRING, TokenType.IDENTIFIER):
        return False
    if tokens[index + 1].token_type is not TokenType.L_PAREN:
        return False
    before = tokens[index - 1] if index else None
    if before is None or _closes_distinct(tokens, index - 1):
        return True
    return not (before.token_type in _ENDS_EXPRESSION or is_word(before, *_NO_CALL_BEHIND))


def _closes_distinct(tokens: list[Token], closing: int) -> bool:
    """Whether the parenthesis ends `DISTINCT ON (…)`, behind which an expression stands."""
    if tokens[closing].token_type is not TokenType.R_PAREN:
        return False
    openings = (at for at in range(closing) if tokens[at].token_type is TokenType.L_PAREN)
    return any(
        at > 1
        and is_word(tokens[at - 1], "ON")
        and is_word(tokens[at - 2], "DISTINCT")
        and find_closing(tokens, at) == closing
        for at in openings
    )


def _names_query(tokens: list[Token], closing: int) -> bool:
    """Whether what looks like a call is the name of a common table expression: `match(a, b) AS (…)`."""
    behind = tokens[closing + 1 : closing + 3]
    is_as = len(behind) == 2 and is_word(behind[0], "AS")
    return is_as and (behind[1].token_type is TokenType.L_PAREN or is_word(behind[1], "MATERIALIZED", "NOT"))


def _read_call(tokens: list[Token], index: int, closing: int) -> TextCall:
    name = tokens[index]
    read = split_arguments(tokens, index + 1, closing, _NAMES)
    first = next((at for at, one in enumerate(read) if one.name is not None), len(read))
    late = next((one for one in read[first:] if one.name is None), None)
    if late is not None:
        raise ParseError("an argument without a name stands behind one with a name", span=late.span)
    return TextCall(
        function=name.text.lower(),
        span=Span(name.start, tokens[closing].end + 1),
        name_span=Span(name.start, name.end + 1),
        arguments=read[:first],
        options=read[first:],
    )
