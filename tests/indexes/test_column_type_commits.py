"""ALTER COLUMN TYPE … CASCADE is one commit: whoever looks finds the old column and indexes, or the new ones."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import lance
import lancedb
import pyarrow as pa
import pytest

import lancesql
from lancesql.errors import ConflictError, StorageError
from lancesql.storage.database import LanceDatabase
from lancesql.storage.writes.column_types import change_type
from lancesql.storage.writes.staging import Staging
from tests.differential.conftest import NIGHTLY
from tests.differential.processes import PROCESSES

CREATE = """CREATE TABLE {0} AS SELECT i AS id, i % 5 AS n, [i, i % 3]::FLOAT[2] AS v FROM range({1}) r(i);
CREATE INDEX near ON {0} (v) USING IVF_FLAT WITH (num_partitions = 1); CREATE INDEX nth ON {0} (n) USING BTREE"""
RETYPE = "ALTER TABLE {} ALTER n TYPE {} CASCADE"
INSERTS = 300 if NIGHTLY else 30
INDEXED = "SELECT name, rows_indexed, rows_unindexed FROM (SHOW INDEXES ON {}) ORDER BY name"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute(CREATE.format("t", 300))
        yield db


def list_staged(path: Path) -> list[str]:
    return [one.name for one in path.rglob("*") if "/_versions/d" in str(one) or ".manifest-" in one.name]


def read_type(db: lancesql.Connection, table: str, column: str = "n") -> str:
    return str(db.sql(f"SELECT column_type FROM (DESCRIBE {table}) WHERE column_name = '{column}'").fetchall()[0][0])


def test_a_version_has_the_column_and_its_index_or_neither(db: lancesql.Connection, tmp_path: Path) -> None:
    before = db.sql("FROM t ORDER BY id").fetchall()
    db.execute("DELETE FROM t WHERE id % 10 = 1; INSERT INTO t SELECT i, i % 5, [i, 1] FROM range(300, 320) r(i)")
    version = db.sql("SELECT max(version) FROM (SHOW VERSIONS ON t)").fetchall()[0][0]
    rows = db.sql("SELECT _rowid, * FROM t ORDER BY id").fetchall()
    db.execute(RETYPE.format("t", "VARCHAR"))
    assert db.sql(f"SELECT version, operation FROM (SHOW VERSIONS ON t) WHERE version > {version}").fetchall() == [
        (version + 1, "ALTER")
    ]
    table = tmp_path / "db" / "t.lance"
    for number in range(1, version + 2):
        dataset = lance.dataset(table, version=number)
        own = dataset.lance_schema.field("n").id()
        fields = [number for one in dataset.describe_indices() for number in one.fields if one.name == "nth"]
        assert pa.types.is_string(dataset.schema.field("n").type) == (number == version + 1)
        assert fields == ([own] if number > 2 else [])
    assert list_staged(table) == []
    assert [(*one[:2], str(one[2]), one[3]) for one in rows] == db.sql("SELECT _rowid, * FROM t ORDER BY id").fetchall()
    assert db.sql(INDEXED.format("t")).fetchall() == [("near", 270, 20), ("nth", 290, 0)]
    # Everything that comes after finds the rows and the files that it needs.
    db.execute("INSERT INTO t SELECT i, 'x', [i, 1] FROM range(320, 340) r(i); UPDATE t SET n = 'y' WHERE id = 5")
    db.execute("OPTIMIZE t; VACUUM t OLDER THAN '0 seconds' WITH (delete_unverified = true)")
    assert db.sql(INDEXED.format("t")).fetchall() == [("near", 310, 0), ("nth", 310, 0)]
    found = {id_: n for id_, n, _ in db.sql("FROM t").fetchall()}
    kept = {id_: str(n) for id_, n, _ in before if id_ % 10 != 1} | {i: str(i % 5) for i in range(300, 320)}
    assert found == kept | dict.fromkeys(range(320, 340), "x") | {5: "y"}
    assert db.sql("SELECT count(*) FROM t WHERE n = '3'").fetchall() == [(sum(n == "3" for n in found.values()),)]


@pytest.mark.parametrize(
    "meanwhile",
    [
        "INSERT INTO t VALUES (999, 5, [1, 2])",
        "DELETE FROM t WHERE id = 3",
        "UPDATE t SET n = 0 WHERE id = 7",
        "CREATE INDEX more ON t (id) USING BTREE",
        "COMMENT ON TABLE t IS 'a comment'",
        "ALTER TABLE t DROP COLUMN v",
        "OPTIMIZE t",
    ],
)
def test_what_somebody_else_commits_meanwhile_stays(db: lancesql.Connection, tmp_path: Path, meanwhile: str) -> None:
    if meanwhile == "OPTIMIZE t":
        db.execute("INSERT INTO t VALUES (998, 5, [1, 2])")
    database = LanceDatabase(str(tmp_path / "db"))
    table = database.find_table("t")
    assert table is not None
    field = pa.field("n", pa.string())
    with lancesql.connect(tmp_path / "db") as other:

        def convert(batch: pa.RecordBatch) -> pa.RecordBatch:
            if other.sql("SELECT max(version) FROM (SHOW VERSIONS ON t)").fetchall() == [(table.version,)]:
                other.execute(meanwhile)
            return pa.RecordBatch.from_arrays([batch.column(0).cast(pa.string())], schema=pa.schema([field]))

        with pytest.raises(ConflictError, match="changing column 'n' was overtaken"):
            change_type(database, table, field, ["n"], convert, [one for one in table.indexes if one.name == "nth"])
        newest = lance.dataset(tmp_path / "db" / "t.lance")
        assert newest.version > table.version
        last = newest.read_transaction(newest.version)
        assert last is not None
        assert type(last.operation).__name__ != "Restore"
        assert newest.schema.field("n").type == pa.int64()
        assert {one.name for one in newest.describe_indices()} >= {"nth"}
        assert list_staged(tmp_path) == []
        db.execute(RETYPE.format("t", "VARCHAR"))
        assert read_type(db, "t") == "VARCHAR"


@pytest.mark.parametrize("gone", ["a file of rows", "the folder of indexes", "the folder of transactions"])
def test_files_that_cannot_be_read_or_written(db: lancesql.Connection, tmp_path: Path, gone: str) -> None:
    """Whichever step fails, the table is as it was."""
    db.execute("INSERT INTO t SELECT i, i % 5, [i, 1] FROM range(300, 320) r(i)")
    table, before = tmp_path / "db" / "t.lance", db.sql("FROM t ORDER BY id").fetchall()
    if gone == "a file of rows":
        path = table / "data" / lance.dataset(table).get_fragments()[1].metadata.files[0].path
    else:
        path = table / ("_indices" if "indexes" in gone else "_transactions")
    path.rename(tmp_path / "kept")
    path.mkdir() if gone == "a file of rows" else path.write_bytes(b"")
    with pytest.raises(StorageError, match="changing column 'n'"):
        db.execute(RETYPE.format("t", "VARCHAR"))
    path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "kept").rename(path)
    assert list_staged(tmp_path) == []
    assert lance.dataset(table).version == 4
    with lancesql.connect(tmp_path / "db") as other:
        for one in (db, other):
            assert one.sql("FROM t ORDER BY id").fetchall() == before
            assert one.sql(INDEXED.format("t")).fetchall() == [("near", 300, 20), ("nth", 300, 20)]
    db.execute(RETYPE.format("t", "VARCHAR"))
    assert db.sql(INDEXED.format("t")).fetchall() == [("near", 300, 20), ("nth", 320, 0)]


def test_where_a_table_may_lie(tmp_path: Path) -> None:
    """A branch, a path with signs in it, a namespace of LanceDB's, an object store."""
    odd = tmp_path / "odd %20 & ü" / "a # name.lance"
    spaces = lancedb.connect(tmp_path / "spaces")
    spaces.create_namespace(["space"])
    spaces.create_table("u", pa.table({"n": [1, 2, 3]}), namespace_path=["space"])
    with lancesql.connect(tmp_path / "db") as db:
        db.execute(CREATE.format("t", 20) + f"; CREATE BRANCH try ON t; CREATE TABLE '{odd}' AS SELECT 1 AS n")
        db.execute(f"CREATE INDEX nth ON '{odd}' (n) USING BITMAP; ATTACH '{tmp_path / 'db'}' AS b (TYPE LANCE)")
        for name in ("b.t", f"'{odd}'"):
            db.execute(RETYPE.format(name, "VARCHAR"))
            assert read_type(db, name) == "VARCHAR"
        assert db.sql("SELECT n FROM b.t WHERE n = '3'").fetchall() == [("3",)] * 4
    database = LanceDatabase(str(tmp_path / "db"))
    branch = database.find_table("t", "branch:try")
    assert branch is not None
    with Staging(database, branch) as staging:
        staging.add(
            lance.LanceOperation.UpdateConfig(schema_metadata_updates=lance.LanceOperation.UpdateMap({"a": "b"}))
        )
        staging.publish()
    assert lance.dataset(branch.uri).schema.metadata == {b"a": b"b"}
    assert lance.dataset(branch.uri).version == branch.version + 1
    uri = f"file-object-store://{tmp_path / 'store'}"
    with lancesql.connect(spaces) as db:
        db.execute("CREATE INDEX nth ON lance.space.u (n) USING BTREE;" + RETYPE.format("lance.space.u", "DOUBLE"))
        assert db.sql("SELECT n FROM lance.space.u WHERE n > 1").fetchall() == [(2.0,), (3.0,)]
    with lancesql.connect(uri) as db:
        db.execute(CREATE.format("t", 20) + ";" + RETYPE.format("t", "DOUBLE"))
        assert db.sql("SELECT id FROM t WHERE n = 3 ORDER BY id").fetchall() == [(3,), (8,), (13,), (18,)]
        assert db.sql(INDEXED.format("t")).fetchall() == [("near", 20, 0), ("nth", 20, 0)]


def test_how_far_it_is(db: lancesql.Connection, tmp_path: Path) -> None:
    db.execute(
        "INSERT INTO t SELECT i, i % 5, [i, 1] FROM range(300, 320) r(i); CREATE INDEX more ON t (n) USING BITMAP"
    )
    database = LanceDatabase(str(tmp_path / "db"))
    table = database.find_table("t")
    assert table is not None
    field = pa.field("n", pa.string())

    def convert(batch: pa.RecordBatch) -> pa.RecordBatch:
        return pa.RecordBatch.from_arrays([batch.column(0).cast(pa.string())], schema=pa.schema([field]))

    told: list[tuple[str, int | None, int | None]] = []
    indexes = sorted((one for one in table.indexes if "n" in one.columns), key=lambda one: one.name)
    change_type(database, table, field, ["n"], convert, indexes, lambda *stage: told.append(stage))
    rows = [stage for stage in told if stage[0] == "rewriting n: rows"]
    assert rows == [("rewriting n: rows", 300, 320), ("rewriting n: rows", 320, 320)]
    parts = list(dict.fromkeys(stage.partition(": ")[0] for stage, _, _ in told))
    assert parts == ["rewriting n", "index more (1 of 2)", "index nth (2 of 2)"]


def retype_again_and_again(folder: str, stop: Connection, sender: Connection) -> None:
    done = 0
    with lancesql.connect(folder) as db:
        while not stop.poll() or not done:
            with contextlib.suppress(ConflictError):  # every attempt of one statement was overtaken
                db.execute(RETYPE.format("t", ("VARCHAR", "BIGINT")[done % 2]))
                done += 1
    sender.send(done)


def insert_again_and_again(folder: str, first: int) -> None:
    with lancesql.connect(folder) as db:
        for number in range(INSERTS):
            db.execute(f"INSERT INTO t VALUES ({first + number}, 7, [1, 2])")
            time.sleep(0.01)


@pytest.mark.slow
def test_rows_that_are_written_in_a_race_are_there(db: lancesql.Connection, tmp_path: Path) -> None:
    folder, stop, answer = str(tmp_path / "db"), PROCESSES.Pipe(duplex=False), PROCESSES.Pipe(duplex=False)
    changer = PROCESSES.Process(target=retype_again_and_again, args=(folder, stop[0], answer[1]))
    writers = [PROCESSES.Process(target=insert_again_and_again, args=(folder, 1000 * number)) for number in (1, 2)]
    for process in (changer, *writers):
        process.start()
    for process in writers:
        process.join()
    stop[1].send("enough")
    changer.join()
    assert [process.exitcode for process in (changer, *writers)] == [0, 0, 0]
    changes = answer[0].recv()
    ids = {row for (row,) in db.sql("SELECT id FROM t").fetchall()}
    assert ids == {*range(300), *range(1000, 1000 + INSERTS), *range(2000, 2000 + INSERTS)}
    assert db.sql("SELECT count(*) FROM t").fetchall() == [(len(ids),)]
    operations = [row[0] for row in db.sql("SELECT operation FROM (SHOW VERSIONS ON t)").fetchall()]
    assert operations.count("ALTER") == changes
    kinds, table = set(), tmp_path / "db" / "t.lance"
    for number in range(3, lance.dataset(table).version + 1):
        dataset = lance.dataset(table, version=number)
        kinds.add(dataset.schema.field("n").type)
        (index,) = [one for one in dataset.describe_indices() if one.name == "nth"]
        assert index.fields == [dataset.lance_schema.field("n").id()]
    assert kinds == {pa.int64(), pa.string()}
    assert list_staged(tmp_path) == []


def retype(folder: str) -> None:
    with lancesql.connect(folder) as db:
        db.execute(RETYPE.format("t", "VARCHAR"))


def list_files(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("changes", range(1, 41) if NIGHTLY else (1, 4, 7, 10, 13))
def test_a_writer_that_is_killed_leaves_both_or_neither(db: lancesql.Connection, tmp_path: Path, changes: int) -> None:
    table, held = tmp_path / "db" / "t.lance", db.sql("FROM t ORDER BY id").fetchall()
    seen = list_files(table)
    writer = PROCESSES.Process(target=retype, args=(str(tmp_path / "db"),))
    writer.start()
    while writer.is_alive() and changes:
        now = list_files(table)
        changes -= now != seen
        seen = now
    writer.kill()
    writer.join()
    versions = [row[0] for row in db.sql("SELECT version FROM (SHOW VERSIONS ON t)").fetchall()]
    is_new = read_type(db, "t") == "VARCHAR"
    assert max(versions) == 3 + is_new
    assert db.sql("FROM t ORDER BY id").fetchall() == [(i, str(n) if is_new else n, v) for i, n, v in held]
    assert db.sql(INDEXED.format("t")).fetchall() == [("near", 300, 0), ("nth", 300, 0)]
    db.execute(RETYPE.format("t", "DOUBLE") + "; INSERT INTO t VALUES (300, 3, [1, 2]); OPTIMIZE t")
    db.execute("VACUUM t OLDER THAN '0 seconds' WITH (delete_unverified = true)")
    assert db.sql("SELECT count(*) FROM t WHERE n = 3").fetchall() == [(61,)]
