"""Facets beside plain counting: of every match of a text search, of other searches, tables and subqueries."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql

from .conftest import DIFFERENTIAL, scaled

WORDS = ("quiet", "loud", "river", "storm")
COLUMNS = ("genre", "tags", "year", "day", "flag", "price")
FILTERS = {
    "true": lambda _: True,
    "year > 1991": lambda row: row["year"] is not None and row["year"] > 1991,
    "genre IS NULL OR flag": lambda row: row["genre"] is None or row["flag"],
    "list_contains(tags, 'a')": lambda row: row["tags"] is not None and "a" in row["tags"],
}


def make_rows() -> list[dict[str, Any]]:
    chosen = random.Random(11)
    rows = []
    for number in range(240):
        rows.append(
            {
                "id": number,
                "plot": " ".join(chosen.sample(WORDS, chosen.randint(0, 3))),
                "genre": chosen.choice([None, "war", "war", "drama", "", "Über"]),
                "tags": chosen.choice([None, [], ["a"], ["b", "a"], ["c", "c"], [None, "b"]]),
                "year": chosen.choice([None, 1990, 1991, 1992, 1993]),
                "day": chosen.choice([None, dt.date(2020, 1, 31), dt.date(1969, 7, 20)]),
                "flag": chosen.random() < 0.5,
                "price": chosen.choice([None, 0.5, 12.0, -3.25]),
                "vector": [chosen.random(), chosen.random()],
            }
        )
    return rows


ROWS = make_rows()


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    own = duckdb.connect()
    own.execute(
        "CREATE TABLE rows (id BIGINT, plot VARCHAR, genre VARCHAR, tags VARCHAR[], year INTEGER, day DATE, "
        "flag BOOLEAN, price DOUBLE, vector FLOAT[2])"
    )
    own.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [tuple(row.values()) for row in ROWS])
    with lancesql.connect(tmp_path_factory.mktemp("facets"), duckdb=own) as connection:
        connection.execute("CREATE TABLE films AS SELECT * FROM rows")
        connection.execute("CREATE INDEX ON films USING FTS (plot)")
        yield connection
    own.close()


def show(value: Any) -> str | None:
    """As DuckDB casts to text."""
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def count_facets(rows: list[dict[str, Any]], columns: list[str], top: int | None) -> list[tuple[Any, ...]]:
    """The facets by one loop over the rows."""
    answer: list[tuple[Any, ...]] = []
    for column in columns:
        counts: Counter[str | None] = Counter()
        for row in rows:
            value = row[column]
            counts.update(set(map(show, value)) if isinstance(value, list) else {show(value)})
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0] is None, (item[0] or "").encode()))
        answer += [(column, value, count, count / len(rows)) for value, count in ranked[:top]]
    return answer


@settings(DIFFERENTIAL, max_examples=scaled(60))
@given(
    word=st.sampled_from(WORDS),
    condition=st.sampled_from(sorted(FILTERS)),
    columns=st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=3, unique=True),
    top=st.sampled_from([None, 0, 1, 2, 10]),
)
def test_facets_of_every_match(
    db: lancesql.Connection, word: str, condition: str, columns: list[str], top: int | None
) -> None:
    rows = [row for row in ROWS if word in row["plot"].split() and FILTERS[condition](row)]
    expected = count_facets(rows, columns, top)
    shown = "NULL" if top is None else top
    search = f"fts('films', '{word}')"
    for sql in (
        f"FROM facets((SELECT * FROM {search} WHERE {condition}), columns => {columns}, top => {shown})",
        f"WITH found AS (SELECT * FROM {search} WHERE {condition}) SELECT * FROM facets(found, {columns}, {shown})",
    ):
        assert db.sql(sql).fetchall() == expected, sql


def test_facets_and_the_first_hits_of_one_search(db: lancesql.Connection) -> None:
    sql = (
        "WITH found AS (SELECT id, genre, tags, year, _score FROM fts('films', 'quiet storm') WHERE year > 1990) "
        "SELECT (SELECT list(id ORDER BY _score DESC, id) FROM (FROM found ORDER BY _score DESC, id LIMIT 5)), "
        "(SELECT list((facet, value, count)) FROM facets(found, columns => ['genre', 'tags'])), "
        "(SELECT count(*) FROM found)"
    )
    rows = [row for row in ROWS if {"quiet", "storm"} & set(row["plot"].split()) and (row["year"] or 0) > 1990]
    hits, facets, matches = db.sql(sql).fetchall()[0]
    assert matches == len(rows)
    assert facets == [facet[:3] for facet in count_facets(rows, ["genre", "tags"], 10)]
    first = db.sql("SELECT id FROM fts('films', 'quiet storm') WHERE year > 1990 ORDER BY _score DESC, id LIMIT 5")
    assert hits == [row[0] for row in first.fetchall()]
    plan = db.explain(sql, analyze=True)
    assert plan.count("FullTextSearch") == 1
    assert f"rows       {len(rows)}\n" in plan


def test_facets_of_a_vector_search_are_those_of_its_k_rows(db: lancesql.Connection) -> None:
    near = sorted(ROWS, key=lambda row: sum((a - b) ** 2 for a, b in zip(row["vector"], (0.5, 0.5), strict=True)))
    for call, rows in (
        ("vector_search('films', [0.5, 0.5], k => 25)", near[:25]),
        ("vector_search('films', [0.5, 0.5])", near[:10]),
        (
            "vector_search('films', [0.5, 0.5], k => NULL, upper_bound => 0.0625)",
            [row for row in ROWS if sum((value - 0.5) ** 2 for value in row["vector"]) < 0.0625],
        ),
        ("films", ROWS),
        ("'films'", ROWS),
        ("(SELECT * FROM films WHERE id < 50)", ROWS[:50]),
        ("rows", ROWS),
    ):
        sql = f"SELECT * FROM facets({call}, [genre, tags], top => NULL)"
        assert db.sql(sql).fetchall() == count_facets(rows, ["genre", "tags"], None), call


def test_facets_are_a_table(db: lancesql.Connection) -> None:
    quiet = [row for row in ROWS if "quiet" in row["plot"].split()]
    genres = count_facets(quiet, ["genre"], 10)
    sql = (
        "SELECT value, count FROM facets(fts('films', ?), columns => 'genre', top => ?) WHERE count > ? ORDER BY value"
    )
    found = db.sql(sql, ["quiet", 10, 20]).fetchall()
    assert found == sorted(row[1:3] for row in genres if row[2] > 20 and row[1] is not None)
    named = "SELECT f.v, n FROM facets(fts('films', $q), \"genre\") AS f(c, v, n, s)"
    assert db.sql(named, {"q": "quiet"}).fetchall() == [row[1:3] for row in genres]
    assert db.sql("SELECT * FROM facets((SELECT 1 AS a WHERE false), ['a'])").fetchall() == []
    db.execute("CREATE OR REPLACE VIEW counted AS SELECT * FROM facets(fts('films', 'quiet'), ['genre'])")
    assert db.sql("FROM counted").fetchall() == genres


@pytest.mark.parametrize(
    ("call", "place", "message"),
    [
        ("facets()", "facets", "needs the rows it counts first"),
        ("facets(columns => ['genre'])", "facets", "needs the rows it counts first"),
        ("facets(films)", "facets", "needs the columns it counts by"),
        ("facets(films, colums => ['genre'])", "colums", "did you mean 'columns'"),
        ("facets(films, ['genre'], columns => ['year'])", "columns", "'columns' is given twice"),
        ("facets(films, ['genre'], 3, 4)", "4", "takes no more arguments"),
        ("facets(films, ['genre', 'Genre'])", "'Genre'", "column 'Genre' is named twice"),
        ("facets(films, [])", "[]", "'columns' is a list of column names"),
        ("facets(films, [genre || 'x'])", "[genre || 'x']", "'columns' is a list of column names"),
        ("facets(films, ['genre'], top => -1)", "-1", "a whole number from 0, not -1"),
        ("facets(films, ['genre'], top => 'ten')", "'ten'", "a whole number from 0, not 'ten'"),
        ("facets(films, ['genre']) WHERE year > 1990 AND count > 2", "year", "filter the rows that are counted"),
        ("facets(films, ['genre']) AS f WHERE f.year > 1990", "year", "facets() has no column 'year'"),
        ("facets(films, ['gener'])", "gener", "did you mean 'genre'"),
        ("facets(fts('film', 'quiet'), ['genre'])", "'film'", "did you mean 'films'"),
        ("facets(fts('films', '(quiet'), ['genre'])", "(", "parenthesis is not closed"),
    ],
)
def test_mistakes(db: lancesql.Connection, call: str, place: str, message: str) -> None:
    sql = f"SELECT * FROM {call}"
    with pytest.raises(lancesql.LanceSQLError) as caught:
        db.sql(sql).fetchall()
    assert message in str(caught.value)
    assert caught.value.span is not None
    assert caught.value.sql is not None
    assert caught.value.sql[caught.value.span.start : caught.value.span.end] == place


def test_a_table_stands_in_from(db: lancesql.Connection) -> None:
    with pytest.raises(lancesql.UnsupportedError, match="it stands in FROM"):
        db.sql("SELECT facets(films, ['genre'])")


def test_the_word_is_a_name_elsewhere(db: lancesql.Connection) -> None:
    assert db.sql(
        "SELECT facets, count(*) FROM (SELECT id % 2 AS facets FROM films) GROUP BY facets ORDER BY 1"
    ).fetchall() == [
        (0, 120),
        (1, 120),
    ]
    with pytest.raises(lancesql.LanceSQLError, match="facets"):
        db.sql("SELECT * FROM facet(films, ['genre'])").fetchall()
