"""`ORDER BY <distance> LIMIT k` over one Lance table: a scan of which only the k nearest rows are needed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from lancesql.binder.drafts import Draft, is_reshaped
from lancesql.binder.filters.own import FilterContext
from lancesql.binder.scope import Relation
from lancesql.binder.select_aliases import read_select_aliases
from lancesql.binder.shape import keeps_rows, read_count
from lancesql.errors import Span
from lancesql.parser.blocks import split_list
from lancesql.parser.operators import find_operand_end
from lancesql.parser.tokens import TokenType, is_word
from lancesql.plan.sources import Conjunct, Nearest
from lancesql.plan.values import Value

from .distances import BindInner, Distance, RefusedError, find_distance, is_same_for_all, read_query
from .min_by import read_min_by

__all__ = ["read_nearest"]

_BELOW = (TokenType.LT, TokenType.LTE)
_ABOVE = (TokenType.GT, TokenType.GTE)


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
    conjuncts: tuple[Conjunct, ...],
    rest: tuple[Span, ...],
    context: FilterContext,
    bind_inner: BindInner,
) -> Nearest | str:
    """What the block's ORDER BY and LIMIT ask of a scan, or why it cannot be searched for ("" when nothing asks).

    Args:
        draft: The table.
        own: Its place in the block.
        conjuncts: The table's filter.
        rest: The other conjuncts of the block.
        context: The block.
        bind_inner: Binds a scalar subquery that stands as the query vector.
    """
    if own is None or not isinstance(draft.owner, exp.Select):
        return ""
    if "ORDER" not in context.block.clauses:
        return read_min_by(draft, own, rest, context, bind_inner)
    key = _read_key(context)
    distance = find_distance(draft, context, key.first, key.last)
    if distance is None:
        return ""
    try:
        _check_block(draft, own, rest, context)
        _check_order(key, distance, context)
        _check_names(distance.column, key, context)
        k = _read_limit(context)
        return Nearest(
            column=distance.column,
            query=read_query(distance, draft, context, bind_inner),
            metric=distance.syntax.metric,
            distance=distance.syntax.function,
            k=k,
            origin="ORDER BY … LIMIT",
            bounds=tuple(one.span for one in conjuncts if one.span and _bounds(one.span, distance, draft, context)),
        )
    except RefusedError as refusal:
        return str(refusal)


def _read_key(context: FilterContext) -> _Key:
    tree = context.statement.token_tree
    first, last = split_list(tree, *_find_range(context.block.clauses["ORDER"], context))[0]
    tokens = tree.tokens
    nulls = ""
    if last - first > 2 and is_word(tokens[last - 2], "NULLS"):
        nulls = tokens[last - 1].text.upper()
        last -= 2
    if last - first > 1 and is_word(tokens[last - 1], "ASC", "DESC"):
        last -= 1
    expression = _expand_alias(first, last, context)
    return _Key(*(expression or (first, last)), nulls, expression is not None)


def _find_range(span: Span, context: FilterContext) -> tuple[int, int]:
    tree = context.statement.token_tree
    return tree.find_token(span.start), tree.find_token(span.end - 1) + 1


def _expand_alias(first: int, last: int, context: FilterContext) -> tuple[int, int] | None:
    """The tokens of the expression in the SELECT list that one token names."""
    token = context.statement.tokens[first]
    if last - first != 1 or token.token_type is TokenType.STRING:
        return None
    expression = read_select_aliases(context.statement, context.block, context.scope).get(token.text.lower())
    return None if expression is None else _find_range(expression, context)


def _check_block(draft: Draft, own: Relation, rest: tuple[Span, ...], context: FilterContext) -> None:
    assert context.scope is not None
    if len(context.scope.relations) != 1:
        raise RefusedError("the block reads more than one relation")
    if own.paired or is_reshaped(draft.node) or not keeps_rows(context.scope):
        raise RefusedError("the block does more with its rows than to order them")
    if context.block.combined:
        raise RefusedError("ORDER BY orders a UNION, EXCEPT or INTERSECT")
    if any(not is_same_for_all(span, context) for span in rest):
        raise RefusedError("WHERE holds a predicate that is not one of the table's columns alone")


def _check_order(key: _Key, distance: Distance, context: FilterContext) -> None:
    assert context.scope is not None
    order = context.scope.owner.args.get("order")
    if order is None or len(order.expressions) != 1:
        raise RefusedError("there is more than one sort key")
    function = distance.syntax.function
    if not distance.syntax.rising:
        raise RefusedError(f"NaN is the greatest number, so {function} DESC puts it first; order by a distance")
    if order.expressions[0].args.get("desc"):
        raise RefusedError("the order is descending: the farthest come first")
    if key.nulls == "FIRST" or (not key.nulls and not context.catalog.puts_nulls_last()):
        raise RefusedError("rows without a vector come first")


def _check_names(column: str, key: _Key, context: FilterContext) -> None:
    """What stands for another thing in ORDER BY than in FROM."""
    assert context.scope is not None
    items = context.scope.owner.expressions
    for item in items:
        star = item.this if isinstance(item, exp.Column) else item
        replaced = isinstance(star, exp.Star) and (star.args.get("replace") or star.args.get("rename"))
        if replaced or next(item.find_all(exp.Columns), None) is not None:
            raise RefusedError("the SELECT list renames or replaces columns")
        if isinstance(item, exp.Alias) and item.alias.lower() == column.lower():
            raise RefusedError(f"'{column}' is also a name of the SELECT list")
    if key.aliased:
        name = context.scope.owner.args["order"].expressions[0].this.name
        if [item.alias.lower() for item in items if isinstance(item, exp.Alias)].count(name.lower()) != 1:
            raise RefusedError(f"'{name}' is the name of more than one column")


def _bounds(span: Span, distance: Distance, draft: Draft, context: FilterContext) -> bool:
    """Whether a conjunct bounds the very distance from above: the k nearest within it are among the k nearest."""
    tree = context.statement.token_tree
    first, last = _find_range(span, context)
    for index in range(first + 1, last - 1):
        kind = tree.tokens[index].token_type
        if kind in (*_BELOW, *_ABOVE) and tree.parent[index] == tree.parent[first]:
            sides = (first, index), (index + 1, last)
            less, more = sides if kind in _BELOW else sides[::-1]
            if find_operand_end(tree, more[0]) != more[1] or not is_same_for_all(tree.span(*more), context):
                return False
            named = tree.tokens[less[0]].text.lower() in context.columns[draft.alias.lower()]  # WHERE means the column
            meant = (None if named else _expand_alias(*less, context)) or less
            return _spells_alike(find_distance(draft, context, *meant), distance, context)
    return False


def _spells_alike(one: Distance | None, other: Distance, context: FilterContext) -> bool:
    def spell(distance: Distance) -> tuple[str, ...]:
        tokens = context.statement.tokens[slice(*distance.query)]
        return (distance.syntax.function, distance.column, *(token.text for token in tokens))

    return one is not None and one.syntax.rising and "?" not in spell(one) and spell(one) == spell(other)


def _read_limit(context: FilterContext) -> tuple[Value, ...]:
    if "LIMIT" not in context.block.clauses:
        raise RefusedError("there is no LIMIT")
    counts = [read_count(context.block, context.statement, clause) for clause in ("LIMIT", "OFFSET")]
    if counts[0] is None or (counts[1] is None and "OFFSET" in context.block.clauses):
        raise RefusedError("LIMIT or OFFSET is neither a number nor a parameter")
    return tuple(one for one in counts if one is not None)
