"""A list of query vectors in one call: every row of the answer says by `query_index` which of them found it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.binder.searches.base import FOUND
from lancesql.errors import ArgumentError, UnsupportedError
from lancesql.execution.embeddings.embed import embed_texts
from lancesql.execution.filters.resolve import resolve_filter
from lancesql.execution.run import Run, evaluate
from lancesql.plan.sources import DISTANCE, ROW_ID, VectorSearch
from lancesql.plan.values import Constant, Parameter, ScalarQuery
from lancesql.plan.vector_options import Examples
from lancesql.storage.scan import take_rows

from .counts import make_empty, sum_counts
from .outer_values import read_numbers
from .query_vectors import check_vector
from .selection import run_vector_search
from .vector_batch import is_batched, open_blocks, rank_vector_batch

__all__ = ["QUERY_INDEX", "find_queries", "run_query_batch", "settle_query"]

QUERY_INDEX = "query_index"


def find_queries(source: VectorSearch, run: Run) -> list[object] | None:
    """The vectors when the query is a list of them, or of texts, evaluated once per run; None when it is one query.

    For a column of lists of vectors a list of vectors is one query.

    Raises:
        UnsupportedError: When they are searched for among rows that a query joins or computes.
    """
    queries = _find_queries(source, run)
    if queries is not None and source.alias == FOUND:
        raise UnsupportedError(
            "a query that joins or computes is searched for one vector at a time",
            hint="search it for each row of a relation: FROM vectors v, LATERAL vector_search(…, v.vector)",
            span=source.query.span if not isinstance(source.query, Examples) else source.span,
        )
    return queries


def _find_queries(source: VectorSearch, run: Run) -> list[object] | None:
    query = source.query
    if isinstance(query, Examples):
        return None
    if isinstance(query, Parameter):
        raw = run.values.get(query.name)
    elif isinstance(query, Constant):
        raw = query.value
    else:
        raw = run.queries.get(source.placeholder)
        if raw is None:
            raw = run.queries[source.placeholder] = evaluate(query, run)
    texts = _list_texts(raw)
    if texts is not None:
        vectors = iter(embed_texts(source.table, source.column, [one for one in texts if one is not None], run,
                                   span=query.span))  # fmt: skip
        return [None if one is None else next(vectors) for one in texts]
    single = pa.types.is_fixed_size_list(source.table.schema.field(source.column).type)
    return _split(raw) if single else None


def settle_query(source: VectorSearch, run: Run) -> VectorSearch:
    """The source with the value of its scalar subquery, when it was evaluated already."""
    raw = run.queries.get(source.placeholder)
    if raw is None or not isinstance(source.query, ScalarQuery):
        return source
    return replace(source, query=Constant(raw, source.query.span))


def _list_texts(raw: Any) -> list[str | None] | None:
    """The texts when the query is a list of texts; a NULL may be among them."""
    if isinstance(raw, str | bytes) or raw is None:
        return None
    if hasattr(raw, "to_arrow"):
        raw = raw.to_arrow()
    if isinstance(raw, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar):
        raw = raw.values
    if isinstance(raw, pa.Array | pa.ChunkedArray):
        listed: list[Any] = raw.to_pylist() if _is_text(raw.type) else []
    elif isinstance(raw, np.ndarray):
        listed = raw.tolist() if raw.ndim == 1 and raw.dtype.kind in "UO" else []
    else:
        listed = list(raw) if isinstance(raw, list | tuple) else []
    is_text = any(isinstance(one, str) for one in listed) and all(one is None or isinstance(one, str) for one in listed)
    return listed if is_text else None


def _is_text(type_: Any) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


def _split(raw: object) -> list[object] | None:
    if isinstance(raw, np.ndarray):
        if raw.ndim == 2:
            return list(raw)
        return list(raw) if raw.dtype == object and _holds_vectors(raw) else None
    if isinstance(raw, list | tuple):
        return list(raw) if _holds_vectors(raw) else None
    if hasattr(raw, "to_arrow"):
        raw = raw.to_arrow()
    if isinstance(raw, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar):
        raw = raw.values
    if isinstance(raw, pa.Array | pa.ChunkedArray) and _is_list(raw.type):
        return read_numbers(raw)
    return None


def _holds_vectors(values: Sequence[object] | np.ndarray[Any, Any]) -> bool:
    first = next((one for one in values if one is not None), None)
    return isinstance(first, list | tuple | np.ndarray)


def _is_list(type_: Any) -> bool:
    return bool(pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_))


def run_query_batch(source: VectorSearch, run: Run, queries: list[object], columns: Sequence[str]) -> pa.Table:
    """The k nearest rows of each query, by query, nearest first; a NULL query finds nothing.

    Raises:
        ArgumentError: When a query cannot be searched for; the message says which.
    """
    if QUERY_INDEX in source.table.schema.names:
        raise UnsupportedError(
            f"table '{source.table.name}' has a column '{QUERY_INDEX}', the name of a column of this answer",
            hint="rename the column, or search for one vector",
            span=source.span,
        )
    asked = [at for at, one in enumerate(queries) if one is not None]
    vectors = [_check(queries[at], at, source) for at in asked]
    found, owners = _search(source, run, vectors)
    index = np.array(asked, np.int64)[owners]
    base = [name for name in columns if name in source.table.schema.names]
    if base:
        dataset = run.database.open_dataset(source.table)
        rows = take_rows(dataset, found.column(ROW_ID).to_numpy().tolist(), [*base, ROW_ID])
        for name in base:
            found = found.append_column(rows.schema.field(name), rows.column(name))
    return found.select(list(columns)).add_column(0, QUERY_INDEX, pa.array(index, pa.int32()))


def _check(raw: object, at: int, source: VectorSearch) -> np.ndarray[Any, Any]:
    type_ = source.table.schema.field(source.column).type
    span = source.query.span if not isinstance(source.query, Examples) else None
    try:
        return check_vector(raw, type_, source.metric, source.column, span)
    except ArgumentError as error:
        raise ArgumentError(f"query {at}: {error.message}", hint=error.hint, span=span) from None


def _search(source: VectorSearch, run: Run, vectors: list[Any]) -> tuple[pa.Table, np.ndarray[Any, Any]]:
    k = sum_counts(source, run)
    wanted = (ROW_ID, DISTANCE)
    empty = make_empty(source, wanted)
    if not vectors or k == 0 or source.table.rows == 0 or (resolved := resolve_filter(source, run)).matches == 0:
        return empty, np.empty(0, np.int64)
    if k is not None and is_batched(source):
        found = rank_vector_batch(source, run, resolved, open_blocks(source, resolved, run), np.stack(vectors), k)
        return pa.table({ROW_ID: found.row_ids, DISTANCE: found.distances}), found.query_index
    tables = [run_vector_search(replace(source, query=Constant(one)), run, wanted, k) for one in vectors]
    owners = np.repeat(np.arange(len(tables)), np.array([table.num_rows for table in tables], np.int64))
    return pa.concat_tables([empty, *tables]), owners
