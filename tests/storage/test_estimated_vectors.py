from __future__ import annotations

from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

from lancesql.storage.row_ids import serialize_row_ids
from lancesql.storage.searches.estimated_vectors import _continue, _count_needed, refine_estimates

ROWS, DIMENSION = 4_000, 32


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    random = np.random.default_rng(3)
    centres = 4 * random.normal(size=(20, DIMENSION))
    return (centres[random.integers(20, size=ROWS)] + random.normal(size=(ROWS, DIMENSION))).astype(np.float32)


@pytest.fixture(scope="module", params=["l2", "cosine"])
def metric(request: pytest.FixtureRequest) -> str:
    return str(request.param)


INDEXES = {
    "IVF_PQ": {"num_sub_vectors": 8},
    "IVF_RQ": {"num_bits": 1},
    "IVF_HNSW_PQ": {"num_sub_vectors": 8},
}


@pytest.fixture(scope="module", params=INDEXES)
def dataset(
    vectors: np.ndarray, metric: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> lance.LanceDataset:
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSION)
    table = pa.table({"id": np.arange(ROWS), "vector": column})
    made = lance.write_dataset(table, Path(tmp_path_factory.mktemp("estimated")) / "t.lance")
    return made.create_index("vector", request.param, metric=metric, num_partitions=4, **INDEXES[request.param])


def measure(vectors: np.ndarray, query: np.ndarray, metric: str) -> np.ndarray:
    if metric == "l2":
        return ((vectors - query) ** 2).sum(axis=1)
    return 1 - vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)


@pytest.mark.parametrize("share", [1.0, 0.3])
@pytest.mark.parametrize("together", [False, True])
def test_the_answer_is_what_brute_force_finds(
    dataset: lance.LanceDataset, metric: str, vectors: np.ndarray, share: float, together: bool
) -> None:
    random = np.random.default_rng(4)
    order = np.argsort(((vectors - vectors[0]) ** 2).sum(axis=1)) if together else random.permutation(ROWS)
    kept = np.sort(order[: int(ROWS * share)])
    found = 0
    queries = vectors[random.choice(ROWS, 20)] + random.normal(size=(20, DIMENSION)).astype(np.float32) / 4
    for query in queries:
        answer = refine_estimates(
            dataset,
            ["id", "_distance", "_rowid"],
            column="vector",
            query=query,
            k=10,
            metric=metric,
            depth=1_000,
            missed=0.05,
            code_bytes=4.0,
            narrow=share < 1,
            nprobes=4,
            ef=1_000,
            row_ids=serialize_row_ids(kept),
        )
        assert answer is not None
        assert answer.column_names == ["id", "_distance", "_rowid"]
        ids, distances = answer.column("id").to_numpy(), answer.column("_distance").to_numpy()
        assert answer.column("_rowid").to_pylist() == ids.tolist()
        true = measure(vectors, query, metric)
        assert np.allclose(distances, true[ids], rtol=1e-4, atol=1e-6)
        assert (np.diff(distances) >= 0).all()
        found += len(set(ids.tolist()) & set(kept[np.argsort(true[kept])[:10]].tolist()))
    assert found >= 0.95 * 200


def test_estimates_that_say_nothing_leave_no_candidate_out() -> None:
    random = np.random.default_rng(5)
    estimates = np.sort(random.normal(10, 1, size=1_000))
    assert _count_needed(estimates, random.normal(20, 1, size=100), k=10, missed=0.1) > 900


def test_estimates_that_differ_less_than_they_err_leave_few_out() -> None:
    random = np.random.default_rng(7)
    estimates = np.linspace(10, 10.5, 1_000)
    assert _count_needed(estimates, estimates[:100] + random.normal(0, 2, size=100), k=10, missed=0.1) > 500


def test_good_estimates_leave_most_candidates_out() -> None:
    random = np.random.default_rng(6)
    estimates = np.linspace(10, 20, 1_000)
    assert _count_needed(estimates, estimates[:100] + random.normal(0, 0.01, size=100), k=10, missed=0.1) == 100
    assert 100 < _count_needed(estimates, estimates[:100] + random.normal(0, 1, size=100), k=10, missed=0.1) < 1_000


def test_what_is_not_listed_is_expected_to_go_on_like_the_list() -> None:
    random = np.random.default_rng(8)
    estimates = np.sort((random.normal(size=(4_000, DIMENSION)) ** 2).sum(axis=1))
    further = _continue(estimates[:400], 1_000)
    assert len(further) == 1_000
    assert (np.diff(further) >= 0).all()
    assert np.allclose(further[:200], estimates[400:600], rtol=0.1)
    distances = estimates[:128] + random.normal(0, estimates[500] - estimates[0], size=128)
    assert _count_needed(estimates[:130], distances, 10, 0.1, unlisted=1_000) > 130
    assert _count_needed(estimates[:400], estimates[:128], 10, 0.1, unlisted=1_000) == 128


def test_fewer_rows_than_wanted_are_left_to_the_search_that_finds_them(
    dataset: lance.LanceDataset, metric: str
) -> None:
    query = np.ones(DIMENSION, np.float32)
    few = serialize_row_ids(np.arange(5))
    scope = {
        "column": "vector",
        "query": query,
        "k": 10,
        "metric": metric,
        "depth": 500,
        "missed": 0.1,
        "code_bytes": 4.0,
        "narrow": True,
        "nprobes": 4,
    }
    assert refine_estimates(dataset, ["id"], row_ids=few, **scope) is None
