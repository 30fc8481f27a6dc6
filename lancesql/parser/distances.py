"""Distances between two vectors, read from tokens: functions of DuckDB, and the operators of pgvector."""

from __future__ import annotations

from dataclasses import dataclass

from .blocks import TokenTree, split_list
from .operators import find_operands, is_distance_operator
from .tokens import TokenType

__all__ = ["DistanceSyntax", "read_distance"]

_METRICS = {
    "distance": "l2",
    "cosine_distance": "cosine",
    "negative_inner_product": "dot",
    "negative_dot_product": "dot",
}
_SIMILARITIES = {
    "cosine_similarity": "cosine",
    "inner_product": "dot",
    "dot_product": "dot",
}
_OPERATORS = {"<->": "l2", "<=>": "cosine", "<#>": "dot", "<+>": "l1"}


@dataclass(frozen=True)
class DistanceSyntax:
    """`array_distance(v, $q)`, `v <-> $q`, `1 - array_cosine_similarity(v, $q)`.

    Attributes:
        function: The function or operator.
        metric: `l2`, `cosine`, `dot` or `l1`.
        operands: The tokens of each operand, `[first, last)`.
        rising: Whether the nearest row has the smallest value; not so for a similarity.
    """

    function: str
    metric: str
    operands: tuple[tuple[int, int], tuple[int, int]]
    rising: bool = True


def read_distance(tree: TokenTree, first: int, last: int) -> DistanceSyntax | None:
    """The distance the tokens `[first, last)` are, and nothing else."""
    tokens = tree.tokens
    while last - first > 2 and tokens[first].token_type is TokenType.L_PAREN and tree.partner.get(first) == last - 1:
        first, last = first + 1, last - 1
    if last - first < 3:
        return None
    index = first
    while index < last:
        if is_distance_operator(tokens[index]):
            operands = find_operands(tree, index)
            metric = _OPERATORS.get(tokens[index].text)
            whole = operands == ((first, index), (index + 1, last))
            return DistanceSyntax(tokens[index].text, metric, operands) if whole and metric else None
        index = tree.partner.get(index, index) + 1
    call = _read_call(tree, first, last)
    if call is not None:
        return call
    kind, number = tokens[first].token_type, tokens[first].text
    if kind is TokenType.DASH:  # -array_inner_product(v, $q)
        similarity = _read_call(tree, first + 1, last)
        wanted = "dot"
    elif kind is TokenType.NUMBER and number in ("1", "1.0") and tokens[first + 1].token_type is TokenType.DASH:
        similarity = _read_call(tree, first + 2, last)  # 1 - array_cosine_similarity(v, $q)
        wanted = "cosine"
    else:
        return None
    if similarity is None or similarity.rising or similarity.metric != wanted:
        return None
    return DistanceSyntax(similarity.function, similarity.metric, similarity.operands)


def _read_call(tree: TokenTree, first: int, last: int) -> DistanceSyntax | None:
    tokens = tree.tokens
    if last - first < 3 or tree.partner.get(first + 1) != last - 1:
        return None
    name = tokens[first].text.lower()
    if tokens[first + 1].token_type is not TokenType.L_PAREN or tokens[first].token_type is TokenType.STRING:
        return None
    kind, _, rest = name.partition("_")
    if kind not in ("array", "list") or rest not in (_METRICS | _SIMILARITIES):
        return None
    arguments = split_list(tree, first + 2, last - 1)
    if len(arguments) != 2:
        return None
    metric = _METRICS.get(rest) or _SIMILARITIES[rest]
    return DistanceSyntax(name, metric, (arguments[0], arguments[1]), rising=rest in _METRICS)
