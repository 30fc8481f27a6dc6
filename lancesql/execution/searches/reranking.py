"""A reranker asked: the rows of a search as LanceDB's rerankers take them, and their new scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.errors import ArgumentError
from lancesql.execution.run import Run, evaluate
from lancesql.execution.watch import MANY_ROWS
from lancesql.plan.sources import (
    DISTANCE,
    RELEVANCE,
    ROW_ID,
    SCORE,
    FullTextSearch,
    FusedSearch,
    RerankedSearch,
    VectorSearch,
    score_fields,
)
from lancesql.storage.rerankers import Candidates
from lancesql.storage.scan import list_row_ids, take_rows

__all__ = ["rerank_rows"]


def rerank_rows(source: RerankedSearch, run: Run, ranked: pa.Table) -> pa.Table:
    """The rows the reranker keeps, best first, ties by row id: `_rowid` and the scores of the source.

    Args:
        source: The reranked search.
        run: The run it belongs to.
        ranked: `_rowid` and the scores of the search within, best first.
    """
    wanted = [ROW_ID, *(field.name for field in score_fields(source))]
    if not ranked.num_rows:
        return _drop_scores(ranked).append_column(RELEVANCE, pa.array([], pa.float64())).select(wanted)
    options = {name: evaluate(value, run) for name, value in source.options}
    candidates = _gather(source, run, ranked)
    query = _read_query(source, run)
    scored = run.watch.call_storage(  # as of a table of many rows: a model may take its time
        lambda: run.rerankers.score(source.reranker, options, query, candidates, source.span), MANY_ROWS
    )
    ids, scores = scored.column(ROW_ID).to_numpy(), scored.column(RELEVANCE).to_numpy()
    order = np.lexsort((ids, -scores))
    places = pc.index_in(pa.array(ids[order]), value_set=ranked.column(ROW_ID).combine_chunks())
    kept = _drop_scores(ranked).take(places)
    return kept.append_column(RELEVANCE, pa.array(scores[order], pa.float64())).select(wanted)


def _drop_scores(ranked: pa.Table) -> pa.Table:
    """Without the fused score, in whose place the reranker's stands."""
    return ranked.drop_columns([name for name in (RELEVANCE,) if name in ranked.column_names])


def _read_query(source: RerankedSearch, run: Run) -> str:
    if source.query is None:
        return ""
    raw = evaluate(source.query, run)
    if isinstance(raw, str):
        return raw
    raise ArgumentError(
        "a reranker compares each row with a text, and the query is none",
        hint="say which: rerank(…, query => 'text')",
        span=source.query.span or source.span,
    )


def _gather(source: RerankedSearch, run: Run, ranked: pa.Table) -> Candidates:
    rows = ranked
    if source.column is not None:
        dataset = run.database.open_dataset(source.table)
        texts = take_rows(dataset, list_row_ids(ranked.column(ROW_ID)), [source.column, ROW_ID])
        column: Any = texts.column(source.column)
        rows = rows.append_column(source.column, pc.fill_null(column.cast(pa.string()), ""))
    search = source.search
    if isinstance(search, VectorSearch):
        return Candidates("vector", rows, column=source.column)
    if isinstance(search, FullTextSearch):
        return Candidates("text", rows, column=source.column)
    if not isinstance(search, FusedSearch):
        return Candidates("many", rows, column=source.column)
    kinds = [type(leg) for leg in search.legs]
    rankings = [_read_ranking(rows, rank, source.column) for rank in search.rank_columns]
    if sorted(kind.__name__ for kind in kinds) == ["FullTextSearch", "VectorSearch"]:
        vector, text = rankings if kinds[0] is VectorSearch else reversed(rankings)
        both = (vector.drop_columns([SCORE]), text.drop_columns([DISTANCE]))
        return Candidates("hybrid", rows, both, source.column)
    return Candidates("many", rows, tuple(rankings), source.column)


def _read_ranking(rows: pa.Table, rank: str, column: str | None) -> pa.Table:
    """The rows of one leg in its order, with its own score and the text."""
    found: Any = rows.filter(pc.is_valid(rows.column(rank))).sort_by(rank)
    kept = (ROW_ID, DISTANCE, SCORE, *([column] if column is not None else []))
    ranking: pa.Table = found.select([name for name in kept if name in found.column_names])
    return ranking
