"""A set of keys, and which values are among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["KeySet", "collect_keys"]

_MAX_SPAN = 1 << 26
"""The widest range of numbers a table of truths is made for: one byte each."""
_FAR = 1 << 62
"""Numbers so far out leave no room to step over the ends of the range."""
_FEW_ROWS = 1 << 20
"""So many keys are held before repetitions are looked for."""

Truths = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class KeySet:
    """The keys of a query that a column can hold, without NULL, of the column's type.

    Attributes:
        values: The keys; with `truths` some may be there several times.
        truths: Which numbers are keys, from `low` on: one look at it for each row is several times as fast as a hash
            table. Both its ends are no keys. None where the keys are no numbers, or far apart.
        low: The number that `truths` begins with.
        count: How many keys there are.
    """

    values: pa.Array[Any]
    truths: Truths | None
    low: int
    count: int

    def __len__(self) -> int:
        return self.count

    def list_values(self) -> list[Any]:
        """Each key once."""
        return list(dict.fromkeys(self.values.to_pylist()))

    def find(self, values: Any) -> Truths:
        """Which of the values are keys; NULL is none."""
        if self.truths is None:
            is_key = pc.is_in(values, value_set=self.values, skip_nulls=True)
            found: Truths = is_key.to_numpy(zero_copy_only=False)
            return found
        known = values.fill_null(0).to_numpy() if values.null_count else values.to_numpy()
        # What wraps around is far outside.
        mask: Truths = self.truths.take(known.astype(np.int64, copy=False) - self.low, mode="clip")
        return mask & pc.is_valid(values).to_numpy(zero_copy_only=False) if values.null_count else mask


def collect_keys(batches: Iterable[pa.Array[Any]], type_: pa.DataType) -> KeySet:
    """The set of all keys. No more of them are held than there are different ones, and a million.

    Args:
        batches: Keys, without NULL.
        type_: Their type.
    """
    held: pa.Array[Any] = pa.array([], type_)
    more: list[pa.Array[Any]] = []
    for batch in batches:
        more.append(batch)
        if sum(map(len, more)) > max(_FEW_ROWS, len(held)):
            held, more = pa.concat_arrays([held, *more]).unique(), []
    values = pa.concat_arrays([held, *more])
    if not _spans_little(values):
        values = values.unique()
        return KeySet(values, None, 0, len(values))
    numbers = values.to_numpy().astype(np.int64)
    low = int(numbers.min()) - 1
    truths = np.zeros(int(numbers.max()) + 2 - low, bool)
    truths[numbers - low] = True
    return KeySet(values, truths, low, int(np.count_nonzero(truths)))


def _spans_little(values: pa.Array[Any]) -> bool:
    type_ = values.type
    if not len(values) or not pa.types.is_integer(type_) or pa.types.is_uint64(type_):
        return False
    low, high = (int(bound.as_py()) for bound in pc.min_max(values).values())
    return high - low < _MAX_SPAN and max(abs(low), abs(high)) < _FAR
