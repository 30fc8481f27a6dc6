"""A statement that changes a table is one version more when it succeeds, and none when it does not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import lance
import pyarrow as pa
import pytest

import lancesql
from lancesql.errors import LanceSQLError
from tests.differential.conftest import NIGHTLY
from tests.differential.processes import PROCESSES

CREATE = """CREATE TABLE t (id BIGINT, n INTEGER CHECK (n >= 0), s VARCHAR NOT NULL DEFAULT 'x', v FLOAT[2],
x DOUBLE);
INSERT INTO t SELECT i, i % 5, 'word ' || i, [i, 1], i FROM range(40) r(i);
INSERT INTO t SELECT i, i % 5, 'word ' || i, NULL, NULL FROM range(40, 60) r(i)"""
DONE = [
    "ALTER TABLE t ADD COLUMN c INTEGER",
    "ALTER TABLE t ADD COLUMN c INTEGER CHECK (c > 3)",
    "ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 7",
    "ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 7 CHECK (c > 3)",
    "ALTER TABLE t ADD COLUMN c INTEGER NOT NULL DEFAULT 7 CHECK (c > 3) CHECK (c < 9)",
    "ALTER TABLE t ADD COLUMN c UUID DEFAULT '5f3c1fd4-5a5b-4c46-9f4b-0e2a5b6e8c11'",
    "ALTER TABLE t ADD COLUMN c AS id + 1",
    "ALTER TABLE t ADD COLUMN c VARCHAR AS id + 1",
    "ALTER TABLE t ALTER id SET NOT NULL",
    "ALTER TABLE t ALTER s DROP NOT NULL",
    "ALTER TABLE t ALTER n SET DEFAULT 7",
    "ALTER TABLE t ALTER s DROP DEFAULT",
    "ALTER TABLE t RENAME n TO m",
    "ALTER TABLE t DROP COLUMN v",
    "ALTER TABLE t DROP COLUMN n CASCADE",
    "ALTER TABLE t ALTER n TYPE SMALLINT",
    "ALTER TABLE t ADD PRIMARY KEY (id, s)",
    "COMMENT ON TABLE t IS 'words'",
    "COMMENT ON COLUMN t.n IS 'a number'",
]
REFUSED = [
    ("ALTER TABLE t ADD COLUMN c INTEGER NOT NULL", "have no value for it"),
    ("ALTER TABLE t ADD COLUMN c INTEGER CHECK (c IS NOT NULL)", r"breaks CHECK \(c IS NOT NULL\)"),
    ("ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 3 CHECK (c > 3)", r"breaks CHECK \(c > 3\)"),
    ("ALTER TABLE t ADD COLUMN c INTEGER CHECK (c > nothing)", "nothing"),
    ("ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 'word'", "the default of column 'c' has no value"),
    ("ALTER TABLE t ADD COLUMN c UUID DEFAULT 'word'", "breaks CHECK .*UUID"),
    ("ALTER TABLE t ADD COLUMN c INTEGER AS s", "Could not convert string"),
    ("ALTER TABLE t ADD COLUMN c AS error('stop')", "stop"),
    ("ALTER TABLE t ADD COLUMN n AS id", "has a column 'n' already"),
    ("ALTER TABLE t ALTER v SET NOT NULL", "rows without a value"),
    ("ALTER TABLE t ALTER n SET DEFAULT nothing(", "syntax error"),
    ("ALTER TABLE t RENAME n TO s", "has a column 's' already"),
    ('ALTER TABLE t RENAME n TO "a.b"', "a.b"),
    ("ALTER TABLE t DROP COLUMN n", r"named by CHECK \(n >= 0\)"),
    ("ALTER TABLE t DROP COLUMN v, DROP COLUMN s", "the end of the statement"),
    ("ALTER TABLE t ALTER n TYPE VARCHAR USING error('stop')", "stop"),
    ("ALTER TABLE t ADD PRIMARY KEY (n)", "rows with the n of another row"),
    ("ALTER TABLE t ADD PRIMARY KEY (v)", "not of vectors, lists or structs"),
    ("ALTER TABLE t ADD PRIMARY KEY (id, x)", "has rows with NULL for id, x"),
    ("COMMENT ON COLUMN t.nothing IS 'a number'", "no column 'nothing'"),
]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute(CREATE)
        yield db


def look(db: lancesql.Connection, tmp_path: Path, path: Path | None = None) -> object:
    dataset = lance.dataset(path or tmp_path / "db" / "t.lance")
    metadata = {one.name: one.metadata for one in dataset.schema}
    return db.sql("FROM t ORDER BY id").to_arrow(), [one["version"] for one in dataset.versions()], metadata


@pytest.mark.parametrize("statement", DONE)
def test_one_version_more(db: lancesql.Connection, tmp_path: Path, statement: str) -> None:
    before = db.sql("SELECT id FROM t ORDER BY id").fetchall()
    db.execute(statement)
    versions = db.sql("SELECT version, operation FROM (SHOW VERSIONS ON t)").fetchall()
    assert [number for number, _ in versions] == [4, 3, 2, 1]
    assert versions[0][1] in ("ALTER", "CONFIGURE")
    assert db.sql("SELECT id FROM t ORDER BY id").fetchall() == before
    assert list((tmp_path / "db" / "t.lance" / "_versions").glob("d*")) == []
    db.execute("INSERT INTO t (id, s) SELECT i, 'later ' || i FROM range(60, 70) r(i); OPTIMIZE t")
    assert db.sql("SELECT count(*) FROM t").fetchall() == [(70,)]


@pytest.mark.parametrize(("statement", "message"), REFUSED)
def test_no_version_more(db: lancesql.Connection, tmp_path: Path, statement: str, message: str) -> None:
    before = look(db, tmp_path)
    with pytest.raises(LanceSQLError, match=message):
        db.execute(statement)
    assert look(db, tmp_path) == before


@pytest.mark.parametrize("column", ["c INTEGER DEFAULT touch(7) CHECK (c > 3)", "c INTEGER AS touch(7)"])
def test_rows_of_somebody_else_have_a_value_too(tmp_path: Path, column: str) -> None:
    """A row that comes while the values are made is not left without one, nor lost."""
    with duckdb.connect() as own, lancesql.connect(tmp_path / "db", duckdb=own) as db:
        db.execute(CREATE)
        once = threading.Event()

        def touch(value: int) -> int:
            if not once.is_set():
                once.set()
                with lancesql.connect(tmp_path / "db") as other:
                    other.execute("INSERT INTO t VALUES (60, 1, 'other', NULL, NULL)")
            return value

        own.create_function("touch", touch, ["INTEGER"], "INTEGER", side_effects=True)
        db.execute(f"ALTER TABLE t ADD COLUMN {column}")
        assert once.is_set()
        assert db.sql("SELECT count(*), min(c), max(c), count(c) FROM t").fetchall() == [(61, 7, 7, 61)]
        assert [row[0] for row in db.sql("SELECT version FROM (SHOW VERSIONS ON t)").fetchall()] == [5, 4, 3, 2, 1]


def add(folder: str, statement: str) -> None:
    with lancesql.connect(folder) as db:
        db.execute(statement)


@pytest.mark.slow
@pytest.mark.parametrize("changes", range(1, 21) if NIGHTLY else (1, 3, 6))
@pytest.mark.parametrize(
    "statement", ["ALTER TABLE t ADD COLUMN c INT DEFAULT 7 CHECK (c > 3)", "ALTER TABLE t ADD PRIMARY KEY (id)"]
)
def test_a_killed_writer_leaves_all_of_it_or_nothing(
    db: lancesql.Connection, tmp_path: Path, statement: str, changes: int
) -> None:
    table = tmp_path / "db" / "t.lance"
    before, seen = look(db, tmp_path), set(table.rglob("*"))
    writer = PROCESSES.Process(target=add, args=(str(tmp_path / "db"), statement))
    writer.start()
    while writer.is_alive() and changes:
        now = set(table.rglob("*"))
        changes -= now != seen
        seen = now
    writer.kill()
    writer.join()
    dataset = lance.dataset(table)
    if dataset.version == 3:
        assert look(db, tmp_path) == before
        db.execute(statement)
    if "PRIMARY" in statement:
        assert [row[6] for row in db.sql("DESCRIBE t").fetchall()] == ["PRI", None, None, None, None]
    else:
        assert db.sql("SELECT count(*) FROM t WHERE c = 7").fetchall() == [(60,)]
        with pytest.raises(lancesql.ConstraintError, match=r"CHECK \(c > 3\)"):
            db.execute("INSERT INTO t (id, c) VALUES (60, 2)")
    assert lance.dataset(table).version == 4


@pytest.mark.parametrize(
    "type_", ["INTEGER", "VARCHAR", "FLOAT[3]", "STRUCT(x INTEGER, y VARCHAR[])", "JSON", "INTEGER[]"]
)
def test_the_last_column_that_is_in_the_files(tmp_path: Path, type_: str) -> None:
    """Upstream: without any, Lance cannot open the table; a column that is added without values is in none."""
    with lancesql.connect(tmp_path / "db") as db:
        db.execute(
            "CREATE TABLE t AS SELECT i AS id FROM range(9) r(i); INSERT INTO t VALUES (9); DELETE FROM t WHERE id = 3"
        )
        db.execute(f"ALTER TABLE t ADD COLUMN c {type_}; ALTER TABLE t ADD COLUMN n INTEGER")
        db.execute("INSERT INTO t SELECT i, NULL, i FROM range(10, 14) r(i); CREATE INDEX nth ON t (n) USING BTREE")
        held = [row[:1] for row in db.sql("SELECT _rowid FROM t ORDER BY ALL").fetchall()]
        version = db.sql("SELECT max(version) FROM (SHOW VERSIONS ON t)").fetchall()[0][0]
        db.execute("ALTER TABLE t DROP COLUMN id")
        with lancesql.connect(tmp_path / "db") as other:
            for one in (db, other):
                assert one.sql("SELECT _rowid FROM t ORDER BY ALL").fetchall() == held
                assert one.sql("SELECT count(*), count(c), count(n), sum(n) FROM t").fetchall() == [(13, 0, 4, 46)]
                assert one.sql("SELECT count(*) FROM t WHERE n = 11").fetchall() == [(1,)]
        assert db.sql("SELECT max(version) FROM (SHOW VERSIONS ON t)").fetchall() == [(version + 1,)]
        assert db.sql("SELECT rows_indexed FROM (SHOW INDEXES ON t)").fetchall() == [(13,)]
        db.execute(
            "ALTER TABLE t DROP COLUMN c CASCADE; INSERT INTO t VALUES (20);OPTIMIZE t; VACUUM t OLDER THAN '0 seconds'"
        )
        assert db.sql("SELECT count(*), sum(n) FROM t").fetchall() == [(14, 66)]


def test_a_table_of_an_old_lance(tmp_path: Path) -> None:
    """None of its versions can be one that nobody is shown: what takes one commit is done, nothing by halves."""
    path = tmp_path / "t.lance"
    lance.write_dataset(pa.table({"id": [1, 2], "n": [3, 4]}), path, enable_v2_manifest_paths=False)
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE INDEX nth ON t (n) USING BTREE; ALTER TABLE t ADD COLUMN c AS id + 1")
        db.execute("ALTER TABLE t ALTER id TYPE VARCHAR; ALTER TABLE t ADD COLUMN d INTEGER DEFAULT 7")
        before = look(db, tmp_path, path)
        for change in ("ALTER n TYPE VARCHAR CASCADE", "ADD CHECK (n > 0)", "ADD COLUMN e INTEGER CHECK (e > 0)"):
            with pytest.raises(LanceSQLError, match="named as Lance did it long ago") as caught:
                db.execute(f"ALTER TABLE t {change}")
            assert "migrate_manifest_paths_v2" in (caught.value.hint or "")
            assert look(db, tmp_path, path) == before
        lance.dataset(path).migrate_manifest_paths_v2()
        db.execute("ALTER TABLE t ALTER n TYPE VARCHAR CASCADE; ALTER TABLE t ADD CHECK (n > '0')")
        assert db.sql("FROM t ORDER BY id").fetchall() == [("1", "3", 2, 7), ("2", "4", 3, 7)]
