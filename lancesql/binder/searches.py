"""A search call → its source: the table, the columns searched, k, metric and options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from lancesql.catalog import Catalog, TableInfo, VersionRef
from lancesql.errors import ArgumentError, UnsupportedError, nearest_name
from lancesql.parser.calls import Argument, AtClause, SearchCall
from lancesql.parser.tokens import TokenType
from lancesql.plan.sources import (
    DISTANCE,
    RELEVANCE,
    SCORE,
    Conjunct,
    FullTextSearch,
    HybridSearch,
    VectorOptions,
    VectorSearch,
)
from lancesql.plan.values import Constant, Value

from .columns import choose_text_columns, choose_vector_column
from .signatures import SIGNATURES, read_arguments
from .tables import read_at_clause, read_table_argument, read_version, require_table

__all__ = ["SearchContext", "bind_search", "find_search_table"]

_METRICS = {
    "l2": "l2", "euclidean": "l2", "cosine": "cosine", "dot": "dot", "ip": "dot", "inner_product": "dot",
    "dot_product": "dot", "hamming": "hamming",
}  # fmt: skip
DEFAULT_K = 10
DEFAULT_CANDIDATES = 100
RRF_K = 60


@dataclass(frozen=True)
class SearchContext:
    """What a call's block says about it.

    Attributes:
        limit: The values whose sum is k when the call names none, or () when its block gives none.
        read_value: Reads an argument's value; a text it cannot read is evaluated by the engine.
    """

    placeholder: str
    alias: str
    limit: tuple[Value, ...]
    filter: tuple[Conjunct, ...]
    read_value: Callable[[Argument], Value]


def find_search_table(call: SearchCall, at: AtClause | None, catalog: Catalog) -> tuple[TableInfo, dict[str, Argument]]:
    """The table a call searches, and its other arguments by name."""
    table_argument, arguments = read_arguments(call)
    name = read_table_argument(table_argument)
    versions = [kind for kind in ("version", "tag", "timestamp") if kind in arguments]
    if len(versions) + (at is not None) > 1:
        raise ArgumentError("the version of the table is given twice", span=arguments[versions[-1]].span)
    version: VersionRef | None = None
    if at is not None:
        version = read_at_clause(at)
    elif versions:
        version = read_version(versions[0], arguments[versions[0]])
    table = require_table(name, table_argument.span, catalog, version)
    for reserved in (DISTANCE, SCORE, RELEVANCE):
        if reserved in table.schema.names:
            raise UnsupportedError(
                f"table '{table.name}' has a column '{reserved}', the name of a search's own column",
                hint="rename the column to search this table",
                span=table_argument.span,
            )
    return table, arguments


def bind_search(
    call: SearchCall, table: TableInfo, arguments: dict[str, Argument], context: SearchContext
) -> VectorSearch | FullTextSearch | HybridSearch:
    """Binds a call whose table is known.

    Raises:
        ArgumentError: When an argument is missing or has a bad value.
        UnknownColumnError: When a column does not exist.
    """
    kind = SIGNATURES[call.function].kind
    if kind == "vector":
        return _bind_vector(call, table, arguments, context)
    if kind == "text":
        return _bind_text(call, table, arguments, context)
    return _bind_hybrid(call, table, arguments, context)


def _bind_vector(
    call: SearchCall, table: TableInfo, arguments: dict[str, Argument], context: SearchContext
) -> VectorSearch:
    column = choose_vector_column(call, table, arguments.get("column"))
    if "query" not in arguments:
        raise ArgumentError(f"{call.function}() needs a query vector", span=call.name_span)
    bounds = [
        None if name not in arguments else context.read_value(arguments[name])
        for name in ("lower_bound", "upper_bound")
    ]
    unbounded = _is_null(arguments.get("k"), context)
    if unbounded and bounds == [None, None]:
        raise ArgumentError(
            "k => NULL returns every row in range, so it needs a range",
            hint="add upper_bound => r, or give k",
            span=arguments["k"].span,
        )
    k, origin = ((), "every row in range") if unbounded else _choose_k(call, arguments, context)
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


def _bind_text(
    call: SearchCall, table: TableInfo, arguments: dict[str, Argument], context: SearchContext
) -> FullTextSearch:
    columns = choose_text_columns(call, table, arguments.get("columns"))
    if "query" not in arguments:
        raise ArgumentError(f"{call.function}() needs a query text", span=call.name_span)
    k: tuple[Value, ...]
    if _is_null(arguments.get("k"), context):
        k, origin = (), "every match"
    elif "k" in arguments or not SIGNATURES[call.function].prefilter:
        k, origin = _choose_k(call, arguments, context)
    else:
        k, origin = (context.limit, "LIMIT") if context.limit else ((), "every match")
    return FullTextSearch(
        placeholder=context.placeholder,
        alias=context.alias,
        table=table,
        columns=(*table.schema.names, SCORE),
        text_columns=columns,
        query=context.read_value(arguments["query"]),
        k=k,
        k_origin=origin,
        operator=_choose_word(arguments.get("operator"), ("or", "and")),  # type: ignore[arg-type]
        syntax=_choose_word(arguments.get("syntax"), ("query", "plain")),  # type: ignore[arg-type]
        filter=context.filter,
        function=call.function,
        span=call.span,
    )


def _bind_hybrid(
    call: SearchCall, table: TableInfo, arguments: dict[str, Argument], context: SearchContext
) -> HybridSearch:
    compatible = call.function == "lance_hybrid_search"
    k, origin = _choose_k(call, arguments, context)
    candidates: Value
    if "candidates" in arguments:
        candidates = context.read_value(arguments["candidates"])
    else:
        candidates = Constant(DEFAULT_CANDIDATES)
    legs = {name: arguments[name] for name in arguments if name not in ("k", "query", "column", "columns")}
    for name, leg in (("vector", "query"), ("text", "query")):
        if name not in arguments:
            raise ArgumentError(
                f"{call.function}() needs a {name} {leg}", hint=SIGNATURES[call.function].usage, span=call.name_span
            )
    vector = _bind_vector(call, table, _leg(legs, arguments, "vector", "vector_column", "column"), context)
    text = _bind_text(call, table, _leg(legs, arguments, "text", "text_columns", "columns"), context)
    fusion: Literal["rrf", "linear"] = "linear" if compatible else "rrf"
    if "fusion" in arguments:
        fusion = _choose_word(arguments["fusion"], ("rrf", "linear"))  # type: ignore[assignment]
    score = "_hybrid_score" if compatible else RELEVANCE
    return HybridSearch(
        placeholder=context.placeholder,
        alias=context.alias,
        table=table,
        columns=(*table.schema.names, score, DISTANCE, SCORE),
        vector=vector,
        text=text,
        k=k,
        k_origin=origin,
        candidates=candidates,
        fusion=fusion,
        rrf_k=context.read_value(arguments["rrf_k"]) if "rrf_k" in arguments else Constant(RRF_K),
        alpha=context.read_value(arguments["alpha"]) if "alpha" in arguments else Constant(0.5),
        score_column=score,
        oversample=context.read_value(arguments["oversample_factor"]) if "oversample_factor" in arguments else None,
        filter=context.filter,
        function=call.function,
        span=call.span,
    )


def _leg(
    legs: dict[str, Argument], arguments: dict[str, Argument], query: str, source: str, target: str
) -> dict[str, Argument]:
    chosen = {**legs, "query": arguments[query]}
    if source in arguments:
        chosen[target] = arguments[source]
    return chosen


def _choose_k(
    call: SearchCall, arguments: dict[str, Argument], context: SearchContext
) -> tuple[tuple[Value, ...], str]:
    if "k" in arguments:
        value = context.read_value(arguments["k"])
        if isinstance(value, Constant) and not (isinstance(value.value, int) and value.value >= 1):
            raise ArgumentError(
                f"{call.function} requires k > 0", hint="k is a whole number of rows", span=arguments["k"].span
            )
        return (value,), "k"
    if context.limit and SIGNATURES[call.function].prefilter:
        return context.limit, "LIMIT"
    return (Constant(DEFAULT_K),), "default"


def _is_null(argument: Argument | None, context: SearchContext) -> bool:
    if argument is None:
        return False
    value = context.read_value(argument)
    return isinstance(value, Constant) and value.value is None


def _choose_metric(table: TableInfo, column: str, argument: Argument | None) -> tuple[str, str]:
    index = table.index_on(column, ("IVF",))
    if argument is None:
        if index is not None and index.metric:
            return index.metric, f"of index {index.name}"
        binary = pa.types.is_uint8(table.schema.field(column).type.value_type)
        return ("hamming", "default for UTINYINT vectors") if binary else ("l2", "default")
    word = _read_word(argument)
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
        exact = _read_flag(arguments["exact"], context)
    if "use_index" in arguments:
        use_index = _read_flag(arguments["use_index"], context)
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


def _read_word(argument: Argument) -> str:
    if len(argument.tokens) == 1 and argument.tokens[0].token_type is not TokenType.PLACEHOLDER:
        return argument.tokens[0].text
    raise ArgumentError(f"'{argument.name}' takes a word, written in the statement", span=argument.span)


def _choose_word(argument: Argument | None, words: tuple[str, ...]) -> str:
    if argument is None:
        return words[0]
    word = _read_word(argument).lower()
    if word not in words:
        raise ArgumentError(f"'{argument.name}' is one of {', '.join(words)}", span=argument.span)
    return word


def _read_flag(argument: Argument, context: SearchContext) -> bool:
    value = context.read_value(argument)
    if isinstance(value, Constant) and isinstance(value.value, bool):
        return value.value
    raise ArgumentError(f"'{argument.name}' is true or false, written in the statement", span=argument.span)
