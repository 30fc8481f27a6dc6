"""Ranges, groups, unlike rows, examples and l1 over real vectors, against numpy over the whole table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import lancesql

from .conftest import find_folder, read_vectors

Films = dict[str, Any]


@pytest.fixture(scope="module")
def films(movies: lancesql.Connection) -> Films:
    table = movies.sql("SELECT id, year, vector FROM movies ORDER BY _rowid").to_arrow()
    return {
        "id": table.column("id").to_pylist(),
        "year": table.column("year").to_pylist(),
        "vector": read_vectors(table).astype(np.float64),
    }


@pytest.fixture(scope="module")
def queries(movie_queries: dict[int, np.ndarray[Any, np.dtype[np.float32]]]) -> list[np.ndarray[Any, Any]]:
    return list(movie_queries.values())[5:1000:250]


def _rank(films: Films, query: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    distances = ((films["vector"] - query.astype(np.float64)) ** 2).sum(axis=1)
    return np.argsort(distances, kind="stable"), distances


def test_every_film_in_range(movies: lancesql.Connection, films: Films, queries: list[np.ndarray[Any, Any]]) -> None:
    lengths = np.sqrt((films["vector"] ** 2).sum(axis=1))
    for query in queries:
        wide = query.astype(np.float64)
        cosines = 1 - films["vector"] @ wide / lengths / np.sqrt(wide @ wide)
        sql = (
            "SELECT id, _distance FROM vector_search('movies', $q, metric => 'cosine', k => NULL, "
            "lower_bound => 0.5, upper_bound => 0.8)"
        )
        got = dict(movies.sql(sql, {"q": query}).fetchall())
        near = {one for one, far in zip(films["id"], cosines, strict=True) if 0.5 + 1e-4 <= far < 0.8 - 1e-4}
        maybe = {one for one, far in zip(films["id"], cosines, strict=True) if 0.5 - 1e-4 <= far < 0.8 + 1e-4}
        assert near <= set(got) <= maybe
        assert all(0.5 <= distance < 0.8 for distance in got.values())
        assert len(near) > 50


def test_films_of_the_nearest_years(
    movies: lancesql.Connection, films: Films, queries: list[np.ndarray[Any, Any]]
) -> None:
    found = wanted = 0
    for query in queries:
        order, distances = _rank(films, query)
        years: dict[Any, list[int]] = {}
        for place in order:
            years.setdefault(films["year"][place], []).append(place)
        true = {films["id"][place] for places in list(years.values())[:5] for place in places[:3]}
        call = "vector_search('movies', $q, group_by => year, group_size => 3, k => 5{})"
        exact = movies.sql(f"SELECT id, _distance FROM {call.format(', exact => true')}", {"q": query}).fetchall()
        by_id = dict(zip(films["id"], distances, strict=True))
        assert [far for _, far in exact] == pytest.approx(sorted(by_id[one] for one in true), abs=2e-3)
        indexed = movies.sql(f"SELECT id FROM {call.format('')}", {"q": query}).fetchall()
        assert len(indexed) == 15
        found += len(true & {one[0] for one in indexed})
        wanted += len(true)
    assert found / wanted >= 0.9


def test_unlike_films_lie_further_apart(
    movies: lancesql.Connection, films: Films, queries: list[np.ndarray[Any, Any]]
) -> None:
    places = {one: place for place, one in enumerate(films["id"])}

    def spread(ids: list[int]) -> float:
        vectors = films["vector"][[places[one] for one in ids]]
        return float(np.mean([((one - other) ** 2).sum() for one in vectors for other in vectors]))

    for query in queries:
        sql = "SELECT id FROM vector_search('movies', $q, k => 10, mmr => {}, exact => true)"
        plain, mixed, diverse = (
            [one[0] for one in movies.sql(sql.format(weight), {"q": query}).fetchall()] for weight in (1, 0.5, 0.1)
        )
        assert plain[0] == mixed[0] == diverse[0]
        assert spread(plain) < spread(mixed) < spread(diverse)


def test_films_like_a_film(movies: lancesql.Connection, films: Films) -> None:
    for place in (0, 1234, 30_000):
        one = films["id"][place]
        sql = "SELECT id FROM vector_search('movies', {}, k => {}, exact => true)"
        by_vector = movies.sql(sql.format(f"(SELECT vector FROM movies WHERE id = {one})", 6)).fetchall()
        by_id = movies.sql(sql.format(f"like_id => {one}", 5)).fetchall()
        assert by_id == [row for row in by_vector if row[0] != one][:5]


def test_sift_by_l1(data_dir: Path, tmp_path: Path) -> None:
    folder = find_folder(data_dir, "sift5k")
    base = pq.read_table(folder / "base.parquet")
    questions = pq.read_table(folder / "query.parquet")
    name = next(field.name for field in base.schema if field.name != "id")
    vectors, asked = read_vectors(base, name), read_vectors(questions, name)[:5]
    ids = base.column("id").to_pylist()
    with lancesql.connect(tmp_path) as db:
        db.execute(f"CREATE TABLE sift AS SELECT * FROM '{folder / 'base'}.parquet'")
        db.execute(f"CREATE TABLE bytes AS SELECT id, {name}::UTINYINT[128] AS v FROM '{folder / 'base'}.parquet'")
        for query in asked:
            distances = np.abs(vectors - query).sum(axis=1)  # whole numbers: exact
            wanted = [(ids[place], float(distances[place])) for place in np.argsort(distances, kind="stable")[:20]]
            for table in ("sift", "bytes"):
                sql = f"SELECT id, _distance FROM vector_search('{table}', $q, metric => 'l1', k => 20)"
                got = db.sql(sql, {"q": query}).fetchall()
                assert [far for _, far in got] == [far for _, far in wanted]
                assert {one for one, far in got if far < wanted[-1][1]} == {
                    one for one, far in wanted if far < wanted[-1][1]
                }
