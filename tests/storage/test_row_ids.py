"""The bytes of an allow-list are those that Lance writes itself."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from lance.dataset import serialize_row_addrs

from lancesql.storage.row_ids import serialize_row_ids

IDS = st.one_of(st.integers(0, 300), st.integers(0, 2**18), st.integers(2**32, 2**32 + 2**17), st.integers(0, 2**40))


@given(ids=st.lists(IDS, max_size=200))
def test_any_ids(ids: list[int]) -> None:
    assert serialize_row_ids(ids) == serialize_row_addrs(ids)


def test_blocks_on_both_sides_of_the_limit_of_a_list() -> None:
    chosen = np.random.default_rng(5)
    dense = [*range(4_096), *range(65_536, 65_536 + 4_097), *range(2**32 + 7, 2**32 + 150_000)]
    sparse = chosen.choice(2**20, 60_000, replace=False).tolist()
    for ids in (dense, sparse, dense + sparse + dense[:9]):
        for form in (ids, np.array(ids), pa.array(ids, pa.uint64()), pa.chunked_array([ids[:5], ids[5:]], pa.uint64())):
            assert serialize_row_ids(form) == serialize_row_addrs(ids)
