"""What the arguments of a text search say, in every way a value can be given; and end users' texts, none an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import lance
import pyarrow as pa
import pytest

import lancesql

TITLES = ["Deep sea", "Blue lake", "Deep sky", "The sea", "incident report", "Deep blue sea", None, ""]
TEXTS = [
    "fish in the sea",
    "a lake of fish",
    "stars",
    "sea of stars",
    "reports",
    "a whale",
    "deep",
    "the end of a fish",
]
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    root = tmp_path_factory.mktemp("arguments")
    numbers = range(len(TITLES))
    vectors = pa.array([[float(n), 1.0] for n in numbers], pa.list_(pa.float32(), 2))
    table = pa.table({"id": numbers, "title": TITLES, "text": TEXTS, "year": numbers, "vector": vectors})
    indexed = lance.write_dataset(table, root / "films.lance")
    for column in ("title", "text"):
        indexed.create_scalar_index(column, "INVERTED", with_position=True)
    lance.write_dataset(table, root / "plain.lance")
    with lancesql.connect(root) as connection:
        yield connection


def find(db: lancesql.Connection, arguments: str, parameters: Any = None) -> Rows:
    return db.sql(f"SELECT id, round(_score, 4) FROM fts('films', {arguments})", parameters).fetchall()


BOTH = "['title', 'text']"
SAME = {
    f"{BOTH}, 'deep sea', operator => 'and'": f"{BOTH}, 'deep AND sea'",
    f"{BOTH}, 'deep sea', operator => AND": f"{BOTH}, '+deep +sea'",
    f"{BOTH}, 'incidnt reprt', fuzziness => 1": f"{BOTH}, 'incidnt~1 reprt~1'",
    f"{BOTH}, 'incidnt sea~0', fuzziness => auto": f"{BOTH}, 'incidnt~ sea'",
    "title, '\"deep sea\"', slop => 1": "title, '\"deep sea\"~1'",
    "title, '\"deep sea\"~0', slop => 1": "title, '\"deep sea\"'",
    f"{BOTH}, 'deep sea', boosts => {{'title': 3}}": f"{BOTH}, 'title:deep^3 title:sea^3 text:deep text:sea'",
    f"{BOTH}, 'deep -sky', boosts => [1, 2.5]": f"{BOTH}, '(title:deep text:deep^2.5) -sky'",
    f"{BOTH}, 'title:sea^2', boosts => {{title: 2}}": "title, 'sea^4'",
    "'title, text', 'sea'": f"{BOTH}, 'sea'",
    "'sea', columns => 'TITLE,text'": f"{BOTH}, 'sea'",
    "'title:sea text:stars'": f"{BOTH}, 'title:sea text:stars'",
    "'title:(deep -sea)'": "title, 'deep -sea'",
    "'sea', boosts => {'text': 2}": "text, 'sea^2'",
    "'sea', boosts => {'title': 1, 'text': 1}": f"{BOTH}, 'sea'",
    f"{BOTH}, 'deep sea', syntax => plain, operator => 'and'": f"{BOTH}, 'deep AND sea'",
}


@pytest.mark.parametrize("arguments", SAME)
def test_an_argument_says_what_the_query_may_say(db: lancesql.Connection, arguments: str) -> None:
    wanted = find(db, SAME[arguments])
    assert wanted
    assert find(db, arguments) == wanted


GIVEN: dict[str, Any] = {
    "operator": "and",
    "syntax": "query",
    "fuzziness": 1,
    "slop": 1,
    "boosts": {"title": 3, "TEXT": 0.5},
}
QUERY = 'depp "deep sea" -sky'


def test_arguments_may_be_parameters_and_columns_of_a_row(db: lancesql.Connection) -> None:
    wanted = find(db, f"{BOTH}, '{QUERY}', operator => 'and', fuzziness => 1, slop => 1, boosts => [3, 0.5]")
    assert [row[0] for row in wanted] == [0, 5]
    named = ", ".join(f"{name} => ${name}" for name in GIVEN)
    assert find(db, f"{BOTH}, $query, {named}", {"query": QUERY, **GIVEN}) == wanted
    asked = ", ".join(f"{name} => ?" for name in GIVEN)
    assert find(db, f"{BOTH}, ?, {asked}", [QUERY, *GIVEN.values()]) == wanted
    for boosts in ([3, 0.5], (3, 0.5), {"title": 3, "text": 0.5}):
        assert find(db, f"{BOTH}, $query, {named}", {"query": QUERY, **GIVEN, "boosts": boosts}) == wanted
    for boosts in ("MAP {'title': 3.0, 'text': 0.5}", "{'title': 1 + 2, 'text': 1 / 2}", "(SELECT [3, 0.5])"):
        again = f"{BOTH}, '{QUERY}', operator => 'and', fuzziness => 0 + 1, slop => (SELECT 1), boosts => {boosts}"
        assert find(db, again) == wanted
    rows = db.sql(
        "SELECT f.id, round(f._score, 4) FROM (SELECT 1 AS one, 3.0 AS three) q, LATERAL fts('films', "
        f"columns => {BOTH}, query => '{QUERY}', operator => 'and', fuzziness => q.one, slop => q.one, "
        "boosts => {'title': q.three, 'text': 0.5}) f ORDER BY f._score DESC"
    )
    assert rows.fetchall() == wanted


def test_a_null_is_as_if_nothing_were_given(db: lancesql.Connection) -> None:
    named = ", ".join(f"{name} => ${name}" for name in GIVEN)
    nothing = find(db, f"{BOTH}, 'deep \"blue sea\"', {named}", dict.fromkeys(GIVEN))
    assert nothing == find(db, f"{BOTH}, 'deep \"blue sea\"'")
    some = find(db, f"{BOTH}, 'deep', boosts => $b", {"b": {"title": None, "text": 2}})
    assert some == find(db, f"{BOTH}, 'deep', boosts => [1, 2]")


def test_values_that_are_wrong_only_in_a_run(db: lancesql.Connection) -> None:
    for name, value in (
        ("operator", "nor"),
        ("syntax", 7),
        ("fuzziness", "much"),
        ("fuzziness", True),
        ("slop", 0.5),
        ("boosts", {"titel": 2}),
        ("boosts", {"title": "high"}),
        ("boosts", [1]),
        ("boosts", 3),
        ("boosts", {"title": float("nan")}),
    ):
        with pytest.raises(lancesql.ArgumentError) as caught:
            find(db, f"{BOTH}, 'deep', {name} => $v", {"v": value})
        error = caught.value
        assert error.span is not None
        assert error.sql is not None
        assert error.sql[error.span.start : error.span.end] == "$v"


def test_both_legs_of_a_hybrid_search_stay_apart(db: lancesql.Connection) -> None:
    search = "SELECT id, round(_score, 4) FROM hybrid_search('films', 'vector', [0, 1], {}, {}, k => 3) ORDER BY id"
    given = db.sql(
        search.format(BOTH, "'depp sea', operator => 'and', fuzziness => 1, boosts => {'title': 2}")
    ).fetchall()
    said = db.sql(search.format(BOTH, "'(title:depp~1^2 text:depp~1) AND (title:sea~1^2 text:sea~1)'")).fetchall()
    assert given == said
    assert any(score is not None for _, score in given)


def test_a_structured_query_is_a_text_a_dict_or_a_struct(db: lancesql.Connection) -> None:
    query = {
        "boolean": {
            "must": [{"match": {"column": "title", "terms": "deep"}}],
            "must_not": [{"match": {"terms": "sky"}}],
        }
    }
    wanted = find(db, f"{BOTH}, 'title:deep -sky'")
    assert [row[0] for row in wanted] == [0, 5]
    assert find(db, f"{BOTH}, $q, syntax => 'json'", {"q": json.dumps(query)}) == wanted
    assert find(db, f"{BOTH}, $q, syntax => 'json'", {"q": query}) == wanted
    struct = (
        "{'boolean': {'must': [{'match': {'column': 'title', 'terms': 'deep'}}], "
        "'must_not': [{'match': {'terms': 'sky'}}]}}"
    )
    assert find(db, f"{BOTH}, {struct}, syntax => 'json'") == wanted
    assert find(db, "$q, syntax => 'json'", {"q": {"match": {"column": "text", "terms": "fish"}}}) == find(
        db, "text, 'fish'"
    )


def test_columns_that_a_query_names_need_no_other_name(db: lancesql.Connection) -> None:
    for query in ("title:sea", "title:sea text:fish", 'title:"deep sea" -text:fish', "title:(a b*) OR text:c~1"):
        given = find(db, "$q", {"q": query})
        assert given == find(db, f"{BOTH}, $q", {"q": query})
    for query in ("sea", "title:sea fish", "title:sea -fish"):
        with pytest.raises(lancesql.ArgumentError, match="several text columns: title, text"):
            find(db, "$q", {"q": query})


def test_explain_says_how_the_query_is_read(db: lancesql.Connection) -> None:
    plan = db.explain(
        f"SELECT id FROM fts('films', {BOTH}, 'sea', operator => AND, fuzziness => 'auto', slop => $n, "
        "boosts => {'title': 3})",
        {"n": 2},
    )
    assert "(query syntax, operator and, fuzziness auto, slop $n, boosts [3.0, 1.0])" in plan


HOSTILE = [
    "", " ", "\0", "deep\0sea", "\ud800", "deep \udfff sea", "\u202e\u200b\ufeff", "😀 deep", "!!! ??? ...",
    "^~*:+-()[]{}\"'\\", '{"match": {"terms": "sea"}}', '{"match":', "[1, 2]", '"', '""', '"deep', "deep\"", "((((",
    "a AND", "NOT", "-", "*", "~5", "'; DROP TABLE films; --", "%s {0} $1 ? :x", "\r\n\t", "\\", "a" * 10_000,
    "deep " * 2_000, "(" * 10_000, '"' * 9_999,
]  # fmt: skip


@pytest.mark.parametrize("table", ["films", "plain"])
@pytest.mark.parametrize("arguments", ["", ", operator => 'and'", ", fuzziness => 'auto'", ", boosts => [2, 1]"])
def test_no_plain_text_is_an_error(db: lancesql.Connection, table: str, arguments: str) -> None:
    sql = f"SELECT id FROM fts('{table}', {BOTH}, $text, syntax => 'plain'{arguments})"
    found = {text: {row[0] for row in db.sql(sql, {"text": text}).fetchall()} for text in HOSTILE}
    assert found["\0"] == found["!!! ??? ..."] == found[""] == set()
    assert {0, 2, 5} <= found["deep " * 2_000]
    assert db.sql(f"SELECT count(*) FROM {table}").fetchone() == (len(TITLES),)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_read_as_a_query_is_answered_or_refused(db: lancesql.Connection, text: str) -> None:
    for syntax in ("query", "json"):
        error = None
        try:
            find(db, f"{BOTH}, $q, syntax => $s", {"q": text, "s": syntax})
        except lancesql.ArgumentError as caught:
            error = caught
        assert error is None or (error.hint and str(error))
