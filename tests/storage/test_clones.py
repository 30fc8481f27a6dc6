"""Clones that fail, are killed or meet another writer: what was there stays, and nothing half-written is a table."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import lancesql
from lancesql.errors import LanceSQLError, StorageError, UnsupportedError
from lancesql.storage.writes import clones
from lancesql.storage.writes.moves import move_table


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE docs AS SELECT i AS id, [i, 1]::FLOAT[2] AS v FROM range(50) r(i)")
        db.execute("INSERT INTO docs SELECT i, [i, 1] FROM range(50, 60) r(i)")
        db.execute("CREATE TABLE held AS SELECT 'held' AS s")
        yield db


def list_folders(db: lancesql.Connection, tmp_path: Path) -> list[str]:
    return sorted(one.name for one in (tmp_path / "db").iterdir())


def read_state(db: lancesql.Connection) -> tuple[object, ...]:
    tables = db.sql("SHOW TABLES").fetchall()
    tags = db.sql("SELECT name, version FROM (SHOW TAGS ON docs)").fetchall()
    return (*tables, *tags, *db.sql("FROM held").fetchall())


@pytest.mark.parametrize("step", ["_sign", "move_table"])
@pytest.mark.parametrize("kind", ["DEEP", "SHALLOW"])
@pytest.mark.parametrize("head", ["CREATE TABLE copy", "CREATE OR REPLACE TABLE held"])
def test_a_clone_that_fails_leaves_all_as_it_was(
    db: lancesql.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, kind: str, head: str
) -> None:
    before, folders = read_state(db), list_folders(db, tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(clones, step, fail)
        with pytest.raises(StorageError, match="No space left"):
            db.execute(f"{head} {kind} CLONE docs")
    assert read_state(db) == before
    assert list_folders(db, tmp_path) == folders
    db.execute(f"{head} {kind} CLONE docs")
    assert db.sql(f"SELECT count(*) FROM {head.rsplit(maxsplit=1)[-1]}").fetchall() == [(60,)]


_KILLED = """
import os, signal, sys
import lancesql
from lancesql.storage.writes import clones

db = lancesql.connect(sys.argv[1])
clones.move_table = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
db.execute(sys.argv[2])
"""


def test_a_killed_writer_leaves_no_table_and_what_it_left_goes_later(db: lancesql.Connection, tmp_path: Path) -> None:
    sql = "CREATE OR REPLACE TABLE held SHALLOW CLONE docs"
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path / "db"), sql], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert [row[0] for row in db.sql("SHOW TABLES").fetchall()] == ["docs", "held"]
    assert db.sql("FROM held").fetchall() == [("held",)]
    left = [name for name in list_folders(db, tmp_path) if name.startswith(".")]
    assert len(left) == 1
    db.execute(sql)
    assert left[0] in list_folders(db, tmp_path)  # it might be another writer's, who is at it
    yesterday = time.time() - 2 * 86_400
    for one in [tmp_path / "db" / left[0], *(tmp_path / "db" / left[0]).rglob("*")]:
        os.utime(one, (yesterday, yesterday))
    db.execute(sql)
    assert [name for name in list_folders(db, tmp_path) if name.startswith(".")] == []


def test_a_table_that_another_writer_makes_meanwhile_stays(
    db: lancesql.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def move(made: Path, target: Path, *, replace: bool) -> None:
        with lancesql.connect(tmp_path / "db") as other:
            other.execute("CREATE TABLE copy AS SELECT 'theirs' AS s")
        move_table(made, target, replace=replace)

    monkeypatch.setattr(clones, "move_table", move)
    with pytest.raises(StorageError, match="table 'copy' was made meanwhile"):
        db.execute("CREATE TABLE copy SHALLOW CLONE docs")
    assert db.sql("FROM copy").fetchall() == [("theirs",)]
    assert db.sql("SHOW TAGS ON docs").fetchall() == []


def test_tables_change_places_without_help_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lancesql.storage.writes.moves._exchange", lambda *_: False)
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE a AS SELECT 1 AS x")
        db.execute("CREATE TABLE b AS SELECT 2 AS x")
        db.execute("CREATE OR REPLACE TABLE a CLONE b")
        assert db.sql("SELECT a.x, b.x FROM a, b").fetchall() == [(2, 2)]
        assert sorted(one.name for one in tmp_path.iterdir()) == ["a.lance", "b.lance"]


@pytest.mark.parametrize(
    ("again", "rows"),
    [
        (["CREATE OR REPLACE TABLE docs CLONE other"], [(10, None), (20, None)]),
        (["DROP TABLE docs", "CREATE TABLE docs AS SELECT 7 AS id, 's' AS s", "INSERT INTO docs VALUES (8, 't')"],
         [(7, "s"), (8, "t")]),
        (["DROP TABLE docs", "ALTER TABLE other RENAME TO docs"], [(10, None), (20, None)]),
    ],
)  # fmt: skip
def test_another_connection_sees_the_table_that_took_the_place(
    db: lancesql.Connection, tmp_path: Path, again: list[str], rows: list[object]
) -> None:
    db.execute("CREATE TABLE other AS SELECT 10 AS id, NULL::VARCHAR AS s")
    db.execute("INSERT INTO other VALUES (20, NULL)")
    with lancesql.connect(tmp_path / "db") as other:
        queries = ["SELECT count(*) FROM docs", "SELECT * FROM docs ORDER BY id"]
        for sql in queries:
            other.sql(sql).fetchall()
        for sql in again:
            db.execute(sql)
        assert other.sql("SELECT version FROM (SHOW TABLES) WHERE name = 'docs'").fetchall() == [(2,)]
        assert other.sql(queries[1]).fetchall() == rows
        assert other.sql(queries[0]).fetchall() == [(2,)]


def test_a_table_stays_known_when_its_old_versions_go(db: lancesql.Connection, tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as other:
        assert other.sql("SELECT count(*) FROM docs").fetchall() == [(60,)]
        db.execute("DELETE FROM docs WHERE id = 0")
        db.execute("VACUUM docs OLDER THAN '0 seconds'")
        assert other.sql("SELECT count(*) FROM docs").fetchall() == [(59,)]
        assert other.sql("SELECT count(*) FROM docs").fetchall() == [(59,)]


def test_two_databases_and_a_stream_that_is_still_read(db: lancesql.Connection, tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "more") as more:
        more.execute("CREATE TABLE many AS SELECT i AS id FROM range(100_000) r(i)")
    db.execute(f"ATTACH '{tmp_path / 'more'}' AS more (TYPE LANCE)")
    reader = db.sql("SELECT id FROM more.many").to_reader()
    first = reader.read_next_batch().num_rows
    db.execute("DETACH more")
    assert first + sum(batch.num_rows for batch in reader) == 100_000
    with pytest.raises(LanceSQLError):
        db.sql("SELECT id FROM more.many").fetchall()


def test_a_database_in_a_folder_called_tree(tmp_path: Path) -> None:
    """Branches lie in a folder of that name, and nothing else about it means one."""
    (tmp_path / "tree" / "db").mkdir(parents=True)
    with lancesql.connect(tmp_path / "tree" / "db") as db:
        db.execute("CREATE TABLE t AS SELECT i AS id FROM range(3) r(i)")
        db.execute("CREATE TABLE c SHALLOW CLONE t; CREATE BRANCH dev ON t")
        with pytest.raises(UnsupportedError, match="shallow clones read the files of 't'"):
            db.execute("DROP TABLE t")
        db.execute("INSERT INTO t AT (BRANCH => 'dev') VALUES (9)")
        db.execute("CREATE TABLE d SHALLOW CLONE t AT (BRANCH => 'dev')")
        assert db.sql("SELECT id FROM (DIFF TABLE t BETWEEN VERSION 1 AND BRANCH 'dev')").fetchall() == [(9,)]
        assert [name for (name,) in db.sql("SELECT name FROM (SHOW TAGS ON t)").fetchall()] == ["clone.c", "clone.d"]
        db.execute("DROP TABLE c; DROP TABLE d")
        assert db.sql("SHOW TAGS ON t").fetchall() == []
        db.execute("DROP TABLE t")
