"""Common table expressions: which one a name means, and who reads it."""

from __future__ import annotations

from sqlglot import exp

from lancesql.binder.scope import is_within

__all__ = ["count_references", "find_cte", "find_visible_cte", "is_recursive"]


def find_cte(node: exp.Table) -> exp.CTE | None:
    """The common table expression a table reference means; None when it means a table."""
    return None if node.args.get("db") is not None else find_visible_cte(node.name, node)


def find_visible_cte(name: str, node: exp.Expr) -> exp.CTE | None:
    """The common table expression that a name means where a node stands."""
    name = name.lower()
    parent: exp.Expr | None = node
    while parent is not None:
        with_ = parent.args.get("with_")
        if with_ is not None:
            for cte in with_.expressions:
                if cte.alias.lower() == name and (with_.args.get("recursive") or not is_within(node, cte)):
                    return cte if isinstance(cte, exp.CTE) else None
                if is_within(node, cte):
                    break
        parent = parent.parent
    return None


def is_recursive(cte: exp.CTE) -> bool:
    """Whether a common table expression may read itself."""
    return bool(cte.parent is not None and cte.parent.args.get("recursive")) or bool(cte.args.get("key_expressions"))


def count_references(tree: exp.Expr) -> dict[int, int]:
    """How often each common table expression of a statement is read, by the identity of its node."""
    counts: dict[int, int] = {}
    for node in tree.find_all(exp.Table):
        cte = find_cte(node)
        if cte is not None:
            counts[id(cte)] = counts.get(id(cte), 0) + 1
    return counts
