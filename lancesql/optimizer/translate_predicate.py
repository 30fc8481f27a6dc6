"""Text of a conjunct → Predicate: an allow-list of operator × column type, and a reason for everything outside it."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
from sqlglot import exp

from lancesql.catalog import TableInfo
from lancesql.parser import parse_expression
from lancesql.plan.moments import read_date, read_timestamp
from lancesql.plan.predicates import (
    And,
    Column,
    Comparison,
    InList,
    IsNull,
    IsTrue,
    ListContains,
    Not,
    Or,
    Predicate,
    StringMatch,
)
from lancesql.plan.values import Constant, Parameter, Value

__all__ = ["UntranslatableError", "translate_predicate"]

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_FLIPPED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_STRING_FUNCTIONS = {
    "starts_with": "starts_with",
    "prefix": "starts_with",
    "ends_with": "ends_with",
    "suffix": "ends_with",
    "contains": "contains",
}
_LIST_FUNCTIONS = frozenset({"list_contains", "list_has", "array_contains", "array_has"})


class UntranslatableError(Exception):
    """The predicate is outside the allow-list; the text is the reason."""


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
    return _Translator(alias.lower(), table.schema).translate(tree)


_KNOWN_ARGUMENTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Column: frozenset({"this", "table", "db"}),
    exp.Like: frozenset({"this", "expression", "negate"}),
    exp.ArrayContains: frozenset({"this", "expression", "ensure_variant", "check_null"}),
}
_OPERANDS = frozenset({"this", "expression", "expressions"})
_KNOWN_ARGUMENTS |= dict.fromkeys((exp.Paren, exp.And, exp.Or, exp.Not, exp.Is, *_COMPARISONS), _OPERANDS)
_KNOWN_ARGUMENTS |= dict.fromkeys((exp.Anonymous, exp.StartsWith, exp.EndsWith, exp.Contains), _OPERANDS)


def _refuse_unknown_arguments(tree: exp.Expr) -> None:
    """A part of a predicate that is not looked at must not be lost: sqlglot says NOT LIKE by an argument of LIKE."""
    known = _KNOWN_ARGUMENTS.get(type(tree))
    for name, value in tree.args.items():
        if known is not None and name not in known and value not in (None, False, []):
            raise UntranslatableError(f"{_describe(tree)} has a part that is not on the list ({name})")


class _Translator:
    def __init__(self, alias: str, schema: pa.Schema) -> None:
        self.alias = alias
        self.schema = schema

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
                column = self._column(tree.this)
                low = self._comparison(column, ">=", tree.args["low"])
                return And((low, self._comparison(column, "<=", tree.args["high"])))
            case exp.In():
                return self._translate_in(tree)
            case exp.Like():
                column = self._string_column(tree.this)
                match_ = StringMatch(column, "like", self._value(tree.expression))
                return Not(match_) if tree.args.get("negate") else match_
            case exp.Column():
                column = self._column(tree)
                if not pa.types.is_boolean(column.type):
                    raise UntranslatableError(f"column '{column.name}' is not BOOLEAN")
                return IsTrue(column)
        operator = _COMPARISONS.get(type(tree))
        if operator is not None:
            return self._translate_comparison(tree, operator)
        return self._translate_function(tree)

    def _translate_is(self, tree: exp.Is) -> Predicate:
        column = self._column(tree.this)
        if not isinstance(tree.expression, exp.Null):
            raise UntranslatableError("IS is pushed for NULL alone")
        if pa.types.is_nested(column.type) and not pa.types.is_list(column.type):
            raise UntranslatableError(f"IS NULL on {column.type} is not proved equal")
        return IsNull(column)

    def _translate_comparison(self, tree: exp.Expr, operator: str) -> Predicate:
        left, right = tree.this, tree.expression
        if isinstance(right, exp.Column) and not isinstance(left, exp.Column):
            left, right, operator = right, left, _FLIPPED[operator]
        if not isinstance(left, exp.Column):
            raise UntranslatableError(f"{_describe(left)} is computed, and Lance computes some things differently")
        return self._comparison(self._column(left), operator, right)

    def _comparison(self, column: Column, operator: str, value: exp.Expr) -> Comparison:
        self._check_comparable(column)
        return Comparison(column, operator, self._value(value))  # type: ignore[arg-type]

    def _translate_in(self, tree: exp.In) -> Predicate:
        column = self._column(tree.this)
        if tree.args.get("query") is not None or tree.args.get("field") is not None or tree.args.get("unnest"):
            raise UntranslatableError("its list is a query")
        self._check_comparable(column)
        if not tree.expressions:
            raise UntranslatableError("its list is empty")
        return InList(column, tuple(self._value(item) for item in tree.expressions))

    def _translate_function(self, tree: exp.Expr) -> Predicate:
        name, arguments = _read_call(tree)
        if name in _LIST_FUNCTIONS and len(arguments) == 2:
            column = self._column(arguments[0])
            if not (pa.types.is_list(column.type) and _is_plain(column.type.value_type)):
                raise UntranslatableError(f"{name} on {column.type} is not proved equal")
            return ListContains(column, self._value(arguments[1]))
        if name in _STRING_FUNCTIONS and len(arguments) == 2:
            column = self._string_column(arguments[0])
            return StringMatch(column, _STRING_FUNCTIONS[name], self._value(arguments[1]))  # type: ignore[arg-type]
        raise UntranslatableError(
            f"{_describe(tree)} is not on the list of what Lance is proved to evaluate as DuckDB does"
        )

    def _column(self, tree: exp.Expr) -> Column:
        if not isinstance(tree, exp.Column) or isinstance(tree.this, exp.Star):
            raise UntranslatableError(f"{_describe(tree)} is computed, and Lance computes some things differently")
        parts = [part.name for part in tree.parts]
        if len(parts) > 1 and parts[0].lower() == "lance":
            parts = parts[1:]
        if len(parts) > 1 and parts[0].lower() == self.alias:
            parts = parts[1:]
        if len(parts) > 1:
            raise UntranslatableError("fields of a struct are not pushed")
        matches = [field for field in self.schema if field.name.lower() == parts[0].lower()]
        if len(matches) != 1:
            raise UntranslatableError(f"'{parts[0]}' is not a column Lance can filter by")
        if "." in matches[0].name or not matches[0].name:
            raise UntranslatableError(f"Lance cannot write the name '{matches[0].name}' in a filter")
        return Column(matches[0].name, matches[0].type)

    def _string_column(self, tree: exp.Expr) -> Column:
        column = self._column(tree)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise UntranslatableError(f"column '{column.name}' is {column.type}, not VARCHAR")
        return column

    def _check_comparable(self, column: Column) -> None:
        if not _is_plain(column.type):
            raise UntranslatableError(f"comparisons on {column.type} are not proved equal")

    def _value(self, tree: exp.Expr) -> Value:
        value = _read_value(tree)
        if value is None:
            raise UntranslatableError(f"{_describe(tree)} is not a constant")
        return value


def _is_plain(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(type_)
        or pa.types.is_float32(type_)
        or pa.types.is_float64(type_)
        or pa.types.is_boolean(type_)
        or pa.types.is_string(type_)
        or pa.types.is_large_string(type_)
        or pa.types.is_date32(type_)
        or (pa.types.is_timestamp(type_) and type_.unit == "us" and type_.tz is None)
    )


def _read_value(tree: exp.Expr) -> Value | None:
    match tree:
        case exp.Paren():
            return _read_value(tree.this)
        case exp.Literal():
            return _read_literal(tree)
        case exp.Boolean():
            return Constant(bool(tree.this))
        case exp.Null():
            return Constant(None)
        case exp.Neg():
            inner = _read_value(tree.this)
            if isinstance(inner, Constant) and isinstance(inner.value, int | float):
                return Constant(-inner.value)
        case exp.Parameter():
            return Parameter(tree.this.name if isinstance(tree.this, exp.Expr) else str(tree.this))
        case exp.Placeholder():
            return Parameter(str(tree.this)) if tree.this else None
        case exp.Cast():
            return _read_cast(tree)
    return None


def _read_literal(tree: exp.Literal) -> Constant | None:
    text = str(tree.this)
    if tree.is_string:
        return Constant(text)
    try:
        return Constant(int(text) if text.isdigit() else float(text))
    except ValueError:
        return None


def _read_cast(tree: exp.Cast) -> Constant | None:
    """`DATE '…'` and `TIMESTAMP '…'`."""
    if type(tree) is not exp.Cast or not isinstance(tree.this, exp.Literal) or not tree.this.is_string:
        return None
    text = str(tree.this.this)
    value: date | None = None
    if tree.to.this is exp.DataType.Type.DATE:
        value = read_date(text)
    elif tree.to.this in (exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ):
        value = read_timestamp(text)
    return None if value is None else Constant(value)


def _read_call(tree: exp.Expr) -> tuple[str, list[exp.Expr]]:
    if isinstance(tree, exp.Anonymous):
        return tree.name.lower(), list(tree.expressions)
    if isinstance(tree, exp.StartsWith):
        return "starts_with", [tree.this, tree.expression]
    if isinstance(tree, exp.EndsWith):
        return "ends_with", [tree.this, tree.expression]
    if isinstance(tree, exp.Contains):
        return "contains", [tree.this, tree.expression]
    if isinstance(tree, exp.ArrayContains):
        return "list_contains", [tree.this, tree.expression]
    return "", []


_SPELLINGS: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.IntDiv: "//", exp.Mod: "%", exp.Neg: "-",
    exp.DPipe: "||", exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM", exp.ILike: "ILIKE",
    exp.Glob: "GLOB", exp.SimilarTo: "SIMILAR TO", exp.Escape: "ESCAPE", exp.Bracket: "a list's element",
    exp.Column: "another column", exp.Literal: "a constant on the left", exp.Cast: "a cast", exp.TryCast: "a cast",
    exp.Subquery: "a subquery", exp.Exists: "EXISTS", exp.Case: "CASE", exp.Array: "a list",
}  # fmt: skip


def _describe(tree: exp.Expr) -> str:
    if type(tree) in _SPELLINGS:
        return _SPELLINGS[type(tree)]
    name = tree.sql(dialect="duckdb").partition("(")[0].lower()  # as DuckDB spells it, not as sqlglot's class does
    return f"{name}()" if name.isidentifier() else "this expression"
