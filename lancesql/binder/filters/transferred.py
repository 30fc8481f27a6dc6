"""`a.x = b.y AND a.x = 5` says `b.y = 5` too: what an equality of an inner join carries to its other side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from lancesql.binder.scope import Relation, Scope

from .lineage import Lineage, compare_alike
from .moving import Moving
from .null_rows import rejects_null

__all__ = ["transfer_conjuncts"]

Place = tuple[Relation, str]
_COMPARING = (
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between, exp.And, exp.Or, exp.Not, exp.Paren,
    exp.Column, exp.Identifier, exp.Literal, exp.Neg, exp.Parameter, exp.Placeholder, exp.Var,
)  # fmt: skip
"""What means the same of an integer, however wide the column that holds it."""


def transfer_conjuncts(
    conjuncts: list[tuple[Relation, Moving]], trees: list[exp.Expr], scope: Scope, lineage: Lineage
) -> Iterator[tuple[Relation, Moving]]:
    """Each conjunct on one column, for every other column that it equals in all rows of the block.

    Args:
        conjuncts: The conjuncts that read one relation, each with it.
        trees: Every conjunct of WHERE and of the inner joins.
        scope: The block.
        lineage: What its columns are.
    """
    classes = _read_classes(trees, scope, lineage)
    for relation, moving in conjuncts:
        if len(moving.names) != 1 or relation.nullable or not rejects_null(moving.tree):
            continue
        (name,) = moving.names
        place = (id(relation.node), name)
        equal = next((one for one in classes if place in one), {})
        for other, column in equal.values():
            if other is relation or not _agree((relation, name), (other, column), moving, lineage):
                continue
            yield other, replace(moving.rename({name: column}), transferred=True)


def _read_classes(trees: list[exp.Expr], scope: Scope, lineage: Lineage) -> list[dict[tuple[int, str], Place]]:
    """The columns that are equal to each other in every row, class by class."""
    classes: list[dict[tuple[int, str], Place]] = []
    for left, right in _read_equalities(trees, scope, lineage):
        if left[0].nullable or right[0].nullable or left[0] is right[0]:
            continue
        pair = {(id(one.node), name): (one, name) for one, name in (left, right)}
        joined = [one for one in classes if one.keys() & pair.keys()]
        classes = [one for one in classes if not one.keys() & pair.keys()]
        classes.append({key: value for one in (*joined, pair) for key, value in one.items()})
    return classes


def _read_equalities(trees: list[exp.Expr], scope: Scope, lineage: Lineage) -> Iterator[tuple[Place, Place]]:
    for tree in trees:
        bare = tree.unnest()
        if isinstance(bare, exp.EQ) and isinstance(bare.left, exp.Column) and isinstance(bare.right, exp.Column):
            left, right = lineage.resolve(bare.left, scope), lineage.resolve(bare.right, scope)
            if left is not None and right is not None:
                yield left, right
    if len(scope.joins) == 1 and len(scope.relations) == 2 and _is_inner(scope.joins[0].node):
        for column in scope.joins[0].node.args.get("using") or ():
            name = column.name.lower()
            yield (scope.relations[0], name), (scope.relations[1], name)


def _is_inner(join: exp.Expr) -> bool:
    words = {str(join.args.get(key) or "").upper() for key in ("side", "kind", "method")}
    return words <= {"", "INNER"}


def _agree(left: Place, right: Place, moving: Moving, lineage: Lineage) -> bool:
    """Whether equal values of the two columns are one value to the predicate."""
    one, other = (lineage.type_of_column(relation, name) for relation, name in (left, right))
    if one is None or other is None or not compare_alike(one, other):
        return False
    if pa.types.is_integer(one):
        return one == other or all(isinstance(node, _COMPARING) for node in moving.tree.walk())
    is_text = pa.types.is_string(one) or pa.types.is_large_string(one)
    return bool(is_text or pa.types.is_date32(one) or pa.types.is_timestamp(one) or pa.types.is_boolean(one))
