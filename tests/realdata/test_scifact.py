"""Ranking quality on a published collection."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import lancesql

from .conftest import find_folder, read_vectors

Queries = list[tuple[int, str, np.ndarray[Any, np.dtype[np.float32]]]]


@pytest.fixture(scope="module")
def folder(data_dir: Path) -> Path:
    return find_folder(data_dir, "scifact")


@pytest.fixture(scope="module")
def scifact(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path_factory.mktemp("realdata") / "scifact") as db:
        db.execute(
            "CREATE TABLE docs AS SELECT id, title || ' ' || text AS body, vector "
            f"FROM '{folder / 'corpus'}.parquet' ORDER BY id"
        )
        db.execute("CREATE INDEX ON docs (body) USING FTS")
        yield db


@pytest.fixture(scope="module")
def queries(folder: Path) -> Queries:
    table = pq.read_table(folder / "queries.parquet", filters=[("split", "=", "test")])
    ids, texts = table.column("id").to_pylist(), table.column("text").to_pylist()
    assert len(ids) == 300
    return list(zip(ids, texts, read_vectors(table), strict=True))


@pytest.fixture(scope="module")
def relevant(folder: Path) -> dict[int, dict[int, int]]:
    judged: dict[int, dict[int, int]] = {}
    for row in pq.read_table(folder / "qrels.parquet", filters=[("split", "=", "test")]).to_pylist():
        judged.setdefault(row["query_id"], {})[row["doc_id"]] = row["relevance"]
    return judged


def measure_ndcg(answers: dict[int, list[int]], relevant: dict[int, dict[int, int]], k: int = 10) -> float:
    """The mean nDCG@k over the queries."""

    def gain(grades: list[int]) -> float:
        return sum(grade / math.log2(place + 2) for place, grade in enumerate(grades[:k]))

    scores = []
    for query, documents in answers.items():
        judged = relevant[query]
        ideal = gain(sorted(judged.values(), reverse=True))
        scores.append(gain([judged.get(document, 0) for document in documents]) / ideal)
    return sum(scores) / len(scores)


def test_exact_vector_search(
    scifact: lancesql.Connection, queries: Queries, relevant: dict[int, dict[int, int]]
) -> None:
    sql = "SELECT id FROM vector_search('docs', $q, k => 10, metric => 'cosine', exact => true)"
    answers = {id_: [row[0] for row in scifact.sql(sql, {"q": vector}).fetchall()] for id_, _, vector in queries}
    assert measure_ndcg(answers, relevant) == pytest.approx(0.645, abs=0.002)


def test_text_search(scifact: lancesql.Connection, queries: Queries, relevant: dict[int, dict[int, int]]) -> None:
    sql = "SELECT id FROM fts('docs', 'body', $text, syntax => 'plain') LIMIT 10"
    answers = {id_: [row[0] for row in scifact.sql(sql, {"text": text}).fetchall()] for id_, text, _ in queries}
    assert measure_ndcg(answers, relevant) >= 0.68


def test_hybrid_search(scifact: lancesql.Connection, queries: Queries, relevant: dict[int, dict[int, int]]) -> None:
    sql = "SELECT id FROM hybrid_search('docs', $q, 'body', $text, k => 10, metric => 'cosine', syntax => 'plain')"
    answers = {
        id_: [row[0] for row in scifact.sql(sql, {"q": vector, "text": text}).fetchall()]
        for id_, text, vector in queries
    }
    assert measure_ndcg(answers, relevant) >= 0.71
