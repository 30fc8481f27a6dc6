"""Vector columns that rows do not bring: made of the texts of another column while the rows are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["Fill", "fill_column", "slice_batches"]

Vector = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Fill:
    """What makes a column.

    Attributes:
        column: The vector column.
        source: The column of the texts.
        most: So many texts are embedded at a time.
        embed: Gives a vector, or None, for each of some texts.
    """

    column: str
    source: str
    most: int
    embed: Callable[[list[str]], Sequence[Vector | None]]


def slice_batches(batches: Iterator[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of no more than `most`: their vectors are all that is held at a time."""
    for batch in batches:
        for start in range(0, batch.num_rows, most):
            yield batch.slice(start, most)


def fill_column(texts: pa.Array[Any], fill: Fill, type_: Any) -> pa.Array[Any]:
    """The vectors of some texts, equal ones embedded once; NULL for NULL."""
    listed: list[Any] = [None if one is None else str(one) for one in texts.to_pylist()]
    distinct = list(dict.fromkeys(text for text in listed if text is not None))
    known: dict[str, Vector | None] = {}
    for start in range(0, len(distinct), fill.most):
        batch = distinct[start : start + fill.most]
        known.update(zip(batch, fill.embed(batch), strict=True))
    vectors = [None if text is None else known[text] for text in listed]
    if not pa.types.is_fixed_size_list(type_):
        inner = pa.list_(pa.float64(), type_.value_type.list_size)
        rows = [None if one is None else np.atleast_2d(one).astype(np.float64).tolist() for one in vectors]
        return pa.array(rows, pa.list_(inner))
    size = type_.list_size
    made = [one.dtype for one in known.values() if one is not None]
    dtype = np.result_type(*made) if made else np.dtype(np.float32)
    matrix = np.zeros((len(vectors), size), dtype)
    for at, vector in enumerate(vectors):
        if vector is not None:
            matrix[at] = vector
    missing = pa.array([one is None for one in vectors], pa.bool_())
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), size, mask=missing)
