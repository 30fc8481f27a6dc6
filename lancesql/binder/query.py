"""Statement + catalog → QueryPlan: which spans are sources, what each source's filter is, what the relation is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from sqlglot import exp

from lancesql.catalog import Catalog
from lancesql.errors import LanceSQLError, Span, UnsupportedError
from lancesql.parser import Statement, parse_expression, parse_statement, read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.parser.tokens import TokenType, is_word
from lancesql.plan.expansion import Expansion, place_error
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import ROW_ID, Nearest, Source, TableScan
from lancesql.plan.values import ScalarQuery

from .calls import bind_call, is_prefiltered, read_value
from .correlation import OuterColumns, find_outer_columns, value_arguments, write_search_text
from .drafts import Draft, contains, find_drafts, is_reshaped
from .filters import FilterContext, lateral_conditions, read_filter
from .first_rows import read_first_rows
from .inherited import inherit_conjuncts
from .lineage import Lineage
from .nearest import read_nearest
from .operators import spell_operators
from .row_counts import answer_with_count, edit_count, read_row_count
from .scope import Scope, read_scope
from .search_base import FOUND, expand_bases
from .semi_joins import find_semi_joins
from .shape import changes_rows, read_limit, read_output, read_shape
from .splice import Edit, splice
from .stars import hide_row_ids
from .usage import UsageReader
from .views import expand_views

__all__ = ["bind_query"]


def bind_query(statement: Statement, catalog: Catalog, numbers: Iterator[int] | None = None) -> QueryPlan | None:
    """Cuts a statement into its sources and the relation over them.

    Returns:
        The plan, or None when nothing of Lance is named: the engine runs the text as it is.

    Raises:
        BindError: When a name or an argument does not fit.
        UnsupportedError: When the statement is of a kind that cannot hold a source.
    """
    numbers = itertools.count() if numbers is None else numbers
    expansion = expand_views(statement, catalog) if catalog.views() else None
    if expansion is None and statement.stand_ins:
        expansion = expand_bases(statement, catalog)
    if expansion is not None:
        return _bind_expanded(expansion, catalog, numbers)
    drafts = find_drafts(statement, catalog, numbers)
    if not drafts:
        return None
    _refuse_stored_sources(statement, drafts)
    _settle_orders(statement, catalog)
    scopes = {id(draft.owner): read_scope(draft.owner) for draft in drafts if draft.owner is not None}
    lineage = Lineage(drafts, catalog, scopes)
    edits: list[Edit] = []
    outers = _find_outers(statement, drafts, scopes, catalog)
    blocks = {draft.placeholder: statement.token_tree.read_block(draft.span.start) for draft in drafts}
    for draft in drafts:
        if id(draft.owner) in scopes and changes_rows(blocks[draft.placeholder], statement, catalog):
            scopes[id(draft.owner)] = replace(scopes[id(draft.owner)], reshaped=True)
    contexts = {
        draft.placeholder: FilterContext(
            statement=statement,
            catalog=catalog,
            block=blocks[draft.placeholder],
            scope=scopes.get(id(draft.owner)),
            columns=_source_columns(drafts, draft.owner),
            edits=edits,
            lineage=lineage,
            outer=outers.get(draft.placeholder),
        )
        for draft in drafts
    }

    def bind_inner(inner: Statement) -> QueryPlan | None:
        return bind_query(inner, catalog, numbers)

    for draft in drafts:
        if draft.placeholder in outers:
            _take_outer_values(draft, contexts[draft.placeholder], bind_inner)
    edits += _edit_statement(statement, drafts, outers)
    edits += hide_row_ids(statement, drafts, scopes.values())
    found = [read_row_count(draft, contexts[draft.placeholder]) for draft in drafts]
    counts = {count.placeholder: count for count in found if count is not None}
    settled = [edit_count(count, contexts[placeholder].block) for placeholder, count in counts.items()]
    edits += settled  # before any predicate is read: one may hold a count
    sources: list[Source] = []
    scalars: list[ScalarQuery] = []
    shape = None
    for draft in drafts:
        if (count := counts.get(draft.placeholder)) is not None:
            sources.append(count)
            if draft.owner is statement.tree:
                shape = answer_with_count(count)
            continue
        context = contexts[draft.placeholder]
        scope, block = context.scope, context.block
        own = scope.of(draft.node) if scope is not None else None
        conjuncts, rest = read_filter(context, draft.alias, own)
        ranked = draft.call is not None and "mmr" not in draft.arguments  # mmr has an order that is no column's
        limit = read_limit(scope, block, statement, rest, draft.call.function if draft.call and ranked else "")
        if draft.call is not None:
            source = bind_call(draft, conjuncts, limit, context, bind_inner)
            if draft.alias == FOUND and not conjuncts:
                raise UnsupportedError("the rows of this subquery cannot be told before the search", span=draft.span)
            if own is not None and not own.nullable:
                settled += _settle_subqueries(source)
            elif own is not None:
                settled += [Edit(span, "true") for span in lateral_conditions(context, own) if span not in rest]
        else:
            scannable = own is not None and not own.paired and not is_reshaped(draft.node)
            nearest = read_nearest(draft, own, conjuncts, rest, context, bind_inner)
            required = nearest.required if isinstance(nearest, Nearest) else ()
            source = TableScan(
                placeholder=draft.placeholder,
                alias=draft.alias,
                table=draft.table,
                columns=tuple(draft.table.schema.names),
                filter=(*conjuncts, *required) if scannable else (),
                span=draft.span,
                nearest=nearest if isinstance(nearest, Nearest) else None,
                refusal=nearest if isinstance(nearest, str) else "",
                semi_joins=find_semi_joins(own, draft.table, context) if own is not None and scannable else (),
                first=read_first_rows(draft, context, conjuncts) if scannable and not rest else None,
            )
            if isinstance(nearest, Nearest) and isinstance(nearest.query, ScalarQuery):
                scalars.append(nearest.query)
        source = _offer_row_id(source, statement)
        sources.append(source)
        if len(drafts) == 1 and scope is not None and own is not None and not is_reshaped(draft.node):
            kept = {conjunct.span for conjunct in source.filter}
            after = (*rest, *(one.span for one in conjuncts if one.span is not None and one.span not in kept))
            shape = read_shape(source, scope, block, statement, filtered=not after)
    read = [Edit(one.span, f'(SELECT * FROM "{one.placeholder}")') for one in scalars if one.span is not None]
    settled += read
    sources = [one for one in sources if not any(one.span and contains(edit.span, one.span) for edit in read)]
    sources = inherit_conjuncts(sources, lineage, statement, catalog, edits)
    cut = [*(draft.span for draft in drafts), *(edit.span for edit in settled)]
    used = tuple(dict.fromkeys(use.name for use in statement.parameters))
    left = dict.fromkeys(use.name for use in statement.parameters if not any(contains(span, use.span) for span in cut))
    left |= dict.fromkeys(_name_parameters(outers.values()))
    inner = [plan for outer in outers.values() for plan in outer.inner.values()]
    usages = UsageReader(statement, lineage)
    return QueryPlan(
        sql=statement.sql,
        relation=splice(statement.sql, [*edits, *settled]),
        sources=(*sources, *(source for plan in inner for source in plan.sources)),
        parameters=tuple(left),
        used_parameters=used,
        output=read_output(statement.tree, {source.alias.lower(): source for source in sources}),
        usage=(
            *(usages.read(draft) for draft in drafts),
            *(usage for plan in inner for usage in plan.usage),
        ),
        shape=shape,
        scalars=tuple(scalars),
        condenses=_condenses(statement.tree),
        returns_rows=isinstance(statement.tree, exp.Query | exp.Pivot | exp.Describe | exp.Summarize | exp.Table),
    )


def _find_outers(
    statement: Statement, drafts: list[Draft], scopes: Mapping[int, Scope], catalog: Catalog
) -> dict[str, OuterColumns]:
    found = {
        draft.placeholder: find_outer_columns(
            draft, scopes.get(id(draft.owner)), _source_columns(drafts, draft.owner), catalog, statement
        )
        for draft in drafts
        if draft.call is not None
    }
    return {placeholder: outer for placeholder, outer in found.items() if outer is not None}


def _take_outer_values(
    draft: Draft, context: FilterContext, bind_inner: Callable[[Statement], QueryPlan | None]
) -> None:
    """Reads a search once for what it takes from other relations: its place in the relation is written from that."""
    assert context.outer is not None
    assert context.scope is not None
    for argument in value_arguments(draft):
        tree = parse_expression(context.statement.sql[argument.span.start : argument.span.end])
        if tree is not None and context.outer.find_in_argument(tree):
            read_value(argument, draft, context, bind_inner)
    outer = context.outer
    outer.filtered = is_prefiltered(draft) and (outer.lateral or bool(outer.values))
    read_filter(context, draft.alias, context.scope.of(draft.node))


def _name_parameters(outers: Iterable[OuterColumns]) -> list[str]:
    texts = [value.sql for outer in outers for value in outer.values]
    return [use.name for text in texts for use in find_parameters(read_tokens(text))]


def _bind_expanded(expansion: Expansion, catalog: Catalog, numbers: Iterator[int]) -> QueryPlan:
    statement = parse_statement(expansion.text)
    try:
        plan = bind_query(statement, catalog, numbers)
    except LanceSQLError as error:
        raise place_error(error, expansion) from None
    if plan is None:  # its table is gone: let the engine say so
        names = tuple(dict.fromkeys(use.name for use in statement.parameters))
        plan = QueryPlan(sql=statement.sql, relation=statement.sql, parameters=names, used_parameters=names)
    return replace(plan, expansion=expansion)


def _refuse_stored_sources(statement: Statement, drafts: list[Draft]) -> None:
    tree = statement.tree
    if isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() in ("VIEW", "FUNCTION", "MACRO"):
        kind = str(tree.args.get("kind")).lower()
        raise UnsupportedError(
            f"a DuckDB {kind} cannot hold a Lance table or a search",
            hint="put the query in a CTE, or store its rows with CREATE TABLE … AS",
            span=drafts[0].span,
        )
    if isinstance(tree, exp.Command):
        raise UnsupportedError("this kind of statement cannot hold a Lance table or a search", span=drafts[0].span)


def _refuses_alias(statement: Statement, draft: Draft) -> bool:
    """Whether the table stands behind a word that takes a bare name alone."""
    index = statement.token_tree.find_token(draft.span.start)
    return index > 0 and is_word(statement.tokens[index - 1], "SUMMARIZE", "TABLE", "DESCRIBE")


def _stands_first(statement: Statement, lateral: Span) -> bool:
    """Whether the word stands right behind FROM, where the engine does not take it."""
    index = statement.token_tree.find_token(lateral.start)
    return index > 0 and is_word(statement.tokens[index - 1], "FROM")


def _settle_subqueries(source: Source) -> list[Edit]:
    """A predicate with a subquery that the search has applied is not asked again.

    The engine would answer it by a join, which costs a second run of the subquery and loses the order of the search.
    """
    return [
        Edit(one.span, "true") for one in source.filter if one.subquery and one.span is not None and not one.explicit
    ]


def _condenses(tree: exp.Expr) -> bool:
    if not isinstance(tree, exp.Select):
        return False
    aggregates = (next(item.find_all(exp.AggFunc), None) for item in tree.expressions)
    return tree.args.get("group") is not None or any(one is not None for one in aggregates)


def _settle_orders(statement: Statement, catalog: Catalog) -> None:
    """ORDER BY without ASC or DESC means what the engine is set to."""
    open_orders = [one for one in statement.tree.find_all(exp.Ordered) if one.args.get("desc") is None]
    if open_orders and catalog.orders_descending():
        for one in open_orders:
            one.set("desc", True)


def _edit_statement(statement: Statement, drafts: list[Draft], outers: Mapping[str, OuterColumns]) -> list[Edit]:
    edits: list[Edit] = []
    names = {draft.table.name.lower() for draft in drafts if draft.call is None}
    for draft in drafts:
        outer = outers.get(draft.placeholder)
        text = f'"{draft.placeholder}"' if outer is None or not outer.values else write_search_text(draft, outer)
        lateral = draft.call.lateral if draft.call is not None else None
        if lateral is not None and (outer is None or not outer.values or _stands_first(statement, lateral)):
            edits.append(Edit(lateral, ""))
        if not draft.aliased and not _refuses_alias(statement, draft):
            quoted = draft.alias.replace('"', '""')
            text += f' AS "{quoted}"'
        edits.append(Edit(draft.span, text))
        if draft.at is not None and not contains(draft.span, draft.at.span):
            edits.append(Edit(draft.at.span, ""))
    inside = [edit.span for edit in edits]
    for use in statement.parameters:
        if use.anonymous and not any(contains(span, use.span) for span in inside):
            edits.append(Edit(use.span, f"${use.name}"))
    tokens = statement.tokens
    for index in range(len(tokens) - 3):
        qualified = tokens[index + 1].token_type is TokenType.DOT and tokens[index + 3].token_type is TokenType.DOT
        if qualified and tokens[index].text.lower() == "lance" and tokens[index + 2].text.lower() in names:
            span = Span(tokens[index].start, tokens[index + 1].end + 1)  # lance.movies.title → movies.title
            if not any(contains(one, span) for one in inside):
                edits.append(Edit(span, ""))
    return [*edits, *spell_operators(statement.sql, statement.token_tree, edits)]


def _source_columns(drafts: list[Draft], owner: exp.Expr | None) -> dict[str, dict[str, str]]:
    return {
        draft.alias.lower(): {name.lower(): name for name in (*draft.table.schema.names, ROW_ID)}
        for draft in drafts
        if draft.owner is owner
    }


def _offer_row_id(source: Source, statement: Statement) -> Source:
    if any(token.text.lower() == ROW_ID for token in statement.tokens) and ROW_ID not in source.columns:
        return replace(source, columns=(*source.columns, ROW_ID))
    return source
