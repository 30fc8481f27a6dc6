"""A vector search call → its source: column, query, k, metric, bounds and effort."""

from __future__ import annotations

import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, UnsupportedError, nearest_name
from lancesql.parser.calls import Argument, SearchCall
from lancesql.plan.sources import DISTANCE, VectorOptions, VectorSearch
from lancesql.plan.values import Constant, Value

from .arguments import SearchContext, choose_k, is_null, read_flag, read_word
from .columns import choose_vector_column

__all__ = ["bind_vector_search"]

_METRICS = {
    "l2": "l2", "euclidean": "l2", "cosine": "cosine", "dot": "dot", "ip": "dot", "inner_product": "dot",
    "dot_product": "dot", "hamming": "hamming",
}  # fmt: skip


def bind_vector_search(
    call: SearchCall, table: TableInfo, arguments: dict[str, Argument], context: SearchContext
) -> VectorSearch:
    """Binds a vector search."""
    column = choose_vector_column(call, table, arguments.get("column"))
    if "query" not in arguments:
        raise ArgumentError(f"{call.function}() needs a query vector", span=call.name_span)
    bounds = [
        None if name not in arguments else context.read_value(arguments[name])
        for name in ("lower_bound", "upper_bound")
    ]
    unbounded = is_null(arguments.get("k"), context)
    if unbounded and bounds == [None, None]:
        raise ArgumentError(
            "k => NULL returns every row in range, so it needs a range",
            hint="add upper_bound => r, or give k",
            span=arguments["k"].span,
        )
    k, origin = ((), "every row in range") if unbounded else choose_k(call, arguments, context)
    metric, metric_origin = _choose_metric(table, column, arguments.get("metric"))
    return VectorSearch(
        placeholder=context.placeholder,
        alias=context.alias,
        table=table,
        columns=(*table.schema.names, DISTANCE),
        column=column,
        query=_read_vector(call, arguments["query"], context),
        k=k,
        k_origin=origin,
        metric=metric,
        metric_origin=metric_origin,
        options=_read_options(arguments, context),
        lower_bound=bounds[0],
        upper_bound=bounds[1],
        filter=context.filter,
        function=call.function,
        span=call.span,
    )


def _choose_metric(table: TableInfo, column: str, argument: Argument | None) -> tuple[str, str]:
    index = table.index_on(column, ("IVF",))
    if argument is None:
        if index is not None and index.metric:
            return index.metric, f"of index {index.name}"
        binary = pa.types.is_uint8(table.schema.field(column).type.value_type)
        return ("hamming", "default for UTINYINT vectors") if binary else ("l2", "default")
    word = read_word(argument)
    metric = _METRICS.get(word.lower())
    if metric is None:
        near = nearest_name(word, _METRICS)
        raise ArgumentError(
            f"unknown metric '{word}'",
            hint=(f"did you mean '{near}'? " if near else "") + "metrics: l2, cosine, dot, hamming",
            span=argument.span,
        )
    binary = pa.types.is_uint8(table.schema.field(column).type.value_type)
    if binary != (metric == "hamming"):
        fits = "hamming" if binary else "l2, cosine or dot"
        raise ArgumentError(f"metric '{metric}' does not fit column '{column}'", hint=f"use {fits}", span=argument.span)
    return metric, "given"


def _read_options(arguments: dict[str, Argument], context: SearchContext) -> VectorOptions:
    exact: bool | None = None
    if "exact" in arguments:
        exact = read_flag(arguments["exact"], context)
    if "use_index" in arguments:
        use_index = read_flag(arguments["use_index"], context)
        if exact is not None and exact == use_index:
            raise ArgumentError("exact and use_index contradict each other", span=arguments["use_index"].span)
        exact = not use_index if exact is None else exact
    values = {
        name: context.read_value(arguments[name])
        for name in ("recall", "nprobes", "ef", "refine_factor")
        if name in arguments
    }
    return VectorOptions(exact=exact, **values)


def _read_vector(call: SearchCall, argument: Argument, context: SearchContext) -> Value:
    value = context.read_value(argument)
    if isinstance(value, Constant):
        if isinstance(value.value, str):
            raise UnsupportedError(
                "a text stands where a vector is expected, and no embedding function is registered for the column",
                hint="embed the text and pass the vector as a parameter",
                span=argument.span,
            )
        if not isinstance(value.value, tuple):
            raise ArgumentError(f"{call.function}() needs a query vector: a list of numbers", span=argument.span)
    return value
