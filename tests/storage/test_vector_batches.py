"""Many queries at once against one after another, on vectors that are hard on single precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest

from lancesql.storage.searches.distances import measure_distances
from lancesql.storage.searches.vector_batches import VectorBlocks, ask_index, rank_batch, rank_pairs


def make_vectors(kind: str, rows: int) -> tuple[pa.DataType, list[Any]]:
    """Vectors of one kind, with a NULL, a NaN, an infinity, a zero vector, and every third one repeated."""
    chance = np.random.default_rng(7)
    scale = {"huge": 1e18, "tiny": 1e-25, "close": 1.0}.get(kind, 1.0)
    if kind == "bytes":
        values: Any = chance.integers(0, 256, (rows, 8)).astype(np.uint8)
        return pa.uint8(), [None if at == 3 else row.tolist() for at, row in enumerate(values)]
    values = chance.normal(size=(rows, 8)) * scale
    if kind == "close":
        values = 1000 + values * 1e-3
    values[::3] = values[0]
    values[4], values[5, 2], values[6, 1] = 0, np.nan, np.inf
    type_ = {"half": pa.float16(), "double": pa.float64(), "huge": pa.float64()}.get(kind, pa.float32())
    numpy_type = type_.to_pandas_dtype()
    return type_, [None if at == 3 else row.astype(numpy_type).tolist() for at, row in enumerate(values)]


FLOATS = ("single", "half", "double", "huge", "tiny", "close")
KINDS = [(kind, metric) for kind in FLOATS for metric in ("l2", "cosine", "dot")] + [("bytes", "hamming")]


@pytest.mark.parametrize(("kind", "metric"), KINDS)
def test_a_batch_is_its_searches(tmp_path: Path, kind: str, metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lancesql.storage.searches.vector_batches._BLOCK_ROWS", 64)
    monkeypatch.setattr("lancesql.storage.searches.vector_batches._BLOCK_QUERIES", 7)
    type_, vectors = make_vectors(kind, 300)
    numpy_type = np.uint8 if kind == "bytes" else np.float64 if type_ == pa.float64() else np.float32
    rows = [np.array(one, np.float64) for one in vectors if one is not None and np.isfinite(one).all() and any(one)]
    queries = np.array([row + (kind != "bytes") * 0.5 * rows[1] for row in rows[:20]]).astype(numpy_type)
    column = pa.array(vectors, pa.list_(type_, 8))
    blocks = VectorBlocks(lance.write_dataset(pa.table({"v": column}), tmp_path / "t.lance"), "v")
    for _ in range(2):  # read, and kept
        found = rank_batch(blocks, queries, 9, metric)
        for at, query in enumerate(queries):
            distances = measure_distances(pa.chunked_array([column]), query, metric)
            order = [one for one in np.lexsort((np.arange(300), distances)) if np.isfinite(distances[one])][:9]
            assert found.row_ids[found.query_index == at].tolist() == order
            assert found.distances[found.query_index == at].tolist() == distances[order].tolist()


def test_each_query_among_its_own_rows(tmp_path: Path) -> None:
    type_, vectors = make_vectors("single", 200)
    column = pa.array(vectors, pa.list_(type_, 8))
    blocks = VectorBlocks(lance.write_dataset(pa.table({"v": column}), tmp_path / "t.lance"), "v")
    queries = np.array([vectors[10], vectors[11], vectors[12]], np.float32)
    chance = np.random.default_rng(2)
    pairs = sorted(
        {
            (int(row), int(owner))
            for row, owner in zip(chance.integers(0, 200, 300), chance.integers(0, 3, 300), strict=True)
        }
    )
    row_ids, owners = np.array([row for row, _ in pairs], np.uint64), np.array([owner for _, owner in pairs])
    for scope in (blocks.restrict(row_ids), blocks):
        found = rank_pairs(scope, row_ids, owners, queries, 5, "l2")
        for at, query in enumerate(queries):
            distances = measure_distances(pa.chunked_array([column]), query, "l2")
            own = {row for row, owner in pairs if owner == at and np.isfinite(distances[row])}
            order = [one for one in np.lexsort((np.arange(200), distances)) if one in own][:5]
            assert found.row_ids[found.query_index == at].tolist() == order


def test_the_index_answers_each_query(tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(size=(2000, 16)).astype(np.float32)
    table = pa.table({"v": pa.array(values.tolist(), pa.list_(pa.float32(), 16))})
    dataset = lance.write_dataset(table, tmp_path / "t.lance")
    dataset = dataset.create_index("v", "IVF_FLAT", num_partitions=4, metric="l2")
    options: dict[str, Any] = {"filter": None, "row_ids": None, "refine_factor": None, "ef": None}
    found = ask_index(dataset, "v", values[:50], 3, "l2", nprobes=4, **options)
    exact = rank_batch(VectorBlocks(dataset, "v"), values[:50], 3, "l2")
    assert found.query_index.tolist() == exact.query_index.tolist()
    assert found.row_ids.tolist() == exact.row_ids.tolist()
    assert found.distances == pytest.approx(exact.distances, rel=1e-5, abs=1e-5)
