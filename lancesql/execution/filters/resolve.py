"""A source's filter, resolved: text that Lance evaluates, or the row ids that DuckDB found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.execution.held import Held
from lancesql.execution.run import Run
from lancesql.parser import read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.plan.predicates import compares_texts
from lancesql.plan.query import QueryPlan, Usage
from lancesql.plan.sources import ROW_ID, Conjunct, Source, TableScan
from lancesql.plan.spelling import quote_name
from lancesql.storage.filters.render import NOTHING, UnrenderableError, render_filter
from lancesql.storage.scan import read_row_ids, serialize_row_ids

from .constants import ask_engine
from .key_filters import settle_keys
from .keys import match_row_ids
from .text_matches import settle_matches

__all__ = ["ResolvedFilter", "find_row_ids", "join_filters", "read_remaining", "render_conjuncts", "resolve_filter"]

ROWS = "__lancesql_rows"
_RENDERED: Held[str] = Held()


@dataclass(frozen=True)
class ResolvedFilter:
    """What stands for a filter while a search runs.

    Attributes:
        text: Lance filter text; None when there is none, or when `row_ids` already accounts for it.
        row_ids: The ids of every row the whole filter keeps, when DuckDB had to evaluate some of it.
        pushed: The user's predicate → Lance's text.
        left: The user's predicate → why DuckDB evaluated it.
        keyed: The user's predicate → what became of the keys of its subquery, or of the rows a text index found.
        matches: How many rows qualify.
    """

    text: str | None
    row_ids: pa.ChunkedArray[Any] | None
    pushed: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, str], ...]
    matches: int
    keyed: tuple[tuple[str, str], ...] = ()


def render_conjuncts(
    conjuncts: tuple[Conjunct, ...], run: Run
) -> tuple[list[tuple[Conjunct, str]], list[tuple[Conjunct, str]]]:
    """The conjuncts Lance evaluates with their text, and the others with the reason."""
    pushed: list[tuple[Conjunct, str]] = []
    left: list[tuple[Conjunct, str]] = []
    for conjunct in conjuncts:
        held = run.rendered.get(id(conjunct))
        if held is None or held[0] is not conjunct or held[1] is not run.values:
            held = run.rendered[id(conjunct)] = (conjunct, run.values, *_render(conjunct, run))
        _, _, text, reason = held
        if text is None:
            left.append((conjunct, reason))
        else:
            pushed.append((conjunct, text))
    return pushed, left


def _render(conjunct: Conjunct, run: Run) -> tuple[str | None, str]:
    """The text, or None and the reason."""
    if conjunct.predicate is None:
        return None, conjunct.reason
    if compares_texts(conjunct.predicate) and run.engine.collates():
        return None, "a collation decides which texts are equal"
    held = _RENDERED.get(conjunct)
    if held is not None:
        return held, ""
    asked: list[object] = []
    ask = ask_engine(run.engine, run.namespace, run.constants)

    def note(*constant: Any) -> object:
        asked.append(constant)
        return ask(*constant)

    try:
        text = render_filter(conjunct.predicate, run.values, note)
    except UnrenderableError as error:
        return None, str(error)
    if not conjunct.parameters and not asked:
        _RENDERED.keep(conjunct, text)
    return text, ""


def join_filters(texts: Sequence[str]) -> str | None:
    """The text of all of them; None when there is none."""
    return " AND ".join(f"({one})" if len(texts) > 1 else one for one in texts) or None


def resolve_filter(source: Source, run: Run) -> ResolvedFilter:
    """Resolves the filter of a search, once per run."""
    held = run.filters.get(source.placeholder)
    if held is None:
        held = run.filters[source.placeholder] = _resolve(source, run)
    return held


def _resolve(source: Source, run: Run) -> ResolvedFilter:
    if not source.filter:
        return ResolvedFilter(None, None, (), (), source.table.rows)
    pushed, left = render_conjuncts(source.filter, run)
    if any(one == NOTHING for _, one in pushed):  # nor does DuckDB compute what stands beside a constant false
        return _describe(pushed, left, matches=0)
    matched = settle_matches(left, run)
    keyed = settle_keys(source.table, matched.left, run)
    pushed, left = [*pushed, *keyed.listed], keyed.left
    text = join_filters([one for _, one in pushed])
    kept = [conjunct for conjunct, _ in (*pushed, *matched.found)]
    row_ids = find_row_ids(source, kept, [conjunct for conjunct, _ in left], run)
    if row_ids is None and matched.row_ids is not None:
        row_ids = pa.chunked_array([matched.row_ids])
        if text is not None:
            dataset, given = run.database.open_dataset(source.table), serialize_row_ids(row_ids)
            row_ids = run.ask_storage(source.table, lambda: read_row_ids(dataset, text, given))
    for query, keys in keyed.matched:
        found = match_row_ids(source.table, query.column, keys, text, run)
        assert found is not None
        both = found if row_ids is None else np.intersect1d(row_ids.to_numpy(), found)
        row_ids = pa.chunked_array([pa.array(both, pa.uint64())])
    if row_ids is not None:
        matches = len(row_ids)
    elif text is not None:
        counted = text
        matches = run.ask_storage(source.table, lambda: run.database.count_matches(source.table, counted))
    else:
        matches = source.table.rows
    described = _describe(pushed, left, matches)
    return replace(
        described, text=None if row_ids is not None else text, row_ids=row_ids, keyed=(*matched.notes, *keyed.notes)
    )


def _describe(pushed: list[tuple[Conjunct, str]], left: list[tuple[Conjunct, str]], matches: int) -> ResolvedFilter:
    return ResolvedFilter(
        text=join_filters([one for _, one in pushed]),
        row_ids=None,
        pushed=tuple((conjunct.sql, one) for conjunct, one in pushed if conjunct.keys is None),
        left=tuple((conjunct.sql, reason) for conjunct, reason in left),
        matches=matches,
    )


def find_row_ids(source: Source, pushed: list[Conjunct], left: list[Conjunct], run: Run) -> pa.ChunkedArray[Any] | None:
    """DuckDB evaluates what Lance cannot, over just the columns it needs, of the rows the rest of the filter keeps."""
    if not left:
        return None
    preludes = list(dict.fromkeys(conjunct.prelude for conjunct in left))
    found: pa.ChunkedArray[Any] | None = None
    for prelude in preludes:
        group = [conjunct for conjunct in left if conjunct.prelude == prelude]
        found_here = read_remaining(source, f'"{ROW_ID}"', pushed, group, prelude, run).column(0)
        if found is None:
            found = found_here
        else:
            import pyarrow.compute as pc

            found = found.filter(pc.is_in(found, value_set=found_here))
    return found


def read_remaining(
    source: Source,
    wanted: str,
    pushed: list[Conjunct],
    left: list[Conjunct],
    prelude: str,
    run: Run,
    *,
    columns: tuple[str, ...] = (),
    tail: str = "",
    few: bool = False,
) -> pa.Table:
    """`SELECT wanted` of the rows of a source's table that Lance keeps (`pushed`) and DuckDB keeps (`left`).

    `tail` stands behind WHERE; `columns` are those that `wanted` and `tail` read; `few` says that few rows come out.
    """
    from lancesql.execution.query import read_plan_table

    columns = tuple(dict.fromkeys([*columns, *(name for one in left for name in one.columns if name != ROW_ID)]))
    scan = TableScan(
        placeholder=ROWS,
        alias=source.alias,
        table=source.table,
        columns=(*columns, ROW_ID),
        filter=tuple(pushed),
    )
    predicates = " AND ".join(f"({conjunct.sql})" for conjunct in left) or "true"
    alias = quote_name(source.alias)
    relation = f'{prelude}SELECT {wanted} FROM "{ROWS}" AS {alias} WHERE {predicates} {tail}'
    others = tuple(
        other for other in run.plan.sources if other.placeholder != ROWS and f'"{other.placeholder}"' in relation
    )
    named = {use.name for use in find_parameters(read_tokens(relation))}
    parameters = tuple(name for name in run.values if name in named)
    plan = QueryPlan(
        sql=run.plan.sql,
        relation=relation,
        sources=(scan, *others),
        parameters=parameters,
        used_parameters=parameters,
        usage=(Usage(ROWS, frozenset(name.lower() for name in scan.columns)),),
        condenses=few,
        functions=run.plan.functions,
    )
    return read_plan_table(run.within(plan))
