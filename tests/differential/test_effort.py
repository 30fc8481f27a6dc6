"""What a search says of its effort changes what is done, or EXPLAIN says that it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

import lancesql

ROWS, DIMENSION, PARTITIONS, QUERIES, ADDED = 3_000, 32, 12, 12, 50
INDEXES = {
    "IVF_FLAT": {},
    "IVF_SQ": {},
    "IVF_PQ": {"num_sub_vectors": 8},
    "IVF_RQ": {"num_bits": 1},
    "IVF_HNSW_SQ": {"m": 4, "ef_construction": 20},
    "IVF_HNSW_PQ": {"num_sub_vectors": 8, "m": 4, "ef_construction": 20},
}
RANDOM = np.random.default_rng(21)
VECTORS = RANDOM.normal(size=(ROWS, DIMENSION)).astype(np.float32)
POINTS = RANDOM.normal(size=(QUERIES, DIMENSION)).astype(np.float32)
NEAREST = [set(np.argsort(((VECTORS - point) ** 2).sum(axis=1))[:10].tolist()) for point in POINTS]


def make_table(vectors: np.ndarray, first: int) -> pa.Table:
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSION)
    return pa.table({"id": np.arange(first, first + len(vectors)), "vec": column})


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    root: Path = tmp_path_factory.mktemp("effort")
    for kind, options in INDEXES.items():
        made = lance.write_dataset(make_table(VECTORS, 0), root / f"{kind.lower()}.lance")
        made.create_index("vec", kind, metric="l2", num_partitions=PARTITIONS, **options)
        made = lance.write_dataset(make_table(VECTORS, 0), root / f"{kind.lower()}_behind.lance")
        made.create_index("vec", kind, metric="l2", num_partitions=PARTITIONS, **options)
        lance.write_dataset(make_table(POINTS, ROWS), made.uri, mode="append")
    lance.write_dataset(make_table(VECTORS, 0), root / "plain.lance")
    with lancesql.connect(root) as db:
        yield db


def count_hits(db: lancesql.Connection, table: str, options: str, where: str = "") -> int:
    sql = f"SELECT id FROM vector_search('{table}', $q, k => 10{options}) {where}"
    return sum(
        len({row[0] for row in db.sql(sql, {"q": point}).fetchall()} & near)
        for point, near in zip(POINTS, NEAREST, strict=True)
    )


def explain(db: lancesql.Connection, table: str, options: str) -> str:
    text = db.explain(f"SELECT id FROM vector_search('{table}', $q, k => 10{options})", {"q": POINTS[0]})
    return next(line for line in text.splitlines() if "strategy" in line)


@pytest.mark.parametrize("kind", INDEXES)
def test_more_probes_find_more(db: lancesql.Connection, kind: str) -> None:
    few, all_of_them = (count_hits(db, kind.lower(), f", nprobes => {n}, refine_factor => 40") for n in (1, PARTITIONS))
    assert few < all_of_them
    assert all_of_them >= 0.95 * 10 * QUERIES
    assert re.search("1 of 1[12] partitions", explain(db, kind.lower(), ", nprobes => 1"))  # Lance drops an empty one


@pytest.mark.parametrize("kind", ["IVF_PQ", "IVF_RQ", "IVF_HNSW_PQ"])
def test_more_true_distances_find_more(db: lancesql.Connection, kind: str) -> None:
    once, often = (count_hits(db, kind.lower(), f", nprobes => 12, refine_factor => {n}") for n in (1, 50))
    assert once < often
    assert "true distances of 50 × k" in explain(db, kind.lower(), ", refine_factor => 50")


@pytest.mark.parametrize("kind", [kind for kind in INDEXES if kind != "IVF_FLAT"])
def test_more_true_distances_read_more(db: lancesql.Connection, kind: str) -> None:
    def count_bytes(factor: int) -> int:
        sql = f"SELECT id FROM vector_search('{kind.lower()}', $q, k => 10, nprobes => 12, refine_factor => {factor})"
        db.sql(sql, {"q": POINTS[0]}).to_arrow()
        before = lance.bytes_read_counter()
        db.sql(sql, {"q": POINTS[0]}).to_arrow()
        return int(lance.bytes_read_counter() - before)

    assert count_bytes(50) > count_bytes(1) + 100 * DIMENSION * 4


@pytest.mark.parametrize("kind", ["IVF_HNSW_SQ", "IVF_HNSW_PQ"])
def test_a_longer_list_finds_others_and_more_where_estimates_are_good(db: lancesql.Connection, kind: str) -> None:
    sql = f"SELECT id FROM vector_search('{kind.lower()}', $q, k => 10, nprobes => 12, refine_factor => 1, ef => $ef)"
    short, long = ([db.sql(sql, {"q": point, "ef": n}).fetchall() for point in POINTS] for n in (10, 500))
    assert short != long
    if kind == "IVF_HNSW_SQ":
        few, many = (
            sum(len({row[0] for row in a} & b) for a, b in zip(one, NEAREST, strict=True)) for one in (short, long)
        )
        assert few < many


@pytest.mark.parametrize("kind", INDEXES)
def test_exact_finds_all_and_recall_of_one_too(db: lancesql.Connection, kind: str) -> None:
    for options in (", exact => true", ", recall => 1.0"):
        assert count_hits(db, kind.lower(), options) == 10 * QUERIES
        assert "exact:" in explain(db, kind.lower(), options)
    assert "index vec_idx:" in explain(db, kind.lower(), ", exact => false")


@pytest.mark.parametrize("kind", [kind for kind in INDEXES if kind != "IVF_FLAT"])
def test_a_higher_recall_looks_deeper(db: lancesql.Connection, kind: str) -> None:
    def find_depth(options: str) -> int:
        return int(explain(db, kind.lower(), options).split("true distances of ")[1].split(" × k")[0])

    assert find_depth(", exact => false, recall => 0.99") > find_depth(", exact => false")
    found = count_hits(db, kind.lower(), ", exact => false, recall => 0.99")
    assert found >= 0.98 * 10 * QUERIES


@pytest.mark.parametrize("kind", INDEXES)
def test_fast_search_leaves_out_what_is_not_indexed(db: lancesql.Connection, kind: str) -> None:
    table = f"{kind.lower()}_behind"
    for at, point in enumerate(POINTS[:3]):
        sql = f"SELECT id FROM vector_search('{table}', $q, k => 10{{}})"
        assert db.sql(sql.format(""), {"q": point}).fetchall()[0] == (ROWS + at,)
        assert max(row[0] for row in db.sql(sql.format(", fast_search => true"), {"q": point}).fetchall()) < ROWS
    assert f"{QUERIES} rows not indexed are left out" in explain(db, table, ", fast_search => true")


IGNORED = [
    ("plain", ", nprobes => 3", "nprobes is not used: no index is asked"),
    ("plain", ", ef => 30, refine_factor => 2", "ef and refine_factor are not used: no index is asked"),
    ("plain", ", fast_search => true", "fast_search: no index to ask"),
    ("ivf_pq", ", nprobes => 3, metric => 'cosine'", "nprobes is not used: no index is asked"),
    ("ivf_pq", ", nprobes => 3, metric => 'l1'", "nprobes is not used: no index is asked"),
    ("ivf_pq", ", ef => 30, upper_bound => 5", "ef is not used: no index is asked"),
    ("ivf_pq", ", nprobes => 30", "nprobes is more than the 1"),
    *[
        (kind.lower(), ", ef => 30", f"ef is not used: {kind} has no graph")
        for kind in ("IVF_FLAT", "IVF_SQ", "IVF_PQ", "IVF_RQ")
    ],
    ("ivf_flat", ", refine_factor => 3", "refine_factor is not used: IVF_FLAT keeps the vectors themselves"),
    ("ivf_hnsw_sq", ", ef => 3", "ef is 10: a list holds all candidates"),
]


@pytest.mark.parametrize(("table", "options", "note"), IGNORED)
def test_explain_says_what_changes_nothing(db: lancesql.Connection, table: str, options: str, note: str) -> None:
    assert note in explain(db, table, options)


@pytest.mark.parametrize("kind", INDEXES)
def test_explain_says_nothing_of_what_counts(db: lancesql.Connection, kind: str) -> None:
    options = ", nprobes => 3" + (", ef => 300" if "HNSW" in kind else "")
    options += "" if kind == "IVF_FLAT" else ", refine_factor => 4"
    assert "not used" not in explain(db, kind.lower(), options)


@pytest.mark.parametrize("name", ["nprobes", "ef", "refine_factor"])
def test_an_exact_search_takes_no_word_about_an_index(db: lancesql.Connection, name: str) -> None:
    with pytest.raises(lancesql.ArgumentError, match=f"{name} says how an index is asked"):
        db.sql(f"SELECT id FROM vector_search('ivf_pq', $q, exact => true, {name} => 3)", {"q": POINTS[0]}).fetchall()
