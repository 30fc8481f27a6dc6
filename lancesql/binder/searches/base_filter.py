"""Which predicates beside a search over a query are its filter, and the k its LIMIT says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

import pyarrow as pa
from sqlglot import exp

from lancesql.binder.filters.columns_beside import ColumnsBeside
from lancesql.binder.filters.conjuncts import (
    COMPUTED,
    is_bound_for_sure,
    is_bound_inside,
    is_computed,
    is_volatile,
    may_belong,
    means_columns_of,
    refuse_unknown_columns,
)
from lancesql.binder.filters.lineage import Lineage
from lancesql.binder.filters.null_rows import drops_null_row
from lancesql.binder.filters.own import left_conditions
from lancesql.binder.known_sources import know_sources
from lancesql.binder.scope import Relation, Scope
from lancesql.binder.select_aliases import list_written_columns, read_select_aliases, write_out_aliases
from lancesql.binder.shape import read_limit
from lancesql.binder.splice import number_parameters, splice
from lancesql.catalog import Catalog
from lancesql.errors import AmbiguousNameError, ParseError, Span, UnsupportedError
from lancesql.parser import Statement, parse_expression, read_tokens
from lancesql.parser.blocks import Block
from lancesql.parser.calls import SearchCall
from lancesql.plan.spelling import quote_name

from .base_query import ROW, BaseQuery
from .correlation import find_around, is_within_lateral
from .named_queries import read_name

__all__ = ["BaseFilter", "read_base_filter"]


@dataclass(frozen=True)
class BaseFilter:
    """What the block around a search over a query says of it.

    Attributes:
        predicates: Those that choose among the query's rows.
        k: `, k => …` for the LIMIT of the block, or "".
        flat: No predicate has a query or a function of its own names in it.
        settled: Where those stand in the ON of a left join, which need not ask again.
    """

    predicates: tuple[str, ...]
    k: str
    flat: bool
    settled: tuple[Span, ...] = ()


@dataclass(frozen=True)
class _Reach:
    """What names mean in the block: the search's alias and columns, the relations that are constants for it, others."""

    alias: str
    names: frozenset[str] | None
    before: frozenset[str]
    others: frozenset[str]
    scope: Scope
    catalog: Catalog


def read_base_filter(
    call: SearchCall, node: exp.Table, scope: Scope | None, base: BaseQuery, statement: Statement, catalog: Catalog
) -> BaseFilter:  # fmt: skip
    """Reads the block a search over a query stands in.

    Args:
        call: The search.
        node: The table that stands for it in the tree.
        scope: The block.
        base: The query.
        statement: The statement.
        catalog: Answers about names.

    Raises:
        AmbiguousNameError: When it cannot be told whether a column is one of the query's.
        UnsupportedError: When the search takes WHERE after the top-k.
    """
    arguments = {(one.name or "").lower(): one for one in call.arguments}
    if "prefilter" in arguments:
        raise UnsupportedError(
            "a search over a subquery takes WHERE before the top-k",
            hint="put the predicate around the query: SELECT * FROM (SELECT … FROM vector_search(…)) WHERE …",
            span=arguments["prefilter"].name_span,
        )
    own = scope.of(node) if scope is not None else None
    if scope is None or own is None or not own.visible:
        return BaseFilter((), "", flat=True)
    block = statement.token_tree.read_block(call.span.start)
    before = _find_before(call, scope, own, statement)
    others = frozenset(one.alias for one in scope.relations if one is not own) - before
    numbered = number_parameters(statement)
    aliases = read_select_aliases(statement, block, scope)
    alias = (node.alias or call.function).lower()
    names, schema = base.names, pa.schema(list(base.types.items()))
    reach = _Reach(alias, names, frozenset(before), others, scope, catalog)
    written = list_written_columns(scope)
    inner = [span for join in block.joins if join.inner for span in join.conjuncts]
    outer = [span for join in block.joins if not join.inner for span in join.conjuncts]
    left = left_conditions(node, block) if before else ()
    chosen: list[exp.Expr] = []
    texts: list[str] = []
    rest = [span for span in outer if span not in left]

    def write(span: Span) -> str:
        return splice(statement.sql, numbered, span)

    @cache
    def know_beside() -> ColumnsBeside:
        others = [one for one in scope.relations if one.visible and (one is not own or names is None)]
        return _know_columns(others, statement, catalog)

    def is_alias(column: exp.Column, tree: exp.Expr, span: Span) -> bool:
        name = column.name.lower()
        if name in (names or ()) or name in written or is_computed(name):
            return False
        return not is_bound_inside(column, tree, scope, catalog) and not know_beside().require(name, span)

    def is_dropped(text: str, tree: exp.Expr) -> bool:
        return not own.nullable or drops_null_row(text, tree, alias, schema, catalog)

    for span in (*block.where, *inner, *left):
        text = write_out_aliases(write(span), aliases, write, partial(is_alias, span=span)) or ""
        tree = parse_expression(text)
        if tree is None:
            raise ParseError("this predicate beside a search cannot be read", span=span)
        refuse_unknown_columns(tree, span)
        is_own = _is_own(tree, reach, span) and (span in left or is_dropped(text, tree))
        if is_own and not is_volatile(read_tokens(text), catalog):
            chosen.append(tree)
            texts.append(text)
        else:
            rest.append(span)
    k = "" if {"k", "top_k", "num_results"} & set(arguments) else _write_k(call, scope, block, statement, tuple(rest))
    flat = not any(tree.find(exp.Select, exp.Lambda, exp.Columns) for tree in chosen)
    return BaseFilter(tuple(texts), k, flat=flat, settled=tuple(span for span in left if span not in rest))


def _know_columns(relations: Sequence[Relation], statement: Statement, catalog: Catalog) -> ColumnsBeside:
    """The columns of a block's relations, searches over queries among them."""
    searched = {name: _read_searched(call, statement) for name, call in statement.stand_ins.items()}
    trees = [statement.tree, *(tree for tree in searched.values() if tree is not None)]
    named = {node.name for tree in trees for node in tree.find_all(exp.Table) if isinstance(node.this, exp.Identifier)}
    tables = {name: table for name in named if (table := catalog.find_table(name)) is not None}
    columns: dict[str, Sequence[str]] = {name: table.schema.names for name, table in tables.items()}
    lineage = Lineage([], know_sources(catalog, columns), {})
    for name, tree in searched.items():
        found = lineage.outputs_of(tree) if tree is not None else None
        if found is not None:
            columns[name] = (*(one.name for one in found), *COMPUTED)
    return ColumnsBeside(relations, lineage, catalog, asks_engine=True)


def _read_searched(call: SearchCall, statement: Statement) -> exp.Expr | None:
    """What a search is over, as a query; None when that cannot be read."""
    if not call.arguments:
        return None
    name = read_name(call.arguments[0])
    span = call.arguments[0].span
    text = statement.sql[span.start : span.end] if name is None else f"(FROM {quote_name(name)})"
    tree = parse_expression(text)
    return tree.unnest() if tree is not None else None


def _write_k(call: SearchCall, scope: Scope, block: Block, statement: Statement, rest: tuple[Span, ...]) -> str:
    numbered = number_parameters(statement)
    values = read_limit(scope, block, statement, rest, call.function)
    texts = [splice(statement.sql, numbered, value.span) for value in values if value.span is not None]
    return f", k => {' + '.join(texts)}" if texts else ""


def _find_before(call: SearchCall, scope: Scope, own: Relation, statement: Statement) -> set[str]:
    """The relations whose columns are constants for the search: those before and around one for each of their rows."""
    before = {one.alias for one in scope.relations[: scope.relations.index(own)]}
    around = {one.alias for one in find_around(scope.owner) if scope.find(one.alias) is None}
    trees = [parse_expression(statement.sql[one.span.start : one.span.end]) for one in call.arguments[1:]]
    named = {one.parts[0].name.lower() for tree in trees if tree is not None for one in tree.find_all(exp.Column)}
    if call.lateral is not None or named & before:
        return before | around
    return around if is_within_lateral(scope.owner) or named & around else set()


def _is_own(tree: exp.Expr, reach: _Reach, span: Span) -> bool:
    """Whether a predicate reads the query's columns, one at least, and besides only what is constant for the search."""
    patterns = [one for one in tree.find_all(exp.Columns) if one.find_ancestor(exp.Select) is None]
    is_alone = not (reach.others or reach.before)
    if patterns and not (
        is_alone and reach.names is not None and all(means_columns_of(one, reach.names, (ROW,)) for one in patterns)
    ):
        return False
    reads_own, may_read = bool(patterns), False
    for column in tree.find_all(exp.Column):
        first, is_qualified = column.parts[0].name.lower(), len(column.parts) > 1
        if isinstance(column.this, exp.Star):
            continue
        if is_bound_inside(column, tree, reach.scope, reach.catalog):
            if not is_qualified and not is_bound_for_sure(column, tree, reach.catalog):
                may_read = may_read or first in (reach.names or ())
                if may_belong(column, reach.scope, {reach.alias}, reach.catalog):
                    return False
            continue
        if is_computed(column.name.lower()) or (is_qualified and first in reach.others):
            return False
        if is_qualified and first in reach.before:
            continue
        if is_qualified and first == reach.alias:
            reads_own = True
        elif reach.names is not None:  # without its relation: a column, or a field of one
            if first not in reach.names and (is_alone or reach.others):
                return False
            reads_own = reads_own or first in reach.names
        elif is_alone:
            reads_own = True
        else:
            raise AmbiguousNameError(
                f"whose column '{column.parts[0].name}' is cannot be told before the search",
                hint=f"write {reach.alias}.{column.parts[0].name}, or its other relation before it",
                span=span,
            )
    # A subquery over a relation of unknown columns may use the query's.
    may_read = may_read or (is_alone and tree.find(exp.Select) is not None)
    return reads_own or (may_read and not any(map(is_computed, _names(tree))))


def _names(tree: exp.Expr) -> list[str]:
    return [column.name.lower() for column in tree.find_all(exp.Column)]
