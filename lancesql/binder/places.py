"""Where a block stands in the text, told by the names in it."""

from __future__ import annotations

from sqlglot import exp

__all__ = ["find_place"]


def find_place(select: exp.Select) -> int | None:
    """Where a name stands that belongs to the block itself, not to a query within it; one of its FROM if there is one.

    A name within the parentheses of a function is the last choice: `(show` looks like the beginning of a query.
    """
    joins = select.args.get("joins") or ()
    for tree in (select.args.get("from_"), *joins, select):
        for name in tree.find_all(exp.Identifier) if tree is not None else ():
            if "start" in name.meta and name.find_ancestor(exp.Select) is select:
                return int(name.meta["start"])
    return None
