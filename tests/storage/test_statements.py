"""What a plain name in CREATE TABLE and SHOW TABLES means, with and without a database."""

import lancedb
import pyarrow as pa
import pytest

import lancesql


def test_without_a_database_a_plain_name_is_duckdbs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with lancesql.connect() as db:
        db.execute("CREATE TABLE plain AS SELECT 1 AS a")
        assert db.sql("SELECT * FROM plain").fetchall() == [(1,)]
        assert db.sql("SHOW TABLES").fetchall() == [("plain",)]
        assert db.tables() == []
        with pytest.raises(lancesql.LanceSQLError):
            db.execute("CREATE TABLE lance.other AS SELECT 1 AS a")
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_table_beside_a_lance_table_of_its_name(tmp_path):
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT 1 AS a")
        db.execute("CREATE TEMP TABLE t AS SELECT 2 AS a")
        assert db.sql("SELECT a FROM lance.t").fetchall() == [(1,)]
        with pytest.raises(lancesql.AmbiguousNameError, match="both a Lance table and a DuckDB table"):
            db.sql("SELECT a FROM t")


def test_a_literal_list_is_a_vector(tmp_path):
    with lancesql.connect(tmp_path) as db:
        db.execute(
            "CREATE TABLE t AS SELECT * FROM (VALUES (1, [0.1, 0.25]), (2, [0.5, 1.5]), (3, NULL)) AS v(id, vector)"
        )
        assert db.sql("DESCRIBE t").to_arrow().column("column_type").to_pylist() == ["INTEGER", "FLOAT[2]"]
        assert db.sql("SELECT id, _distance FROM vector_search('t', [0.5, 1.5], k => 5)").fetchall()[0] == (2, 0.0)
        db.execute("CREATE TABLE ragged AS SELECT * FROM (VALUES ([0.1, 0.25]), ([0.5])) AS v(parts)")
        assert db.sql("DESCRIBE ragged").to_arrow().column("column_type").to_pylist() == ["DECIMAL(3,2)[]"]
        db.execute("CREATE TABLE lists WITH (vectors = false) AS SELECT [0.1, 0.25] AS parts")
        assert db.sql("DESCRIBE lists").to_arrow().column("column_type").to_pylist() == ["DECIMAL(3,2)[]"]


def test_a_table_in_a_namespace(tmp_path):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([0.0, 0.0, 1.0, 1.0], pa.float32()), 2)
    connection = lancedb.connect(tmp_path)
    connection.create_namespace(["ns"])
    connection.create_table("docs", pa.table({"id": [1, 2], "vector": vectors}), namespace_path=["ns"])
    with lancesql.connect(tmp_path) as db:
        for name in ("'ns.docs'", "ns.docs", "'ns.DOCS'"):
            statement = f"SELECT id FROM vector_search({name}, [1, 1], k => 2) WHERE id > 0"
            assert db.sql(statement).fetchall() == [(2,), (1,)]
        with pytest.raises(lancesql.UnknownTableError):
            db.sql("SELECT id FROM vector_search('ns.other', [1, 1])")
        with pytest.raises(lancesql.UnknownTableError):
            db.sql("SELECT id FROM vector_search('other.docs', [1, 1])")


@pytest.mark.parametrize(("word", "meant"), [("TABLS", "TABLES"), ("database", "DATABASES"), ("INDEX", "INDEXES")])
def test_a_misspelled_show_names_the_nearest(tmp_path, word, meant):
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT 1 AS a")
        with pytest.raises(lancesql.UnknownTableError) as caught:
            db.sql(f"SHOW {word}")
        assert caught.value.hint == f"did you mean SHOW {meant}? Lance tables: t"
        with pytest.raises(lancesql.UnknownTableError) as caught:
            db.sql(f"FROM {word}s_")
        assert "SHOW" not in caught.value.hint


def test_a_damaged_table_does_not_hide_the_others(tmp_path):
    with lancesql.connect(tmp_path) as db:
        for name in ("before", "broken", "other"):
            db.execute(f"CREATE TABLE {name} AS SELECT 1 AS a")
        db.execute("CREATE INDEX a_idx ON other USING BTREE (a)")
    for manifest in (tmp_path / "broken.lance" / "_versions").iterdir():
        manifest.write_bytes(b"no manifest")
    with lancesql.connect(tmp_path) as db:
        assert db.sql("SELECT name, rows, version FROM (SHOW TABLES)").fetchall() == [
            ("before", 1, 1),
            ("broken", None, None),
            ("other", 1, 2),
        ]
        assert db.sql('SELECT "table", name FROM (SHOW INDEXES)').fetchall() == [("other", "a_idx")]
        assert db.sql("SHOW EMBEDDINGS").fetchall() == []
        db.execute("DROP INDEX a_idx")
        for sql in ("FROM broken", "DESCRIBE broken", "SHOW INDEXES ON broken"):
            with pytest.raises(lancesql.StorageError, match=r"cannot open '.*broken\.lance': a file is damaged"):
                db.sql(sql).fetchall()
