"""A hybrid search carried out: two legs, then their fusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from lancesql.errors import ArgumentError
from lancesql.execution.filters.resolve import resolve_filter
from lancesql.execution.run import Run, read_count, read_number
from lancesql.plan.sources import DISTANCE, ROW_ID, SCORE, HybridSearch
from lancesql.storage.scan import list_row_ids, take_rows

from .counts import make_empty, sum_counts
from .examples import read_target
from .fusion import fuse_legs
from .text import run_text_search
from .vector import rank_vectors

__all__ = ["find_depth", "run_hybrid_search"]


def run_hybrid_search(source: HybridSearch, run: Run, columns: Sequence[str]) -> pa.Table:
    """The fused rows, best first."""
    k = sum_counts(source, run) or 0
    if k == 0:
        return make_empty(source, columns)
    depth = find_depth(source, run)
    resolved = resolve_filter(source, run)
    run.filters[f"{source.placeholder}/vector"] = run.filters[f"{source.placeholder}/text"] = resolved
    vector = replace(source.vector, placeholder=f"{source.placeholder}/vector")
    text = replace(source.text, placeholder=f"{source.placeholder}/text")
    target = read_target(vector, run)
    if target is None:
        return make_empty(source, columns)
    nearest = rank_vectors(vector, run, (ROW_ID, DISTANCE), depth, target)
    matching = run_text_search(text, run, (ROW_ID, SCORE), depth + len(target.excluded))
    if target.excluded:
        examples = pa.array(target.excluded, pa.uint64())
        matching = matching.filter(pc.invert(pc.is_in(matching.column(ROW_ID), value_set=examples))).slice(0, depth)
    fused = fuse_legs(
        nearest,
        matching,
        fusion=source.fusion,
        rrf_k=read_number(source.rrf_k, run, "rrf_k") or 60.0,
        alpha=_read_alpha(source, run),
        score=source.score_column,
    ).slice(0, k)
    base = [name for name in columns if name in source.table.schema.names]
    if base:
        dataset = run.database.open_dataset(source.table)
        rows = take_rows(dataset, list_row_ids(fused.column(ROW_ID)), [*base, ROW_ID])
        for name in base:
            fused = fused.append_column(rows.schema.field(name), rows.column(name))
    return fused.select(list(columns))


def find_depth(source: HybridSearch, run: Run) -> int:
    """How many rows each leg gives: never by OFFSET, so that every page is cut from one ranking."""
    page = read_count(source.k[0], run, "k", least=0)
    if source.oversample is not None:
        return page * read_count(source.oversample, run, "oversample_factor")
    return max(read_count(source.candidates, run, "candidates"), page)


def _read_alpha(source: HybridSearch, run: Run) -> float:
    alpha = read_number(source.alpha, run, "alpha")
    if alpha is None or not 0 <= alpha <= 1:
        raise ArgumentError("alpha is between 0 and 1", span=source.alpha.span if source.alpha else None)
    return alpha
