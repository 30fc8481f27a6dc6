"""What is read from storage, by Lance's own count: never a wide column for more rows than are shown."""

from __future__ import annotations

from collections.abc import Iterator

import lance
import numpy as np
import pyarrow as pa
import pytest

import lancesql

ROWS, DIMENSION = 4000, 256
VECTORS = ROWS * DIMENSION * 4
"""The bytes of the vector column; the text and the blob are of that order too, a number is a thousandth of it."""
QUERY = [1.0] * DIMENSION


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    folder = tmp_path_factory.mktemp("bytes")
    random = np.random.default_rng(3)
    vectors = random.normal(size=ROWS * DIMENSION).astype(np.float32)
    blobs = [random.bytes(1000) for _ in range(ROWS)]
    table = pa.table(
        {
            "id": pa.array(range(ROWS), pa.int32()),
            "part": pa.array(random.integers(0, 1000, ROWS), pa.int32()),
            "title": pa.array([f"title {number % 97}" for number in range(ROWS)]),
            "text": pa.array([random.bytes(500).hex() for _ in range(ROWS)]),
            "blob": pa.array(blobs, pa.large_binary()),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors), DIMENSION),
        }
    )
    lance.write_dataset(table, folder / "docs.lance")
    with lancesql.connect(folder) as db:
        yield db


def count_bytes(db: lancesql.Connection, sql: str, parameters: object = None) -> int:
    """The bytes a statement reads once the table is open."""
    db.sql(sql, parameters).to_arrow()
    before = lance.bytes_read_counter()
    assert db.sql(sql, parameters).to_arrow().num_rows
    return int(lance.bytes_read_counter() - before)


FEW = VECTORS // 20


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM docs",
        "SELECT id FROM (SELECT * FROM docs)",
        "SELECT id FROM (SELECT * FROM (SELECT * FROM docs) WHERE part < 500) d WHERE d.id > 3",
        "WITH c AS (SELECT * FROM docs) SELECT a.id FROM c a JOIN c b ON a.id = b.id",
        "SELECT id FROM (SELECT * FROM docs UNION ALL SELECT * FROM docs)",
        "SELECT count(*) FROM docs",
        "SELECT count(*) FROM docs WHERE part < 500",
        "SELECT count(*) FROM (SELECT * FROM docs) WHERE part < 500",
        "SELECT a.id, b.vector, b.text FROM docs a JOIN docs b ON a.id = b.id WHERE b.id = 5",
        "SELECT x.id FROM (SELECT * FROM docs) x JOIN (SELECT id, text FROM docs WHERE id < 5) y ON x.id = y.id",
        "SELECT * FROM docs ORDER BY part LIMIT 5",
        "SELECT id, blob, vector FROM docs WHERE upper(title) > 'TITLE 4' ORDER BY part DESC, id LIMIT 5 OFFSET 3",
        "SELECT d.* FROM (SELECT * FROM docs ORDER BY part LIMIT 5) d WHERE d.vector[1] < 100",
        "SELECT * FROM docs WHERE part = 7",
        "SELECT * FROM docs WHERE id < 5 LIMIT 3",
    ],
)
def test_wide_columns_of_rows_that_are_not_shown(db: lancesql.Connection, sql: str) -> None:
    assert count_bytes(db, sql) < FEW


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "WHERE part < 900",
        "WHERE upper(title) > 'TITLE 4'",
        "JOIN (SELECT 1 AS one) o ON true",
        "ORDER BY title",
    ],
)
def test_a_search_reads_vectors_and_of_the_rest_the_k_rows(db: lancesql.Connection, rest: str) -> None:
    sql = f"SELECT * FROM vector_search('docs', $q, k => 5) {rest}"
    assert count_bytes(db, sql, {"q": QUERY}) < VECTORS + FEW


def test_a_selective_search_reads_the_vectors_that_qualify(db: lancesql.Connection) -> None:
    sql = "SELECT * FROM vector_search('docs', $q, k => 5) WHERE {}"
    for predicate in ("part = 7", "upper(title) = 'TITLE 5' AND part < 500"):
        assert count_bytes(db, sql.format(predicate), {"q": QUERY}) < VECTORS // 10


def test_the_count_can_tell(db: lancesql.Connection) -> None:
    assert count_bytes(db, "SELECT id, vector FROM docs") > VECTORS


@pytest.fixture(scope="module")
def indexed(db: lancesql.Connection) -> str:
    docs = lance.dataset(f"{db._database.main.uri}/docs.lance").to_table()
    made = lance.write_dataset(docs, f"{db._database.main.uri}/indexed.lance")
    made.create_index("vector", "IVF_PQ", metric="l2", num_partitions=4, num_sub_vectors=32, max_iters=2)
    return "indexed"


@pytest.mark.parametrize(("where", "exact"), [("part < 500", ", exact => false"), ("part < 20", "")])
def test_a_blob_is_read_for_the_rows_shown_alone(db: lancesql.Connection, indexed: str, where: str, exact: str) -> None:
    with_blob, without = (
        count_bytes(
            db, f"SELECT {columns} FROM vector_search('{indexed}', $q, k => 5{exact}) WHERE {where}", {"q": QUERY}
        )
        for columns in ("id, blob", "id")
    )
    assert with_blob < without + 20 * 1_000


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM docs",
        "SELECT * FROM docs LIMIT 3000",
        "SELECT * FROM docs WHERE part < 900",
        "SELECT * FROM docs ORDER BY part LIMIT 300",
    ],
)
def test_a_notebook_reads_the_rows_that_it_shows(db: lancesql.Connection, sql: str) -> None:
    whole = count_bytes(db, sql)
    before = lance.bytes_read_counter()
    shown = db.sql(sql)._repr_mimebundle_()
    read = lance.bytes_read_counter() - before
    assert "the first 20 rows, there are more" in shown["text/html"]
    assert read < whole / 5
