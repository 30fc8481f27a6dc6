"""Pages of a search never repeat a row and never leave one out, however many rows are tied."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import lance
import pyarrow as pa
import pytest

import lancesql

ROWS = 180
SEARCHES = {
    "vector": "vector_search('ties', [0.0, 0.0])",
    "vector with a filter": "vector_search('ties', [0.0, 0.0]) WHERE id % 3 <> 0",
    "text": "fts('ties', 'duck OR goose')",
    "text with a filter": "fts('ties', 'duck OR goose') WHERE id % 3 <> 0 AND length(txt) > 4",
    "hybrid": "hybrid_search('ties', [0.0, 0.0], 'duck', candidates => 90)",
    "hybrid with a filter": "hybrid_search('ties', [0.0, 0.0], 'duck', candidates => 300) WHERE id % 3 <> 0",
    "given k": "vector_search('ties', [0.0, 0.0], k => 50)",
    "indexed vector": "vector_search('indexed', [0.0, 0.0])",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("paging")
    table = pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "txt": pa.array(["a duck and a duck" if n % 2 else "one goose" for n in range(ROWS)]),
            "vec": pa.array([[float(n % 2), 0.0] for n in range(ROWS)], pa.list_(pa.float32(), 2)),
        }
    )
    lance.write_dataset(table, root / "ties.lance", max_rows_per_file=50).create_scalar_index("txt", "INVERTED")
    lance.write_dataset(table, root / "indexed.lance").create_index("vec", "IVF_FLAT", num_partitions=4)
    lance.write_dataset(table, root / "unindexed.lance", max_rows_per_file=70)
    behind = lance.write_dataset(table.slice(0, 100), root / "behind.lance")
    behind.create_scalar_index("txt", "INVERTED", with_position=True)
    lance.write_dataset(table.slice(100), root / "behind.lance", mode="append")
    return root


@pytest.fixture
def db(folder: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(folder) as connection:
        yield connection


@pytest.mark.parametrize("step", [7, 10, 64])
@pytest.mark.parametrize("search", SEARCHES)
def test_pages_are_slices_of_one_answer(db: lancesql.Connection, search: str, step: int) -> None:
    source = SEARCHES[search]
    pages: list[int] = []
    for offset in range(0, ROWS + step, step):
        sql = f"SELECT id FROM {source} LIMIT {step} OFFSET {offset}"
        pages += [row[0] for row in db.sql(sql).fetchall()]
        if search.startswith("vector"):
            again = db.sql(f"SELECT id FROM {source} LIMIT $n OFFSET $m", {"n": step, "m": offset}).fetchall()
            assert [row[0] for row in again] == pages[len(pages) - len(again) :]
    assert len(set(pages)) == len(pages)
    kept = [n for n in range(ROWS) if n % 3] if "filter" in search else list(range(ROWS))
    if search == "given k":
        kept = sorted(kept, key=lambda n: (n % 2, n))[:50]
    if search.startswith("hybrid") and "filter" not in search:
        # 90 nearest (even rows) and 90 matching (odd rows), in turns.
        assert sorted(pages) == kept
    elif "text" in search:
        assert sorted(pages) == kept
    else:
        assert sorted(pages) == sorted(kept)
        if "hybrid" not in search:
            assert pages == sorted(kept, key=lambda n: (n % 2, n))


@pytest.mark.parametrize("search", SEARCHES)
def test_one_page_more_is_the_same_beginning(db: lancesql.Connection, search: str) -> None:
    answers = [db.sql(f"SELECT id FROM {SEARCHES[search]} LIMIT {n}").fetchall() for n in (5, 20, 90)]
    for shorter, longer in itertools.pairwise(answers):
        assert longer[: len(shorter)] == shorter


def test_order_by_the_score_keeps_pages_apart(db: lancesql.Connection) -> None:
    pages: list[int] = []
    for offset in range(0, ROWS, 20):
        sql = f"SELECT id FROM vector_search('ties', [0.0, 0.0]) ORDER BY _distance LIMIT 20 OFFSET {offset}"
        pages += [row[0] for row in db.sql(sql).fetchall()]
    assert sorted(pages) == list(range(ROWS))


def test_text_without_k_gives_every_match(db: lancesql.Connection) -> None:
    assert db.sql("SELECT count(*) FROM fts('ties', 'duck')").fetchone() == (ROWS // 2,)
    assert len(db.sql("SELECT id FROM fts('ties', 'duck')").fetchall()) == ROWS // 2


def test_vector_search_without_k_and_limit_gives_ten(db: lancesql.Connection) -> None:
    assert len(db.sql("SELECT id FROM vector_search('ties', [0.0, 0.0])").fetchall()) == 10


@pytest.mark.parametrize("tail", ["GROUP BY id LIMIT 3", "ORDER BY id DESC LIMIT 3"])
def test_limit_is_not_k_when_rows_change_on_the_way(db: lancesql.Connection, tail: str) -> None:
    answer = db.sql(f"SELECT id FROM vector_search('ties', [0.0, 0.0]) {tail}").fetchall()
    assert {row[0] for row in answer} <= set(range(0, 20, 2))


TEXTS = ["duck OR goose", "goose duck~1", 'du* OR "one goose"', "(duck OR goose) -swan", "goose^3 duck"]
FILTERS = ["", "WHERE id >= 0", "WHERE length(txt) > 2 AND id % 2 < 3"]


@pytest.mark.parametrize("table", ["ties", "unindexed", "behind"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("where", FILTERS)
def test_pages_of_a_text_search_are_the_whole_list(db: lancesql.Connection, table: str, text: str, where: str) -> None:
    search = f"SELECT id, _score, _rowid FROM fts('{table}', $text) {where}"
    whole = db.sql(search, {"text": text}).fetchall()
    assert whole == sorted(whole, key=lambda row: (-row[1], row[2]))
    assert {row[0] for row in whole} == set(range(ROWS))
    pages = [
        row for page in range(18) for row in db.sql(f"{search} LIMIT 10 OFFSET {10 * page}", {"text": text}).fetchall()
    ]
    assert pages == whole


@pytest.mark.parametrize("table", ["ties", "unindexed", "behind"])
def test_offsets_alone_and_offsets_behind_the_end(db: lancesql.Connection, table: str) -> None:
    search = f"SELECT id FROM fts('{table}', 'duck goose')"
    whole = db.sql(search).fetchall()
    assert db.sql(f"{search} OFFSET 173").fetchall() == whole[173:]
    assert db.sql(f"{search} LIMIT 9223372036854775000 OFFSET 173").fetchall() == whole[173:]
    for offset in (ROWS, 10**6, 10**12, 2**62):
        assert db.sql(f"{search} OFFSET {offset}").fetchall() == []
        assert db.sql(f"{search} LIMIT 10 OFFSET {offset}").fetchall() == []
        assert db.sql(f"{search} LIMIT $n OFFSET $m", {"n": 10, "m": offset}).fetchall() == []
    assert db.sql(f"{search} ORDER BY id LIMIT 10 OFFSET 170").fetchall() == sorted(whole)[170:]


def test_k_is_a_slice_of_the_whole_list(db: lancesql.Connection) -> None:
    whole = db.sql("SELECT id FROM fts('ties', 'duck goose')").fetchall()
    for k in (1, 15, 16, 17, 89, 90, 91, 179, 180, 181, 10**12):
        assert db.sql(f"SELECT id FROM fts('ties', 'duck goose', k => {k})").fetchall() == whole[:k]
