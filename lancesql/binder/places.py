"""Where a block stands in the text, told by the names in it."""

from __future__ import annotations

from sqlglot import exp

__all__ = ["find_place"]


def find_place(tree: exp.Expr, select: exp.Select) -> int | None:
    """Where a name stands below `tree` that belongs to the block itself, not to a query within it."""
    for name in tree.find_all(exp.Identifier):
        if "start" in name.meta and name.find_ancestor(exp.Select) is select:
            return int(name.meta["start"])
    return None
