"""A vector search call → its source: column, query, k, metric, bounds and effort."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from lancesql.catalog import IndexInfo, TableInfo
from lancesql.errors import ArgumentError, nearest_name
from lancesql.parser.calls import Argument, SearchCall
from lancesql.plan.embeddings import refuse_text
from lancesql.plan.sources import DISTANCE, VectorSearch
from lancesql.plan.values import Constant, Value
from lancesql.plan.vector_options import Diversity, Examples, VectorOptions

from .arguments import SearchContext, choose_k, is_null, read_flag, read_word
from .columns import choose_vector_column, is_multivector_column
from .examples import bind_examples
from .selection import bind_selection

__all__ = ["bind_vector_search"]

_METRICS = {
    "l2": "l2", "euclidean": "l2", "cosine": "cosine", "dot": "dot", "ip": "dot", "inner_product": "dot",
    "dot_product": "dot", "hamming": "hamming", "l1": "l1", "manhattan": "l1",
}  # fmt: skip


def bind_vector_search(
    call: SearchCall, table: TableInfo, arguments: dict[str, Argument], context: SearchContext
) -> VectorSearch:
    """Binds a vector search."""
    column = choose_vector_column(call, table, arguments.get("column"))
    type_ = table.schema.field(column).type
    bounds = [
        None if name not in arguments else context.read_value(arguments[name])
        for name in ("lower_bound", "upper_bound")
    ]
    selection = bind_selection(table, type_, arguments, context)
    every = is_null(arguments.get("k"), context)
    if every and (isinstance(selection, Diversity) or (selection is None and bounds == [None, None])):
        raise ArgumentError(
            "k => NULL returns every row in range, so it needs a range",
            hint="add upper_bound => r, or give k; a WHERE on _distance applies to the k rows",
            span=arguments["k"].span,
        )
    every_what = "every row in range" if selection is None else "every group"
    k, origin = ((), every_what) if every else choose_k(call, arguments, context)
    index = table.index_on(column, ("IVF",))
    metric, metric_origin = _choose_metric(type_, column, index, arguments.get("metric"))
    options = _read_options(call, arguments, context)
    if options.fast_search and bounds != [None, None]:
        raise ArgumentError(
            "fast_search asks the index alone, and a range of distances is compared row by row",
            hint="leave out fast_search, or the bounds",
            span=arguments["fast_search"].span,
        )
    return VectorSearch(
        placeholder=context.placeholder,
        alias=context.alias,
        table=table,
        columns=(*table.schema.names, DISTANCE),
        column=column,
        query=_read_query(call, table, column, metric, arguments, context),
        k=k,
        k_origin=origin,
        metric=metric,
        metric_origin=metric_origin,
        options=options,
        lower_bound=bounds[0],
        upper_bound=bounds[1],
        selection=selection,
        filter=context.filter,
        function=call.function,
        span=call.span,
    )


def _choose_metric(type_: Any, column: str, index: IndexInfo | None, argument: Argument | None) -> tuple[str, str]:
    if argument is None:
        if index is not None and index.metric:
            return index.metric, f"of index {index.name}"
        if is_multivector_column(type_):
            return "cosine", "default for lists of vectors"
        return ("hamming", "default for UTINYINT vectors") if pa.types.is_uint8(type_.value_type) else ("l2", "default")
    word = read_word(argument)
    metric = _METRICS.get(word.lower())
    if metric is None:
        near = nearest_name(word, _METRICS)
        raise ArgumentError(
            f"unknown metric '{word}'",
            hint=(f"did you mean '{near}'? " if near else "") + "metrics: l2, cosine, dot, l1, hamming",
            span=argument.span,
        )
    if metric == "hamming" and not pa.types.is_integer(type_.value_type):
        raise ArgumentError(
            f"metric 'hamming' counts bits, and column '{column}' does not hold integers",
            hint="use l2, cosine, dot or l1",
            span=argument.span,
        )
    return metric, "given"


def _read_options(call: SearchCall, arguments: dict[str, Argument], context: SearchContext) -> VectorOptions:
    exact: bool | None = None
    if "exact" in arguments:
        exact = read_flag(arguments["exact"], context)
    if "use_index" in arguments:
        use_index = read_flag(arguments["use_index"], context)
        if exact is not None and exact == use_index:
            raise ArgumentError("exact and use_index contradict each other", span=arguments["use_index"].span)
        exact = not use_index if exact is None else exact
    fast_search = "fast_search" in arguments and read_flag(arguments["fast_search"], context)
    if fast_search and exact:
        raise ArgumentError(
            "fast_search asks the index alone, and an exact search asks no index", span=arguments["fast_search"].span
        )

    given = next((name for name in ("nprobes", "ef", "refine_factor") if name in arguments), None)
    if exact and given is not None and not call.function.startswith("lance_"):
        raise ArgumentError(
            f"{given} says how an index is asked, and an exact search asks no index",
            hint=f"leave out {given}, or ask for exact => false",
            span=arguments[given].name_span,
        )

    def read(name: str) -> Value | None:
        return context.read_value(arguments[name]) if name in arguments else None

    return VectorOptions(
        exact=exact,
        recall=read("recall"),
        nprobes=read("nprobes"),
        ef=read("ef"),
        refine_factor=read("refine_factor"),
        fast_search=fast_search,
    )


def _read_query(
    call: SearchCall,
    table: TableInfo,
    column: str,
    metric: str,
    arguments: dict[str, Argument],
    context: SearchContext,
) -> Value | Examples:
    examples = bind_examples(table, table.schema.field(column).type, metric, arguments, context)
    if examples is not None:
        return examples
    if "query" not in arguments:
        raise ArgumentError(
            f"{call.function}() needs a query vector", hint="or a row of the table: like_id => …", span=call.name_span
        )
    argument = arguments["query"]
    value = context.read_value(argument)
    if isinstance(value, Constant):
        if not isinstance(value.value, tuple | str):
            raise ArgumentError(
                f"{call.function}() needs a query vector: a list of numbers, or a text to embed", span=argument.span
            )
        if isinstance(value.value, str) and argument.name is None and "column" not in arguments:
            _refuse_column_name(value.value, table, argument)
        given = value.value if isinstance(value.value, tuple) else (value.value,)
        first = next((one for one in given if one is not None), None)
        if isinstance(first, str) and context.catalog.find_embedding(table, column) is None:
            raise refuse_text(table.name, column, context.catalog.session_embeddings(), argument.span)
    return value


def _refuse_column_name(text: str, table: TableInfo, argument: Argument) -> None:
    """A column that stands where the query is missing is not a text to embed."""
    if text.lower() in map(str.lower, table.schema.names):
        raise ArgumentError(
            f"'{text}' is a column of table '{table.name}', and the query is missing",
            hint=f"to search for that very word: query => '{text}'",
            span=argument.span,
        )
