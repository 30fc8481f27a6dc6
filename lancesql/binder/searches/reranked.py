"""`rerank(search, 'reranker', …)` → its source: whose rows, ordered by what, comparing which texts."""

from __future__ import annotations

from dataclasses import replace

from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, nearest_name
from lancesql.parser.calls import Argument, SearchCall
from lancesql.plan.parts import list_leaves
from lancesql.plan.rerankers import RERANKERS, RerankerInfo
from lancesql.plan.sources import FullTextSearch, FusedSearch, RerankedSearch, Search, VectorSearch, score_fields
from lancesql.plan.type_names import name_arrow_type
from lancesql.plan.values import Constant, Value
from lancesql.plan.vector_options import Examples

from .arguments import SearchContext, choose_k, read_word
from .columns import find_column, is_text_column, read_name
from .signatures import SIGNATURES, check_names

__all__ = ["bind_reranked_search"]


def bind_reranked_search(
    call: SearchCall, table: TableInfo, arguments: dict[str, Argument], context: SearchContext, search: Search
) -> RerankedSearch:
    """Binds a reranking of a search that is bound.

    Raises:
        ArgumentError: When there is no such reranker, or it cannot order the rows of this search.
    """
    if "reranker" not in arguments:
        raise ArgumentError(
            "rerank() needs the name of a reranker",
            hint=f"rerank(search, 'name', …): {_list_names(context)}",
            span=call.name_span,
        )
    name = _read_reranker(arguments["reranker"], context)
    info = RERANKERS.get(name) if name not in context.catalog.rerankers() else None
    own = {**(info.options if info is not None else {})}
    check_names(call, arguments, (*SIGNATURES[call.function].names, *own))
    fuses = info is not None and not info.reads_text
    if info is not None and fuses:
        _check_fuses(name, info, search, arguments)
    k, origin = choose_k(call, arguments, context)
    source = RerankedSearch(
        placeholder=context.placeholder,
        alias=context.alias,
        table=table,
        columns=(),
        search=search,
        reranker=name,
        query=None if fuses else _choose_query(arguments, context, search),
        column=None if fuses else _choose_column(call, table, arguments, search, info),
        options=tuple((option, context.read_value(arguments[option])) for option in own if option in arguments),
        k=k,
        k_origin=origin,
        filter=context.filter,
        function=call.function,
        span=call.span,
    )
    if source.query is None and info is not None and not fuses:
        raise ArgumentError(
            f"reranker '{name}' compares each row with a text, and the search has none",
            hint="say which: rerank(…, query => 'text')",
            span=call.name_span,
        )
    return replace(source, columns=(*table.schema.names, *(field.name for field in score_fields(source))))


def _read_reranker(argument: Argument, context: SearchContext) -> str:
    name = read_word(argument).lower()
    known = [*context.catalog.rerankers(), *RERANKERS]
    if name in known:
        return name
    near = nearest_name(name, known)
    raise ArgumentError(
        f"there is no reranker '{name}'",
        hint=(f"did you mean '{near}'? " if near else "")
        + f"{_list_names(context)}; db.register_reranker('{name}', …) makes one",
        span=argument.span,
    )


def _list_names(context: SearchContext) -> str:
    return f"rerankers: {', '.join([*context.catalog.rerankers(), *RERANKERS])}"


def _check_fuses(name: str, info: RerankerInfo, search: Search, arguments: dict[str, Argument]) -> None:
    """A reranker that looks at ranks and scores alone needs several rankings, and no text."""
    for unused in ("query", "column"):
        if unused in arguments:
            raise ArgumentError(
                f"reranker '{name}' looks at ranks and scores alone: {unused} means nothing to it",
                span=arguments[unused].name_span,
            )
    if isinstance(search, FusedSearch):
        legs = {type(leg) for leg in search.legs}
        if info.fuses_any or (len(search.legs) == 2 and legs == {VectorSearch, FullTextSearch}):
            return
        what = "blends a vector ranking and a text ranking, and this is a fusion of others"
    else:
        what = f"fuses rankings, and {search.function}() is one"
    raise ArgumentError(
        f"reranker '{name}' {what}", hint=f"rerank(hybrid_search(…), '{name}', …)", span=arguments["reranker"].span
    )


def _choose_query(arguments: dict[str, Argument], context: SearchContext, search: Search) -> Value | None:
    """The text given, else the one the search looks for."""
    if "query" in arguments:
        return context.read_value(arguments["query"])
    leaves = list_leaves(search)
    texts: list[Value] = [leaf.query for leaf in leaves if isinstance(leaf, FullTextSearch)]
    if not texts:
        vectors = [leaf.query for leaf in leaves if isinstance(leaf, VectorSearch)]
        texts = [one for one in vectors if isinstance(one, Constant) and isinstance(one.value, str)]
        texts += [one for one in vectors if not isinstance(one, Constant | Examples)]  # may turn out to be a text
    return texts[0] if texts else None


def _choose_column(
    call: SearchCall, table: TableInfo, arguments: dict[str, Argument], search: Search, info: RerankerInfo | None
) -> str | None:
    candidates = [field.name for field in table.schema if is_text_column(field.type)]
    if "column" in arguments:
        argument = arguments["column"]
        column = find_column(table, read_name(argument), argument.span, candidates)
        if column not in candidates:
            raise ArgumentError(
                f"column '{column}' is not text ({name_arrow_type(table.schema.field(column).type)})",
                hint=f"text columns of '{table.name}': {', '.join(candidates) or 'none'}",
                span=argument.span,
            )
        return column
    searched = {name for leaf in list_leaves(search) if isinstance(leaf, FullTextSearch) for name in leaf.text_columns}
    likely = sorted(searched) if len(searched) == 1 else candidates
    if len(likely) == 1:
        return likely[0]
    if info is None:
        return None
    raise ArgumentError(
        f"rerank() has to know which text it compares: {', '.join(sorted(searched) or candidates) or 'there is none'}",
        hint="name it: column => '…'",
        span=call.name_span,
    )
