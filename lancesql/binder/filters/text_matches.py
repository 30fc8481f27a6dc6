"""Predicates that are one `match()` alone: the table's text index knows their rows."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from lancesql.catalog import TableInfo
from lancesql.plan.text_functions import TextFunction, TextMatch

__all__ = ["find_text_match"]


def find_text_match(tree: exp.Expr, table: TableInfo, functions: Iterable[TextFunction]) -> TextMatch | None:
    """What a predicate on one table asks of its texts; None for any that is more than a `match()`, or NOT of one.

    Args:
        tree: The predicate, which calls the function by its placeholder.
        table: The table whose columns, and no others, it names.
        functions: The functions of the statement.
    """
    negated = False
    while isinstance(tree, exp.Paren | exp.Not):
        negated ^= isinstance(tree, exp.Not)
        tree = tree.this
    if not isinstance(tree, exp.Anonymous):
        return None
    function = next((one for one in functions if one.placeholder == tree.name), None)
    if function is None or function.function != "match" or function.query is None:
        return None
    names = [one.name.lower() if isinstance(one, exp.Column) else "" for one in tree.expressions[:-1]]
    traced = [one.column.lower() if one is not None and one.table is table else "" for one in function.traced]
    return TextMatch(function, negated) if names == traced and all(names) else None
