"""Statement + catalog → QueryPlan: which spans are sources, what each source's filter is, what the relation is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sqlglot import exp

from ..catalog import Catalog, TableInfo, VersionRef
from ..errors import ArgumentError, Span, UnsupportedError
from ..parser import Statement, parse_statement
from ..parser.calls import Argument, AtClause, SearchCall
from ..parser.tokens import TokenType
from ..plan.query import QueryPlan, Usage
from ..plan.sources import ROW_ID, Source, TableScan
from ..plan.values import Parameter, ScalarQuery, Value
from .filters import FilterContext, read_explicit_filter, read_filter
from .literals import read_literal
from .scope import Scope, find_owner_node, read_scope
from .searches import SearchContext, bind_search, find_search_table
from .shape import read_limit, read_output, read_shape
from .splice import Edit, splice
from .tables import find_lance_table, name_alias, read_at_clause, table_span

__all__ = ["bind_query"]

PLACEHOLDER = "__lancesql_"


@dataclass
class _Draft:
    """One source while the statement is being bound."""

    node: exp.Table
    span: Span
    alias: str
    table: TableInfo
    placeholder: str
    call: SearchCall | None = None
    arguments: dict[str, Argument] = field(default_factory=dict)
    owner: exp.Expression | None = None
    at: AtClause | None = None
    aliased: bool = True


def bind_query(statement: Statement, catalog: Catalog, numbers: Iterator[int] | None = None) -> QueryPlan | None:
    """Cuts a statement into its sources and the relation over them.

    Returns:
        The plan, or None when nothing of Lance is named: the engine runs the text as it is.

    Raises:
        BindError: When a name or an argument does not fit.
        UnsupportedError: When the statement is of a kind that cannot hold a source.
    """
    numbers = itertools.count() if numbers is None else numbers
    drafts = _find_sources(statement, catalog, numbers)
    if not drafts:
        return None
    _refuse_stored_sources(statement, drafts)
    edits = _edit_statement(statement, drafts)
    scopes = {id(draft.owner): read_scope(draft.owner) for draft in drafts if draft.owner is not None}
    blocks = {draft.placeholder: statement.token_tree.read_block(draft.span.start) for draft in drafts}
    sources: list[Source] = []
    shape = None
    for draft in drafts:
        scope = scopes.get(id(draft.owner))
        block = blocks[draft.placeholder]
        context = FilterContext(
            statement=statement,
            catalog=catalog,
            block=block,
            scope=scope,
            columns=_source_columns(drafts, draft.owner),
            edits=edits,
        )
        own = scope.of(draft.node) if scope is not None else None
        conjuncts, rest = read_filter(context, draft.alias, own)
        limit, page = read_limit(scope, block, statement, rest)
        if draft.call is not None:
            source = _bind_call(draft, conjuncts, limit, page, statement, catalog, numbers, context)
        else:
            scannable = own is not None and not own.paired and not _is_reshaped(draft.node)
            source = TableScan(
                placeholder=draft.placeholder,
                alias=draft.alias,
                table=draft.table,
                columns=tuple(draft.table.schema.names),
                filter=conjuncts if scannable else (),
                span=draft.span,
            )
        source = _offer_row_id(source, statement)
        sources.append(source)
        if len(drafts) == 1 and scope is not None and own is not None and not _is_reshaped(draft.node):
            shape = read_shape(source, scope, block, statement, rest, filtered_all=len(rest) == 0)
    cut = [draft.span for draft in drafts]
    used = tuple(dict.fromkeys(use.name for use in statement.parameters))
    left = dict.fromkeys(
        use.name for use in statement.parameters if not any(_contains(span, use.span) for span in cut)
    )
    return QueryPlan(
        sql=statement.sql,
        relation=splice(statement.sql, edits),
        sources=tuple(sources),
        parameters=tuple(left),
        used_parameters=used,
        output=read_output(statement.tree, {source.alias.lower(): source for source in sources}),
        usage=tuple(_read_usage(draft, scopes.get(id(draft.owner)), statement) for draft in drafts),
        shape=shape,
        returns_rows=isinstance(statement.tree, exp.Query | exp.Pivot | exp.Describe | exp.Summarize | exp.Table),
    )


def _find_sources(statement: Statement, catalog: Catalog, numbers: Iterator[int]) -> list[_Draft]:
    drafts: list[_Draft] = []
    found: set[str] = set()
    for node in statement.tree.find_all(exp.Table):
        call = statement.stand_ins.get(node.name)
        span = call.span if call is not None else table_span(node)
        if span is None or (call is None and (_is_target(node) or _is_cte(node))):
            continue
        at = _find_at_clause(node, span, statement)
        if call is not None:
            found.add(node.name)
            table, arguments, _ = find_search_table(call, at, catalog)
            alias = node.alias or call.function
        else:
            version: VersionRef | None = read_at_clause(at) if at is not None and _may_be_lance(node, catalog) else None
            lance_table = find_lance_table(node, span, statement.sql, catalog, version)
            if lance_table is None:
                continue
            table, arguments, alias = lance_table, {}, node.alias or name_alias(node.name)
        aliased = node.args.get("alias") is not None
        if not aliased:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
        drafts.append(
            _Draft(
                node=node,
                span=span,
                alias=alias,
                table=table,
                placeholder="",
                call=call,
                arguments=arguments,
                owner=find_owner_node(node),
                at=at,
                aliased=aliased,
            )
        )
    for name, call in statement.stand_ins.items():
        if name not in found:
            raise UnsupportedError(
                f"{call.function}() is a table function and cannot stand here",
                hint=f"use it in FROM: SELECT … FROM {call.function}(…)",
                span=call.span,
            )
    drafts.sort(key=lambda draft: draft.span.start)
    for draft in drafts:
        draft.placeholder = f"{PLACEHOLDER}{next(numbers)}"
    return drafts


def _may_be_lance(node: exp.Table, catalog: Catalog) -> bool:
    qualifier = node.args.get("db")
    if qualifier is not None:
        return bool(qualifier.name.lower() == "lance")
    return node.name.rstrip("/").lower().endswith(".lance") or catalog.find_table(node.name) is not None


def _is_target(node: exp.Table) -> bool:
    """Whether the table is what a statement writes or names, not what it reads."""
    parent = node.parent
    if isinstance(parent, exp.Schema):
        parent = parent.parent
    if isinstance(parent, exp.Insert | exp.Create | exp.Update | exp.Delete | exp.Merge | exp.Drop | exp.Alter):
        return parent.this is node or parent.this is node.parent
    return False


def _is_cte(node: exp.Table) -> bool:
    if node.args.get("db") is not None:
        return False
    name = node.name.lower()
    parent: exp.Expression | None = node
    while parent is not None:
        with_ = parent.args.get("with_")
        if with_ is not None:
            for cte in with_.expressions:
                if cte.alias.lower() == name and (with_.args.get("recursive") or not _is_within(node, cte)):
                    return True
                if _is_within(node, cte):
                    break
        parent = parent.parent
    return False


def _is_within(node: exp.Expression, ancestor: exp.Expression) -> bool:
    current: exp.Expression | None = node
    while current is not None:
        if current is ancestor:
            return True
        current = current.parent
    return False


def _find_at_clause(node: exp.Table, span: Span, statement: Statement) -> AtClause | None:
    end = span.end
    alias = node.args.get("alias")
    ends = {end}
    if alias is not None and alias.this is not None and "end" in alias.this.meta:
        ends.add(alias.this.meta["end"] + 1)
    for clause in statement.at_clauses:
        if any(one <= clause.span.start and not statement.sql[one : clause.span.start].strip() for one in ends):
            return clause
    return None


def _refuse_stored_sources(statement: Statement, drafts: list[_Draft]) -> None:
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


def _edit_statement(statement: Statement, drafts: list[_Draft]) -> list[Edit]:
    edits: list[Edit] = []
    names = {draft.table.name.lower() for draft in drafts if draft.call is None}
    for draft in drafts:
        text = f'"{draft.placeholder}"'
        if not draft.aliased:
            quoted = draft.alias.replace('"', '""')
            text += f' AS "{quoted}"'
        edits.append(Edit(draft.span, text))
        if draft.at is not None:
            edits.append(Edit(draft.at.span, ""))
    inside = [edit.span for edit in edits]
    for use in statement.parameters:
        if use.anonymous and not any(_contains(span, use.span) for span in inside):
            edits.append(Edit(use.span, f"${use.name}"))
    tokens = statement.tokens
    for index in range(len(tokens) - 3):
        qualified = tokens[index + 1].token_type is TokenType.DOT and tokens[index + 3].token_type is TokenType.DOT
        if qualified and tokens[index].text.lower() == "lance" and tokens[index + 2].text.lower() in names:
            span = Span(tokens[index].start, tokens[index + 1].end + 1)  # lance.movies.title → movies.title
            if not any(_contains(one, span) for one in inside):
                edits.append(Edit(span, ""))
    return edits


def _source_columns(drafts: list[_Draft], owner: exp.Expression | None) -> dict[str, dict[str, str]]:
    return {
        draft.alias.lower(): {name.lower(): name for name in (*draft.table.schema.names, ROW_ID)}
        for draft in drafts
        if draft.owner is owner
    }


def _is_reshaped(node: exp.Table) -> bool:
    alias = node.args.get("alias")
    return bool(node.args.get("pivots") or (alias is not None and alias.args.get("columns")))


def _bind_call(
    draft: _Draft,
    conjuncts: tuple,  # type: ignore[type-arg]
    limit: tuple[Value, ...],
    page: Value | None,
    statement: Statement,
    catalog: Catalog,
    numbers: Iterator[int],
    context: FilterContext,
) -> Source:
    assert draft.call is not None
    if _is_reshaped(draft.node) and draft.node.args.get("alias").args.get("columns"):
        raise UnsupportedError(
            "a search cannot rename its columns in its alias",
            hint="rename them in the SELECT list",
            span=draft.span,
        )
    from .signatures import SIGNATURES

    prefilter = SIGNATURES[draft.call.function].prefilter
    if "prefilter" in draft.arguments:
        constant = read_literal(draft.arguments["prefilter"].tokens)
        if constant is None or not isinstance(constant.value, bool):
            raise ArgumentError("prefilter is true or false, written in the statement", span=draft.arguments["prefilter"].span)
        prefilter = constant.value
    filter_ = conjuncts if prefilter else ()
    if "filter" in draft.arguments:
        filter_ = (*filter_, *read_explicit_filter(context, draft.alias, draft.table, draft.arguments["filter"]))

    def read_value(argument: Argument) -> Value:
        return _read_value(argument, draft, statement, catalog, numbers)

    search = SearchContext(
        placeholder=draft.placeholder,
        alias=draft.alias,
        limit=limit if prefilter or not conjuncts else (),
        page=page,
        filter=filter_,
        read_value=read_value,
    )
    return bind_search(draft.call, draft.table, draft.arguments, search)


def _read_value(
    argument: Argument, draft: _Draft, statement: Statement, catalog: Catalog, numbers: Iterator[int]
) -> Value:
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
    text = statement.sql[argument.span.start : argument.span.end]
    _refuse_correlation(argument, text, draft)
    prefix = f"{_read_prelude(statement, draft)}SELECT "
    inner = parse_statement(f"{prefix}{text}")
    plan = bind_query(inner, catalog, numbers) or QueryPlan(
        sql=inner.sql,
        relation=inner.sql,
        parameters=tuple(dict.fromkeys(one.name for one in inner.parameters)),
        used_parameters=tuple(dict.fromkeys(one.name for one in inner.parameters)),
    )
    return ScalarQuery(text, plan, argument.span)


def _refuse_correlation(argument: Argument, text: str, draft: _Draft) -> None:
    from ..parser import parse_expression

    tree = parse_expression(text)
    if tree is None:
        return
    for column in tree.find_all(exp.Column):
        if column.find_ancestor(exp.Select, exp.Lambda) is None:
            raise UnsupportedError(
                f"'{text}' is not a value: a search for each row of another relation is not supported",
                hint="pass a parameter, a list of numbers, or a scalar subquery in parentheses",
                span=argument.span,
            )


def _read_prelude(statement: Statement, draft: _Draft) -> str:
    from .filters import read_prelude

    return read_prelude(statement, draft.node, statement.sql[draft.span.start : draft.span.end], [])


def _offer_row_id(source: Source, statement: Statement) -> Source:
    if any(token.text.lower() == ROW_ID for token in statement.tokens) and ROW_ID not in source.columns:
        return replace(source, columns=(*source.columns, ROW_ID))
    return source


def _read_usage(draft: _Draft, scope: Scope | None, statement: Statement) -> Usage:
    names = frozenset(
        token.text.lower()
        for token in statement.tokens
        if token.token_type is not TokenType.STRING and not _contains(draft.span, Span(token.start, token.end + 1))
    )
    return Usage(draft.placeholder, names, everything=_needs_everything(draft, scope))


def _needs_everything(draft: _Draft, scope: Scope | None) -> bool:
    if scope is None or scope.natural or _is_reshaped(draft.node) or not isinstance(scope.owner, exp.Select):
        return True
    alias = draft.alias.lower()
    for item in scope.owner.expressions:
        star = item.this if isinstance(item, exp.Column) else item
        if isinstance(star, exp.Star) and (not isinstance(item, exp.Column) or item.table.lower() == alias):
            return True
        if next(item.find_all(exp.Columns), None) is not None:
            return True
    if any(isinstance(star.parent, exp.Array | exp.Struct | exp.Anonymous) for star in scope.owner.find_all(exp.Star)):
        return True
    columns = {name.lower() for name in draft.table.schema.names}
    return any(
        not column.table and column.name.lower() == alias and alias not in columns
        for column in scope.owner.find_all(exp.Column)
    )


def _contains(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


