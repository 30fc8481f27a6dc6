"""`ORDER BY <distance> LIMIT k` over one Lance table: a scan of which only the k nearest rows are needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from lancesql.errors import Span
from lancesql.parser import Statement, parse_expression, read_tokens
from lancesql.parser.blocks import split_list
from lancesql.parser.distances import DistanceSyntax, read_distance
from lancesql.parser.tokens import Token, TokenType, is_word
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import Nearest
from lancesql.plan.values import Constant, Parameter, Value

from .calls import bind_scalar
from .conjuncts import is_constant, is_volatile
from .drafts import Draft, is_reshaped
from .filters import FilterContext, read_prelude, read_select_aliases
from .literals import read_literal
from .scope import Relation
from .shape import keeps_rows, read_count

__all__ = ["read_nearest"]

_FLOATS = {"FLOAT": 32, "FLOAT4": 32, "REAL": 32, "DOUBLE": 64, "FLOAT8": 64}


class _RefusedError(Exception):
    """The rows are ordered by a distance, and cannot be searched for; the text says why."""


@dataclass(frozen=True)
class _Key:
    """The first key of ORDER BY: the tokens of its expression, what stands behind it, and whether it is an alias."""

    first: int
    last: int
    nulls: str
    aliased: bool


def read_nearest(
    draft: Draft,
    own: Relation | None,
    rest: tuple[Span, ...],
    context: FilterContext,
    bind_inner: Callable[[Statement], QueryPlan | None],
) -> Nearest | str:
    """What the block's ORDER BY and LIMIT ask of a scan, or why it cannot be searched for ("" when nothing asks).

    Args:
        draft: The table.
        own: Its place in the block.
        rest: The conjuncts of the block that are not the table's filter.
        context: The block.
        bind_inner: Binds a scalar subquery that stands as the query vector.
    """
    if own is None or "ORDER" not in context.block.clauses:
        return ""
    key = _read_key(context)
    distance = read_distance(context.statement.token_tree, key.first, key.last)
    if distance is None:
        return ""
    operands = [context.statement.tokens[first:last] for first, last in distance.operands]
    columns = [_find_column(tokens, draft) for tokens in operands]
    if columns[0] is None and columns[1] is None:
        return ""
    side = 0 if columns[0] is not None else 1
    column = columns[side]
    assert column is not None
    try:
        _check_block(draft, own, rest, context)
        _check_order(key, distance, context)
        _check_names(column, key, context)
        query = _read_query(operands[1 - side], draft, context, bind_inner)
        return Nearest(
            column=column,
            query=query,
            metric=distance.metric,
            distance=distance.function,
            k=_read_limit(context),
            origin="ORDER BY … LIMIT",
        )
    except _RefusedError as refusal:
        return str(refusal)


def _read_key(context: FilterContext) -> _Key:
    tree = context.statement.token_tree
    span = context.block.clauses["ORDER"]
    first, last = split_list(tree, tree.find_token(span.start), tree.find_token(span.end - 1) + 1)[0]
    tokens = tree.tokens
    nulls = ""
    if last - first > 2 and is_word(tokens[last - 2], "NULLS"):
        nulls = tokens[last - 1].text.upper()
        last -= 2
    if last - first > 1 and is_word(tokens[last - 1], "ASC", "DESC"):
        last -= 1
    if last - first == 1 and tokens[first].token_type is not TokenType.STRING:
        expression = read_select_aliases(context).get(tokens[first].text.lower())
        if expression is not None:
            return _Key(tree.find_token(expression.start), tree.find_token(expression.end - 1) + 1, nulls, True)
    return _Key(first, last, nulls, False)


def _find_column(tokens: list[Token], draft: Draft) -> str | None:
    """The vector column the tokens name, perhaps under a cast that changes nothing."""
    cast = next((at for at, token in enumerate(tokens) if token.token_type is TokenType.DCOLON), len(tokens))
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


def _read_float_cast(tokens: list[Token], size: int | None = None) -> int:
    """The bits of the floats a cast `FLOAT[n]` or `FLOAT[]` makes; 0 for any other type."""
    sizes = [token.text for token in tokens[2:-1]]
    bracketed = len(tokens) in (3, 4) and tokens[1].token_type is TokenType.L_BRACKET
    fits = not sizes or (sizes[0].isdigit() and size in (None, int(sizes[0])))
    return _FLOATS.get(tokens[0].text.upper(), 0) if bracketed and fits else 0


def _check_block(draft: Draft, own: Relation, rest: tuple[Span, ...], context: FilterContext) -> None:
    scope, block = context.scope, context.block
    assert scope is not None
    if len(scope.relations) != 1:
        raise _RefusedError("the block reads more than one relation")
    if not isinstance(scope.owner, exp.Select) or own.paired or is_reshaped(draft.node) or not keeps_rows(scope):
        raise _RefusedError("the block does more with its rows than to order them")
    if block.combined:
        raise _RefusedError("ORDER BY orders a UNION, EXCEPT or INTERSECT")
    if rest:
        raise _RefusedError("WHERE holds a predicate that is not one of the table's columns alone")


def _check_order(key: _Key, distance: DistanceSyntax, context: FilterContext) -> None:
    assert context.scope is not None
    order = context.scope.owner.args.get("order")
    if order is None or len(order.expressions) != 1:
        raise _RefusedError("there is more than one sort key")
    if bool(order.expressions[0].args.get("desc")) and distance.rising:
        raise _RefusedError("the order is descending: the farthest come first")
    if not distance.rising:
        raise _RefusedError(
            f"NaN is the greatest number, so {distance.function} DESC puts it first; order by a distance"
        )
    if key.nulls == "FIRST" or (not key.nulls and not context.catalog.puts_nulls_last()):
        raise _RefusedError("rows without a vector come first")


def _check_names(column: str, key: _Key, context: FilterContext) -> None:
    """What stands for another thing in ORDER BY than in FROM."""
    assert context.scope is not None
    for item in context.scope.owner.expressions:
        star = item.this if isinstance(item, exp.Column) else item
        if isinstance(star, exp.Star) and (star.args.get("replace") or star.args.get("rename")):
            raise _RefusedError("the SELECT list renames or replaces columns")
        if next(item.find_all(exp.Columns), None) is not None:
            raise _RefusedError("the SELECT list renames or replaces columns")
        if isinstance(item, exp.Alias) and item.alias.lower() == column.lower():
            raise _RefusedError(f"'{column}' is also a name of the SELECT list")
    if key.aliased:
        names = [item.alias.lower() for item in context.scope.owner.expressions if isinstance(item, exp.Alias)]
        order = context.scope.owner.args["order"].expressions[0].this
        if names.count(order.name.lower()) != 1:
            raise _RefusedError(f"'{order.name}' is the name of more than one column")


def _read_query(
    tokens: list[Token], draft: Draft, context: FilterContext, bind_inner: Callable[[Statement], QueryPlan | None]
) -> Value:
    assert context.scope is not None
    statement = context.statement
    span = Span(tokens[0].start, tokens[-1].end + 1)
    text = statement.sql[span.start : span.end]
    tree = parse_expression(text)
    if tree is None or not is_constant(tree, context.scope, context.columns, context.catalog):
        raise _RefusedError("the vector it is measured from is not constant")
    if is_volatile(read_tokens(text), context.catalog):
        raise _RefusedError("the vector it is measured from may be another for each row")
    cast = next((at for at, token in enumerate(tokens) if token.token_type is TokenType.DCOLON), len(tokens))
    plain = tokens[:cast] if cast < len(tokens) and _read_float_cast(tokens[cast + 1 :]) else tokens
    constant = read_literal(plain)
    if constant is not None and constant.value is None:
        raise _RefusedError("the vector it is measured from is NULL")
    if constant is not None:
        return Constant(constant.value, span)
    use = next((one for one in statement.parameters if one.span.start == span.start), None)
    if use is not None and plain[-1].end + 1 == use.span.end:
        return Parameter(use.name, span)
    prelude = read_prelude(statement, draft.node, statement.sql[span.start : span.end], [])
    return bind_scalar(statement, span, prelude, bind_inner, f"{draft.placeholder}_query")


def _read_limit(context: FilterContext) -> tuple[Value, ...]:
    if "LIMIT" not in context.block.clauses:
        raise _RefusedError("there is no LIMIT")
    counts = [read_count(context.block, context.statement, clause) for clause in ("LIMIT", "OFFSET")]
    if counts[0] is None or (counts[1] is None and "OFFSET" in context.block.clauses):
        raise _RefusedError("LIMIT or OFFSET is neither a number nor a parameter")
    return tuple(one for one in counts if one is not None)
