"""ALTER COLUMN TYPE: values as DuckDB casts them, in one commit; CASCADE builds the column's indexes anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import lancesql
from lancesql.errors import ConflictError, ConstraintError, LanceSQLError, StorageError
from lancesql.storage.database import LanceDatabase
from lancesql.storage.writes.column_types import change_type

from .conftest import fill, look
from .test_upkeep import KINDS, create, parse, show

NEW = {
    "vec": ("DOUBLE[8]", ""),
    "id": ("INTEGER", ""),
    "few": ("TINYINT", ""),
    "body": ("VARCHAR", " USING body || ' fresh'"),
    "tags": ("VARCHAR[]", " USING list_transform(tags, lambda t: upper(t))"),
    "name": ("VARCHAR", " USING replace(name, 'name', 'title')"),
}
METRICS = {kind: parse(options).get("metric") for kind, (_, options) in KINDS.items()}
LASTING = ("type", "metric", "partitions", "parameters")
QUERIES = {
    "body": "SELECT id FROM fts('docs', 'fresh', columns => 'body', k => 1000) WHERE id % 3 = 1",
    "id": "SELECT id FROM docs WHERE id BETWEEN 17 AND 40",
    "few": "SELECT id FROM docs WHERE few = 4",
    "tags": "SELECT id FROM docs WHERE list_contains(tags, 'ODD')",
    "name": "SELECT id FROM docs WHERE name LIKE '%title 1%'",
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    """The tables of the other tests, in several fragments and with rows deleted."""
    with lancesql.connect(tmp_path / "db") as db:
        fill(db)
        db.execute("INSERT INTO docs SELECT * REPLACE (id + 1000 AS id) FROM docs WHERE id < 50")
        db.execute("DELETE FROM docs WHERE id % 7 = 3")
        yield db


def list_files(path: Path) -> list[str]:
    return sorted(one.name for one in (path / "db" / "docs.lance" / "_versions").glob("d*"))


@pytest.mark.parametrize("kind", KINDS)
def test_indexes_are_built_anew(db: lancesql.Connection, kind: str, tmp_path: Path) -> None:
    column = KINDS[kind][0]
    type_, using = NEW[column]
    create(db, kind)
    db.execute("CREATE INDEX other ON docs (day) USING BTREE")
    built, other = show(db), show(db, "other")
    before = look(db)
    with pytest.raises(LanceSQLError, match=rf"has indexes, which .*: made \({kind}\)"):
        db.execute(f"ALTER TABLE docs ALTER {column} TYPE {type_}{using}")
    lines = db.sql(f"EXPLAIN ALTER TABLE docs ALTER {column} TYPE {type_}{using} CASCADE").fetchall()
    assert [line[0].strip() for line in lines[1:]] == [
        f"touches    column {column} written anew as {type_}: 386 rows",
        "touches    index made goes, and is built anew over 386 rows",
    ]
    assert look(db) == before
    steps = db.execute(f"ALTER TABLE docs ALTER COLUMN {column} SET DATA TYPE {type_}{using} CASCADE").fetchall()
    assert [step[:3] for step in steps] == [("rewrite", column, "done"), ("rebuild", "made", "done")]
    again = show(db)
    assert {name: again[name] for name in LASTING} == {name: built[name] for name in LASTING}
    assert (again["rows_indexed"], again["rows_unindexed"]) == (386, 0)
    assert {**show(db, "other"), "age": ""} == {**other, "age": ""}
    assert list_files(tmp_path) == []
    check_answers(db, column, kind)
    db.execute("INSERT INTO docs SELECT * REPLACE (id + 2000 AS id) FROM docs WHERE id < 20; OPTIMIZE docs")
    db.execute("DELETE FROM docs WHERE id % 11 = 4")
    check_answers(db, column, kind)


def check_answers(db: lancesql.Connection, column: str, kind: str) -> None:
    """What the new index finds is what is found without it."""
    db.execute("CREATE OR REPLACE TABLE copy AS SELECT * FROM docs")
    if column == "vec":
        near = "SELECT round(_distance, 4) FROM vector_search('{}', vec, [0.5, 0.5, 0.3, 1, 0, 1, 2, 3], k => 9, {})"
        effort = f"nprobes => 9, refine_factor => 60{', ef => 500' if 'HNSW' in kind else ''}"
        query, plain = (
            near.format("docs", f"{effort}, metric => '{METRICS[kind]}'"),
            near.format("copy", f"exact => true, metric => '{METRICS[kind]}'"),
        )
    else:
        query = QUERIES[column]
        plain = query.replace("docs", "copy")
    wanted = sorted(db.sql(plain).fetchall())
    assert wanted
    assert sorted(db.sql(query).fetchall()) == wanted


def test_a_table_without_rows(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE e (id BIGINT PRIMARY KEY, v FLOAT[4], text VARCHAR, tags VARCHAR[])")
        made = {"v": "IVF_PQ", "id": "BITMAP", "text": "NGRAM", "tags": "LABEL_LIST"}
        for column, kind in made.items():
            db.execute(f"CREATE INDEX {column}_made ON e ({column}) USING {kind}")
        for change in (
            "v TYPE HALF[4]",
            "id TYPE INTEGER",
            "text TYPE VARCHAR USING text",
            "tags TYPE VARCHAR[] USING []",
        ):
            db.execute(f"ALTER TABLE e ALTER {change} CASCADE")
        assert [(name, type_, indexes) for name, type_, _, indexes, *_ in db.sql("DESCRIBE e").fetchall()] == [
            ("id", "INTEGER", "id_made"),
            ("v", "FLOAT16[4]", "v_made"),
            ("text", "VARCHAR", "text_made"),
            ("tags", "VARCHAR[]", "tags_made"),
        ]
        db.execute("INSERT INTO e VALUES (1, [1, 2, 3, 4], 'some text', ['a'])")
        db.execute("INSERT INTO e VALUES (1, [1, 2, 3, 4], 'other', ['b']) ON CONFLICT DO NOTHING; REINDEX e")
        assert db.sql("SELECT id FROM vector_search('e', v, [1, 2, 3, 4])").fetchall() == [(1,)]
        assert db.sql(
            "SELECT id FROM e WHERE id = 1 AND text LIKE '%me te%' AND list_contains(tags, 'a')"
        ).fetchall() == [(1,)]
        db.execute("CREATE TABLE one AS SELECT i AS x FROM range(5) r(i); ALTER TABLE one ALTER x TYPE VARCHAR")
        assert db.sql("SELECT min(x || '!') FROM one").fetchall() == [("0!",)]


def test_what_a_column_keeps(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, n INTEGER NOT NULL DEFAULT 7, v FLOAT[2], CHECK (n > 0))")
        db.execute("COMMENT ON COLUMN t.n IS 'a number'; INSERT INTO t VALUES (1, 3, [1, 2]), (2, 9, NULL)")
        db.execute("INSERT INTO t (id) VALUES (3)")
        db.execute("CREATE TAG old ON t; ALTER TABLE t ALTER n TYPE SMALLINT; ALTER TABLE t ALTER id TYPE INTEGER")
        rows = db.sql("DESCRIBE t").fetchall()
        assert [row[:5] for row in rows] == [
            ("id", "INTEGER", "NO", None, None),
            ("n", "SMALLINT", "NO", None, "7"),
            ("v", "FLOAT[2]", "YES", None, None),
        ]
        assert rows[1][5] == "a number"
        db.execute("INSERT INTO t (id, n) VALUES (3, 1), (4, 2) ON CONFLICT (id) DO UPDATE SET n = excluded.n")
        assert db.sql("SELECT id, n FROM t ORDER BY id").fetchall() == [(1, 3), (2, 9), (3, 1), (4, 2)]
        state = (db.sql("SELECT * FROM t ORDER BY id").fetchall(), db.sql("SHOW VERSIONS ON t").fetchall())
        for change, error, message in (
            ("n TYPE INTEGER USING n - 2", ConstraintError, r"CHECK \(n > 0\)"),
            ("n TYPE INTEGER USING NULL", ConstraintError, "cannot be NULL"),
            ("n TYPE DATE", ConstraintError, "the default of column 'n' is no DATE"),
            ("n TYPE INTEGER USING nothing", LanceSQLError, "nothing"),
            ("n TYPE INTEGER USING", LanceSQLError, "an expression is expected"),
            ("n TYPE INTERVAL", LanceSQLError, "INTERVAL"),
            ("n TYPE INTEGGER", LanceSQLError, "INTEGGER"),
            ("n TYPE INTEGER CASCADE NOW", LanceSQLError, "the end of the statement"),
            ("nn TYPE INTEGER", LanceSQLError, "no column 'nn'"),
            ("v TYPE FLOAT[3]", LanceSQLError, "array of size 2"),
            ("v TYPE FLOAT[2] USING ['nan'::FLOAT, 1]", LanceSQLError, "nan"),
            ("v.x TYPE INTEGER", LanceSQLError, "a field of a struct"),
            (
                "id TYPE INTEGER USING id // 2",
                ConstraintError,
                "would have the primary key of another row: 1",
            ),
            ("id TYPE DATE", LanceSQLError, "column 'id' cannot be DATE"),
        ):
            with pytest.raises(error, match=message):
                db.execute(f"ALTER TABLE t ALTER {change}")
            assert (db.sql("SELECT * FROM t ORDER BY id").fetchall(), db.sql("SHOW VERSIONS ON t").fetchall()) == state
        assert db.execute("ALTER TABLE t ALTER n TYPE SMALLINT").fetchall() == []
        assert db.sql("SHOW VERSIONS ON t").fetchall() == state[1]
        old = db.sql("SELECT id, n FROM t AT (VERSION => 'old') ORDER BY id").to_arrow()
        assert old.schema.types == [pa.int64(), pa.int32()]
        assert old.to_pydict() == {"id": [1, 2, 3], "n": [3, 9, 7]}
        db.execute("RESTORE TABLE t TO TAG 'old'")
        assert db.sql("SELECT * FROM t ORDER BY id").to_arrow().schema.types[:2] == [pa.int64(), pa.int32()]


def test_an_index_that_does_not_fit_the_type(db: lancesql.Connection) -> None:
    db.execute("CREATE INDEX words ON docs (name) USING FTS; CREATE INDEX near ON docs (vec) USING IVF_FLAT")
    before = look(db)
    for change in (
        "name TYPE BLOB USING 'x'::BLOB",
        "vec TYPE VARCHAR",
        "vec TYPE UTINYINT[8] USING [1, 2, 3, 4, 5, 6, 7, 8]",
    ):
        with pytest.raises(LanceSQLError, match="cannot be built on the new type") as caught:
            db.execute(f"ALTER TABLE docs ALTER {change} CASCADE")
        assert caught.value.span is not None
        assert "DROP INDEX" in str(caught.value.hint)
    assert look(db) == before


def test_fields_of_structs_stay(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute(
            "CREATE TABLE t AS SELECT {'a': i, 'b': [i]} AS s, i AS n, {'c': {'d': i}} AS deep FROM range(3) r(i)"
        )
        for change in ("DROP COLUMN s.a", "RENAME s.a TO b", "ALTER s.a SET NOT NULL"):
            with pytest.raises(LanceSQLError, match="a field of a struct"):
                db.execute(f"ALTER TABLE t {change}")
        db.execute("ALTER TABLE t DROP COLUMN n; ALTER TABLE t ALTER s TYPE STRUCT(a VARCHAR, b DOUBLE[])")
        db.execute("ALTER TABLE t ADD COLUMN m AS deep.c.d + 1; ALTER TABLE t ALTER deep TYPE VARCHAR USING s.a || m")
        rows = db.sql("SELECT s.a, s.b, deep, m FROM t ORDER BY m").fetchall()
        assert rows == [(str(n), [float(n)], f"{n}{n + 1}", n + 1) for n in range(3)]


def test_a_clone_and_its_source(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE t AS SELECT i AS id, [i, 1]::FLOAT[2] AS v FROM range(40) r(i)")
        db.execute("CREATE INDEX near ON t (v) USING IVF_FLAT; CREATE TABLE c SHALLOW CLONE t")
        db.execute("ALTER TABLE c ALTER v TYPE DOUBLE[2] CASCADE; ALTER TABLE t ALTER id TYPE VARCHAR")
        for name, types in (("t", ["VARCHAR", "FLOAT[2]"]), ("c", ["BIGINT", "DOUBLE[2]"])):
            assert [row[1] for row in db.sql(f"DESCRIBE {name}").fetchall()] == types
            assert db.sql(f"SELECT id::INTEGER FROM vector_search('{name}', v, [7, 1], k => 1)").fetchall() == [(7,)]
            (index,) = db.sql(f"SELECT rows_indexed, rows_unindexed FROM (SHOW INDEXES ON {name})").fetchall()
            assert index == (40, 0)


@pytest.mark.parametrize(
    "meanwhile", ["INSERT INTO t VALUES (99, 5)", "DELETE FROM t WHERE id = 3", "UPDATE t SET n = 0"]
)
def test_somebody_else_writes_meanwhile(tmp_path: Path, meanwhile: str) -> None:
    with lancesql.connect(tmp_path / "db") as db, lancesql.connect(tmp_path / "db") as other:
        db.execute("CREATE TABLE t AS SELECT i AS id, i::INTEGER AS n FROM range(20) r(i)")
        database = LanceDatabase(str(tmp_path / "db"))
        table = database.find_table("t")
        assert table is not None
        field = pa.field("n", pa.string())

        def convert(batch: pa.RecordBatch) -> pa.RecordBatch:
            other.execute(meanwhile)
            return pa.RecordBatch.from_arrays([batch.column(0).cast(pa.string())], schema=pa.schema([field]))

        with pytest.raises(ConflictError):
            change_type(database, table, field, ["n"], convert)
        held = other.sql("SELECT * FROM t ORDER BY id").to_arrow()
        assert held.schema.field("n").type == pa.int32()
        assert len(other.sql("SHOW VERSIONS ON t").fetchall()) == 2
        with pytest.raises(ConflictError):
            change_type(database, table, field, ["n"], convert)  # the version it was planned for is not the newest
        db.execute("ALTER TABLE t ALTER n TYPE VARCHAR")
        assert db.sql("SELECT id, n::INTEGER FROM t ORDER BY id").to_arrow().to_pylist() == [
            {"id": row["id"], "CAST(n AS INTEGER)": row["n"]} for row in held.to_pylist()
        ]


def test_a_build_that_fails_leaves_the_column_as_it_was(db: lancesql.Connection, tmp_path: Path) -> None:
    """An index that Lance cannot write is found out before anything is committed."""
    db.execute("CREATE INDEX near ON docs (vec) USING IVF_FLAT")
    before = look(db)
    indices = tmp_path / "db" / "docs.lance" / "_indices"
    indices.rename(tmp_path / "kept")
    indices.write_bytes(b"")
    try:
        with pytest.raises(StorageError):
            db.execute("ALTER TABLE docs ALTER vec TYPE DOUBLE[8] CASCADE")
    finally:
        indices.unlink()
        (tmp_path / "kept").rename(indices)
    assert look(db) == before
    assert list_files(tmp_path) == []
