"""True distances in numpy: for what Lance does not measure, for few candidates, and as the oracle of the tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["is_measured_by_lance", "measure_distances", "measure_pairs", "read_matrix"]

_BLOCK = 1 << 20
"""So many components are widened to double precision at a time."""

Array = np.ndarray[Any, Any]


def is_measured_by_lance(type_: Any, metric: str) -> bool:
    """Whether Lance's own exact search gives the distances of a column: it knows no l1 and no integers but bytes.

    Lists of vectors it does measure, but takes a missing vector for a zero.
    """
    if metric == "l1" or not pa.types.is_fixed_size_list(type_):
        return False
    if pa.types.is_integer(type_.value_type):
        return metric == "hamming" and pa.types.is_uint8(type_.value_type)
    return True


def measure_distances(
    vectors: pa.ChunkedArray[Any], query: Array, metric: str
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The distance of every vector to the query; NaN where there is none.

    The formulas are Lance's: l2 = Σ(q−x)², cosine = 1 − q·x / (|q||x|), dot = 1 − q·x, hamming = differing bits; and
    l1 = Σ|q−x|. For a list of vectors, each vector of the query counts its nearest of the row: Σ_q min_x d(q, x).

    Args:
        vectors: n fixed-size lists of any floating or integer type, or n lists of them.
        query: Shape `(dimension,)`, or `(m, dimension)` for lists of vectors.
        metric: `l2`, `cosine`, `dot`, `hamming` or `l1`.

    Returns:
        Distances, float32, shape `(n,)`.

    Example:
        >>> import pyarrow as pa
        >>> column = pa.chunked_array([pa.FixedSizeListArray.from_arrays(pa.array([0., 0., 3., 4.], pa.float32()), 2)])
        >>> measure_distances(column, np.array([0., 0.], np.float32), "l2").tolist()
        [0.0, 25.0]
    """
    measure = _measure_vectors if pa.types.is_fixed_size_list(vectors.type) else _measure_lists
    parts = [measure(chunk, query, metric) for chunk in vectors.chunks]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def _measure_vectors(chunk: Any, query: Array, metric: str) -> Array:
    matrix, missing = read_matrix(chunk)
    distances = np.empty(len(chunk), np.float32)
    step = max(1, _BLOCK // max(matrix.shape[1], 1))
    for start in range(0, len(chunk), step):
        distances[start : start + step] = _measure_block(matrix[start : start + step], query, metric)
    distances[missing] = np.nan
    return distances


def read_matrix(chunk: Any) -> tuple[Array, Array]:
    """The vectors as rows of a matrix, and which of them are NULL.

    A component that is NULL counts as what is stored in its place, as it does for Lance: zero, as a rule.
    """
    size = chunk.type.list_size
    flat = chunk.values.slice(chunk.offset * size, len(chunk) * size)
    missing = np.asarray(chunk.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    if flat.null_count:
        flat = pa.Array.from_buffers(flat.type, len(flat), [None, flat.buffers()[1]], offset=flat.offset)
    return flat.to_numpy(zero_copy_only=False).reshape(len(chunk), size), missing


def measure_pairs(vectors: Array, places: Array, queries: Array, query_places: Array, metric: str) -> Array:
    """The distances of chosen pairs of a vector and a query, float32.

    Example:
        >>> vectors, queries = np.array([[0., 0.], [3., 4.]]), np.array([[0., 0.]])
        >>> measure_pairs(vectors, np.array([1, 0]), queries, np.array([0, 0]), "l2").tolist()
        [25.0, 0.0]
    """
    distances = np.empty(len(places), np.float32)
    step = max(1, _BLOCK // max(vectors.shape[1], 1))
    with np.errstate(over="ignore"):
        for start in range(0, len(places), step):
            chosen = slice(start, start + step)
            distances[chosen] = _measure_block(vectors[places[chosen]], queries[query_places[chosen]], metric)
    return distances


def _measure_block(block: Array, query: Array, metric: str) -> Array:
    """The distances of vectors to one query, or of each to the query beside it."""
    if metric == "hamming":
        bits = np.dtype(f"u{block.dtype.itemsize}")
        return np.bitwise_count(block.view(bits) ^ query.astype(block.dtype).view(bits)).sum(axis=1)  # type: ignore[no-any-return]
    target = query.astype(np.float64)
    with np.errstate(all="ignore"):
        if metric in ("l1", "l2"):
            difference = np.subtract(block, target, dtype=np.float64)
            if metric == "l1":
                return np.abs(difference, out=difference).sum(axis=1)  # type: ignore[no-any-return]
            return np.einsum("ij,ij->i", difference, difference)  # type: ignore[no-any-return]
        wide = block.astype(np.float64)
        products = np.einsum("ij,ij->i" if target.ndim == 2 else "ij,j->i", wide, target)
        if metric == "dot":
            return 1.0 - products  # type: ignore[no-any-return]
        lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide)) * np.sqrt(np.einsum("...j,...j->...", target, target))
        return 1.0 - products / lengths  # type: ignore[no-any-return]


def _measure_lists(chunk: Any, query: Array, metric: str) -> Array:
    offsets = np.asarray(chunk.offsets.to_numpy(zero_copy_only=False), np.int64)
    inner = chunk.values.slice(offsets[0], offsets[-1] - offsets[0])
    starts, counts = offsets[:-1] - offsets[0], np.diff(offsets)
    nearest = np.full(len(chunk), np.nan)
    present = (counts > 0) & ~np.asarray(chunk.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    rows = np.flatnonzero(present)
    step = max(1, _BLOCK // max(inner.type.list_size, len(query)))  # so many vectors at a time, and one row at least
    at = 0
    while at < len(rows):
        last = at + max(1, int(np.searchsorted(starts[rows[at:]] + counts[rows[at:]], starts[rows[at]] + step)))
        own = rows[at:last]
        low, high = starts[own[0]], starts[own[-1]] + counts[own[-1]]
        apart = _measure_all(inner.slice(low, high - low), query, metric)
        # Rows without vectors hold no place, but a NULL row may hide some: each row's end is given as well.
        edges = np.column_stack((starts[own] - low, starts[own] + counts[own] - low)).ravel()
        padded = np.vstack((apart, np.full((1, len(query)), np.inf)))
        nearest[own] = np.minimum.reduceat(padded, edges, axis=0)[::2].sum(axis=1)
        at = last
    nearest[np.isinf(nearest)] = np.nan
    with np.errstate(over="ignore"):
        return nearest.astype(np.float32)


def _measure_all(vectors: Any, query: Array, metric: str) -> Array:
    """The distance of every vector to every vector of the query, infinite where a vector has none."""
    matrix, missing = read_matrix(vectors)
    if metric in ("cosine", "dot"):
        wide, target = matrix.astype(np.float64), query.astype(np.float64)
        with np.errstate(all="ignore"):
            products = wide @ target.T
            if metric == "cosine":
                products /= np.sqrt(np.einsum("ij,ij->i", wide, wide))[:, None]
                products /= np.sqrt(np.einsum("ij,ij->i", target, target))[None, :]
            apart = 1.0 - products
    else:
        apart = np.column_stack([_measure_block(matrix, one, metric) for one in query])
    apart[missing | ~np.isfinite(apart).all(axis=1)] = np.inf
    return apart
