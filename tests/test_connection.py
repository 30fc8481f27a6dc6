"""The connection: parameters, objects, the user's own DuckDB, transactions, threads, versions, and its end."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import lance
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import lancesql
from lancesql import (
    AmbiguousNameError,
    ArgumentError,
    ConnectionClosedError,
    EngineError,
    LanceSQLError,
    ParameterError,
    StorageError,
    UnknownTableError,
)
from tests.library import open_library

NEAREST = "SELECT id FROM vector_search('movies', $q, k => 3)"


@pytest.fixture
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as db:
        yield db


@pytest.fixture
def own(library: Path, tmp_path: Path) -> Path:
    """A copy of the database that a test may write to."""
    folder = tmp_path / "films"
    shutil.copytree(library, folder)
    return folder


def ids(result: lancesql.Result) -> list[object]:
    return [row[0] for row in result.fetchall()]


# --- parameters

QUERY = [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "vector",
    [
        QUERY,
        tuple(QUERY),
        [1, 0, 0, 0],
        np.array(QUERY, np.float16),
        np.array(QUERY, np.float32),
        np.array(QUERY, np.float64),
        np.array(QUERY, np.int64),
        np.array([QUERY, QUERY], np.float32)[0],
        np.asfortranarray(np.array([QUERY] * 2, np.float32).T)[:, 0],
        pa.array(QUERY),
        pa.array(QUERY, pa.float16()),
        pa.chunked_array([QUERY[:2], QUERY[2:]]),
        pa.scalar(QUERY, pa.list_(pa.float32())),
        pa.scalar(QUERY, pa.list_(pa.float32(), 4)),
        pl.Series(QUERY),
        pl.Series(QUERY, dtype=pl.Float32),
        pd.Series(QUERY),
        pd.Series(QUERY, index=[9, 8, 7, 6]),
    ],
    ids=lambda value: f"{type(value).__module__.split('.')[0]}-{type(value).__name__}",
)
def test_a_vector_is_given_as_any_kind_of_numbers(db: lancesql.Connection, vector: object) -> None:
    assert ids(db.sql(NEAREST, {"q": vector})) == [1, 2, 6]
    assert ids(db.sql("SELECT id FROM vector_search('movies', ?, k => 3) WHERE year > ?", [vector, 1980])) == [2, 3, 8]


@pytest.mark.parametrize("number", [1980, np.int32(1980), np.int64(1980), np.float64(1980)])
def test_a_number_is_given_as_any_kind_of_number(db: lancesql.Connection, number: object) -> None:
    assert ids(
        db.sql("SELECT id FROM vector_search('movies', $q, k => 2) WHERE year > $y", {"q": QUERY, "y": number})
    ) == [2, 3]


def test_a_parameter_used_twice(db: lancesql.Connection) -> None:
    search = "vector_search('movies', $q, k => 3)"
    sql = f"SELECT a.id FROM {search} a JOIN {search} b USING (id) WHERE a.id < 3 ORDER BY 1"
    assert ids(db.sql(sql, {"q": QUERY})) == [1, 2]


def test_a_parameter_in_the_search_and_in_the_relation(db: lancesql.Connection) -> None:
    sql = "SELECT id, $n + 1 FROM vector_search('movies', $q, k => $n) ORDER BY id LIMIT $n"
    assert db.sql(sql, {"q": QUERY, "n": 2}).fetchall() == [(1, 3), (2, 3)]


def test_each_call_binds_its_own_values(db: lancesql.Connection) -> None:
    first = db.sql(NEAREST, {"q": QUERY})
    second = db.sql(NEAREST, {"q": [0, 0, 0, 1]})
    assert ids(second)[0] == 4
    assert ids(first) == [1, 2, 6]


def test_text_that_looks_like_sql_stays_a_value(db: lancesql.Connection) -> None:
    nasty = "Alien' OR '1'='1"
    assert (
        ids(db.sql("SELECT id FROM vector_search('movies', $q, k => 3) WHERE title = $t", {"q": QUERY, "t": nasty}))
        == []
    )
    assert db.sql("SELECT $t AS t FROM movies LIMIT 1", {"t": nasty}).fetchone() == (nasty,)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_vector_that_is_not_finite(db: lancesql.Connection, value: float) -> None:
    with pytest.raises(ArgumentError, match="NaN, an infinity"):
        db.execute(NEAREST, {"q": [value, 0, 0, 0]})


@pytest.mark.parametrize("given", [{}, None, {"p": QUERY}, {"q": QUERY, "z": 1}])
def test_missing_and_unused_parameters(db: lancesql.Connection, given: object) -> None:
    with pytest.raises(ParameterError, match=r"\$[qz]"):
        db.execute(NEAREST, given)


def test_null_parameters(db: lancesql.Connection) -> None:
    assert (
        ids(db.sql("SELECT id FROM vector_search('movies', $q, k => 3) WHERE year = $y", {"q": QUERY, "y": None})) == []
    )
    with pytest.raises(ArgumentError, match="the query vector is NULL"):
        db.execute(NEAREST, {"q": None})


# --- objects of the caller

FRAME = {"movie_id": [1, 2, 8], "price": [10.0, 20.0, 30.0]}
JOIN = (
    "SELECT m.id, p.price FROM vector_search('movies', [1,0,0,0], k => 3) m "
    "JOIN prices p ON p.movie_id = m.id ORDER BY 1"
)


@pytest.mark.parametrize(
    "make",
    [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table, lambda data: pa.table(data).to_batches()[0]],
    ids=["pandas", "polars", "polars-lazy", "arrow", "arrow-batch"],
)
def test_registered_objects(db: lancesql.Connection, make: object) -> None:
    db.register("prices", make(FRAME))  # type: ignore[operator]
    assert db.sql(JOIN).fetchall() == [(1, 10.0), (2, 20.0)]
    assert db.sql("SELECT sum(price) FROM prices").fetchall() == [(60.0,)]
    assert db.sql("SELECT sum(price) FROM prices").fetchall() == [(60.0,)]


@pytest.mark.parametrize(
    "make", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table], ids=["pandas", "polars", "lazy", "arrow"]
)
def test_variables_of_the_caller(db: lancesql.Connection, make: object) -> None:
    prices = make(FRAME)  # type: ignore[operator]
    assert db.sql(JOIN).fetchall() == [(1, 10.0), (2, 20.0)]
    assert db.execute("SELECT count(*) FROM prices").fetchall() == [(3,)]
    assert "prices" in db.explain(JOIN)
    del prices


GLOBAL_PRICES = pa.table(FRAME)


def test_variables_of_the_module(db: lancesql.Connection) -> None:
    assert db.sql(JOIN.replace("prices", "GLOBAL_PRICES")).fetchall() == [(1, 10.0), (2, 20.0)]


def test_a_variable_in_a_filter(db: lancesql.Connection) -> None:
    wanted = pl.DataFrame({"id": [3, 4]})
    sql = "SELECT id FROM vector_search('movies', $q, k => 1) m WHERE m.id IN (SELECT id FROM wanted)"
    assert ids(db.sql(sql, {"q": QUERY})) == [3]
    wanted = pl.DataFrame({"id": [4]})
    assert ids(db.sql(sql, {"q": QUERY})) == [4]
    assert len(wanted) == 1


def test_a_lance_table_wins_over_a_variable(db: lancesql.Connection) -> None:
    movies = pa.table({"id": [99]})
    assert db.sql("SELECT count(*) FROM movies").fetchall() == [(12,)]
    assert movies.num_rows == 1


def test_variables_called_like_ours_do_not_get_in_the_way(db: lancesql.Connection) -> None:
    connection = sql = params = pa.table({"id": [1]})
    assert db.sql("SELECT count(*) FROM vector_search('movies', $q, k => 3)", {"q": QUERY}).fetchall() == [(3,)]
    assert connection is sql is params


def test_a_registered_name_of_a_lance_table_is_refused(db: lancesql.Connection) -> None:
    with pytest.raises(ArgumentError, match="'movies' is a Lance table"):
        db.register("movies", pa.table({"id": [1]}))


def test_what_is_unregistered_is_unknown(db: lancesql.Connection) -> None:
    db.register("given", pa.table({"a": [1]}))
    assert db.sql("SELECT a FROM given").fetchall() == [(1,)]
    db.unregister("given")
    db.unregister("given")
    with pytest.raises(lancesql.UnknownTableError):
        db.sql("SELECT a FROM given")


def test_registering_again_replaces(db: lancesql.Connection) -> None:
    db.register("prices", pa.table(FRAME))
    db.register("prices", pa.table({"movie_id": [1], "price": [0.5]}))
    assert db.sql(JOIN).fetchall() == [(1, 0.5)]


def test_an_object_without_rows_is_refused(db: lancesql.Connection) -> None:
    with pytest.raises(ArgumentError):
        db.register("prices", object())


@pytest.mark.parametrize("sql", [None, 5, b"SELECT 1"])
def test_what_is_no_text_is_no_statement(db: lancesql.Connection, sql: object) -> None:
    with pytest.raises(ArgumentError, match="a statement is a text, not "):
        db.sql(sql)


@pytest.mark.parametrize("sql", ["SELECT ?", NEAREST])
@pytest.mark.parametrize("given", [5, "x", {1}])
def test_what_is_neither_a_dict_nor_a_list_is_no_parameters(db: lancesql.Connection, sql: str, given: object) -> None:
    with pytest.raises(ParameterError, match="parameters are a dict or a list, not "):
        db.sql(sql, given)


def test_a_parameter_of_no_type(db: lancesql.Connection) -> None:
    with pytest.raises(ParameterError, match="a parameter is a object, for which DuckDB has no type"):
        db.sql("SELECT id FROM movies WHERE id = $a", {"a": object()}).fetchall()


@pytest.mark.parametrize("name", [5, "", None])
def test_what_is_no_name_is_refused(db: lancesql.Connection, name: object) -> None:
    for register in (
        lambda: db.register(name, pa.table(FRAME)),
        lambda: db.register_reranker(name, len),
        lambda: db.register_embedding("movies", name, len),
    ):
        with pytest.raises(ArgumentError, match="is a name, not"):
            register()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": 5}, "a database is a path, a URI or a connection of lancedb, not int"),
        ({"target": "films", "storage_options": {"region": 1}}, "storage_options is a dict of texts"),
        ({"duckdb": 5}, "int is no DuckDB connection"),
    ],
)
def test_what_cannot_be_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, object], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match=message):
        lancesql.connect(**arguments)
    assert list(tmp_path.iterdir()) == []


# --- the user's own DuckDB


def read_catalog(connection: duckdb.DuckDBPyConnection) -> list[object]:
    found: list[object] = []
    for kind, name in (
        ("tables", "table_name"),
        ("views", "view_name"),
        ("functions", "function_name"),
        ("settings", "value"),
    ):
        found.append(
            sorted(str(row[0]) for row in connection.execute(f"SELECT {name} FROM duckdb_{kind}()").fetchall())
        )
    return found


@pytest.fixture
def mine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TEMP TABLE gross AS SELECT * FROM (VALUES (1, 104), (2, 131)) t(movie_id, worth)")
        connection.execute("CREATE VIEW best AS SELECT movie_id FROM gross WHERE worth > 120")
        connection.execute(
            "ATTACH ':memory:' AS other; CREATE TABLE other.seen (id INTEGER); INSERT INTO other.seen VALUES (6)"
        )
        yield connection


def test_what_the_users_connection_holds_is_seen(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    with lancesql.connect(library, duckdb=mine) as db:
        sql = f"SELECT m.id, g.worth FROM ({NEAREST}) m LEFT JOIN gross g ON g.movie_id = m.id ORDER BY 1"
        assert db.sql(sql, {"q": QUERY}).fetchall() == [(1, 104), (2, 131), (6, None)]
        assert ids(db.sql(f"{NEAREST} WHERE id IN (FROM best)", {"q": QUERY})) == [2]
        assert ids(db.sql(f"{NEAREST} m WHERE m.id IN (SELECT id FROM other.seen)", {"q": QUERY})) == [6]
    assert mine.execute("SELECT count(*) FROM gross").fetchone() == (2,)


def test_nothing_of_ours_is_in_the_users_catalog(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    before = read_catalog(mine)
    with lancesql.connect(library, duckdb=mine) as db:
        db.register("prices", pd.DataFrame(FRAME))
        db.sql(JOIN).fetchall()
        db.sql("SELECT count(*) FROM movies m WHERE upper(m.title) > 'B'").fetchall()
        db.sql(f"{NEAREST} WHERE upper(title) > 'B'", {"q": QUERY}).fetchall()
        db.sql(
            "SELECT id FROM hybrid_search('movies', $q, 'space') WHERE len(title) > 1 LIMIT 2", {"q": QUERY}
        ).to_reader().read_all()
        assert read_catalog(mine) == before
    assert read_catalog(mine) == before


def test_the_users_settings_hold(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    mine.execute("SET TimeZone = 'Asia/Tokyo'; SET default_null_order = 'nulls_first'")
    with lancesql.connect(library, duckdb=mine) as db:
        assert db.sql("SELECT current_setting('TimeZone') FROM movies LIMIT 1").fetchone() == ("Asia/Tokyo",)
        assert ids(db.sql("SELECT id FROM movies ORDER BY year LIMIT 1")) == [10]
        assert ids(
            db.sql("SELECT id FROM vector_search('movies', $q, k => 12) ORDER BY year LIMIT 1", {"q": QUERY})
        ) == [10]


def test_default_order_of_the_user(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    mine.execute("SET default_order = 'desc'")
    with lancesql.connect(library, duckdb=mine) as db:
        rows = db.sql(
            "SELECT _distance FROM vector_search('movies', $q, k => 3) ORDER BY _distance", {"q": QUERY}
        ).fetchall()
        assert rows == [(1.0,), (1.0,), (0.0,)]


def test_the_users_transaction_holds(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    with lancesql.connect(library, duckdb=mine) as db:
        mine.execute("BEGIN")
        mine.execute("INSERT INTO gross VALUES (6, 7)")
        assert ids(
            db.sql(f"{NEAREST} m WHERE m.id IN (SELECT movie_id FROM gross WHERE worth < 10)", {"q": QUERY})
        ) == [6]
        db.execute("INSERT INTO gross SELECT id, 1 FROM movies")
        mine.execute("ROLLBACK")
        assert db.sql("SELECT count(*) FROM gross").fetchall() == [(2,)]


def test_a_statement_that_fails_in_a_transaction(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    with lancesql.connect(library, duckdb=mine) as db:
        mine.execute("BEGIN")
        with pytest.raises(LanceSQLError):
            db.execute("SELECT title::INTEGER FROM movies")
        mine.execute("ROLLBACK")
        assert db.sql("SELECT count(*) FROM movies").fetchall() == [(12,)]


def test_a_table_made_behind_our_back_is_seen(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    with lancesql.connect(library, duckdb=mine) as db:
        assert db.sql("SELECT count(*) FROM movies").fetchall() == [(12,)]
        mine.execute("CREATE TABLE movies (id INTEGER)")
        with pytest.raises(AmbiguousNameError, match="both a Lance table and a DuckDB table"):
            db.execute("SELECT count(*) FROM movies")
        mine.execute("DROP TABLE movies")
        assert db.sql("SELECT count(*) FROM movies").fetchall() == [(12,)]


def test_functions_of_the_user_filter_before_the_search(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    mine.create_function("is_old", lambda year: year < 1975, ["INTEGER"], "BOOLEAN")
    with lancesql.connect(library, duckdb=mine) as db:
        assert ids(db.sql(f"{NEAREST} WHERE is_old(year)", {"q": QUERY})) == [4, 5]
        assert "as row ids" in db.explain(f"{NEAREST} WHERE is_old(year)", {"q": QUERY})


def test_volatile_functions_of_the_user_see_the_k_rows(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    seen: list[int] = []

    def note(number: int) -> bool:
        seen.append(number)
        return True

    mine.create_function("note", note, ["INTEGER"], "BOOLEAN", side_effects=True)
    with lancesql.connect(library, duckdb=mine) as db:
        assert ids(db.sql(f"{NEAREST} WHERE note(id)", {"q": QUERY})) == [1, 2, 6]
    assert sorted(seen) == [1, 2, 6]


def test_an_error_in_a_function_of_the_user(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    def fail(number: int) -> bool:
        raise ValueError("no such number")

    mine.create_function("fail", fail, ["INTEGER"], "BOOLEAN")
    with lancesql.connect(library, duckdb=mine) as db, pytest.raises(EngineError, match="no such number") as caught:
        db.execute(f"{NEAREST} WHERE fail(id)", {"q": QUERY})
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_closing_leaves_the_users_connection_open(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    lancesql.connect(library, duckdb=mine).close()
    assert mine.execute("SELECT 1").fetchone() == (1,)


def test_a_users_connection_that_is_closed(library: Path) -> None:
    connection = duckdb.connect()
    with lancesql.connect(library, duckdb=connection) as db:
        connection.close()
        with pytest.raises(LanceSQLError, match=r"(?i)closed"):
            db.execute("SELECT m.id FROM movies m, range(2)")


# --- streams


def test_an_open_stream_and_the_next_statement(db: lancesql.Connection) -> None:
    reader = db.sql("SELECT m.id, r.range FROM movies m, range(300000) r").to_reader()
    first = reader.read_next_batch()
    rest = sum(batch.num_rows for batch in reader)
    assert first.num_rows + rest == 3_600_000
    reader = db.sql("SELECT m.id, r.range FROM movies m, range(300000) r").to_reader()
    reader.read_next_batch()
    assert db.sql("SELECT count(*) FROM box_office").fetchall() == [(6,)]
    with pytest.raises(EngineError, match="a later statement of the connection ended this stream"):
        reader.read_next_batch()
    with pytest.raises(EngineError, match="a later statement of the connection ended this stream"):
        reader.read_all()
    assert db.sql("SELECT count(*) FROM box_office").fetchall() == [(6,)]


def test_a_search_leaves_an_open_stream_alone(db: lancesql.Connection) -> None:
    reader = db.sql("SELECT m.id, r.range FROM movies m, range(300000) r").to_reader()
    first = reader.read_next_batch()
    assert db.sql(f"{NEAREST} LIMIT 1", {"q": QUERY}).fetchall() == [(1,)]
    assert first.num_rows + sum(batch.num_rows for batch in reader) == 3_600_000


def test_a_result_the_user_still_reads_is_not_taken_away(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    with lancesql.connect(library, duckdb=mine) as db:
        reader = pa.RecordBatchReader.from_stream(mine.sql("SELECT range AS n FROM range(3000000)"))
        read = reader.read_next_batch().num_rows
        if duckdb.__version__.startswith("1."):  # which gives the reader a connection of its own
            assert db.execute("SELECT count(*) FROM movies m, range(2)").fetchall() == [(24,)]
        else:
            with pytest.raises(EngineError, match="still being read"):
                db.execute("SELECT count(*) FROM movies m, range(2)")
        assert read + reader.read_all().num_rows == 3_000_000


def test_a_stream_that_is_closed_early(db: lancesql.Connection) -> None:
    reader = db.sql("SELECT m.id FROM movies m, range(300000) r").to_reader()
    reader.read_next_batch()
    reader.close()
    del reader
    assert db.sql("SELECT count(*) FROM box_office").fetchall() == [(6,)]


LATE = (
    "SELECT CASE WHEN r.range = 290000 AND m.id = 12 THEN error('late') ELSE 1 END AS x FROM movies m, range(300000) r"
)


def test_an_error_in_the_middle_of_a_stream_is_in_the_engines_words(db: lancesql.Connection) -> None:
    with pytest.raises((LanceSQLError, OSError), match="late") as caught:
        db.sql(LATE).to_reader().read_all()
    assert "Traceback" not in str(caught.value)
    assert "__lancesql" not in str(caught.value)
    with pytest.raises(EngineError, match="late"):
        db.execute(LATE)


# --- order


@pytest.mark.parametrize(
    "where", ["m.id IN (SELECT id FROM movies)", "EXISTS (SELECT 1 FROM movies n WHERE n.id = m.id)"]
)
def test_a_subquery_in_the_filter_keeps_the_order_of_the_search(db: lancesql.Connection, where: str) -> None:
    rows = db.sql(
        f"SELECT m.id + 0 AS id, _distance FROM vector_search('movies', $q, k => 100) m WHERE {where}", {"q": QUERY}
    ).fetchall()
    assert len(rows) > 3
    assert rows == sorted(rows, key=lambda row: row[1])


def test_rows_without_a_partner_stay_out_when_the_filter_has_a_subquery(db: lancesql.Connection) -> None:
    statement = """
        SELECT a.id, m.id FROM movies a LEFT JOIN vector_search('movies', $q, k => 2) m ON m.id = a.id
        WHERE m.id IN (SELECT id FROM movies)
    """
    assert len(db.sql(statement, {"q": QUERY}).fetchall()) == 2


# --- results


def test_a_result_is_lazy_and_runs_once(library: Path, mine: duckdb.DuckDBPyConnection) -> None:
    runs: list[int] = []

    def count(number: int) -> int:
        runs.append(number)
        return number

    mine.create_function("counted", count, ["INTEGER"], "INTEGER", side_effects=True)
    with lancesql.connect(library, duckdb=mine) as db:
        result = db.sql("SELECT counted(id) AS n FROM vector_search('movies', $q, k => 3)", {"q": QUERY})
        assert runs == []
        assert result.columns == ["n"]
        assert runs == [] or sorted(runs) == [1, 2, 6]
        runs.clear()
        assert ids(result) == [1, 2, 6]
        assert result.to_polars()["n"].to_list() == [1, 2, 6]
        assert result.to_pandas()["n"].tolist() == [1, 2, 6]
        assert len(runs) <= 3


def test_a_statement_runs_at_once_and_once(db: lancesql.Connection) -> None:
    result = db.sql("INSERT INTO box_office SELECT id, 0 FROM movies WHERE id = 12")
    assert db.sql("SELECT count(*) FROM box_office").fetchall() == [(7,)]
    assert result.fetchall() == [(1,)]
    assert db.sql("SELECT count(*) FROM box_office").fetchall() == [(7,)]


def test_the_ways_to_read_agree(db: lancesql.Connection) -> None:
    result = db.sql("SELECT id, title, _distance FROM vector_search('movies', $q, k => 2)", {"q": QUERY})
    rows = [(1, "Alien", 0.0), (2, "Aliens", 1.0)]
    assert result.fetchone() == rows[0]
    assert result.fetchall() == rows[1:]
    assert result.to_arrow().to_pylist() == [dict(zip(result.columns, row, strict=True)) for row in rows]
    assert result.to_reader().read_all() == result.to_arrow()
    assert pa.table(result) == result.to_arrow()
    assert pl.DataFrame(result).rows() == rows
    assert result.schema.field("_distance").type == pa.float32()
    assert "Alien" in repr(result)
    assert "Alien" in result._repr_html_()


def test_types_of_lance_come_back_when_passed_through(db: lancesql.Connection) -> None:
    half = pa.list_(pa.float16(), 2)
    assert db.sql("SELECT half FROM halves").schema.field(0).type == half
    assert (
        db.sql("SELECT h.half FROM halves h JOIN box_office b ON b.movie_id = h.n").to_arrow().schema.field(0).type
        == half
    )
    assert db.sql("SELECT half[1] AS x FROM halves ORDER BY n").to_arrow().to_pylist() == [{"x": 0.5}, {"x": 2.5}]


# --- the database changes


def test_every_statement_reads_the_latest_version(own: Path) -> None:
    with lancesql.connect(own) as db, lancesql.connect(own) as other:
        count = "SELECT count(*) FROM stock"
        assert db.sql(count).fetchall() == [(2,)]
        lance.write_dataset(pa.table({"id": [9], "amount": [90]}), str(own / "stock.lance"), mode="append")
        assert db.sql(count).fetchall() == other.sql(count).fetchall() == [(3,)]


def test_a_result_keeps_the_version_it_was_planned_with(own: Path) -> None:
    with lancesql.connect(own) as db:
        early = db.sql("SELECT count(*) FROM stock a, stock b")
        lance.write_dataset(pa.table({"id": [9], "amount": [90]}), str(own / "stock.lance"), mode="append")
        assert early.fetchall() == [(4,)]
        assert db.sql("SELECT count(*) FROM stock a, stock b").fetchall() == [(9,)]


def test_a_table_made_elsewhere_is_found(own: Path) -> None:
    with lancesql.connect(own) as db:
        with pytest.raises(UnknownTableError):
            db.execute("SELECT count(*) FROM later")
        lance.write_dataset(pa.table({"id": [1]}), str(own / "later.lance"))
        assert db.sql("SELECT count(*) FROM later").fetchall() == [(1,)]
        assert "later" in db.tables()


def test_a_table_dropped_between_plan_and_run(own: Path) -> None:
    with lancesql.connect(own) as db:
        result = db.sql("SELECT amount FROM stock")
        shutil.rmtree(own / "stock.lance")
        with pytest.raises(StorageError) as caught:
            result.fetchall()
        assert caught.value.__suppress_context__
        with pytest.raises(LanceSQLError):
            db.execute("SELECT amount + 1 FROM stock")


@pytest.mark.parametrize(("damage", "what"), [("delete", "a file is missing, '"), ("overwrite", "a file is damaged")])
def test_a_table_with_a_bad_file(own: Path, damage: str, what: str) -> None:
    for file in (own / "movies.lance" / "data").iterdir():
        if damage == "delete":
            file.unlink()
        else:
            file.write_bytes(b"no data")
    with lancesql.connect(own) as db:
        for sql in ("SELECT * FROM movies", "SELECT id + 1 FROM movies", "SELECT id FROM movies WHERE title = 'a'"):
            with pytest.raises(StorageError, match=f"reading table 'movies': {what}") as caught:
                db.sql(sql).fetchall()
            assert "LanceError" not in str(caught.value)
            assert "AT (VERSION => n)" in str(caught.value.hint)


def test_read_only(own: Path, tmp_path: Path) -> None:
    with lancesql.connect(own, read_only=True) as db:
        assert db.sql("SELECT count(*) FROM movies").fetchall() == [(12,)]
        for sql in (
            "CREATE TABLE t AS SELECT 1 AS x",
            "INSERT INTO stock SELECT 1, 2",
            "DROP TABLE stock",
            "CREATE INDEX ON stock (id) USING BTREE",
        ):
            with pytest.raises(LanceSQLError, match=r"read_only|read-only"):
                db.execute(sql)
        db.execute("CREATE TEMP TABLE mine AS SELECT id FROM movies")
        assert db.sql("SELECT count(*) FROM mine").fetchall() == [(12,)]
    with pytest.raises(StorageError, match="there is no database"):
        lancesql.connect(tmp_path / "nowhere", read_only=True)


# --- the end


def test_a_closed_connection(library: Path) -> None:
    db = lancesql.connect(library)
    result = db.sql("SELECT max(id) FROM movies")
    db.close()
    db.close()
    assert db.closed
    for use in (
        lambda: db.sql("SELECT 1"),
        db.tables,
        lambda: db.register("x", pa.table({})),
        lambda: db.explain("SELECT 1"),
        lambda: db.execute("SELECT 1"),
    ):
        with pytest.raises(ConnectionClosedError, match="the connection is closed"):
            use()
    with pytest.raises(LanceSQLError, match="closed"):
        result.fetchall()


def test_the_module_has_a_connection_of_its_own(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lancesql, "_default", None)
    monkeypatch.setenv("LANCESQL_DATABASE", str(library))
    prices = pa.table(FRAME)
    assert lancesql.sql(JOIN).fetchall() == [(1, 10.0), (2, 20.0)]
    assert lancesql.sql(NEAREST, {"q": QUERY}).to_arrow().num_rows == prices.num_rows
    lancesql._default.close()
    assert lancesql.sql("SELECT 1").fetchall() == [(1,)]
    lancesql._default.close()


def test_without_a_database_tables_are_named_by_their_path(library: Path) -> None:
    with lancesql.connect() as db:
        path = library / "movies.lance"
        assert db.sql(f"SELECT count(*) FROM '{path}'").fetchall() == [(12,)]
        assert ids(db.sql(f"SELECT id FROM vector_search('{path}', $q, k => 2)", {"q": QUERY})) == [1, 2]
        assert db.tables() == []


# --- threads


def test_connections_in_threads(library: Path) -> None:
    def work(number: int) -> list[object]:
        with lancesql.connect(library) as db:
            db.execute(f"CREATE TEMP TABLE own AS SELECT {number} AS n")
            found = ids(db.sql(f"{NEAREST} WHERE upper(title) > 'B'", {"q": QUERY}))
            return [*found, *ids(db.sql("SELECT n FROM own"))]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(8))) == [[6, 3, 4, number] for number in range(8)]


def test_one_connection_in_two_threads(db: lancesql.Connection) -> None:
    errors: list[BaseException] = []
    answers: list[object] = []
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        for _ in range(10):
            try:
                answers.append(
                    tuple(ids(db.sql(f"{NEAREST} m WHERE m.id IN (SELECT movie_id FROM reviews)", {"q": QUERY})))
                )
            except BaseException as error:  # noqa: BLE001
                errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {(1, 2, 4)}
    assert all(isinstance(error, LanceSQLError) for error in errors), errors
    assert len(answers) + len(errors) == 20


@pytest.mark.parametrize("sql", ["SELECT max(id) FROM movies", "SELECT max(id) FROM fts('movies', 'monster')"])
def test_a_duckdb_that_does_not_look_for_objects_is_told_of(library: Path, sql: str) -> None:
    with duckdb.connect() as connection, lancesql.connect(library, duckdb=connection) as db:
        connection.execute("SET python_enable_replacements = false")
        with pytest.raises(lancesql.UnsupportedError) as caught:
            db.sql(f"{sql} WHERE id % 2 = 0").fetchall()
        assert "SET python_enable_replacements = true" in str(caught.value)
        connection.execute("SET python_enable_replacements = true")
        assert db.sql(sql).fetchall()
