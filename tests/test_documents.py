"""Documents in a Lance table: filters against a plain evaluator, writing, reading and searching."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql
from lancesql.documents import Condition, DocumentTable, Filter, Group, parse_filter
from tests.differential.conftest import DIFFERENTIAL, scaled

WORDS = ["a", "A", "ab", "é", "", "it's", "1", "true", "100%", "a_b"]
NUMBERS = [-1, 0, 1, 2, 2**60, 2**60 + 1, 1.5, -0.5, 1e30]
ROWS: list[dict[str, Any]] = [
    {"s": "a", "n": 1, "b": True, "l": ["a", "b"], "it's/odd~": "x"},
    {"s": "ab", "n": 1.5, "b": False, "l": []},
    {"s": "A", "n": 2**60, "l": ["A"]},
    {"s": "", "n": 2**60 + 1, "l": ["it's"], "m": "a"},
    {"s": "it's", "n": -1, "m": 1},
    {"s": "100%", "n": 0, "m": "1"},
    {"s": "a_b", "n": 1e30, "m": True},
    {"s": "é", "n": -0.5, "m": None},
    {"m": 2.0},
    {},
]
"""`m` is of any kind, and so cannot be a column."""


def holds(filter: Filter, row: dict[str, Any]) -> bool:
    """What a filter means, said once more and slowly."""
    if isinstance(filter, Group):
        parts = [holds(one, row) for one in filter.parts]
        return not any(parts) if filter.word == "not" else any(parts) if filter.word == "or" else all(parts)
    assert isinstance(filter, Condition)
    found, value = row.get(filter.key), filter.value
    match filter.operator:
        case "eq":
            return same(found, value)
        case "ne":
            return not same(found, value)
        case "in":
            return any(same(found, one) for one in value)
        case "nin":
            return not any(same(found, one) for one in value)
        case "exists":
            return (found is not None) == value
        case "contains":
            return found is not None and value in found
        case "any":
            return found is not None and any(one in found for one in value)
        case "all":
            return all(found is not None and one in found for one in value)
        case "empty":
            return found in (None, "", [])
        case "part":
            return isinstance(found, str) and value in found
        case "ipart":
            return isinstance(found, str) and value.lower() in found.lower()
        case "between":
            return compare(found, value[0]) in (0, 1) and compare(found, value[1]) in (0, -1)
        case word:
            wanted = {"gt": (1,), "gte": (0, 1), "lt": (-1,), "lte": (0, -1)}[word]
            return compare(found, value) in wanted


def kind(value: object) -> str:
    return "bool" if isinstance(value, bool) else "number" if isinstance(value, int | float) else type(value).__name__


def same(found: object, value: object) -> bool:
    return kind(found) == kind(value) and found == value


def compare(found: Any, value: Any) -> int | None:
    if found is None or kind(found) != kind(value):
        return None
    found, value = (one.encode() if isinstance(one, str) else one for one in (found, value))
    return (found > value) - (found < value)


TEXTS, NUMBER = st.sampled_from(WORDS), st.sampled_from(NUMBERS)
VALUES: dict[str, Any] = {"s": TEXTS, "n": NUMBER, "b": st.booleans(), "m": TEXTS | NUMBER | st.booleans()}


def ask(keys: str, operators: list[str], values: Any) -> Any:
    return st.builds(Condition, st.sampled_from(keys), st.sampled_from(operators), values)


CONDITIONS = st.one_of(
    *(ask(key, ["eq", "ne"], value | st.none()) for key, value in VALUES.items()),
    *(ask(key, ["in", "nin"], st.lists(value, max_size=3)) for key, value in VALUES.items()),
    *(ask(key, ["gt", "gte", "lt", "lte"], VALUES[key]) for key in ("s", "n", "m")),
    *(ask(key, ["between"], st.tuples(VALUES[key], VALUES[key])) for key in ("s", "n")),
    ask("snblm", ["exists"], st.booleans()),
    ask("l", ["contains"], TEXTS),
    ask("l", ["any", "all"], st.lists(TEXTS, max_size=2)),
    ask("sl", ["empty"], st.none()),
    ask("s", ["part", "ipart"], TEXTS),
    st.builds(Condition, st.just("it's/odd~"), st.just("eq"), st.just("x") | st.none()),
)
WORD = st.sampled_from(["and", "or", "not"])
FILTERS = st.recursive(
    CONDITIONS,
    lambda inner: st.builds(Group, WORD, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    max_leaves=4,
)


def write_rows(db: lancesql.Connection, name: str, columns: dict[str, str]) -> DocumentTable:
    documents = DocumentTable(db, name, columns=columns)
    ids = [str(at) for at in range(len(ROWS))]
    documents.write([f"text {at}" for at in ids], [[float(at), 1.0] for at in ids], ROWS, ids)
    return documents


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[DocumentTable]]:
    with lancesql.connect(tmp_path_factory.mktemp("documents")) as db:
        yield [
            write_rows(db, "as_json", {}),
            write_rows(db, "as_columns", {"s": "VARCHAR", "b": "BOOLEAN", "l": "VARCHAR[]", "it's/odd~": "VARCHAR"}),
        ]


@settings(DIFFERENTIAL, max_examples=scaled(50))
@given(filter=FILTERS)
def test_filters(stores: list[DocumentTable], filter: Filter) -> None:
    expected = [str(at) for at, row in enumerate(ROWS) if holds(filter, row)]
    for store in stores:
        assert sorted((one.id for one in store.read(filter=filter)), key=int) == expected, store.name
        found = store.search("vector", vector=[0.0, 1.0], k=3, filter=filter, metric="l2")
        assert [one.id for one in found] == expected[:3], store.name  # vectors lie in the order of the ids


def test_metadata_come_back(stores: list[DocumentTable]) -> None:
    for store in stores:
        found = store.read([str(at) for at in reversed(range(len(ROWS)))])
        kept = [{key: value for key, value in row.items() if value is not None or key == "m"} for row in reversed(ROWS)]
        assert [one.metadata for one in found] == kept
        assert found[0].text == "text 9"


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        (None, None),
        ({"a": 1}, Condition("a", "eq", 1)),
        ({"a": {"$gt": 1, "$lt": 3}}, Group("and", (Condition("a", "gt", 1), Condition("a", "lt", 3)))),
        ({"$or": [{"a": 1}, {"b": {"$in": [2]}}]}, Group("or", (Condition("a", "eq", 1), Condition("b", "in", [2])))),
        ({"$not": {"a": 1}}, Group("not", (Condition("a", "eq", 1),))),
        ({"a": {"$not": {"$like": "x%"}}}, Group("not", (Condition("a", "like", "x%"),))),
        ({}, Group("and", ())),
    ],
)
def test_dicts_are_filters(written: Any, parsed: Filter | None) -> None:
    assert parse_filter(written) == parsed


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"a": {"$gtt": 1}}, r"did you mean '\$gt'"),
        ({"$xor": [{"a": 1}]}, r"did you mean '\$or'"),
        (len, "a filter is a dict or a predicate of SQL, not builtin_function"),
        ({"a": {"$in": 3}}, "'in' on 'a' takes a list, not int"),
        ({"a": {"$between": [1]}}, "takes the lowest and the highest value, not 1 values"),
        ({"a": {"$like": 1}}, "'like' on 'a' takes a text, not int"),
        ({"a": {"$gt": date(2020, 1, 1)}}, "compares a date, which JSON has not"),
        ("yaer > 3", "yaer"),
    ],
)
def test_mistakes_in_filters(stores: list[DocumentTable], written: Any, message: str) -> None:
    with pytest.raises(lancesql.LanceSQLError, match=message):
        stores[0].read(filter=written)


def test_sql_is_a_filter(stores: list[DocumentTable]) -> None:
    found = stores[1].search("vector", vector=[9.0, 1.0], k=2, filter="length(s) > 1 AND id <> '6'", metric="l2")
    assert [one.id for one in found] == ["5", "4"]


def test_ways_to_search(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        store = DocumentTable(db, "docs")
        assert store.search("vector", vector=[1.0, 0.0]) == []  # there is no table yet
        assert store.read(["1"]) == []
        store.delete(["1"])
        assert store.write([], []) == []
        store.write(["blue shirt", "red hat", "red shirt"], [[1.0, 0.0], [0.0, 1.0], [0.9, 0.1]], ids=["1", "2", "3"])
        assert [one.id for one in store.search("vector", vector=[1.0, 0.0], k=2)] == ["1", "3"]
        assert {one.id for one in store.search("text", text='red (" OR', k=5)} == {"2", "3"}
        assert {one.id for one in store.search("text", text="shirt", k=5)} == {"1", "3"}
        assert store.search("hybrid", vector=[0.0, 1.0], text="hat", k=1)[0].id == "2"
        assert [one.id for one in store.search("mmr", vector=[1.0, 0.0], k=2, mmr=0.1)] == ["1", "2"]
        assert store.search("vector", vector=[1.0, 0.0], k=1)[0].score == pytest.approx(0.0, abs=1e-6)
        assert store.search("vector", vector=[1.0, 0.0], k=0) == []
        with pytest.raises(lancesql.ArgumentError, match="did you mean 'hybrid'"):
            store.search("hybird", vector=[1.0, 0.0])
        store.delete(filter={"nothing": "here"})
        store.delete(["1", "4"])
        assert [one.id for one in store.read()] == ["2", "3"]
        store.delete()
        assert store.read() == []


def test_writing_again_replaces(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        store = DocumentTable(db, "docs")
        (made,) = store.write(["a"], [[1.0]])
        assert store.write(["b", "c", "d"], [[2.0], [3.0], [4.0]], [{"x": 1}, {}, {"y": 2}], [made, "z", "z"]) == [
            made,
            "z",
            "z",
        ]
        assert [(one.text, one.metadata) for one in store.read([made, "z", "missing"])] == [
            ("b", {"x": 1}),
            ("d", {"y": 2}),
        ]
        assert len(db.sql("SHOW VERSIONS ON docs").fetchall()) == 3
        with pytest.raises(lancesql.ArgumentError, match="there are 2 texts and 1 ids"):
            store.write(["a", "b"], [[1.0], [1.0]], ids=["1"])
        with pytest.raises(lancesql.ArgumentError, match="the metadata cannot be written as JSON"):
            store.write(["a"], [[1.0]], [{"day": date(2020, 1, 1)}])
        with pytest.raises(lancesql.ArgumentError, match="the metadata cannot be written as JSON"):
            store.write(["a"], [[1.0]], [{"n": math.nan}])
        with pytest.raises(lancesql.LanceSQLError, match="does not fit"):
            store.write(["a"], [[1.0, 2.0]])


def test_a_table_that_was_there(library: Path, tmp_path: Path) -> None:
    with lancesql.connect(library) as films, lancesql.connect(tmp_path) as db:
        movies = films.sql("SELECT id, title, year, genres, released, plot, vector FROM movies").to_arrow()
        assert movies.num_rows == 12
        db.execute("CREATE TABLE movies AS SELECT * FROM movies")
        store = DocumentTable(db, "movies", text="plot")
        found = store.search("vector", vector=[1.0, 0.0, 0.0, 0.0], k=2, filter={"year": {"$lt": 1980}}, metric="l2")
        assert [one.metadata["title"] for one in found] == ["Alien", "Eraserhead"]
        assert found[0].id == "1"
        assert [one.id for one in store.read(["x", "02", "1"])] == ["2", "1"]
        assert found[0].metadata["released"] == date(1979, 5, 25)
        assert found[0].metadata.keys() == {"title", "year", "genres", "released"}
        assert store.read(["1"], {"genres": {"$contains": "horror"}})[0].text.startswith("a monster")
        store.write(["more"], [[0.0] * 4], [{"title": "More", "year": 1969}], ["99"])
        assert store.read(["99"])[0].metadata == {"title": "More", "year": 1969}
        with pytest.raises(lancesql.ArgumentError, match="did you mean 'title'"):
            store.write(["x"], [[0.0] * 4], [{"titel": "X"}], ["100"])
        with pytest.raises(lancesql.ArgumentError, match="whose ids are whole numbers"):
            store.write(["x"], [[0.0] * 4], ids=["x"])
        with pytest.raises(lancesql.UnknownColumnError, match="did you mean 'year'"):
            store.read(filter={"yer": 1})
        with pytest.raises(lancesql.UnknownColumnError, match="has no column 'txt' for the text"):
            DocumentTable(db, "movies", text="txt").read()


def test_the_metric_is_that_of_the_index(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        rows = "SELECT i::VARCHAR AS id, 'x' AS text, [i, 1]::FLOAT[2] AS vector FROM range(600) AS t(i)"
        db.execute(f"CREATE TABLE docs AS {rows}")
        assert DocumentTable(db, "docs").metric == "cosine"
        db.execute("CREATE INDEX ON docs (vector) USING IVF_FLAT WITH (metric = 'l2', num_partitions = 1)")
        assert DocumentTable(db, "docs").metric == "l2"
        assert DocumentTable(db, "docs", metric="dot").metric == "dot"


@pytest.mark.parametrize(("module", "extra"), [("langchain", "langchain"), ("llama_index", "llama-index")])
def test_a_framework_that_is_missing_is_named(module: str, extra: str) -> None:
    import importlib
    import importlib.util

    if importlib.util.find_spec({"langchain": "langchain_core"}.get(module, module)) is not None:
        pytest.skip("it is installed")
    store = importlib.import_module(f"lancesql.{module}").LanceVectorStore
    with pytest.raises(lancesql.ExecutionError, match=rf"pip install 'lancesql\[{extra}\]'"):
        store("films", "docs")


def test_an_awaited_search_is_the_same(stores: list[DocumentTable]) -> None:
    store = stores[1]
    given: dict[str, Any] = {"vector": [3.0, 1.0], "k": 3, "filter": {"s": {"$exists": True}}, "metric": "l2"}
    assert asyncio.run(store.search_async("vector", **given)) == store.search("vector", **given)
    assert asyncio.run(store.search_async("vector", **{**given, "k": 0})) == []
