"""What keeps a table in order does it, says what came of it, and EXPLAIN of it changes nothing."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import pytest

import lancesql
from lancesql import StorageError


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path) as db:
        db.execute(
            "CREATE TABLE t AS SELECT i AS id, 'word ' || (i % 7) AS text, [i, 1]::FLOAT[2] AS v FROM range(99) r(i)"
        )
        db.execute("CREATE INDEX ids ON t (id) USING BTREE")
        db.execute("CREATE INDEX words ON t (text) USING FTS")
        for start in (100, 200):
            db.execute(f"INSERT INTO t SELECT id + {start}, 'new', v FROM t WHERE id < 20")
        db.execute("DELETE FROM t WHERE id % 4 = 1")
        db.execute("CREATE TAG kept ON t AS OF VERSION 1")
        yield db


def test_a_step_that_fails_does_not_stop_the_others(db: lancesql.Connection, tmp_path: Path) -> None:
    dataset: Any = lance.dataset(tmp_path / "t.lance")
    (damaged,) = [one for one in dataset.describe_indices() if one.name == "ids"]
    for segment in damaged.segments:
        shutil.rmtree(tmp_path / "t.lance" / "_indices" / str(segment.uuid))
    with lancesql.connect(tmp_path) as other:
        rows = other.sql("SELECT id, text FROM t ORDER BY ALL").fetchall()
        steps = {(row[0], row[1]): row[2:4] for row in other.sql("OPTIMIZE t").fetchall()}
        assert steps.keys() == {("compact", "t"), ("index", "ids"), ("index", "words")}
        outcome, detail = steps["index", "ids"]
        assert (outcome, detail) == ("failed", "index 'ids' took none of 104 rows")
        assert [steps[one][0] for one in (("compact", "t"), ("index", "words"))] == ["done", "done"]
        assert other.sql("SELECT count(*) FROM fts('t', 'new')").fetchall() == [(30,)]
        assert other.sql("SELECT id, text FROM t ORDER BY ALL").fetchall() == rows
        assert [row[2] for row in other.sql("REINDEX ids ON t").fetchall()] == ["done"]
        assert other.sql("SELECT id FROM t WHERE id = 200").fetchall() == [(200,)]


@pytest.mark.parametrize(
    ("kind", "column", "asks"),
    [
        ("IVF_FLAT", "v", "SELECT id FROM vector_search('t', [3, 1], k => 1, exact => false)"),
        ("IVF_HNSW_SQ", "v", "SELECT id FROM vector_search('t', [3, 1], k => 1, exact => false)"),
        ("FTS", "text", "SELECT count(*) FROM fts('t', 'new')"),
        ("BTREE", "id", "SELECT id FROM t WHERE id = 4"),
        ("BITMAP", "id", "SELECT id FROM t WHERE id = 4"),
        ("ZONEMAP", "id", "SELECT id FROM t WHERE id = 4"),
    ],
)
def test_an_index_whose_files_are_gone_hides_nothing(tmp_path: Path, kind: str, column: str, asks: str) -> None:
    """Only who asks it fails; the rows are read and written, and it can be dropped and built anew."""
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT i AS id, 'new ' || i AS text, [i, 1]::FLOAT[2] AS v FROM range(99) r(i)")
        db.execute(f"CREATE INDEX other ON t (text) USING BLOOMFILTER; CREATE INDEX gone ON t ({column}) USING {kind}")
        want = db.sql(asks).fetchall()
    dataset: Any = lance.dataset(tmp_path / "t.lance")
    (damaged,) = [one for one in dataset.describe_indices() if one.name == "gone"]
    for segment in damaged.segments:
        shutil.rmtree(tmp_path / "t.lance" / "_indices" / str(segment.uuid))
    with lancesql.connect(tmp_path) as db:
        with pytest.raises(StorageError, match=r"(?s)a file is missing, .*DROP INDEX and CREATE INDEX"):
            db.sql(asks).fetchall()
        assert db.sql("SELECT count(text), sum(id) FROM t").fetchall() == [(99, sum(range(99)))]
        assert db.sql("SELECT name FROM (SHOW INDEXES ON t) ORDER BY name").fetchall() == [("gone",), ("other",)]
        if kind.startswith("IVF"):
            (shown,) = db.sql("SELECT advice FROM (SHOW INDEXES ON t) WHERE name = 'gone'").fetchall()
            assert shown == ("its files are gone: REINDEX gone ON t",)
            assert db.sql("SELECT outcome FROM (REINDEX gone ON t)").fetchall() == [("done",)]
            assert db.sql(asks).fetchall() == want
        db.execute(f"DROP INDEX gone ON t; CREATE INDEX gone ON t ({column}) USING {kind}")
        assert db.sql(asks).fetchall() == want


def test_old_versions_go_by_themselves(db: lancesql.Connection) -> None:
    def change(number: int) -> int:
        db.execute("INSERT INTO t BY NAME SELECT $n AS id", {"n": 1000 + number})
        db.execute("UPDATE t SET text = 'x' WHERE id = $n", {"n": 1000 + number})
        return len(db.sql("SHOW VERSIONS ON t").fetchall())

    db.execute("ALTER TABLE t SET AUTO_CLEANUP WITH (interval = 2, older_than = '1 second', retain_versions = 2)")
    shown = dict(db.sql("SHOW MAINTENANCE ON t").fetchall())
    assert (shown["auto_cleanup.older_than"], shown["auto_cleanup.stopped_by_tags"]) == ("1s", "kept")
    time.sleep(1.1)
    before = change(0)
    assert change(1) == before + 2  # upstream: LanceDB removes nothing by itself while a tag keeps an old version
    db.execute("DROP TAG kept ON t")
    assert "auto_cleanup.stopped_by_tags" not in dict(db.sql("SHOW MAINTENANCE ON t").fetchall())
    assert change(2) < before
    db.execute("ALTER TABLE t UNSET AUTO_CLEANUP")
    assert db.sql("SHOW MAINTENANCE ON t").fetchall() == []


def test_a_tag_can_forbid_a_vacuum(db: lancesql.Connection) -> None:
    before = db.sql("SHOW VERSIONS ON t").fetchall()
    with pytest.raises(StorageError, match="tags keep versions of 't' that would go: kept"):
        db.execute("VACUUM t WITH (older_than_seconds = 0, error_if_tagged_old_versions = true)")
    assert db.sql("SHOW VERSIONS ON t").fetchall() == before
    (row,) = db.sql("VACUUM t OLDER THAN '0 seconds'").to_arrow().to_pylist()
    assert (row["versions_removed"], row["kept_by"]) == (len(before) - 2, ["kept"])
    assert [version[0] for version in db.sql("SHOW VERSIONS ON t").fetchall()] == [before[0][0], 1]


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("OPTIMIZE t", "fragments rewritten: "),
        ("OPTIMIZE t WITH (materialize_deletions = false, target_rows = 10)", "ids: 30 rows to add"),
        ("VACUUM t OLDER THAN '0 seconds'", "bytes would go; kept by kept"),
        ("VACUUM t", "0 versions, 0 files, 0 bytes would go"),
        ("DELETE FROM t WHERE id < 10 AND sqrt(id) > 2", "3 of 104 rows, in 1 of 3 fragments, about"),
        ("UPDATE t SET text = 'x' WHERE id >= 100", "30 of 104 rows, in 2 of 3 fragments, about"),
        (
            "MERGE INTO t USING (VALUES (2)) s(id) USING (id) WHEN MATCHED THEN DELETE",
            "DELETE: 1 of 104 rows, in 1 of 3",
        ),
        ("TRUNCATE t", "104 rows, all of them, in 3 fragments of"),
        ("DROP TABLE t", "104 rows in 3 fragments of"),
        ("RESTORE TABLE t TO VERSION 1", "version 1 with 99 rows becomes the newest, after version"),
        ("CREATE TAG more ON t", "more will mean t @ version"),
        ("REINDEX t", "words: built anew over 104 rows"),
        ("DROP INDEX ids ON t", "ids"),
        ("ALTER TABLE t SET AUTO_CLEANUP WITH (interval = 1, older_than = '1s')", "SetAutoCleanup t"),
    ],
)
def test_explain_changes_nothing(db: lancesql.Connection, tmp_path: Path, sql: str, line: str) -> None:
    def look() -> object:
        return sorted((str(one), one.stat().st_mtime_ns) for one in tmp_path.rglob("*") if one.is_file())

    before = look()
    text = "\n".join(row[0] for row in db.sql(f"EXPLAIN {sql}").fetchall())
    assert line in text
    assert look() == before
    db.sql(sql).fetchall()
    assert look() != before or sql == "VACUUM t"


@pytest.mark.parametrize(
    "clause",
    ["", "OLDER THAN '0 seconds'", "RETAIN 2 VERSIONS", "WITH (before_version = 4)", "WITH (retain_versions = 1)"],
)
def test_a_dry_run_says_what_happens(db: lancesql.Connection, clause: str) -> None:
    db.execute("CREATE BRANCH side ON t AS OF VERSION 3")
    db.execute("OPTIMIZE t")
    (line,) = [row[0] for row in db.sql(f"EXPLAIN VACUUM t {clause}").fetchall() if "touches" in row[0]]

    def read() -> list[object]:
        snapshots = ("", "AT (TAG => 'kept')", "AT (BRANCH => 'side')")
        return [db.sql(f"SELECT * FROM t {at} ORDER BY id").fetchall() for at in snapshots]

    rows = read()
    versions = len(db.sql("SHOW VERSIONS ON t").fetchall())
    ((removed, files, size, kept_by),) = db.sql(f"VACUUM t {clause}").fetchall()
    assert line.strip() == (
        f"touches    {removed:,} versions, {files:,} files, {size:,} bytes would go; kept by {', '.join(kept_by)}"
    )
    assert kept_by == ["kept", "branch side"]
    assert len(db.sql("SHOW VERSIONS ON t").fetchall()) == versions - removed
    assert read() == rows


@pytest.mark.parametrize("folder", ["_deletions", "_transactions", "_versions", "data"])
@pytest.mark.parametrize("branch", [False, True])
def test_files_of_which_only_a_part_was_written_go(
    db: lancesql.Connection, tmp_path: Path, folder: str, branch: bool
) -> None:
    db.execute("CREATE BRANCH side ON t")
    db.execute("DELETE FROM t AT (BRANCH => 'side') WHERE id < 3")
    table, at = (tmp_path / "t.lance/tree/side", "AT (BRANCH => 'side')") if branch else (tmp_path / "t.lance", "")
    (table / folder).mkdir(exist_ok=True)
    old, young, other = (table / folder / name for name in (".tmpA1b2C3", ".tmpZ9y8X7", "notes.md"))
    for file in (old, young, other):
        file.write_bytes(b"12345")
    os.utime(old, (time.time() - 8 * 86400,) * 2)
    rows = db.sql(f"FROM t {at} ORDER BY id").fetchall()
    for options, left in [("", [young, other]), ("WITH (delete_unverified = true)", [other])]:
        (line,) = [row[0] for row in db.sql(f"EXPLAIN VACUUM t {at} {options}").fetchall() if "touches" in row[0]]
        ((_, files, size, _),) = db.sql(f"VACUUM t {at} {options}").fetchall()
        assert f"0 versions, {files} files, {size} bytes would go" in line
        assert (files, size) == (0 if folder == "_versions" and not options else 1, 5)  # LanceDB counts no manifests
        assert [file for file in (old, young, other) if file.exists()] == left
    assert db.sql(f"FROM t {at} ORDER BY id").fetchall() == rows


def test_a_dry_run_of_optimize(db: lancesql.Connection) -> None:
    lines = [row[0] for row in db.sql("EXPLAIN OPTIMIZE t").fetchall()]
    counts = [int(line.split()[1]) for line in lines if "rewritten" in line]
    compacted, *indexed = db.sql("OPTIMIZE t").fetchall()
    assert compacted[3] == f"{sum(counts)} fragments → {len(counts)}"
    to_add = {line.split()[1].rstrip(":"): line.split()[2] for line in lines if "rows to add" in line}
    assert {row[1]: row[3].split()[0] for row in indexed} == to_add
