"""A fused search carried out: its legs, then their fusion, then the decay with age, then the first k."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.errors import ArgumentError
from lancesql.execution.filters.resolve import resolve_filter
from lancesql.execution.run import Run, read_count
from lancesql.plan.fusion import Fusion
from lancesql.plan.parts import list_leaves, list_parts
from lancesql.plan.sources import (
    CANDIDATES,
    DISTANCE,
    ROW_ID,
    SCORE,
    FullTextSearch,
    FusedSearch,
    RerankedSearch,
    Search,
    VectorSearch,
    score_fields,
)
from lancesql.plan.values import Constant
from lancesql.plan.vector_options import Examples
from lancesql.storage.scan import list_row_ids, take_rows

from .counts import make_empty, sum_counts
from .examples import Target, read_target
from .fusion import FusedRanking, Ranking, fuse_rankings, measure_closeness
from .query_batches import find_queries, settle_query
from .recency import decay_scores
from .reranking import rerank_rows
from .selection import select_vectors
from .text import run_text_search
from .weights import read_rrf_k, read_weights

__all__ = ["run_fused_search", "run_reranked_search", "settle_leaves"]


def run_fused_search(source: FusedSearch, run: Run, columns: Sequence[str]) -> pa.Table:
    """The fused rows, best first."""
    k = sum_counts(source, run) or 0
    if k == 0:
        return make_empty(source, columns)
    fused = rank_legs(source, run, find_page(source, run))
    return complete_rows(source, run, fused.slice(0, k), columns)


def find_page(source: Search, run: Run) -> int:
    """The rows of a page: never counted from OFFSET, so that every page is cut from one ranking."""
    return read_count(source.k[0], run, "k", least=0)


def find_depth(leg: Search, source: FusedSearch, run: Run, page: int) -> int | None:
    """How many rows a leg ranks; None for every one."""
    if leg.k_origin != CANDIDATES:
        return sum_counts(leg, run)
    if source.oversample is not None:
        return page * read_count(source.oversample, run, "oversample_factor")
    return max(read_count(leg.k[0], run, "candidates"), page)


def share_filter(source: Search, part: Search, run: Run) -> None:
    """What a search is made of has the same filter: it is resolved once."""
    if part.filter == source.filter:
        run.filters[part.placeholder] = resolve_filter(source, run)


def settle_leaves(source: Search, run: Run, page: int | None = None) -> list[VectorSearch | FullTextSearch]:
    """The vector and text searches that a search comes down to, each with its filter resolved and the k it ranks."""
    if isinstance(source, VectorSearch | FullTextSearch):
        return [source]
    page = find_page(source, run) if page is None or source.k_origin != CANDIDATES else page
    leaves: list[VectorSearch | FullTextSearch] = []
    for part in list_parts(source):
        share_filter(source, part, run)
        inner = part
        if part.k_origin == CANDIDATES:
            depth = find_depth(part, source, run, page) if isinstance(source, FusedSearch) else page
            inner = replace(part, k=(Constant(max(depth or 1, 1)),))
        leaves += settle_leaves(inner, run, page)
    return leaves


def complete_rows(source: Search, run: Run, ranked: pa.Table, columns: Sequence[str]) -> pa.Table:
    """The rows of a ranking with the columns that are wanted of them."""
    base = [name for name in columns if name in source.table.schema.names]
    if base:
        dataset = run.database.open_dataset(source.table)
        rows = take_rows(dataset, list_row_ids(ranked.column(ROW_ID)), [*base, ROW_ID])
        for name in base:
            ranked = ranked.append_column(rows.schema.field(name), rows.column(name))
    return ranked.select(list(columns))


def rank_legs(source: FusedSearch, run: Run, page: int) -> pa.Table:
    """Every row of every leg, best first, ties by row id: `_rowid` and the scores."""
    wanted = (ROW_ID, *(field.name for field in score_fields(source)))
    weights = read_weights(source, run)
    targets = [_read_target(leg, run) for leg in source.legs]
    excluded = sorted({one for target in targets if target is not None for one in target.excluded})
    excluded += [one for leg in source.legs for one in _list_examples(leg, run) if one not in excluded]
    tables: list[pa.Table] = []
    for leg, target in zip(source.legs, targets, strict=True):
        if target is None and isinstance(leg, VectorSearch):  # an example of it is not there
            return make_empty(source, wanted)
        started = time.perf_counter()
        share_filter(source, leg, run)
        depth = find_depth(leg, source, run, page)
        table = _rank_leg(leg, run, depth, page, target, excluded)
        report = run.report(leg.placeholder)
        report.rows, report.seconds = table.num_rows, time.perf_counter() - started
        tables.append(table)
    fusion = source.fusion
    fused = fuse_rankings(
        [_read_ranking(leg, table, fusion) for leg, table in zip(source.legs, tables, strict=True)],
        weights,
        formula=fusion.formula,
        rrf_k=read_rrf_k(fusion, run),
        normalize=fusion.normalize,
    )
    scores = fused.scores
    if fusion.recency is not None:
        scores = decay_scores(source, fusion.recency, run, fused.row_ids, scores)
    return _order_rows(source, tables, fused, scores).select(list(wanted))


def rank_search(search: Search, run: Run, depth: int | None, page: int) -> pa.Table:
    """`_rowid` and the scores of a search that is part of another one, best first."""
    if isinstance(search, VectorSearch):
        _refuse_batch(search, run)
        target = _read_target(search, run)
        if target is None:
            return make_empty(search, (ROW_ID, DISTANCE))
        return _rank_leg(search, run, depth, page, target, [])
    return _rank_leg(search, run, depth, page, None, [])


def run_reranked_search(source: RerankedSearch, run: Run, columns: Sequence[str]) -> pa.Table:
    """The reranked rows, best first."""
    k = sum_counts(source, run) or 0
    if k == 0:
        return make_empty(source, columns)
    ranked = rank_reranked(source, run, find_page(source, run))
    return complete_rows(source, run, ranked.slice(0, k), columns)


def rank_reranked(source: RerankedSearch, run: Run, page: int) -> pa.Table:
    """Every row that the reranker keeps of the search within."""
    part = source.search
    share_filter(source, part, run)
    depth = (
        sum_counts(part, run) if part.k_origin != CANDIDATES else max(read_count(part.k[0], run, "candidates"), page)
    )
    return rerank_rows(source, run, rank_search(part, run, depth, page))


def _rank_leg(
    leg: Search, run: Run, depth: int | None, page: int, target: Target | None, excluded: list[int]
) -> pa.Table:
    deeper = None if depth is None else depth + len(excluded)
    match leg:
        case VectorSearch():
            assert target is not None
            ranked = select_vectors(settle_query(leg, run), run, (ROW_ID, DISTANCE), deeper, target)
        case FullTextSearch():
            ranked = run_text_search(leg, run, (ROW_ID, SCORE), deeper)
        case FusedSearch():
            ranked = rank_legs(leg, run, page if leg.k_origin == CANDIDATES else find_page(leg, run)).slice(0, deeper)
        case RerankedSearch():
            inner = page if leg.k_origin == CANDIDATES else find_page(leg, run)
            ranked = rank_reranked(leg, run, inner).slice(0, deeper)
    if excluded:
        examples = pa.array(excluded, pa.uint64())
        ranked = ranked.filter(pc.invert(pc.is_in(ranked.column(ROW_ID), value_set=examples))).slice(0, depth)
    return ranked


def _read_target(leg: Search, run: Run) -> Target | None:
    if not isinstance(leg, VectorSearch):
        return None
    _refuse_batch(leg, run)
    return read_target(settle_query(leg, run), run)


def _list_examples(leg: Search, run: Run) -> list[int]:
    """The row ids of the examples that the searches within a leg are given."""
    inner = [leaf for part in list_parts(leg) for leaf in list_leaves(part)]
    by_example = [leaf for leaf in inner if isinstance(leaf, VectorSearch) and isinstance(leaf.query, Examples)]
    targets = [read_target(leaf, run) for leaf in by_example]
    return [one for target in targets if target is not None for one in target.excluded]


def _refuse_batch(leg: VectorSearch, run: Run) -> None:
    if find_queries(leg, run) is not None:
        span = getattr(leg.query, "span", None) or leg.span
        raise ArgumentError(
            "a search that is fused or reranked looks for one vector, and this is a list of them",
            hint="write a search for each vector: rrf(vector_search(…), vector_search(…)), or pass one vector",
            span=span,
        )


def _read_ranking(leg: Search, table: pa.Table, fusion: Fusion) -> Ranking:
    ids = table.column(ROW_ID).to_numpy()
    if not isinstance(leg, VectorSearch):
        name = SCORE if isinstance(leg, FullTextSearch) else score_fields(leg)[0].name
        return Ranking(ids, table.column(name).to_numpy().astype(np.float64))
    distances = table.column(DISTANCE).to_numpy()
    if fusion.normalize in ("l2", "none"):
        return Ranking(ids, measure_closeness(distances, leg.metric))
    return Ranking(ids, -distances.astype(np.float64))


def _order_rows(source: FusedSearch, tables: list[pa.Table], fused: FusedRanking, scores: Any) -> pa.Table:
    order = np.lexsort((fused.row_ids, -scores))
    columns: dict[str, pa.Array[Any] | pa.ChunkedArray[Any]] = {
        ROW_ID: pa.array(fused.row_ids[order], pa.uint64()),
        source.score_column: pa.array(scores[order], pa.float64()),
    }
    offered = {field.name for field in score_fields(source)}
    for table, places, rank in zip(tables, fused.places, source.rank_columns, strict=True):
        place = places[order]
        lacks = place < 0
        columns[rank] = pa.array(place + 1, pa.int64(), mask=lacks)
        for name in {DISTANCE, SCORE} & offered & set(table.column_names):
            columns[name] = table.column(name).take(pa.array(place, pa.int64(), mask=lacks))
    return pa.table(columns)
