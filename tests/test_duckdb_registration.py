"""Searches and scans of Lance tables on a plain DuckDB connection: the same answers as from lancesql itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

import lancesql
import lancesql.duckdb
from tests.library import build_library, open_library

NEAR = [1.0, 0.0, 0.0, 0.0]


@pytest.fixture(scope="module")
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as opened:
        yield opened


@pytest.fixture
def own(tmp_path: Path) -> Iterator[lancesql.Connection]:
    """A database that may be written to."""
    build_library(tmp_path)
    with lancesql.connect(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def con(db: lancesql.Connection) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        lancesql.duckdb.register(opened, db)
        yield opened


@pytest.mark.parametrize(
    ("macro", "call"),
    [
        ("movies_search($q, k := 5)", "vector_search('movies', $q, k => 5)"),
        ("movies_search($q)", "vector_search('movies', $q, k => 10)"),
        ("movies_search($q, metric := 'cosine', exact := true)", "vector_search('movies', $q, metric => 'cosine')"),
        (
            "movies_search($q, k := 3, filter := 'year > 1980 AND length(title) > 5')",
            "vector_search('movies', $q, k => 3, filter => 'year > 1980 AND length(title) > 5')",
        ),
        (
            "movies_search($q, k := NULL, upper_bound := 4.5)",
            "vector_search('movies', $q, k => NULL, upper_bound => 4.5)",
        ),
        (
            "movies_search($q, k := 4, group_by := 'rating')",
            "vector_search('movies', $q, k => 4, group_by => 'rating')",
        ),
        ("movies_search($q, k := 4, mmr := 0.5)", "vector_search('movies', $q, k => 4, mmr => 0.5)"),
        ("chapters_search([1, 0], vector_column := 'body_vector')", "vector_search('chapters', 'body_vector', [1, 0])"),
        ("stock AS s", "stock AS s"),
        ("movies_fts('monster OR chief')", "fts('movies', 'monster OR chief', k => 10)"),
        (
            "movies_fts('police chief', k := 2, operator := 'and')",
            "fts('movies', 'police chief', k => 2, operator => 'and')",
        ),
        (
            "movies_fts('monster', columns := ['title', 'plot'], boosts := {'title': 3, 'plot': 1})",
            "fts('movies', 'monster', k => 10, columns => ['title', 'plot'], boosts => {'title': 3, 'plot': 1})",
        ),
        ("movies_fts('it''s', syntax := 'plain')", "fts('movies', 'it''s', syntax => 'plain', k => 10)"),
        ("movies_hybrid($q, 'monster', k := 4)", "hybrid_search('movies', $q, 'monster', k => 4)"),
        (
            "movies_hybrid($q, 'monster', k := 4, fusion := 'linear', weights := [0.3, 0.7], filter := 'id > 1')",
            "hybrid_search('movies', $q, 'monster', k => 4, fusion => 'linear', alpha => 0.3, filter => 'id > 1')",
        ),
        ("reviews WHERE stars > 3 AND body LIKE '%n%'", "reviews WHERE stars > 3 AND body LIKE '%n%'"),
        ("movies WHERE released < DATE '1970-01-01'", "movies WHERE released < DATE '1970-01-01'"),
        (
            "reviews JOIN (SELECT id AS movie_id, title FROM movies_search($q, k := 4)) USING (movie_id)",
            "reviews JOIN (SELECT id AS movie_id, title FROM vector_search('movies', $q, k => 4)) USING (movie_id)",
        ),
    ],
)  # fmt: skip
def test_the_same_rows(con: duckdb.DuckDBPyConnection, db: lancesql.Connection, macro: str, call: str) -> None:
    given = {"q": NEAR} if "$q" in call else None
    answer = con.execute(f"SELECT * FROM {macro} ORDER BY ALL", given)
    expected = db.sql(f"SELECT * FROM {call} ORDER BY ALL", given)
    rows = [tuple(tuple(one) if isinstance(one, list) else one for one in row) for row in answer.fetchall()]
    assert [column[0] for column in answer.description or []] == expected.columns
    assert rows == [tuple(tuple(one) if isinstance(one, list) else one for one in row) for row in expected.fetchall()]


def test_a_search_for_each_row(con: duckdb.DuckDBPyConnection, db: lancesql.Connection) -> None:
    answer = con.sql("""
        SELECT r.id, m.id, m._distance FROM reviews r, movies_search([r.stars, r.id, 0, 0], k := r.stars) m ORDER BY ALL
    """)
    expected = db.sql("""
        SELECT r.id, m.id, m._distance
        FROM reviews r, LATERAL vector_search('movies', [r.stars, r.id, 0, 0], k => r.stars) m ORDER BY ALL
    """)
    assert answer.fetchall() == expected.fetchall()


def test_a_row_without_a_query_finds_nothing(con: duckdb.DuckDBPyConnection) -> None:
    assert (
        con.sql("SELECT DISTINCT a.id FROM movies a, movies_search(a.vector, k := 1) b").to_arrow_table().num_rows == 11
    )
    assert con.sql("FROM movies_fts(NULL)").fetchall() == []


def test_the_newest_version_is_read(own: lancesql.Connection) -> None:
    db, con = own, duckdb.connect()
    lancesql.duckdb.register(con, db)
    db.execute("INSERT INTO movies BY NAME SELECT 99 AS id, 'Near' AS title, [1, 0, 0, 0]::FLOAT[4] AS vector")
    assert con.sql("SELECT count(*) FROM movies").fetchall() == [(13,)]
    assert con.sql("SELECT title FROM movies_search([1, 0, 0, 0], k := 2) ORDER BY id").fetchall()[1] == ("Near",)


def test_an_altered_table_is_registered_again(own: lancesql.Connection) -> None:
    db, con = own, duckdb.connect()
    lancesql.duckdb.register(con, db)
    db.execute("ALTER TABLE movies DROP COLUMN year")
    with pytest.raises(duckdb.Error, match=r"call lancesql\.duckdb\.register\(\) again"):
        con.sql("FROM movies_search([1, 0, 0, 0])").fetchall()
    lancesql.duckdb.register(con, db)
    assert "year" not in con.sql("FROM movies_search([1, 0, 0, 0])").columns
    assert "year" not in con.sql("FROM movies").columns


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("FROM movies_search([1, 2])", "the query vector has 2 dimensions, column 'vector' has 4"),
        ("FROM movies_search([1, 2, 3, 4], filter := 'yaer > 3')", "did you mean 'year'"),
        ("FROM movies_search([1, 2, 3, 4], metric := 'l3')", "l2"),
        ("FROM movies_fts('\"a')", "the quotation mark is not closed"),
    ],
)
def test_a_mistake_is_told(con: duckdb.DuckDBPyConnection, sql: str, message: str) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=message):
        con.sql(sql).fetchall()


def test_texts_are_embedded_by_the_functions_of_the_connection(own: lancesql.Connection) -> None:
    db = own
    db.register_embedding("movies", "vector", lambda texts: [[len(text), 0, 0, 0] for text in texts])
    with duckdb.connect() as con:
        lancesql.duckdb.register(con, db, tables=["movies"])
        assert con.sql("SELECT id FROM movies_search('x', k := 1)").fetchall() == [(1,)]
        found = con.sql("SELECT t, id FROM (VALUES ('x'), ('yy')) AS v(t), movies_search(t, k := 1) ORDER BY t")
        assert found.fetchall() == [("x", 1), ("yy", 6)]


def test_cursors_know_the_macros_of_a_database_in_memory(con: duckdb.DuckDBPyConnection) -> None:
    with con.cursor() as other:
        assert other.sql("SELECT id FROM movies_search([1, 0, 0, 0], k := 1)").fetchall() == [(1,)]


def test_nothing_is_left_in_a_database_file(db: lancesql.Connection, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "own.duckdb")) as con:
        lancesql.duckdb.register(con, db)
        assert con.sql("SELECT id FROM movies_search([1, 0, 0, 0], k := 1)").fetchall() == [(1,)]
    with duckdb.connect(str(tmp_path / "own.duckdb")) as con:
        assert con.sql("SELECT count(*) FROM duckdb_functions() WHERE function_name LIKE 'movies%'").fetchall() == [
            (0,)
        ]
        assert con.sql("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall() == [(0,)]


def test_on_the_duckdb_connection_that_lancesql_uses(library: Path) -> None:
    with duckdb.connect() as con, lancesql.connect(library, duckdb=con) as db:
        lancesql.duckdb.register(con, db, prefix="lance_")
        found = con.sql("SELECT id FROM lance_movies_search([1, 0, 0, 0], k := 2, filter := 'upper(title) > ''B''')")
        assert found.fetchall() == [(6,), (3,)]


@pytest.mark.parametrize("entry", ["TABLE movies (id INTEGER)", "VIEW movies AS SELECT 1 AS id"])
def test_a_table_of_that_name_stays(db: lancesql.Connection, entry: str) -> None:
    with duckdb.connect() as con:
        con.execute(f"CREATE {entry}")
        with pytest.raises(lancesql.ArgumentError, match="DuckDB has a table or a view 'movies' already"):
            lancesql.duckdb.register(con, db)
        assert con.sql("FROM movies").columns == ["id"]
        assert lancesql.duckdb.register(con, db, prefix="lance_", tables=["movies"]).names == [
            "lance_movies", "lance_movies_fts", "lance_movies_hybrid", "lance_movies_search",
        ]  # fmt: skip


def test_a_macro_of_that_name_stays(db: lancesql.Connection) -> None:
    with duckdb.connect() as con:
        con.execute("CREATE MACRO movies_search(q) AS TABLE SELECT 42 AS n")
        with pytest.raises(lancesql.ArgumentError, match="DuckDB has a macro 'movies_search' already"):
            lancesql.duckdb.register(con, db, tables=["movies"])
        assert con.sql("FROM movies_search(1)").fetchall() == [(42,)]
        assert con.sql("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall() == [(0,)]


def test_an_unknown_table(db: lancesql.Connection) -> None:
    with duckdb.connect() as con, pytest.raises(lancesql.UnknownTableError, match="did you mean 'movies'"):
        lancesql.duckdb.register(con, db, tables=["movie"])


def test_closing_takes_everything_away(library: Path) -> None:
    with duckdb.connect() as con:
        with lancesql.duckdb.register(con, library) as registration:
            assert "movies_search" in registration.names
            assert len(con.sql("FROM movies_search([1, 0, 0, 0])").fetchall()) == 10
        left = con.sql("SELECT function_name FROM duckdb_functions() WHERE function_name LIKE '%lancesql%'").fetchall()
        assert left == []
        with pytest.raises(duckdb.CatalogException):
            con.sql("FROM movies_search([1, 0, 0, 0])")


def test_a_later_registration_outlives_an_earlier_one(db: lancesql.Connection) -> None:
    with duckdb.connect() as con:
        earlier = lancesql.duckdb.register(con, db)
        lancesql.duckdb.register(con, db)
        earlier.close()
        assert con.sql("SELECT count(*) FROM movies, movies_search([1, 0, 0, 0], k := 2)").fetchall() == [(24,)]


def test_from_many_threads(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE asked AS SELECT i, [i % 7, i % 5, 0, 0]::FLOAT[] AS v FROM range(130000) AS t(i)")
    question = "SELECT sum(m.id) FROM asked, movies_search(v, k := 1) m WHERE i % 5000 = 0"
    alone = con.execute(question).fetchall()

    def ask(_: int) -> object:
        with con.cursor() as own:
            return own.execute(question).fetchall()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, range(3))) == [alone] * 3


@pytest.mark.filterwarnings("ignore:pandas only supports SQLAlchemy:UserWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_in_pandas_and_ibis(con: duckdb.DuckDBPyConnection) -> None:
    ibis, pd = pytest.importorskip("ibis"), pytest.importorskip("pandas")
    frame = pd.read_sql("SELECT id FROM movies_search([1, 0, 0, 0], k := 2) ORDER BY _distance, id", con)
    assert frame["id"].tolist() == [1, 2]
    backend = ibis.duckdb.from_connection(con)
    hits = backend.raw_sql("SELECT id FROM movies_search([1, 0, 0, 0], k := 2, filter := 'year > 1980') ORDER BY id")
    assert hits.fetchall() == [(2,), (3,)]
    assert backend.table("movies").count().execute() == 12


@pytest.mark.parametrize(
    "call",
    [
        "movies_fts(word, k := 3, operator := 'and')",
        "movies_hybrid([n, 0, 1, 0], word, k := 3, filter := 'year > 1960')",
        "movies_search([n, 0, 1, 0], k := 2, group_by := 'rating', filter := 'length(title) > 4')",
        "movies_search([n, 0, 1, 0], k := 3, mmr := 0.4)",
        "movies_search([n, 0, 1, 0], k := NULL, upper_bound := n + 1)",
    ],
)
def test_many_rows_find_what_each_finds(con: duckdb.DuckDBPyConnection, call: str) -> None:
    words = [(1, "monster"), (2, "police chief"), (3, "clerk OR truck"), (1, "space")]
    given = ", ".join(f"({n}, '{word}')" for n, word in words)
    together = con.sql(f"SELECT n, word, s.* FROM (VALUES {given}) AS v(n, word), {call} AS s ORDER BY ALL").fetchall()
    alone = [
        row
        for n, word in words
        for row in con.sql(f"SELECT n, word, s.* FROM (VALUES ({n}, '{word}')) AS v(n, word), {call} AS s").fetchall()
    ]
    assert sorted(map(str, together)) == sorted(map(str, alone))
    assert together
