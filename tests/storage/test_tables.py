"""Writing tables: whole or not at all, types kept, vectors found, nothing cast with a loss."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import lance
import lancedb
import pyarrow as pa
import pytest

from lancesql.catalog import TableInfo
from lancesql.errors import (
    BindError,
    EngineError,
    ExecutionError,
    LanceSQLError,
    StorageError,
    UnknownColumnError,
    UnsupportedError,
)
from lancesql.storage.database import LanceDatabase
from lancesql.storage.writes.tables import create_table, drop_table, insert_rows


@pytest.fixture
def database(tmp_path: Path) -> LanceDatabase:
    return LanceDatabase(tmp_path / "db")


def of(data: pa.Table | dict[str, Any]) -> Callable[[], pa.RecordBatchReader]:
    table = data if isinstance(data, pa.Table) else pa.table(data)
    return table.to_reader


def read(database: LanceDatabase, name: str = "t") -> pa.Table:
    return database.open_dataset(find(database, name)).to_table()


def find(database: LanceDatabase, name: str = "t") -> TableInfo:
    table = database.find_table(name)
    assert table is not None
    return table


def batches(count: int, rows: int, make: Callable[[int], Any], fail_at: int | None = None) -> pa.RecordBatchReader:
    first = pa.record_batch(make(0))

    def generate() -> Iterator[pa.RecordBatch]:
        for number in range(count):
            if number == fail_at:
                raise UnsupportedError("the query stopped", hint="try another")
            yield pa.record_batch(make(number), schema=first.schema).slice(0, rows)

    return pa.RecordBatchReader.from_batches(first.schema, generate())


def numbers(number: int, rows: int = 1000) -> dict[str, Any]:
    return {"id": pa.array(range(number * rows, (number + 1) * rows), pa.int64())}


def test_creates_a_table_and_keeps_row_ids_over_compaction(database: LanceDatabase) -> None:
    assert create_table(database, "t", of({"a": [1, 2, 3], "s": ["x", None, ""]})) == 3
    assert read(database).to_pylist() == [{"a": 1, "s": "x"}, {"a": 2, "s": None}, {"a": 3, "s": ""}]
    insert_rows(database, find(database), of({"a": [4], "s": ["y"]}))
    dataset = lance.dataset(find(database).uri)
    assert dataset.has_stable_row_ids
    before = dataset.scanner(with_row_id=True).to_table().column("_rowid").to_pylist()
    dataset.optimize.compact_files()
    assert lance.dataset(dataset.uri).scanner(with_row_id=True).to_table().column("_rowid").to_pylist() == before


def test_lancedb_reads_and_appends_to_the_table(database: LanceDatabase) -> None:
    create_table(database, "t", of({"id": [1], "v": pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))}))
    table = lancedb.connect(database.uri).open_table("t")
    table.add(pa.table({"id": [2], "v": pa.array([[3.0, 4.0]], pa.list_(pa.float32(), 2))}))
    assert sorted(table.to_arrow().column("id").to_pylist()) == [1, 2]
    assert find(database).rows == 2


def test_a_hundred_thousand_rows_stream(database: LanceDatabase) -> None:
    seen: list[int] = []
    rows = create_table(database, "t", lambda: batches(100, 1000, numbers), on_rows=seen.append)
    assert rows == 100_000
    assert seen == list(range(1000, 100_001, 1000))
    assert read(database).column("id").to_pylist() == list(range(100_000))


def test_an_empty_query_makes_an_empty_table(database: LanceDatabase) -> None:
    assert create_table(database, "t", of(pa.table({"a": pa.array([], pa.int64())}))) == 0
    assert (find(database).rows, find(database).schema) == (0, pa.schema([("a", pa.int64())]))
    assert insert_rows(database, find(database), of({"a": [1]})) == 1


def test_an_existing_table_is_kept_replaced_or_refused(database: LanceDatabase) -> None:
    create_table(database, "t", of({"a": [1]}))
    with pytest.raises(StorageError, match="table 't' exists already"):
        create_table(database, "t", of({"a": [2]}))
    assert create_table(database, "t", of({"a": [2]}), if_not_exists=True) == 0
    assert read(database).to_pylist() == [{"a": 1}]
    assert create_table(database, "t", of({"b": ["new"]}), replace=True) == 1
    assert read(database).to_pylist() == [{"b": "new"}]
    assert find(database).version == 2
    assert lance.dataset(find(database).uri, version=1).to_table().to_pylist() == [{"a": 1}]


def test_a_query_may_read_the_table_it_replaces(database: LanceDatabase) -> None:
    create_table(database, "t", lambda: batches(20, 1000, numbers))
    old = database.open_dataset(find(database))
    rows = create_table(database, "t", lambda: old.scanner(filter="id % 2 = 0").to_reader(), replace=True)
    assert (rows, find(database).rows) == (10_000, 10_000)
    assert (
        insert_rows(database, find(database), lambda: database.open_dataset(find(database)).scanner().to_reader())
        == 10_000
    )
    assert find(database).rows == 20_000


def test_a_failing_query_leaves_no_table(database: LanceDatabase) -> None:
    with pytest.raises(UnsupportedError, match="the query stopped") as caught:
        create_table(database, "t", lambda: batches(5, 1000, numbers, fail_at=3))
    assert caught.value.hint == "try another"
    assert database.find_table("t") is None
    assert list(database.table_names()) == []
    assert not (Path(database.uri) / "t.lance").exists()


def test_a_failing_query_leaves_the_old_table(database: LanceDatabase) -> None:
    create_table(database, "t", of({"id": [1]}))
    with pytest.raises(UnsupportedError, match="the query stopped"):
        create_table(database, "t", lambda: batches(5, 1000, numbers, fail_at=3), replace=True)
    with pytest.raises(UnsupportedError, match="the query stopped"):
        insert_rows(database, find(database), lambda: batches(5, 1000, numbers, fail_at=3))
    assert (find(database).version, read(database).to_pylist()) == (1, [{"id": 1}])


def test_an_error_of_duckdb_is_its_message_and_frees_the_connection(database: LanceDatabase) -> None:
    with duckdb.connect() as connection:
        bad = "SELECT CASE WHEN i = 900000 THEN error('bad row')::BIGINT ELSE i END AS id FROM range(1000000) t(i)"
        with pytest.raises(EngineError) as caught:
            create_table(database, "t", lambda: pa.RecordBatchReader.from_stream(connection.sql(bad)))
        assert caught.value.message == "bad row"
        assert connection.execute("SELECT 42").fetchall() == [(42,)]
        assert list(database.table_names()) == []


def test_the_connection_is_free_after_an_insert_that_does_not_fit(database: LanceDatabase) -> None:
    create_table(database, "t", of({"id": pa.array([1], pa.int8())}))
    with duckdb.connect() as connection:

        def wrapped() -> pa.RecordBatchReader:
            stream = pa.RecordBatchReader.from_stream(connection.sql("SELECT range AS id FROM range(1000000)"))
            return pa.RecordBatchReader.from_batches(stream.schema, iter(stream))

        with pytest.raises(ExecutionError, match="column 'id' is int8") as caught:
            insert_rows(database, find(database), wrapped)
        assert connection.execute("SELECT 42").fetchall() == [(42,)], caught
    assert read(database).to_pylist() == [{"id": 1}]


@pytest.mark.parametrize("type_", [pa.list_(pa.float32()), pa.list_(pa.float64()), pa.large_list(pa.float16())])
def test_lists_of_one_length_become_vectors(database: LanceDatabase, type_: Any) -> None:
    create_table(database, "t", of({"v": pa.array([None, [1.0, 2.0], [3.0, 4.0]], type_)}))
    assert find(database).schema.field("v").type == pa.list_(type_.value_type, 2)
    assert read(database).column("v").to_pylist() == [None, [1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "values",
    [
        [[1.0, 2.0], [3.0]],
        [[1.0], [2.0]],
        [[], []],
        [None, None],
        [],
    ],
)
def test_other_lists_stay_lists(database: LanceDatabase, values: list[Any]) -> None:
    create_table(database, "t", of({"v": pa.array(values, pa.list_(pa.float32()))}))
    assert find(database).schema.field("v").type == pa.list_(pa.float32())
    assert read(database).column("v").to_pylist() == values


def test_lists_of_integers_stay_lists(database: LanceDatabase) -> None:
    create_table(database, "t", of({"v": pa.array([[1, 2], [3, 4]], pa.list_(pa.int64()))}))
    assert find(database).schema.field("v").type == pa.list_(pa.int64())


def test_vectors_false_keeps_lists(database: LanceDatabase) -> None:
    create_table(database, "t", of({"v": pa.array([[1.0, 2.0]], pa.list_(pa.float32()))}), vectors=False)
    assert find(database).schema.field("v").type == pa.list_(pa.float32())


def ragged(number: int, other_at: int, name: str = "v") -> dict[str, Any]:
    rows: list[list[float]] = [[1.0, float(row)] for row in range(1000)]
    if number == other_at:
        rows[-1] = [1.0]
    return {"id": numbers(number)["id"], name: pa.array(rows, pa.list_(pa.float32()))}


@pytest.mark.parametrize("exists", [False, True])
def test_a_late_list_of_another_length_makes_the_column_a_list(database: LanceDatabase, exists: bool) -> None:
    if exists:
        create_table(database, "t", of({"id": [1]}))
    opened: list[int] = []

    def open_reader() -> pa.RecordBatchReader:
        opened.append(1)
        return batches(80, 1000, lambda number: {**ragged(number, 70), "w": ragged(number, -1, "w")["w"]})

    assert create_table(database, "t", open_reader, replace=exists) == 80_000
    schema = find(database).schema
    assert (schema.field("v").type, schema.field("w").type) == (pa.list_(pa.float32()), pa.list_(pa.float32(), 2))
    assert (len(opened), find(database).version) == (2, 2 if exists else 1)
    assert len(read(database).column("v")[70_999].as_py()) == 1


def test_two_ragged_columns_are_read_three_times(database: LanceDatabase) -> None:
    create_table(
        database,
        "t",
        lambda: batches(9, 1000, lambda number: {**ragged(number, 5), "w": ragged(number, 8, "w")["w"]}),
    )
    assert {field.type for field in find(database).schema} == {pa.int64(), pa.list_(pa.float32())}


def test_a_stream_that_can_be_read_only_once_is_not_cut_short(database: LanceDatabase) -> None:
    source = iter(
        [batches(9, 1000, lambda number: ragged(number, 5)), batches(3, 1000, lambda number: ragged(number, 5))]
    )
    with pytest.raises(ExecutionError, match="fewer rows when it was read again"):
        create_table(database, "t", lambda: next(source))
    assert list(database.table_names()) == []


VECTORS = {
    "a": pa.array([[1.5, 2.5], None], pa.list_(pa.float32(), 2)),
    "b": pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64())),
    "c": pa.array([1.0, 2.0], pa.float32()),
}


@pytest.mark.parametrize(
    ("float16", "half"),
    [(False, []), (True, ["a", "b"]), ("a", ["a"]), ("B", ["b"]), (("a", "b"), ["a", "b"])],
)
def test_float16_on_request(database: LanceDatabase, float16: Any, half: list[str]) -> None:
    create_table(database, "t", of(VECTORS), float16=float16)
    schema = find(database).schema
    assert [field.name for field in schema if field.type == pa.list_(pa.float16(), 2)] == half
    assert read(database).to_pylist() == [
        {"a": [1.5, 2.5], "b": [1.0, 2.0], "c": 1.0},
        {"a": None, "b": [3.0, 4.0], "c": 2.0},
    ]


def test_float16_refuses_what_is_no_vector_and_what_does_not_fit(database: LanceDatabase) -> None:
    with pytest.raises(BindError, match="float16 is for vectors, and column 'c' is none"):
        create_table(database, "t", of(VECTORS), float16="c")
    with pytest.raises(UnknownColumnError, match="float16 names column 'aa'"):
        create_table(database, "t", of(VECTORS), float16=("aa",))
    large = pa.array([[1.0, 1e5]], pa.list_(pa.float32(), 2))
    with pytest.raises(ExecutionError, match=r"100000\.0 is beyond the range of column 'v'"):
        create_table(database, "t", of({"v": large}), float16=True)
    infinite = pa.array([[float("inf"), float("nan")]], pa.list_(pa.float32(), 2))
    assert create_table(database, "t", of({"v": infinite}), float16=True) == 1


@pytest.mark.parametrize(
    ("array", "stored"),
    [
        (pa.array(["a"], pa.string_view()), pa.string()),
        (pa.array([b"a"], pa.binary_view()), pa.binary()),
        (pa.array([None], pa.null()), pa.int32()),
        (pa.array([["a", "b"]], pa.list_(pa.string(), 2)), pa.list_(pa.string())),
        (pa.array([[[1], [2]]], pa.list_(pa.list_(pa.int32()), 2)), pa.list_(pa.list_(pa.int32()))),
        (pa.array([[1, 2]], pa.list_(pa.int32(), 2)), pa.list_(pa.int32(), 2)),
        (pa.array([{"a": [["x"]]}], pa.struct([("a", pa.list_(pa.list_(pa.string(), 1)))])), None),
        (pa.array(["a", "a"]).dictionary_encode(), None),
        (pa.array([1.5], pa.float16()), None),
        (pa.array([Decimal("1.5")], pa.decimal256(50, 2)), None),
        (pa.array([dt.timedelta(1)], pa.duration("us")), None),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())), None),
    ],
)
def test_types_of_a_new_table(database: LanceDatabase, array: Any, stored: pa.DataType | None) -> None:
    create_table(database, "t", of({"c": array}))
    if stored is not None:
        assert find(database).schema.field("c").type == stored
    assert read(database).column("c").to_pylist() == array.to_pylist()


def test_every_type_of_duckdb_is_stored_or_refused_by_name(database: LanceDatabase) -> None:
    refused = {}
    with duckdb.connect() as connection:

        def show(table: pa.Table) -> str:  # an array may come back as a list
            connection.register("shown", table)
            return str(connection.sql("FROM shown").fetchall()).replace("(", "[").replace(")", "]").replace(",]", "]")

        # DuckDB cannot read the largest numbers of its own Arrow back
        for column in connection.sql("SELECT * EXCLUDE (hugeint, uhugeint) FROM test_all_types()").columns:
            table = connection.sql(f'SELECT "{column}" FROM test_all_types()').to_arrow_table()
            try:
                rows = create_table(database, column, table.to_reader)
            except UnsupportedError as error:
                refused[column] = error.message
                continue
            assert rows == 3
            assert show(read(database, column)) == show(table), column
    assert all(message.startswith(f"column '{column}' is ") for column, message in refused.items())
    assert {"interval", "union"} <= refused.keys()
    assert refused.keys() <= {"interval", "union", "bignum", "varint", "bit", "time_tz", "geometry", "empty_struct"}


def test_slices_of_nested_structs_are_written(database: LanceDatabase) -> None:
    inner = pa.array([{"a": {"b": number}} for number in range(10)])
    create_table(database, "t", lambda: pa.table({"s": inner}).slice(4).to_reader())
    assert [row["s"]["a"]["b"] for row in read(database).to_pylist()] == [4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("name", ["_rowid", "_RowAddr", "_distance", "_score", "a.b", "", "`"])
def test_names_a_column_cannot_have(database: LanceDatabase, name: str) -> None:
    with pytest.raises(BindError, match="a Lance table cannot have a column"):
        create_table(database, "t", of({name: [1]}))
    assert database.find_table("t") is None


def test_columns_of_one_name(database: LanceDatabase) -> None:
    with pytest.raises(BindError, match="two columns of the query are called 'A'"):
        create_table(database, "t", of(pa.table([[1], [2]], names=["a", "A"])))


def test_without_a_database_only_paths_are_written(tmp_path: Path) -> None:
    database = LanceDatabase(None)
    with pytest.raises(StorageError, match="there is no Lance database for table 't'"):
        create_table(database, "t", of({"a": [1]}))
    path = str(tmp_path / "x.lance")
    assert create_table(database, path, of({"a": [1]})) == 1
    assert read(database, path).to_pylist() == [{"a": 1}]
    drop_table(database, path)
    assert database.find_table(path) is None


TARGET = pa.schema(
    [
        ("id", pa.int32()),
        ("s", pa.string()),
        ("v", pa.list_(pa.float32(), 2)),
        ("h", pa.list_(pa.float16(), 2)),
        ("tags", pa.list_(pa.string())),
        ("at", pa.timestamp("us")),
        ("zoned", pa.timestamp("us", "UTC")),
        ("price", pa.decimal128(6, 2)),
        ("kind", pa.dictionary(pa.int32(), pa.string())),
        ("point", pa.struct([("x", pa.float64()), ("y", pa.float64())])),
        ("flag", pa.bool_()),
        ("small", pa.float32()),
        ("bits", pa.list_(pa.uint8(), 2)),
    ]
)


@pytest.fixture
def target(database: LanceDatabase) -> TableInfo:
    lance.write_dataset(TARGET.empty_table(), database.table_uri("t"))
    return find(database)


@pytest.mark.parametrize(
    ("column", "given", "stored"),
    [
        ("id", pa.array([1, None], pa.int64()), [1, None]),
        ("id", pa.array(["5"]), [5]),
        ("id", pa.array([2.0]), [2]),
        ("s", pa.array(["a"], pa.large_string()), ["a"]),
        ("s", pa.array([7]), ["7"]),
        ("v", pa.array([[1.0, 2.0], None], pa.list_(pa.float64())), [[1.0, 2.0], None]),
        ("v", pa.array([[1, 2]], pa.list_(pa.int32())), [[1.0, 2.0]]),
        ("v", pa.array([None, [Decimal("0.5"), Decimal("0.2")], None, [Decimal("0.1"), Decimal("1.0")]]), None),
        ("v", pa.array([[1.0, 2.0]], pa.list_(pa.float64(), 2)), [[1.0, 2.0]]),
        ("h", pa.array([[1.5, 2.5], None], pa.list_(pa.float32(), 2)), [[1.5, 2.5], None]),
        ("h", pa.array([[1, 2]]), [[1.0, 2.0]]),
        ("tags", pa.array([["a"], []], pa.list_(pa.large_string())), [["a"], []]),
        ("at", pa.array([dt.datetime(2020, 1, 2)], pa.timestamp("s")), [dt.datetime(2020, 1, 2)]),
        ("at", pa.array([dt.date(2020, 1, 2)]), [dt.datetime(2020, 1, 2)]),
        ("price", pa.array([3], pa.int64()), [Decimal("3.00")]),
        ("price", pa.array([Decimal("1.5")]), [Decimal("1.50")]),
        ("kind", pa.array(["a", None, "b"]), ["a", None, "b"]),
        ("point", pa.array([{"y": 1, "x": 2}]), [{"x": 2.0, "y": 1.0}]),
        ("point", pa.array([{"x": 2.0}]), [{"x": 2.0, "y": None}]),
        ("flag", pa.array(["true"]), [True]),
        ("small", pa.array([0.5, float("inf")], pa.float64()), [0.5, float("inf")]),
        ("bits", pa.array([[0, 255]], pa.list_(pa.int64())), [[0, 255]]),
        ("tags", pa.array([None], pa.int32()), [None]),
    ],
)
def test_inserts_are_cast_to_the_column(
    database: LanceDatabase, target: TableInfo, column: str, given: Any, stored: list[Any] | None
) -> None:
    assert insert_rows(database, target, of({column: given}), columns=[column]) == len(given)
    values = read(database).column(column).to_pylist()
    if stored is None:
        stored = [None if row is None else pytest.approx([float(one) for one in row]) for row in given.to_pylist()]
    assert values == stored


@pytest.mark.parametrize(
    ("column", "given", "message"),
    [
        ("id", pa.array([2**40]), "not in range"),
        ("id", pa.array([1.5]), "truncated"),
        ("id", pa.array(["x"]), "Failed to parse"),
        ("id", pa.array([dt.date(2020, 1, 1)]), "column 'id' is int32, and the query gives date32"),
        ("s", pa.array([1.5]), "column 's' is string, and the query gives double"),
        ("s", pa.array([dt.datetime(2020, 1, 1)]), "column 's' is string"),
        ("v", pa.array([[1.0, 2.0], [1.0]], pa.list_(pa.float32())), "vectors of 2 dimensions, and a row has 1"),
        ("v", pa.array([[1.0, 2.0, 3.0]], pa.list_(pa.float32(), 3)), "vectors of 2 dimensions, and a row has 3"),
        ("v", pa.array([1.0]), "column 'v' is fixed_size_list"),
        ("v", pa.array([[1.0, 1e300]], pa.list_(pa.float64())), "is beyond the range of column 'v'"),
        ("h", pa.array([[1.0, 1e5]], pa.list_(pa.float32(), 2)), "100000.0 is beyond the range of column 'h'"),
        ("small", pa.array([1e300]), "is beyond the range of column 'small'"),
        ("at", pa.array([dt.datetime(2020, 1, 1)], pa.timestamp("us", "UTC")), "column 'at' is timestamp"),
        ("zoned", pa.array([dt.datetime(2020, 1, 1)], pa.timestamp("us")), "column 'zoned' is timestamp"),
        ("price", pa.array([Decimal("1.555")]), "column 'price' is decimal128"),
        ("price", pa.array([10**6]), "column 'price' is decimal128"),
        ("point", pa.array([{"x": 1.0, "z": 2.0}]), "column 'point' has no field 'z'"),
        ("point", pa.array([1.0]), "column 'point' is struct"),
        ("flag", pa.array([5]), "column 'flag' is bool"),
        ("bits", pa.array([[0, 256]]), "not in range"),
        ("tags", pa.array(["a"]), "column 'tags' is list"),
    ],
)
def test_inserts_that_would_lose_something_are_refused(
    database: LanceDatabase, target: TableInfo, column: str, given: Any, message: str
) -> None:
    with pytest.raises(ExecutionError) as caught:
        insert_rows(database, target, of({column: given}), columns=[column])
    assert message in caught.value.message
    assert (find(database).version, find(database).rows) == (1, 0)


def test_columns_by_position_and_by_name(database: LanceDatabase) -> None:
    create_table(database, "t", of({"a": [1], "b": ["x"], "c": [1.5]}))
    table = find(database)
    insert_rows(database, table, of({"x": [2], "y": ["y"], "z": [2.5]}))
    insert_rows(database, table, of({"x": ["z"], "y": [3]}), columns=["b", "a"])
    insert_rows(database, table, of({"C": [4.5], "a": [4]}), by_name=True)
    assert read(database).to_pylist()[1:] == [
        {"a": 2, "b": "y", "c": 2.5},
        {"a": 3, "b": "z", "c": None},
        {"a": 4, "b": None, "c": 4.5},
    ]


def test_wrong_numbers_and_names_of_columns(database: LanceDatabase) -> None:
    create_table(database, "t", of({"a": [1], "b": ["x"]}))
    table = find(database)
    with pytest.raises(BindError, match="table 't' has 2 columns, and the query gives 1"):
        insert_rows(database, table, of({"a": [1]}))
    with pytest.raises(BindError, match="1 columns are named, and the query gives 2"):
        insert_rows(database, table, of({"a": [1], "b": [2]}), columns=["a"])
    with pytest.raises(UnknownColumnError, match="table 't' has no column 'bb'") as caught:
        insert_rows(database, table, of({"bb": ["x"]}), by_name=True)
    assert "did you mean 'b'?" in str(caught.value)
    with pytest.raises(BindError, match="two columns of the query are called 'A'"):
        insert_rows(database, table, of(pa.table([[1], [2]], names=["a", "A"])), by_name=True)
    assert find(database).rows == 1


def test_not_null_columns(database: LanceDatabase) -> None:
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("s", pa.string())])
    lance.write_dataset(schema.empty_table(), database.table_uri("t"))
    table = find(database)
    with pytest.raises(ExecutionError, match="column 'id' cannot be NULL, and a row has no value"):
        insert_rows(database, table, of({"id": pa.array([1, None]), "s": ["a", "b"]}))
    with pytest.raises(BindError, match="column 'id' of table 't' cannot be NULL"):
        insert_rows(database, table, of({"s": ["a"]}), columns=["s"])
    assert insert_rows(database, table, of({"id": [1]}), columns=["id"]) == 1


def test_dropping(database: LanceDatabase) -> None:
    create_table(database, "t", of({"a": [1]}))
    create_table(database, "u", of({"a": [1]}))
    drop_table(database, "t")
    assert list(database.table_names()) == ["u"]
    assert not (Path(database.uri) / "t.lance").exists()
    with pytest.raises(LanceSQLError, match="dropping table 't'"):
        drop_table(database, "t")
