"""What DuckDB reads and sqlglot's parser does not, spelt in another way: as long as before, so that places stay.

Only the tree is made of that text; what it lacks is nothing that names a relation or a column of one.
"""

from __future__ import annotations

from lancesql.errors import Span

from .blocks import TokenTree
from .tokens import Token, TokenType, is_word

__all__ = ["respell"]

_BEFORE_QUERY = ("AS", "MATERIALIZED", "UNION", "EXCEPT", "INTERSECT", "ALL", "NAME")
_QUERY_WORDS = ("SELECT", "FROM", "VALUES", "TABLE", "PIVOT", "UNPIVOT")
_PIVOTS = (TokenType.PIVOT, TokenType.UNPIVOT)


def respell(text: str, tokens: list[Token]) -> str:
    """The text without the ORDER BY and LIMIT of a PIVOT, and with one SELECT for the rows of `FROM (VALUES …) t, …`.

    Example:
        >>> from lancesql.parser.tokens import read_tokens
        >>> text = "FROM (VALUES (1, 'x'), (2, 'y')) t(a, b) JOIN u USING (a) SELECT u.c"
        >>> respell(text, read_tokens(text))
        "FROM (SELECT  1, 'x'          ) t(a, b) JOIN u USING (a) SELECT u.c"
    """
    tree = TokenTree(tokens)
    for index, token in enumerate(tokens):
        if is_word(token, "VALUES") and _stands_first(tree, index):
            text = _write_one_row(text, tree, index)
        elif token.token_type in _PIVOTS and _starts_query(tree, index):
            text = _leave_out_order(text, tree, index)
    return text


def _starts_query(tree: TokenTree, index: int) -> bool:
    before = tree.tokens[index - 1] if index else None
    brackets = (TokenType.L_PAREN, TokenType.R_PAREN)
    return before is None or before.token_type in brackets or is_word(before, *_BEFORE_QUERY)


def _stands_first(tree: TokenTree, index: int) -> bool:
    """Whether VALUES begins what is in brackets behind the FROM that a query starts with."""
    opening = tree.parent[index]
    return (
        opening == index - 1
        and opening > 0
        and is_word(tree.tokens[opening - 1], "FROM")
        and _starts_query(tree, opening - 1)
    )


def _write_one_row(text: str, tree: TokenTree, index: int) -> str:
    first, end = index + 1, tree.partner.get(index - 1)
    closing = tree.partner.get(first)
    if end is None or closing is None or not all(_is_constant(tree, at) for at in range(closing, end)):
        return text
    start, stop = tree.tokens[index].start, tree.tokens[end].start
    row = text[tree.tokens[first].end + 1 : tree.tokens[closing].start]
    written = "SELECT".ljust(tree.tokens[first].end + 1 - start) + row
    return text[:start] + written.ljust(stop - start) + text[stop:]


def _is_constant(tree: TokenTree, at: int) -> bool:
    """Whether a token may stand in an expression that reads nothing."""
    token = tree.tokens[at]
    if is_word(token, *_QUERY_WORDS) or token.token_type is TokenType.IDENTIFIER:
        return False
    return token.token_type is not TokenType.VAR or tree.tokens[at - 1].token_type is TokenType.PARAMETER


def _leave_out_order(text: str, tree: TokenTree, index: int) -> str:
    tokens, parent = tree.tokens, tree.parent[index]
    end = tree.partner.get(parent, len(tokens)) if parent >= 0 else len(tokens)
    level = [at for at in range(index, end) if tree.parent[at] == parent]
    cut = next((at for at in level if is_word(tokens[at], "ORDER BY", "LIMIT", "OFFSET")), None)
    if cut is None or any(is_word(tokens[at], *_QUERY_WORDS) for at in range(cut, end)):
        return text
    left_out = Span(tokens[cut].start, tokens[end - 1].end + 1)
    return text[: left_out.start] + " " * (left_out.end - left_out.start) + text[left_out.end :]
