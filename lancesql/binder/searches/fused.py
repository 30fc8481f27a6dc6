"""`rrf(search, search, …)` → its source: searches of one table, fused by their ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lancesql.catalog import TableInfo
from lancesql.parser.calls import Argument, SearchCall
from lancesql.plan.sources import RANK, FusedSearch, Search, score_fields

from .arguments import SearchContext, choose_k
from .fusion import bind_fusion
from .signatures import SIGNATURES, check_names

__all__ = ["bind_fused_search"]


def bind_fused_search(
    call: SearchCall,
    table: TableInfo,
    arguments: dict[str, Argument],
    context: SearchContext,
    legs: Sequence[Search],
) -> FusedSearch:
    """Binds a fusion of searches that are bound."""
    check_names(call, arguments, SIGNATURES[call.function].names)
    k, origin = choose_k(call, arguments, context)
    source = FusedSearch(
        placeholder=context.placeholder,
        alias=context.alias,
        table=table,
        columns=(),
        legs=tuple(legs),
        k=k,
        k_origin=origin,
        fusion=bind_fusion(arguments, context, table.schema, "rrf"),
        rank_columns=tuple(f"{RANK}{number}" for number in range(1, len(legs) + 1)),
        filter=context.filter,
        function=call.function,
        span=call.span,
    )
    return replace(source, columns=(*table.schema.names, *(field.name for field in score_fields(source))))
