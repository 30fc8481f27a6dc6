"""A process that is killed while it writes leaves the last version readable, and garbage that VACUUM removes."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import duckdb
import lance
import pytest

import lancesql

from .conftest import NIGHTLY
from .processes import PROCESSES
from .rows import count_rows

CREATE = "CREATE TABLE t AS SELECT i AS id, i % 10 AS x, [i % 7, i % 5, i % 3]::FLOAT[3] AS v FROM range(3000) r(i)"
MANY = 2_500_000
DYING = f"SELECT i AS id, CASE WHEN i = {MANY - 1} THEN die(i) ELSE i END AS x, NULL AS v FROM range({MANY}) r(i)"
UPSERT = "WHEN MATCHED THEN UPDATE SET x = {} WHEN NOT MATCHED THEN INSERT (id) VALUES (s.i)"
DEATHS = [
    f"INSERT INTO t {DYING}",
    f"CREATE OR REPLACE TABLE t AS {DYING}",
    "UPDATE t SET x = 3 RETURNING die(id)",
    "DELETE FROM t WHERE id > 9 RETURNING die(id)",
    f"MERGE INTO t USING range(4000) s(i) ON t.id = s.i {UPSERT.format(9)} RETURNING die(id)",
    "INSERT INTO t (id) SELECT range * 2 FROM range(3000) ON CONFLICT (id) DO UPDATE SET x = 9 RETURNING die(id)",
    "ALTER TABLE t ADD COLUMN c AS die(id)",
]
STEPS = [
    "INSERT INTO t SELECT i + 3000, 1, [i % 4, 1, 2] FROM range(500) r(i)",
    "UPDATE t SET x = x + 1 WHERE id % 3 = 0",
    "CREATE OR REPLACE INDEX i_v ON t (v) USING IVF_HNSW_SQ WITH (num_partitions = 2)",
    "DELETE FROM t WHERE id % 11 = 0",
    "CREATE OR REPLACE INDEX i_id ON t (id) USING BTREE",
    "INSERT INTO t SELECT i + 4000, 2, NULL FROM range(500) r(i)",
    "OPTIMIZE t",
    f"MERGE INTO t USING range(3500, 4700) s(i) ON t.id = s.i {UPSERT.format(0)}",
    "REINDEX t",
    "UPDATE t SET v = [1, 2, 3] WHERE x = 1",
    "OPTIMIZE t",
]
UPKEEP = ("CREATE OR REPLACE INDEX", "OPTIMIZE", "REINDEX")


def write(folder: str, statements: list[str]) -> None:
    with duckdb.connect() as own, lancesql.connect(folder, duckdb=own) as db:
        own.create_function("die", die, ["BIGINT"], "BIGINT", side_effects=True)
        for statement in statements:
            db.execute(statement)


def die(_: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def list_files(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


def list_needed(table: Path) -> set[str]:
    """The files that the versions of a table name."""
    newest = lance.dataset(table)
    needed: set[str] = set()
    for number in [one["version"] for one in newest.versions()]:
        for fragment in lance.dataset(table, version=number).get_fragments():
            needed |= {f"data/{file.path}" for file in fragment.metadata.files}
            gone = fragment.metadata.deletion_file
            if gone is not None:
                needed.add(gone.path(fragment.fragment_id))
    return needed


def check_vacuum(db: lancesql.Connection, table: Path) -> None:
    """Removes what no version needs: all of that, and nothing else."""
    held = count_rows(db.sql("FROM t").to_arrow())
    db.execute("VACUUM t OLDER THAN '0 seconds' WITH (delete_unverified = true)")
    kept = {file for file in list_files(table) if file.startswith(("data/", "_deletions/"))}
    assert kept == list_needed(table)
    indexes = {file.split("/")[1] for file in list_files(table) if file.startswith("_indices/")}
    dataset = lance.dataset(table)
    assert indexes == {segment.uuid for one in dataset.describe_indices() for segment in one.segments}
    assert count_rows(db.sql("FROM t").to_arrow()) == held


@pytest.mark.parametrize("statement", DEATHS, ids=lambda one: one.split(" t ")[0])
def test_what_a_killed_statement_wrote_is_not_seen(statement: str, tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute(CREATE)
        before, held = list_files(tmp_path), count_rows(db.sql("FROM t").to_arrow())
        writer = PROCESSES.Process(target=write, args=(str(tmp_path), [statement]))
        writer.start()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        assert list_files(tmp_path) > before or statement.startswith(("DELETE", "ALTER"))
        with lancesql.connect(tmp_path) as other:
            for one in (db, other):
                assert one.sql("SELECT version FROM (SHOW VERSIONS ON t)").fetchall() == [(1,)]
                assert count_rows(one.sql("FROM t").to_arrow()) == held
        db.execute("INSERT INTO t (id) VALUES (-1)")
        assert db.sql("SELECT count(*) FROM t").fetchall() == [(3001,)]
        check_vacuum(db, tmp_path / "t.lance")


@pytest.mark.parametrize("ending", ["DROP TABLE u", "CREATE TABLE u AS SELECT 1 AS i"])
def test_a_table_that_was_never_finished_can_be_dropped_and_written_anew(ending: str, tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT 1 AS i")
        writer = PROCESSES.Process(target=write, args=(str(tmp_path), [f"CREATE TABLE u AS {DYING}"]))
        writer.start()
        writer.join()
        assert list_files(tmp_path / "u.lance")
        assert [row[0] for row in db.sql("SHOW TABLES").fetchall()] == ["t"]
        for statement in ("FROM u", "INSERT INTO u VALUES (1)", "VACUUM u", "FROM fts('u', 'word')"):
            with pytest.raises(lancesql.UnknownTableError, match="'u' has no version") as caught:
                db.sql(statement)
            assert "DROP TABLE u" in (caught.value.hint or "")
        db.execute(ending)
        if ending.startswith("CREATE"):
            assert db.sql("FROM u").fetchall() == [(1,)]
            db.execute("VACUUM u OLDER THAN '0 seconds' WITH (delete_unverified = true)")
            data = {file for file in list_files(tmp_path / "u.lance") if file.startswith("data/")}
            assert data == list_needed(tmp_path / "u.lance")
            db.execute("DROP TABLE u")
        assert not (tmp_path / "u.lance").exists()
        with pytest.raises(lancesql.UnknownTableError, match="does not exist"):
            db.sql("FROM u")


@pytest.mark.parametrize("seed", range(60 if NIGHTLY else 2))
def test_a_writer_killed_at_any_moment_leaves_a_version_of_its_own(seed: int, tmp_path: Path) -> None:
    own = duckdb.connect()
    own.execute(CREATE)
    states = [count_rows(own.sql("FROM t").to_arrow_table())]
    for step in STEPS:
        if not step.startswith(UPKEEP):
            own.execute(step)
            states.append(count_rows(own.sql("FROM t").to_arrow_table()))
    own.close()
    choose = random.Random(seed)
    changes, pause = choose.randint(1, 25), choose.choice([0, 0.001, 0.01])
    table = tmp_path / "t.lance"
    with lancesql.connect(tmp_path) as db:
        db.execute(CREATE)
        seen = list_files(table)
        writer = PROCESSES.Process(target=write, args=(str(tmp_path), STEPS))
        writer.start()
        while writer.is_alive() and changes:
            now = list_files(table)
            changes -= now != seen
            seen = now
        time.sleep(pause)
        writer.kill()
        writer.join()
        rows = count_rows(db.sql("FROM t").to_arrow())
        assert rows in states
        with lancesql.connect(tmp_path) as other:
            assert count_rows(other.sql("FROM t").to_arrow()) == rows
        last = 3000
        for (version,) in db.sql("SELECT version FROM (SHOW VERSIONS ON t) ORDER BY version").fetchall():
            old = count_rows(db.sql(f"FROM t AT (VERSION => {version})").to_arrow())
            assert old in states
            last = sum(old.values())
        assert last == sum(rows.values())
        db.execute("OPTIMIZE t")
        assert count_rows(db.sql("FROM t").to_arrow()) == rows
        found = db.sql("SELECT _rowid FROM vector_search('t', v, [1, 2, 3], k => 5, nprobes => 9)").fetchall()
        assert len(found) == 5
        check_vacuum(db, table)
