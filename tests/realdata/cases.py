"""Twenty statements over movies: `{movies}` and `{netflix}` stand for a search of that table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """A statement and what its searches look for.

    Attributes:
        sql: The statement.
        k: How many rows a search gives.
        movies: The predicate over `m` that is the filter of the search of movies.
        netflix: The predicate over `n` that is the filter of the search of netflix.
        parameters: Values besides the query vector.
    """

    name: str
    sql: str
    k: int = 20
    movies: str = "true"
    netflix: str = "true"
    parameters: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("plain", "SELECT id, title, _distance FROM {movies} m ORDER BY _distance, id"),
    Case(
        "join with box office",
        "SELECT m.title, b.worldwide_gross, m._distance FROM {movies} m JOIN box_office b ON b.movie_id = m.id "
        "ORDER BY m._distance, b.id",
        k=300,
    ),
    Case(
        "left join keeps films without figures",
        "SELECT m.id, b.distributor FROM {movies} m LEFT JOIN box_office b ON b.movie_id = m.id "
        "WHERE m.year >= $year ORDER BY m._distance, m.id, b.id",
        movies="m.year >= $year",
        parameters={"year": 1990},
    ),
    Case(
        "cast of the nearest",
        "SELECT m.title, c.person FROM {movies} m JOIN movie_cast c ON c.movie_id = m.id AND c.billing <= 2 "
        "ORDER BY m._distance, m.id, c.billing",
    ),
    Case(
        "genres counted",
        "SELECT g.genre, count(*) AS n, avg(m._distance) AS d FROM {movies} m JOIN movie_genre g ON g.movie_id = m.id "
        "GROUP BY g.genre HAVING count(*) > 1 ORDER BY n DESC, g.genre",
        k=100,
    ),
    Case(
        "a filter by join: only films in a genre",
        "SELECT m.id, m._distance FROM {movies} m "
        "WHERE m.id IN (SELECT movie_id FROM movie_genre WHERE genre = 'Horror') ORDER BY m._distance, m.id",
        movies="m.id IN (SELECT movie_id FROM movie_genre WHERE genre = 'Horror')",
    ),
    Case(
        "a filter DuckDB evaluates",
        "SELECT m.title, m._distance FROM {movies} m WHERE lower(m.title) LIKE '%the %' AND length(m.text) > 500 "
        "ORDER BY m._distance, m.id",
        movies="lower(m.title) LIKE '%the %' AND length(m.text) > 500",
    ),
    Case(
        "a list filter",
        "SELECT m.title, m.genres FROM {movies} m "
        "WHERE list_contains(m.genres, 'Comedy') AND m.year BETWEEN 1980 AND 1989 ORDER BY m._distance, m.id",
        movies="list_contains(m.genres, 'Comedy') AND m.year BETWEEN 1980 AND 1989",
    ),
    Case(
        "a predicate on the distance sees the k rows",
        "SELECT m.id FROM {movies} m WHERE m._distance < 1.5 AND m.year > 1970 ORDER BY m._distance, m.id",
        movies="m.year > 1970",
        k=40,
    ),
    Case(
        "a filter outside a CTE sees the k rows",
        "WITH near AS (SELECT * FROM {movies} m) SELECT id, year FROM near WHERE year < 2000 ORDER BY _distance, id",
        k=60,
    ),
    Case(
        "a window per decade",
        "SELECT m.id, m.year, row_number() OVER (PARTITION BY m.year // 10 ORDER BY m._distance, m.id) AS place "
        "FROM {movies} m QUALIFY place <= 2 ORDER BY m.year // 10, place",
        k=80,
    ),
    Case(
        "gross by director",
        "SELECT b.director, sum(b.worldwide_gross) AS gross, max(b.release_date) AS last FROM {movies} m "
        "JOIN box_office b ON b.movie_id = m.id WHERE b.director IS NOT NULL GROUP BY ALL "
        "ORDER BY gross DESC, b.director",
        k=400,
    ),
    Case(
        "films on netflix, a Lance table scanned",
        "SELECT m.id, n.show_id, n.rating, n.date_added FROM {movies} m JOIN netflix n ON n.movie_id = m.id "
        "WHERE n.type = 'Movie' ORDER BY m._distance, m.id, n.show_id",
        k=300,
    ),
    Case(
        "two searches joined",
        "SELECT m.id, n.show_id, m._distance, n._distance FROM {movies} m JOIN {netflix} n ON n.movie_id = m.id "
        "ORDER BY m._distance, m.id, n.show_id",
        k=500,
    ),
    Case(
        "a union of two searches",
        "SELECT 'film' AS kind, m.title, m._distance AS d FROM {movies} m UNION ALL "
        "SELECT 'show', n.title, n._distance FROM {netflix} n WHERE n.type = 'TV Show' ORDER BY d, title",
        netflix="n.type = 'TV Show'",
        k=10,
    ),
    Case(
        "the last of a series by NOT EXISTS",
        "SELECT m.id, m.title FROM {movies} m WHERE NOT EXISTS (SELECT 1 FROM netflix n WHERE n.movie_id = m.id) "
        "ORDER BY m._distance, m.id LIMIT 15",
        movies="NOT EXISTS (SELECT 1 FROM netflix n WHERE n.movie_id = m.id)",
        k=30,
    ),
    Case(
        "a scan and an aggregate",
        "SELECT m.year // 10 * 10 AS decade, count(*) AS n, avg(m.n_cast) AS people, max(length(m.title)) AS longest "
        "FROM movies m WHERE m.n_cast > 0 GROUP BY 1 ORDER BY 1",
    ),
    Case(
        "a scan joined twice",
        "SELECT g.genre, count(DISTINCT c.person) AS people, sum(b.us_gross) AS gross FROM movies m "
        "JOIN movie_genre g ON g.movie_id = m.id JOIN movie_cast c ON c.movie_id = m.id AND c.billing = 1 "
        "LEFT JOIN box_office b ON b.movie_id = m.id WHERE m.year = 1999 GROUP BY 1 ORDER BY people DESC, g.genre",
    ),
    Case(
        "five tables",
        "SELECT m.title, n.rating, b.us_gross, string_agg(DISTINCT g.genre, ',' ORDER BY g.genre) AS genres, "
        "count(DISTINCT c.person) AS people FROM {movies} m JOIN movie_cast c ON c.movie_id = m.id "
        "JOIN movie_genre g ON g.movie_id = m.id LEFT JOIN box_office b ON b.movie_id = m.id "
        "LEFT JOIN netflix n ON n.movie_id = m.id GROUP BY m.id, m.title, n.rating, b.us_gross, m._distance "
        "ORDER BY m._distance, m.id, n.rating, b.us_gross",
        k=50,
    ),
    Case(
        "nothing qualifies",
        "SELECT m.id, m._distance FROM {movies} m WHERE m.year > 3000",
        movies="m.year > 3000",
    ),
)
