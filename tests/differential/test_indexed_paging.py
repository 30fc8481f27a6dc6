"""Pages of a search that an index answers: slices of one sequence, whatever the index misses at first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

import lancesql

ROWS, DIMENSION, SIZE = 2_000, 16, 10
INDEXES = {
    "IVF_PQ": {"num_sub_vectors": 2},
    "IVF_RQ": {"num_bits": 1},
    "IVF_SQ": {},
    "IVF_FLAT": {},
    "IVF_HNSW_PQ": {"num_sub_vectors": 4},
    "IVF_HNSW_SQ": {},
}
OPTIONS = {"": ", exact => false", "shallow": ", refine_factor => 2, nprobes => 1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("paging")
    random = np.random.default_rng(11)
    vectors = random.normal(size=(ROWS, DIMENSION)).astype(np.float32)
    vectors[1::3] = vectors[::3]  # every third row twice: ties
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSION)
    table = pa.table({"id": np.arange(ROWS), "vec": column})
    for kind, options in INDEXES.items():
        made = lance.write_dataset(table, root / f"{kind.lower()}.lance")
        made.create_index("vec", kind, metric="l2", num_partitions=8, **options)
    return root


@pytest.fixture
def db(folder: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(folder) as connection:
        yield connection


QUERY = np.random.default_rng(12).normal(size=DIMENSION).astype(np.float32)


def read(db: lancesql.Connection, sql: str) -> list[tuple[int, float]]:
    return db.sql(sql, {"q": QUERY}).fetchall()


def read_pages(db: lancesql.Connection, source: str, pages: int, select: str = "id, _distance") -> list[tuple]:
    found = []
    for page in range(pages):
        found += read(db, f"SELECT {select} FROM {source} LIMIT {SIZE} OFFSET {page * SIZE}")
    return found


def join_searches(db: lancesql.Connection, source: str, wanted: int) -> list[tuple[int, float]]:
    """What pages are cut from, written plainly: a search of four times as many rows follows the one before."""
    joined: list[tuple[int, float]] = []
    k = SIZE
    while len(joined) < wanted:
        found = read(db, f"SELECT id, _distance FROM {source.replace('$k', str(k))}")
        last = (joined[-1][1], joined[-1][0]) if joined else (-1.0, -1)
        others = [row for row in found if row not in joined]
        joined += [row for row in others if (row[1], row[0]) > last]
        if len(found) < k:
            joined += [row for row in others if (row[1], row[0]) < last]
            break
        k *= 4
    return joined[:wanted]


@pytest.mark.parametrize("kind", INDEXES)
@pytest.mark.parametrize("options", OPTIONS)
def test_pages_are_slices_of_one_sequence(db: lancesql.Connection, kind: str, options: str) -> None:
    arguments = f"'{kind.lower()}', $q{OPTIONS[options]}"
    pages = read_pages(db, f"vector_search({arguments})", 20)
    assert len({row[0] for row in pages}) == len(pages) == 200
    assert pages == join_searches(db, f"vector_search({arguments}, k => $k)", 200)
    assert pages[:SIZE] == read(db, f"SELECT id, _distance FROM vector_search({arguments}) LIMIT {SIZE}")
    distances = [row[1] for row in pages]
    assert distances == sorted(distances)
    ordered = read_pages(db, f"vector_search({arguments}) ORDER BY _distance", 20, "id, _distance + 0")
    assert [row[1] for row in ordered] == distances  # DuckDB orders rows of one distance as it likes


@pytest.mark.parametrize("kind", INDEXES)
def test_twenty_pages_hold_what_one_search_finds(db: lancesql.Connection, kind: str) -> None:
    source = f"vector_search('{kind.lower()}', $q, exact => false{{}})"
    pages = read_pages(db, source.format(""), 20)
    one = read(db, f"SELECT id, _distance FROM {source.format(', k => 640')} LIMIT 200")
    assert len(pages) == len(one) == 200
    assert len(set(pages) & set(one)) >= 190


@pytest.mark.parametrize("kind", INDEXES)
def test_pages_to_the_end_hold_every_row_once(db: lancesql.Connection, kind: str) -> None:
    source = f"vector_search('{kind.lower()}', $q, refine_factor => 1, nprobes => 8) WHERE id % 20 = 0"
    pages = read_pages(db, source, ROWS // 20 // SIZE + 2)
    assert sorted(row[0] for row in pages) == list(range(0, ROWS, 20))


def test_an_exact_search_needs_no_steps_and_explain_says_where_there_are_some(db: lancesql.Connection) -> None:
    tail = f"LIMIT {SIZE} OFFSET 60"
    text = db.explain(f"SELECT id FROM vector_search('ivf_pq', $q, exact => false) {tail}", {"q": QUERY})
    assert "a page of the searches for 10, 40, 160 rows" in text
    for source in ("vector_search('ivf_pq', $q, exact => true)", "vector_search('ivf_pq', $q, k => 100)"):
        assert "a page of" not in db.explain(f"SELECT id FROM {source} {tail}", {"q": QUERY})
