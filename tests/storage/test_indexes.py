"""Building indexes, and reading what there is of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest

from lancesql.catalog import IndexInfo, TableInfo
from lancesql.errors import StorageError
from lancesql.plan.commands import CreateIndex
from lancesql.storage.database import LanceDatabase
from lancesql.storage.index_builds import OnProgress, build_index, plan_index
from lancesql.storage.index_options import choose_sub_vectors
from lancesql.storage.indexes import read_indexes
from lancesql.storage.writes.tables import create_table, insert_rows

DIMENSION = 16


def make_rows(rows: int, seed: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((rows, DIMENSION)).astype(np.float32)
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "text": pa.array([f"the quick fox number {row % 7}" for row in range(rows)], pa.string()),
            "tags": pa.array([["even"] if row % 2 else ["odd", "a"] for row in range(rows)], pa.list_(pa.string())),
            "v": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSION),
            "bits": pa.FixedSizeListArray.from_arrays(pa.array(random.integers(0, 255, rows * 4).astype(np.uint8)), 4),
            "many": pa.array(
                [[vectors[row].tolist()] for row in range(rows)], pa.list_(pa.list_(pa.float32(), DIMENSION))
            ),
        }
    )


@pytest.fixture
def database(tmp_path: Path) -> LanceDatabase:
    return LanceDatabase(tmp_path / "db")


@pytest.fixture
def table(database: LanceDatabase) -> TableInfo:
    create_table(database, "t", make_rows(600).to_reader)
    return find(database)


def find(database: LanceDatabase) -> TableInfo:
    table = database.find_table("t")
    assert table is not None
    return table


def index_of(database: LanceDatabase, name: str) -> IndexInfo:
    (index,) = [index for index in find(database).indexes if index.name == name]
    return index


def create_index(
    database: LanceDatabase,
    table: TableInfo,
    column: str,
    kind: str,
    *,
    name: str | None = None,
    replace: bool = False,
    if_not_exists: bool = False,
    options: dict[str, Any] | None = None,
    on_progress: OnProgress | None = None,
) -> str:
    given = dict(options or {})
    command = CreateIndex(table, column, kind, name, replace, if_not_exists, given, frozenset(given))
    plan = plan_index(database, command)
    build_index(database, plan, on_progress)
    return plan.name


@pytest.mark.parametrize(
    ("kind", "options", "code_bits"),
    [
        ("IVF_PQ", {}, 1.0),
        ("IVF_PQ", {"num_sub_vectors": 4, "num_bits": 4}, 1.0),
        ("IVF_PQ", {"num_sub_vectors": 4}, 2.0),
        ("IVF_FLAT", {}, 32.0),
        ("IVF_SQ", {}, 8.0),
        ("IVF_RQ", {"num_bits": 3}, 3.0),
        ("IVF_HNSW_FLAT", {}, 32.0),
        ("IVF_HNSW_SQ", {"m": 8, "ef_construction": 40}, 8.0),
        ("IVF_HNSW_PQ", {}, 1.0),
    ],
)
@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_vector_indexes(
    database: LanceDatabase, table: TableInfo, kind: str, options: dict[str, Any], code_bits: float, metric: str
) -> None:
    given = {**options, "metric": metric, "num_partitions": 2}
    assert create_index(database, table, "v", kind, options=given) == "v_idx"
    index = index_of(database, "v_idx")
    assert (index.kind, index.columns, index.metric) == (kind, ("v",), metric)
    assert (index.partitions, index.code_bits) == (2, code_bits)
    assert (index.rows_indexed, index.rows_unindexed) == (600, 0)
    assert index.size_bytes is not None
    assert index.size_bytes > 1000
    query = np.zeros(DIMENSION, np.float32) + 1
    plan = (
        lance.dataset(table.uri).scanner(nearest={"column": "v", "q": query, "k": 5, "metric": metric}).explain_plan()
    )
    assert "ANNSubIndex: name=v_idx" in plan


@pytest.mark.parametrize(
    ("column", "kind", "metric"), [("v", "IVF_PQ", "l2"), ("bits", "IVF_FLAT", "hamming"), ("many", "IVF_PQ", "cosine")]
)
def test_the_metric_without_a_choice(
    database: LanceDatabase, table: TableInfo, column: str, kind: str, metric: str
) -> None:
    name = create_index(database, table, column, kind)
    assert index_of(database, name).metric == metric


@pytest.mark.parametrize(
    ("column", "kind", "stored", "filter_text"),
    [
        ("text", "FTS", "INVERTED", None),
        ("tags", "FTS", "INVERTED", None),
        ("id", "BTREE", "BTREE", "id = 7"),
        ("id", "BITMAP", "BITMAP", "id = 7"),
        ("tags", "LABEL_LIST", "LABEL_LIST", "array_has(tags, 'even')"),
        ("text", "NGRAM", "NGRAM", "contains(text, 'number 3')"),
        ("id", "ZONEMAP", "ZONEMAP", "id = 7"),
        ("id", "BLOOMFILTER", "BLOOMFILTER", "id = 7"),
    ],
)
def test_other_indexes(
    database: LanceDatabase, table: TableInfo, column: str, kind: str, stored: str, filter_text: str | None
) -> None:
    name = create_index(database, table, column, kind)
    index = index_of(database, name)
    assert (name, index.kind, index.columns, index.metric) == (f"{column}_idx", stored, (column,), None)
    assert (index.rows_indexed, index.rows_unindexed, index.partitions) == (600, 0, None)
    assert index.positions is (kind == "FTS")
    if filter_text is not None:
        assert "ScalarIndexQuery" in lance.dataset(table.uri).scanner(filter=filter_text).explain_plan()


def test_options_of_a_text_index(database: LanceDatabase, table: TableInfo) -> None:
    options = {"with_position": False, "stem": False, "remove_stop_words": False, "language": "German"}
    create_index(database, table, "text", "FTS", options=options)
    assert not index_of(database, "text_idx").positions
    (described,) = lance.dataset(table.uri).describe_indices()
    assert {key: described.details[key] for key in options} == options


def test_training_is_short_unless_asked(database: LanceDatabase, table: TableInfo) -> None:
    def hints() -> dict[str, str]:
        found: dict[str, str] = lance.dataset(table.uri).describe_indices()[0].details["runtime_hints"]
        return found

    create_index(database, table, "v", "IVF_PQ")
    assert (hints()["lance.pq.max_iters"], hints()["lance.pq.sample_rate"]) == ("10", "128")
    create_index(database, table, "v", "IVF_PQ", replace=True, options={"max_iterations": 3, "sample_rate": 300})
    assert (hints()["lance.pq.max_iters"], hints()["lance.pq.sample_rate"]) == ("3", "300")


@pytest.mark.parametrize(
    ("kind", "wanted", "made"),
    [("IVF_PQ", 4, 4), ("IVF_PQ", 30, 30), ("IVF_PQ", 500, 37), ("IVF_FLAT", 500, 500), ("IVF_FLAT", 5000, 600)],
)
def test_as_many_partitions_as_asked_for_or_possible(
    database: LanceDatabase, table: TableInfo, capfd: pytest.CaptureFixture[str], kind: str, wanted: int, made: int
) -> None:
    create_index(database, table, "v", kind, options={"num_partitions": wanted})
    assert index_of(database, "v_idx").partitions == made
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("dimension", "bits", "parts"),
    [(384, 8, 48), (768, 8, 96), (1536, 8, 192), (128, 4, 32), (100, 8, 10), (3, 8, 1), (7, 8, 1), (769, 8, 769)],
)
def test_sub_vectors_divide_the_dimension(dimension: int, bits: int, parts: int) -> None:
    assert choose_sub_vectors(dimension, bits) == parts
    assert dimension % parts == 0


@pytest.mark.parametrize("rows", [0, 1, 3, 255])
@pytest.mark.parametrize("kind", ["IVF_PQ", "IVF_FLAT", "IVF_HNSW_SQ", "FTS", "BTREE"])
def test_small_tables(database: LanceDatabase, rows: int, kind: str) -> None:
    create_table(database, "t", make_rows(rows).to_reader)
    column = {"FTS": "text", "BTREE": "id"}.get(kind, "v")
    options = {"metric": "cosine", "num_partitions": 16} if column == "v" else {}
    name = create_index(database, find(database), column, kind, options=options)
    index = index_of(database, name)
    assert index.rows_indexed + index.rows_unindexed == rows
    if column == "v":
        assert (index.kind, index.metric) == (kind, "cosine")
        nearest = {"column": "v", "q": np.ones(DIMENSION, np.float32), "k": 3, "metric": "cosine", "refine_factor": 1}
        found = lance.dataset(find(database).uri).scanner(nearest=nearest, prefilter=True).to_table()
        assert found.num_rows == min(rows, 3)


def test_vectors_that_are_null(database: LanceDatabase) -> None:
    values = [None] * 300 + [[float(number), 1.0] for number in range(5)]
    create_table(database, "t", pa.table({"v": pa.array(values, pa.list_(pa.float32(), 2))}).to_reader)
    create_index(database, find(database), "v", "IVF_FLAT", options={"num_partitions": 64})
    index = index_of(database, "v_idx")
    assert index.partitions is not None
    assert index.partitions <= 5


def test_rows_written_later_are_counted(database: LanceDatabase, table: TableInfo) -> None:
    create_index(database, table, "v", "IVF_PQ")
    create_index(database, table, "id", "BTREE")
    insert_rows(database, find(database), make_rows(50, seed=1).to_reader)
    assert [(index.rows_indexed, index.rows_unindexed) for index in find(database).indexes] == [(600, 50), (600, 50)]
    lance.dataset(table.uri).delete("id < 10")
    rows = find(database).rows
    assert [index.rows_indexed + index.rows_unindexed for index in find(database).indexes] == [rows, rows]
    create_index(database, table, "id", "BTREE", replace=True)
    assert index_of(database, "id_idx").rows_unindexed == 0


def test_the_indexes_of_a_version(database: LanceDatabase, table: TableInfo) -> None:
    create_index(database, table, "id", "BTREE")
    dataset = lance.dataset(table.uri)
    assert [index.name for index in read_indexes(dataset)] == ["id_idx"]
    assert read_indexes(dataset.checkout_version(1)) == ()


def test_an_index_that_exists(database: LanceDatabase, table: TableInfo) -> None:
    create_index(database, table, "v", "IVF_PQ", options={"metric": "cosine"})
    with pytest.raises(StorageError, match=r"table 't' has an index 'v_idx' \(IVF_PQ\) on column 'v' already"):
        create_index(database, table, "v", "IVF_FLAT")
    assert create_index(database, table, "v", "IVF_FLAT", if_not_exists=True) == "v_idx"
    assert index_of(database, "v_idx").kind == "IVF_PQ"
    assert create_index(database, table, "v", "IVF_FLAT", replace=True) == "v_idx"
    assert (index_of(database, "v_idx").kind, index_of(database, "v_idx").metric) == ("IVF_FLAT", "l2")
    assert len(find(database).indexes) == 1


def test_names_of_indexes(database: LanceDatabase, table: TableInfo) -> None:
    assert create_index(database, table, "id", "BTREE") == "id_idx"
    assert create_index(database, table, "id", "BITMAP") == "id_bitmap_idx"
    assert create_index(database, table, "text", "FTS", name="words") == "words"
    with pytest.raises(StorageError, match=r"index 'words' \(FTS\) on column 'text' already"):
        create_index(database, table, "text", "BTREE", name="Words")
    with pytest.raises(
        StorageError, match="index 'words' is on column 'text', so it cannot be replaced by one on 'id'"
    ):
        create_index(database, table, "id", "BTREE", name="words", replace=True)
    assert create_index(database, table, "text", "NGRAM", name="words", replace=True) == "words"
    assert sorted((index.name, index.kind) for index in find(database).indexes) == [
        ("id_bitmap_idx", "BITMAP"),
        ("id_idx", "BTREE"),
        ("words", "NGRAM"),
    ]


def test_an_index_lance_cannot_build(database: LanceDatabase, table: TableInfo) -> None:
    with pytest.raises(StorageError, match="LanceDB stopped while building BTREE index 'v_idx' on column 'v'"):
        create_index(database, table, "v", "BTREE")
    assert find(database).indexes == ()


def test_progress_is_told(database: LanceDatabase, table: TableInfo) -> None:
    stages: list[str] = []
    create_index(database, table, "v", "IVF_PQ", on_progress=lambda stage, _done, _total: stages.append(stage))
    assert {"train_ivf", "shuffle"} <= set(stages)


def test_the_table_may_have_grown_since_it_was_looked_at(database: LanceDatabase, table: TableInfo) -> None:
    insert_rows(database, table, make_rows(20, seed=2).to_reader)
    create_index(database, table, "id", "BTREE")
    assert index_of(database, "id_idx").rows_indexed == 620


def test_building_prints_nothing(database: LanceDatabase, table: TableInfo, capfd: pytest.CaptureFixture[str]) -> None:
    create_index(database, table, "v", "IVF_PQ")
    create_index(database, table, "text", "FTS")
    assert find(database).indexes
    assert capfd.readouterr() == ("", "")
