"""A search call → its table at its version, and its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lancesql.binder.tables import read_at_clause, read_table_argument, require_table
from lancesql.catalog import Catalog, TableInfo, VersionRef
from lancesql.errors import ArgumentError, Span, UnsupportedError
from lancesql.parser import Statement
from lancesql.parser.calls import FACETS, Argument, SearchCall
from lancesql.parser.snapshots import AtClause
from lancesql.parser.tokens import TokenType
from lancesql.plan.sources import CANDIDATES, DISTANCE, RANK, RANK_TEXT, RANK_VECTOR, RELEVANCE, SCORE, Search

from .arguments import SearchContext
from .fused import bind_fused_search
from .fusion import bind_candidates
from .hybrid import bind_hybrid_search
from .reranked import bind_reranked_search
from .signatures import SIGNATURES, read_arguments, read_parts
from .text import bind_text_search
from .vector import bind_vector_search

__all__ = ["SearchDraft", "bind_search", "read_search"]

_SEARCHES = "vector_search(…), fts(…), hybrid_search(…), rrf(…) or rerank(…)"


@dataclass(frozen=True)
class SearchDraft:
    """A search call whose table is known.

    Attributes:
        arguments: Its arguments by name, without the table and the searches.
        parts: The searches it is given, when it is a function of searches.
    """

    call: SearchCall
    table: TableInfo
    arguments: dict[str, Argument]
    parts: tuple[SearchDraft, ...] = ()


def read_search(call: SearchCall, at: AtClause | None, statement: Statement, catalog: Catalog) -> SearchDraft:
    """Finds the table a call searches.

    Args:
        call: The call.
        at: The version that stands behind the whole call.
        statement: What the call is part of; other versions may stand within the call.
        catalog: Answers about names.

    Raises:
        ArgumentError: When an argument does not fit, or the searches are of different tables.
        UnknownTableError: When there is no such table.
    """
    if SIGNATURES[call.function].kind in ("fusion", "reranking"):
        return _read_combined(call, at, statement, catalog)
    table_argument, arguments = read_arguments(call)
    name = read_table_argument(table_argument, catalog)
    if catalog.find_view(name) is not None and catalog.find_table(name) is None:
        raise UnsupportedError(
            f"'{name}' is a view, and what stands here is a table",
            hint="a search that stands alone searches views: vector_search('v', …)",
            span=table_argument.span,
        )
    at = next((one for one in statement.at_clauses if _contains(table_argument.span, one.span)), at)
    versions = [kind for kind in ("version", "tag", "branch", "timestamp") if kind in arguments]
    of_branch = versions == ["version", "branch"] and at is None
    if len(versions) + (at is not None) > 1 and not of_branch:
        raise ArgumentError("the version of the table is given twice", span=arguments[versions[-1]].span)
    version: VersionRef | None = None
    if at is not None:
        version = read_at_clause(at, statement.sql, catalog)
    elif versions:
        branch = arguments["branch"] if of_branch else None
        written = AtClause(versions[0], arguments[versions[0]], call.span, branch)
        version = read_at_clause(written, statement.sql, catalog)
    table = require_table(name, table_argument.span, catalog, version)
    ranks = (RANK_VECTOR, RANK_TEXT) if call.function == "hybrid_search" else ()
    _reserve_names((DISTANCE, SCORE, RELEVANCE, *ranks), table, table_argument.span)
    return SearchDraft(call, table, arguments)


def _read_combined(call: SearchCall, at: AtClause | None, statement: Statement, catalog: Catalog) -> SearchDraft:
    searches, rest, arguments = read_parts(call)
    signature = SIGNATURES[call.function]
    for search in searches:
        _check_part(search, call)
    parts = tuple(read_search(search, at, statement, catalog) for search in searches)
    if signature.kind == "reranking":
        if len(parts) != 1 or parts[0].call.span.start != call.arguments[0].span.start:
            odd = searches[1].span if len(parts) > 1 else call.name_span
            raise ArgumentError(
                "rerank() takes one search, and then the name of a reranker",
                hint="several searches are fused first: rerank(rrf(…, …), …)",
                span=odd,
            )
        if rest and "reranker" not in arguments:
            arguments["reranker"] = rest.pop(0)
    if rest:
        raise ArgumentError(
            f"{call.function}() takes {'searches' if signature.kind == 'fusion' else 'one reranker'}",
            hint=f"{_SEARCHES}; {signature.usage}" if signature.kind == "fusion" else signature.usage,
            span=rest[0].span,
        )
    first = parts[0].table
    for part in parts[1:]:
        if (part.table.uri, part.table.version) != (first.uri, first.version):
            other = "another version of it" if part.table.uri == first.uri else f"'{part.table.name}'"
            raise ArgumentError(
                f"{call.function}() fuses searches of one table: this one searches {other}, the first '{first.name}' "
                f"at version {first.version}",
                hint="rankings of different tables are fused in SQL: 1 / (60 + rank), added up by a join of the two",
                span=part.call.span,
            )
    _reserve_names([f"{RANK}{number}" for number in range(1, len(parts) + 1)], first, parts[0].call.arguments[0].span)
    return SearchDraft(call, first, arguments, parts)


def _check_part(search: SearchCall, call: SearchCall) -> None:
    if search.function == FACETS:
        raise ArgumentError(
            "facets() counts, and ranks nothing", hint=f"facets({call.function}(…), …) counts", span=search.name_span
        )
    if search.function.startswith("lance_"):
        raise ArgumentError(
            f"{search.function}() stands alone, as in DuckDB's extension",
            hint=f"{search.function.removeprefix('lance_')}() can be part of {call.function}()",
            span=search.name_span,
        )
    for argument in search.arguments:
        if (argument.name or "").lower() == "prefilter":
            raise ArgumentError(
                f"WHERE is the filter of {call.function}() as a whole",
                hint=f"{call.function}(…, prefilter => …)",
                span=argument.name_span,
            )
    first = search.arguments[0].tokens if search.arguments else ()
    if len(first) > 2 and first[0].token_type is TokenType.L_PAREN:
        raise UnsupportedError(
            f"a search within {call.function}() searches a table, not a subquery",
            hint=f"write the predicates of the subquery behind {call.function}(…)",
            span=search.arguments[0].span,
        )


def _reserve_names(names: Sequence[str], table: TableInfo, span: Span) -> None:
    for reserved in names:
        if reserved in table.schema.names:
            raise UnsupportedError(
                f"table '{table.name}' has a column '{reserved}', the name of a search's own column",
                hint="rename the column to search this table",
                span=span,
            )


def _contains(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def bind_search(search: SearchDraft, context: SearchContext) -> Search:
    """Binds a call whose table is known.

    Raises:
        ArgumentError: When an argument is missing or has a bad value.
        UnknownColumnError: When a column does not exist.
    """
    call, table, arguments = search.call, search.table, search.arguments
    kind = SIGNATURES[call.function].kind
    if kind == "vector":
        return bind_vector_search(call, table, arguments, context)
    if kind == "text":
        return bind_text_search(call, table, arguments, context)
    if kind == "hybrid":
        return bind_hybrid_search(call, table, arguments, context)
    parts = [_bind_part(number, part, search, context) for number, part in enumerate(search.parts, 1)]
    if kind == "fusion":
        return bind_fused_search(call, table, arguments, context, parts)
    return bind_reranked_search(call, table, arguments, context, parts[0])


def _bind_part(number: int, part: SearchDraft, whole: SearchDraft, context: SearchContext) -> Search:
    """A search within another one: it has the filter of the whole, and one of its own may be added."""
    filter_ = context.filter
    if "filter" in part.arguments:
        filter_ = (*filter_, *context.read_filter(part.arguments["filter"]))
    name = str(number) if SIGNATURES[whole.call.function].kind == "fusion" else "search"
    own = replace(context, placeholder=f"{context.placeholder}/{name}", limit=(), filter=filter_)
    bound = bind_search(part, own)
    if "k" in part.arguments:
        return bound
    return replace(bound, k=(bind_candidates(whole.arguments, context),), k_origin=CANDIDATES)
