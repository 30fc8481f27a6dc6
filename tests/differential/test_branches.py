"""Branches that are written to: each is a table of its own, and what it began at stays as it was."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import lance
import pyarrow as pa
import pytest

import lancesql
from lancesql import (
    ArgumentError,
    ConflictError,
    ConstraintError,
    LanceSQLError,
    StorageError,
    UnsupportedError,
    dbapi,
)

from .rows import count_rows, run_oracle
from .test_changes import COLUMNS, ROWS, SOURCES, STATEMENTS, open_pair, write_pair

DEV = "t AT (BRANCH => 'dev')"
TARGET = re.compile(r"\b(DELETE FROM|UPDATE|MERGE INTO|INTO|TRUNCATE TABLE|TRUNCATE) t\b")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    statements = ("CREATE INDEX ON t (id) USING BTREE", "CREATE BRANCH dev ON t")
    with write_pair(tmp_path_factory.mktemp("branches"), *statements) as both:
        yield both


@pytest.fixture
def pair(
    written: tuple[Path, duckdb.DuckDBPyConnection], tmp_path: Path
) -> Iterator[tuple[lancesql.Connection, duckdb.DuckDBPyConnection]]:
    with open_pair(written, tmp_path) as both:
        yield both


def look(db: lancesql.Connection, table: str = "t") -> tuple[Any, Any]:
    """The rows of a table with their ids, and its versions."""
    rows = db.sql(f"SELECT _rowid, {COLUMNS} FROM {table} ORDER BY _rowid").fetchall()
    return rows, db.sql(f"SELECT version FROM (SHOW VERSIONS ON {table})").fetchall()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_change_of_a_branch_is_that_of_a_table(
    pair: tuple[lancesql.Connection, duckdb.DuckDBPyConnection], statement: str
) -> None:
    db, oracle = pair
    before = look(db)
    changed, count = TARGET.subn(r"\1 " + DEV, statement, count=1)
    assert count == 1
    answer, expected = db.sql(changed).to_arrow(), run_oracle(oracle, statement)
    assert count_rows(answer) == count_rows(expected)
    assert answer.schema.names == [name.lower() for name in expected.schema.names]
    kept = db.sql(f"SELECT {COLUMNS} FROM {DEV}").to_arrow()
    assert count_rows(kept) == count_rows(run_oracle(oracle, f"SELECT {COLUMNS} FROM t"))
    assert look(db) == before


MERGE = """MERGE INTO t USING more ON t.id = more.id WHEN MATCHED THEN UPDATE SET name = more.name
WHEN NOT MATCHED THEN INSERT (id, name, amount) VALUES (more.id, more.name, more.amount)"""
LIFE = (
    f"INSERT INTO t {ROWS.replace('range(40)', 'range(40, 60)')}",
    "DELETE FROM t WHERE id % 5 = 2",
    "UPDATE t SET amount = amount + 100, vector = [id, id]::FLOAT[2] WHERE id BETWEEN 10 AND 45",
    "CREATE INDEX amounts ON t (amount) USING BITMAP",
    MERGE,
    "OPTIMIZE t",
    "INSERT INTO t (id, name) VALUES (200, 'late'), (3, 'again') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
    "UPDATE t SET id = id + 1000 WHERE id > 150",
    "REINDEX t",
    "DELETE FROM t WHERE name IS NULL",
    "OPTIMIZE t",
    "DROP INDEX amounts ON t",
)
ASKED = ("true", "id = 3", "id > 40", "amount BETWEEN 100 AND 108", "amount IS NULL", "name = 'again' OR id = 1200")


def test_two_branches_and_the_table_live_apart(tmp_path: Path) -> None:
    """Three lines of one table, each with its twin in DuckDB; each statement is for one of them, in turn."""
    lines = {"t": "t", "dev": DEV, "sub": "t AT (BRANCH => 'sub')"}
    own = duckdb.connect()
    with lancesql.connect(tmp_path, duckdb=own) as db, duckdb.connect() as oracle:
        for connection in (own, oracle):
            for source in SOURCES:
                connection.execute(source)
        db.execute(f"CREATE TABLE t AS {ROWS}; CREATE INDEX ON t (id) USING BTREE")
        db.execute("CREATE BRANCH dev ON t; CREATE BRANCH sub ON t AS OF BRANCH 'dev'")
        for name in lines:
            oracle.execute(f"CREATE TABLE {name} AS {ROWS}")
        for statement in LIFE:
            for name in ("sub", "t", "dev"):
                db.execute(re.sub(r"\bt\b(?!\.)", lines[name], statement, count=1))
                if not re.search("INDEX|OPTIMIZE", statement):
                    _run_twin(oracle, statement, name)
                for other, line in lines.items():
                    for where in ASKED:
                        got = db.sql(f"SELECT {COLUMNS} FROM {line} WHERE {where}").to_arrow()
                        want = run_oracle(oracle, f"SELECT {COLUMNS} FROM {other} WHERE {where}")
                        assert count_rows(got) == count_rows(want), (statement, name, other, where)
        found = db.sql("SELECT id FROM vector_search('t', [20, 20], k => 3, branch => 'dev')").fetchall()
        nearest = "ORDER BY array_distance(vector, [20, 20]::FLOAT[2]) LIMIT 3"
        assert sorted(found) == sorted(oracle.sql(f"SELECT id FROM dev WHERE vector IS NOT NULL {nearest}").fetchall())
        db.execute("VACUUM t OLDER THAN '0 seconds' WITH (delete_unverified = true)")
        with lancesql.connect(tmp_path) as another:
            for name, line in lines.items():
                got = another.sql(f"SELECT {COLUMNS} FROM {line}").to_arrow()
                assert count_rows(got) == count_rows(run_oracle(oracle, f"SELECT {COLUMNS} FROM {name}"))
    own.close()


def _run_twin(oracle: duckdb.DuckDBPyConnection, statement: str, name: str) -> None:
    """DuckDB has no key to conflict by: the upsert is written out as what it does."""
    if "ON CONFLICT" in statement:
        oracle.execute(f"UPDATE {name} SET name = 'again' WHERE id = 3; UPDATE {name} SET name = 'late' WHERE id = 200")
        for id_, word in ((200, "late"), (3, "again")):
            oracle.execute(
                f"INSERT INTO {name} (id, name) SELECT {id_}, '{word}' WHERE NOT EXISTS (FROM {name} WHERE id = {id_})"
            )
        return
    oracle.execute(re.sub(r"\bt\b", name, statement))


def test_a_branch_is_read_as_it_is_written(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db, lancesql.connect(tmp_path) as other:
        db.execute("CREATE TABLE t AS SELECT i AS id FROM range(3) r(i); CREATE BRANCH dev ON t")
        for number in range(4):
            assert db.execute(f"INSERT INTO {DEV} VALUES ({10 + number})").fetchall() == [(1,)]
            assert other.sql(f"SELECT max(id) FROM {DEV}").fetchall() == [(10 + number,)]
            assert other.sql("SELECT max(id) FROM t").fetchall() == [(2,)]
            first = other.sql("SELECT count(*) FROM t AT (BRANCH => $b, VERSION => $v)", {"b": "dev", "v": 1})
            assert first.fetchall() == [(3,)]
        side: Any = lance.dataset(tmp_path / "t.lance").checkout_version(("dev", None))
        assert sorted(side.to_table()["id"].to_pylist()) == [0, 1, 2, 10, 11, 12, 13]
        lance.write_dataset(pa.table({"id": pa.array([99], pa.int64())}), side, mode="append")
        assert db.execute(f"DELETE FROM {DEV} WHERE id > 11 RETURNING id").fetchall() == [(12,), (13,), (99,)]
        versions = db.sql(f"SELECT version, operation FROM (SHOW VERSIONS ON {DEV}) ORDER BY version").fetchall()
        assert [one for _, one in versions] == ["CLONE", *["INSERT"] * 5, "DELETE"]
        db.execute("CREATE TAG half ON t AS OF BRANCH dev VERSION 3")
        tags = db.sql(f"SELECT tags FROM (SHOW VERSIONS ON {DEV}) WHERE version = 3").fetchall()
        assert tags == [(["half"],)]
        assert db.sql("DIFF TABLE t BETWEEN VERSION 1 AND BRANCH 'dev'").to_arrow()["id"].to_pylist() == [10, 11]
        merged = f"MERGE INTO t USING {DEV} AS d ON t.id = d.id WHEN NOT MATCHED THEN INSERT BY NAME"
        assert db.execute(merged).fetchall() == [(2,)]
        assert db.sql("SELECT id FROM t ORDER BY id").fetchall() == [(0,), (1,), (2,), (10,), (11,)]


def test_the_main_line_has_a_name_too(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT range AS id FROM range(9)")
        db.execute("CREATE BRANCH dev ON t")
        db.execute(f"TRUNCATE {DEV}")
        assert db.sql("DELETE FROM t AT (BRANCH => 'main') WHERE id > 6").fetchall() == [(2,)]
        for at, count in [("", 7), ("AT (BRANCH => 'main')", 7), ("AT (BRANCH => 'main', VERSION => 1)", 9)]:
            assert db.sql(f"SELECT count(*) FROM t {at}").fetchall() == [(count,)]


def test_another_branch_of_the_name(tmp_path: Path) -> None:
    """Version numbers begin anew, and what was known of the first branch says nothing of the second."""
    with lancesql.connect(tmp_path) as db, lancesql.connect(tmp_path) as other:
        db.execute("CREATE TABLE t AS SELECT i AS id FROM range(3) r(i)")
        for number in range(4):
            db.execute("CREATE BRANCH dev ON t")
            db.execute(f"INSERT INTO {DEV} VALUES ({100 + number})")
            for connection in (db, other):
                rows = connection.sql(f"SELECT id FROM {DEV} WHERE id > 50").fetchall()
                assert rows == [(100 + number,)]
            db.execute("DROP BRANCH dev ON t")
            for connection in (db, other):
                with pytest.raises(ArgumentError, match="no branch 'dev'"):
                    connection.execute(f"INSERT INTO {DEV} VALUES (1)")


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("INSERT INTO t AT (VERSION => 1) VALUES (1, 'x')", UnsupportedError, "a version never changes"),
        ("DELETE FROM t AT (TAG => 'first') WHERE id = 1", UnsupportedError, "a version never changes"),
        ("UPDATE t AT (TIMESTAMP => '2199-01-01') SET id = 1", UnsupportedError, "a version never changes"),
        ("TRUNCATE t AT (BRANCH => 'dev', VERSION => 2)", UnsupportedError, "a version never changes"),
        ("CREATE INDEX ON t AT (VERSION => 1) (id)", UnsupportedError, "a version never changes"),
        ("OPTIMIZE t AT (VERSION => 1)", UnsupportedError, "a version never changes"),
        ("MERGE INTO t AT (TAG => 'none') d USING t ON t.id = d.id WHEN MATCHED THEN DELETE", ArgumentError, "no tag"),
        ("DELETE FROM t AT (BRANCH => 'devv')", ArgumentError, "did you mean 'dev'?"),
        ("SELECT * FROM t VERSION AS OF 'dev'", ArgumentError, "a branch has that name: AT (BRANCH => 'dev')"),
        ("DELETE FROM t AT (BRANCH => dev, VERSION => 'x')", LanceSQLError, "a version of a branch is a number"),
        ("INSERT INTO t AT (BRANCH => 'dev') VALUES (1)", LanceSQLError, "2 columns, and the query gives 1"),
        ("INSERT INTO t AT (BRANCH => 'dev') SELECT idd, s FROM t", LanceSQLError, "did you mean 'id'?"),
        ("INSERT INTO t AT (BRANCH => 'dev') VALUES (NULL, 'x')", ConstraintError, "NULL"),
        ("UPDATE t AT (BRANCH => 'dev') SET id = -1 WHERE id = 1", ConstraintError, "CHECK"),
        ("UPDATE t AT (BRANCH => 'dev') SET nope = 1", LanceSQLError, "no column 'nope'"),
        ("MERGE INTO t AT (BRANCH => 'dev') USING t ON true WHEN MATCHED THEN DELETE", LanceSQLError, "both sides"),
        ("INSERT INTO t AT (BRANCH => $b) VALUES (1, 'x')", LanceSQLError, "no value for parameter $b"),
        ("ALTER TABLE t AT (BRANCH => 'dev') DROP COLUMN s", LanceSQLError, ""),
        ("DROP TABLE t AT (BRANCH => 'dev')", LanceSQLError, ""),
        ("VACUUM t AT (VERSION => 1)", UnsupportedError, "a version never changes"),
    ],
)
def test_what_is_refused_changes_nothing(tmp_path: Path, sql: str, error: type[Exception], message: str) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t (id INTEGER NOT NULL CHECK (id >= 0), s VARCHAR)")
        db.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b'); CREATE TAG first ON t; CREATE BRANCH dev ON t")

        def look_at_all() -> list[Any]:
            names = ("t", DEV)
            return [(db.sql(f"FROM {one}").fetchall(), db.sql(f"SHOW VERSIONS ON {one}").fetchall()) for one in names]

        before = look_at_all()
        with pytest.raises(error) as caught:
            db.execute(sql)
        assert message in str(caught.value)
        assert look_at_all() == before


def test_every_name_of_a_table(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "main") as db:
        db.execute(f"ATTACH '{tmp_path / 'other'}' AS other (TYPE LANCE)")
        for name in ("lance.t", "other.t"):
            db.execute(f"CREATE TABLE {name} AS SELECT i AS id FROM range(3) r(i); CREATE BRANCH dev ON {name}")
        path = tmp_path / "main" / "t.lance"
        for number, name in enumerate(("t", "lance.t", "other.t", "other.main.t", f"'{path}'")):
            at = f"{name} AT (BRANCH => 'dev')"
            db.execute(f"INSERT INTO {at} VALUES ({10 + number})")
            db.execute(f"UPDATE {at} AS d SET id = d.id + 100 WHERE d.id = {10 + number}")
            assert db.sql(f"SELECT max(id) FROM {at}").fetchall() == [(110 + number,)]
        db.execute("USE other")
        db.execute(f"DELETE FROM lance.t AT (BRANCH => 'dev') WHERE lance.t.id = 110; DELETE FROM {DEV} WHERE id > 100")
        assert db.sql("SELECT id FROM lance.t AT (BRANCH => 'dev') WHERE id > 2 ORDER BY id").fetchall() == [
            (111,),
            (114,),
        ]
        join = "MERGE INTO other.t AT (BRANCH => 'dev') USING lance.t AT (BRANCH => 'dev') ON other.t.id = lance.t.id"
        assert db.execute(f"{join} WHEN NOT MATCHED THEN INSERT BY NAME").fetchall() == [(2,)]
        assert db.sql(f"SELECT count(*) FROM {DEV}").fetchall() == [(5,)]
        assert db.sql("SELECT count(*) FROM t").fetchall() == [(3,)]


def test_executemany_is_one_commit(tmp_path: Path) -> None:
    with dbapi.connect(tmp_path) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t AS SELECT i AS id, 'x' AS s FROM range(5) r(i)")
        cursor.execute("CREATE BRANCH dev ON t")
        cursor.executemany(f"INSERT INTO {DEV} VALUES (?, ?)", [(10, "a"), (11, "b")])
        cursor.executemany(f"UPDATE {DEV} SET s = ? WHERE id = ?", [("c", 10), ("d", 11), ("e", 1)])
        cursor.executemany("DELETE FROM t AT (BRANCH => ?) WHERE id = ?", [("dev", 2), ("dev", 3)])
        rows = cursor.execute(f"SELECT id, s FROM {DEV} ORDER BY id").fetchall()
        assert rows == [(0, "x"), (1, "e"), (4, "x"), (10, "c"), (11, "d")]
        assert cursor.execute(f"SELECT count(*) FROM (SHOW VERSIONS ON {DEV})").fetchall() == [(5,)]
        assert cursor.execute("SELECT count(*) FROM t").fetchall() == [(5,)]


@pytest.mark.parametrize("key", ["", ", PRIMARY KEY (id)"])
def test_writers_of_one_branch_lose_nothing(tmp_path: Path, key: str) -> None:
    """Each adds one to every row, and a row of its own, while others write to the table itself."""
    with lancesql.connect(tmp_path) as db:
        db.execute(f"CREATE TABLE t (id INTEGER, n INTEGER{key})")
        db.execute("INSERT INTO t SELECT i, 0 FROM range(4) r(i); CREATE BRANCH dev ON t")
    failures: list[BaseException] = []

    def write(line: str, first: int) -> None:
        try:
            with lancesql.connect(tmp_path) as db:
                for number in range(4):
                    db.execute(f"UPDATE {line} SET n = n + 1 WHERE id < 4")
                    db.execute(f"INSERT INTO {line} VALUES ({first + number}, 1)")
                    if key:  # nothing else keeps two new rows of one key apart
                        upsert = "ON CONFLICT (id) DO UPDATE SET n = n + excluded.n"
                        db.execute(f"INSERT INTO {line} VALUES (77, 1) {upsert}")
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [
        threading.Thread(target=write, args=(line, 100 * number)) for number, line in enumerate((DEV, DEV, DEV, "t"), 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with lancesql.connect(tmp_path) as db:
        for line, writers in ((DEV, 3), ("t", 1)):
            assert db.sql(f"SELECT DISTINCT n FROM {line} WHERE id < 4").fetchall() == [(4 * writers,)]
            assert db.sql(f"SELECT count(*) FROM {line} WHERE id >= 100").fetchall() == [(4 * writers,)]
            assert db.sql(f"SELECT n FROM {line} WHERE id = 77").fetchall() == ([(4 * writers,)] if key else [])
            ids = db.sql(f"SELECT count(*), count(DISTINCT _rowid) FROM {line}").fetchall()
            assert ids[0][0] == ids[0][1]


def test_a_stream_cannot_be_read_again(tmp_path: Path) -> None:
    """A branch conflicts as a table does: what reads a stream says so, and has written nothing."""
    with lancesql.connect(tmp_path) as db, lancesql.connect(tmp_path) as other:
        db.execute("CREATE TABLE t AS SELECT i AS id, 0 AS n FROM range(3) r(i); CREATE BRANCH dev ON t")

        def read() -> Iterator[pa.RecordBatch]:
            other.execute(f"UPDATE {DEV} SET n = 5 WHERE id = 1")
            yield pa.RecordBatch.from_pydict({"k": pa.array([1], pa.int64())})

        stream = pa.RecordBatchReader.from_batches(pa.schema([("k", pa.int64())]), read())
        with pytest.raises(ConflictError, match="was overtaken"):
            db.execute(f"UPDATE {DEV} SET n = 7 FROM stream WHERE id = k", None)
        assert stream is not None
        assert db.sql(f"SELECT n FROM {DEV} WHERE id = 1").fetchall() == [(5,)]


def test_indexes_of_a_branch_are_its_own(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT i AS id, 'word ' || i AS s, [i, 1]::FLOAT[2] AS v FROM range(300) r(i)")
        db.execute("CREATE INDEX ON t (id) USING BTREE; CREATE BRANCH dev ON t")
        db.execute(f"INSERT INTO {DEV} SELECT i, 'word ' || i, [i, 1]::FLOAT[2] FROM range(300, 400) r(i)")
        for definition in ("words ON {} USING FTS (s)", "near ON {} (v) USING IVF_FLAT WITH (num_partitions = 2)"):
            db.execute(f"CREATE INDEX {definition.format(DEV)}")
        shown = db.sql(f"SELECT name, rows_indexed, rows_unindexed, advice FROM (SHOW INDEXES ON {DEV}) ORDER BY name")
        advice = f"100 of 400 rows are not in it: OPTIMIZE {DEV}"
        assert shown.fetchall() == [("id_idx", 300, 100, advice), ("near", 400, 0, None), ("words", 400, 0, None)]
        assert db.sql("SELECT name FROM (SHOW INDEXES ON t)").fetchall() == [("id_idx",)]
        assert db.sql("SELECT id FROM fts('t', 's', '350', branch => 'dev')").fetchall() == [(350,)]
        near = "SELECT id FROM vector_search('t', [350, 1], k => 3, branch => 'dev')"
        assert "near" in db.explain(near)
        assert sorted(row[0] for row in db.sql(near).fetchall()) == [349, 350, 351]
        db.execute(f"OPTIMIZE {DEV}; ALTER INDEX near ON {DEV} OPTIMIZE; REINDEX {DEV}; DROP INDEX words ON {DEV}")
        left = db.sql(f"SELECT name, rows_unindexed FROM (SHOW INDEXES ON {DEV}) ORDER BY name").fetchall()
        assert left == [("id_idx", 0), ("near", 0)]
        assert db.sql(f"SELECT id FROM {DEV} WHERE id BETWEEN 298 AND 301 ORDER BY id").fetchall() == [
            (298,), (299,), (300,), (301,)
        ]  # fmt: skip
        assert "t @ branch dev, version" in db.explain(f"SELECT id FROM {DEV}")
        explained = db.sql(f"EXPLAIN DELETE FROM {DEV} WHERE id < 10").fetchall()
        assert explained[0] == ("DeleteRows t @ branch dev",)
        assert explained[1][0].startswith("  touches    10 of 400 rows")


@pytest.mark.parametrize("kind", ["BTREE", "BITMAP", "ZONEMAP"])
@pytest.mark.parametrize("makes", ["CREATE BRANCH dev ON t", "CREATE TABLE c SHALLOW CLONE t"])
def test_an_index_outlives_the_fragments_it_came_with(tmp_path: Path, makes: str, kind: str) -> None:
    """An index that a branch or a clone has from its table is asked after OPTIMIZE has rewritten the fragments."""
    line = DEV if "BRANCH" in makes else "c"
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT i AS id, i % 10 AS n FROM range(300) r(i)")
        db.execute(f"INSERT INTO t SELECT i, i % 10 FROM range(300, 400) r(i); CREATE INDEX ON t (id) USING {kind}")
        db.execute(makes)
        db.execute(f"DELETE FROM {line} WHERE id % 5 = 0; INSERT INTO {line} VALUES (1000, 3)")
        planned = [row[0].split("touches")[-1].strip() for row in db.sql(f"EXPLAIN OPTIMIZE {line}").fetchall()]
        assert ("id_idx: built anew over 321 rows" in planned) == (kind == "BTREE")
        steps = db.sql(f"OPTIMIZE {line}").to_arrow().to_pylist()
        assert [one["outcome"] for one in steps if one["outcome"] == "failed"] == []
        assert steps[0]["step"] == ("rebuild" if kind == "BTREE" else "compact")
        for _ in range(2):
            for where, ids in (("id = 7", [7]), ("id IN (5, 11, 1000)", [11, 1000]), ("id BETWEEN 297 AND 302", None)):
                want = [297, 298, 299, 301, 302] if ids is None else ids
                assert [row[0] for row in db.sql(f"SELECT id FROM {line} WHERE {where} ORDER BY id").fetchall()] == want
            db.execute(f"DELETE FROM {line} WHERE id = 8; OPTIMIZE {line}")
        assert db.sql("SELECT count(*) FROM t WHERE id < 400").fetchall() == [(400,)]


@pytest.mark.parametrize("makes", ["CREATE BRANCH dev ON t", "CREATE TABLE c SHALLOW CLONE t"])
def test_no_index_is_lost_where_rows_have_no_lasting_ids(tmp_path: Path, makes: str) -> None:
    """Of a table that lancesql did not make: each index names the rows by their places, and those change."""
    rows = pa.table(
        {
            "id": pa.array(range(100), pa.int64()),
            "n": pa.array([i % 10 for i in range(100)], pa.int64()),
            "s": [f"word{i}" for i in range(100)],
            "v": pa.array([[i, 1] for i in range(100)], pa.list_(pa.float32(), 2)),
        }
    )
    lance.write_dataset(rows, tmp_path / "t.lance", max_rows_per_file=40, enable_stable_row_ids=False)
    line = DEV if "BRANCH" in makes else "c"
    indexes = (
        "(id) USING BTREE", "(n) USING BITMAP", "(s) USING FTS", "(v) USING IVF_FLAT WITH (num_partitions = 2)"
    )  # fmt: skip
    with lancesql.connect(tmp_path) as db:
        db.execute(";".join(f"CREATE INDEX ON t {one}" for one in indexes))
        db.execute(makes)
        db.execute(f"DELETE FROM {line} WHERE id % 7 = 0; INSERT INTO {line} VALUES (1000, 3, 'word1000', [1000, 1])")
        for _ in range(2):
            assert "failed" not in {one["outcome"] for one in db.sql(f"OPTIMIZE {line}").to_arrow().to_pylist()}
            with lancesql.connect(tmp_path) as other:
                left = [i for i in (*range(100), 1000) if i % 7 or i == 1000]
                assert other.sql(f"SELECT id FROM {line} ORDER BY id").fetchall() == [(i,) for i in left]
                for where, ids in (
                    ("id IN (5, 7, 1000)", [5, 1000]),
                    ("n = 3", [i for i in left if i in (3, *range(13, 100, 10), 1000)]),
                ):
                    assert sorted(other.sql(f"SELECT id FROM {line} WHERE {where}").fetchall()) == [(i,) for i in ids]
                assert other.sql(f"SELECT id FROM fts({line}, 's', 'word1000')").fetchall() == [(1000,)]
                near = f"SELECT id FROM vector_search({line}, 'v', [1000, 1], k => 2, exact => false)"
                assert sorted(other.sql(near).fetchall()) == [(99,), (1000,)]
                assert other.sql(f"SELECT DISTINCT rows_unindexed FROM (SHOW INDEXES ON {line})").fetchall() == [(0,)]
            db.execute(f"INSERT INTO {line} VALUES (2000, 4, 'x', [0, 0]); DELETE FROM {line} WHERE id = 2000")


def test_upstream_still_loses_the_index_of_a_branch(tmp_path: Path) -> None:
    """Without what OPTIMIZE does first, no query that asks the index can be answered."""
    table = pa.table({"id": pa.array(range(100), pa.int64())})
    for mode in ("create", "append"):
        dataset = lance.write_dataset(table, tmp_path / "t.lance", mode=mode, enable_stable_row_ids=True)  # type: ignore[arg-type]
    dataset.create_scalar_index("id", "BTREE")
    branch: Any = dataset.create_branch("dev", None)
    branch.optimize.compact_files()
    with pytest.raises((OSError, pa.ArrowInvalid), match="Not found"):
        dataset.checkout_version(("dev", None)).scanner(filter="id = 7").to_table()


def test_a_table_with_branches_keeps_its_name(tmp_path: Path) -> None:
    """Lance would look for what a branch has from its table under the old name, or in another table that has it."""
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT i AS id FROM range(10) r(i); CREATE BRANCH dev ON t")
        db.execute(f"INSERT INTO {DEV} VALUES (77)")
        with pytest.raises(UnsupportedError, match="branches read the files of 't' by its path: dev"):
            db.execute("ALTER TABLE t RENAME TO u")
        assert db.sql(f"SELECT (SELECT sum(id) FROM t), (SELECT sum(id) FROM {DEV})").fetchall() == [(45, 122)]
        db.execute("CREATE TABLE u CLONE t; DROP BRANCH dev ON t; ALTER TABLE t RENAME TO v")
        assert db.sql("SELECT (SELECT sum(id) FROM u), (SELECT sum(id) FROM v)").fetchall() == [(45, 45)]


def test_a_branch_that_others_begin_at_stays(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT i AS id FROM range(3) r(i)")
        db.execute("CREATE BRANCH early ON t")
        db.execute("INSERT INTO t AT (BRANCH => 'early') VALUES (3)")
        db.execute("CREATE BRANCH late ON t AS OF BRANCH early")
        db.execute("INSERT INTO t AT (BRANCH => 'late') VALUES (4)")
        (line,) = db.sql("EXPLAIN DROP TABLE t").fetchall()[1:]
        assert "and branches early, late would go" in line[0]
        for explain in ("EXPLAIN ", ""):
            with pytest.raises(StorageError, match="branches begin at versions of branch 'early': late"):
                db.execute(f"{explain}DROP BRANCH early ON t")
        assert db.sql("SELECT count(*) FROM t AT (BRANCH => 'late')").fetchall() == [(5,)]
        (line,) = db.sql("EXPLAIN DROP BRANCH late ON t").fetchall()[1:]
        assert "branch late, begun at version 2, goes" in line[0]
        db.execute("DROP BRANCH late ON t")
        db.execute("DROP BRANCH early ON t")
        assert db.sql("SHOW BRANCHES ON t").fetchall() == []


def test_a_tag_that_stays_says_its_own_version(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT 1 AS id")
        db.execute("CREATE TAG first ON t")
        db.execute("INSERT INTO t VALUES (2)")
        assert "nothing: first is there, of version 1" in str(
            db.sql("EXPLAIN CREATE TAG IF NOT EXISTS first ON t").fetchall()
        )
        assert db.execute("CREATE TAG IF NOT EXISTS first ON t").fetchall() == [("first", 1)]
        assert "version 1 until now" in str(db.sql("EXPLAIN CREATE OR REPLACE TAG first ON t").fetchall())
        assert db.execute("CREATE OR REPLACE TAG first ON t").fetchall() == [("first", 2)]


def test_vacuum_of_a_branch_keeps_what_others_read(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT i AS id FROM range(10) r(i); CREATE BRANCH dev ON t")
        db.execute(f"INSERT INTO {DEV} SELECT i FROM range(10, 20) r(i); DELETE FROM {DEV} WHERE id = 3")
        db.execute("CREATE TAG kept ON t AS OF BRANCH dev VERSION 2; CREATE BRANCH sub ON t AS OF BRANCH dev VERSION 2")
        db.execute(f"DELETE FROM {DEV} WHERE id = 4; OPTIMIZE {DEV}; DELETE FROM {DEV} WHERE id = 15")
        lines = {"t": 10, DEV: 17, "t AT (TAG => 'kept')": 20, "t AT (BRANCH => 'sub')": 20}

        def count() -> dict[str, int]:
            return {line: db.sql(f"SELECT count(id) FROM {line}").fetchall()[0][0] for line in lines}

        assert count() == lines
        planned = db.sql(f"EXPLAIN VACUUM {DEV} OLDER THAN '0 seconds'").fetchall()[1][0]
        assert planned.endswith("kept by kept, branch sub")
        with pytest.raises(LanceSQLError, match="tags keep versions"):
            db.execute(f"VACUUM {DEV} OLDER THAN '0 seconds' WITH (error_if_tagged_old_versions = true)")
        cleaned = db.sql(f"VACUUM {DEV} OLDER THAN '0 seconds'").to_arrow().to_pylist()[0]
        assert cleaned["versions_removed"] > 0
        assert cleaned["kept_by"] == ["kept", "branch sub"]
        with lancesql.connect(tmp_path) as other:
            versions = other.sql(f"SELECT version FROM (SHOW VERSIONS ON {DEV})").fetchall()
            assert versions[-1] == (2,)
            assert len(versions) == 2
            assert {line: other.sql(f"SELECT count(id) FROM {line}").fetchall()[0][0] for line in lines} == lines
        db.execute("DROP TAG kept ON t; DROP BRANCH sub ON t")
        assert db.sql(f"VACUUM {DEV} OLDER THAN '0 seconds'").to_arrow()["versions_removed"].to_pylist() == [1]
        assert db.sql(f"SELECT count(id) FROM {DEV}").fetchall() == [(17,)]
        assert db.sql("SELECT count(id) FROM t").fetchall() == [(10,)]
