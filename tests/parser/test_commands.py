"""The grammar of commands: what is read, what is left to DuckDB, what is refused and where."""

from __future__ import annotations

from typing import Any

import pytest

from lancesql.errors import ParseError, UnsupportedError
from lancesql.parser.commands import (
    CommandSyntax,
    CreateIndexSyntax,
    CreateTableSyntax,
    CreateViewSyntax,
    DescribeSyntax,
    DropTableSyntax,
    DropViewSyntax,
    ExplainSyntax,
    InsertSyntax,
    ShowIndexesSyntax,
    ShowTablesSyntax,
    read_command,
)
from lancesql.parser.tokens import read_tokens


def read(sql: str) -> CommandSyntax | None:
    return read_command(sql, read_tokens(sql))


def body(sql: str) -> str:
    syntax: Any = read(sql)
    return sql[syntax.body.start : syntax.body.end]


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT 1",
        "CREATE VIEW v",
        "CREATE RECURSIVE VIEW v (n) AS SELECT 1",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE TEMPORARY TABLE t AS SELECT 1",
        "CREATE TABLE memory.t",
        "CREATE SCHEMA s",
        "INSERT OVERWRITE t SELECT 1",
        "DROP VIEW v, w",
        "SHOW ALL TABLES",
        "DESCRIBE SELECT 1",
        "DESCRIBE t, u",
        "DESCRIBE",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "WITH a AS (SELECT 1) FROM a",
        "SET threads = 1",
    ],
)
def test_other_statements_are_not_commands(sql: str) -> None:
    assert read(sql) is None


@pytest.mark.parametrize(
    ("sql", "parts", "replace", "if_not_exists", "query"),
    [
        ("CREATE TABLE t AS SELECT 1", ("t",), False, False, "SELECT 1"),
        ("create or replace table t as from x", ("t",), True, False, "from x"),
        ("CREATE TABLE IF NOT EXISTS lance.t AS (SELECT 1)", ("lance", "t"), False, True, "(SELECT 1)"),
        ('CREATE TABLE "A b" AS VALUES (1), (2);', ("A b",), False, False, "VALUES (1), (2)"),
        ("CREATE TABLE 'x/y.lance' AS WITH a AS (SELECT 1) FROM a", ("x/y.lance",), False, False, None),
        ("CREATE TABLE index AS SELECT 1 WITH DATA", ("index",), False, False, "SELECT 1"),
    ],
)
def test_create_table(sql: str, parts: tuple[str, ...], replace: bool, if_not_exists: bool, query: str | None) -> None:
    syntax = read(sql)
    assert isinstance(syntax, CreateTableSyntax)
    assert (syntax.name.parts, syntax.replace, syntax.if_not_exists) == (parts, replace, if_not_exists)
    assert syntax.problem is None
    if query is not None:
        assert body(sql) == query


@pytest.mark.parametrize(
    ("sql", "columns", "replace", "if_not_exists", "query"),
    [
        ("CREATE VIEW v AS SELECT 1", (), False, False, "SELECT 1"),
        ('create or replace temp view v (a, "B") as from x;', ("a", "B"), True, False, "from x"),
        ("CREATE TEMPORARY VIEW IF NOT EXISTS v AS (SELECT 1)", (), False, True, "(SELECT 1)"),
    ],
)
def test_create_view(sql: str, columns: tuple[str, ...], replace: bool, if_not_exists: bool, query: str) -> None:
    syntax = read(sql)
    assert isinstance(syntax, CreateViewSyntax)
    assert (syntax.name.parts, syntax.replace, syntax.if_not_exists) == (("v",), replace, if_not_exists)
    assert tuple(column.parts[0] for column in syntax.columns) == columns
    assert body(sql) == query


@pytest.mark.parametrize("sql", ["DROP VIEW v", "drop view if exists v cascade;"])
def test_drop_view(sql: str) -> None:
    syntax = read(sql)
    assert isinstance(syntax, DropViewSyntax)
    assert syntax.name.parts == ("v",)


def test_options_have_names_values_and_places() -> None:
    sql = "CREATE TABLE t WITH (A = ['x', 'y'], b => -1.5, c := true, d = word, e = 1_000, f = []) AS SELECT 1"
    syntax = read(sql)
    assert isinstance(syntax, CreateTableSyntax)
    assert {option.name: option.value for option in syntax.options} == {
        "a": ("x", "y"),
        "b": -1.5,
        "c": True,
        "d": "word",
        "e": 1000,
        "f": (),
    }
    places = [sql[option.value_span.start : option.value_span.end] for option in syntax.options]
    assert places == ["['x', 'y']", "-1.5", "true", "word", "1_000", "[]"]


@pytest.mark.parametrize(
    ("sql", "columns", "by_name", "query"),
    [
        ("INSERT INTO t SELECT 1", (), False, "SELECT 1"),
        ("INSERT INTO t (SELECT 1)", (), False, "(SELECT 1)"),
        ("INSERT INTO t ((SELECT 1))", (), False, "((SELECT 1))"),
        ('INSERT INTO t (a, "b c") VALUES (1, 2)', ("a", "b c"), False, "VALUES (1, 2)"),
        ("INSERT INTO t BY NAME FROM x", (), True, "FROM x"),
        ("INSERT INTO t BY POSITION TABLE x", (), False, "TABLE x"),
        ("INSERT INTO t (date, index) WITH a AS (SELECT 1) SELECT 2, 3", ("date", "index"), False, None),
    ],
)
def test_insert(sql: str, columns: tuple[str, ...], by_name: bool, query: str | None) -> None:
    syntax = read(sql)
    assert isinstance(syntax, InsertSyntax)
    assert tuple(column.parts[0] for column in syntax.columns) == columns
    assert (syntax.by_name, syntax.problem) == (by_name, None)
    if query is not None:
        assert body(sql) == query


def test_an_insert_joins_on_a_column_called_conflict() -> None:
    syntax = read("INSERT INTO t SELECT 1 FROM a JOIN b ON a.conflict = b.x")
    assert isinstance(syntax, InsertSyntax)
    assert syntax.problem is None


@pytest.mark.parametrize(
    ("sql", "shown", "message"),
    [
        ("INSERT INTO t (a) BY NAME SELECT 1", "a", "BY NAME and a list of columns exclude each other"),
        ("INSERT INTO t (a + 1) SELECT 1", "+", "',' or ')' is expected here"),
        ("INSERT INTO t", None, "the statement ends where a query is expected"),
        ("CREATE TABLE t AS SELECT 1 WITH NO DATA", "DATA", "WITH NO DATA is not supported"),
        ("DROP TABLE a, b", ",", "the end of the statement is expected here"),
        ("CREATE INDEX i ON t (lower(a))", "lower", "an index is on a column, not on an expression"),
        ("CREATE INDEX i ON t (1 + a)", "1", "an index is on a column, not on an expression"),
        ("CREATE UNIQUE INDEX i ON t (a)", "UNIQUE", "Lance has no unique index"),
        ("CREATE INDEX i ON t (a DESC)", "DESC", "an index of Lance has no order of its own"),
        ("CREATE INDEX i ON t (a) WHERE a > 1", "WHERE a > 1", "an index of Lance covers every row"),
        ("CREATE INDEX i ON t (a) INCLUDE (b)", "INCLUDE (b)", "an index of Lance stores no other columns"),
        ("CREATE VECTOR INDEX i ON t(a) STORING (b)", "STORING (b)", "an index of Lance stores no other columns"),
        ("CREATE SEARCH INDEX i ON t(ALL COLUMNS)", "COLUMNS", "an index is on one column"),
        ("CREATE INDEX i ON t (", "", "the statement ends where a column is expected"),
        ("CREATE INDEX i ON t (a b c)", "c", "',' or ')' is expected here"),
        ("CREATE INDEX ON t (a, b) USING BTREE", "(a, b)", "an index is on one column, not 2"),
        ("CREATE INDEX ON t (a) BTREE", "BTREE", "USING kind, WITH (options) or the end of the statement"),
        ("CREATE INDEX ON t (a) USING", "", "a kind of index: IVF_PQ, FTS, BTREE, …"),
        ("CREATE INDEX ON t BTREE (a)", "BTREE", "(column) or USING is expected here"),
        ("CREATE INDEX ON t (a) USING", None, "the statement ends where a kind of index"),
        ("CREATE INDEX ON t (a) USING BTREE now", "now", "WITH (options) or the end of the statement"),
        ("CREATE INDEX ON t (a) USING BTREE WITH (x = 1) now", "now", "the end of the statement is expected here"),
        ("CREATE INDEX ON t (a) USING BTREE WITH (x = ?)", "?", "an option takes no parameter"),
        ("CREATE INDEX ON t (a) USING BTREE WITH x", "x", "(option = value, …) is expected here"),
        ("CREATE INDEX a.b ON t (a) USING BTREE", "a.b", "the name of an index has no qualifier"),
        ("CREATE TABLE t (a INTEGER) AS SELECT 1", "AS", "names in brackets and a query do not go together"),
        ("INSERT INTO t SELECT 1 ON CONFLICT DO", None, "DO NOTHING, or DO UPDATE SET is expected"),
        ("INSERT OR IGNORE INTO t SELECT 1 ON CONFLICT DO NOTHING", "ON", "exclude each other"),
        ("INSERT INTO t (a) DEFAULT VALUES", "VALUES", "DEFAULT VALUES takes no columns"),
        ("UPDATE t SET (a, b) = f(1, 2)", "f", "the columns of a list are set to a list of values"),
        ("UPDATE t SET a", None, "'=' is expected"),
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN KEEP",
            "KEEP",
            "UPDATE, DELETE, INSERT, DO NOTHING or ERROR",
        ),
        ("VACUUM t OLDER '1 day'", "OLDER", "OLDER THAN, RETAIN, WITH (options)"),
        ("RESTORE TABLE t", None, "TO VERSION and a number"),
    ],
)
def test_problems_behind_the_name_wait_for_the_binder(sql: str, shown: str | None, message: str) -> None:
    syntax: Any = read(sql)
    problem = syntax.problem
    assert isinstance(problem, (ParseError, UnsupportedError))
    assert message in problem.message
    assert problem.span is not None
    if shown is not None:
        assert sql[problem.span.start : problem.span.end] == shown


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("CREATE TABLE t", "the statement ends where AS and a query, or WITH (options) is expected"),
        ("CREATE TABLE t AS", "the statement ends where a query is expected"),
        ("CREATE TABLE t AS;", "the statement ends where a query is expected"),
        ("CREATE TABLE t SELECT 1", "AS and a query, or WITH (options) is expected here, not 'SELECT'"),
        ("CREATE TABLE t WITH (a 1) AS SELECT 1", "'=' and a value is expected here, not '1'"),
        ("CREATE TABLE t WITH (1 = 1) AS SELECT 1", "the name of an option is expected here, not '1'"),
        ("CREATE TABLE t WITH (a = ) AS SELECT 1", "a number, a text, true, false or a name is expected here"),
        ("CREATE TABLE t WITH (a = 1 AS SELECT 1", "',' or ')' is expected here, not 'AS'"),
        ("CREATE TABLE t WITH (a = $x) AS SELECT 1", "an option takes no parameter"),
        ("CREATE TABLE t WITH (a = [1", "the statement ends where ',' or ']' is expected"),
        ("SHOW INDEXES t", "ON and a table is expected here, not 't'"),
        ("SHOW INDEXES ON", "the statement ends where a table is expected"),
        ("SHOW INDEXES ON t now", "the end of the statement is expected here, not 'now'"),
        ("EXPLAIN", "the statement ends where a statement is expected"),
    ],
)
def test_incomplete_commands(sql: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(sql)
    assert message in caught.value.message
    assert caught.value.span is not None


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX ON t (vector) USING IVF_PQ WITH (metric = 'cosine')",
        "CREATE INDEX ON TABLE t USING IVF_PQ (vector) WITH (metric = 'cosine')",
        "create or replace index if not exists i on t (vector) using ivf_pq with (metric => cosine);",
    ],
)
def test_create_index_in_both_orders(sql: str) -> None:
    syntax = read(sql)
    assert isinstance(syntax, CreateIndexSyntax)
    assert syntax.problem is None
    assert syntax.kind is not None
    assert syntax.column is not None
    assert (syntax.table.parts, syntax.column.parts, syntax.kind.parts[0].upper()) == (("t",), ("vector",), "IVF_PQ")
    assert [(option.name, option.value) for option in syntax.options] == [("metric", "cosine")]
    named = "replace" in sql
    assert (syntax.replace, syntax.if_not_exists) == (named, named)
    assert (syntax.name.parts if syntax.name else None) == (("i",) if named else None)


def test_small_commands() -> None:
    assert read("SHOW TABLES;") == ShowTablesSyntax()
    for sql in ("SHOW INDEXES ON lance.t", "SHOW INDEX FROM lance.t", "SHOW INDICES IN lance.t"):
        syntax = read(sql)
        assert isinstance(syntax, ShowIndexesSyntax)
        assert syntax.name.parts == ("lance", "t")
    for sql in ("DESCRIBE t", "DESC t", "DESCRIBE TABLE t", "SHOW t", "describe 't.lance'"):
        describe = read(sql)
        assert isinstance(describe, DescribeSyntax)
        assert describe.name.quoted_string is ("lance" in sql)
    for sql in ("DROP TABLE t", "DROP TABLE t CASCADE", "DROP TABLE t RESTRICT"):
        drop = read(sql)
        assert isinstance(drop, DropTableSyntax)
        assert (drop.if_exists, drop.problem) == (False, None)
    optional = read("DROP TABLE IF EXISTS t")
    assert isinstance(optional, DropTableSyntax)
    assert optional.if_exists


def test_explain() -> None:
    assert body("EXPLAIN SELECT 1") == "SELECT 1"
    assert body("EXPLAIN (SELECT 1)") == "(SELECT 1)"
    for sql in ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN (ANALYZE) SELECT 1"):
        syntax = read(sql)
        assert isinstance(syntax, ExplainSyntax)
        assert syntax.analyze
        assert body(sql) == "SELECT 1"


@pytest.mark.parametrize(
    ("sql", "analyze", "recall"),
    [
        ("EXPLAIN (RECALL) SELECT 1", False, True),
        ("EXPLAIN (ANALYZE, RECALL) SELECT 1", True, True),
        ("EXPLAIN (recall, analyze) SELECT 1", True, True),
        ("EXPLAIN (ANALYZE) SELECT 1", True, False),
        ("EXPLAIN (ANALYZE true, RECALL false) SELECT 1", True, False),
        ("EXPLAIN ANALYZE (FORMAT json, RECALL) SELECT 1", True, True),
        ("EXPLAIN (FORMAT text) SELECT 1", False, False),
        ("EXPLAIN (SELECT 1)", False, False),
    ],
)
def test_options_of_explain(sql: str, analyze: bool, recall: bool) -> None:
    syntax = read(sql)
    assert isinstance(syntax, ExplainSyntax)
    assert (syntax.analyze, syntax.recall) == (analyze, recall)
    assert body(sql).strip("()") == "SELECT 1"


@pytest.mark.parametrize(
    ("sql", "shown", "problem"),
    [
        ("EXPLAIN (FORMAT JSON) SELECT 1", "json", None),
        ("EXPLAIN (format text) SELECT 1", "text", None),
        ("EXPLAIN (SQL) SELECT 1", "sql", None),
        ("EXPLAIN (SQL, FORMAT text) SELECT 1", "sql", None),
        ("EXPLAIN (SQL, FORMAT json) SELECT 1", "sql", "none of the other options"),
        ("EXPLAIN (SQL, ANALYZE) SELECT 1", "sql", "none of the other options"),
        ("EXPLAIN (FORMAT graphviz) SELECT 1", "text", "no format 'graphviz'"),
        ("EXPLAIN (ANALISE) SELECT 1", "text", "no option 'ANALISE'"),
        ("EXPLAIN (ANALYZE RECALL) SELECT 1", "text", "',' or ')' is expected"),
    ],
)
def test_formats_of_explain(sql: str, shown: str, problem: str | None) -> None:
    syntax = read(sql)
    assert isinstance(syntax, ExplainSyntax)
    assert syntax.format == shown
    assert (syntax.problem is None) == (problem is None)
    assert problem is None or problem in str(syntax.problem)
    assert body(sql) == "SELECT 1"


@pytest.mark.parametrize(
    "sql", ["SET threads = 1", "RESET threads", "SHOW threads, x", "ANALYZE", "ANALYZE t (a)", "SET lancesql = 1"]
)
def test_settings_and_statistics_of_duckdb(sql: str) -> None:
    assert read(sql) is None


@pytest.mark.parametrize("sql", ["ALTER INDEX one", "ALTER INDEX one RENAME TO two", "REINDEX", "ALTER INDEX one ON t"])
def test_statements_about_indexes_that_miss_something(sql: str) -> None:
    with pytest.raises((ParseError, UnsupportedError)) as caught:
        read(sql)
    assert caught.value.span is not None
