"""Many vector searches at once: those of one filter and one k, exactly or through the index as costs say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.execution.filters.resolve import ResolvedFilter
from lancesql.execution.run import Run
from lancesql.optimizer.choose_strategy import is_batch_cheaper_exactly
from lancesql.plan.sources import VectorSearch
from lancesql.plan.vector_options import Examples
from lancesql.storage.scan import serialize_row_ids
from lancesql.storage.searches.vector_batches import Neighbours, VectorBlocks, ask_index, rank_batch

from .vector import choose_effort

__all__ = ["is_batched", "open_blocks", "rank_vector_batch"]

Array = np.ndarray[Any, Any]


def is_batched(source: VectorSearch) -> bool:
    """Whether searches like this one can be carried out many at once; the others are one after another."""
    type_ = source.table.schema.field(source.column).type
    if not pa.types.is_fixed_size_list(type_) or isinstance(source.query, Examples) or source.selection is not None:
        return False
    if source.lower_bound is not None or source.upper_bound is not None or source.options.fast_search or not source.k:
        return False
    return source.metric in ("l2", "cosine", "dot") or (
        source.metric == "hamming" and pa.types.is_uint8(type_.value_type)
    )


def open_blocks(source: VectorSearch, resolved: ResolvedFilter, run: Run) -> VectorBlocks:
    """The vectors that a filter keeps."""
    row_ids = None if resolved.row_ids is None else serialize_row_ids(resolved.row_ids)
    return VectorBlocks(run.database.open_dataset(source.table), source.column, resolved.text, row_ids)


def rank_vector_batch(
    source: VectorSearch, run: Run, resolved: ResolvedFilter, blocks: VectorBlocks, queries: Array, k: int
) -> Neighbours:
    """The k nearest of the rows the filter keeps to each query; `blocks` are their vectors."""
    k = min(k, max(source.table.rows, 1))
    strategy, effort = choose_effort(source, run, k, resolved.matches)
    index = source.table.index_on(source.column, ("IVF",), source.metric)
    dimension = source.table.schema.field(source.column).type.list_size
    if strategy.exact or index is None:
        return rank_batch(blocks, queries, k, source.metric)
    if is_batch_cheaper_exactly(index, dimension, k, resolved.matches, len(queries), effort):
        return rank_batch(blocks, queries, k, source.metric)
    found = ask_index(
        blocks.dataset,
        source.column,
        queries,
        k,
        source.metric,
        filter=blocks.filter,
        row_ids=blocks.row_ids,
        nprobes=strategy.nprobes,
        refine_factor=strategy.refine_factor,
        ef=strategy.ef,
    )
    counts = np.bincount(found.query_index, minlength=len(queries))
    missing = np.flatnonzero(counts < min(k, resolved.matches))
    if not len(missing) or source.options.nprobes is not None:
        return found
    exact = rank_batch(blocks, queries[missing], k, source.metric)
    kept = counts[found.query_index] >= min(k, resolved.matches)
    query_index = np.concatenate([found.query_index[kept], missing[exact.query_index]])
    order = np.argsort(query_index, kind="stable")
    return Neighbours(
        query_index[order],
        np.concatenate([found.row_ids[kept], exact.row_ids])[order],
        np.concatenate([found.distances[kept], exact.distances])[order],
    )
