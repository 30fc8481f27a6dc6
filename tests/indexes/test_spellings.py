"""The same index in the words of DuckDB, pgvector, Lance for Spark and BigQuery."""

from __future__ import annotations

from typing import Any

import pytest

import lancesql
from lancesql.errors import LanceSQLError

from .conftest import look

FLAT = ("vec", "IVF_FLAT", "cosine", 4)


def build(db: lancesql.Connection, sql: str) -> dict[str, Any]:
    (row,) = db.execute(sql).to_arrow().to_pylist()
    return dict(row)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX one ON docs (vec) USING IVF_FLAT WITH (metric = cosine, num_partitions = 4)",
        "create index if not exists one on lance.docs using ivf_flat (vec) with (metric_type = 'COSINE', lists = 4)",
        "CREATE OR REPLACE INDEX one ON docs (vec) USING IVF_FLAT WITH (distance_type => 'cosine', nlist => 4)",
        "CREATE INDEX one ON docs USING ivfflat (vec vector_cosine_ops) WITH (lists = 4)",
        "CREATE INDEX CONCURRENTLY one ON docs USING ivfflat (vec vector_cosine_ops) WITH (lists = 4)",
        "ALTER TABLE docs CREATE INDEX one USING ivf_flat (vec) WITH (num_partitions = 4, distance_type = 'cosine')",
        "ALTER TABLE docs CREATE OR REPLACE INDEX one ON (vec) USING ivf_flat WITH (lists = 4, metric = cosine)",
        "CREATE VECTOR INDEX one ON docs(vec) OPTIONS (index_type = 'IVF', distance_type = 'COSINE', num_lists = 4)",
        """CREATE VECTOR INDEX one ON docs(vec) OPTIONS (index_type = 'IVF', distance_type = 'COSINE',
        ivf_options = '{"num_lists": 4}')""",
    ],
)
def test_spellings_of_one_index(db: lancesql.Connection, sql: str) -> None:
    built = build(db, sql)
    assert (built["name"], *[built[name] for name in ("column", "type", "metric", "partitions")]) == ("one", *FLAT)
    assert set(built["defaults"]).isdisjoint({"metric", "num_partitions"})
    (shown,) = db.sql("SHOW INDEXES ON docs").to_arrow().to_pylist()
    assert {name: shown[name] for name in shown if name in built} == {
        name: value for name, value in built.items() if name in shown
    }


def test_a_path_for_a_table(db: lancesql.Connection, tmp_path: Any) -> None:
    path = tmp_path / "db" / "docs.lance"
    assert build(db, f"CREATE INDEX ON '{path}' (id) USING BTREE")["name"] == "id_idx"
    assert build(db, f"ALTER TABLE '{path}' CREATE INDEX other USING bitmap (few)")["name"] == "other"
    db.execute(f"DROP INDEX other ON '{path}'")
    assert [row[1] for row in db.sql(f"SHOW INDEXES FROM '{path}'").fetchall()] == ["id_idx"]


@pytest.mark.parametrize(
    ("target", "kind", "metric"),
    [
        ("docs USING hnsw (vec vector_l2_ops) WITH (m = 16, ef_construction = 64)", "IVF_HNSW_SQ", "l2"),
        ("docs USING hnsw (vec vector_ip_ops)", "IVF_HNSW_SQ", "dot"),
        ("docs USING ivfflat (vec VECTOR_IP_OPS)", "IVF_FLAT", "dot"),
        ("halves USING ivfflat (vec halfvec_cosine_ops)", "IVF_FLAT", "cosine"),
        ("halves USING ivfflat (vec halfvec_l2_ops)", "IVF_FLAT", "l2"),
        ("docs USING hnsw_flat (bits bit_hamming_ops)", "IVF_HNSW_FLAT", "hamming"),
        ("docs (bits bit_hamming_ops)", "IVF_FLAT", "hamming"),
        ("docs (vec vector_cosine_ops)", "IVF_PQ", "cosine"),
        ("docs (vec) USING HNSW WITH (metric = 'l2sq', M = 8)", "IVF_HNSW_SQ", "l2"),
        ("docs USING btree (name text_pattern_ops)", "BTREE", None),
        ("docs USING gin (name gin_trgm_ops)", "NGRAM", None),
        ("docs USING brin (id)", "ZONEMAP", None),
        ("docs USING bloom (id)", "BLOOMFILTER", None),
        ("docs USING inverted (body)", "FTS", None),
    ],
)
def test_classes_and_synonyms(db: lancesql.Connection, target: str, kind: str, metric: str | None) -> None:
    built = build(db, f"CREATE INDEX ON {target}")
    assert (built["type"], built["metric"]) == (kind, metric)


@pytest.mark.parametrize(
    ("column", "kind", "reason"),
    [
        ("vec", "IVF_PQ", "the column holds vectors"),
        ("bits", "IVF_FLAT", "the column holds vectors of bytes"),
        ("body", "FTS", "the column holds texts of several words"),
        ("name", "BTREE", "the column holds names rather than texts of several words"),
        ("tags", "LABEL_LIST", "the column holds lists"),
        ("flag", "BITMAP", "the column holds two values"),
        ("few", "BITMAP", "the column holds few different values"),
        ("id", "BTREE", "the column holds single values"),
        ("day", "BTREE", "the column holds single values"),
    ],
)
def test_a_kind_that_is_left_out(shared: lancesql.Connection, column: str, kind: str, reason: str) -> None:
    built = build(shared, f"CREATE INDEX ON docs ({column})")
    assert (built["type"], built["notes"][0]) == (kind, f"{kind}, since {reason}")


def test_a_kind_that_is_left_out_of_an_empty_table(db: lancesql.Connection) -> None:
    db.execute("CREATE TABLE empty (id INTEGER, text VARCHAR, v FLOAT[4])")
    for column, kind in (("id", "BTREE"), ("text", "BTREE"), ("v", "IVF_PQ")):
        built = build(db, f"CREATE INDEX ON empty ({column})")
        assert (built["type"], built["rows_indexed"]) == (kind, 0)
        assert "the table is empty: REINDEX when it has rows" in built["notes"]


def test_search_indexes(db: lancesql.Connection) -> None:
    assert build(db, "CREATE SEARCH INDEX words ON docs(name)")["type"] == "FTS"
    assert build(db, "CREATE SEARCH INDEX ON docs(tags)")["type"] == "FTS"
    assert build(db, "CREATE VECTOR INDEX ON docs(vec)")["type"] == "IVF_PQ"
    db.execute("DROP SEARCH INDEX words ON docs; DROP VECTOR INDEX IF EXISTS vec_idx ON docs")
    assert [row[1] for row in db.sql("SHOW INDEXES IN docs").fetchall()] == ["tags_idx"]


def test_indexes_of_duckdb_stay_its_own(db: lancesql.Connection) -> None:
    db.execute("CREATE TABLE memory.main.plain AS SELECT 1 AS a, 2 AS b")
    db.execute("CREATE UNIQUE INDEX one ON plain (a)")
    db.execute("CREATE INDEX two ON plain (a, b)")
    db.execute("CREATE INDEX three ON plain ((a + b))")
    assert len(db.sql("SELECT * FROM duckdb_indexes()").fetchall()) == 3
    db.execute("DROP INDEX two")
    assert len(db.sql("SELECT * FROM duckdb_indexes()").fetchall()) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE UNIQUE INDEX ON docs (id)",
        "CREATE INDEX ON docs (lower(name))",
        "CREATE INDEX ON docs USING gin (to_tsvector('english', body))",
        "CREATE INDEX ON docs (id) WHERE id > 3",
        "CREATE INDEX ON docs (id DESC)",
        "CREATE INDEX ON docs (id, few)",
        "CREATE SEARCH INDEX ON docs(ALL COLUMNS)",
        "CREATE VECTOR INDEX ON docs(vec) STORING (name)",
        "CREATE VECTOR INDEX ON docs(body)",
        "CREATE SEARCH INDEX ON docs(vec)",
        "CREATE SEARCH INDEX ON docs(body) OPTIONS (index_type = BTREE)",
        "CREATE VECTOR INDEX ON docs(vec) OPTIONS (index_type = TREE_AH)",
        "CREATE VECTOR INDEX ON docs(vec) OPTIONS (ivf_options = 'many')",
        "CREATE INDEX ON docs (vec) USING IVF_PQ WITH (index_type = IVF)",
        "CREATE INDEX ON docs USING gin (tags)",
        "CREATE INDEX ON docs USING hash (id)",
        "CREATE INDEX ON docs (vec vector_l1_ops)",
        "CREATE INDEX ON docs (vec halfvec_l2_ops)",
        "CREATE INDEX ON halves (vec vector_l2_ops)",
        "CREATE INDEX ON docs (vec bit_hamming_ops)",
        "CREATE INDEX ON docs (bits bit_jaccard_ops)",
        "CREATE INDEX ON docs (vec sparsevec_l2_ops)",
        "CREATE INDEX ON docs (id vector_l2_ops)",
        "CREATE INDEX ON docs (vec vector_cosin_ops)",
        "CREATE INDEX ON docs (vec vector_l2_ops) WITH (metric = cosine)",
        "CREATE INDEX ON docs USING fts (name gin_trgm_ops)",
        "CREATE INDEX ON docs (vec) USING IVF_PQ WITH (num_partition = 2)",
        "CREATE INDEX ON docs (vec) USING IVF_PQ WITH (lists = 401)",
        "CREATE INDEX ON docs (vec) USING IVF_PQ WITH (num_sub_vectors = 3)",
        "CREATE INDEX ON docs (vec) USING IVF_PQ WITH (num_bits = 5)",
        "CREATE INDEX ON docs (vec) USING IVF_PQ WITH (lists = 2, nlist = 2)",
        "CREATE INDEX ON docs (vec) USING IVF_PQ WITH (lists = 2, target_partition_size = 20)",
        "CREATE INDEX ON docs (vec) USING HNSW WITH (m = 2)",
        "CREATE INDEX ON docs (id) USING BLOOMFILTER WITH (probability = 1.5)",
        "CREATE INDEX ON docs (id) USING ZONEMAP WITH (rows_per_zone = 0)",
        "CREATE INDEX ON docs (id) USING BTREE WITH (m = 8)",
        "CREATE INDEX ON docs (nothing)",
        "ALTER TABLE docs CREATE INDEX one USING fts (nothing)",
        "REINDEX nothing ON docs",
        "REINDEX",
        "REINDEX TABLE",
        "ALTER INDEX one ON docs RENAME TO two",
        "ALTER INDEX one ON docs SET (lists = 3)",
        "ALTER INDEX one ON docs",
        "DROP INDEX nothing",
        "ALTER INDEX nothing ON docs OPTIMIZE",
        "ALTER TABLE docs OPTIMIZE INDEX nothing",
        "ALTER TABLE docs DROP INDEX nothing",
        "DROP INDEX nothing ON docs",
        "SHOW INDEXES ON nothing",
    ],
)
def test_what_is_refused_changes_nothing(shared: lancesql.Connection, sql: str) -> None:
    before = look(shared)
    with pytest.raises(LanceSQLError) as caught:
        shared.execute(sql)
    assert caught.value.span is not None
    assert look(shared) == before
