"""INSERT in all its forms writes what DuckDB writes, constraints kept; what fails writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import lance
import pytest

import lancesql

from .processes import PROCESSES
from .rows import count_rows, run_oracle

DEFINITION = """(
    id BIGINT PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'no' || 'ne', n INTEGER DEFAULT 3 CHECK (n < 1000), x DOUBLE
)"""
FILLED = "INSERT INTO t SELECT i, 'name ' || i, i * 2, i / 4 FROM range(10) r(i)"
MORE = "CREATE TABLE more AS SELECT unnest([1, 5, NULL, 7]) AS k"
STATEMENTS = tuple(
    line.removesuffix(";")
    for line in Path(__file__).with_name("inserts.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("--")
)
Pair = tuple[lancesql.Connection, duckdb.DuckDBPyConnection]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    own, oracle = duckdb.connect(), duckdb.connect()
    with lancesql.connect(tmp_path, duckdb=own) as db:
        for statement in (f"CREATE TABLE t {DEFINITION}", FILLED):
            db.execute(statement)
            oracle.execute(statement)
        own.execute(MORE)
        oracle.execute(MORE)
        yield db, oracle
    own.close()
    oracle.close()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_same_rows(pair: Pair, statement: str) -> None:
    db, oracle = pair
    answer, expected = db.sql(statement).to_arrow(), run_oracle(oracle, statement)
    assert count_rows(answer) == count_rows(expected)
    kept, wanted = db.sql("FROM t").to_arrow(), run_oracle(oracle, "FROM t")
    assert count_rows(kept) == count_rows(wanted)


REFUSED = (
    ("INSERT INTO t (id, n) VALUES (50, 2000)", "a row breaks CHECK (n < 1000) of table 't' (t_n_check): n = 2000"),
    ("UPDATE t SET n = 5000 WHERE id = 3", "a row breaks CHECK"),
    ("INSERT INTO t (id, n) VALUES (1, 2000) ON CONFLICT DO UPDATE SET n = excluded.n", "a row breaks CHECK"),
    ("INSERT INTO t (id, name) VALUES (50, NULL)", "column 'name' cannot be NULL"),
    ("UPDATE t SET name = NULL", "column 'name' cannot be NULL"),
    ("INSERT INTO t (name) VALUES ('x')", "column 'id' of table 't' cannot be NULL, and the query does not give it"),
    ("INSERT INTO t DEFAULT VALUES", "column 'id' cannot be NULL"),
    ("INSERT INTO t (id) VALUES (70), (70) ON CONFLICT DO NOTHING", "two rows to insert have the same id"),
    ("INSERT INTO t (id, n) VALUES (1, 1), (1, 2) ON CONFLICT DO UPDATE SET n = excluded.n", "more than one row"),
    ("INSERT INTO t (id) SELECT k FROM more ON CONFLICT DO NOTHING", "column 'id' cannot be NULL"),
    ("INSERT INTO t (n) VALUES (1) ON CONFLICT DO NOTHING", "do not give 'id'"),
    ("INSERT INTO t (id) VALUES (1) ON CONFLICT (nmae) DO NOTHING", "did you mean 'name'"),
    ("INSERT INTO t VALUES (1, 'a', 2)", "has 4 columns, and the query gives 3"),
    ("INSERT INTO t (id, id) VALUES (1, 2)", "is set twice"),
    ("INSERT OR IGNORE INTO t VALUES (1, 'a', 2, 3) ON CONFLICT DO NOTHING", "exclude each other"),
    ("INSERT INTO t (id) VALUES (80) RETURNING nope", "nope"),
    ("INSERT INTO t (id, n) VALUES (80, 'many')", "does not fit"),
)


@pytest.mark.parametrize(("statement", "message"), REFUSED)
def test_failure_writes_nothing(pair: Pair, tmp_path: Path, statement: str, message: str) -> None:
    db, _ = pair
    before = db.sql("SELECT *, _rowid FROM t ORDER BY id").to_arrow()
    version = lance.dataset(tmp_path / "t.lance").latest_version
    with pytest.raises(lancesql.LanceSQLError) as caught:
        db.execute(statement)
    assert message in str(caught.value)
    assert "__lancesql" not in str(caught.value)
    assert lance.dataset(tmp_path / "t.lance").latest_version == version
    assert db.sql("SELECT *, _rowid FROM t ORDER BY id").to_arrow().equals(before)


def upsert(folder: str, number: int) -> None:
    with lancesql.connect(folder) as db:
        for key in range(12):
            db.execute(
                "INSERT INTO t (id, hits, last) VALUES ($key, 1, $n)"
                " ON CONFLICT DO UPDATE SET hits = hits + 1, last = excluded.last",
                {"key": key, "n": number},
            )


@pytest.mark.parametrize("indexed", [False, True])
def test_upserts_of_the_same_new_keys_make_one_row_each(tmp_path: Path, indexed: bool) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, hits BIGINT, last BIGINT)")
        if indexed:
            db.execute("INSERT INTO t VALUES (1000, 0, 0)")
            db.execute("CREATE INDEX ON t (id) USING BTREE")
        writers = [PROCESSES.Process(target=upsert, args=(str(tmp_path), number)) for number in (1, 2)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert [writer.exitcode for writer in writers] == [0, 0]
        assert db.sql("SELECT id, hits FROM t WHERE id < 1000 ORDER BY id").fetchall() == [
            (key, 2) for key in range(12)
        ]


def test_a_definition_keeps_its_types(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute(
            "CREATE TABLE t (v FLOAT[4], h HALF[4], b UTINYINT[8], d DECIMAL(10, 2), l INTEGER[],"
            " s STRUCT(a INT, b VARCHAR), z TIMESTAMPTZ, e TIMESTAMP_MS, u UBIGINT, f FLOAT)"
        )
        types = {row[0]: row[1] for row in db.sql("DESCRIBE t").fetchall()}
        assert types == {
            "v": "FLOAT[4]",
            "h": "FLOAT16[4]",
            "b": "UTINYINT[8]",
            "d": "DECIMAL(10,2)",
            "l": "INTEGER[]",
            "s": "STRUCT(a INTEGER, b VARCHAR)",
            "z": "TIMESTAMP WITH TIME ZONE",
            "e": "TIMESTAMP_MS",
            "u": "UBIGINT",
            "f": "FLOAT",
        }
        db.execute("INSERT INTO t (v, h) VALUES ([1, 2, 3, 4], [0.5, 1, 2, 3])")
        assert db.sql("SELECT v, h FROM vector_search('t', v, [1, 2, 3, 4], k => 1)").fetchall() == [
            ((1.0, 2.0, 3.0, 4.0), (0.5, 1.0, 2.0, 3.0))
        ]
