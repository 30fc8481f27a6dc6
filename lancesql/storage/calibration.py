"""Calibration: the effort an index needs for a recall, measured with the table's own vectors, kept in its manifest."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import lance
import numpy as np
import pyarrow as pa

from lancesql.catalog import CalibratedEffort, IndexInfo, TableInfo
from lancesql.plan.sources import ROW_ID
from lancesql.storage.searches.distances import measure_distances, read_matrix
from lancesql.storage.searches.vectors import search_vectors

from .row_ids import serialize_row_ids
from .scan import open_scan, read_row_ids, select_rows, wrap_lance_error

if TYPE_CHECKING:
    from .database import LanceDatabase

__all__ = ["analyze_table", "parse_calibration"]

_KEY = "lancesql.calibration."
_K = 10
_QUERIES = 20
_TARGETS = (0.9, 0.95, 0.99)
_SHARES = (1.0, 0.1, 0.01)
_PROBES = (0.125, 0.25, 0.5, 1.0)
_FACTORS = (1, 2, 4, 8, 16, 32, 64, 128)
_LEAST_ROWS = 1_000
_LIST_SIZE = 128

Array = np.ndarray[Any, Any]
OnStep = Callable[[str, int | None, int | None], None]


@dataclass(frozen=True)
class _Queries:
    """Vectors of the table, and the rows they are of.

    A query finds its own row whatever the effort, so that row counts neither as truth nor as found. The anchor is one
    more vector: the rows around it lie together.
    """

    vectors: Array
    row_ids: Array
    anchor: Array


@dataclass(frozen=True)
class _Scope:
    """Rows that a filter might keep, and the true nearest among them but its own, for each query."""

    share: float
    row_ids: bytes | None
    truth: list[set[int]]


def analyze_table(
    database: LanceDatabase, table: TableInfo, on_step: OnStep | None = None
) -> list[tuple[IndexInfo, CalibratedEffort]]:
    """Measures every vector index of a table, and keeps what it found in the table's manifest.

    Each share of the rows is measured with rows that lie anywhere and with rows that lie together, away from most
    queries: the harder case for an index.

    Args:
        database: The database.
        table: The table.
        on_step: Told how far it is.

    Returns:
        The indexes, each with the cheapest effort for a share of rows and a recall.

    Raises:
        StorageError: When the table cannot be read or written.
    """
    try:
        dataset = lance.dataset(table.uri, storage_options=database.storage_options)
        measured = {}
        for index in table.indexes:
            if not index.kind.startswith("IVF") or table.index_on(index.columns[0], ("IVF",), index.metric) != index:
                continue  # no search asks it
            if index.uuid is not None and _is_measured(dataset, index):
                measured[index] = list(_measure_index(dataset, index, on_step))
        kept: dict[str, str | None] = {
            f"{_KEY}{index.uuid}": json.dumps([asdict(one) for one in efforts]) for index, efforts in measured.items()
        }
        stale = [key for key in dataset.config() if key.startswith(_KEY) and key not in kept]
        if stale:
            dataset.delete_config_keys(stale)
        if kept:
            dataset.update_config(kept)
    except BaseException as error:
        raise wrap_lance_error(error, f"analyzing table '{table.name}'") from None
    finally:
        database.forget(table.name)
    return [(index, effort) for index, efforts in measured.items() for effort in efforts]


def parse_calibration(config: dict[str, str], uuid: str) -> tuple[CalibratedEffort, ...]:
    """What is known of an index; nothing when it was built anew, or the text is of another version."""
    try:
        return tuple(CalibratedEffort(**one) for one in json.loads(config.get(f"{_KEY}{uuid}", "[]")))
    except (ValueError, TypeError):
        return ()


def _is_measured(dataset: lance.LanceDataset, index: IndexInfo) -> bool:
    type_ = dataset.schema.field(index.columns[0]).type
    return pa.types.is_fixed_size_list(type_) and pa.types.is_floating(type_.value_type)


def _measure_index(dataset: lance.LanceDataset, index: IndexInfo, on_step: OnStep | None) -> Iterator[CalibratedEffort]:
    queries = _choose_queries(dataset, index.columns[0])
    if not len(queries.row_ids):
        return
    scopes = _find_truth(dataset, index, queries)
    partitions = index.partitions or 1
    probes = sorted({max(1, round(partitions * share)) for share in _PROBES})
    for share in sorted({scope.share for scope in scopes}, reverse=True):
        if on_step is not None:
            on_step(f"{index.name}, {share:.0%} of the rows", None, None)
        these = [scope for scope in scopes if scope.share == share]
        tried = [one for nprobes in probes for one in _try_factors(dataset, index, queries, these, nprobes)]
        for target in _TARGETS:
            enough = [one for one in tried if one.recall >= target]
            if enough:
                cheapest = min(enough, key=lambda one: one.milliseconds)
                yield CalibratedEffort(**(asdict(cheapest) | {"target": target}))


def _try_factors(
    dataset: lance.LanceDataset, index: IndexInfo, queries: _Queries, scopes: list[_Scope], nprobes: int
) -> Iterator[CalibratedEffort]:
    """Deeper and deeper, until it finds what there is to find."""
    for factor in (1,) if index.kind.endswith("FLAT") else _FACTORS:
        ef = max(_LIST_SIZE, factor * (_K + 1)) if "HNSW" in index.kind else None
        recalls, seconds = [], 0.0
        for scope in scopes:
            hits = wanted = 0
            started = time.perf_counter()
            for query, own, truth in zip(queries.vectors, queries.row_ids, scope.truth, strict=True):
                found = search_vectors(
                    dataset,
                    (ROW_ID,),
                    column=index.columns[0],
                    query=query,
                    k=_K + 1,
                    metric=index.metric or "l2",
                    row_ids=scope.row_ids,
                    nprobes=nprobes,
                    refine_factor=factor,
                    ef=ef,
                )
                others = [row_id for row_id in found.column(ROW_ID).to_pylist() if row_id != own]
                hits += len(truth & set(others[:_K]))
                wanted += len(truth)
            seconds += time.perf_counter() - started
            recalls.append(hits / wanted if wanted else 1.0)
        milliseconds = seconds * 1e3 / (len(scopes) * len(queries.vectors))
        yield CalibratedEffort(scopes[0].share, 0.0, nprobes, factor * _K, ef, round(min(recalls), 4), milliseconds)
        if min(recalls) >= _TARGETS[-1]:
            return


def _find_truth(dataset: lance.LanceDataset, index: IndexInfo, queries: _Queries) -> list[_Scope]:
    """For each scope the true nearest of each query but itself; one pass over the rows."""
    column, metric = index.columns[0], index.metric or "l2"
    random = np.random.default_rng(7)
    ids, distances, lots, nearness = [], [], [], []
    for batch in open_scan(dataset, [column, ROW_ID], widen=False):
        vectors = pa.chunked_array([batch.column(column)])
        ids.append(batch.column(ROW_ID).to_numpy())
        distances.append(np.stack([measure_distances(vectors, query, metric) for query in queries.vectors]))
        nearness.append(measure_distances(vectors, queries.anchor, metric))
        lots.append(random.random(batch.num_rows))
    every, table = np.concatenate(ids), np.concatenate(distances, axis=1)
    table[every == queries.row_ids[:, None]] = np.inf
    orders = {"together": np.concatenate(nearness), "anywhere": np.concatenate(lots)}
    scopes = [_Scope(1.0, None, _rank(every, table))]
    for share in _SHARES[1:]:
        for order in orders.values():
            if len(every) * share >= _LEAST_ROWS:
                chosen = np.argsort(order, kind="stable")[: round(len(every) * share)]
                allowed = serialize_row_ids(every[chosen])
                scopes.append(_Scope(share, allowed, _rank(every[chosen], table[:, chosen])))
    return scopes


def _choose_queries(dataset: lance.LanceDataset, column: str) -> _Queries:
    random = np.random.default_rng(7)
    every = read_row_ids(dataset, None, None).to_numpy()
    rows = select_rows(dataset, random.permutation(every)[: 5 * _QUERIES].tolist(), [column])
    vectors, missing = read_matrix(rows.column(column).combine_chunks())
    vectors = vectors.astype(np.float32)
    usable = random.permutation(np.flatnonzero(np.isfinite(vectors).all(axis=1) & vectors.any(axis=1) & ~missing))
    chosen, last = usable[:-1][:_QUERIES], usable[-1:]
    return _Queries(vectors[chosen], rows.column(ROW_ID).to_numpy()[chosen], vectors[last].sum(axis=0))


def _rank(ids: Array, distances: Array) -> list[set[int]]:
    """For each query its nearest rows."""
    wanted = min(_K, len(ids) - 1)
    filled = np.where(np.isfinite(distances), distances, np.inf)
    nearest = np.argpartition(filled, wanted - 1, axis=1)[:, :wanted]
    return [set(ids[one[np.isfinite(row[one])]].tolist()) for one, row in zip(nearest, filled, strict=True)]
