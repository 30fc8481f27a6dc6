"""Values written in the statement, read from their tokens: a 1,536-number vector has to cost little."""

from __future__ import annotations

from collections.abc import Sequence

from lancesql.errors import Span
from lancesql.parser.tokens import Token, TokenType
from lancesql.plan.values import Constant

__all__ = ["read_literal"]

_WORDS = {TokenType.TRUE: True, TokenType.FALSE: False, TokenType.NULL: None}


def read_literal(tokens: Sequence[Token]) -> Constant | None:
    """The constant the tokens spell: a number, text, TRUE, FALSE, NULL, or a list of them; None for anything else."""
    if not tokens:
        return None
    value, used = _read(tokens, 0)
    if used != len(tokens):
        return None
    return Constant(value, Span(tokens[0].start, tokens[-1].end + 1))


def _read(tokens: Sequence[Token], at: int) -> tuple[object, int]:
    """The value that starts at `at` and the index behind it; -1 when there is none."""
    if at >= len(tokens):
        return None, -1
    token = tokens[at]
    kind = token.token_type
    if kind is TokenType.NUMBER:
        return _read_number(token.text, 1, at)
    if kind in (TokenType.DASH, TokenType.PLUS) and at + 1 < len(tokens):
        if tokens[at + 1].token_type is TokenType.NUMBER:
            return _read_number(tokens[at + 1].text, -1 if kind is TokenType.DASH else 1, at + 1)
        return None, -1
    if kind is TokenType.STRING:
        return token.text, at + 1
    if kind in _WORDS:
        return _WORDS[kind], at + 1
    if kind is TokenType.ARRAY and at + 1 < len(tokens) and tokens[at + 1].token_type is TokenType.L_BRACKET:
        return _read_list(tokens, at + 1)
    if kind is TokenType.L_BRACKET:
        return _read_list(tokens, at)
    return None, -1


def _read_number(text: str, sign: int, at: int) -> tuple[object, int]:
    digits = text.replace("_", "")
    try:
        return sign * (int(digits) if digits.isdigit() else float(digits)), at + 1
    except ValueError:
        return None, -1


def _read_list(tokens: Sequence[Token], at: int) -> tuple[object, int]:
    values: list[object] = []
    index = at + 1
    if index < len(tokens) and tokens[index].token_type is TokenType.R_BRACKET:
        return (), index + 1
    while True:
        value, index = _read(tokens, index)
        if index < 0 or index >= len(tokens):
            return None, -1
        values.append(value)
        if tokens[index].token_type is TokenType.R_BRACKET:
            return tuple(values), index + 1
        if tokens[index].token_type is not TokenType.COMMA:
            return None, -1
        index += 1
