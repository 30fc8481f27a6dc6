"""A search for a text gives what the search for its vector, computed beforehand, gives."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
import pytest

import lancesql
from tests.embeddings.bag import Bag, embed_text

ASKED = ["stone moon", "the ship", "winter letter crow", "stone moon"]


@pytest.fixture
def bag(db: lancesql.Connection) -> Bag:
    bag = Bag()
    db.register_embedding("docs", "vector", bag)
    return bag


def vector_of(text: str) -> list[float]:
    return embed_text(text).astype(np.float32).tolist()


STATEMENTS = [
    "SELECT id, _distance FROM vector_search('docs', {q}, k => 5)",
    "SELECT id, _distance FROM vector_search('docs', 'vector', {q}, k => 5) WHERE kind = 'b'",
    "SELECT id, _distance FROM vector_search(docs, query => {q}, metric => 'cosine', k => 5) WHERE length(text) > 11",
    "SELECT id FROM vector_search('docs', {q}, k => NULL, upper_bound => 20.0)",
    "SELECT kind, id FROM vector_search('docs', {q}, group_by => kind, k => 2)",
    "SELECT id FROM vector_search('docs', {q}, mmr => 0.4, k => 4)",
    "SELECT id, _distance FROM vector_search((SELECT * FROM docs WHERE id > 20), {q}, k => 3)",
    "SELECT id, _relevance_score, _distance, _score FROM hybrid_search('docs', {q}, 'moon', k => 6)",
    "SELECT count(*), min(_distance) FROM vector_search('docs', {q}, k => 9) s JOIN plain p USING (id)",
    "SELECT id FROM lance_vector_search('docs', 'vector', {q}, k => 4)",
]


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("spelling", ["literal", "parameter", "subquery", "expression"])
def test_a_text_is_its_vector(db: lancesql.Connection, bag: Bag, statement: str, spelling: str) -> None:
    if statement.startswith("SELECT id FROM lance_"):
        folder = db._database.main.uri
        statement = statement.replace("'docs'", f"'{folder}/docs.lance'")
        db.register_embedding(f"{folder}/docs.lance", "vector", bag)
    text = ASKED[0]
    wanted = db.sql(statement.format(q="$q"), {"q": vector_of(text)}).fetchall()
    assert bag.calls == []
    assert len(wanted) > 0
    written = {"literal": f"'{text}'", "parameter": "$q", "subquery": f"(SELECT '{text}' AS t)",
               "expression": "concat('stone', ' moon')"}[spelling]  # fmt: skip
    got = db.sql(statement.format(q=written), {"q": text} if spelling == "parameter" else None).fetchall()
    assert got == wanted
    assert bag.texts == [text]


def test_one_statement_embeds_a_text_once(db: lancesql.Connection, bag: Bag) -> None:
    rows = db.sql(
        "SELECT a.id, b.id FROM vector_search('docs', $q, k => 2) a, vector_search('docs', $q, k => 2) b", {"q": "moon"}
    )
    assert len(rows.fetchall()) == 4
    assert bag.texts == ["moon"]
    assert len(db.sql("SELECT id FROM vector_search('docs', $q, k => 2)", {"q": "moon"}).fetchall()) == 2
    assert bag.texts == ["moon", "moon"]  # nothing is kept beyond the statement


@pytest.mark.parametrize(
    "queries",
    [
        ASKED,
        [ASKED[0], None, ASKED[1]],
        tuple(ASKED),
        np.array(ASKED),
        np.array(ASKED, dtype=object),
        pa.array(ASKED),
        pa.chunked_array([ASKED[:1], [None, *ASKED[1:]]]),
    ],
    ids=lambda queries: type(queries).__name__,
)
def test_a_list_of_texts_is_a_batch(db: lancesql.Connection, bag: Bag, queries: object) -> None:
    given = queries.to_pylist() if isinstance(queries, pa.Array | pa.ChunkedArray) else queries
    listed = [None if one is None else str(one) for one in given]  # type: ignore[attr-defined]
    search = "SELECT query_index, id, _distance FROM vector_search('docs', $q, k => 3) WHERE kind <> 'a'"
    wanted = db.sql(search, {"q": [None if one is None else vector_of(one) for one in listed]}).fetchall()
    assert db.sql(search, {"q": queries}).fetchall() == wanted
    assert bag.calls == [list(dict.fromkeys(one for one in listed if one is not None))]


def test_lists_of_texts_that_are_written_and_that_a_subquery_gives(db: lancesql.Connection, bag: Bag) -> None:
    wanted = db.sql(
        "SELECT query_index, id FROM vector_search('docs', $q, k => 2)", {"q": [vector_of("moon"), vector_of("crow")]}
    ).fetchall()
    assert db.sql("SELECT query_index, id FROM vector_search('docs', ['moon', 'crow'], k => 2)").fetchall() == wanted
    subquery = "(SELECT list(w ORDER BY w DESC) FROM (VALUES ('crow'), ('moon')) t(w))"
    assert db.sql(f"SELECT query_index, id FROM vector_search('docs', {subquery}, k => 2)").fetchall() == wanted
    assert bag.calls == [["moon", "crow"]] * 2


def test_a_search_for_each_row_embeds_its_texts_together(db: lancesql.Connection, bag: Bag) -> None:
    rows = [(f"{word} {'moon' if number % 2 else 'river'}", number % 3) for number in range(600) for word in ["salt"]]
    questions = pa.table({"n": range(600), "text": [text for text, _ in rows]})  # noqa: F841
    got = db.sql("SELECT q.n, d.id FROM questions q, LATERAL vector_search('docs', q.text, k => 2) d ORDER BY ALL")
    vectors = pa.table({"n": range(600), "vector": [vector_of(text) for text, _ in rows]})
    other = db.sql("SELECT q.n, d.id FROM vectors q, LATERAL vector_search('docs', q.vector, k => 2) d ORDER BY ALL")
    assert len(vectors) == 600
    assert got.fetchall() == other.fetchall()
    assert sorted(bag.texts) == ["salt moon", "salt river"]


def test_batches_are_no_larger_than_asked(db: lancesql.Connection) -> None:
    bag = Bag()
    db.register_embedding("docs", "vector", bag, batch_size=64)
    questions = pa.table({"n": range(200), "text": [f"word{number}" for number in range(200)]})
    got = db.sql("SELECT q.n, d.id FROM questions q, LATERAL vector_search('docs', q.text, k => 1) d").fetchall()
    assert len(got) == len(questions) == len(bag.texts)
    assert max(len(call) for call in bag.calls) == 64


@pytest.mark.parametrize("filter_", ["", " WHERE d.kind = q.kind", " WHERE length(d.text) <> length(q.text)"])
@pytest.mark.parametrize("search", ["vector_search('docs', {q}, k => 2)", "hybrid_search('docs', {q}, q.text, k => 2)",
                                    "vector_search('docs', {q}, k => NULL, upper_bound => 15.0)"])  # fmt: skip
def test_a_search_for_each_row(db: lancesql.Connection, bag: Bag, filter_: str, search: str) -> None:
    questions = pa.table(
        {
            "n": range(5),
            "text": [*ASKED, None],
            "kind": ["a", "b", "c", "a", "b"],
            "vector": pa.array([*(vector_of(text) for text in ASKED), None], pa.list_(pa.float32(), 16)),
        }
    )
    assert len(questions) == 5
    statement = "SELECT q.n, d.id FROM questions q LEFT JOIN LATERAL {} d ON true{} ORDER BY ALL"
    got = db.sql(statement.format(search.format(q="q.text"), filter_)).fetchall()
    assert got == db.sql(statement.format(search.format(q="q.vector"), filter_)).fetchall()
    assert sorted(bag.texts) == sorted(set(ASKED))


def test_hybrid_search_embeds_its_text_when_the_vector_is_left_out(db: lancesql.Connection, bag: Bag) -> None:
    wanted = db.sql(
        "SELECT id, _relevance_score, _distance, _score FROM hybrid_search('docs', $v, $t, k => 8) WHERE kind = 'a'",
        {"v": vector_of("stone moon"), "t": "stone moon"},
    ).fetchall()
    for call in ["'docs', 'stone moon'", "'docs', text => 'stone moon'", "'docs', text => $t", "docs, $t",
                 "'docs', vector_column => 'vector', text_columns => 'text', text => $t"]:  # fmt: skip
        got = db.sql(
            f"SELECT id, _relevance_score, _distance, _score FROM hybrid_search({call}, k => 8) WHERE kind = 'a'",
            {"t": "stone moon"} if "$t" in call else None,
        ).fetchall()
        assert got == wanted, call
    got = db.sql(
        "SELECT d.id, _relevance_score, _distance, _score FROM (SELECT 'stone moon' AS t) q,"
        " LATERAL hybrid_search('docs', text => q.t, k => 8) d WHERE d.kind = 'a' ORDER BY _relevance_score DESC, d.id"
    ).fetchall()
    assert sorted(got) == sorted(wanted)


def test_the_same_text_of_a_statement_means_what_is_registered_now(db: lancesql.Connection, bag: Bag) -> None:
    search = "SELECT id FROM vector_search('docs', $q, k => 3)"
    near = db.sql(search, {"q": vector_of("moon")}).fetchall()
    far = db.sql(search, {"q": (-embed_text("moon")).tolist()}).fetchall()
    assert near != far
    assert db.sql(search, {"q": "moon"}).fetchall() == near
    assert db.sql(search, {"q": vector_of("moon")}).fetchall() == near
    db.register_embedding("docs", "vector", Bag(sign=-1.0))
    assert db.sql(search, {"q": "moon"}).fetchall() == far
    literal = "SELECT id FROM vector_search('docs', 'moon', k => 3)"
    assert db.sql(literal).fetchall() == far
    db.register_embedding("docs", "vector", bag)
    assert db.sql(literal).fetchall() == near
    db.unregister_embedding("DOCS", "vector")
    for text in (literal, search):
        with pytest.raises(lancesql.ArgumentError, match="no embedding function"):
            db.sql(text, {"q": "moon"} if "$" in text else None).fetchall()
    assert db.sql(search, {"q": vector_of("moon")}).fetchall() == near


def test_queries_have_a_function_of_their_own(db: lancesql.Connection) -> None:
    source, asked = Bag(sign=-1.0), Bag()
    db.register_embedding("docs", "vector", source, query_function=asked)
    got = db.sql("SELECT id FROM vector_search('docs', 'moon', k => 3)").fetchall()
    assert got == db.sql("SELECT id FROM vector_search('docs', $q, k => 3)", {"q": vector_of("moon")}).fetchall()
    assert (source.calls, asked.calls) == ([], [["moon"]])


def test_two_threads(folder: object) -> None:
    bag = Bag()
    failures: list[BaseException] = []

    def ask(words: list[str]) -> None:
        try:
            with lancesql.connect(folder) as db:
                db.register_embedding("docs", "vector", bag)
                for word in words:
                    search = "SELECT id, _distance FROM vector_search('docs', $q, k => 3)"
                    assert db.sql(search, {"q": word}).fetchall() == db.sql(search, {"q": vector_of(word)}).fetchall()
                    row = f"(SELECT '{word}' w) q"
                    lateral = f"SELECT d.id FROM {row}, LATERAL vector_search('docs', q.w, k => 3) d"
                    found = {row[:1] for row in db.sql(search, {"q": word}).fetchall()}
                    assert set(db.sql(lateral).fetchall()) == found
        except BaseException as failure:  # noqa: BLE001 - shown by the main thread
            failures.append(failure)

    threads = [threading.Thread(target=ask, args=(words,)) for words in (["moon", "salt"] * 4, ["crow", "moon"] * 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(bag.texts) == 48


def test_explain_says_what_embeds(db: lancesql.Connection, bag: Bag) -> None:
    assert "embedding  Bag, registered" in db.explain("SELECT id FROM vector_search('docs', 'moon', k => 3)")
    text = "SELECT id FROM vector_search('docs', $q, k => 3)"
    assert "embedding  Bag, registered" in db.explain(text, {"q": "moon"})
    assert "embedding" not in db.explain(text, {"q": vector_of("moon")})
    assert "embedding  Bag, registered" in db.explain("SELECT id FROM hybrid_search('docs', 'moon', k => 3)")
    lateral = "SELECT * FROM plain p, LATERAL vector_search('docs', p.text, k => 1) d"
    assert "embedding  Bag, registered, where the query is a text" in db.explain(lateral)
    assert bag.calls == []


def test_a_text_in_order_by_is_a_vector_written_as_text(db: lancesql.Connection, bag: Bag) -> None:
    written = str(vector_of("moon"))
    got = db.sql(f"SELECT id FROM docs ORDER BY vector <-> '{written}'::FLOAT[16] LIMIT 3").fetchall()
    assert got == db.sql("SELECT id FROM vector_search('docs', 'moon', k => 3)").fetchall()
    with pytest.raises(lancesql.LanceSQLError):
        db.sql("SELECT id FROM docs ORDER BY vector <-> 'moon' LIMIT 3").fetchall()
    assert bag.texts == ["moon"]
