"""What a predicate compares with: literals, parameters, and expressions of them that DuckDB computes once a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sqlglot import exp

from lancesql.errors import LanceSQLError
from lancesql.parser import parse_expression, read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.parser.tokens import Token, TokenType
from lancesql.plan.moments import read_date, read_timestamp
from lancesql.plan.predicates import Operand
from lancesql.plan.values import Constant, ConstantExpression, Parameter, Value

__all__ = ["UntranslatableError", "ValueReader", "describe", "read_plain_value"]


class UntranslatableError(Exception):
    """The predicate is outside the allow-list; the text is the reason."""


class ValueReader:
    """Reads the constants of one predicate.

    Attributes:
        sql: The predicate's text, from which the text of an expression is cut: it is not written anew.
    """

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def read(self, tree: exp.Expr) -> Operand:
        """The value of an expression without columns.

        Raises:
            UntranslatableError: When it is not one, or holds what is not known to answer the same each time.
        """
        plain = read_plain_value(tree)
        if plain is not None:
            return plain
        for node in tree.walk():
            if not isinstance(node, _COMPUTABLE) and not _is_known_call(node):
                what = "this expression" if isinstance(node, exp.Placeholder) else describe(tree)
                raise UntranslatableError(f"{what} is not a constant")
        while isinstance(tree, exp.Paren):
            tree = tree.this
        text = _cut_text(self.sql, tree)
        if text is None:
            raise UntranslatableError(f"{describe(tree)} is not a constant")
        names = dict.fromkeys(use.name for use in find_parameters(read_tokens(text)))
        return ConstantExpression(text, tuple(names))


_COMPUTABLE = (
    exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod,
    exp.Pow, exp.DPipe, exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var, exp.Parameter,
    exp.CurrentDate, exp.CurrentTimestamp, exp.TimestampTrunc, exp.DateTrunc, exp.DateFromParts, exp.Lower, exp.Upper,
)  # fmt: skip
_COMPUTABLE_CALLS = frozenset({"now", "today", "make_date", "make_timestamp", "current_localtimestamp", "to_timestamp"})


def _is_known_call(node: exp.Expr) -> bool:
    if isinstance(node, exp.Placeholder):
        return bool(node.this)
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in _COMPUTABLE_CALLS
    return isinstance(node, exp.Identifier) and isinstance(node.parent, exp.Parameter)


def read_plain_value(tree: exp.Expr) -> Value | None:
    """A literal, or a parameter, that needs no computing."""
    match tree:
        case exp.Paren():
            return read_plain_value(tree.this)
        case exp.Literal():
            return _read_literal(tree)
        case exp.Boolean():
            return Constant(bool(tree.this))
        case exp.Null():
            return Constant(None)
        case exp.Neg():
            inner = read_plain_value(tree.this)
            if isinstance(inner, Constant) and type(inner.value) in (int, float, Decimal):
                return Constant(-inner.value)  # type: ignore[operator]
        case exp.Parameter():
            return Parameter(tree.this.name if isinstance(tree.this, exp.Expr) else str(tree.this))
        case exp.Placeholder():
            return Parameter(str(tree.this)) if tree.this else None
        case exp.Cast():
            return _read_cast(tree)
    return None


def _read_literal(tree: exp.Literal) -> Constant | None:
    """A number is what DuckDB takes it for: with a point a DECIMAL, with an exponent a DOUBLE."""
    text = str(tree.this)
    if tree.is_string:
        return Constant(text)
    try:
        if text.isdigit():
            return Constant(int(text)) if len(text) <= 38 else None
        if "e" in text.lower():
            return Constant(float(text))
        number = Decimal(text)
    except (ValueError, ArithmeticError):
        return None
    return Constant(number) if len(number.as_tuple().digits) <= 38 else None


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


_ENDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "IS", "LIKE", "ILIKE", "ESCAPE", "WHEN", "THEN", "ELSE", "END",
                   "CASE", "FROM"})  # fmt: skip
_END_TYPES = frozenset(
    {TokenType.EQ, TokenType.NEQ, TokenType.LT, TokenType.LTE, TokenType.GT, TokenType.GTE, TokenType.COMMA,
     TokenType.L_BRACKET, TokenType.R_BRACKET}
)  # fmt: skip


def _cut_text(sql: str, tree: exp.Expr) -> str | None:
    """The user's own text of an expression: the stretch of tokens that reads as this very tree."""
    try:
        tokens = read_tokens(sql)
    except LanceSQLError:
        return None
    places = [node.meta["start"] for node in tree.walk() if "start" in node.meta]
    inner = [at for at, token in enumerate(tokens) if token.start in places]
    starts = [inner[0]] if inner else range(len(tokens))
    for start in starts:
        first, last = start, inner[-1] if inner else start
        for _ in range(8):
            first, last = _widen(tokens, first, last)
            text = sql[tokens[first].start : tokens[last].end + 1]
            if parse_expression(text) == tree:
                return text
            opened = first and tokens[first - 1].token_type is TokenType.L_PAREN
            closed = last + 1 < len(tokens) and tokens[last + 1].token_type is TokenType.R_PAREN
            if not (opened and closed):
                break
            first, last = first - 1, last + 1
    return None


def _widen(tokens: Sequence[Token], first: int, last: int) -> tuple[int, int]:
    """The stretch, as far as the words and signs that end an expression, its parentheses in pairs."""
    while True:
        balance = 0
        unopened = 0
        for token in tokens[first : last + 1]:
            balance += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
            unopened = min(unopened, balance)
        before = first and not _ends(tokens[first - 1])
        if before and (unopened < 0 or tokens[first - 1].token_type is not TokenType.L_PAREN):
            first -= 1
        elif (
            last + 1 < len(tokens)
            and not _ends(tokens[last + 1])
            and (balance > 0 or tokens[last + 1].token_type is not TokenType.R_PAREN)
        ):
            last += 1
        else:
            return first, last


def _ends(token: Token) -> bool:
    return token.token_type in _END_TYPES or token.text.upper() in _ENDS


_SPELLINGS: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.IntDiv: "//", exp.Mod: "%", exp.Neg: "-",
    exp.DPipe: "||", exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM", exp.ILike: "ILIKE",
    exp.Glob: "GLOB", exp.SimilarTo: "SIMILAR TO", exp.Escape: "ESCAPE", exp.Bracket: "a list's element",
    exp.Column: "another column", exp.Literal: "a constant on the left", exp.Cast: "a cast", exp.TryCast: "a cast",
    exp.Subquery: "a subquery", exp.Exists: "EXISTS", exp.Case: "CASE", exp.Array: "a list",
    exp.JSONExtract: "->", exp.JSONExtractScalar: "->>",
}  # fmt: skip


def describe(tree: exp.Expr) -> str:
    """An expression in a word, as DuckDB spells it and not as sqlglot's class does."""
    if type(tree) in _SPELLINGS:
        return _SPELLINGS[type(tree)]
    name = tree.sql(dialect="duckdb").partition("(")[0].lower()
    return f"{name}()" if name.isidentifier() else "this expression"
