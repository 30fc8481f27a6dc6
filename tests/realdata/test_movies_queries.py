from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lancesql

from .cases import CASES, Case
from .oracle import MovieOracle, assert_same_rows


@pytest.fixture(scope="module")
def oracle(movies_folder: Path) -> MovieOracle:
    return MovieOracle(movies_folder)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_statement(
    case: Case,
    movies: lancesql.Connection,
    oracle: MovieOracle,
    movie_queries: dict[int, np.ndarray[Any, np.dtype[np.float32]]],
) -> None:
    query = list(movie_queries.values())[7 * CASES.index(case)]
    searches = {name: f"vector_search('{name}', $q, k => {case.k}, exact => true)" for name in ("movies", "netflix")}
    for name, alias, predicate in (("movies", "m", case.movies), ("netflix", "n", case.netflix)):
        if f"{{{name}}}" in case.sql:
            oracle.search(name, alias, query, case.k, predicate, case.parameters)
    true = oracle.answer(case.sql.format(movies="nearest_movies", netflix="nearest_netflix"), case.parameters)
    searched = "{movies}" in case.sql or "{netflix}" in case.sql
    parameters = {**case.parameters, **({"q": query} if searched else {})}
    ours = movies.sql(case.sql.format(**searches), parameters).fetchall()
    assert_same_rows(ours, true)
    assert true or case.name == "nothing qualifies"


def test_text_search_finds_the_films_that_hold_the_word(movies: lancesql.Connection, oracle: MovieOracle) -> None:
    ours = movies.sql("SELECT id FROM fts('movies', 'text', 'godzilla') m WHERE m.year < 2000 ORDER BY id").fetchall()
    true = oracle.answer(
        "SELECT id FROM movies WHERE year < 2000 "
        r"AND regexp_matches(lower(text), '(^|[^\pL\pN])godzillas?([^\pL\pN]|$)') ORDER BY id",
        {},
    )
    assert ours == true
    assert len(true) > 3


def test_table_holds_what_the_parquet_file_holds(movies: lancesql.Connection, movies_folder: Path) -> None:
    stored = movies.sql("SELECT * FROM movies").to_arrow()
    assert str(stored.schema.field("vector").type) == "fixed_size_list<item: halffloat>[384]"
    assert movies.sql(
        "SELECT count(*) FROM (SELECT * EXCLUDE (vector) FROM movies EXCEPT ALL "
        f"SELECT * EXCLUDE (vector) FROM '{movies_folder / 'corpus'}.parquet')"
    ).fetchall() == [(0,)]
    assert stored.num_rows == 34_514
