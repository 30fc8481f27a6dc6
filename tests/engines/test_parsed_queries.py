"""Queries are read by DuckDB's parser once; what changes how they are read makes it read them again."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

import lancesql
from lancesql.engines.parsed import ParsedQueries

NAMED = "SELECT i AS theNumber FROM docs ORDER BY i"
HALVES = "SELECT i / 2 AS half FROM docs ORDER BY i"


@pytest.fixture
def db(tmp_path: Path) -> lancesql.Connection:
    connection = lancesql.connect(tmp_path)
    connection.sql("CREATE TABLE docs AS SELECT range AS i FROM range(4)")
    return connection


def test_a_query_is_read_once() -> None:
    queries, connection = ParsedQueries(), duckdb.connect()
    first = queries.read(NAMED, connection)
    assert isinstance(first, duckdb.Statement)
    assert queries.read(NAMED, connection) is first
    assert queries.read("EXPLAIN SELECT 1", connection) is not first
    assert queries.read(NAMED, connection) is first


@pytest.mark.parametrize("other", ["SET TimeZone = 'UTC'", "CREATE TABLE t (i INT)", "SELECT 1; SET TimeZone = 'UTC'"])
def test_after_what_is_no_query_it_is_read_again(other: str) -> None:
    queries, connection = ParsedQueries(), duckdb.connect()
    first = queries.read(NAMED, connection)
    assert queries.read(other, connection) == other
    assert queries.read(NAMED, connection) is not first


def test_several_queries_stay_a_text() -> None:
    assert ParsedQueries().read("SELECT 1; SELECT 2", duckdb.connect()) == "SELECT 1; SELECT 2"


def test_what_cannot_be_read_is_duckdbs_error() -> None:
    with pytest.raises(duckdb.ParserException):
        ParsedQueries().read("SELECT FROM WHERE", duckdb.connect())


def test_a_setting_of_the_parser_counts_at_once(db: lancesql.Connection) -> None:
    for _ in range(2):
        assert db.sql(NAMED).columns == ["theNumber"]
    db.sql("SET preserve_identifier_case = false")
    assert db.sql(NAMED).columns == duckdb_columns(NAMED, "SET preserve_identifier_case = false")
    db.sql("RESET preserve_identifier_case")
    assert db.sql(NAMED).columns == ["theNumber"]


def test_a_setting_of_operators_counts_at_once(db: lancesql.Connection) -> None:
    assert db.sql(HALVES).fetchall() == [(0.0,), (0.5,), (1.0,), (1.5,)]
    db.sql("SET integer_division = true")
    assert db.sql(HALVES).fetchall() == [(0,), (0,), (1,), (1,)]


def test_the_same_text_takes_other_values_each_time(db: lancesql.Connection) -> None:
    text = "SELECT i + $n FROM docs WHERE i = $i"
    assert [db.sql(text, {"n": n, "i": 2}).fetchall() for n in (10, 0.5, 10)] == [[(12,)], [(2.5,)], [(12,)]]


def test_a_connection_of_somebody_else_is_asked_each_time(tmp_path: Path) -> None:
    own = duckdb.connect()
    db = lancesql.connect(tmp_path, duckdb=own)
    db.sql("CREATE TABLE docs AS SELECT range AS i FROM range(4)")
    assert db.sql(NAMED).columns == ["theNumber"]
    own.sql("SET preserve_identifier_case = false")
    assert db.sql(NAMED).columns == duckdb_columns(NAMED, "SET preserve_identifier_case = false")


def duckdb_columns(sql: str, setting: str) -> list[str]:
    connection = duckdb.connect()
    connection.sql("CREATE TABLE docs AS SELECT range AS i FROM range(4)")
    connection.sql(setting)
    return list(connection.sql(sql).columns)
