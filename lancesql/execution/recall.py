"""The recall of a search: what share of its exact twin's rows it finds."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pyarrow as pa

from lancesql.execution.searches.fused import settle_leaves
from lancesql.execution.searches.run import run_search
from lancesql.plan.sources import DISTANCE, ROW_ID, Search, Source, VectorSearch

from .run import Run

__all__ = ["describe_recall"]


def describe_recall(source: Source, run: Run) -> list[str]:
    """The recall of each vector search of a source, measured by running it and its exact twin."""
    if not isinstance(source, Search):
        return []
    measured = [one for one in settle_leaves(source, run) if isinstance(one, VectorSearch)]
    if source.outer:
        return ["not measured: it searches for each row of another relation"] if measured else []
    lines = [_measure(one, run) for one in measured]
    if len(lines) == 1:
        return lines
    names = [one.placeholder.removeprefix(f"{source.placeholder}/") for one in measured]
    return [f"{name}: {line}" for name, line in zip(names, lines, strict=True)]


def _measure(source: VectorSearch, run: Run) -> str:
    found, took = _search(source, run)
    options = replace(source.options, exact=True, fast_search=False)
    truth, exact_took = _search(replace(source, options=options), run)
    if not truth.num_rows:
        return "1.000: no row is near"
    hits = _count_hits(found, truth)
    timed = f"{took * 1e3:.1f} ms; exactly {exact_took * 1e3:.1f} ms"
    return f"{hits / truth.num_rows:.3f}: {hits:,} of the true {truth.num_rows:,}, in {timed}"


def _search(source: VectorSearch, run: Run) -> tuple[pa.Table, float]:
    started = time.perf_counter()
    table = run_search(source, replace(run, answers={}, reports={}, nearest={}), (ROW_ID, DISTANCE))
    return table, time.perf_counter() - started


def _count_hits(found: pa.Table, truth: pa.Table) -> int:
    """Rows that are among the true ones, or as near as the last of these."""
    last = truth.column(DISTANCE).to_numpy().max()
    hit = np.isin(found.column(ROW_ID).to_numpy(), truth.column(ROW_ID).to_numpy())
    return min(int(np.count_nonzero(hit | (found.column(DISTANCE).to_numpy() == last))), truth.num_rows)
