"""`SELECT min_by(x, <distance>, k) FROM table`: an aggregate of which only the k nearest rows matter."""

from __future__ import annotations

from lancesql.binder.drafts import Draft, is_reshaped
from lancesql.binder.filters.own import FilterContext
from lancesql.binder.literals import read_literal
from lancesql.binder.scope import Relation
from lancesql.errors import Span
from lancesql.parser.blocks import split_list
from lancesql.parser.tokens import TokenType, is_word
from lancesql.plan.sources import MIN_BY, ROW_ID, Conjunct, Nearest
from lancesql.plan.spelling import quote_name
from lancesql.plan.values import Constant, Parameter, Value

from .distances import BindInner, RefusedError, find_distance, is_same_for_all, read_query

__all__ = ["read_min_by"]

_FUNCTIONS = ("min_by", "arg_min", "argmin")
_CLAUSES = frozenset({"SELECT", "FROM", "WHERE"})


def read_min_by(
    draft: Draft, own: Relation, rest: tuple[Span, ...], context: FilterContext, bind_inner: BindInner
) -> Nearest | str:
    """What the one aggregate of a block asks of its scan, or why it cannot be searched for ("" when there is none)."""
    tree = context.statement.token_tree
    arguments = _read_call(context)
    distance = find_distance(draft, context, *arguments[1]) if len(arguments) in (2, 3) else None
    if distance is None:
        return ""
    try:
        _check_block(draft, own, rest, context)
        if not distance.syntax.rising:
            raise RefusedError(f"the least {distance.syntax.function} is the farthest")
        return Nearest(
            column=distance.column,
            query=read_query(distance, draft, context, bind_inner),
            metric=distance.syntax.metric,
            distance=distance.syntax.function,
            k=(_read_count(tree.span(*arguments[2]), context),) if len(arguments) == 3 else (Constant(1),),
            origin=MIN_BY,
            required=_require(*arguments[0], draft, context),
        )
    except RefusedError as refusal:
        return str(refusal)


def _read_call(context: FilterContext) -> list[tuple[int, int]]:
    """The tokens of each argument of the call that is the whole SELECT list, but for its name; [] when none is."""
    span = context.block.clauses.get("SELECT")
    tree, tokens = context.statement.token_tree, context.statement.tokens
    if span is None:
        return []
    first, last = tree.find_token(span.start), tree.find_token(span.end - 1) + 1
    closing = tree.partner.get(first + 1, last)
    if not is_word(tokens[first], *(name.upper() for name in _FUNCTIONS)) or closing >= last:
        return []
    name = tokens[closing + 1 : last]
    if len(name) > 2 or (len(name) == 2 and not is_word(name[0], "AS")):
        return []
    return split_list(tree, first + 2, closing)


def _check_block(draft: Draft, own: Relation, rest: tuple[Span, ...], context: FilterContext) -> None:
    assert context.scope is not None
    if len(context.scope.relations) != 1:
        raise RefusedError("the block reads more than one relation")
    changed = context.scope.owner.args.get("sample") or not context.block.clauses.keys() <= _CLAUSES
    if own.paired or is_reshaped(draft.node) or changed:
        raise RefusedError("the block does more with its rows than to aggregate them")
    if any(not is_same_for_all(span, context) for span in rest):
        raise RefusedError("WHERE holds a predicate that is not one of the table's columns alone")


def _read_count(span: Span, context: FilterContext) -> Value:
    use = next((one for one in context.statement.parameters if one.span == span), None)
    if use is not None:
        return Parameter(use.name, use.span)
    tree = context.statement.token_tree
    constant = read_literal(context.statement.tokens[tree.find_token(span.start) : tree.find_token(span.end - 1) + 1])
    if constant is None or not isinstance(constant.value, int) or constant.value < 1:
        raise RefusedError("the number of rows is neither a number nor a parameter")
    return constant


def _require(first: int, last: int, draft: Draft, context: FilterContext) -> tuple[Conjunct, ...]:
    """min_by() passes over rows where its first argument is NULL."""
    tokens = context.statement.tokens[first:last]
    if tokens[0].token_type is TokenType.L_BRACE and context.statement.token_tree.partner.get(first) == last - 1:
        return ()  # a struct is never NULL
    names = [token.text.lower() for token in tokens[::2]]
    dotted = len(tokens) % 2 == 1 and all(token.token_type is TokenType.DOT for token in tokens[1::2])
    if dotted and names[:-1] in ([], [draft.alias.lower()]) and tokens[-1].token_type is not TokenType.STRING:
        columns = [name for name in draft.table.schema.names if name.lower() == names[-1]]
        if names[-1] == ROW_ID:
            return ()
        if len(columns) == 1:
            return (Conjunct(f"{quote_name(columns[0])} IS NOT NULL", (columns[0],)),)
        if len(names) == 1 and names[0] == draft.alias.lower():
            return ()  # the row itself
    raise RefusedError(
        "where its first argument is NULL cannot be said beforehand: it is neither a column nor a struct"
    )
