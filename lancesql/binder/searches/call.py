"""One search call, bound in its block: its filter, its arguments' values, its k."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from lancesql.binder.drafts import Draft, contains, is_reshaped
from lancesql.binder.filters.own import FilterContext, read_explicit_filter, read_prelude
from lancesql.binder.literals import read_literal
from lancesql.binder.nearest.operators import spell_operators
from lancesql.binder.splice import number_parameters, splice
from lancesql.errors import ArgumentError, BindError, Span, UnsupportedError
from lancesql.parser import Statement, parse_expression, parse_statement
from lancesql.parser.calls import Argument
from lancesql.parser.tokens import TokenType
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import Conjunct, Source
from lancesql.plan.values import Parameter, ScalarQuery, Value

from .arguments import SearchContext
from .signatures import SIGNATURES
from .source import SearchDraft, bind_search

__all__ = ["bind_call", "bind_scalar", "is_prefiltered", "read_value"]


def bind_call(
    draft: Draft,
    conjuncts: tuple[Conjunct, ...],
    limit: tuple[Value, ...],
    context: FilterContext,
    bind_inner: Callable[[Statement], QueryPlan | None],
) -> Source:
    """Binds a search call.

    Args:
        draft: The call, its table and its arguments.
        conjuncts: What WHERE says of the table's own columns.
        limit: The values whose sum is k when the call names none.
        context: The block it stands in.
        bind_inner: Binds a scalar subquery that stands as an argument.
    """
    call = draft.call
    assert call is not None
    if is_reshaped(draft.node) and not draft.node.args.get("pivots"):
        raise UnsupportedError(
            "a search cannot rename its columns in its alias",
            hint="rename them in the SELECT list",
            span=draft.span,
        )

    prefilter = is_prefiltered(draft)
    filter_ = conjuncts if prefilter else ()
    if "filter" in draft.arguments:
        filter_ = (*filter_, *read_explicit_filter(draft.alias, draft.table, draft.arguments["filter"], context))

    def read_own(argument: Argument) -> Value:
        return read_value(argument, draft, context, bind_inner)

    search = SearchContext(
        placeholder=draft.placeholder,
        alias=draft.alias,
        limit=limit if prefilter or not conjuncts else (),
        filter=filter_,
        read_value=read_own,
        catalog=context.catalog,
        read_text=lambda span: _number_parameters(context.statement, span),
        read_filter=lambda argument: read_explicit_filter(draft.alias, draft.table, argument, context),
    )
    source = bind_search(SearchDraft(call, draft.table, draft.arguments, draft.parts), search)
    return source if context.outer is None else replace(source, outer=tuple(context.outer.values))


def is_prefiltered(draft: Draft) -> bool:
    """Whether WHERE is applied before the top-k."""
    assert draft.call is not None
    if "prefilter" not in draft.arguments:
        return SIGNATURES[draft.call.function].prefilter
    constant = read_literal(draft.arguments["prefilter"].tokens)
    if constant is None or not isinstance(constant.value, bool):
        raise ArgumentError(
            "prefilter is true or false, written in the statement", span=draft.arguments["prefilter"].span
        )
    return constant.value


def read_value(
    argument: Argument, draft: Draft, context: FilterContext, bind_inner: Callable[[Statement], QueryPlan | None]
) -> Value:
    """The value of an argument; one that names columns of other relations is a parameter with a value for each row."""
    statement = context.statement
    tokens = list(argument.tokens)
    cast = next((at for at, token in enumerate(tokens) if token.token_type is TokenType.DCOLON), len(tokens))
    is_array_cast = cast < len(tokens) and tokens[-1].token_type is TokenType.R_BRACKET
    plain = tokens[:cast] if is_array_cast else tokens
    constant = read_literal(plain)
    if constant is not None:
        return replace(constant, span=argument.span)
    use = next((one for one in statement.parameters if one.span.start == argument.span.start), None)
    if use is not None and plain[-1].end + 1 == use.span.end:
        return Parameter(use.name, argument.span)
    text = _number_parameters(statement, argument.span)
    tree = parse_expression(text)
    if tree is not None and context.outer is not None and context.outer.find_in_argument(tree):
        if tree.find(exp.Select) and text not in context.outer.inner:
            own = bind_inner(parse_statement(f"SELECT {text}"))
            if own is not None:
                context.outer.inner[text] = own
        return Parameter(context.outer.take(text), argument.span)
    _refuse_columns(argument, text, tree)
    prelude = read_prelude(statement, draft.node, statement.sql[draft.span.start : draft.span.end], [])
    return bind_scalar(statement, argument.span, prelude, bind_inner)


def bind_scalar(
    statement: Statement,
    span: Span,
    prelude: str,
    bind_inner: Callable[[Statement], QueryPlan | None],
    placeholder: str = "",
) -> ScalarQuery:
    """An expression without columns of its block, evaluated apart from it; `prelude` is the `WITH …` it needs."""
    text = _number_parameters(statement, span)
    inner = parse_statement(f"{prelude}SELECT {text}")
    names = tuple(dict.fromkeys(one.name for one in inner.parameters))
    relation = splice(inner.sql, spell_operators(inner.sql, inner.token_tree, []))
    plan = bind_inner(inner) or QueryPlan(sql=inner.sql, relation=relation, parameters=names, used_parameters=names)
    return ScalarQuery(text, plan, span, placeholder)


def _number_parameters(statement: Statement, span: Span) -> str:
    numbered = number_parameters(statement)
    return splice(statement.sql, [edit for edit in numbered if contains(span, edit.span)], span)


def _refuse_columns(argument: Argument, text: str, tree: exp.Expr | None) -> None:
    for column in tree.find_all(exp.Column) if tree is not None else ():
        if column.find_ancestor(exp.Select, exp.Lambda) is None:
            name = column.sql(dialect="duckdb")
            raise BindError(
                f"'{text}' is not a value: no relation before the search has a column '{name}'",
                hint="pass a parameter, a list of numbers, a scalar subquery in parentheses, or a column of a relation "
                "that stands before the search",
                span=argument.span,
            )
