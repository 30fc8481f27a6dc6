"""A hybrid search call → its source: a vector leg, a text leg, and how they are fused."""

from __future__ import annotations

from dataclasses import replace

from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError
from lancesql.parser.calls import Argument, SearchCall
from lancesql.plan.embeddings import refuse_text
from lancesql.plan.sources import CANDIDATES, RANK_TEXT, RANK_VECTOR, RELEVANCE, FusedSearch, score_fields

from .arguments import SearchContext, choose_k
from .columns import choose_vector_column
from .fusion import bind_candidates, bind_fusion
from .signatures import SIGNATURES
from .text import bind_text_search
from .vector import bind_vector_search

__all__ = ["bind_hybrid_search"]


def bind_hybrid_search(
    call: SearchCall, table: TableInfo, arguments: dict[str, Argument], context: SearchContext
) -> FusedSearch:
    """Binds a hybrid search: both legs share the filter, each ranks its own candidates."""
    compatible = call.function == "lance_hybrid_search"
    k, origin = choose_k(call, arguments, context)
    depth = (bind_candidates(arguments, context),)
    legs = {
        name: arguments[name] for name in arguments if name not in ("k", "query", "column", "columns", "candidates")
    }
    if "vector" not in arguments and "text" in arguments:
        arguments = _embed_text(call, table, arguments, context)
    by_example = any(name in arguments for name in ("like_id", "positive", "negative"))
    for name in ("vector", "text"):
        if name not in arguments and not (by_example and name == "vector"):
            raise ArgumentError(
                f"{call.function}() needs a {name} query", hint=SIGNATURES[call.function].usage, span=call.name_span
            )
    of_vector, of_text = (replace(context, placeholder=f"{context.placeholder}/{name}") for name in ("vector", "text"))
    vector = bind_vector_search(call, table, _leg(legs, arguments, "vector", "vector_column", "column"), of_vector)
    text = bind_text_search(call, table, _leg(legs, arguments, "text", "text_columns", "columns"), of_text)
    source = FusedSearch(
        placeholder=context.placeholder,
        alias=context.alias,
        table=table,
        columns=(),
        legs=(
            replace(vector, k=depth, k_origin=CANDIDATES),
            replace(text, k=depth, k_origin=CANDIDATES),
        ),
        k=k,
        k_origin=origin,
        fusion=bind_fusion(arguments, context, table.schema, "linear" if compatible else "rrf"),
        rank_columns=(RANK_VECTOR, RANK_TEXT),
        score_column="_hybrid_score" if compatible else RELEVANCE,
        oversample=context.read_value(arguments["oversample_factor"]) if "oversample_factor" in arguments else None,
        filter=context.filter,
        function=call.function,
        span=call.span,
    )
    scores = [field.name for field in score_fields(source)]
    shown = [name for name in scores if not compatible or name not in source.rank_columns]
    return replace(source, columns=(*table.schema.names, *shown))


def _embed_text(
    call: SearchCall, table: TableInfo, arguments: dict[str, Argument], context: SearchContext
) -> dict[str, Argument]:
    """The arguments with the text as the query of the vector leg too, when nothing else is."""
    if any(name in arguments for name in ("like_id", "positive", "negative")):
        return arguments
    column = choose_vector_column(call, table, arguments.get("vector_column"))
    if context.catalog.find_embedding(table, column) is None:
        error = refuse_text(table.name, column, context.catalog.session_embeddings(), call.name_span)
        error.message = (
            f"{call.function}() needs a vector query, or an embedding function of column '{table.name}.{column}' "
            "to make one of the text"
        )
        raise error
    return {**arguments, "vector": arguments["text"]}


def _leg(
    legs: dict[str, Argument], arguments: dict[str, Argument], query: str, source: str, target: str
) -> dict[str, Argument]:
    chosen = dict(legs)
    if query in arguments:
        chosen["query"] = arguments[query]
    if source in arguments:
        chosen[target] = arguments[source]
    return chosen
