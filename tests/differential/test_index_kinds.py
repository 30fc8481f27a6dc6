"""An index of any kind changes no answer: asked before it is built, behind new rows, brought up to date, built anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

import lancesql

from .conftest import NIGHTLY

SCALARS = ("BTREE", "BITMAP", "ZONEMAP", "BLOOMFILTER")
FILTERS = {
    "id": ("id = 7", "id IN (3, 999, 5)", "id BETWEEN 40 AND 60 OR id IS NULL", "NOT id > 20", "id <> 4", "id + 1 = 9"),
    "word": (
        "word = 'fox 3'", "word LIKE '%ox 1%'", "word LIKE 'fox%'", "word IN ('dog 1', 'cat')", "word IS NULL",
        "word > 'e'", "NOT word LIKE '%og%'", "contains(word, 'g 1')", "word ILIKE 'FOX 1_'",
    ),
    "day": ("day = DATE '2024-01-05'", "day < DATE '2024-01-03'", "day IS NOT NULL AND day >= DATE '2024-02-10'"),
    "tags": (
        "list_contains(tags, 'b')", "list_has_any(tags, ['a', 'z'])", "list_has_all(tags, ['a', 'b'])",
        "NOT list_contains(tags, 'a')", "tags IS NULL",
    ),
}  # fmt: skip
INDEXES = {
    **{kind: dict.fromkeys(("id", "word", "day"), kind) for kind in SCALARS},
    "NGRAM and LABEL_LIST": {"word": "NGRAM", "tags": "LABEL_LIST"},
}
VECTORS = {
    "IVF_FLAT": "num_partitions = 4",
    "IVF_SQ": "num_partitions = 4",
    "IVF_PQ": "num_partitions = 4, num_sub_vectors = 4",
    "IVF_RQ": "num_partitions = 4, num_bits = 3",
    "IVF_HNSW_FLAT": "m = 12, ef_construction = 100",
    "IVF_HNSW_SQ": "m = 12, ef_construction = 100",
    "IVF_HNSW_PQ": "m = 12, ef_construction = 100, num_sub_vectors = 4",
}
METRICS = ("l2", "cosine", "dot")
SEARCHED = [
    (kind, metric)
    for number, kind in enumerate(VECTORS)
    for metric in (METRICS if NIGHTLY else METRICS[number % 3 : number % 3 + 1])
]
ROWS = """SELECT CASE WHEN i % 11 = 5 THEN NULL ELSE i END AS id,
    CASE WHEN i % 7 = 3 THEN NULL ELSE ['fox ', 'dog ', 'cat', ''][1 + i % 4] || (i % 13) END AS word,
    CASE WHEN i % 5 <> 1 THEN DATE '2024-01-01' + (i % 60)::INTEGER END AS day,
    CASE WHEN i % 9 <> 2 THEN ['a', 'b', 'c'][1 + i % 3:2 + i % 2] END AS tags
    FROM range({start}, {stop}) r(i)"""


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path_factory.mktemp("kinds") / "db") as db:
        yield db


def _read_all(db: Any, table: str, filters: tuple[str, ...]) -> list[list[tuple[Any, ...]]]:
    columns = "id, word, day, tags"
    return [
        sorted(db.execute(f"SELECT {columns} FROM {table} WHERE {one}").fetchall(), key=repr) for one in filters
    ] + [db.execute(f"SELECT count(*) FROM {table} WHERE {one}").fetchall() for one in filters]


@pytest.mark.parametrize("indexes", INDEXES.values(), ids=INDEXES)
def test_filters(db: lancesql.Connection, indexes: dict[str, str]) -> None:
    filters = tuple(one for column in indexes for one in FILTERS[column])
    with duckdb.connect() as oracle:
        oracle.execute(f"CREATE TABLE t AS {ROWS.format(start=0, stop=500)}")
        db.execute(f"CREATE OR REPLACE TABLE t AS {ROWS.format(start=0, stop=500)}")

        def check(when: str) -> None:
            assert _read_all(db, "t", filters) == _read_all(oracle, "t", filters), when

        check("without an index")
        for column, kind in indexes.items():
            db.execute(f"CREATE INDEX ON t ({column}) USING {kind}")
        check("fresh")
        for one in (db, oracle):
            one.execute(f"INSERT INTO t {ROWS.format(start=500, stop=560)}")
            one.execute("DELETE FROM t WHERE id % 17 = 4")
            one.execute("UPDATE t SET word = 'fox 3', tags = ['z'] WHERE id % 19 = 6")
        check("behind")
        db.execute("OPTIMIZE t")
        check("brought up to date")
        db.execute("REINDEX t")
        check("built anew")


@pytest.fixture(scope="module")
def vectors() -> np.ndarray[Any, np.dtype[np.float32]]:
    random = np.random.default_rng(5)
    return random.standard_normal((660, 8)).astype(np.float32)


def _rank(
    vectors: np.ndarray[Any, Any], kept: np.ndarray[Any, Any], query: np.ndarray[Any, Any], metric: str
) -> list[int]:
    rows = vectors[kept].astype(np.float64)
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(query)
    distances = {
        "l2": ((rows - query) ** 2).sum(axis=1),
        "cosine": 1 - rows @ query / norms,
        "dot": 1 - rows @ query,
    }[metric]
    return [int(one) for one in kept[np.argsort(distances, kind="stable")[:10]]]


@pytest.mark.parametrize(("kind", "metric"), SEARCHED)
def test_searches(
    db: lancesql.Connection, vectors: np.ndarray[Any, np.dtype[np.float32]], kind: str, metric: str
) -> None:
    """With every partition looked at, and all their rows compared by their true distances."""
    _fill(db, vectors[:600], 0)
    rows = np.arange(600)

    def check(kept: np.ndarray[Any, Any], when: str) -> None:
        for number in (3, 77):
            query = vectors[number].astype(np.float64) + 0.01
            for modulus in (1, 3):
                wanted = _rank(vectors, kept[kept % modulus == 0], query, metric)
                found = db.sql(
                    f"SELECT id FROM vector_search('v', vec, $q, k => 10, metric => '{metric}', nprobes => 100,"
                    f" refine_factor => 70{', ef => 700' if 'HNSW' in kind else ''}) WHERE id % $m = 0",
                    {"q": query.tolist(), "m": modulus},
                ).fetchall()
                assert [row[0] for row in found] == wanted, when

    check(rows, "without an index")
    db.execute(f"CREATE INDEX made ON v (vec) USING {kind} WITH (metric = {metric}, {VECTORS[kind]})")
    check(rows, "fresh")
    _append(db, vectors[600:], 600)
    db.execute("DELETE FROM v WHERE id % 7 = 3")
    rows = np.array([number for number in range(660) if number % 7 != 3])
    check(rows, "behind")
    db.execute("OPTIMIZE v")
    check(rows, "brought up to date")


def _fill(db: lancesql.Connection, vectors: np.ndarray[Any, Any], start: int) -> None:
    db.execute("CREATE OR REPLACE TABLE v (id BIGINT, vec FLOAT[8])")
    _append(db, vectors, start)


def _append(db: lancesql.Connection, vectors: np.ndarray[Any, Any], start: int) -> None:
    db.execute(
        "INSERT INTO v SELECT $start + generate_subscripts(m, 1) - 1, unnest(m)::FLOAT[8]"
        " FROM (SELECT $m::FLOAT[][] AS m)",
        {"start": start, "m": vectors.tolist()},
    )


def test_several_vector_indexes_on_a_column(
    tmp_path: Path, vectors: np.ndarray[Any, np.dtype[np.float32]], capfd: pytest.CaptureFixture[str]
) -> None:
    """Each metric is answered by its own index, whichever was made first, with the rows written later."""
    with lancesql.connect(tmp_path / "db") as db:
        _fill(db, vectors[:600], 0)
        made = {"l2": ("z", "IVF_PQ"), "cosine": ("m", "IVF_FLAT"), "dot": ("a", "IVF_SQ")}
        for metric, (name, kind) in made.items():
            db.execute(f"CREATE INDEX {name} ON v (vec) USING {kind} WITH (metric = {metric}, num_partitions = 3)")
        _append(db, vectors[600:], 600)
        for metric, (name, _) in made.items():
            query = vectors[650].astype(np.float64) + 0.01
            search = (
                f"FROM vector_search('v', vec, $q, k => 10, metric => '{metric}', nprobes => 9, refine_factor => 60)"
            )
            (plan,) = [
                row[0]
                for row in db.sql(f"EXPLAIN SELECT id {search}", {"q": query.tolist()}).fetchall()
                if "strategy" in row[0]
            ]
            assert f"index {name}: " in plan, plan
            found = [row[0] for row in db.sql(f"SELECT id {search}", {"q": query.tolist()}).fetchall()]
            assert found == _rank(vectors, np.arange(660), query, metric)
            many = db.sql(
                f"SELECT query_index, id {search.replace('$q', '$m')} ORDER BY query_index, _distance",
                {"m": [query.tolist(), vectors[3].tolist()]},
            ).fetchall()
            assert [row[1] for row in many if row[0] == 0] == found
            fast = search.removesuffix(")") + ", fast_search => true)"
            known = [row[0] for row in db.sql(f"SELECT id {fast}", {"q": query.tolist()}).fetchall()]
            assert known == _rank(vectors, np.arange(600), query, metric)
    assert capfd.readouterr().err == ""
