"""The distance operators of pgvector: where they stand, and what their operands are.

DuckDB binds an operator it does not know less tightly than arithmetic and more tightly than comparison; sqlglot does
neither. So operands are found by tokens.
"""

from __future__ import annotations

from .blocks import TokenTree
from .tokens import DISTANCE_OPERATORS, Token, TokenType, is_word

__all__ = ["find_operand_end", "find_operands", "is_distance_operator"]

_BOUNDARIES = (
    "SELECT", "DISTINCT", "ALL", "FROM", "WHERE", "AND", "OR", "NOT", "ON", "BY", "HAVING", "QUALIFY", "WHEN", "THEN",
    "ELSE", "CASE", "BETWEEN", "LIKE", "ILIKE", "GLOB", "IN", "IS", "AS", "SET", "VALUES", "RETURNING", "USING",
    "LIMIT", "OFFSET", "ORDER BY", "GROUP BY", "PARTITION BY", "ESCAPE", "LAMBDA", "FILTER",
)  # fmt: skip
_BETWEEN_EXPRESSIONS = frozenset(
    {TokenType.COMMA, TokenType.SEMICOLON, TokenType.EQ, TokenType.NEQ, TokenType.LT, TokenType.LTE, TokenType.GT,
     TokenType.GTE, TokenType.COLON, TokenType.COLON_EQ, TokenType.FARROW, TokenType.ARROW, TokenType.L_PAREN,
     TokenType.L_BRACKET, TokenType.L_BRACE}
)  # fmt: skip
_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
_CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)
_SIGNS = (TokenType.DASH, TokenType.PLUS, TokenType.TILDE)
_ARITHMETIC = frozenset(
    {TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH, TokenType.DIV, TokenType.MOD, TokenType.CARET,
     TokenType.DSTAR}
)  # fmt: skip


def is_distance_operator(token: Token) -> bool:
    """Whether the token is `<->`, `<=>`, `<#>` or `<+>`."""
    return token.text in DISTANCE_OPERATORS and token.token_type in (TokenType.LR_ARROW, TokenType.NULLSAFE_EQ)


def find_operands(tree: TokenTree, operator: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The tokens `[first, last)` of the operands of the operator at that index."""
    return (_find_left(tree, operator), operator), (operator + 1, find_operand_end(tree, operator + 1))


def _find_left(tree: TokenTree, operator: int) -> int:
    opening = {closing: opening for opening, closing in tree.partner.items()}
    cases = 0
    index = operator
    while index > 0:
        before = tree.tokens[index - 1]
        if is_word(before, "END"):
            cases += 1
        elif cases:
            cases -= is_word(before, "CASE")
        elif before.token_type in _BETWEEN_EXPRESSIONS or is_word(before, *_BOUNDARIES):
            break
        index = opening.get(index - 1, index - 1) if before.token_type in _CLOSING else index - 1
    return index


def find_operand_end(tree: TokenTree, first: int) -> int:
    """The index behind the arithmetic expression that starts at `first`."""
    tokens, count = tree.tokens, len(tree.tokens)
    index = first
    while index < count:
        while index < count and tokens[index].token_type in _SIGNS:
            index += 1
        index = _skip_suffixes(tree, _skip_atom(tree, index))
        if index >= count or tokens[index].token_type not in _ARITHMETIC:
            break
        index += 1
    return min(index, count)


def _skip_atom(tree: TokenTree, index: int) -> int:
    """The index behind a name, a literal, a parameter, a call or something in brackets."""
    tokens = tree.tokens
    if index >= len(tokens):
        return index
    token = tokens[index]
    if token.token_type in _OPENING:
        return tree.partner.get(index, len(tokens) - 1) + 1
    if is_word(token, "CASE"):
        depth = 0
        while index < len(tokens):
            depth += is_word(tokens[index], "CASE") - is_word(tokens[index], "END")
            index += 1
            if depth == 0:
                break
        return index
    is_marked = token.token_type is TokenType.PARAMETER
    is_typed = index + 1 < len(tokens) and tokens[index + 1].token_type is TokenType.STRING
    is_typed = is_typed and token.token_type not in (TokenType.STRING, TokenType.NUMBER)
    return index + (2 if is_marked or is_typed else 1)


def _skip_suffixes(tree: TokenTree, index: int) -> int:
    """The index behind `.name`, `(…)`, `[…]` and `::type`."""
    tokens = tree.tokens
    while index < len(tokens):
        kind = tokens[index].token_type
        if kind in (TokenType.DOT, TokenType.DCOLON):
            index += 2
        elif kind in (TokenType.L_PAREN, TokenType.L_BRACKET):
            index = tree.partner.get(index, len(tokens) - 1) + 1
        else:
            break
    return index
