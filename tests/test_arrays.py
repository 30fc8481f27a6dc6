"""NumPy arrays and PyTorch tensors of answers, beside the Python values of the same answers."""

from __future__ import annotations

import importlib.util
import math
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql
from lancesql.frames.arrays import column_to_numpy
from tests.differential.conftest import DIFFERENTIAL, scaled
from tests.library import FILMS, open_library

has_torch = importlib.util.find_spec("torch") is not None


def read(sql: str, *columns: str) -> Any:
    return lancesql.sql(sql).to_numpy(*columns)


NUMBERS = {
    pa.int8(): st.integers(-128, 127),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.bool_(): st.booleans(),
    pa.float16(): st.floats(width=16),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats(),
}


@settings(DIFFERENTIAL, max_examples=scaled(60))
@given(data=st.data(), type_=st.sampled_from(list(NUMBERS)), size=st.integers(1, 4), nulls=st.booleans())
def test_vectors_are_rows(data: st.DataObject, type_: pa.DataType, size: int, nulls: bool) -> None:
    item = NUMBERS[type_]
    rows = data.draw(st.lists(st.lists(item, min_size=size, max_size=size), max_size=6))
    given_rows: list[Any] = [None if nulls and at % 2 else row for at, row in enumerate(rows)]
    if not pa.types.is_floating(type_):
        given_rows = rows
    cut = data.draw(st.integers(0, len(rows)))
    chunks = [pa.array(part, pa.list_(type_, size)) for part in (given_rows[:cut], given_rows[cut:])]
    column = pa.chunked_array(chunks, pa.list_(type_, size)).slice(data.draw(st.integers(0, 2)))
    found = column_to_numpy(column, "vector")
    expected = [[math.nan] * size if row is None else row for row in column.to_pylist()]
    assert found.shape == (len(expected), size)
    np.testing.assert_array_equal(found, np.array(expected, found.dtype).reshape(len(expected), size))


@settings(DIFFERENTIAL, max_examples=scaled(60))
@given(data=st.data(), type_=st.sampled_from(list(NUMBERS)))
def test_numbers(data: st.DataObject, type_: pa.DataType) -> None:
    rows = data.draw(st.lists(NUMBERS[type_], max_size=8))
    found = column_to_numpy(pa.chunked_array([pa.array(rows, type_)]), "n")
    np.testing.assert_array_equal(found, np.array(rows, found.dtype))
    assert found.dtype == np.dtype(type_.to_pandas_dtype())


def test_every_column() -> None:
    found = read("""
        SELECT * FROM (VALUES
            (1::INT, 1.5::FLOAT, 'a', DATE '2020-01-02', TIMESTAMPTZ '2020-01-02 03:00:00+02', 1.25::DECIMAL(9, 2), [1, 2], {'x': 1}),
            (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) AS t(i, f, s, d, z, m, l, r)
    """)  # fmt: skip # noqa: E501
    assert found["i"].tolist() == [1, 2]
    assert found["f"][0] == 1.5
    assert np.isnan(found["f"][1])
    assert found["s"].tolist() == ["a", None]
    assert found["d"][0] == np.datetime64(date(2020, 1, 2))
    assert np.isnat(found["d"][1])
    assert found["z"][0] == np.datetime64(datetime(2020, 1, 2, 1))
    assert found["m"][0] == 1.25
    assert np.isnan(found["m"][1])
    assert found["l"][0].tolist() == [1, 2]
    assert found["l"][1] is None
    assert found["r"].tolist() == [{"x": 1}, None]


def test_a_sum_of_integers_is_one() -> None:
    assert read("SELECT sum(i) AS s FROM range(5) AS t(i)", "s").dtype == np.int64


def test_a_matrix_of_several_columns(library: Path) -> None:
    with open_library(library) as db:
        found = db.sql("SELECT id, rating, vector FROM movies WHERE id < 12 ORDER BY id").to_numpy(["vector", "id"])
    np.testing.assert_array_equal(found, [[*film[7], film[0]] for film in FILMS if film[0] < 12])


def test_memory_is_not_copied() -> None:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(12, dtype=np.float32)), 3)
    found = column_to_numpy(pa.chunked_array([vectors]), "v")
    assert found.__array_interface__["data"][0] == vectors.values.buffers()[1].address
    assert not found.flags.writeable


@pytest.mark.parametrize(
    ("sql", "columns", "message"),
    [
        ("SELECT unnest([1, NULL]) AS n", "n", "column 'n' is int32 and has 1 NULL"),
        ("SELECT 1 AS number", "numbr", "did you mean 'number'"),
        ("SELECT 'a' AS s", ["s"], "column 's' is no number and no vector"),
        ("SELECT 1 AS s", [], "no column is named"),
        ("SELECT 1 AS s, 2 AS s", "s", "two columns named 's'"),
    ],
)
def test_what_has_no_array(sql: str, columns: Any, message: str) -> None:
    with pytest.raises(lancesql.LanceSQLError, match=message):
        lancesql.sql(sql).to_numpy(columns)


def test_scikit_learn_takes_them(library: Path) -> None:
    from sklearn.cluster import KMeans

    with open_library(library) as db:
        vectors = db.sql("SELECT vector FROM movies WHERE vector IS NOT NULL").to_numpy("vector")
    assert KMeans(2, n_init=1, random_state=0).fit(vectors).labels_.shape == (11,)


@pytest.mark.skipif(has_torch, reason="PyTorch is installed")
def test_without_pytorch_its_extra_is_named() -> None:
    from lancesql.torch import QueryDataset

    with pytest.raises(lancesql.ExecutionError, match=r"pip install 'lancesql\[torch\]'"):
        lancesql.sql("SELECT 1 AS n").to_torch()
    with pytest.raises(lancesql.ExecutionError, match=r"pip install 'lancesql\[torch\]'"):
        QueryDataset("films", "SELECT 1 AS n")
