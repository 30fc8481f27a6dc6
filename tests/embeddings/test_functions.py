"""Functions that fail, and functions that give what cannot be vectors: our error, with the function's name."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import lancesql
from tests.embeddings.bag import DIMENSION, Bag, embed_text

SEARCH = "SELECT id FROM vector_search('docs', 'moon', k => 3)"
LATERAL = "SELECT d.id FROM (SELECT 'moon' AS t) q, LATERAL vector_search('docs', q.t, k => 3) d"
STATEMENTS = [SEARCH, LATERAL]


def raise_error(texts: list[str]) -> Any:
    raise ValueError(f"no weights for {len(texts)} texts\nand more")


def gives(value: Any) -> Callable[[list[str]], Any]:
    def give(texts: list[str]) -> Any:
        return value(texts) if callable(value) else value

    return give


BAD = {
    "raises": (raise_error, "failed: ValueError: no weights for"),
    "too few": (gives([]), "gave 0 vectors for"),
    "too many": (gives(lambda texts: [embed_text("a")] * 9), "gave 9 vectors for"),
    "one vector": (gives(lambda texts: embed_text("a")), "gave 16 vectors for|0 dimensions of nesting"),
    "short": (gives(lambda texts: [[1.0, 2.0]] * len(texts)), "gave a vector of 2 dimensions, column 'docs.vector'"),
    "nan": (gives(lambda texts: [[float("nan")] * DIMENSION] * len(texts)), "gave NaN or an infinity for 'moon'"),
    "infinity": (gives(lambda texts: [[float("inf")] * DIMENSION] * len(texts)), "gave NaN or an infinity for 'moon'"),
    "none": (gives(lambda texts: [None] * len(texts)), "gave no vector for 'moon'"),
    "nothing": (gives(None), "failed: TypeError"),
    "text": (gives("moon"), "failed: TypeError: it gave str"),
    "words": (gives(lambda texts: [["a"] * DIMENSION] * len(texts)), "gave what is no list of numbers for 'moon'"),
    "ragged": (gives(lambda texts: [[[1.0], [1.0, 2.0]]] * len(texts)), "gave what is no list of numbers for 'moon'"),
    "matrix": (gives(lambda texts: [np.ones((2, DIMENSION))] * len(texts)), "gave 2 dimensions of nesting for 'moon'"),
}  # fmt: skip


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_function(db: lancesql.Connection, kind: str, statement: str) -> None:
    function, message = BAD[kind]
    db.register_embedding("docs", "vector", function)
    with pytest.raises(lancesql.EmbeddingError, match=message) as caught:
        db.sql(statement).fetchall()
    error = caught.value
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    assert "embedding function 'gives.<locals>.give'" not in error.message
    assert ("raise_error" if kind == "raises" else "give") in error.message
    assert error.span is not None
    assert error.sql is not None
    assert error.sql[error.span.start : error.span.end] in ("'moon'", "q.t")
    db.register_embedding("docs", "vector", Bag())
    assert len(db.sql(statement).fetchall()) == 3  # and the connection goes on


@pytest.mark.parametrize(
    "make",
    [
        lambda rows: np.stack(rows),
        lambda rows: [row.tolist() for row in rows],
        lambda rows: tuple(row.astype(np.float16) for row in rows),
        lambda rows: (row for row in rows),
        lambda rows: pa.array([row.tolist() for row in rows], pa.list_(pa.float64())),
        lambda rows: [pa.array(row) for row in rows],
        lambda rows: np.array([*rows, None], dtype=object)[:-1],
    ],
)
def test_what_a_function_may_give(db: lancesql.Connection, make: Callable[[list[np.ndarray]], Any]) -> None:
    db.register_embedding("docs", "vector", lambda texts: make([embed_text(text) for text in texts]))
    wanted = db.sql("SELECT id FROM vector_search('docs', $q, k => 3)", {"q": embed_text("moon")}).fetchall()
    assert db.sql(SEARCH).fetchall() == wanted


def test_a_stopped_function_stops(db: lancesql.Connection) -> None:
    def interrupt(texts: list[str]) -> Any:
        raise KeyboardInterrupt

    db.register_embedding("docs", "vector", interrupt)
    with pytest.raises(KeyboardInterrupt):
        db.sql(SEARCH).fetchall()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM vector_search('docs', ['a', 'b', 'c', 'd', 'e', 'f'], k => 1)",
        "SELECT embed(t) FROM (VALUES ('a'), ('b'), ('c'), ('d'), ('e'), ('f')) r(t)",
        "INSERT INTO docs (id, text) VALUES (0, 'a'), (0, 'b'), (0, 'c'), (0, 'd'), (0, 'e'), (0, 'f')",
    ],
)
def test_a_timeout_is_heard_between_batches(tmp_path: Any, statement: str) -> None:
    calls: list[str] = []

    def embed(texts: list[str]) -> Any:
        calls.extend(texts)
        time.sleep(0.15)
        return [embed_text(text) for text in texts]

    with lancesql.connect(tmp_path) as db:
        db.execute(
            f"CREATE TABLE docs AS SELECT 1 AS id, 'x' AS text, {[1.0] * DIMENSION}::FLOAT[{DIMENSION}] AS vector"
        )
        db.register_embedding("docs", "vector", embed, source="text", batch_size=1)
        with pytest.raises(lancesql.QueryTimeoutError):
            db.sql(statement, timeout=0.2).fetchall()
        assert 0 < len(calls) < 6
        assert db.sql("SELECT count(*) FROM docs").fetchall() == [(1,)]


def test_an_interrupt_is_heard_between_batches(db: lancesql.Connection) -> None:
    calls: list[int] = []

    def embed(texts: list[str]) -> Any:
        calls.append(len(texts))
        db.interrupt()
        return [embed_text(text) for text in texts]

    db.register_embedding("docs", "vector", embed, batch_size=2)
    with pytest.raises(lancesql.QueryInterruptedError):
        db.sql("SELECT id FROM vector_search('docs', ['a', 'b', 'c', 'd', 'e'], k => 3)").fetchall()
    assert calls == [2]


@pytest.mark.parametrize(
    ("arguments", "options", "message", "hint"),
    [
        (("docs", "vectr", len), {}, "has no column 'vectr'", "did you mean 'vector'?"),
        (("docs", "text", len), {}, "'text' of table 'docs' holds VARCHAR, not vectors", None),
        (("docs", "vector", len), {"source": "txt"}, "has no column 'txt'", "did you mean 'text'?"),
        (("docs", "vector", len), {"source": "id"}, "holds BIGINT, not texts", None),
        (("docs", "vector", 7), {}, "int cannot be called", "list[str]"),
        (("docs", "vector", Bag), {}, "Bag is a class", "instance"),
        (("docs", "vector", len), {"query_function": 7}, "int cannot be called", "list[str]"),
        (("docs", "vector", len), {"batch_size": 0}, "from 1 to 65,536, not 0", None),
        (("docs", "vector", len), {"batch_size": True}, "from 1 to 65,536, not True", None),
    ],
)
def test_bad_registrations(
    db: lancesql.Connection, arguments: Any, options: Any, message: str, hint: str | None
) -> None:
    with pytest.raises(lancesql.BindError, match=message) as caught:
        db.register_embedding(*arguments, **options)
    assert hint is None or hint in (caught.value.hint or "")


def test_a_misspelled_table_is_told_when_it_is_missed(db: lancesql.Connection) -> None:
    db.register_embedding("dosc", "vector", Bag())  # a table of that name may be made later
    with pytest.raises(lancesql.ArgumentError, match="no embedding function") as caught:
        db.sql(SEARCH)
    assert "did you mean 'dosc.vector' when you registered it?" in (caught.value.hint or "")
    with pytest.raises(lancesql.ArgumentError, match="is registered for 'docs") as caught:
        db.unregister_embedding("docs", "vector")
    assert "did you mean 'dosc.vector'?" in (caught.value.hint or "")
    db.unregister_embedding("dosc", "VECTOR")


def test_a_table_that_is_made_later(tmp_path: Any) -> None:
    with lancesql.connect(tmp_path) as db:
        db.register_embedding("Later", "vector", Bag())
        db.execute("CREATE TABLE later AS SELECT 1 AS id, [1.0, 2.0]::FLOAT[2] AS vector")
        with pytest.raises(lancesql.EmbeddingError, match="a vector of 16 dimensions, column"):
            db.sql("SELECT id FROM vector_search('later', 'moon')").fetchall()
        db.register_embedding("later", "vector", Bag(2))
        assert db.sql("SELECT id FROM vector_search('later', 'moon')").fetchall() == [(1,)]


def test_a_closed_connection(db: lancesql.Connection) -> None:
    db.close()
    with pytest.raises(lancesql.ConnectionClosedError):
        db.register_embedding("docs", "vector", Bag())
    with pytest.raises(lancesql.ConnectionClosedError):
        db.unregister_embedding("docs", "vector")


def test_lists_of_vectors(tmp_path: Any) -> None:
    """A text is embedded as a vector for each word, as late interaction wants it."""

    def embed(texts: list[str]) -> Any:
        return [np.array([embed_text(word, 4) for word in text.split()], np.float32) for text in texts]

    words = [("stone moon", 1), ("river salt", 2), ("garden crow ship", 3)]
    vectors = pa.array([embed([text])[0].tolist() for text, _ in words], pa.list_(pa.list_(pa.float32(), 4)))
    table = pa.table({"id": [at for _, at in words], "words": vectors})
    with lancesql.connect(tmp_path) as db:
        db.register("rows", table)
        db.execute("CREATE TABLE passages AS SELECT * FROM rows")
        db.register_embedding("passages", "words", embed)
        search = "SELECT id, _distance FROM vector_search('passages', $q, k => 2)"
        assert (
            db.sql(search, {"q": "moon ship"}).fetchall() == db.sql(search, {"q": embed(["moon ship"])[0]}).fetchall()
        )
        batch = db.sql("SELECT query_index, id FROM vector_search('passages', ['stone', 'salt'], k => 1)").fetchall()
        assert batch == [(0, 1), (1, 2)]
