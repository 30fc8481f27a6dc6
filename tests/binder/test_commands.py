"""Whose table a command means, and what does not fit it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import lancesql
from lancesql.binder.commands import CommandContext, bind_command
from lancesql.engines.duckdb import DuckDBEngine
from lancesql.engines.namespace import Namespace
from lancesql.errors import (
    AmbiguousNameError,
    ArgumentError,
    BindError,
    LanceSQLError,
    UnknownColumnError,
    UnknownTableError,
    UnsupportedError,
)
from lancesql.execution.catalog import StatementCatalog
from lancesql.parser.commands import read_command
from lancesql.parser.tokens import read_tokens
from lancesql.plan.commands import (
    Command,
    CreateIndex,
    CreateTable,
    DescribeTable,
    DropTable,
    InsertInto,
    ShowIndexes,
    ShowTables,
)
from lancesql.plan.query import QueryPlan
from lancesql.storage.database import LanceDatabase
from lancesql.storage.databases import Databases
from lancesql.storage.writes.tables import create_table

ROWS = pa.table(
    {
        "id": [1],
        "Title": ["a"],
        "vector": pa.array([[1.0] * 16], pa.list_(pa.float32(), 16)),
        "odd": pa.array([[1.0, 2.0, 3.0]], pa.list_(pa.float32(), 3)),
        "bits": pa.array([[1, 2]], pa.list_(pa.uint8(), 2)),
        "tags": [["x"]],
        "numbers": pa.array([[1.0, 2.0]], pa.list_(pa.float64())),
        "many": pa.array([[[1.0, 2.0]]], pa.list_(pa.list_(pa.float32(), 2))),
        "point": [{"x": 1.0}],
        "flag": [True],
    }
)


class Binder:
    """Binds commands over a database with the table `films`, and a DuckDB connection with others."""

    def __init__(self, database: LanceDatabase, connection: duckdb.DuckDBPyConnection) -> None:
        self.database = database
        self.engine = DuckDBEngine(connection)
        self.has_database = True

    def __call__(self, sql: str) -> Command | None:
        catalog = StatementCatalog(Databases(self.database), self.engine, Namespace(None), {})
        syntax = read_command(sql, read_tokens(sql))
        assert syntax is not None

        def plan_text(text: str) -> QueryPlan:
            return QueryPlan(sql=text, relation=text)

        return bind_command(syntax, CommandContext(sql, catalog, plan_text, self.has_database))


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[Binder]:
    database = LanceDatabase(tmp_path / "db")
    for name in ("films", "shared"):
        create_table(database, name, ROWS.to_reader, vectors=False)
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE sales (a INTEGER); CREATE TABLE shared (a INTEGER); CREATE VIEW seen AS SELECT 1"
        )
        connection.execute("CREATE SCHEMA lance; CREATE TABLE lance.inner_one (a INTEGER)")
        yield Binder(database, connection)


def refused(bind: Binder, sql: str, kind: type[LanceSQLError]) -> tuple[str, str | None]:
    """The message of the refusal, and the text it points at."""
    with pytest.raises(kind) as caught:
        bind(sql)
    error = caught.value
    return str(error), None if error.span is None else sql[error.span.start : error.span.end]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE memory.t (a INTEGER)",
        "CREATE TABLE memory.t AS SELECT 1",
        "CREATE TABLE main.t AS SELECT 1",
        "CREATE TABLE a.lance.t AS SELECT 1",
        "SHOW TABLES FROM memory",
        "INSERT INTO sales SELECT 1",
        "INSERT INTO nothing SELECT 1",
        "INSERT INTO memory.films SELECT 1",
        "INSERT INTO sales SELECT 1 ON CONFLICT DO NOTHING",
        "INSERT INTO lance.inner_one SELECT 1",
        "DROP TABLE sales",
        "DROP TABLE IF EXISTS sales",
        "DROP TABLE main.films",
        "DROP TABLE lance.inner_one",
        "CREATE INDEX i ON sales (a)",
        "CREATE INDEX i ON sales (lower(a))",
        "DESCRIBE sales",
        "DESCRIBE seen",
        "DESCRIBE nothing",
        "SHOW sales",
        "CREATE TABLE lance.inner_one AS SELECT 1",
    ],
)
def test_what_is_not_of_lance_is_left_to_duckdb(bind: Binder, sql: str) -> None:
    assert bind(sql) is None


@pytest.mark.parametrize("name", ["films", "FILMS", '"Films"', "lance.films", "LANCE.Films"])
def test_names_ignore_case_and_may_be_qualified(bind: Binder, name: str) -> None:
    found = bind(f"DESCRIBE {name}")
    assert isinstance(found, DescribeTable)
    assert found.table.name == "films"
    assert isinstance(bind(f"SHOW INDEXES ON {name}"), ShowIndexes)
    dropped = bind(f"DROP TABLE {name}")
    assert isinstance(dropped, DropTable)
    assert dropped.name == "films"
    insert = bind(f"INSERT INTO {name} (TITLE, \"id\") SELECT 'x', 2")
    assert isinstance(insert, InsertInto)
    assert (insert.columns, insert.query.sql) == (("Title", "id"), "SELECT 'x', 2")
    replaced = bind(f"CREATE OR REPLACE TABLE {name} WITH (float16 = vector, vectors = false) AS SELECT 1")
    assert isinstance(replaced, CreateTable)
    assert (replaced.name, replaced.replace, replaced.options) == (
        "films",
        True,
        {"float16": "vector", "vectors": False},
    )


def test_paths(bind: Binder) -> None:
    path = bind.database.table_uri("films")
    described = bind(f"DESCRIBE '{path}'")
    assert isinstance(described, DescribeTable)
    assert described.table.uri == path
    missing = path.replace("films", "gone")
    assert refused(bind, f"DESCRIBE '{missing}'", UnknownTableError)[1] == f"'{missing}'"
    created = bind(f"CREATE TABLE '{missing}' AS SELECT 1")
    assert isinstance(created, CreateTable)
    assert created.name == missing


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO shared SELECT 1",
        "DROP TABLE shared",
        "DESCRIBE shared",
        "CREATE INDEX ON shared (id) USING BTREE",
        "SHOW INDEXES ON shared",
    ],
)
def test_a_name_of_both(bind: Binder, sql: str) -> None:
    message, place = refused(bind, sql, AmbiguousNameError)
    assert "'shared' is both a Lance table and a DuckDB table" in message
    assert "write lance.shared or memory.main.shared" in message
    assert place == "shared"
    assert bind(sql.replace("shared", "lance.shared")) is not None


def test_creating_under_the_name_of_a_duckdb_table(bind: Binder) -> None:
    message, place = refused(bind, "CREATE TABLE sales AS SELECT 1", AmbiguousNameError)
    assert "'sales' is a DuckDB table already" in message
    assert "write lance.sales or memory.main.sales" in message
    assert place == "sales"
    assert isinstance(bind("CREATE TABLE lance.sales AS SELECT 1"), CreateTable)


def test_creating_what_exists(bind: Binder) -> None:
    message, place = refused(bind, "CREATE TABLE Films AS SELECT 1", BindError)
    assert "table 'films' exists already" in message
    assert place == "Films"
    assert isinstance(bind("CREATE TABLE IF NOT EXISTS films AS SELECT 1"), CreateTable)


@pytest.mark.parametrize("name", ['"a b"', '"a/b"', '"é"', '""', '"../x"'])
def test_names_a_table_cannot_have(bind: Binder, name: str) -> None:
    message, place = refused(bind, f"CREATE TABLE {name} AS SELECT 1", BindError)
    assert "cannot be the name of a Lance table" in message
    assert place == name


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("DROP TABLE film", "film"),
        ("DROP TABLE lance.film", "lance.film"),
        ("CREATE INDEX ON film (id) USING BTREE", "film"),
        ("SHOW INDEXES ON film", "film"),
        ("DESCRIBE lance.film", "lance.film"),
        ("INSERT INTO lance.film SELECT 1", "lance.film"),
    ],
)
def test_unknown_tables(bind: Binder, sql: str, place: str) -> None:
    message, shown = refused(bind, sql, UnknownTableError)
    assert "Lance table 'film' does not exist" in message
    assert "did you mean 'films'? tables: films, shared" in message
    assert shown == place


def test_dropping_what_need_not_exist(bind: Binder) -> None:
    for name in ("film", "lance.film"):
        assert bind(f"DROP TABLE IF EXISTS {name}") == DropTable("film", None)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE new AS SELECT 1",
        "INSERT INTO films SELECT 1",
        "DROP TABLE films",
        "CREATE INDEX ON films (id) USING BTREE",
    ],
)
def test_a_database_for_reading_only(bind: Binder, sql: str) -> None:
    assert bind(sql) is not None
    bind.database.read_only = True
    assert "the database is open for reading only" in refused(bind, sql, UnsupportedError)[0]


def test_without_a_database_plain_names_are_duckdb_s(bind: Binder) -> None:
    bind.database = LanceDatabase(None)
    bind.has_database = False
    for sql in (
        "CREATE TABLE new AS SELECT 1",
        "INSERT INTO new SELECT 1",
        "DROP TABLE new",
        "CREATE INDEX i ON new (a)",
        "SHOW TABLES",
    ):
        assert bind(sql) is None, sql
    message, place = refused(bind, "CREATE TABLE lance.new AS SELECT 1", BindError)
    assert "this connection has no Lance database" in message
    assert place == "lance.new"


def test_show_tables(bind: Binder) -> None:
    assert bind("SHOW TABLES") == ShowTables()


def test_indexes_of_a_duckdb_table(bind: Binder) -> None:
    assert "'sales' is a DuckDB table" in refused(bind, "SHOW INDEXES ON sales", UnsupportedError)[0]


def test_columns_of_an_insert(bind: Binder) -> None:
    message, place = refused(bind, "INSERT INTO films (titel) SELECT 1", UnknownColumnError)
    assert "table 'films' has no column 'titel'" in message
    assert "did you mean 'Title'?" in message
    assert place == "titel"
    assert refused(bind, "INSERT INTO films (id, ID) SELECT 1, 2", BindError)[1] == "ID"
    assert refused(bind, "INSERT INTO films (films.id) SELECT 1", UnsupportedError)[1] == "films.id"
    assert refused(bind, "INSERT INTO films SELECT 1 RETURNING (SELECT 1)", UnsupportedError)[1] == "(SELECT 1)"


@pytest.mark.parametrize(
    ("using", "kind"),
    [
        ("(vector) USING ivf_pq", "IVF_PQ"),
        ("(vector) USING hnsw", "IVF_HNSW_SQ"),
        ("(vector) USING ivfflat", "IVF_FLAT"),
        ("USING IVF_RQ (vector)", "IVF_RQ"),
        ("(bits) USING IVF_FLAT", "IVF_FLAT"),
        ("(many) USING IVF_PQ", "IVF_PQ"),
        ("(title) USING inverted", "FTS"),
        ("(tags) USING FTS", "FTS"),
        ("(tags) USING LABEL_LIST", "LABEL_LIST"),
        ("(id) USING BTREE", "BTREE"),
        ("(flag) USING BITMAP", "BITMAP"),
        ("(Title) USING NGRAM", "NGRAM"),
        ("(id) USING ZONEMAP", "ZONEMAP"),
        ("(id) USING BLOOMFILTER", "BLOOMFILTER"),
    ],
)
def test_kinds_of_index(bind: Binder, using: str, kind: str) -> None:
    command = bind(f"CREATE INDEX ON films {using}")
    assert isinstance(command, CreateIndex)
    assert (command.kind, command.name, command.options) == (kind, None, {})
    assert command.column in ROWS.column_names


def test_options_of_an_index(bind: Binder) -> None:
    command = bind(
        "CREATE OR REPLACE INDEX IF NOT EXISTS i ON films (vector) USING IVF_PQ "
        "WITH (distance_type = 'inner_product', num_sub_vectors = 4, num_bits = 4, max_iters = 9, lists = 1)"
    )
    assert isinstance(command, CreateIndex)
    assert (command.name, command.replace, command.if_not_exists) == ("i", True, True)
    assert command.options == {
        "metric": "dot",
        "num_sub_vectors": 4,
        "num_bits": 4,
        "max_iterations": 9,
        "num_partitions": 1,
    }
    words = "CREATE INDEX ON films (Title) USING FTS WITH (language = german, stem = off, with_position = 'true')"
    text = bind(words)
    assert isinstance(text, CreateIndex)
    assert text.options == {"language": "German", "stem": False, "with_position": True}


GRAMS = {"base_tokenizer": "ngram", "stem": False, "remove_stop_words": False, "with_position": False}


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ("language = 'de'", {"language": "German"}),
        ("language = 'pt-BR'", {"language": "Portuguese"}),
        ("lang = NB", {"language": "Norwegian"}),
        ("language = english, stem = off", {"language": "English", "stem": False}),
        ("language = 'zh'", {**GRAMS, "ngram_min_length": 2, "ngram_max_length": 2}),
        ("language = Japanese", {**GRAMS, "ngram_min_length": 2, "ngram_max_length": 2}),
        ("language = 'ko-KR', ngram_max = 3", {**GRAMS, "ngram_min_length": 2, "ngram_max_length": 3}),
        ("tokenizer = ngram, ngram_min = 5", {**GRAMS, "ngram_min_length": 5, "ngram_max_length": 5}),
        ("tokenizer = ngram, ngram_max = 1", {**GRAMS, "ngram_min_length": 1, "ngram_max_length": 1}),
        ("language = de, tokenizer = ngram", {**GRAMS, "ngram_min_length": 2, "ngram_max_length": 2}),
        ("language = 'th'", {"base_tokenizer": "icu", "stem": False, "remove_stop_words": False}),
        ("language = 'zh', tokenizer = icu", {"base_tokenizer": "icu", "stem": False, "remove_stop_words": False}),
        ("language = 'pl'", {"base_tokenizer": "icu", "stem": False, "remove_stop_words": False}),
        ("tokenizer = 'icu/split'", {"base_tokenizer": "icu/split"}),
    ],
)
def test_languages_of_a_text_index(bind: Binder, given: str, options: dict[str, object]) -> None:
    command = bind(f"CREATE INDEX ON films (Title) USING FTS WITH ({given})")
    assert isinstance(command, CreateIndex)
    assert command.options == options


@pytest.mark.parametrize(
    ("using", "place", "parts"),
    [
        ("(vector) USING IVF_PX", "IVF_PX", ["'IVF_PX' is not a kind of index", "did you mean IVF_PQ?"]),
        ("(vector) USING FTS", "vector", ["FTS does not fit column 'vector'", "IVF_PQ, IVF_FLAT"]),
        ("(Title) USING IVF_PQ", "Title", ["IVF_PQ does not fit column 'Title', which is VARCHAR", "FTS, BTREE"]),
        ("(numbers) USING IVF_PQ", "numbers", ["make the table with numbers::FLOAT[n] AS numbers"]),
        ("(id) USING LABEL_LIST", "id", ["LABEL_LIST does not fit column 'id'", "BTREE, BITMAP"]),
        ("(point) USING BTREE", "point", ["no kind of index fits this type"]),
        ("(flag) USING BLOOMFILTER", "flag", ["BLOOMFILTER does not fit column 'flag'"]),
        ("(bits) USING IVF_PQ", "bits", ["which holds bytes", "IVF_FLAT or IVF_HNSW_FLAT would fit"]),
        ("(bits) USING IVF_FLAT WITH (metric = l2)", "l2", ["whose only metric is hamming"]),
        ("(vector) USING IVF_FLAT WITH (metric = hamming)", "hamming", ["hamming compares bytes"]),
        ("(many) USING IVF_PQ WITH (metric = l2)", "l2", ["whose only metric is cosine"]),
        ("(odd) USING IVF_RQ", "odd", ["IVF_RQ needs a number of dimensions that 8 divides"]),
        ("(vectr) USING IVF_PQ", "vectr", ["table 'films' has no column 'vectr'", "did you mean 'vector'?"]),
        ("(vector) USING IVF_PQ WITH (metrik = l2)", "metrik", ["no option 'metrik'", "did you mean 'metric'?"]),
        ("(id) USING BTREE WITH (a = 1)", "a", ["BTREE takes no options"]),
        ("(vector) USING IVF_PQ WITH (metric = l1)", "l1", ["option 'metric' is one of l2, cosine, dot, hamming"]),
        ("(vector) USING IVF_PQ WITH (num_bits = 5)", "5", ["option 'num_bits' is 4 or 8, not 5"]),
        ("(vector) USING IVF_RQ WITH (num_bits = 10)", "10", ["a whole number from 1 to 9, not 10"]),
        ("(vector) USING IVF_PQ WITH (num_partitions = 0)", "0", ["a whole number from 1 to"]),
        ("(vector) USING IVF_PQ WITH (num_partitions = '3')", "'3'", ["a whole number from 1 to"]),
        ("(vector) USING IVF_PQ WITH (num_partitions = true)", "true", ["a whole number from 1 to"]),
        ("(vector) USING HNSW WITH (m = 2)", "2", ["a whole number from 4 to"]),
        (
            "(vector) USING IVF_PQ WITH (num_sub_vectors = 3)",
            "3",
            ["has to divide the 16 dimensions", "1, 2, 4, 8, 16"],
        ),
        ("(vector) USING IVF_PQ WITH (num_sub_vectors = 1, num_bits = 4)", "1", ["even when num_bits = 4"]),
        ("(many) USING IVF_PQ WITH (num_sub_vectors = 4)", "4", ["has to divide the 2 dimensions"]),
        (
            "(vector) USING IVF_PQ WITH (num_partitions = 1, target_partition_size = 2)",
            "2",
            ["exclude each other"],
        ),
        ("(vector) USING IVF_PQ WITH (metric = l2, metric_type = l2)", "metric_type", ["'metric' is given twice"]),
        (
            "(Title) USING FTS WITH (language = klingon)",
            "klingon",
            ["'klingon' is not a language", "stemmed are Arabic"],
        ),
        ("(Title) USING FTS WITH (language = 'germn')", "'germn'", ["did you mean 'German'?"]),
        ("(Title) USING FTS WITH (language = 3)", "3", ["option 'language' is a code like 'de'"]),
        (
            "(Title) USING FTS WITH (language = zh, stem = true)",
            "true",
            ["does not fit Chinese: an index knows no endings there"],
        ),
        (
            "(Title) USING FTS WITH (language = pl, remove_stop_words = on)",
            "on",
            ["does not fit Polish: an index knows no stop words there"],
        ),
        ("(Title) USING FTS WITH (language = ko, with_position = true)", "true", ["grams have no places"]),
        ("(Title) USING FTS WITH (tokenizer = ngram, max_token_length = 3)", "3", ["how long a gram is"]),
        ("(Title) USING FTS WITH (tokenizer = ngram, prefix_only = true)", "true", ["leaves out all of a text"]),
        ("(Title) USING FTS WITH (tokenizer = icuu)", "icuu", ["did you mean 'icu'?"]),
        ("(Title) USING FTS WITH (stemm = true)", "stemm", ["did you mean 'stem'?"]),
        ("(Title) USING FTS WITH (ascii_folding = 2)", "2", ["option 'ascii_folding' is true or false"]),
        ("(Title) USING FTS WITH (max_token_length = 0)", "0", ["a whole number from 1 to"]),
        ("(Title) USING FTS WITH (stem = maybe)", "maybe", ["option 'stem' is true or false"]),
        ("(Title) USING FTS WITH (ngram_min_length = 2)", "2", ["needs base_tokenizer = 'ngram'"]),
        (
            "(Title) USING FTS WITH (base_tokenizer = ngram, ngram_min_length = 4, ngram_max_length = 2)",
            "4",
            ["ngram_min_length 4 is more than ngram_max_length 2"],
        ),
    ],
)
def test_indexes_that_do_not_fit(bind: Binder, using: str, place: str, parts: list[str]) -> None:
    message, shown = refused(bind, f"CREATE INDEX ON films {using}", BindError)
    for part in parts:
        assert part in message
    assert shown == place


def test_an_index_within_a_column_and_on_several(bind: Binder) -> None:
    assert refused(bind, "CREATE INDEX ON films (point.x) USING ZONEMAP", UnsupportedError)[1] == "point.x"
    assert refused(bind, "CREATE INDEX ON films (id, flag) USING BTREE", UnsupportedError)[1] == "(id, flag)"


@pytest.mark.parametrize(
    ("options", "place", "part"),
    [
        ("flot16 = true", "flot16", "did you mean 'float16'? CREATE TABLE takes float16, vectors"),
        ("float16 = 1", "1", "option 'float16' is true, the name of a column, or a list of names, not 1"),
        ("float16 = []", "[]", "option 'float16' is true"),
        ("vectors = 'v'", "'v'", "option 'vectors' is true or false"),
    ],
)
def test_options_of_a_table(bind: Binder, options: str, place: str, part: str) -> None:
    message, shown = refused(bind, f"CREATE TABLE new WITH ({options}) AS SELECT 1", ArgumentError)
    assert part in message
    assert shown == place


def test_a_name_two_columns_could_have(tmp_path: Path, bind: Binder) -> None:
    import lance

    lance.write_dataset(pa.table([[1], [2]], names=["Ab", "aB"]), bind.database.table_uri("cased"))
    message, place = refused(bind, "CREATE INDEX ON cased (AB) USING BTREE", AmbiguousNameError)
    assert '\'AB\' could be any of "Ab", "aB"' in message
    assert place == "AB"
    command = bind('CREATE INDEX ON cased ("aB") USING BTREE')
    assert isinstance(command, CreateIndex)
    assert command.column == "aB"


def test_through_the_connection(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        rows = "SELECT range AS id, 'word' || range AS s, [range, 1, 2]::FLOAT[] AS v FROM range(300)"
        assert db.execute(f"CREATE TABLE t WITH (float16 = v) AS {rows}").fetchall() == [(300,)]
        assert db.execute("INSERT INTO t SELECT * FROM t WHERE id < 10").fetchall() == [(10,)]
        assert db.execute("INSERT INTO t VALUES (?, ?, ?)", [999, None, [0.5, 1, 2]]).fetchall() == [(1,)]
        (built,) = db.execute("CREATE INDEX ON t (v) USING IVF_PQ WITH (metric = cosine)").fetchall()
        assert built[:6] == ("t", "v_idx", "IVF_PQ", "v", "cosine", 1)
        assert built[8:10] == (311, 0)
        db.execute("CREATE INDEX words ON t USING FTS (s)")
        assert [row[1:5] for row in db.sql("SHOW INDEXES ON t").fetchall()] == [
            ("v_idx", "IVF_PQ", "v", "cosine"),
            ("words", "FTS", "s", None),
        ]
        assert [row[:4] for row in db.sql("DESCRIBE t").fetchall()] == [
            ("id", "BIGINT", "YES", None),
            ("s", "VARCHAR", "YES", "words"),
            ("v", "FLOAT16[3]", "YES", "v_idx"),
        ]
        assert [row[:2] for row in db.sql("SHOW TABLES").fetchall()] == [("t", 311)]
        with pytest.raises(lancesql.ExecutionError, match="vectors of 3 dimensions, and a row has 2") as caught:
            db.execute("INSERT INTO t (v) SELECT [1.0, 2.0]::FLOAT[] FROM range(100000)")
        assert db.sql("SELECT count(*) FROM t").fetchall() == [(311,)], caught
        assert db.execute("DROP TABLE t").fetchall() == []
        assert db.tables() == []
