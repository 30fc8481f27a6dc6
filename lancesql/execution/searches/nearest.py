"""A search that stands in for a scan: its rows, or the reason why the scan has to answer."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.errors import ArgumentError
from lancesql.execution.filters.resolve import resolve_filter
from lancesql.execution.run import Run, evaluate
from lancesql.plan.sources import DISTANCE, MIN_BY, VectorSearch
from lancesql.plan.values import Constant, ScalarQuery
from lancesql.plan.vector_options import Examples

from .query_vectors import read_vector
from .selection import run_vector_search

__all__ = ["find_nearest", "refuse_search"]


def find_nearest(source: VectorSearch, run: Run) -> pa.Table | str:
    """The nearest rows, or why only the scan can tell them; found once per run.

    ORDER BY knows rows that a search never gives: those without a vector come last, an infinity may come first.
    """
    found = run.nearest.get(source.placeholder)
    if found is None:
        started = time.perf_counter()
        found = run.nearest[source.placeholder] = _find(source, run)
        if isinstance(found, pa.Table):
            report = run.report(source.placeholder)
            report.rows, report.seconds = found.num_rows, time.perf_counter() - started
    return found


def _find(source: VectorSearch, run: Run) -> pa.Table | str:
    refusal = refuse_search(source, run)
    if refusal is not None:
        return refusal
    try:
        vector = _read_query(source, run)
    except ArgumentError as error:
        return error.message
    k = _sum_counts(source, run)
    assert k is not None
    search = replace(source, query=Constant(vector, source.query.span))
    columns = tuple(dict.fromkeys((*source.columns, DISTANCE)))
    table = run_vector_search(search, run, columns, k)
    if any(table.column(name).null_count for one in source.required for name in one.columns):
        # A filter costs more than the search as a rule, and there is hardly ever a NULL among the nearest.
        stricter = replace(
            search, placeholder=f"{source.placeholder}/required", filter=(*search.filter, *search.required)
        )
        table = run_vector_search(stricter, run, columns, k)
    if table.num_rows < k:
        return "not every row that qualifies has a distance"
    if not pc.call_function("all", [pc.is_finite(table.column(DISTANCE))]).as_py():
        return "some distances are infinite"
    return table.select(list(source.columns))


def refuse_search(source: VectorSearch, run: Run) -> str | None:
    """Why these values leave the answer to the scan; None when the search is carried out."""
    k = _sum_counts(source, run)
    if k is None or (k == 0 and source.k_origin == MIN_BY):
        return "k is not a number of rows"
    limit = run.settings.order_by_search_limit
    if k > limit:
        return f"k is above the setting order_by_search_limit, {limit:,}"
    if not isinstance(source.query, ScalarQuery):
        try:
            _read_query(source, run)
        except ArgumentError as error:
            return error.message
    matches = resolve_filter(source, run).matches
    return f"no more than k rows qualify, {matches:,}" if matches <= k else None


def _read_query(source: VectorSearch, run: Run) -> np.ndarray[Any, Any]:
    assert not isinstance(source.query, Examples)
    raw = evaluate(source.query, run)
    value = Constant(_read_text(raw) if isinstance(raw, str) else raw, source.query.span)
    return read_vector(value, run, source.table.schema.field(source.column).type, source.metric, source.column)


def _sum_counts(source: VectorSearch, run: Run) -> int | None:
    """LIMIT + OFFSET; None for what DuckDB takes for a number in its own way, or refuses."""
    total = 0
    for value in source.k:
        count = evaluate(value, run)
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 0:
            return None
        total += int(count)
    return total


def _read_text(text: str) -> object:
    """`'[1, 2, 3]'` as DuckDB casts it to a vector; the text itself when it is none."""
    try:
        numbers = json.loads(text)
    except ValueError:
        return text
    return numbers if isinstance(numbers, list) else text
