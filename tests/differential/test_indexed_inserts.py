"""Rows that come in a commit of their own kind, or beside rows that change, are found through every kind of index."""

from __future__ import annotations

from pathlib import Path

import pytest

import lancesql

ROWS = """
SELECT i AS id, CASE WHEN i % 4 = 0 THEN NULL ELSE i % 9 END AS n, 'word ' || i AS s, [i % 10] AS l,
       [i % 50, 1]::FLOAT[2] AS v FROM range(400) r(i)
"""
NEW = "SELECT 500 AS id, NULL::BIGINT AS n, 'word new' AS s, [77] AS l, [25.5, 1]::FLOAT[2] AS v"
OLD = "SELECT 3, 3, 'word changed', [3], [3, 1]::FLOAT[2]"
BOTH = f"{NEW} UNION ALL {OLD}"
STATEMENTS = (
    f"INSERT INTO t {NEW} RETURNING id",
    f"MERGE INTO t USING ({NEW}) x USING (id) WHEN NOT MATCHED THEN INSERT BY NAME",
    f"MERGE INTO t USING ({BOTH}) USING (id) WHEN MATCHED THEN UPDATE SET id = 3 WHEN NOT MATCHED THEN INSERT BY NAME",
    f"MERGE INTO t USING ({BOTH}) x USING (id) WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT BY NAME",
    f"INSERT INTO t {BOTH} ON CONFLICT (id) DO UPDATE SET id = excluded.id",
    f"INSERT INTO t {BOTH} ON CONFLICT (id) DO NOTHING",
)
NEAREST = "SELECT id FROM vector_search('t', [25.5, 1], k => 1, exact => false)"
INDEXES = {
    "(n) USING BITMAP": "SELECT id FROM t WHERE n IS NULL ORDER BY id",
    "(n) USING BTREE": "SELECT id FROM t WHERE n IS NULL ORDER BY id",
    "(n) USING ZONEMAP": "SELECT id FROM t WHERE n IS NULL ORDER BY id",
    "(id) USING BLOOMFILTER": "SELECT id FROM t WHERE id = 500",
    "(s) USING NGRAM": "SELECT id FROM t WHERE s LIKE '%d new%'",
    "(l) USING LABEL_LIST": "SELECT id FROM t WHERE list_contains(l, 77)",
    "(s) USING FTS": "SELECT id FROM fts('t', 's', 'new', k => NULL)",
    "(v) USING IVF_FLAT": NEAREST,
    "(v) USING IVF_PQ WITH (num_sub_vectors = 1)": NEAREST,
    "(v) USING IVF_HNSW_SQ": NEAREST,
}


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("index", INDEXES)
def test_rows_that_come_are_found(tmp_path: Path, index: str, statement: str) -> None:
    asked = INDEXES[index]
    with lancesql.connect(tmp_path / "plain") as plain, lancesql.connect(tmp_path / "indexed") as indexed:
        for db in (plain, indexed):
            db.execute(f"CREATE TABLE t AS {ROWS}")
        indexed.execute(f"CREATE INDEX i ON t {index}")
        for db in (plain, indexed):
            db.execute(statement)
        want = plain.sql(asked.replace(", exact => false", "")).fetchall()
        assert (500,) in want
        assert indexed.sql(asked).fetchall() == want
        known, unknown = indexed.sql("SELECT rows_indexed, rows_unindexed FROM (SHOW INDEXES ON t)").fetchall()[0]
        assert unknown >= 1
        assert known + unknown == plain.sql("SELECT count(*) FROM t").fetchall()[0][0]
        indexed.execute("OPTIMIZE t")
        assert indexed.sql(asked).fetchall() == want
