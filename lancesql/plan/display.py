"""Printing plans: what EXPLAIN shows, and what the fixtures of the planner compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lancesql.plan.values import Constant, Parameter, ScalarQuery, Value

from .fusion import Fusion, Recency
from .notes import Note, Notes
from .query import QueryPlan
from .sources import (
    CANDIDATES,
    Conjunct,
    FullTextSearch,
    FusedSearch,
    RerankedSearch,
    RowCount,
    Search,
    Source,
    TableScan,
    VectorSearch,
    list_key_queries,
)
from .text_functions import TextFunction
from .vector_options import Diversity, Examples, Grouping

__all__ = [
    "describe_bounds",
    "describe_function",
    "describe_source",
    "display_plan",
    "display_source",
    "display_value",
    "flatten",
    "narrow_plan",
]


def display_plan(plan: QueryPlan, notes: Mapping[str, Notes] | None = None) -> str:
    """The sources, each with its notes, and the relation.

    Args:
        plan: The plan.
        notes: Placeholder → label → lines that take the place of the plan's own.
    """
    lines: list[str] = []
    plan = narrow_plan(plan)
    for source in plan.sources:
        lines += display_source(source, (notes or {}).get(source.placeholder, {}))
    lines += [f"Value {flatten(one.sql)} as {one.placeholder}" for one in plan.scalars]
    lines += [describe_function(one) for one in plan.functions if f'"{one.placeholder}"(' in plan.relation]
    if plan.direct is not None:
        lines.append("Answered without DuckDB")
        output = ", ".join(
            column.name if column.name == column.source_column else f"{column.source_column} AS {column.name}"
            for column in plan.direct.output
        )
        lines.append(_line("output", output))
        for label, value in (("limit", plan.direct.limit), ("offset", plan.direct.offset)):
            if value is not None:
                lines.append(_line(label, display_value(value)))
    else:
        lines.append("Relation (DuckDB)")
        lines += [f"  {line}" for line in plan.relation.strip().split("\n")]
    return "\n".join(lines)


def narrow_plan(plan: QueryPlan) -> QueryPlan:
    """The plan that runs, its sources with the columns that are read."""
    if plan.direct is None:
        return plan if plan.settled is None else plan.settled.plan
    read = tuple(dict.fromkeys(column.source_column for column in plan.direct.output))
    return replace(plan, sources=tuple(replace(source, columns=read) for source in plan.sources))


def describe_function(function: TextFunction) -> str:
    """What a text function of the relation is of."""
    texts = []
    for traced in function.traced:
        index = None if traced is None else traced.table.index_on(traced.column, ("INVERTED", "FTS"))
        place = "any text" if traced is None else f"{traced.table.name}.{traced.column}"
        texts.append(f"{place}, cut as {'a default index' if index is None else f'index {index.name}'} cuts it")
    return f"Function {function.function}() of {' and '.join(texts)}"


def display_source(source: Source, notes: Notes) -> list[str]:
    """One source: what it reads, how, and what became of each conjunct of its filter."""
    head = f"{type(source).__name__} {source.table.name} @ {source.table.snapshot}"
    lines = [f"{head} as {source.placeholder} ({source.alias})"]
    lines += [_line(label, text) for label, text in describe_source(source)]
    lines += _block("embedding", notes.get("embedding", ()))
    if "strategy" in notes:
        lines += _block("strategy", notes["strategy"])
    lines += _block(
        "filter", notes["filter"] if "filter" in notes else [_describe_conjunct(one) for one in source.filter]
    )
    if isinstance(source, TableScan):
        lines += _block("keys", notes["keys"] if "keys" in notes else [one.label for one in list_key_queries(source)])
    lines += [_line(label, text) for label, text in describe_bounds(source)]
    lines.append(_line("columns", ", ".join(source.columns)))
    for label in ("recall", "rows", "time"):
        if label in notes:
            lines += _block(label, notes[label])
    return lines


def describe_source(source: Source) -> list[tuple[str, str]]:
    """What a source is asked for: labels and texts."""
    described = _describe(source)
    if not isinstance(source, TableScan | RowCount) and source.outer:
        described.append(("for each", ", ".join(f"${one.parameter} = {flatten(one.sql)}" for one in source.outer)))
    return described


def describe_bounds(source: Source) -> list[tuple[str, str]]:
    """What bounds the rows of a scan: labels and texts."""
    bounds: list[tuple[str, str]] = []
    if isinstance(source, TableScan) and source.defers and source.first is not None:
        count = " + ".join(display_value(value) for value in source.first.limit)
        bounds.append(("first", f"{count} by {flatten(source.first.order)}: found before other columns are read"))
    if isinstance(source, TableScan) and source.limit:
        bounds.append(("limit", " + ".join(display_value(value) for value in source.limit)))
    return bounds


def _describe(source: Source) -> list[tuple[str, str]]:
    match source:
        case TableScan():
            return [("search", f"none: {source.refusal}")] if source.refusal else []
        case RowCount():
            return []
        case VectorSearch():
            return [
                ("query", _describe_vector(source)),
                ("k", _describe_k(source.k, source.k_origin)),
                *[
                    (label, display_value(value))
                    for label, value in (("lower_bound", source.lower_bound), ("upper_bound", source.upper_bound))
                    if value is not None
                ],
                *_describe_selection(source.selection),
            ]
        case FullTextSearch():
            return [
                (
                    "query",
                    f"{display_value(source.query)} in {', '.join(source.text_columns)} ({_describe_reading(source)})",
                ),
                ("k", _describe_k(source.k, source.k_origin)),
            ]
        case FusedSearch():
            return [
                *[line for leg in source.legs for line in _describe_part(leg, source)],
                ("fusion", _describe_fusion(source.fusion, source)),
                *_describe_recency(source.fusion.recency),
                ("k", _describe_k(source.k, source.k_origin)),
            ]
        case RerankedSearch():
            shown = [(name, "…" if name == "api_key" else display_value(value)) for name, value in source.options]
            options = "".join(f", {name} {text}" for name, text in shown)
            query = f" for {display_value(source.query)}" if source.query is not None else ""
            column = f" in {source.column}" if source.column is not None else ""
            return [
                *_describe_part(source.search, source),
                ("reranker", f"{source.reranker}{query}{column}{options}"),
                ("k", _describe_k(source.k, source.k_origin)),
            ]


def _describe_part(part: Search, whole: Search) -> list[tuple[str, str]]:
    """A search that another one is made of, in a line or, when it is made of others itself, in several."""
    name = part.placeholder.removeprefix(f"{whole.placeholder}/")
    depth = "" if whole.function.endswith("hybrid_search") else f", k {_describe_k(part.k, part.k_origin)}"
    own = [flatten(one.sql) for one in part.filter if one.explicit and one not in whole.filter]
    depth += f", filter {' AND '.join(own)}" if own else ""
    match part:
        case VectorSearch():
            kept = "".join(f", {label} {text}" for label, text in _describe_selection(part.selection))
            return [(name, f"{_describe_vector(part)}{kept}{depth}")]
        case FullTextSearch():
            reading = "" if whole.function.endswith("hybrid_search") else f" ({_describe_reading(part)})"
            return [(name, f"{display_value(part.query)} in {', '.join(part.text_columns)}{reading}{depth}")]
        case _:
            return [(name, f"{part.function}{depth}"), *((f"  {label}", text) for label, text in _describe(part)[:-1])]


def _describe_fusion(fusion: Fusion, source: FusedSearch) -> str:
    parts: list[str] = [fusion.formula]
    if fusion.rrf_k is not None:
        parts.append(f"k = {display_value(fusion.rrf_k)}")
    elif fusion.formula == "linear":
        parts.append(f"normalize {fusion.normalize}")
    for name, value in (("weights", fusion.weights), ("alpha", fusion.alpha)):
        if value is not None:
            parts.append(f"{name} = {display_value(value)}")
    depth = next((leg.k for leg in source.legs if leg.k_origin == CANDIDATES), None)
    if source.oversample is not None:
        parts.append(f"{display_value(source.oversample)} × k candidates of each leg")
    elif depth is not None and source.function.endswith("hybrid_search"):
        parts.append(f"{display_value(depth[0])} candidates of each leg")
    return ", ".join(parts)


def _describe_recency(recency: Recency | None) -> list[tuple[str, str]]:
    if recency is None:
        return []
    if recency.given is not None:
        return [("recency", display_value(recency.given))]
    named = (("half_life", recency.half_life), ("now", recency.now), ("weight", recency.weight))
    return [("recency", ", ".join([recency.column, *(f"{n} {flatten(v.sql)}" for n, v in named if v is not None)]))]


def _describe_vector(source: VectorSearch) -> str:
    query = source.query
    shown = _describe_examples(query) if isinstance(query, Examples) else display_value(query)
    return f"{shown} on {source.column}, metric {source.metric} ({source.metric_origin})"


def _describe_examples(examples: Examples) -> str:
    named = (("like_id", examples.like), ("positive", examples.positive), ("negative", examples.negative))
    listed = ", ".join(f"{name} {display_value(value)}" for name, value in named if value is not None)
    return f"{listed} by {examples.id_column}" if examples.id_column else listed


def _describe_selection(selection: Grouping | Diversity | None) -> list[tuple[str, str]]:
    match selection:
        case Grouping(column, size):
            return [("group_by", f"{column}, {display_value(size)} rows of each")]
        case Diversity(weight, candidates):
            depth = (
                "4 × k candidates, at least 100" if candidates is None else f"{display_value(candidates)} candidates"
            )
            return [("mmr", f"{display_value(weight)}, of {depth}")]
        case None:
            return []


def _describe_reading(source: FullTextSearch) -> str:
    options = source.options
    syntax = "query" if options.syntax is None else _display_word(options.syntax)
    named = [(name, getattr(options, name)) for name in ("operator", "fuzziness", "slop", "boosts")]
    parts = [f"{syntax} syntax", *(f"{name} {_display_word(value)}" for name, value in named if value is not None)]
    return ", ".join([*parts, "indexed rows only"] if source.fast_search else parts)


def _display_word(value: Value) -> str:
    """A value, a text without quotation marks."""
    word = value.value if isinstance(value, Constant) else None
    return word.lower() if isinstance(word, str) else display_value(value)


def _describe_k(values: tuple[Value, ...], origin: str) -> str:
    return " + ".join(display_value(value) for value in values) + f" ({origin})" if values else origin


def _describe_conjunct(conjunct: Conjunct) -> str:
    where = "Lance" if conjunct.predicate is not None else f"DuckDB: {conjunct.reason}"
    return f"{flatten(conjunct.sql)} → {where}"


def display_value(value: Value) -> str:
    """A value in a few characters; a long vector by its length."""
    match value:
        case Constant(tuple() as numbers) if len(numbers) > 4:
            return f"[{', '.join(map(_display_item, numbers[:3]))}, … {len(numbers)}]"
        case Constant(tuple() as numbers):
            return f"[{', '.join(map(_display_item, numbers))}]"
        case Constant(str() as text):
            return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}…'"
        case Constant(None):
            return "NULL"
        case Constant(constant):
            return str(constant)
        case Parameter(name):
            return f"${name}"
        case ScalarQuery(sql):
            return flatten(sql)


def _display_item(item: object) -> str:
    return display_value(Constant(item)) if isinstance(item, tuple) else str(item)


def flatten(sql: str) -> str:
    """A text on one line."""
    return " ".join(sql.split())


def _block(label: str, lines: Sequence[Note]) -> list[str]:
    return [_line(label if at == 0 else "", str(line)) for at, line in enumerate(lines)]


def _line(label: str, text: str) -> str:
    return f"  {label:<10} {text}"
