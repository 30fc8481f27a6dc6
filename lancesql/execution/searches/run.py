"""Searches and counts carried out, each once per run."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pyarrow as pa

from lancesql.execution.row_count import run_row_count
from lancesql.execution.run import Run
from lancesql.plan.sources import FullTextSearch, FusedSearch, RerankedSearch, RowCount, Search, VectorSearch

from .counts import sum_counts
from .fused import run_fused_search, run_reranked_search
from .query_batches import QUERY_INDEX, find_queries, run_query_batch, settle_query
from .selection import run_vector_search
from .text import run_text_search

__all__ = ["run_search"]


def run_search(source: Search | RowCount, run: Run, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a search, best first, types as Lance stores them, or the row of a count; memoised for the run.

    Args:
        source: The search, or the count.
        run: The run it belongs to.
        columns: The columns wanted; those of the source unless given.
    """
    wanted = tuple(source.columns if columns is None else columns)
    held = run.answers.get(source.placeholder)
    if held is not None and set(wanted) <= set(held.column_names):
        return held.select([name for name in held.column_names[:1] if name == QUERY_INDEX] + list(wanted))
    started = time.perf_counter()
    match source:
        case VectorSearch():
            queries = find_queries(source, run)
            if queries is None:
                table = run_vector_search(settle_query(source, run), run, wanted, sum_counts(source, run))
            else:
                table = run_query_batch(source, run, queries, wanted)
        case FullTextSearch():
            table = run_text_search(source, run, wanted, sum_counts(source, run))
        case FusedSearch():
            table = run_fused_search(source, run, wanted)
        case RerankedSearch():
            table = run_reranked_search(source, run, wanted)
        case RowCount():
            table = run_row_count(source, run)
    run.answers[source.placeholder] = table
    report = run.report(source.placeholder)
    report.rows, report.seconds = table.num_rows, time.perf_counter() - started
    return table
