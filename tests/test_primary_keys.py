"""A primary key is given to a table that is there already, once its rows have one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lance
import pyarrow as pa
import pytest

import lancesql
from lancesql import BindError, ConstraintError, LanceSQLError, ParseError


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t (id BIGINT, part INTEGER, name VARCHAR)")
        db.execute("INSERT INTO t VALUES (1, 1, 'a'), (2, 1, 'b'), (2, 2, 'c')")
        yield db


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("ALTER TABLE t ADD PRIMARY KEY (id)", ConstraintError, "rows with the id of another row: 1"),
        ("ALTER TABLE t ADD PRIMARY KEY (name)", ConstraintError, "rows with NULL for name: 1"),
        ("ALTER TABLE t ADD PRIMARY KEY (nmae)", LanceSQLError, "did you mean 'name'"),
        ("ALTER TABLE t ADD PRIMARY KEY (id, id)", BindError, "set twice"),
        ("ALTER TABLE t ADD PRIMARY KEY", ParseError, "(column) is expected"),
        ("ALTER TABLE t ADD PRIMARY KEY (id) NOW", ParseError, "the end of the statement"),
        ("ALTER TABLE t SET UNENFORCED PRIMARY KEY (part)", BindError, "ADD PRIMARY KEY does it too"),
    ],
)
def test_refused(db: lancesql.Connection, tmp_path: Path, sql: str, error: type[Exception], message: str) -> None:
    db.execute("INSERT INTO t VALUES (3, 3, NULL)")
    before = lance.dataset(tmp_path / "t.lance")
    with pytest.raises(error) as caught:
        db.execute(sql)
    assert message in str(caught.value)
    after = lance.dataset(tmp_path / "t.lance")
    assert (after.version, after.schema) == (before.version, before.schema)


def test_a_key_says_what_a_conflict_is(db: lancesql.Connection) -> None:
    upsert = "INSERT INTO t VALUES (2, 2, 'new'), (9, 9, 'z') ON CONFLICT DO UPDATE SET name = excluded.name"
    with pytest.raises(LanceSQLError, match="has no primary key"):
        db.execute(upsert)
    assert "SetPrimaryKey t" in str(db.sql("EXPLAIN ALTER TABLE t ADD PRIMARY KEY (part, id)").fetchall())
    described = db.sql("ALTER TABLE t ADD PRIMARY KEY (part, id)").to_arrow()
    assert described["null"].to_pylist() == ["NO", "NO", "YES"]
    db.execute(upsert)
    assert db.sql("SELECT * FROM t ORDER BY ALL").fetchall() == [(1, 1, "a"), (2, 1, "b"), (2, 2, "new"), (9, 9, "z")]
    with pytest.raises(BindError, match="has a primary key already: part, id"):
        db.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    with pytest.raises(LanceSQLError, match="cannot be NULL"):
        db.execute("INSERT INTO t VALUES (NULL, 1, 'x')")


def test_a_key_that_is_not_looked_at(db: lancesql.Connection) -> None:
    db.execute("ALTER TABLE t ALTER id SET NOT NULL")
    db.execute("ALTER TABLE t SET UNENFORCED PRIMARY KEY (id)")
    assert db.sql("INSERT INTO t VALUES (1, 5, 'x') ON CONFLICT DO NOTHING").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("matched", "changed"),
    [
        ("WHEN MATCHED AND t.part = 2 THEN UPDATE SET name = n.name", [(2, 1, "b"), (2, 2, "z")]),
        ("WHEN MATCHED THEN UPDATE SET name = n.name", [(2, 1, "z"), (2, 2, "z")]),
        ("WHEN MATCHED AND t.part = 9 THEN UPDATE SET name = n.name", [(2, 1, "b"), (2, 2, "c")]),
    ],
)
@pytest.mark.parametrize("inserts", [True, False])
def test_merge_among_rows_of_one_key(
    tmp_path: Path, matched: str, changed: list[tuple[object, ...]], inserts: bool
) -> None:
    """INSERT does not look for the key: each row of one is changed alone, as the condition says."""
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, part INTEGER, name VARCHAR)")
        db.execute("INSERT INTO t VALUES (1, 1, 'a'), (2, 1, 'b'), (2, 2, 'c')")
        ending = " WHEN NOT MATCHED THEN INSERT (id, name) VALUES (n.id, n.name)" if inserts else ""
        db.execute(f"MERGE INTO t USING (VALUES (2, 'z'), (7, 'new')) n(id, name) ON t.id = n.id {matched}{ending}")
        rows = [(1, 1, "a"), *changed, *([(7, None, "new")] if inserts else [])]
        assert db.sql("SELECT * FROM t ORDER BY id, part").fetchall() == rows


def test_a_table_whose_rows_are_known_by_their_place(tmp_path: Path) -> None:
    """Made by another program, without ids that stay; with an index on the key, and on what changes."""
    key = {b"lance-schema:unenforced-primary-key": b"true"}
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False, metadata=key), pa.field("x", pa.int64())])
    for start in (0, 100):
        rows = pa.table({"id": range(start, start + 100), "x": [0] * 100}, schema=schema)
        lance.write_dataset(rows, tmp_path / "t.lance", mode="append" if start else "create")
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE INDEX ON t (id) USING BTREE; CREATE INDEX ON t (x) USING BTREE")
        for _ in range(3):
            db.execute("INSERT INTO t SELECT i * 50, 1 FROM range(8) r(i) ON CONFLICT DO UPDATE SET x = t.x + 1")
        rest = {50 * number: 3 for number in range(8)}
        assert dict(db.sql("SELECT id, x FROM t WHERE x > 0").fetchall()) == rest
        assert db.sql("SELECT count(*), count(DISTINCT id) FROM t").fetchall() == [(204, 204)]
        assert db.sql("SELECT x FROM t WHERE id = 50").fetchall() == [(3,)]
        db.execute("""
            MERGE INTO t USING (VALUES (5, 7), (500, 9)) s(id, x) USING (id) WHEN MATCHED THEN UPDATE SET x = s.x
            WHEN NOT MATCHED THEN INSERT WHEN NOT MATCHED BY SOURCE AND t.id < 100 THEN DELETE
        """)
        for _ in range(2):
            assert db.sql("SELECT count(*), min(id) FROM t").fetchall() == [(106, 5)]
            assert db.sql("SELECT id, x FROM t WHERE id IN (5, 50, 500) ORDER BY id").fetchall() == [(5, 7), (500, 9)]
            db.execute("OPTIMIZE t")
