"""Sets of keys against Python's own."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql.execution.filters.key_sets as key_sets
from lancesql.execution.filters.key_sets import collect_keys

WIDE = {"int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1), "int8": (-128, 127), "uint32": (0, 2**32 - 1)}


@pytest.mark.parametrize("type_", [pa.int64(), pa.uint64(), pa.int8(), pa.uint32()], ids=str)
@settings(deadline=None)
@given(data=st.data())
def test_numbers(type_: pa.DataType, data: st.DataObject) -> None:
    low, high = WIDE[str(type_)]
    number = st.integers(low, high) | st.integers(max(low, -100), min(high, 100)) | st.sampled_from([low, high])
    batches = data.draw(st.lists(st.lists(number, max_size=8), max_size=5))
    asked = data.draw(st.lists(st.none() | number, max_size=20))
    keys = collect_keys((pa.array(batch, type_) for batch in batches), type_)
    expected = {one for batch in batches for one in batch}
    assert len(keys) == len(expected)
    assert sorted(keys.list_values()) == sorted(expected)
    assert keys.find(pa.array(asked, type_)).tolist() == [one in expected for one in asked]


@settings(deadline=None)
@given(batches=st.lists(st.lists(st.text(max_size=2), max_size=8), max_size=5))
def test_texts(batches: list[list[str]]) -> None:
    keys = collect_keys((pa.array(batch, pa.string()) for batch in batches), pa.string())
    expected = {one for batch in batches for one in batch}
    asked = [*expected, "absent", None]
    assert (len(keys), sorted(keys.list_values())) == (len(expected), sorted(expected))
    assert keys.find(pa.array(asked, pa.string())).tolist() == [one in expected for one in asked]


@pytest.mark.parametrize("type_", [pa.int64(), pa.string()], ids=str)
def test_repeated_keys_are_not_all_held(type_: pa.DataType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_sets, "_FEW_ROWS", 100)
    keys = collect_keys((pa.array([number % 7] * 10, pa.int64()).cast(type_) for number in range(1_000)), type_)
    assert len(keys) == 7
    assert len(keys.values) <= 220
    assert keys.find(pa.array([0, 6, 7]).cast(type_)).tolist() == [True, True, False]
