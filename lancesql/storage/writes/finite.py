"""Vectors that no search would find: those with NaN or an infinity among their numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.errors import ConstraintError

__all__ = ["refuse_infinite", "refuse_infinite_rows"]

_HALF_EXPONENT = np.uint16(0x7C00)


def refuse_infinite_rows(batch: pa.RecordBatch, first: int) -> None:
    """Refuses rows of a query; `first` is how many came before them."""
    for field, array in zip(batch.schema, batch.columns, strict=True):
        refuse_infinite(array, field.name, lambda at: f"row {first + at + 1:,}")


def refuse_infinite(array: pa.Array[Any], column: str, name_row: Callable[[int], str]) -> None:
    """Refuses a vector with NaN or an infinity, or a list that holds one; a column of another type is passed.

    Raises:
        ConstraintError: With the column, the row as `name_row` calls the one at that place, and the number.
    """
    held: Any = array
    if pa.types.is_list(held.type) or pa.types.is_large_list(held.type):
        if _is_vector(held.type.value_type):
            parents = pc.list_parent_indices(held).to_numpy()
            refuse_infinite(held.flatten(), column, lambda at: name_row(int(parents[at])))
        return
    if not _is_vector(held.type):
        return
    numbers = held.flatten().to_numpy(zero_copy_only=False)
    if _is_finite(numbers):
        return
    # `flatten` leaves out the vectors that are NULL; a NULL within one counts as zero.
    places = np.flatnonzero(np.asarray(held.is_valid()))
    present = np.asarray(held.flatten().is_valid())
    found = np.flatnonzero(~np.isfinite(numbers) & present)
    if len(found):
        at = int(found[0])
        row, number = divmod(at, held.type.list_size)
        raise ConstraintError(
            f"{name_row(int(places[row]))} has a vector that no search would find: "
            f"number {number + 1} of column '{column}' is {numbers[at]}",
            hint="nothing was written; SET lancesql.finite_vectors = false to store such vectors",
        )


def _is_vector(type_: Any) -> bool:
    return pa.types.is_fixed_size_list(type_) and pa.types.is_floating(type_.value_type)


def _is_finite(numbers: np.ndarray[Any, Any]) -> bool:
    if numbers.dtype == np.float16:
        return not bool(((numbers.view(np.uint16) & _HALF_EXPONENT) == _HALF_EXPONENT).any())
    return bool(np.isfinite(numbers).all())
