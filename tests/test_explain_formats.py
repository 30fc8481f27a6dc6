"""EXPLAIN (FORMAT JSON) says what EXPLAIN prints, in keys that stay; EXPLAIN (SQL) gives what DuckDB is given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import lancesql
from lancesql import LanceSQLError
from tests.library import open_library

ALWAYS = {"format", "command", "sources", "values", "functions", "engine", "relation"}
OF_SOURCES = {
    "name", "kind", "alias", "table", "version", "columns", "properties", "strategy", "pushed", "left", "known", "keys",
    "recall", "notes",
}  # fmt: skip
STATEMENTS = (
    "SELECT id FROM vector_search('movies', [1,0,0,0], k => 3) WHERE year > 1980 AND upper(title) > 'B'",
    "SELECT * FROM movies WHERE year > 1980 AND upper(title) > 'B' ORDER BY rating, id LIMIT 3",
    "SELECT m.id, r.stars FROM movies m JOIN reviews r ON r.movie_id = m.id WHERE m.year > 1980 AND r.stars > 3",
    "SELECT id FROM hybrid_search('movies', [1,0,0,0], 'monster', k => 3) WHERE year > 1900",
    "SELECT id FROM fts('movies', 'monster') WHERE match(title, 'alien')",
    (
        "SELECT q.a, s.id FROM (VALUES (1), (2)) q(a), LATERAL vector_search('movies', [q.a, 0, 0, 0], k => 2) s "
        "WHERE s.year > 1900 + q.a AND sqrt(s.year) > q.a"
    ),
    "SELECT id FROM movies ORDER BY vector <-> [1,0,0,0] LIMIT 3",
    "SELECT count(*) FROM movies WHERE year > 1980",
    (
        "SELECT (SELECT max(year) FROM movies) AS newest, highlight(title, 'alien') FROM movies WHERE id IN "
        "(SELECT movie_id FROM reviews WHERE stars > 3)"
    ),
    "UPDATE movies SET year = year + 1 WHERE upper(title) > 'K'",
    "DELETE FROM movies WHERE id > 7",
    "CREATE TABLE copy AS SELECT * FROM movies WHERE id < 3",
    "COPY (SELECT id FROM movies WHERE id < 3) TO 'nowhere.csv'",
    "OPTIMIZE movies",
    "SHOW VERSIONS ON movies",
    "SET lancesql.recall = 0.9",
)


@pytest.fixture(scope="module")
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as db:
        yield db


def read(db: lancesql.Connection, sql: str) -> Any:
    ((text,),) = db.sql(sql).fetchall()
    return json.loads(text)


@pytest.mark.parametrize("sql", STATEMENTS)
def test_json_says_what_the_text_says(db: lancesql.Connection, sql: str) -> None:
    text = "\n".join(row[0] for row in db.sql(f"EXPLAIN {sql}").fetchall())
    plan = read(db, f"EXPLAIN (FORMAT JSON) {sql}")
    assert plan.keys() >= ALWAYS
    assert plan["format"] == 1
    flat = " ".join(text.split())
    for source in plan["sources"]:
        assert source.keys() == OF_SOURCES
        assert f"{source['kind']} {source['table']} @ version {source['version']} as {source['name']}" in text
        assert f"columns {', '.join(source['columns'])}" in flat
        for label, value in source["properties"].items():
            assert f"{label} {value}" in flat
        for one in source["strategy"]:
            index = f" {one['index']}" if one["index"] else ""
            assert f"{one['kind']}{index}: {one['reason']}" in text
        for one in source["pushed"]:
            row = ", for each row" if one["for_each_row"] else ""
            assert f"{one['condition']} → Lance{row}: {one['filter']}" in text
        for one in source["left"]:
            ids = (", as row ids" if one["as_row_ids"] else "") + (" for each row" if one["for_each_row"] else "")
            assert f"{one['condition']} → DuckDB{ids}: {one['reason']}" in text
        for one in source["known"]:
            assert f"{one['condition']} → {one['by']}" in text
        for one in source["keys"] + source["notes"]:
            assert one in text
    assert text.count("→") == sum(len(one[key]) for one in plan["sources"] for key in ("pushed", "left", "known"))
    if plan["command"] is not None:
        assert text.startswith(f"{plan['command']['kind']} {plan['command']['target'] or ''}".rstrip())
        assert all(f"touches    {one}" in text for one in plan["command"]["touches"])
    assert (plan["engine"] == "DuckDB") == ("Relation (DuckDB)" in text)
    if plan["relation"] is not None:
        assert "\n".join(f"  {line}" for line in plan["relation"].split("\n")) in text
    elif plan["sources"]:
        assert ", ".join(one["column"] for one in plan["output"]) in text


def test_nothing_is_carried_out(db: lancesql.Connection) -> None:
    assert db.settings.recall == 0.95
    assert db.sql("SELECT count(*) FROM movies").fetchall() == [(12,)]
    assert not Path("nowhere.csv").exists()


def test_what_was_measured(db: lancesql.Connection) -> None:
    sql = "SELECT title FROM vector_search('movies', [1,0,0,0], k => 3) ORDER BY title"
    assert "rows" not in read(db, f"EXPLAIN (FORMAT JSON) {sql}")
    plan = read(db, f"EXPLAIN (FORMAT JSON, ANALYZE, RECALL) {sql}")
    (source,) = plan["sources"]
    assert (plan["rows"], source["rows"]) == (3, 3)
    assert plan["milliseconds"] >= source["milliseconds"] >= 0
    assert source["recall"][0].startswith("1.000: 3 of the true 3")


def test_sql_is_what_duckdb_runs(db: lancesql.Connection) -> None:
    sql = "SELECT title, stars FROM movies AS m JOIN reviews AS r ON r.movie_id = m.id WHERE year > 1980 ORDER BY 1, 2"
    text = "\n".join(row[0] for row in db.sql(f"EXPLAIN (SQL) {sql}").fetchall())
    engine = duckdb.connect()
    for line in text.splitlines():
        if line.startswith("-- "):
            name, _, table = line.removeprefix("-- ").partition(": ")
            asked = " WHERE year > 1980" if "movies" in table else ""  # what Lance answers is not asked again
            engine.register(name, db.sql(f"SELECT * FROM {table.split()[1]}{asked}").to_arrow())
    assert text.count("-- ") == 2
    assert engine.sql(text).fetchall() == db.sql(sql).fetchall() != []
    assert "-- answered without DuckDB" in str(db.sql("EXPLAIN (SQL) SELECT id FROM movies").fetchall())


def test_other_statements_are_explained_by_duckdb(db: lancesql.Connection) -> None:
    assert json.loads(db.sql("EXPLAIN (FORMAT json) SELECT 40 + 2").fetchall()[0][1])
    with pytest.raises(LanceSQLError, match="no format 'html'"):
        db.sql("EXPLAIN (FORMAT html) SELECT id FROM movies")
    assert db.sql("EXPLAIN (FORMAT html) SELECT 40 + 2").fetchall()
    for sql in ("DELETE FROM movies", "COPY movies TO 'nowhere.csv'", "OPTIMIZE movies", "SHOW TABLES"):
        with pytest.raises(LanceSQLError, match="EXPLAIN ANALYZE would carry the statement out"):
            db.sql(f"EXPLAIN ANALYZE {sql}")
    assert not Path("nowhere.csv").exists()
