"""Statement + catalog → QueryPlan: which spans are sources, what each source's filter is, what the relation is."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sqlglot import exp

from lancesql.binder.filters.inherited import inherit_conjuncts
from lancesql.binder.filters.lineage import Lineage
from lancesql.binder.filters.own import FilterContext, lateral_conditions, read_filter
from lancesql.binder.filters.semi_joins import find_semi_joins
from lancesql.binder.nearest.order_by import read_nearest
from lancesql.binder.searches.base import FOUND, expand_bases
from lancesql.binder.searches.call import bind_call, is_prefiltered, read_value
from lancesql.binder.searches.correlation import OuterColumns, find_outer_columns, value_arguments
from lancesql.catalog import Catalog
from lancesql.errors import LanceSQLError, ParseError, Span, UnsupportedError
from lancesql.parser import Statement, parse_expression, parse_statement, read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.parser.text_calls import TextCall, names_text_function
from lancesql.parser.tokens import Token
from lancesql.plan.embeddings import EmbedFunction
from lancesql.plan.expansion import Expansion, place_error
from lancesql.plan.query import QueryPlan, QueryShape
from lancesql.plan.sources import ROW_ID, Conjunct, Nearest, Source, TableScan
from lancesql.plan.values import ScalarQuery

from .drafts import Draft, contains, find_drafts, is_reshaped
from .embed_calls import expand_embeds
from .facets import expand_facets
from .first_rows import read_first_rows
from .known_sources import know_sources, list_source_columns
from .letter_case import refuse_names_alike
from .qualifiers import expand_qualifiers
from .relation import edit_statement, place_conjuncts, settle_conjuncts, settle_matches
from .row_counts import answer_with_count, edit_count, read_row_count
from .scope import Relation, Scope, read_scope
from .shape import changes_rows, read_limit, read_output, read_shape
from .splice import Edit, number_parameters, splice
from .stars import hide_row_ids
from .text_functions import bind_text_functions, find_own_calls
from .usage import UsageReader
from .views import expand_views

__all__ = ["bind_query", "bind_text"]


def bind_query(statement: Statement, catalog: Catalog, numbers: Iterator[int] | None = None) -> QueryPlan | None:
    """Cuts a statement into its sources and the relation over them.

    Returns:
        The plan, or None when nothing of Lance is named: the engine runs the text as it is.

    Raises:
        BindError: When a name or an argument does not fit.
        UnsupportedError: When the statement is of a kind that cannot hold a source.
    """
    numbers = itertools.count() if numbers is None else numbers
    expansion = expand_facets(statement) if statement.stand_ins else None
    if expansion is None and catalog.views():
        expansion = expand_views(statement, catalog)
    if expansion is None and statement.stand_ins:
        expansion = expand_bases(statement, catalog)
    if expansion is None:
        expansion = expand_qualifiers(statement, catalog)
    if expansion is not None:
        return _bind_expanded(expansion, catalog, numbers)
    embeds = expand_embeds(statement, catalog)
    if embeds is not None:
        return _bind_expanded(embeds.expansion, catalog, numbers, embeds.functions)
    drafts = find_drafts(statement, catalog, numbers)
    calls = find_own_calls(statement, catalog)
    if not drafts and not calls:
        return None
    if drafts:
        _refuse_stored(statement, "a Lance table or a search", drafts[0].span)
    else:
        _refuse_stored(statement, f"{calls[0].function}(), which is there for a statement alone", calls[0].span)
    refuse_names_alike(statement, drafts)
    _settle_orders(statement, catalog)
    return _Binding(statement, catalog, numbers, drafts, calls).bind()


def bind_text(sql: str, tokens: list[Token], catalog: Catalog, *, is_named: bool) -> QueryPlan | None:
    """As `bind_query`, for a text that is not read unless something in it may be ours.

    Args:
        sql: The text.
        tokens: Its tokens.
        catalog: Answers about names.
        is_named: Whether it names a table, a view or a search of ours.
    """
    if not is_named and not names_text_function(sql):
        return None
    try:
        return bind_query(parse_statement(sql, tokens), catalog)
    except ParseError:
        if is_named:
            raise
        return None  # a function of the user's may be meant, and DuckDB reads more than sqlglot


class _Binding:
    """One statement while it is bound: its sources read one after the other, the edits of its text gathered.

    Attributes:
        edits: Where the text names what the engine does not know; every predicate is read with them applied.
        settled: Where the relation need not ask again what a source has answered.
        asked: Where it need not when Lance answers: a scan, and a conjunct that no row but the scan's own can meet.
    """

    def __init__(
        self,
        statement: Statement,
        catalog: Catalog,
        numbers: Iterator[int],
        drafts: list[Draft],
        calls: tuple[TextCall, ...],
    ) -> None:
        self.statement, self.catalog, self.numbers, self.drafts = statement, catalog, numbers, drafts
        self.settled: list[Edit] = []
        self.asked: list[tuple[str, Span]] = []
        self.sources: list[Source] = []
        self.scalars: list[ScalarQuery] = []
        self.shape: QueryShape | None = None
        scopes = {id(draft.owner): read_scope(draft.owner) for draft in drafts if draft.owner is not None}
        self.lineage = Lineage(drafts, catalog, scopes)
        functions, self.edits = bind_text_functions(statement, calls, self.lineage, numbers)
        self.functions = list(functions)
        self.outers = self._find_outers(scopes)
        blocks = {draft.placeholder: statement.token_tree.read_block(draft.span.start) for draft in drafts}
        for draft in drafts:
            if id(draft.owner) in scopes and changes_rows(blocks[draft.placeholder], statement, catalog):
                scopes[id(draft.owner)] = replace(scopes[id(draft.owner)], reshaped=True)
        self.scopes = scopes
        self.known = {draft.placeholder: list_source_columns(draft) for draft in drafts}
        catalog_of_texts = know_sources(catalog, self.known)
        self.contexts = {
            draft.placeholder: FilterContext(
                statement=statement,
                catalog=catalog_of_texts,
                block=blocks[draft.placeholder],
                scope=scopes.get(id(draft.owner)),
                columns=_source_columns(drafts, draft.owner),
                edits=self.edits,
                lineage=self.lineage,
                outer=self.outers.get(draft.placeholder),
                functions=self.functions,
                numbers=numbers,
            )
            for draft in drafts
        }

    def bind(self) -> QueryPlan:
        """The plan of the statement."""
        for draft in self.drafts:
            if draft.placeholder in self.outers:
                self._take_outer_values(draft)
        self.edits += edit_statement(self.statement, self.drafts, self.outers)
        self.edits += hide_row_ids(self.statement, self.drafts, self.scopes.values())
        found = [read_row_count(draft, self.contexts[draft.placeholder]) for draft in self.drafts]
        counts = {count.placeholder: count for count in found if count is not None}
        self.settled += [edit_count(count, self.contexts[name].block) for name, count in counts.items()]
        self.known |= dict.fromkeys(counts, ("count",))
        self.edits += self.settled  # before any predicate is read: one may hold a count
        for draft in self.drafts:
            count = counts.get(draft.placeholder)
            self.sources.append(self._bind_source(draft) if count is None else count)
            if count is not None and draft.owner is self.statement.tree:
                self.shape = answer_with_count(count)
        return self._make_plan()

    def _bind_inner(self, inner: Statement) -> QueryPlan | None:
        return bind_query(inner, self.catalog, self.numbers)

    def _find_outers(self, scopes: Mapping[int, Scope]) -> dict[str, OuterColumns]:
        found = {
            draft.placeholder: find_outer_columns(
                draft,
                scopes.get(id(draft.owner)),
                _source_columns(self.drafts, draft.owner),
                self.catalog,
                self.statement,
            )
            for draft in self.drafts
            if draft.call is not None
        }
        return {placeholder: outer for placeholder, outer in found.items() if outer is not None}

    def _take_outer_values(self, draft: Draft) -> None:
        """Reads a search once for what it takes from other relations: its place in the relation is written from it."""
        context = self.contexts[draft.placeholder]
        assert context.outer is not None
        assert context.scope is not None
        for argument in value_arguments(draft):
            tree = parse_expression(context.statement.sql[argument.span.start : argument.span.end])
            if tree is not None and context.outer.find_in_argument(tree):
                read_value(argument, draft, context, self._bind_inner)
        outer = context.outer
        outer.filtered = is_prefiltered(draft) and (outer.lateral or outer.within_lateral or bool(outer.values))
        read_filter(context, draft.alias, context.scope.of(draft.node))

    def _bind_source(self, draft: Draft) -> Source:
        context = self.contexts[draft.placeholder]
        scope, block = context.scope, context.block
        own = scope.of(draft.node) if scope is not None else None
        conjuncts, rest = read_filter(context, draft.alias, own)
        if draft.call is not None:
            source = self._bind_search(draft, own, conjuncts, rest)
        else:
            source = self._bind_scan(draft, own, conjuncts, rest)
        source = _offer_row_id(source, self.statement)
        if len(self.drafts) == 1 and scope is not None and own is not None and not is_reshaped(draft.node):
            kept = {conjunct.span for conjunct in source.filter}
            after = (*rest, *(one.span for one in conjuncts if one.span is not None and one.span not in kept))
            self.shape = read_shape(source, scope, block, self.statement, filtered=not after)
        return source

    def _bind_search(
        self, draft: Draft, own: Relation | None, conjuncts: tuple[Conjunct, ...], rest: tuple[Span, ...]
    ) -> Source:
        context = self.contexts[draft.placeholder]
        assert draft.call is not None
        ranked = "mmr" not in draft.arguments  # mmr has an order that is no column's
        function = draft.call.function if ranked else ""
        limit = read_limit(context.scope, context.block, self.statement, rest, function)
        source = bind_call(draft, conjuncts, limit, context, self._bind_inner)
        if draft.alias == FOUND and not conjuncts:
            raise UnsupportedError("the rows of this subquery cannot be told before the search", span=draft.span)
        if own is not None and not own.nullable:
            self.settled += settle_conjuncts(source)
        elif own is not None:
            self.settled += [Edit(span, "true") for span in lateral_conditions(context, own) if span not in rest]
        return source

    def _bind_scan(
        self, draft: Draft, own: Relation | None, conjuncts: tuple[Conjunct, ...], rest: tuple[Span, ...]
    ) -> Source:
        context = self.contexts[draft.placeholder]
        scannable = own is not None and not own.paired and not is_reshaped(draft.node)
        nearest = read_nearest(draft, own, conjuncts, rest, context, self._bind_inner)
        required = nearest.required if isinstance(nearest, Nearest) else ()
        if isinstance(nearest, Nearest) and isinstance(nearest.query, ScalarQuery):
            self.scalars.append(nearest.query)
        if own is not None and scannable and not own.nullable:
            self.settled += settle_matches(conjuncts)
            self.asked += [(draft.placeholder, one.span) for one in conjuncts if one.span and not one.subquery]
        return TableScan(
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

    def _make_plan(self) -> QueryPlan:
        statement, scalars = self.statement, tuple(self.scalars)
        read = [Edit(one.span, f'(SELECT * FROM "{one.placeholder}")') for one in scalars if one.span is not None]
        settled = [*self.settled, *read]
        # A scalar subquery is run as a plan of its own: what it reads is no source of this one.
        sources = [one for one in self.sources if not any(one.span and contains(edit.span, one.span) for edit in read)]
        sources = inherit_conjuncts(sources, self.lineage, statement, self.catalog, self.edits, self.functions)
        cut = [*(draft.span for draft in self.drafts), *(edit.span for edit in settled)]
        names = [use.name for use in statement.parameters if not any(contains(span, use.span) for span in cut)]
        inner = [plan for outer in self.outers.values() for plan in outer.inner.values()]
        usages = UsageReader(statement, self.lineage)
        edits = [*_list_outside(self.edits, settled), *settled]
        return QueryPlan(
            sql=statement.sql,
            relation=splice(statement.sql, edits),
            sources=(*sources, *(source for plan in inner for source in plan.sources)),
            parameters=tuple(dict.fromkeys([*names, *_name_parameters(self.outers.values())])),
            used_parameters=tuple(dict.fromkeys(use.name for use in statement.parameters)),
            output=read_output(statement.tree, {source.alias.lower(): source for source in sources}),
            usage=(
                *(usages.read(draft) for draft in self.drafts),
                *(replace(usage, places={}) for plan in inner for usage in plan.usage),  # another text's places
            ),
            shape=self.shape,
            scalars=scalars,
            functions=(*self.functions, *(function for plan in inner for function in plan.functions)),
            condenses=_condenses(statement.tree),
            returns_rows=_returns_rows(statement),
            asked=place_conjuncts(statement.sql, edits, self.asked),
        )


def _list_outside(edits: list[Edit], settled: list[Edit]) -> list[Edit]:
    """The edits of what is not settled: what is settled stands for all of its span."""
    spans = [edit.span for edit in settled if edit.span.end > edit.span.start]
    return [edit for edit in edits if not any(one.start <= edit.span.start < one.end for one in spans)]


def _name_parameters(outers: Iterable[OuterColumns]) -> list[str]:
    texts = [value.sql for outer in outers for value in outer.values]
    return [use.name for text in texts for use in find_parameters(read_tokens(text))]


def _bind_expanded(
    expansion: Expansion, catalog: Catalog, numbers: Iterator[int], embeds: tuple[EmbedFunction, ...] = ()
) -> QueryPlan:
    statement = parse_statement(expansion.text)
    try:
        plan = bind_query(statement, catalog, numbers)
    except LanceSQLError as error:
        raise place_error(error, expansion) from None
    if plan is None:  # its table is gone, which the engine says; or it only embeds
        plan = _plan_plain(statement)
    inner = replace(expansion, inner=plan.expansion)
    return replace(plan, expansion=inner, embeds=(*embeds, *plan.embeds))


def _plan_plain(statement: Statement) -> QueryPlan:
    names = tuple(dict.fromkeys(use.name for use in statement.parameters))
    numbered = number_parameters(statement)
    return QueryPlan(
        sql=statement.sql,
        relation=splice(statement.sql, numbered),
        parameters=names,
        used_parameters=names,
        returns_rows=_returns_rows(statement),
    )


def _returns_rows(statement: Statement) -> bool:
    return isinstance(statement.tree, exp.Query | exp.Pivot | exp.Describe | exp.Summarize | exp.Table)


def _refuse_stored(statement: Statement, what: str, span: Span) -> None:
    tree = statement.tree
    if isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() in ("VIEW", "FUNCTION", "MACRO"):
        kind = str(tree.args.get("kind")).lower()
        raise UnsupportedError(
            f"a DuckDB {kind} cannot hold {what}",
            hint="put the query in a CTE, or store its rows with CREATE TABLE … AS",
            span=span,
        )
    if isinstance(tree, exp.Command):
        raise UnsupportedError(f"this kind of statement cannot hold {what}", span=span)


def _condenses(tree: exp.Expr) -> bool:
    """Whether few rows come of much to plan: a query of one block alone is planned as fast as its rows are copied."""
    if not isinstance(tree, exp.Select) or tree.find(exp.Join, exp.Subquery, exp.CTE) is None:
        return False
    aggregates = (next(item.find_all(exp.AggFunc), None) for item in tree.expressions)
    return tree.args.get("group") is not None or any(one is not None for one in aggregates)


def _settle_orders(statement: Statement, catalog: Catalog) -> None:
    """ORDER BY without ASC or DESC means what the engine is set to."""
    open_orders = [one for one in statement.tree.find_all(exp.Ordered) if one.args.get("desc") is None]
    if open_orders and catalog.orders_descending():
        for one in open_orders:
            one.set("desc", True)


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
