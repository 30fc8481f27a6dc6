"""A distance between a vector column of a table and a vector that is the same for every row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from lancesql.binder.drafts import Draft
from lancesql.binder.filters.conjuncts import is_constant, is_volatile
from lancesql.binder.filters.own import FilterContext, read_prelude
from lancesql.binder.literals import read_literal
from lancesql.binder.searches.call import bind_scalar
from lancesql.errors import Span
from lancesql.parser import Statement, parse_expression, read_tokens
from lancesql.parser.distances import DistanceSyntax, read_distance
from lancesql.parser.tokens import Token, TokenType
from lancesql.plan.query import QueryPlan
from lancesql.plan.values import Constant, Parameter, Value

__all__ = ["BindInner", "Distance", "RefusedError", "find_distance", "is_same_for_all", "read_query"]

BindInner = Callable[[Statement], QueryPlan | None]
_FLOATS = {"FLOAT": 32, "FLOAT4": 32, "REAL": 32, "DOUBLE": 64, "FLOAT8": 64}


class RefusedError(Exception):
    """Rows are wanted by a distance, and cannot be searched for; the text says why."""


@dataclass(frozen=True)
class Distance:
    """The column, and the tokens `[first, last)` of the vector it is measured from."""

    syntax: DistanceSyntax
    column: str
    query: tuple[int, int]


def find_distance(draft: Draft, context: FilterContext, first: int, last: int) -> Distance | None:
    """The distance of a vector column of the table that the tokens `[first, last)` are."""
    syntax = read_distance(context.statement.token_tree, first, last)
    if syntax is None:
        return None
    for operand, other in (syntax.operands, syntax.operands[::-1]):
        column = _find_column(context.statement.tokens[slice(*operand)], draft)
        if column is not None:
            return Distance(syntax, column, other)
    return None


def _find_column(tokens: list[Token], draft: Draft) -> str | None:
    """The vector column the tokens name, perhaps under a cast that changes nothing."""
    cast = _find_cast(tokens)
    parts = tokens[:cast]
    if len(parts) % 2 == 0 or any(part.token_type is not TokenType.DOT for part in parts[1::2]):
        return None
    if any(part.token_type in (TokenType.STRING, TokenType.NUMBER, TokenType.PLACEHOLDER) for part in parts[::2]):
        return None
    *qualifiers, name = [part.text.lower() for part in parts[::2]]
    alias = draft.alias.lower()
    if qualifiers not in ([], [alias], ["lance", alias]):
        return None
    named = [field for field in draft.table.schema if field.name.lower() == name]
    if len(named) != 1 or not pa.types.is_fixed_size_list(named[0].type):
        return None
    type_ = named[0].type
    if not pa.types.is_floating(type_.value_type):
        return None
    bits = _read_float_cast(tokens[cast + 1 :], type_.list_size) if cast < len(tokens) else 64
    return str(named[0].name) if bits >= type_.value_type.bit_width else None


def _find_cast(tokens: list[Token]) -> int:
    return next((at for at, token in enumerate(tokens) if token.token_type is TokenType.DCOLON), len(tokens))


def _read_float_cast(tokens: list[Token], size: int | None = None) -> int:
    """The bits of the floats a cast `FLOAT[n]` or `FLOAT[]` makes; 0 for any other type."""
    sizes = [token.text for token in tokens[2:-1]]
    bracketed = len(tokens) in (3, 4) and tokens[1].token_type is TokenType.L_BRACKET
    fits = not sizes or (sizes[0].isdigit() and size in (None, int(sizes[0])))
    return _FLOATS.get(tokens[0].text.upper(), 0) if bracketed and fits else 0


def is_same_for_all(span: Span, context: FilterContext) -> bool:
    """Whether an expression has one value for every row of the block."""
    assert context.scope is not None
    text = context.statement.sql[span.start : span.end]
    tree = parse_expression(text)
    if tree is None or not is_constant(tree, context.scope, context.columns, context.catalog):
        return False
    return not is_volatile(read_tokens(text), context.catalog)


def read_query(distance: Distance, draft: Draft, context: FilterContext, bind_inner: BindInner) -> Value:
    """The vector a distance is measured from.

    Raises:
        RefusedError: When it is NULL, or may be another for each row.
    """
    statement = context.statement
    tokens = statement.tokens[slice(*distance.query)]
    span = statement.token_tree.span(*distance.query)
    if not is_same_for_all(span, context):
        raise RefusedError("the vector it is measured from may be another for each row")
    cast = _find_cast(tokens)
    plain = tokens[:cast] if cast < len(tokens) and _read_float_cast(tokens[cast + 1 :]) else tokens
    constant = read_literal(plain)
    if constant is not None and constant.value is None:
        raise RefusedError("the vector it is measured from is NULL")
    if constant is not None:
        return Constant(constant.value, span)
    use = next((one for one in statement.parameters if one.span.start == span.start), None)
    if use is not None and plain[-1].end + 1 == use.span.end:
        return Parameter(use.name, span)
    prelude = read_prelude(statement, draft.node, statement.sql[span.start : span.end], [])
    return bind_scalar(statement, span, prelude, bind_inner, f"{draft.placeholder}_query")
