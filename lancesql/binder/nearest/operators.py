"""The distance operators of pgvector, as DuckDB can run them."""

from __future__ import annotations

from collections.abc import Iterator

from lancesql.binder.splice import Edit, splice
from lancesql.errors import Span
from lancesql.parser.blocks import TokenTree
from lancesql.parser.operators import find_operands, is_distance_operator
from lancesql.parser.tokens import Token, TokenType

__all__ = ["spell_operators"]

_SUM_OF_DIFFERENCES = (
    "([CASE WHEN len(__v.a) <> len(__v.b) THEN error('<+>: the vectors have different dimensions') "
    "ELSE list_sum([abs(__p[1] - __p[2]) FOR __p IN list_zip(__v.a, __v.b)]) END FOR __v IN [{'a': ("
)
_SPELLINGS = {
    "<#>": ("list_negative_inner_product(", ",", ")"),
    "<+>": (_SUM_OF_DIFFERENCES, ")::DOUBLE[], 'b': (", ")::DOUBLE[]}]])[1]"),
}
"""What stands before, between and behind the operands. DuckDB has the other operators."""


def spell_operators(sql: str, tree: TokenTree, edits: list[Edit]) -> Iterator[Edit]:
    """`<#>` and `<+>` become functions; no distance is computed of a column's NULL, as DuckDB fails on a NULL array."""
    for index, token in enumerate(tree.tokens):
        if not is_distance_operator(token):
            continue
        left, right = (tree.span(*operand) for operand in find_operands(tree, index))
        columns = [
            splice(sql, edits, span)
            for span, (first, last) in zip((left, right), find_operands(tree, index), strict=True)
            if _is_column(tree.tokens[first:last])
        ]
        before = f"CASE WHEN {' AND '.join(f'{one} IS NOT NULL' for one in columns)} THEN " if columns else ""
        after = " END" if columns else ""
        if token.text in _SPELLINGS:
            opening, between, closing = _SPELLINGS[token.text]
            before, after = before + opening, closing + after
            yield Edit(Span(left.end, token.end + 1), between)
        if before:
            yield Edit(Span(left.start, left.start), before)
            yield Edit(Span(right.end, right.end), after)


def _is_column(tokens: list[Token]) -> bool:
    cast = next((at for at, token in enumerate(tokens) if token.token_type is TokenType.DCOLON), len(tokens))
    names, dots = tokens[:cast:2], tokens[1:cast:2]
    plain = all(
        token.token_type is TokenType.IDENTIFIER
        or (token.text.isidentifier() and token.token_type is not TokenType.STRING)
        for token in names
    )
    return plain and len(names) == len(dots) + 1 and all(token.token_type is TokenType.DOT for token in dots)
