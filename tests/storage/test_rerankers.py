"""Rerankers of the session, and LanceDB's by name: what they are given, and what is made of their answers."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import inspect
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lancedb.rerankers
import pyarrow as pa
import pytest
from lancedb.rerankers import Reranker, RRFReranker

import lancesql
from lancesql.errors import ArgumentError, RerankError
from lancesql.plan.rerankers import RERANKERS
from tests.library import open_library


@pytest.fixture
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as db:
        yield db


class Longest(Reranker):
    """Prefers long texts, and remembers what it was given."""

    def __init__(self, column: str = "text") -> None:
        super().__init__()
        self.column = column
        self.given: list[tuple[str, ...]] = []

    def _rank(self, rows: pa.Table) -> pa.Table:
        scores = pa.array([len(text) for text in rows.column(self.column).to_pylist()], pa.float32())
        return rows.append_column("_relevance_score", scores)

    def rerank_hybrid(self, query: str, vector_results: pa.Table, fts_results: pa.Table) -> pa.Table:
        self.given.append((query, *vector_results.column_names, "|", *fts_results.column_names))
        return self._rank(self.merge_results(vector_results, fts_results))

    def rerank_vector(self, query: str, vector_results: pa.Table) -> pa.Table:
        self.given.append((query, *vector_results.column_names))
        return self._rank(vector_results)

    def rerank_fts(self, query: str, fts_results: pa.Table) -> pa.Table:
        self.given.append((query, *fts_results.column_names))
        return self._rank(fts_results)


LONGEST = "SELECT id FROM movies WHERE {} ORDER BY length(plot) DESC, id LIMIT 3"


def test_a_reranker_of_the_session(db: lancesql.Connection) -> None:
    reranker = Longest()
    db.register_reranker("Longest", reranker)
    by_vector = (
        "SELECT id FROM rerank(vector_search('movies', [1,0,0,0]), longest, query => 'x', column => plot, k => 3)"
    )
    kept = "vector IS NOT NULL"
    assert db.sql(by_vector).fetchall() == db.sql(LONGEST.format(kept)).fetchall()
    assert (
        db.sql(f"{by_vector} WHERE year > 1980").fetchall()
        == db.sql(LONGEST.format(f"{kept} AND year > 1980")).fetchall()
    )
    hybrid = "SELECT id FROM rerank(hybrid_search('movies', [1,0,0,0], 'space'), 'longest', k => 3)"
    assert db.sql(hybrid).fetchall() == db.sql(LONGEST.format(kept)).fetchall()
    text = "SELECT id FROM rerank(fts('movies', 'space'), 'longest', k => 3)"
    assert db.sql(text).fetchall() == db.sql(LONGEST.format("plot LIKE '%space%'")).fetchall()
    fused = (
        "SELECT id FROM rerank(rrf(fts('movies', 'space'), fts('movies', 'police')), 'longest', query => 'y', k => 3)"
    )
    wanted = LONGEST.format("plot LIKE '%space%' OR plot LIKE '%police%'")
    assert db.sql(fused).fetchall() == db.sql(wanted).fetchall()
    assert reranker.given == [
        ("x", "_rowid", "_distance", "text"),
        ("x", "_rowid", "_distance", "text"),
        ("space", "_rowid", "_distance", "text", "|", "_rowid", "_score", "text"),
        ("space", "_rowid", "_score", "text"),
        ("y", "_rowid", "text", "_distance"),
    ]


def test_a_function_is_a_reranker(db: lancesql.Connection) -> None:
    given = []

    def shortest(query: str, rows: pa.Table) -> list[int]:
        given.append((query, rows.column_names))
        return [-len(text) for text in rows.column("plot").to_pylist()]

    db.register_reranker("shortest", shortest)
    sql = "SELECT id, _rank_text FROM rerank(hybrid_search('movies', [1,0,0,0], 'space'), shortest, k => 2)"
    rows = db.sql(sql).fetchall()
    wanted = "SELECT id FROM movies WHERE vector IS NOT NULL ORDER BY length(plot) LIMIT 2"
    assert [row[:1] for row in rows] == db.sql(wanted).fetchall()
    assert given == [
        ("space", ["_rowid", "_relevance_score", "_distance", "_score", "_rank_vector", "_rank_text", "plot"])
    ]


def test_rankings_without_rows(db: lancesql.Connection) -> None:
    asked = []
    db.register_reranker("asked", lambda query, rows: asked.append(query))
    assert db.sql("SELECT * FROM rerank(fts('movies', 'absent'), 'asked')").fetchall() == []
    assert db.sql("SELECT id FROM rerank(fts('movies', 'space'), 'asked') LIMIT 0").fetchall() == []
    assert asked == []
    for name in ("rrf", "mrr", "linear_combination"):
        sql = f"SELECT id FROM rerank(hybrid_search('movies', [1,0,0,0], 'absent'), '{name}', k => 2)"
        assert db.sql(sql).fetchall() == [(1,), (2,)], name


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda q, rows: [1.0], "gave 1 scores for 3 rows"),
        (lambda q, rows: [float("nan")] * rows.num_rows, "gave a row no score"),
        (lambda q, rows: ["a"] * rows.num_rows, "ValueError"),
        (lambda q, rows: 1 / 0, "ZeroDivisionError"),
        (lambda q, rows: rows.select(["_rowid"]), "did not answer with a table"),
        (lambda q, rows: pa.table({"_rowid": [99], "_relevance_score": [1.0]}), "was not given"),
        (lambda q, rows: pa.table({"_rowid": [0, 0], "_relevance_score": [1.0, 2.0]}), "a row twice"),
        (RRFReranker(), "single ranking"),
    ],
)
def test_answers_that_are_none(db: lancesql.Connection, answer: Any, message: str) -> None:
    db.register_reranker("odd", answer)
    with pytest.raises(RerankError, match=message) as caught:
        db.sql("SELECT id FROM rerank(fts('movies', 'space'), 'odd')").fetchall()
    assert "reranker 'odd'" in str(caught.value)
    assert caught.value.span is not None


def test_what_cannot_be_registered(db: lancesql.Connection) -> None:
    for name, reranker in (("rrf", Longest()), ("two words", Longest()), ("x", 3), ("x", Longest)):
        with pytest.raises(ArgumentError):
            db.register_reranker(name, reranker)


@pytest.mark.parametrize("name", [name for name, info in RERANKERS.items() if info.packages])
def test_a_package_that_is_missing(db: lancesql.Connection, name: str) -> None:
    info = RERANKERS[name]
    if all(importlib.util.find_spec(package) is not None for package in info.packages):
        pytest.skip(f"{info.packages} are installed")
    with pytest.raises(RerankError, match="needs a package") as caught:
        db.sql(f"SELECT id FROM rerank(fts('movies', 'space'), '{name}')").fetchall()
    assert caught.value.hint == f"pip install {info.install}"


@pytest.mark.parametrize("name", RERANKERS)
def test_lancedb_has_every_reranker_and_option(name: str) -> None:
    info = RERANKERS[name]
    parameters = inspect.signature(getattr(lancedb.rerankers, info.class_name).__init__).parameters
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    assert takes_any or set(info.options.values()) <= set(parameters)
    assert takes_any or not info.reads_text or "column" in parameters


def test_a_service(db: lancesql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of the service's name stands in for it: the call that LanceDB makes of ours is what counts."""
    calls = []

    class Client:
        def __init__(self, key: str) -> None:
            self.key = key

        def rerank(self, query: str, documents: list[str], top_n: int | None, model: str) -> Any:
            calls.append((self.key, query, model))
            order = sorted(range(len(documents)), key=lambda at: documents[at])
            results = [types.SimpleNamespace(index=at, relevance_score=1 / (2 + n)) for n, at in enumerate(order)]
            return types.SimpleNamespace(results=results)

    module = types.ModuleType("cohere")
    module.__spec__ = importlib.machinery.ModuleSpec("cohere", None)
    module.Client = Client  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cohere", module)
    monkeypatch.delenv("COHERE_API_KEY", raising=False)
    sql = "SELECT id, _relevance_score FROM rerank(fts('movies', 'space'), 'cohere', {}k => 2)"
    with pytest.raises(RerankError, match="needs a key") as caught:
        db.sql(sql.format("")).fetchall()
    assert "COHERE_API_KEY" in str(caught.value.hint)
    rows = db.sql(sql.format("model => 'm', api_key => $key, "), {"key": "k"}).fetchall()
    wanted = db.sql("SELECT id FROM movies WHERE plot LIKE '%space%' ORDER BY plot LIMIT 2").fetchall()
    assert [(row[0],) for row in rows] == wanted
    assert [row[1] for row in rows] == pytest.approx([1 / 2, 1 / 3])
    assert calls == [("k", "space", "m")]
