"""True distances in numpy: the way to answer when the candidates are few, and the oracle of the tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["measure_distances"]

_BLOCK = 4096


def measure_distances(
    vectors: pa.ChunkedArray[Any], query: np.ndarray[Any, Any], metric: str
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The distance of every vector to the query; NaN where there is no vector.

    The formulas are Lance's: l2 = Σ(q−x)², cosine = 1 − q·x / (|q||x|), dot = 1 − q·x, hamming = differing bits.

    Args:
        vectors: Fixed-size lists, n of them, of any floating type or uint8.
        query: Shape `(dimension,)`.
        metric: `l2`, `cosine`, `dot` or `hamming`.

    Returns:
        Distances, float32, shape `(n,)`.

    Example:
        >>> import pyarrow as pa
        >>> column = pa.chunked_array([pa.FixedSizeListArray.from_arrays(pa.array([0., 0., 3., 4.], pa.float32()), 2)])
        >>> measure_distances(column, np.array([0., 0.], np.float32), "l2").tolist()
        [0.0, 25.0]
    """
    parts = [_measure_chunk(chunk, query, metric) for chunk in vectors.chunks]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def _measure_chunk(chunk: Any, query: np.ndarray[Any, Any], metric: str) -> np.ndarray[Any, Any]:
    size = chunk.type.list_size
    flat = chunk.values.slice(chunk.offset * size, len(chunk) * size)
    missing = np.asarray(chunk.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    matrix = flat.to_numpy(zero_copy_only=False).reshape(len(chunk), size)
    distances = np.empty(len(chunk), np.float32)
    for start in range(0, len(chunk), _BLOCK):
        distances[start : start + _BLOCK] = _measure_block(matrix[start : start + _BLOCK], query, metric)
    distances[missing] = np.nan
    return distances


def _measure_block(block: np.ndarray[Any, Any], query: np.ndarray[Any, Any], metric: str) -> np.ndarray[Any, Any]:
    if metric == "hamming":
        return np.bitwise_count(block ^ query.astype(np.uint8)).sum(axis=1)  # type: ignore[no-any-return]
    wide, target = block.astype(np.float64), query.astype(np.float64)
    with np.errstate(all="ignore"):
        if metric == "l2":
            difference = wide - target
            return np.einsum("ij,ij->i", difference, difference)  # type: ignore[no-any-return]
        products = np.einsum("ij,j->i", wide, target)
        if metric == "dot":
            return 1.0 - products  # type: ignore[no-any-return]
        lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide)) * np.sqrt(target @ target)
        return 1.0 - products / lengths  # type: ignore[no-any-return]
