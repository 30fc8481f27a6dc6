"""INSERT embeds the texts of rows that leave out their vector: what is stored is what was computed beforehand."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest

import lancesql
from tests.embeddings.bag import DIMENSION, TEXTS, Bag, embed_text
from tests.embeddings.test_lancedb_functions import CALLS, make_table, registered

__all__ = ["registered"]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path) as db:
        db.execute(
            "CREATE TABLE docs AS SELECT 0 AS id, 'moon' AS text, [0.5]::FLOAT[1] || [0.5 for _ in range(15)] AS v"
        )
        db.execute(f"CREATE OR REPLACE TABLE docs AS SELECT id, text, v::FLOAT[{DIMENSION}] AS vector FROM docs")
        yield db


def read(db: lancesql.Connection, after: int = 1) -> list[tuple[Any, ...]]:
    rows = db.sql("SELECT id, text, vector FROM docs WHERE id >= $n ORDER BY id", {"n": after}).fetchall()
    return [(id_, text, None if vector is None else list(vector)) for id_, text, vector in rows]


def expect(rows: list[tuple[int, str | None]]) -> list[tuple[Any, ...]]:
    return [(id_, text, None if text is None else embed_text(text).astype(np.float32).tolist()) for id_, text in rows]


ROWS: list[tuple[int, str | None]] = [(1, "moon ship"), (2, None), (3, "salt"), (4, "moon ship")]
INSERTS = [
    "INSERT INTO docs (id, text) VALUES (1, 'moon ship'), (2, NULL), (3, 'salt'), (4, 'moon ship')",
    "INSERT INTO docs (text, id) SELECT text, id FROM rows",
    "INSERT INTO docs BY NAME SELECT id, text FROM rows",
    "INSERT INTO docs BY NAME SELECT text AS TEXT, id FROM rows",
    "INSERT INTO lance.docs (id, text) WITH r AS (SELECT * FROM rows) SELECT id, text FROM r",
]


@pytest.mark.parametrize("statement", INSERTS)
def test_rows_without_their_vector(db: lancesql.Connection, statement: str) -> None:
    bag = Bag()
    db.register_embedding("docs", "vector", bag, source="text")
    rows = pa.table({"id": [id_ for id_, _ in ROWS], "text": [text for _, text in ROWS]})
    assert rows.num_rows == db.execute(statement).fetchall()[0][0]
    assert read(db) == expect(ROWS)
    assert bag.calls == [["moon ship", "salt"]]
    table = lance.dataset(f"{db._database.main.uri}/docs.lance")
    assert [table.checkout_version(at).count_rows() for at in (table.version - 1, table.version)] == [1, 5]


def test_rows_that_bring_their_vector_keep_it(db: lancesql.Connection) -> None:
    bag = Bag()
    db.register_embedding("docs", "vector", bag, source="text")
    ones = [1.0] * DIMENSION
    db.execute(f"INSERT INTO docs VALUES (1, 'moon', {ones})")
    db.execute(f"INSERT INTO docs (vector, id) VALUES ({ones}, 2)")
    db.execute("INSERT INTO docs BY NAME SELECT 3 AS id, 'salt' AS text, NULL AS vector")
    db.execute("INSERT INTO docs (id) VALUES (4)")  # no text, no vector
    assert read(db) == [(1, "moon", ones), (2, None, ones), (3, "salt", None), (4, None, None)]
    assert bag.calls == []


def test_without_a_source_nothing_is_embedded(db: lancesql.Connection) -> None:
    bag = Bag()
    db.register_embedding("docs", "vector", bag)
    db.execute("INSERT INTO docs (id, text) VALUES (1, 'moon')")
    assert read(db) == [(1, "moon", None)]
    assert bag.calls == []


def test_many_rows_stream_in_bounded_batches(db: lancesql.Connection) -> None:
    bag = Bag()
    db.register_embedding("docs", "vector", bag, source="text", batch_size=100)
    db.execute("INSERT INTO docs (id, text) SELECT i + 1, 'word' || i FROM range(5050) t(i)")
    assert {len(call) for call in bag.calls} <= {100, 50, 48, 52}
    assert max(len(call) for call in bag.calls) == 100
    assert len(bag.texts) == 5050
    assert read(db, 5000) == expect([(at, f"word{at - 1}") for at in range(5000, 5051)])


def test_every_kind_of_vector(db: lancesql.Connection) -> None:
    for name, type_ in [("half", "FLOAT"), ("double", "DOUBLE"), ("bytes", "UTINYINT"), ("words", "FLOAT")]:
        listed = "[]" if name == "words" else ""
        options = "WITH (float16 = true)" if name == "half" else ""
        literal = f"[[{', '.join(['0'] * 4)}]]" if listed else f"[{', '.join(['0'] * 4)}]"
        db.execute(
            f"CREATE TABLE {name} {options} AS SELECT 0 AS id, 'a' AS text, {literal}::{type_}[4]{listed} AS vector"
        )

        def embed(texts: list[str], name: str = name) -> Any:
            whole = [np.array([len(text), 1, 2, 3], np.float64) for text in texts]
            return [[one.tolist(), one.tolist()] for one in whole] if name == "words" else whole

        db.register_embedding(name, "vector", embed, source="text")
        db.execute(f"INSERT INTO {name} (id, text) VALUES (1, 'four'), (2, NULL)")
        got = db.sql(f"SELECT vector FROM {name} WHERE id > 0 ORDER BY id").to_arrow().column(0)
        assert got.type == db.sql(f"SELECT vector FROM {name} WHERE id = 0").to_arrow().column(0).type
        assert got.to_pylist() == [[[4, 1, 2, 3]] * 2 if listed else [4, 1, 2, 3], None]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda texts: 1 / 0, "failed: ZeroDivisionError"),
        (lambda texts: [[1.0] * 3] * len(texts), "a vector of 3 dimensions"),
        (lambda texts: [[float("nan")] * DIMENSION] * len(texts), "gave NaN"),
        (lambda texts: [], "gave 0 vectors for"),
    ],
)
def test_an_error_writes_nothing(db: lancesql.Connection, function: Any, message: str) -> None:
    bag, calls = Bag(), []

    def embed(texts: list[str]) -> Any:
        calls.append(len(texts))
        return bag(texts) if len(calls) < 3 else function(texts)

    db.register_embedding("docs", "vector", embed, source="text", batch_size=10)
    before = db.sql("SELECT * FROM docs").to_arrow()
    with pytest.raises(lancesql.EmbeddingError, match=message) as caught:
        db.execute("INSERT INTO docs (id, text) SELECT i + 1, 'word' || i FROM range(1000) t(i)")
    assert caught.value.__cause__ is None
    assert db.sql("SELECT * FROM docs").to_arrow() == before
    assert len(calls) == 3
    db.register_embedding("docs", "vector", bag, source="text")
    db.execute("INSERT INTO docs (id, text) VALUES (1, 'salt')")
    assert read(db) == expect([(1, "salt")])


def test_bytes_that_do_not_fit_write_nothing(db: lancesql.Connection) -> None:
    db.execute("CREATE TABLE bits AS SELECT 0 AS id, 'a' AS text, [1, 2]::UTINYINT[2] AS vector")
    db.register_embedding("bits", "vector", lambda texts: [[300, 1]] * len(texts), source="text")
    with pytest.raises(lancesql.ExecutionError, match="column 'vector'"):
        db.execute("INSERT INTO bits (id, text) VALUES (1, 'b')")
    assert db.sql("SELECT count(*) FROM bits").fetchall() == [(1,)]


def test_a_source_that_the_table_does_not_have(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.register_embedding("later", "vector", Bag(2), source="txt")
        db.execute("CREATE TABLE later AS SELECT 1 AS id, 'a' AS text, [1.0, 2.0]::FLOAT[2] AS vector")
        db.execute("INSERT INTO later VALUES (2, 'b', [1.0, 2.0])")  # nothing is to be embedded
        with pytest.raises(lancesql.UnknownColumnError, match="has no column 'txt'") as caught:
            db.execute("INSERT INTO later (id, text) VALUES (3, 'c')")
        assert "did you mean 'text'?" in (caught.value.hint or "")


def test_a_table_of_lancedb(tmp_path: Path) -> None:
    from lancedb.embeddings import get_registry

    function = get_registry().get("test-asking-bag").create()
    table = make_table(tmp_path, "docs", function)
    CALLS.clear()
    with lancesql.connect(tmp_path) as db:
        db.execute("INSERT INTO docs (id, text) SELECT 1000 + i, 'moon ship ' || i FROM range(3) t(i)")
        assert CALLS == [("source", 3)]
        got = db.sql("SELECT text, vector FROM docs WHERE id >= 1000 ORDER BY id").fetchall()
        assert [text for text, _ in got] == ["moon ship 0", "moon ship 1", "moon ship 2"]
        for text, vector in got:
            assert np.allclose(vector, embed_text(text), atol=1e-6)
        table.checkout_latest()
        table.add([{"id": 2000, "text": "salt"}])  # its metadata is still there
        assert table.count_rows() == len(TEXTS) + 4
        with pytest.raises(lancesql.ExecutionError, match="column 'text' cannot be NULL"):
            db.execute("INSERT INTO docs (id, text) VALUES (1, NULL)")


def test_a_function_of_the_table_that_is_missing(tmp_path: Path) -> None:
    from lancedb.embeddings import get_registry

    registry = get_registry()
    make_table(tmp_path, "docs", registry.get("test-bag").create())
    del registry._functions["test-bag"]
    with lancesql.connect(tmp_path) as db:
        with pytest.raises(lancesql.EmbeddingError, match="is not registered with LanceDB"):
            db.execute("INSERT INTO docs (id, text) VALUES (1000, 'a')")
        db.execute(f"INSERT INTO docs VALUES (1000, 'a', {[1.0] * DIMENSION})")
        db.register_embedding("docs", "vector", Bag(), source="text")
        db.execute("INSERT INTO docs (id, text) VALUES (1001, 'moon')")
        assert db.sql("SELECT id FROM vector_search('docs', 'moon', k => 1)").fetchall() == [(1001,)]


def test_rows_that_merge_inserts(db: lancesql.Connection) -> None:
    bag = Bag()
    db.register_embedding("docs", "vector", bag, source="text", batch_size=2)
    rows = pa.table({"id": range(6), "text": ["a", *TEXTS[:4], None]})
    done = db.execute(
        "MERGE INTO docs d USING rows r ON d.id = r.id WHEN MATCHED THEN UPDATE SET text = r.text"
        " WHEN NOT MATCHED THEN INSERT (id, text) VALUES (r.id, r.text)"
    )
    assert done.fetchall() == [(rows.num_rows,)]
    assert read(db) == expect([(1, TEXTS[0]), (2, TEXTS[1]), (3, TEXTS[2]), (4, TEXTS[3]), (5, None)])
    assert sorted(bag.texts) == sorted(TEXTS[:4])
    assert max(map(len, bag.calls)) == 2


def test_explain_says_what_is_embedded(db: lancesql.Connection) -> None:
    bag = Bag()
    db.register_embedding("docs", "vector", bag, source="text")

    def explain(sql: str) -> str:
        return "\n".join(row[0] for row in db.sql(f"EXPLAIN {sql}").fetchall())

    plan = explain("INSERT INTO docs (id, text) VALUES (1, 'a')")
    assert plan.startswith("InsertInto docs\n  vector     embedded from text by Bag\n")
    plan = explain("INSERT INTO docs BY NAME SELECT 1 AS id, 'a' AS text")
    assert "vector     embedded from text by Bag, unless the query gives it" in plan
    assert "embedded" not in explain(f"INSERT INTO docs VALUES (1, 'a', {[1.0] * DIMENSION})")
    stale = "vector     stays as it is, though text changes: set it to embed(…, 'docs.vector', role => 'source')"
    assert stale in explain("UPDATE docs SET text = 'b' WHERE id = 0")
    assert "stays as it is" not in explain("UPDATE docs SET text = 'b', vector = NULL WHERE id = 0")
    assert "stays as it is" not in explain("UPDATE docs SET id = 7 WHERE id = 0")
    merge = "MERGE INTO docs d USING (SELECT 0 AS id, 'b' AS text) r ON d.id = r.id"
    merge += " WHEN MATCHED THEN UPDATE SET text = r.text WHEN NOT MATCHED THEN INSERT (id, text) VALUES (r.id, r.text)"
    assert stale in explain(merge)
    assert "vector     embedded from text by Bag" in explain(merge)
    assert bag.calls == []
    assert read(db) == []


def test_progress_counts_texts(db: lancesql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    db.register_embedding("docs", "vector", Bag(), source="text", batch_size=50)
    db.execute("INSERT INTO docs (id, text) SELECT i + 1, 'word' || i FROM range(200) t(i)")
    assert "writing docs" in terminal.getvalue()
