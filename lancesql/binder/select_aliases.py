"""The names that a SELECT list gives its expressions, which DuckDB lets the rest of the block use."""

from __future__ import annotations

from sqlglot import exp

from lancesql.errors import Span
from lancesql.parser import Statement
from lancesql.parser.blocks import Block, split_list
from lancesql.parser.tokens import TokenType, is_word

from .scope import Scope

__all__ = ["read_select_aliases"]


def read_select_aliases(statement: Statement, block: Block, scope: Scope | None) -> dict[str, Span]:
    """`expression AS name`, `expression name` and `name: expression`: name in lower case → where the expression stands.

    Of several expressions of one name the last is meant, as DuckDB has it.
    """
    span = block.clauses.get("SELECT")
    if span is None or scope is None:
        return {}
    tree, tokens = statement.token_tree, statement.tokens
    first, end = tree.find_token(span.start), tree.find_token(span.end - 1) + 1
    if is_word(tokens[first], "DISTINCT", "ALL"):
        first += 1
        if is_word(tokens[first], "ON") and first + 1 in tree.partner:
            first = tree.partner[first + 1] + 1
    items = split_list(tree, first, end)
    aliases: dict[str, Span] = {}
    if len(items) != len(scope.owner.expressions):
        return {}
    for (start, stop), item in zip(items, scope.owner.expressions, strict=True):
        if not isinstance(item, exp.Alias) or stop - start < 2:
            continue
        if tokens[start].text == item.alias and tokens[start + 1].token_type is TokenType.COLON:
            expression = (start + 2, stop)
        else:
            expression = (start, stop - (2 if is_word(tokens[stop - 2], "AS") else 1))
        if expression[0] < expression[1]:
            aliases[item.alias.lower()] = tree.span(*expression)
    return aliases
