"""Frames in, frames out."""

import datetime as dt
import decimal
import subprocess
import sys
import uuid

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from lancesql.errors import ArgumentError, ExecutionError
from lancesql.frames import frame_to_arrow, table_to_pandas, table_to_polars


def test_numbers_and_vectors_reach_polars_without_a_copy():
    numbers = pa.array([1.0, 2.0, 3.0])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(range(6), pa.float32()), 2)
    frame = table_to_polars(pa.table({"n": numbers, "v": vectors}))
    assert frame.schema == {"n": pl.Float64, "v": pl.Array(pl.Float32, 2)}
    assert frame["n"].to_numpy(allow_copy=False).ctypes.data == numbers.buffers()[1].address


@pytest.mark.parametrize(
    ("array", "kind", "values"),
    [
        (pa.array(np.array([1.5], "f2")), pl.Float16, [1.5]),
        (pa.FixedSizeListArray.from_arrays(pa.array(np.array([1, 2], "f2")), 2), pl.Array(pl.Float16, 2), [[1.0, 2.0]]),
        (
            pa.array([decimal.Decimal("1.50"), None], pa.decimal256(20, 2)),
            pl.Decimal(38, 2),
            [decimal.Decimal("1.5"), None],
        ),
        (pa.array([decimal.Decimal("1.50")], pa.decimal256(70, 2)), pl.Decimal(38, 0), None),
        (pa.array([decimal.Decimal(2)], pa.decimal256(70, 2)), pl.Decimal(38, 0), [decimal.Decimal(2)]),
        (
            pa.array([[decimal.Decimal(2)]], pa.list_(pa.decimal256(20, 1))),
            pl.List(pl.Decimal(38, 1)),
            [[decimal.Decimal(2)]],
        ),
        (
            pa.array([{"x": decimal.Decimal(2)}], pa.struct([("x", pa.decimal256(20, 1))])),
            pl.Struct({"x": pl.Decimal(38, 1)}),
            [{"x": decimal.Decimal(2)}],
        ),
        (
            pa.array([pa.MonthDayNano([1, 2, -5_000]), None]),
            pl.Duration("us"),
            [dt.timedelta(days=32, microseconds=-5), None],
        ),
        (pa.array([dt.date(2020, 1, 1)], pa.date64()), pl.Date, [dt.date(2020, 1, 1)]),
        (pa.array([uuid.UUID(int=1).bytes, None], pa.uuid()), pl.String, [str(uuid.UUID(int=1)), None]),
        (pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array(["a"])), pl.String, ["a", "a"]),
        (pa.array([[1], None], pa.list_view(pa.int32())), pl.List(pl.Int32), [[1], None]),
        (pa.array(["a", None], pa.string_view()), pl.String, ["a", None]),
        (pa.array(["a", None]).dictionary_encode(), pl.Categorical, ["a", None]),
        (pa.array([], pa.decimal256(70, 2)), pl.Decimal(38, 0), []),
        (pa.nulls(2), pl.Null, [None, None]),
    ],
)
def test_types_that_polars_lacks(array, kind, values):
    table = pa.table({"x": array})
    if values is None:
        with pytest.raises(ExecutionError, match=r"'x' is decimal256\(70, 2\)"):
            table_to_polars(table)
        return
    column = table_to_polars(table)["x"]
    assert column.dtype == kind
    assert column.to_list() == values


def test_a_union_is_refused_by_name_of_the_problem():
    either = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1]), pa.array(["a"])])
    with pytest.raises(ExecutionError, match="Polars cannot hold this answer") as caught:
        table_to_polars(pa.table({"x": either}))
    assert caught.value.__suppress_context__
    with pytest.raises(ExecutionError, match="pandas cannot hold this answer"):
        table_to_pandas(pa.table({"x": either}))


def test_two_columns_of_one_name():
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(ExecutionError, match="two columns named 'a'"):
        table_to_polars(table)
    assert list(table_to_pandas(table).columns) == ["a", "a"]


def test_pandas_gets_integers_for_a_sum():
    sums = pa.table({"s": pa.array([decimal.Decimal(5)], pa.decimal128(38, 0))})
    assert table_to_pandas(sums, ["HUGEINT"])["s"].dtype == np.int64
    assert table_to_pandas(sums, ["DECIMAL(38,0)"])["s"].dtype == object
    huge = pa.table({"s": pa.array([decimal.Decimal(10**30)], pa.decimal128(38, 0))})
    assert table_to_pandas(huge, ["HUGEINT"])["s"].to_list() == [decimal.Decimal(10**30)]


@pytest.mark.parametrize("package", ["polars", "pandas"])
def test_a_missing_package_says_how_to_install_it(package):
    code = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == {package!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
import pyarrow as pa
from lancesql.errors import ExecutionError
from lancesql.frames import table_to_{package}
try:
    table_to_{package}(pa.table({{"a": [1]}}))
except ExecutionError as error:
    print(error)
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"pip install 'lancesql[{package}]'" in answer.stdout


def test_converting_imports_no_frame_library():
    code = "import sys, lancesql.frames; print('polars' in sys.modules, 'pandas' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "False"]


EXPECTED = pa.table({"a": [1, 2], "b": ["x", None]})


@pytest.mark.parametrize(
    "frame",
    [
        EXPECTED,
        EXPECTED.to_batches()[0],
        EXPECTED.to_reader(),
        pl.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pl.LazyFrame({"a": [0, 1, 2], "b": ["w", "x", None]}).filter(pl.col("a") > 0),
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=["p", "q"], dtype=object).astype({"a": int}),
    ],
    ids=lambda frame: f"{type(frame).__module__}.{type(frame).__qualname__}",
)
def test_frames_of_every_kind(frame):
    table = frame_to_arrow(frame)
    assert table.column_names == ["a", "b"]
    assert table.to_pylist() == EXPECTED.to_pylist()
    assert table.schema.metadata is None


def test_any_arrow_stream():
    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return EXPECTED.__arrow_c_stream__(requested_schema)

    assert frame_to_arrow(Stream()).equals(EXPECTED)


def test_a_dataset_stays_a_dataset():
    dataset = ds.dataset(EXPECTED)
    assert frame_to_arrow(dataset) is dataset


def test_vectors_in_pandas_and_polars():
    vectors = [np.array([1, 2], "f4"), np.array([3, 4], "f4")]
    assert frame_to_arrow(pd.DataFrame({"v": vectors}))["v"].type == pa.list_(pa.float32())
    polars = pl.DataFrame({"v": pl.Series(vectors, dtype=pl.Array(pl.Float32, 2))})
    assert frame_to_arrow(polars)["v"].type == pa.list_(pa.float32(), 2)


def test_column_names_of_pandas_become_text():
    assert frame_to_arrow(pd.DataFrame({1: [1], "b": [2]})).column_names == ["1", "b"]


@pytest.mark.parametrize("value", [42, [1, 2], {"a": [1]}, None, np.zeros(3), "movies"])
def test_what_is_not_a_frame(value):
    with pytest.raises(ArgumentError, match="cannot be read as a table") as caught:
        frame_to_arrow(value)
    assert "pandas DataFrame" in caught.value.hint
    assert "RecordBatchReader" in caught.value.hint


def test_a_series_is_not_a_frame():
    with pytest.raises(
        ArgumentError, match=r"polars.*Series cannot be read as a table: its Arrow stream is not a table"
    ):
        frame_to_arrow(pl.Series([1, 2]))


def test_mixed_objects_name_the_column():
    with pytest.raises(ArgumentError, match="column 'odd' of the pandas frame"):
        frame_to_arrow(pd.DataFrame({"fine": [1, 2], "odd": [1, "x"]}))
    with pytest.raises(ArgumentError, match="column 'odd' of the Polars frame holds Python objects"):
        frame_to_arrow(pl.DataFrame({"odd": pl.Series([object()], dtype=pl.Object)}))
    with pytest.raises(ArgumentError, match="two columns named 'a'"):
        frame_to_arrow(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_failing_lazy_frame():
    lazy = pl.LazyFrame({"a": ["x"]}).select(pl.col("a").cast(pl.Int64))
    with pytest.raises(ExecutionError, match="the LazyFrame could not be collected"):
        frame_to_arrow(lazy)
