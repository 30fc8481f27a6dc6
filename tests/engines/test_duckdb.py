"""The DuckDB engine alone: namespaces, volatility, names, and its errors as ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa
import pytest

from lancesql.engines.dataset import ScanDataset
from lancesql.engines.duckdb import DuckDBEngine
from lancesql.engines.error_places import find_error_span
from lancesql.engines.namespace import Namespace
from lancesql.engines.relations import read_relation_table
from lancesql.errors import (
    BindError,
    EngineError,
    LanceSQLError,
    ParameterError,
    ParseError,
    UnknownColumnError,
    UnknownTableError,
)

EMPTY = Namespace(None)


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine()
    yield engine
    engine.close()


def read(engine: DuckDBEngine, sql: str, sources: dict[str, object] | None = None) -> list[dict[str, object]]:
    relation = engine.relate(sql, None, sources or {}, EMPTY)
    assert relation is not None
    return read_relation_table(relation).to_pylist()


def test_a_source_is_found_by_name_and_leaves_no_trace(engine: DuckDBEngine) -> None:
    assert read(engine, "SELECT sum(x)::INT AS s FROM secret", {"secret": pa.table({"x": [1, 2]})}) == [{"s": 3}]
    with pytest.raises(UnknownTableError):
        engine.relate("SELECT * FROM secret", None, {}, EMPTY)
    assert read(engine, "SELECT count(*) AS n FROM duckdb_views() WHERE NOT internal") == [{"n": 0}]


def test_an_empty_namespace_hides_our_own_variables(engine: DuckDBEngine) -> None:
    secret = pa.table({"x": [1]})
    with pytest.raises(UnknownTableError):
        engine.relate("SELECT * FROM secret", None, {}, EMPTY)
    assert secret.num_rows == 1


def test_a_relation_keeps_its_sources(engine: DuckDBEngine) -> None:
    relation = engine.relate("SELECT count(*) AS n FROM secret", None, {"secret": pa.table({"x": [1, 2]})}, EMPTY)
    assert relation is not None
    assert read_relation_table(relation).to_pylist() == [{"n": 2}]
    assert read_relation_table(relation).to_pylist() == [{"n": 2}]


@pytest.mark.parametrize(
    ("function", "volatile"),
    [("random", True), ("uuid", True), ("nextval", True), ("lower", False), ("date_trunc", False), ("no_such", False)],
)
def test_volatile_functions(engine: DuckDBEngine, function: str, volatile: bool) -> None:
    assert engine.is_volatile(function) is volatile


def test_a_function_made_later_is_known(engine: DuckDBEngine) -> None:
    assert not engine.is_volatile("lower")
    engine.connection.create_function("dice", lambda: 4, [], "INTEGER", side_effects=True)
    assert engine.is_volatile("dice")
    engine.connection.execute("CREATE MACRO shuffle() AS random()")
    assert engine.is_volatile("shuffle")


def test_tables_by_name(engine: DuckDBEngine) -> None:
    engine.connection.execute("CREATE TABLE Films (id INT); CREATE SCHEMA extra; CREATE TABLE extra.later (id INT)")
    engine.connection.execute("CREATE TEMP TABLE short_lived (id INT); CREATE VIEW shown AS SELECT 1 AS x")
    assert list(engine.tables_named("films")) == ["memory.main.Films"]
    assert list(engine.tables_named("short_lived")) == ["temp.main.short_lived"]
    assert list(engine.tables_named("shown")) == ["memory.main.shown"]
    assert list(engine.tables_named("extra.later")) == ["memory.extra.later"]
    assert list(engine.tables_named("later")) == []
    assert list(engine.tables_named("nothing")) == []


def test_columns_by_name(engine: DuckDBEngine) -> None:
    engine.connection.execute('CREATE TABLE "odd ""name" (id INT, "b c" INT)')
    assert engine.columns_of('odd "name', EMPTY) == ["id", "b c"]
    assert engine.columns_of("nothing", EMPTY) is None


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT 1", True),
        ("FROM range(3)", True),
        ("WITH a AS (SELECT 1) FROM a", True),
        ("VALUES (1)", True),
        ("INSERT INTO t VALUES (1)", False),
        ("SELECT 1; SELECT 2", False),
        ("CREATE TABLE t (i INT)", False),
        ("SET threads = 1", False),
    ],
)
def test_which_statements_only_read(engine: DuckDBEngine, sql: str, reads: bool) -> None:
    assert engine.reads_only(sql) is reads


@pytest.mark.parametrize(
    ("sql", "kind", "place"),
    [
        ("SELEC 1", ParseError, "SELEC"),
        ("SELECT nothing FROM range(3)", UnknownColumnError, "nothing"),
        ("SELECT r.nothing FROM (SELECT 1 AS x) r", UnknownColumnError, "nothing"),
        ("SELECT * FROM nothing", UnknownTableError, "nothing"),
        ("SELECT nothing(1)", BindError, "nothing"),
        ("SELECT $x", ParameterError, "$x"),
        ("SELECT 'a'::INT", EngineError, "'a'"),
        ("SELECT 'nothing', nothing FROM range(3)", UnknownColumnError, "nothing"),
        ("COPY (SELECT 1) TO 'x.nothing' (FORMAT nothing)", BindError, "nothing"),
        ("SELECT error('own words')", EngineError, None),
        ("SELECT max(range), range FROM range(3)", BindError, "range"),
    ],
)
def test_errors_are_ours_and_say_where(
    engine: DuckDBEngine, sql: str, kind: type[LanceSQLError], place: str | None
) -> None:
    with pytest.raises(kind) as caught:
        read(engine, sql)
    error = caught.value
    assert type(error) is kind
    assert error.__suppress_context__
    assert "Error:" not in error.message
    assert "LINE 1" not in error.message
    span = find_error_span(sql, error)
    assert (None if span is None else sql[span.start : span.end]) == place


@pytest.mark.skipif(duckdb.__version__.startswith("1."), reason="DuckDB 1 marks its own spelling of a relation")
def test_of_two_places_the_one_is_shown_that_duckdb_marks(engine: DuckDBEngine) -> None:
    sql = "SELECT 'abc' FROM range(3) WHERE range = 'abc'"
    with pytest.raises(EngineError) as caught:
        read(engine, sql)
    assert find_error_span(sql, caught.value) == (sql.rindex("'abc'"), len(sql))


def test_an_error_of_types_says_where(engine: DuckDBEngine) -> None:
    sql = "SELECT range FROM range(3) WHERE sum(range) > 1"
    with pytest.raises(BindError) as caught:
        read(engine, sql)
    span = find_error_span(sql, caught.value)
    assert span is not None
    assert span.start == sql.index("sum")


def test_the_users_connection_is_not_closed() -> None:
    with duckdb.connect() as connection:
        engine = DuckDBEngine(connection)
        engine.close()
        assert not engine.owned
        assert connection.execute("SELECT 1").fetchone() == (1,)


# --- the dataset DuckDB scans

TABLE = pa.table({"a": [1, 2, None], "b": ["x", "y", "z"], "c": [[1.0], [2.0], [3.0]]})


@pytest.fixture
def asked() -> list[list[str]]:
    return []


@pytest.fixture
def dataset(asked: list[list[str]]) -> ScanDataset:
    def open_reader(columns: Sequence[str]) -> pa.RecordBatchReader:
        asked.append(list(columns))
        return TABLE.select(list(columns)).to_reader()

    return ScanDataset(TABLE.schema, open_reader)


def test_only_the_columns_asked_for_are_read(
    engine: DuckDBEngine, dataset: ScanDataset, asked: list[list[str]]
) -> None:
    assert read(engine, "SELECT b FROM source", {"source": dataset}) == [{"b": "x"}, {"b": "y"}, {"b": "z"}]
    assert asked == [["b"]]


@pytest.mark.parametrize(
    ("predicate", "found"),
    [
        ("a > 1", ["y"]),
        ("a = 1", ["x"]),
        ("a IS NULL", ["z"]),
        ("a IS NOT NULL", ["x", "y"]),
        ("a IN (1, 2) AND b <> 'x'", ["y"]),
        ("a = 2 OR b = 'z'", ["y", "z"]),
        ("c[1] > 1.5", ["y", "z"]),
        ("upper(b) = 'X'", ["x"]),
        ("a = 7", []),
    ],
)
def test_predicates_hold(engine: DuckDBEngine, dataset: ScanDataset, predicate: str, found: list[str]) -> None:
    rows = read(engine, f"SELECT b FROM source WHERE {predicate} ORDER BY b", {"source": dataset})
    assert [row["b"] for row in rows] == found


def test_a_dataset_is_scanned_anew_each_time(engine: DuckDBEngine, dataset: ScanDataset) -> None:
    sql = "SELECT count(*) AS n FROM source s JOIN source t ON s.b = t.b"
    assert read(engine, sql, {"source": dataset}) == [{"n": 3}]
    assert read(engine, sql, {"source": dataset}) == [{"n": 3}]


def test_an_error_of_a_source_is_told(engine: DuckDBEngine) -> None:
    def open_reader(columns: Sequence[str]) -> pa.RecordBatchReader:
        raise EngineError("the source is gone")

    with pytest.raises(EngineError, match="the source is gone"):
        read(engine, "SELECT * FROM source", {"source": ScanDataset(TABLE.schema, open_reader)})
