"""A full-text search call → its source: columns, query, k and syntax."""

from __future__ import annotations

from dataclasses import replace

from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError
from lancesql.parser.calls import Argument, SearchCall
from lancesql.plan.sources import SCORE, FullTextSearch
from lancesql.plan.values import Constant, Value

from .arguments import SearchContext, choose_k, is_null, read_flag
from .columns import choose_text_columns
from .signatures import SIGNATURES
from .text_options import bind_text_options, list_boosted
from .text_reading import check_constants

__all__ = ["bind_text_search"]


def bind_text_search(
    call: SearchCall, table: TableInfo, arguments: dict[str, Argument], context: SearchContext
) -> FullTextSearch:
    """Binds a full-text search."""
    columns, undecided = choose_text_columns(call, table, arguments.get("columns"), list_boosted(arguments))
    if "query" not in arguments:
        raise ArgumentError(f"{call.function}() needs a query text", span=call.name_span)
    k: tuple[Value, ...]
    if is_null(arguments.get("k"), context):
        k, origin = (), "every match"
    elif "k" in arguments or not SIGNATURES[call.function].prefilter:
        k, origin = choose_k(call, arguments, context)
    else:
        k, origin = (context.limit, "LIMIT") if context.limit else ((), "every match")
    options = bind_text_options(arguments, columns, context)
    if options.syntax is None and call.function.startswith("lance_"):
        options = replace(options, syntax=Constant("plain"))  # DuckDB's extension knows no operators
    source = FullTextSearch(
        placeholder=context.placeholder,
        alias=context.alias,
        table=table,
        columns=(*table.schema.names, SCORE),
        text_columns=columns,
        query=context.read_value(arguments["query"]),
        k=k,
        k_origin=origin,
        options=options,
        undecided=undecided,
        fast_search="fast_search" in arguments and read_flag(arguments["fast_search"], context),
        filter=context.filter,
        function=call.function,
        span=call.span,
    )
    return check_constants(source, arguments["query"])
