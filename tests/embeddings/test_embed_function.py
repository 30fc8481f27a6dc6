"""`embed(text)` in SQL: equal to the vector computed beforehand, wherever an expression may stand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lancesql
from tests.embeddings.bag import DIMENSION, TEXTS, WORDS, Bag, embed_text

NIGHTLY = os.environ.get("LANCESQL_NIGHTLY") == "1"


@pytest.fixture
def bag(db: lancesql.Connection) -> Bag:
    bag = Bag()
    db.register_embedding("docs", "vector", bag)
    return bag


def vector_of(text: str) -> list[float]:
    return embed_text(text).astype(np.float32).tolist()


STATEMENTS = [
    "SELECT {} AS v",
    "SELECT id FROM vector_search('docs', {}, k => 3) WHERE kind <> 'a'",
    "SELECT id FROM vector_search(docs, query => {}, k => 3)",
    "SELECT id FROM vector_search('docs', vector, {}, metric => 'cosine', k => 3)",
    "SELECT id, _relevance_score FROM hybrid_search('docs', {}, 'salt', k => 3)",
    "SELECT id FROM docs ORDER BY vector <-> {} LIMIT 4",
    "SELECT id, array_distance(vector, {}) AS d FROM docs ORDER BY d, id LIMIT 4",
    "SELECT id FROM docs WHERE array_distance(vector, {}) < 4 ORDER BY id",
    "SELECT d.id FROM vector_search('docs', [0.5 FOR _ IN range(16)], k => 3) d WHERE d.vector <-> {} < 6",
    "SELECT q.id, d.id FROM plain q, LATERAL vector_search('docs', {}, k => 2) d WHERE q.id < 3 ORDER BY ALL",
    "SELECT count(*) FROM plain WHERE id < 50 AND {} IS NOT NULL",
    "SELECT kind, sum(array_distance(vector, {})) > 0 FROM docs GROUP BY kind ORDER BY kind",
    "SELECT min_by(id, array_distance(vector, {})) FROM docs",
    "WITH q AS (SELECT {} AS v) SELECT d.id FROM q, LATERAL vector_search('docs', q.v, k => 2) d ORDER BY 1",
    "SELECT (SELECT id FROM vector_search('docs', {}, k => 1)) AS first",
    "SELECT id FROM vector_search('docs', (SELECT {}), k => 2)",
    "SELECT d.id FROM (SELECT 1 AS n UNION ALL SELECT 2) t, docs d WHERE d.id = t.n AND {} IS NOT NULL ORDER BY 1",
    "SELECT id FROM hybrid_search('docs', vector, {}, text, 'salt', k => 3) WHERE kind = 'b'",
    "SELECT id FROM vector_search((SELECT * FROM docs WHERE id > 9), {}, k => 2)",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_it_is_the_vector(db: lancesql.Connection, bag: Bag, statement: str) -> None:
    wanted = db.sql(statement.format(f"$v::FLOAT[{DIMENSION}]"), {"v": vector_of("stone moon")}).fetchall()
    assert bag.calls == []
    for call in [
        "embed('stone moon')",
        "embed($t)",
        "embed('stone ' || 'moon', 'docs.vector')",
        "EMBED ('stone moon','docs')",
    ]:
        bag.calls.clear()
        got = db.sql(statement.format(call), {"t": "stone moon"} if "$t" in call else None).fetchall()
        assert got == wanted, call
        assert bag.texts == ["stone moon"], call


def test_rows_are_embedded_together_and_equal_texts_once(db: lancesql.Connection, bag: Bag) -> None:
    rows = db.sql("SELECT text, embed(text) FROM plain UNION ALL SELECT text, embed(text) FROM plain").fetchall()
    assert len(rows) == 2 * len(TEXTS)
    assert all(list(vector) == vector_of(text) for text, vector in rows)
    assert sorted(bag.texts) == sorted(set(TEXTS))
    assert len(bag.calls) <= 2
    bag.calls.clear()
    words = pa.table({"t": [f"word {number % 700}" for number in range(5000)] + [None]})
    ((count, there),) = db.sql("SELECT count(*), count(embed(t)) FROM words").fetchall()
    assert (count, there) == (len(words), 5000)
    assert len(bag.texts) == 700
    assert max(map(len, bag.calls)) <= 256


def test_the_names_of_columns(db: lancesql.Connection, bag: Bag) -> None:
    result = db.sql("SELECT embed('moon'), embed('moon', 'docs.vector') AS v, len(embed('moon'))")
    assert result.to_arrow().column_names == ["embed('moon')", "v", "len(embed('moon'))"]
    assert result.to_reader().schema.names == ["embed('moon')", "v", "len(embed('moon'))"]
    assert result.to_arrow().schema.field("v").type == pa.list_(pa.float32(), DIMENSION)
    assert bag.texts == ["moon"]


def test_nothing_is_left_in_the_engine(folder: Path) -> None:
    with duckdb.connect() as engine, lancesql.connect(folder, duckdb=engine) as db:
        db.register_embedding("docs", "vector", Bag())
        names = "SELECT function_name FROM duckdb_functions() WHERE function_name LIKE '%lancesql%'"
        db.sql("SELECT embed('moon') FROM range(3)").fetchall()
        assert engine.execute(names).fetchall() == []
        reader = db.sql("SELECT embed(text) FROM plain").to_reader()
        assert reader.read_all().num_rows == len(TEXTS)
        with pytest.raises(lancesql.LanceSQLError):
            db.sql("SELECT embed('moon') + 'x'").fetchall()
        assert engine.execute(names).fetchall() == []
        half = db.sql("SELECT embed(text) FROM plain, range(100)").to_reader()
        half.read_next_batch()
        del reader, half
        db.sql("SELECT embed('moon')").fetchall()
        assert engine.execute(names).fetchall() == []


def test_streams(db: lancesql.Connection, bag: Bag) -> None:
    got = db.sql("SELECT id, embed(text) AS v FROM plain ORDER BY id").to_reader().read_all()
    assert got.column("v").to_pylist() == [vector_of(text) for text in TEXTS]

    def fail(texts: list[str]) -> Any:
        raise ValueError("no weights")

    db.register_embedding("docs", "vector", fail)
    with pytest.raises(lancesql.EmbeddingError, match=r"'fail' of 'docs\.vector' failed: ValueError: no weights"):
        db.sql("SELECT embed(text) FROM plain").fetchall()
    with pytest.raises(Exception, match="no weights"):
        db.sql("SELECT embed(text) FROM plain").to_reader().read_all()


def test_writing(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        asked, source = Bag(), Bag(sign=-1.0)
        db.register_embedding("docs", "vector", source, query_function=asked)
        stored = "embed(t, 'docs.vector', role => 'source')"
        db.execute(
            f"CREATE TABLE docs AS SELECT i AS id, t AS text, {stored} AS vector FROM (VALUES (1, 'moon')) r(i, t)"
        )
        db.execute("INSERT INTO docs SELECT 2, t, embed(t, role => 'source') FROM (VALUES ('salt')) r(t)")
        db.execute("UPDATE docs SET text = 'crow', vector = embed('crow', role := 'SOURCE') WHERE id = 2")
        got = db.sql("SELECT text, vector FROM docs ORDER BY id").fetchall()
        assert [(text, list(vector)) for text, vector in got] == [
            (text, [-one for one in vector_of(text)]) for text in ("moon", "crow")
        ]
        assert (asked.calls, source.texts) == ([], ["moon", "salt", "crow"])
        assert list(db.sql("SELECT embed('moon')").fetchall()[0][0]) == vector_of("moon")
        db.execute("CREATE TEMP TABLE mine AS SELECT id, embed(text) AS v FROM docs")
        assert [list(v) for (v,) in db.sql("SELECT v FROM mine ORDER BY id").fetchall()] == [
            vector_of("moon"), vector_of("crow")
        ]  # fmt: skip


def test_views_keep_the_call(db: lancesql.Connection, bag: Bag) -> None:
    db.execute("CREATE VIEW near AS SELECT id FROM vector_search('docs', embed('moon'), k => 2)")
    db.execute("CREATE VIEW words AS SELECT word, embed(word) AS v FROM (VALUES ('moon'), ('salt')) t(word)")
    wanted = db.sql("SELECT id FROM vector_search('docs', $q, k => 2)", {"q": vector_of("moon")}).fetchall()
    assert db.sql("SELECT * FROM near").fetchall() == wanted
    got = db.sql("SELECT v FROM words WHERE word = 'salt'").fetchall()
    assert [list(v) for (v,) in got] == [vector_of("salt")]
    db.register_embedding("docs", "vector", Bag(sign=-1.0))
    assert db.sql("SELECT * FROM near").fetchall() != wanted


def test_which_function_is_meant(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        for name in ("docs", "pages"):
            db.execute(f"CREATE TABLE {name} AS SELECT 1 AS id, {[1.0] * DIMENSION}::FLOAT[{DIMENSION}] AS vector")
        one, other = Bag(), Bag(sign=-1.0)
        with pytest.raises(lancesql.ArgumentError, match="no embedding function to call"):
            db.sql("SELECT embed('moon')")
        db.register_embedding("docs", "vector", one)
        db.register_embedding("pages", "vector", one)
        assert list(db.sql("SELECT embed('moon')").fetchall()[0][0]) == vector_of(
            "moon"
        )  # one function, whose ever it is
        db.register_embedding("pages", "vector", other)
        with pytest.raises(lancesql.ArgumentError, match="could be any of 2 embedding functions") as caught:
            db.sql("SELECT embed('moon')")
        assert caught.value.hint == "name one: embed(…, 'docs.vector')"
        assert list(db.sql("SELECT embed('moon', 'PAGES.Vector')").fetchall()[0][0]) == [-x for x in vector_of("moon")]
        assert db.sql("SELECT id FROM vector_search('pages', embed('moon'))").fetchall() == [
            (1,)
        ]  # the column searched
        assert (one.texts, other.texts) == (["moon"], ["moon", "moon"])
        db.register_embedding("later", "v", Bag(3))
        assert (
            db.sql("SELECT embed('moon', 'later.v'), embed('moon', 'later')").to_arrow().schema.types
            == [pa.list_(pa.float32())] * 2
        )
        db.unregister_embedding("docs", "vector")
        with pytest.raises(lancesql.ArgumentError, match=r"column 'docs\.vector' has no embedding function"):
            db.sql("SELECT embed('moon', 'docs.vector')")


@pytest.mark.parametrize(
    ("call", "kind", "message", "hint", "place"),
    [
        ("embed()", lancesql.ArgumentError, "not 0 arguments", "embed(text", "embed"),
        ("embed('a', 'docs', 'b')", lancesql.ArgumentError, "not 3 arguments", "embed(text", "embed"),
        ("embed('a', rol => 'query')", lancesql.ArgumentError, "no argument 'rol'", "did you mean 'role'?", "rol"),
        ("embed('a', role => 'both')", lancesql.ArgumentError, "role is 'query'", None, "'both'"),
        ("embed('a', role => 'query', 'docs')", lancesql.ArgumentError, "not 3 arguments", None, "embed"),
        ("embed('a', kind)", lancesql.ArgumentError, "is written in the statement", None, "kind"),
        ("embed('a', 'dox.vector')", lancesql.UnknownTableError, "no table", "mean 'docs.vector'?", "'dox.vector'"),
        ("embed('a', 'docs.vektor')", lancesql.UnknownColumnError, "'vektor'", "'docs.vector'?", "'docs.vektor'"),
        ("embed('a', 'docs.text')", lancesql.ArgumentError, "holds VARCHAR, not vectors", None, "'docs.text'"),
        ("embed('a', 'plain')", lancesql.ArgumentError, "'plain.vector' has no embedding function", None, "'plain'"),
        ("embed(7)", lancesql.ArgumentError, "embed() takes a text, not INTEGER", "VARCHAR", "embed(7)"),
        ("embed(nothing)", lancesql.UnknownColumnError, "nothing", None, "nothing"),
    ],
)  # fmt: skip
def test_mistakes(
    db: lancesql.Connection, bag: Bag, call: str, kind: type[Exception], message: str, hint: str | None, place: str
) -> None:
    with pytest.raises(lancesql.LanceSQLError) as caught:
        db.sql(f"SELECT id, {call} FROM docs WHERE id < 3").fetchall()
    error = caught.value
    assert type(error) is kind
    assert message in error.message
    assert "lancesql" not in str(error)
    assert hint is None or hint in (error.hint or "")
    assert error.sql is not None
    assert error.span is not None
    assert error.sql[error.span.start : error.span.end] == place


def test_a_function_of_the_users_own_comes_first(folder: Path) -> None:
    with duckdb.connect() as engine, lancesql.connect(folder, duckdb=engine) as db:
        bag = Bag()
        db.register_embedding("docs", "vector", bag)
        text = "SELECT embed('moon')"
        assert list(db.sql(text).fetchall()[0][0]) == vector_of("moon")
        engine.execute("CREATE MACRO embed(x) AS 'own ' || x")
        assert db.sql(text).fetchall() == [("own moon",)]
        engine.execute("DROP MACRO embed")
        assert list(db.sql(text).fetchall()[0][0]) == vector_of("moon")
        engine.create_function("embed", lambda text: [float(len(text))] * DIMENSION, [str], f"FLOAT[{DIMENSION}]")
        assert (
            db.sql("SELECT id FROM vector_search('docs', embed('moon'), k => 1)").fetchall()
            == db.sql("SELECT id FROM vector_search('docs', $q, k => 1)", {"q": [4.0] * DIMENSION}).fetchall()
        )
        assert bag.texts == ["moon", "moon"]


def test_words_that_are_not_the_call(db: lancesql.Connection, bag: Bag) -> None:
    assert db.sql("SELECT embed FROM (SELECT 1 AS embed) t").fetchall() == [(1,)]
    assert db.sql("SELECT 'embed(1)' AS text, t.embed AS e FROM (SELECT 2 AS embed) t").fetchall() == [("embed(1)", 2)]
    assert db.sql("WITH embed(a) AS (SELECT 3) SELECT a FROM embed").fetchall() == [(3,)]
    assert db.sql("SELECT * FROM (SELECT 4) AS embed(b)").fetchall() == [(4,)]
    assert db.sql("WITH a AS (SELECT 5), embed(b) AS (SELECT 6) SELECT b FROM embed").fetchall() == [(6,)]
    assert bag.calls == []


def test_a_word_that_is_a_column_too(db: lancesql.Connection, bag: Bag) -> None:
    wanted = db.sql("SELECT id FROM vector_search('docs', $q, k => 3)", {"q": vector_of("text")}).fetchall()
    calls = [
        "'docs', embed('text')",
        "'docs', query => 'text'",
        "'docs', 'vector', 'text'",
        "docs, vector, embed('text')",
    ]
    for search in calls:
        assert db.sql(f"SELECT id FROM vector_search({search}, k => 3)").fetchall() == wanted
    with pytest.raises(lancesql.ArgumentError, match="'text' is a column of table 'docs', and the query is missing"):
        db.sql("SELECT id FROM vector_search('docs', 'text', k => 3)")
    wanted = db.sql("SELECT id FROM hybrid_search('docs', $q, 'moon', k => 3)", {"q": vector_of("text")}).fetchall()
    assert db.sql("SELECT id FROM hybrid_search('docs', embed('text'), 'moon', k => 3)").fetchall() == wanted


def test_explain(db: lancesql.Connection, bag: Bag) -> None:
    plan = db.explain("SELECT id, embed(text) FROM docs WHERE array_distance(vector, embed('moon')) < 1")
    assert plan.startswith("Function embed as a query of docs.vector: Bag, registered\nTableScan docs")
    assert "array_distance(vector, embed('moon')) < 1 → DuckDB" in plan
    assert "__lancesql_embed" not in plan
    assert bag.calls == []
    plan = db.explain("SELECT id FROM vector_search('docs', embed('moon'), k => 2)")
    assert "'moon' on vector" in plan
    assert "embedding  Bag, registered" in plan


def test_predicates_with_values_of_the_row(db: lancesql.Connection, bag: Bag) -> None:
    questions = pa.table({"text": ["moon", "salt crow"], "vector": [vector_of("moon"), vector_of("salt crow")]})
    assert len(questions) == 2
    statement = (
        "SELECT q.text, d.id FROM questions q, LATERAL vector_search('docs', q.vector, k => 2) d"
        " WHERE array_distance(d.vector, {}) > 3 ORDER BY ALL"
    )
    wanted = db.sql(statement.format(f"q.vector::FLOAT[{DIMENSION}]")).fetchall()
    assert db.sql(statement.format("embed(q.text)")).fetchall() == wanted
    assert sorted(bag.texts) == ["moon", "salt crow"]


def test_inside_a_transaction(folder: Path) -> None:
    with duckdb.connect() as engine, lancesql.connect(folder, duckdb=engine) as db:
        db.register_embedding("docs", "vector", Bag())
        engine.execute("BEGIN")
        engine.execute("CREATE TABLE mine AS SELECT 'moon' AS text")
        assert list(db.sql("SELECT embed(text) FROM mine").fetchall()[0][0]) == vector_of("moon")
        lateral = "SELECT d.id FROM mine q, LATERAL vector_search('docs', q.text, k => 2) d"
        assert len(db.sql(lateral).fetchall()) == 2
        with pytest.raises(lancesql.UnsupportedError, match="while a transaction is open"):
            db.sql(f"{lateral} WHERE array_distance(d.vector, embed(q.text)) > 1").fetchall()
        engine.execute("ROLLBACK")
        assert list(db.sql("SELECT embed('moon')").fetchall()[0][0]) == vector_of("moon")
        names = "SELECT function_name FROM duckdb_functions() WHERE function_name LIKE '%lancesql%'"
        assert engine.execute(names).fetchall() == []


TEXT = st.none() | st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join) | st.text(max_size=8)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=400 if NIGHTLY else 20,
    derandomize=not NIGHTLY,
    deadline=None,
    database=None,
)
@given(texts=st.lists(TEXT, max_size=12))
def test_any_texts(db: lancesql.Connection, bag: Bag, texts: list[str | None]) -> None:
    bag.calls.clear()
    rows = pa.table({"n": range(len(texts)), "text": pa.array(texts, pa.string())})
    got = db.sql("SELECT embed(text) FROM rows ORDER BY n").fetchall()
    assert len(rows) == len(got)
    expected = [None if text is None else vector_of(text) for text in texts]
    assert [None if vector is None else list(vector) for (vector,) in got] == expected
    assert sorted(bag.texts) == sorted({text for text in texts if text is not None})
