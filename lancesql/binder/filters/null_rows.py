"""Whether a predicate drops the rows that an outer join fills with NULLs."""

from __future__ import annotations

from itertools import product

import pyarrow as pa
from sqlglot import exp

from lancesql.catalog import Catalog
from lancesql.parser import read_tokens
from lancesql.parser.parameters import find_parameters

__all__ = ["drops_null_row", "rejects_null"]

_Outcomes = frozenset[bool | None]
"""What an expression may be: true, false or NULL; a value that is not NULL is true or false."""

_NULL: _Outcomes = frozenset({None})
_VALUE: _Outcomes = frozenset({True, False})
_ANYTHING: _Outcomes = frozenset({True, False, None})

_STRICT = (
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Like, exp.ILike, exp.RegexpLike, exp.SimilarTo, exp.Sub,
    exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Pow, exp.Neg, exp.DPipe, exp.BitwiseAnd, exp.BitwiseOr,
    exp.BitwiseXor, exp.BitwiseNot, exp.StartsWith, exp.Lower, exp.Upper, exp.Length, exp.Abs, exp.Cast,
    exp.ArrayContains, exp.ArrayOverlaps, exp.ArrayContainsAll, exp.Bracket, exp.Collate, exp.Extract,
)  # fmt: skip
"""What is NULL when one of its arguments is."""
_STRICT_METHODS = ("abs", "length", "lower", "starts_with", "upper")
"""The same, called like methods: `title.upper()`."""


def drops_null_row(sql: str, tree: exp.Expr, alias: str, schema: pa.Schema, catalog: Catalog) -> bool:
    """Whether a predicate on a relation's columns is not true of a row of NULLs; the engine is asked where that helps.

    Args:
        sql: The predicate.
        tree: The same, read.
        alias: What the relation is called in it.
        schema: The columns of it whose types are known.
        catalog: Has the engine.
    """
    if rejects_null(tree):
        return True
    if find_parameters(read_tokens(sql)) or tree.find(exp.Select, exp.Columns) is not None:
        return False
    return catalog.rejects_nulls(sql, alias, schema)


def rejects_null(tree: exp.Expr) -> bool:
    """Whether the predicate is surely not true when every column it uses is NULL.

    Example:
        >>> import sqlglot
        >>> [rejects_null(sqlglot.parse_one(sql)) for sql in ("a = 1", "a IS NULL", "a IS NOT TRUE", "a IS TRUE")]
        [True, False, False, True]
    """
    return True not in _list_outcomes(tree)


def _list_outcomes(tree: exp.Expr | None) -> _Outcomes:
    match tree:
        case exp.Column():
            return _NULL
        case exp.Null():
            return _NULL
        case exp.Boolean():
            return frozenset({bool(tree.this)})
        case exp.Literal():
            return _VALUE
        case exp.Paren():
            return _list_outcomes(tree.this)
        case exp.Not():
            return frozenset(None if one is None else not one for one in _list_outcomes(tree.this))
        case exp.And() | exp.Or():
            decisive = isinstance(tree, exp.Or)
            pairs = product(_list_outcomes(tree.left), _list_outcomes(tree.right))
            return frozenset(decisive if decisive in pair else None if None in pair else not decisive for pair in pairs)
        case exp.Is() | exp.NullSafeEQ():
            return _compare_alike(tree)
        case exp.NullSafeNEQ():
            return frozenset(not one for one in _compare_alike(tree))
        case exp.Between():
            bounds = [_is_null(tree.args[key]) for key in ("low", "high")]
            if all(bounds) or _is_null(tree.this):
                return _NULL
            return frozenset({None, False}) if any(bounds) else _ANYTHING  # the other one may make it false
        case exp.Add():
            # Lists are joined by it, and there NULL counts as an empty one.
            strict = (exp.Literal, exp.Interval, exp.Neg)
            others = [one for one in (tree.left, tree.right) if not _is_null(one)]
            return _NULL if len(others) < 2 and all(isinstance(one, strict) for one in others) else _ANYTHING
        case exp.In():
            return _look_in(tree)
        case exp.Case():
            return _choose(tree)
        case exp.Coalesce():
            return _first_of(tree.this, *tree.expressions)
        case exp.Dot() if tree.expression.name.lower() in _STRICT_METHODS:
            return _NULL if _is_null(tree.this) else _ANYTHING
        case exp.Anonymous():
            # A call of `match()`, `highlight()` or `snippet()`: NULL when each of its texts is.
            own = tree.name.startswith("__lancesql_text_") and _is_null(tree.expressions[0])
            return _NULL if own else _ANYTHING
    if isinstance(tree, _STRICT):
        operands = [one for one in tree.iter_expressions() if not isinstance(one, exp.DataType | exp.Var)]
        several = any(isinstance(one, exp.Any | exp.All) or one.name.upper() == "ALL" for one in operands)  # or none
        return _NULL if not several and any(_is_null(one) for one in operands) else _ANYTHING
    return _ANYTHING


def _is_null(tree: exp.Expr) -> bool:
    return _list_outcomes(tree) == _NULL


def _compare_alike(tree: exp.Expr) -> _Outcomes:
    """`IS [TRUE | FALSE | NULL]`, and `IS NOT DISTINCT FROM`: never NULL."""
    left, right = _list_outcomes(tree.this), _list_outcomes(tree.args["expression"])
    if left == right and len(left) == 1:
        return frozenset({True})
    return _VALUE if left & right else frozenset({False})


def _look_in(tree: exp.In) -> _Outcomes:
    if not _is_null(tree.this):
        listed = tree.args.get("field") or tree.args.get("unnest")
        return _NULL if isinstance(listed, exp.Expr) and _is_null(listed) else _ANYTHING
    return _NULL if tree.expressions else frozenset({None, False})  # an empty list has no NULL


def _choose(tree: exp.Case) -> _Outcomes:
    found: set[bool | None] = set()
    for branch in tree.args["ifs"]:
        if tree.this is None:
            condition = _list_outcomes(branch.this)
        else:
            condition = _NULL if _is_null(tree.this) or _is_null(branch.this) else _ANYTHING
        if True in condition:
            found |= _list_outcomes(branch.args["true"])
        if condition == frozenset({True}):
            return frozenset(found)
    default = tree.args.get("default")
    return frozenset(found | (_NULL if default is None else _list_outcomes(default)))


def _first_of(*values: exp.Expr) -> _Outcomes:
    found: frozenset[bool | None] = frozenset()
    for value in values:
        outcomes = _list_outcomes(value)
        found |= outcomes - _NULL
        if None not in outcomes:
            return found
    return found | _NULL
