"""Text search without an index finds just the rows that an index finds."""

import random

import lance
import numpy as np
import pyarrow as pa
import pytest

import lancesql

WORDS = [
    "alien",
    "Aliens",
    "space",
    "ship",
    "crew",
    "quiet",
    "Quiet",
    "running",
    "runs",
    "the",
    "of",
    "horror",
    "hotel",
    "winter",
    "moon",
]
QUERIES = [
    "alien",
    "Aliens AND space",
    '"space ship"',
    "run OR hotel",
    "crew NOT quiet",
    "the",
    "",
    "(alien OR moon) AND NOT (ship OR crew)",
    '"quiet running" OR winter',
    "the AND horror",
    "alien space AND crew",
]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flat")
    chooser = random.Random(3)
    texts = [None if i % 17 == 0 else " ".join(chooser.choices(WORDS, k=chooser.randint(0, 8))) for i in range(300)]
    table = pa.table({"id": np.arange(300), "indexed": texts, "plain": texts})
    lance.write_dataset(table, str(folder / "texts.lance"))
    lance.dataset(str(folder / "texts.lance")).create_scalar_index("indexed", "INVERTED", with_position=True)
    with lancesql.connect(folder) as db:
        yield db


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("where", ["", "WHERE id % 3 = 0", "WHERE id < 100"])
def test_an_index_changes_no_match(database, query, where):
    found = {}
    for column in ("indexed", "plain"):
        rows = database.sql(f"SELECT id, _score FROM fts('texts', '{column}', $q) {where}", {"q": query}).fetchall()
        found[column] = {row[0] for row in rows}
        assert rows == sorted(rows, key=lambda row: (-row[1], row[0]))
    assert found["plain"] == found["indexed"]


def test_a_limit_takes_the_best(database):
    every = database.sql("SELECT id FROM fts('texts', 'plain', 'alien space')").fetchall()
    assert (
        database.sql("SELECT id FROM fts('texts', 'plain', 'alien space') LIMIT 7 OFFSET 5").fetchall() == every[5:12]
    )


def test_bm25_by_hand(tmp_path):
    lance.write_dataset(pa.table({"text": ["red hat", "red red shirt", "blue shoe"]}), str(tmp_path / "t.lance"))
    with lancesql.connect(tmp_path) as db:
        rows = dict(db.sql("SELECT text, _score FROM fts('t', 'red')").fetchall())
    rarity = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    average = 7 / 3
    expected = {
        text: rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / average))
        for text, count, length in [("red hat", 1, 2), ("red red shirt", 2, 3)]
    }
    assert rows == pytest.approx(expected, rel=1e-6)


def test_explain_says_that_every_text_is_read(database):
    assert "no index on plain, every text is read" in database.explain("SELECT id FROM fts('texts', 'plain', 'alien')")
