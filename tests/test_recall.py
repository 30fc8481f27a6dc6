"""Recall: the default search over every kind of index, what ANALYZE finds, and what EXPLAIN (RECALL) measures."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import lance
import numpy as np
import pytest

import lancesql
from benchmarks.recall import BAR, FILTERS, measure_cell
from benchmarks.vectors import BUILDERS, KINDS, VectorSet, build_table, generate_clusters, read_vector_sets
from lancesql.storage.calibration import _choose_queries, _find_truth

NIGHTLY = os.environ.get("LANCESQL_NIGHTLY") == "1"
SHARES = (1.0, 0.1, 0.01, 0.001, 0.0001) if NIGHTLY else (1.0, 0.1, 0.001)
CLUSTERS = generate_clusters(6_000, 32, 60, 25)
SETS = read_vector_sets(["clusters", "movies", "sift5k"], 20) if NIGHTLY else [CLUSTERS]
OPTIONS = ("", ", exact => false") if NIGHTLY else (", exact => false",)
"""So few rows as there are by day are compared exactly, unless the index is asked for."""


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path_factory.mktemp("recall") / "db") as db:
        yield db


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", SETS, ids=lambda source: source.name)
def test_the_default_search_finds_enough(db: lancesql.Connection, source: VectorSet, kind: str, builder: str) -> None:
    table = build_table(db, source, kind, builder)
    for column, share, options in itertools.product(FILTERS, SHARES, OPTIONS):
        cell = measure_cell(db, table, source, column, share, options=options)
        assert cell.complete, (column, share, options)
        assert cell.recall >= BAR, (column, share, options)


def test_the_default_search_of_sift_finds_enough(db: lancesql.Connection, data_dir: Path) -> None:
    (source,) = read_vector_sets(["sift5k"], 10)
    assert data_dir
    for kind in ("IVF_PQ", "IVF_RQ"):
        table = build_table(db, source, kind, "lancesql")
        for column, share, options in itertools.product(FILTERS, SHARES, ("", ", exact => false")):
            cell = measure_cell(db, table, source, column, share, options=options)
            assert cell.complete, (kind, column, share, options)
            assert cell.recall >= BAR, (kind, column, share, options)


def find_nearest(source: VectorSet, query: np.ndarray, k: int = 10) -> list[int]:
    return np.argsort(((source.vectors - query) ** 2).sum(axis=1), kind="stable")[:k].tolist()


def search(db: lancesql.Connection, table: str, query: np.ndarray, options: str = "") -> list[int]:
    sql = f"SELECT id FROM vector_search('{table}', $q, k => 10{options})"
    return [row[0] for row in db.sql(sql, {"q": query}).fetchall()]


def test_analyze_chooses_the_effort_of_a_recall_and_travels_with_the_table(
    db: lancesql.Connection, tmp_path: Path
) -> None:
    source = generate_clusters(5_000, 32, 50, 20, seed=3)
    built = build_table(db, source, "IVF_PQ", "lancesql")
    shutil.copytree(Path(db._database.main.uri) / f"{built}.lance", tmp_path / "points.lance")
    explained = "SELECT id FROM vector_search('points', $q, k => 10, exact => false{})"
    with lancesql.connect(tmp_path) as own:
        before = own.explain(explained.format(""), {"q": source.queries[0]})
        assert "ANALYZE" not in before
        found = own.sql("ANALYZE points").to_arrow().to_pylist()
        assert {(row["index"], row["column"]) for row in found} == {("vector_idx", "vector")}
        assert all(row["recall"] >= row["target"] for row in found)
        assert {row["target"] for row in found if row["share"] == 1.0} == {0.9, 0.95, 0.99}
        for target in (0.9, 0.99):
            text = own.explain(explained.format(f", recall => {target}"), {"q": source.queries[0]})
            row = next(row for row in found if row["share"] == 1.0 and row["target"] == target)
            assert f"{row['nprobes']} of" in text
            assert f"{row['candidates'] // 10} × k candidates" in text
            assert f"as ANALYZE measured {row['recall']:g}" in text
        hits = sum(
            len(set(search(own, "points", query, ", exact => false")) & set(find_nearest(source, query)))
            for query in source.queries
        )
        assert hits / (10 * len(source.queries)) >= 0.9
    shutil.copytree(tmp_path / "points.lance", tmp_path / "moved" / "points.lance")
    with lancesql.connect(tmp_path / "moved") as moved:
        assert "as ANALYZE measured" in moved.explain(explained.format(""), {"q": source.queries[0]})
        moved.execute("CREATE OR REPLACE INDEX ON points (vector) USING IVF_PQ")
        assert "ANALYZE" not in moved.explain(explained.format(""), {"q": source.queries[0]})
        moved.execute("ANALYZE points")
        config = lance.dataset(tmp_path / "moved" / "points.lance").config()
        assert len([key for key in config if key.startswith("lancesql.")]) == 1
    with lancesql.connect(tmp_path, read_only=True) as reader:
        with pytest.raises(lancesql.UnsupportedError, match="reading only"):
            reader.execute("ANALYZE points")
        assert "as ANALYZE measured" in reader.explain(explained.format(""), {"q": source.queries[0]})


def test_the_row_a_query_is_of_is_no_truth_of_its_own(db: lancesql.Connection) -> None:
    table = db._database.find_table(build_table(db, CLUSTERS, "IVF_PQ", "lancesql"))
    assert table is not None
    dataset = lance.dataset(table.uri)
    queries = _choose_queries(dataset, "vector")
    assert len(queries.row_ids) == 20
    for scope in _find_truth(dataset, table.indexes[0], queries):
        for vector, own, truth in zip(queries.vectors, queries.row_ids.tolist(), scope.truth, strict=True):
            assert own not in truth
            assert len(truth) == 10
            if scope.row_ids is None:
                assert truth == set(find_nearest(CLUSTERS, vector, 11)) - {own}


def test_analyze_of_too_few_rows_measures_nothing(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        for rows in (1, 2, 12):
            db.execute(
                f"CREATE OR REPLACE TABLE few AS SELECT i AS id, [i + 1, 1]::FLOAT[2] AS vector FROM range({rows}) r(i)"
            )
            db.execute("CREATE INDEX ON few (vector) USING IVF_FLAT")
            found = db.sql("ANALYZE few").to_arrow().to_pylist()
            assert {row["recall"] for row in found} == ({1.0} if rows > 1 else set())


def test_analyze_without_an_index_finds_nothing(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE plain AS SELECT i AS id, [i, 1]::FLOAT[2] AS vector FROM range(10) r(i)")
        assert db.sql("ANALYZE plain").fetchall() == []


def test_analyze_of_a_table_of_duckdb_is_duckdbs(tmp_path: Path) -> None:
    own = duckdb.connect()
    own.execute("CREATE TABLE numbers AS SELECT range AS n FROM range(10)")
    with lancesql.connect(tmp_path / "db", duckdb=own) as db:
        db.execute("ANALYZE")
        db.execute("ANALYZE numbers")
        with pytest.raises(lancesql.UnknownTableError):
            db.execute("ANALYZE number")


@pytest.mark.parametrize("options", ["nprobes => 1, refine_factor => 1", "exact => false", "exact => true"])
@pytest.mark.parametrize("words", ["(RECALL)", "(ANALYZE, RECALL)"])
def test_explain_recall_measures_what_brute_force_says(db: lancesql.Connection, options: str, words: str) -> None:
    table, query = build_table(db, CLUSTERS, "IVF_PQ", "lancesql"), CLUSTERS.queries[1]
    hits = len(set(search(db, table, query, f", {options}")) & set(find_nearest(CLUSTERS, query)))
    sql = f"EXPLAIN {words} SELECT id FROM vector_search('{table}', $q, k => 10, {options})"
    text = "\n".join(row[0] for row in db.sql(sql, {"q": query}).fetchall())
    assert re.search(rf"recall     {hits / 10:.3f}: {hits} of the true 10, in [\d.]+ ms; exactly [\d.]+ ms", text)
    assert ("  rows       10" in text) == ("ANALYZE" in words)


def test_explain_recall_of_each_search_of_a_statement(db: lancesql.Connection) -> None:
    table = build_table(db, CLUSTERS, "IVF_PQ", "lancesql")
    one = f"vector_search('{table}', $q, k => 5, exact => false)"
    sql = f"EXPLAIN (RECALL) SELECT a.id FROM {one} a JOIN {one} b ON a.id = b.id WHERE a.near < 3000"
    text = "\n".join(row[0] for row in db.sql(sql, {"q": CLUSTERS.queries[0]}).fetchall())
    assert len(re.findall(r"recall     [01]\.\d{3}: \d of the true 5", text)) == 2
