"""Columns of blobs, which Lance keeps apart: to SQL they are bytes, as in a table that keeps them with the row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest

import lancesql

ROWS = 60
BYTES = [None if at % 7 == 3 else bytes([at]) * (at % 11) for at in range(ROWS)]
MARK = {b"lance-encoding:blob": b"true"}


def make_table(blob: bool) -> pa.Table:
    vectors = np.random.default_rng(5).normal(size=(ROWS, 4)).astype("f4")
    columns = {
        "id": pa.array(range(ROWS), pa.int64()),
        "image": pa.array(BYTES, pa.large_binary()),
        "text": pa.array([f"word{at % 5} other" for at in range(ROWS)]),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 4),
    }
    made = pa.table(columns)
    return made.cast(made.schema.set(1, made.schema.field("image").with_metadata(MARK))) if blob else made


def write(folder: Path, kind: str) -> None:
    if kind == "plain":
        lance.write_dataset(make_table(blob=False), folder / "t.lance")
    elif kind == "array":
        schema = make_table(blob=True).schema.set(1, lance.blob_field("image"))
        columns = make_table(blob=False).columns
        rows = pa.table([columns[0], lance.blob_array(BYTES), *columns[2:]], schema=schema)
        lance.write_dataset(rows, folder / "t.lance", data_storage_version="2.2")
    else:
        lance.write_dataset(make_table(blob=True), folder / "t.lance", data_storage_version=kind)


KINDS = ["2.0", "2.1", "2.2", "array"]
READS = [
    "SELECT * FROM t",
    "SELECT image FROM t WHERE id = 5",
    "SELECT *, 1 AS one FROM t ORDER BY id",
    "SELECT id, image FROM t WHERE image IS NULL ORDER BY id",
    "SELECT id FROM t WHERE image = '\\x05\\x05\\x05\\x05\\x05'::BLOB",
    "SELECT id, octet_length(image) AS n FROM t WHERE octet_length(image) > 3 ORDER BY id",
    "SELECT count(*), count(image) FROM t WHERE image IS NOT NULL",
    "SELECT id, image FROM t ORDER BY id DESC LIMIT 4",
    "SELECT id, image, _distance FROM vector_search('t', [1, 0, 0, 0], k => 5) ORDER BY _distance",
    "SELECT id, image FROM vector_search('t', [1, 0, 0, 0], k => 5) WHERE image IS NOT NULL ORDER BY _distance",
    "SELECT id, image, _score FROM fts('t', 'text', 'word3') ORDER BY id",
    "SELECT id, image FROM hybrid_search('t', [1, 0, 0, 0], 'word1', k => 4) ORDER BY _relevance_score DESC, id",
    "SELECT a.id, b.image FROM t a, LATERAL vector_search('t', a.vector, k => 2) b WHERE a.id < 5 ORDER BY a.id, b.id",
    "SELECT image, count(*) FROM t GROUP BY image ORDER BY image NULLS FIRST",
]
WRITES = [
    "INSERT INTO t BY NAME SELECT 100 AS id, 'new'::BLOB AS image, 'x' AS text, [0, 0, 0, 1]::FLOAT[4] AS vector",
    "UPDATE t SET text = 'changed' WHERE id < 10",
    "UPDATE t SET image = 'set'::BLOB WHERE id = 20",
    "DELETE FROM t WHERE image IS NULL",
    "INSERT INTO t SELECT id + 200, image, text, vector FROM t WHERE id < 3",
    (
        "MERGE INTO t USING (SELECT 7 AS id, 'merged'::BLOB AS image) AS s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET image = s.image"
    ),
    "ALTER TABLE t ADD COLUMN more INTEGER DEFAULT 3",
    "OPTIMIZE t",
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    folder = tmp_path_factory.mktemp("plain")
    write(folder, "plain")
    with lancesql.connect(folder) as db:
        yield db


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_is_bytes(kind: str, plain: lancesql.Connection, tmp_path: Path) -> None:
    write(tmp_path, kind)
    with lancesql.connect(tmp_path) as db:
        for sql in READS:
            found: Any = db.sql(sql)
            assert found.fetchall() == plain.sql(sql).fetchall(), sql
            assert found.types == plain.sql(sql).types, sql
        assert "BLOB" in str(db.sql("DESCRIBE t").fetchall())
        assert "DuckDB" in db.explain("SELECT id FROM t WHERE image IS NULL AND id > 3")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written(kind: str, tmp_path: Path) -> None:
    made = {}
    for one in ("plain", kind):
        (tmp_path / one).mkdir()
        write(tmp_path / one, one)
        with lancesql.connect(tmp_path / one) as db:
            made[one] = []
            for sql in WRITES:
                db.execute(sql)
                made[one].append(db.sql("SELECT * FROM t ORDER BY id").fetchall())
            made[one].append(db.sql("SELECT id, image FROM t AT (VERSION => 1) ORDER BY id").fetchall())
    for sql, found, wanted in zip([*WRITES, "the first version"], made[kind], made["plain"], strict=True):
        assert found == wanted, sql
