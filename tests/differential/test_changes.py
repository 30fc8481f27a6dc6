"""DELETE, UPDATE and MERGE change the rows that DuckDB changes, and nothing else of any column's value."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import lance
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings

import lancesql

from .conftest import DIFFERENTIAL, SETUP, scaled
from .oracle import Failure, Oracle
from .predicates import Where, wheres
from .rows import count_rows, read_rows, run_oracle
from .tables import make_table

COLUMNS = "id, name, amount, tags, vector"
ROWS = """
SELECT i AS id, CASE WHEN i % 7 = 3 THEN NULL ELSE 'name ' || (i % 5) END AS name,
       CASE WHEN i % 4 = 1 THEN NULL ELSE (i * 13) % 17 END AS amount, ['a', 'b' || (i % 3)] AS tags,
       [i, i % 3]::FLOAT[2] AS vector
FROM range(40) r(i)
"""
SOURCES = (
    "CREATE TABLE more(id, name, amount) AS VALUES (3, 'three', 30), (5, 'five', NULL), (99, 'new', 1), (101, NULL, 2)",
    "CREATE TABLE keys AS SELECT unnest([1, 2, 2, NULL, 77]) AS k",
)
STATEMENTS = tuple(
    line.removesuffix(";")
    for line in Path(__file__).with_name("changes.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("--")
)


@contextmanager
def write_pair(folder: Path, *more: str) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """A database with a table, to be copied where it is written to, and a DuckDB with its twin and the sources."""
    with lancesql.connect(folder) as db, duckdb.connect() as oracle:
        for statement in (f"CREATE TABLE t AS {ROWS}", *more):
            db.execute(statement)
        for statement in (f"CREATE TABLE t AS {ROWS}", *SOURCES):
            oracle.execute(statement)
        yield folder, oracle


@contextmanager
def open_pair(
    written: tuple[Path, duckdb.DuckDBPyConnection], folder: Path
) -> Iterator[tuple[lancesql.Connection, duckdb.DuckDBPyConnection]]:
    """A copy of a database, the same sources beside it, and its twin; what is done to that is rolled back."""
    template, oracle = written
    shutil.copytree(template, folder, dirs_exist_ok=True)
    own = duckdb.connect()
    for statement in SOURCES:
        own.execute(statement)
    oracle.begin()
    with lancesql.connect(folder, duckdb=own) as db:
        yield db, oracle
    oracle.rollback()
    own.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    with write_pair(tmp_path_factory.mktemp("changes")) as both:
        yield both


@pytest.fixture
def pair(
    written: tuple[Path, duckdb.DuckDBPyConnection], tmp_path: Path
) -> Iterator[tuple[lancesql.Connection, duckdb.DuckDBPyConnection]]:
    with open_pair(written, tmp_path) as both:
        yield both


def read_both(db: lancesql.Connection, oracle: duckdb.DuckDBPyConnection, sql: str) -> tuple[pa.Table, pa.Table]:
    return db.sql(sql).to_arrow(), run_oracle(oracle, sql)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_same_change(pair: tuple[lancesql.Connection, duckdb.DuckDBPyConnection], statement: str) -> None:
    db, oracle = pair
    before = {row[0]: row[1] for row in db.sql("SELECT _rowid, id FROM t").fetchall()}
    answer, expected = read_both(db, oracle, statement)
    assert count_rows(answer) == count_rows(expected)
    kept, wanted = read_both(db, oracle, f"SELECT {COLUMNS} FROM t")
    assert count_rows(kept) == count_rows(wanted)
    assert answer.schema.names == [name.lower() for name in expected.schema.names]
    if "id = amount" not in statement:  # whoever changed is still the same row
        after = {row[0]: row[1] for row in db.sql("SELECT _rowid, id FROM t").fetchall()}
        assert all(before[row_id] == id_ for row_id, id_ in after.items() if row_id in before)
        assert {id_ for id_ in after.values() if id_ in before.values()} == {
            before[row_id] for row_id in after if row_id in before
        }


REFUSED = (
    ("UPDATE t SET name = keys.k::VARCHAR FROM keys WHERE t.id = keys.k", "more than one row of the source"),
    ("MERGE INTO t USING keys ON t.id = k WHEN MATCHED THEN DELETE", "more than one row of the source"),
    ("MERGE INTO t USING keys ON t.id = k WHEN NOT MATCHED THEN INSERT (id) VALUES (k)", "has NULL for 'id'"),
    (
        "MERGE INTO t USING (VALUES (900), (900)) s(k) ON t.id = k WHEN NOT MATCHED THEN INSERT (id) VALUES (k)",
        "two rows to insert have the same id",
    ),
    ("MERGE INTO t USING more m ON t.id = m.id WHEN MATCHED THEN ERROR", "that is an error"),
    ("UPDATE t SET vector = [1, 2, 3] WHERE id = 1", "holds vectors of 2 dimensions, and a row has 3"),
    ("UPDATE t SET amount = 'many' WHERE id = 1", "does not fit"),
    ("UPDATE t SET amount = 99999999999999999999 WHERE id = 1", "does not fit"),
    ("UPDATE t SET amount = CAST(name AS INTEGER)", "Could not convert"),
    ("UPDATE t SET amount = 1, amount = 2", "is set twice"),
    ("UPDATE t SET amuont = 1", "has no column 'amuont'"),
    ("UPDATE t SET tags.x = 1", "has no qualifier"),
    ("UPDATE t SET amount = 1 WHERE nmae = 'x'", "nmae"),
    ("DELETE FROM t WHERE error('stop') = 1", "stop"),
    ("DELETE FROM t WHERE id = 3 RETURNING nope", "nope"),
    ("DELETE FROM t WHERE id = 3 RETURNING (SELECT 1)", "RETURNING takes no subquery"),
    ("UPDATE t SET amount = 1 RETURNING error('late')", "late"),
    ("MERGE INTO t USING more ON t.id = more.id WHEN MATCHED THEN INSERT VALUES (1)", "5 columns, and 1 values"),
    ("MERGE INTO t USING more ON t.id = more.id WHEN NOT MATCHED BY SOURCE THEN INSERT", "needs INSERT (column"),
    ("MERGE INTO t USING more ON t.id = more.id WHEN MATCHED THEN INSERT (id, id) VALUES (1, 2)", "set twice"),
    (
        "MERGE INTO t USING more ON t.id = more.id WHEN MATCHED THEN WRITE",
        "UPDATE, DELETE, INSERT, DO NOTHING or ERROR",
    ),
    ("MERGE INTO t USING more t ON t.id = t.id WHEN MATCHED THEN DELETE", "both sides are called 't'"),
    ("MERGE INTO t USING (SELECT name, id FROM more) s ON t.id = s.id WHEN MATCHED THEN UPDATE", "has 2 columns"),
    (
        "MERGE INTO t USING (SELECT name, id, amount, tags, vector FROM t) s ON t.id = s.id WHEN MATCHED THEN UPDATE",
        "by position, column 'name' of the source goes to a column of another name",
    ),
    ("MERGE INTO t USING more ON t.id = more.id", "WHEN MATCHED or WHEN NOT MATCHED is expected"),
    ("MERGE INTO t USING more ON t.id = more.id WHEN MATCHED THEN ERROR 'not twice'", "error: not twice"),
    ("MERGE INTO t USING more ON t.id = more.id WHEN MATCHED THEN ERROR upper('x')", "that is an error: X"),
    (
        "MERGE INTO t USING more m ON t.id = m.id AND m.id = 5 WHEN MATCHED THEN ERROR 'of ' || t.name || m.id",
        "of name 05",
    ),
    (
        "MERGE INTO t USING more m USING (id) WHEN MATCHED AND m.id = 3 THEN ERROR CASE WHEN t.id = 3 THEN 'three' END",
        "1 rows are of a WHEN that is an error: three",
    ),
    ("MERGE INTO t USING more m ON t.id = m.id WHEN MATCHED THEN ERROR nope", "nope"),
    ("MERGE INTO t USING more m ON t.id = m.id WHEN MATCHED THEN ERROR NULL", "of a WHEN that is an error\n"),
    ("UPDATE t SET (name, amount) = ('a', 1, 2)", "2 columns are named, and 3 values are given"),
    ("UPDATE t SET (name, amount) = (SELECT 'a', 1)", "write column = value for each"),
    ("UPDATE t amount = 1", "SET is expected"),
    # What is written must not become a part of the query that finds the rows.
    ("DELETE FROM t WHERE false UNION ALL SELECT _rowid FROM t", "UNION is not expected here"),
    ("DELETE FROM t WHERE id > 1 ORDER BY id LIMIT 1", "ORDER BY is not expected here"),
    ("DELETE FROM t WHERE id > 1 LIMIT 1", "LIMIT is not expected here"),
    ("DELETE FROM t WHERE id > 1 USING SAMPLE 1", "USING is not expected here"),
    ("DELETE FROM t WHERE id > 1 QUALIFY row_number() OVER () = 1", "QUALIFY is not expected here"),
    ("DELETE FROM t USING more GROUP BY ALL", "GROUP BY is not expected here"),
    ("DELETE FROM t WHERE id = 1 RETURNING id LIMIT 0", "LIMIT is not expected here"),
    ("DELETE FROM t WHERE id = 1) OR (true", "')' closes nothing"),
    ("UPDATE t SET amount = 1 WHERE id > 1 EXCEPT SELECT 1, 1", "EXCEPT is not expected here"),
    ("UPDATE t SET amount = 1) AS x, (2", "')' closes nothing"),
    ("MERGE INTO t USING more ON true) WHERE (true WHEN MATCHED THEN DELETE", "')' closes nothing"),
    ("MERGE INTO t USING more ON true WHEN MATCHED AND true) OR (true THEN DELETE", "')' closes nothing"),
    ("MERGE INTO t USING more LIMIT 1 ON true WHEN MATCHED THEN DELETE", "LIMIT is not expected here"),
    ("INSERT INTO t VALUES (1, 'a', 1, [], NULL)) x, (VALUES (3)", "')' closes nothing"),
    ("ALTER TABLE t ADD COLUMN more AS id) AS x, (3", "')' closes nothing"),
    ("DELETE FROM t WHERE", "a condition is expected"),
)


@pytest.mark.parametrize(("statement", "message"), REFUSED)
def test_failure_changes_nothing(
    pair: tuple[lancesql.Connection, duckdb.DuckDBPyConnection], tmp_path: Path, statement: str, message: str
) -> None:
    db, _ = pair
    before = db.sql(f"SELECT {COLUMNS}, _rowid FROM t ORDER BY _rowid").to_arrow()
    with pytest.raises(lancesql.LanceSQLError) as caught:
        db.execute(statement)
    assert message in str(caught.value)
    assert "__lancesql" not in str(caught.value)
    assert lance.dataset(tmp_path / "t.lance").latest_version == 1
    assert db.sql(f"SELECT {COLUMNS}, _rowid FROM t ORDER BY _rowid").to_arrow().equals(before)


@pytest.fixture(scope="module", params=[True, False], ids=["stable ids", "addresses"])
def nasty(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[lancesql.Connection, Oracle, Path]]:
    root = tmp_path_factory.mktemp("changes")
    path = root / "t.lance"
    written = make_table(3, 70)
    dataset = lance.write_dataset(written, path, enable_stable_row_ids=request.param, max_rows_per_file=30)
    for name in ("i32", "s", "d", "f64"):
        dataset.create_scalar_index(name, "BTREE")
    dataset.create_scalar_index("txt", "INVERTED", stem=False, remove_stop_words=False)
    dataset.insert(make_table(4, 20, first_id=1000))
    oracle = Oracle(lance.dataset(path), "t", SETUP)
    own = duckdb.connect()
    for statement in SETUP:
        own.execute(statement)
    with lancesql.connect(root, duckdb=own) as db:
        yield db, oracle, path
    own.close()
    oracle.close()


@settings(DIFFERENTIAL, max_examples=scaled(30))
@given(where=wheres())
def test_any_condition(nasty: tuple[lancesql.Connection, Oracle, Path], where: Where) -> None:
    db, oracle, path = nasty
    condition = where.sql.replace("@t", "t")
    found = oracle.find_ids(condition, where.parameters)
    if isinstance(found, Failure):
        return
    stored = oracle.stored
    meant = pc.is_in(stored["_rowid"], value_set=pa.array(found, pa.uint64()))
    wanted = sorted(stored.filter(meant)["id"].to_pylist())
    stored = stored.drop_columns("_rowid")
    try:
        changed = db.sql(f"UPDATE t SET i32 = 77, txt = 'changed words' WHERE {condition}", where.parameters).fetchall()
        assert changed == [(len(wanted),)]
        now = lance.dataset(path).to_table()
        assert sorted(now.filter(pc.equal(now["txt"], "changed words"))["id"].to_pylist()) == wanted
        others = [name for name in stored.column_names if name not in ("i32", "txt")]
        assert read_rows(now.sort_by("id").select(others)) == read_rows(stored.sort_by("id").select(others))
        assert sorted(row[0] for row in db.sql("SELECT id FROM t WHERE i32 = 77").fetchall()) == wanted
        assert sorted(row[0] for row in db.sql("SELECT id FROM fts('t', 'changed')").fetchall()) == wanted
        assert db.sql("DELETE FROM t WHERE txt = 'changed words' AND i32 = 77").fetchall() == [(len(wanted),)]
        kept = lance.dataset(path).to_table().sort_by("id")
        assert read_rows(kept) == read_rows(stored.filter(pc.invert(meant)).sort_by("id"))
    finally:
        lance.dataset(path, version=oracle.dataset.version).restore()
