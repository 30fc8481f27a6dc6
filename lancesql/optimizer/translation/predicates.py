"""Text of a conjunct → Predicate: an allow-list of operator × column type, and a reason for everything outside it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any

import pyarrow as pa
from sqlglot import exp

from lancesql.catalog import TableInfo
from lancesql.parser import parse_expression, read_tokens
from lancesql.parser.tokens import is_word
from lancesql.plan.predicates import (
    And,
    Between,
    Column,
    Comparison,
    DistinctFrom,
    Fixed,
    InList,
    InValues,
    IsNull,
    IsTrue,
    Not,
    Or,
    Predicate,
    Truth,
)
from lancesql.plan.values import Constant

from .calls import read_any, translate_any, translate_call, translate_like
from .columns import ColumnReader, is_column, is_comparable
from .values import UntranslatableError, ValueReader, describe, read_plain_value

__all__ = ["UntranslatableError", "translate_predicate"]

_COMPARISONS: dict[type[exp.Expr], Any] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_FLIPPED: dict[str, Any] = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPERATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def translate_predicate(sql: str, alias: str, table: TableInfo) -> Predicate:
    """What Lance evaluates with exactly DuckDB's meaning.

    Example:
        >>> import pyarrow as pa
        >>> table = TableInfo("t", "t", 1, pa.schema([("year", pa.int32())]), 0)
        >>> translate_predicate("year > 2000", "t", table).op
        '>'

    Raises:
        UntranslatableError: With the reason, when that is not proved.
    """
    for name in table.schema.names:
        if "`" in name:
            raise UntranslatableError(f"column {name!r} has a backtick, and Lance reads no filter on such a table")
    tree = parse_expression(sql)
    if tree is None:
        raise UntranslatableError("it cannot be read alone")
    return _Translator(sql, alias, table).translate(tree)


_OPERANDS = frozenset({"this", "expression", "expressions"})
_KNOWN_ARGUMENTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Column: frozenset({"this", "table", "db", "catalog"}),
    exp.Like: frozenset({"this", "expression", "negate"}),
    exp.ILike: frozenset({"this", "expression", "negate"}),
    exp.ArrayContains: frozenset({"this", "expression", "ensure_variant", "check_null"}),
    exp.Case: frozenset({"this", "ifs", "default"}),
    exp.If: frozenset({"this", "true", "false"}),
}
_KNOWN_ARGUMENTS |= dict.fromkeys(
    (exp.Paren, exp.And, exp.Or, exp.Not, exp.Is, exp.Escape, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Coalesce, exp.Nullif,
     exp.Anonymous, exp.StartsWith, exp.EndsWith, exp.Contains, exp.ArrayOverlaps, exp.ArrayContainsAll,
     exp.ArrayContainedBy, *_COMPARISONS), _OPERANDS
)  # fmt: skip


def _refuse_unknown_arguments(tree: exp.Expr) -> None:
    """A part of a predicate that is not looked at must not be lost: sqlglot says NOT LIKE by an argument of LIKE."""
    known = _KNOWN_ARGUMENTS.get(type(tree))
    for name, value in tree.args.items():
        if known is not None and name not in known and value not in (None, False, []):
            raise UntranslatableError(f"{describe(tree)} has a part that is not on the list ({name})")


class _Translator:
    def __init__(self, sql: str, alias: str, table: TableInfo) -> None:
        self.sql = sql
        self.columns = ColumnReader(sql, alias, table)
        self.values = ValueReader(sql)

    def translate(self, tree: exp.Expr) -> Predicate:
        _refuse_unknown_arguments(tree)
        match tree:
            case exp.Paren():
                return self.translate(tree.this)
            case exp.And():
                return And(tuple(self.translate(item) for item in tree.flatten()))
            case exp.Or():
                return Or(tuple(self.translate(item) for item in tree.flatten()))
            case exp.Not():
                return Not(self.translate(tree.this))
            case exp.Is():
                return self._translate_is(tree)
            case exp.Between():
                column = self._comparable(tree.this)
                return Between(column, self.values.read(tree.args["low"]), self.values.read(tree.args["high"]))
            case exp.In():
                return self._translate_in(tree)
            case exp.Like() | exp.ILike() | exp.Escape():
                match_ = translate_like(tree, self.columns, self.values)
                negated = tree.this.args.get("negate") if isinstance(tree, exp.Escape) else tree.args.get("negate")
                return Not(match_) if negated else match_
            case exp.NullSafeNEQ():
                return self._translate_distinct(tree)
            case exp.NullSafeEQ():
                return Not(self._translate_distinct(tree))
            case exp.Boolean() | exp.Null() | exp.Parameter() | exp.Placeholder():
                return Fixed(self.values.read(tree))
            case exp.Case():
                return self._translate_case(tree)
            case exp.Coalesce():
                return self._translate_coalesce(tree)
        if is_column(tree):
            column = self.columns.read(tree)
            if not pa.types.is_boolean(column.type):
                raise UntranslatableError(f"column '{column.name}' is not BOOLEAN")
            return IsTrue(column)
        sign = _COMPARISONS.get(type(tree))
        if sign is not None:
            return self._translate_comparison(tree, sign)
        return translate_call(tree, self.columns, self.values)

    def _translate_is(self, tree: exp.Is) -> Predicate:
        if isinstance(tree.expression, exp.Boolean):
            return Truth(self.translate(tree.this), bool(tree.expression.this))
        if not isinstance(tree.expression, exp.Null):
            raise UntranslatableError("IS is pushed for NULL, TRUE and FALSE alone")
        inner = tree.this
        while isinstance(inner, exp.Paren):
            inner = inner.this
        if isinstance(inner, exp.Nullif):
            column = self._comparable(inner.this)
            equal = Comparison(column, "=", self.values.read(inner.expression))
            return Or((IsNull(column), Truth(equal, True)))
        if not is_column(inner):
            return Truth(self.translate(inner), None)
        column = self.columns.read(inner)
        type_ = column.type
        if pa.types.is_nested(type_) and not any(
            is_kind(type_) for is_kind in (pa.types.is_list, pa.types.is_large_list, pa.types.is_struct)
        ):
            raise UntranslatableError(f"IS NULL on {type_} is not proved equal")
        return IsNull(column)

    def _translate_distinct(self, tree: exp.Expr) -> Predicate:
        if "<=>" in self.sql:
            raise UntranslatableError("<=> is a distance to DuckDB")
        left, right = tree.this, tree.expression
        if not is_column(left):
            left, right = right, left
        return DistinctFrom(self._comparable(left), self.values.read(right))

    def _translate_comparison(self, tree: exp.Expr, sign: str) -> Predicate:
        left, right = tree.this, tree.expression
        listed = read_any(right)
        if listed is not None:
            if (listed[0], sign) not in (("any", "="), ("all", "<>")):
                raise UntranslatableError(f"{sign} {listed[0].upper()} is not on the list")
            found = translate_any(left, listed[1], self.columns, self.values)
            return found if sign == "=" else Not(found)
        if is_column(right) and not is_column(left):
            left, right, sign = right, left, _FLIPPED[sign]
        while isinstance(left, exp.Paren):
            left = left.this
        if isinstance(left, exp.Coalesce) and len(left.expressions) == 1:
            return self._compare_coalesced(left, sign, right)
        return Comparison(self._comparable(left), sign, self.values.read(right))  # type: ignore[arg-type]

    def _compare_coalesced(self, tree: exp.Coalesce, sign: str, right: exp.Expr) -> Predicate:
        """`coalesce(column, a) = b`: what `a = b` says is known already, when both are plain."""
        column = self._comparable(tree.this)
        default, value = read_plain_value(tree.expressions[0]), read_plain_value(right)
        plain = isinstance(default, Constant) and isinstance(value, Constant)
        kind = type(default.value) if isinstance(default, Constant) else None
        if not plain or kind is not type(value.value) or kind not in (int, str, bool, date):  # type: ignore[union-attr]
            raise UntranslatableError("coalesce() is computed, and Lance computes some things differently")
        if kind in (int, bool) and not (pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)):
            raise UntranslatableError(f"coalesce() of {column.type} and a whole number is of another type")
        answer = _OPERATIONS[sign](default.value, value.value)  # type: ignore[union-attr]
        known = And((Not(IsNull(column)), Comparison(column, sign, value)))  # type: ignore[arg-type]
        return Or((known, IsNull(column))) if answer else known

    def _translate_in(self, tree: exp.In) -> Predicate:
        if tree.args.get("query") is not None or tree.args.get("unnest"):
            raise UntranslatableError("its list is a query")
        field = tree.args.get("field")
        if field is not None and is_column(field):
            return translate_call(exp.ArrayContains(this=field, expression=tree.this), self.columns, self.values)
        column = self._comparable(tree.this)
        if field is not None:
            return InValues(column, self.values.read(field), unknown_null=False)
        items = tuple(self.values.read(item) for item in tree.expressions)
        plain = self._find_bracket(tree.this) == "("
        return InList(column, items, unknown_null=plain, typed=not plain)

    def _find_bracket(self, tree: exp.Expr) -> str:
        """What opens the list behind an IN, since sqlglot's tree is the same for both.

        A NULL in (…) makes NULL of what is not found, in […] it counts for nothing.
        """
        end = max((node.meta["end"] for node in tree.walk() if "end" in node.meta), default=len(self.sql))
        for token, following in pairwise(read_tokens(self.sql)):
            if token.start > end and is_word(token, "IN"):
                return following.text
        raise UntranslatableError("its list cannot be found in the text")

    def _translate_case(self, tree: exp.Case) -> Predicate:
        """The first branch whose condition is true answers; conditions are told apart by IS TRUE."""
        default = tree.args.get("default")
        answer: Predicate = Fixed(Constant(None)) if default is None else self.translate(default)
        for branch in reversed(tree.args["ifs"]):
            _refuse_unknown_arguments(branch)
            condition = branch.this
            if tree.this is not None:
                condition = exp.EQ(this=tree.this, expression=condition)
            holds = Truth(self.translate(condition), True)
            answer = Or((And((holds, self.translate(branch.args["true"]))), And((Not(holds), answer))))
        return answer

    def _translate_coalesce(self, tree: exp.Coalesce) -> Predicate:
        """`coalesce(predicate, true)` is IS NOT FALSE, and so on."""
        default = read_plain_value(tree.expressions[0]) if len(tree.expressions) == 1 else None
        if not isinstance(default, Constant) or not isinstance(default.value, bool):
            raise UntranslatableError("coalesce() is computed, and Lance computes some things differently")
        item = self.translate(tree.this)
        return Not(Truth(item, False)) if default.value else Truth(item, True)

    def _comparable(self, tree: exp.Expr) -> Column:
        column = self.columns.read(tree)
        if not is_comparable(column.type):
            raise UntranslatableError(f"comparisons on {column.type} are not proved equal")
        return column
