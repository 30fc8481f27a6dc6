"""The default search over the default index, held against exact answers computed beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import lancesql

TARGET = 0.95
PREDICATES = (
    "year >= 2000",
    "year BETWEEN 1930 AND 1939",
    "year = 1999",
    "list_contains(genres, 'Horror')",
    "list_contains(genres, 'Comedy') AND year >= 2010",
    "n_cast >= 20",
)
Queries = dict[int, np.ndarray[Any, np.dtype[np.float32]]]


def measure_recall(
    db: lancesql.Connection, truth: list[dict[str, Any]], queries: Queries, where: str = "", k: int = 10
) -> float:
    """The mean recall@k; every distance is finite and the true one, in order."""
    sql = f"SELECT id, _distance FROM vector_search('movies', $q, k => {k}) {where}"
    found = 0
    for row in truth:
        answer = db.sql(sql, {"q": queries[row["query_id"]]}).fetchall()
        true = dict(zip(row["neighbors"], row["l2_squared"], strict=True))
        distances = [distance for _, distance in answer]
        assert len(answer) == k
        assert np.isfinite(distances).all()
        assert distances == sorted(distances)
        for id_, distance in answer:
            if id_ in true:
                assert distance == pytest.approx(true[id_], abs=1e-5)
        found += len({id_ for id_, _ in answer} & set(row["neighbors"][:k]))
    return found / (k * len(truth))


@pytest.mark.parametrize("k", [10, 100])
def test_recall_unfiltered(k: int, movies: lancesql.Connection, movies_folder: Path, movie_queries: Queries) -> None:
    truth = pq.read_table(movies_folder / "groundtruth.parquet").to_pylist()
    chosen = truth[:: 5 if k == 10 else 25]
    assert len(chosen) >= (200 if k == 10 else 40)
    assert measure_recall(movies, chosen, movie_queries, k=k) >= TARGET


@pytest.mark.parametrize("predicate", PREDICATES)
def test_recall_filtered(
    predicate: str, movies: lancesql.Connection, movies_folder: Path, movie_queries: Queries
) -> None:
    every = pq.read_table(movies_folder / "groundtruth_filtered.parquet").to_pylist()
    truth = [row for row in every if row["predicate"] == predicate]
    assert len(truth) == 200
    assert measure_recall(movies, truth, movie_queries, f"WHERE {predicate}") >= TARGET


@pytest.mark.parametrize("predicate", ["true", "year >= 2000", "year = 1999"])
def test_recall_of_an_order_by_distance(
    predicate: str, movies: lancesql.Connection, movies_folder: Path, movie_queries: Queries
) -> None:
    name = "groundtruth" if predicate == "true" else "groundtruth_filtered"
    every = pq.read_table(movies_folder / f"{name}.parquet").to_pylist()
    truth = [row for row in every if row.get("predicate", "true") == predicate][:60]
    sql = f"SELECT id, vector <-> $q AS d FROM movies WHERE {predicate} ORDER BY d LIMIT 10"
    found = 0
    for row in truth:
        answer = movies.sql(sql, {"q": movie_queries[row["query_id"]]}).fetchall()
        true = dict(zip(row["neighbors"], row["l2_squared"], strict=True))
        assert [distance for _, distance in answer] == sorted(distance for _, distance in answer)
        for id_, distance in answer:
            if id_ in true:
                assert distance**2 == pytest.approx(true[id_], abs=1e-5)
        found += len({id_ for id_, _ in answer} & set(row["neighbors"][:10]))
    assert found >= TARGET * 10 * len(truth)


def test_the_default_search_asks_the_index(movies: lancesql.Connection, movie_queries: Queries) -> None:
    query = next(iter(movie_queries.values()))
    plan = movies.explain("SELECT id FROM vector_search('movies', $q, k => 10)", {"q": query})
    assert "index vector_idx" in plan
    plan = movies.explain("SELECT id FROM vector_search('movies', $q, k => 10) WHERE year = 1999", {"q": query})
    assert "exact: the filter keeps" in plan
