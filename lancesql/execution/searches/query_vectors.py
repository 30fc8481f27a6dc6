"""The query vector of a search: read from whatever holds it, and checked before Lance sees it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.errors import ArgumentError, Span
from lancesql.execution.run import Run, evaluate
from lancesql.plan.values import ScalarQuery, Value

__all__ = ["check_vector", "read_vector"]

_SHORTEST, _LONGEST = 1e-30, 1e30
"""Squared lengths that single precision holds."""


def read_vector(
    value: Value,
    run: Run,
    type_: Any,
    metric: str,
    column: str,
    embed: Callable[[str], object] | None = None,
) -> np.ndarray[Any, Any]:
    """The query of a search, evaluated and checked; `embed` makes a vector of a text.

    Raises:
        ArgumentError: As `check_vector`.
    """
    raw = evaluate(value, run)
    if embed is not None and isinstance(raw, str):
        raw = embed(raw)
    if raw is None and isinstance(value, ScalarQuery):
        raise ArgumentError("the query vector is NULL: the subquery finds no row, or a NULL", span=value.span)
    return check_vector(raw, type_, metric, column, value.span)


def check_vector(raw: object, type_: Any, metric: str, column: str, span: Span | None) -> np.ndarray[Any, Any]:
    """A query vector, checked: dimension, numbers, finite, not zero for cosine.

    Args:
        raw: A list, an array, an Arrow value; for lists of vectors a list of those, or one.
        type_: The type of the column.
        metric: The metric of the search.
        column: The name of the column, for messages.
        span: Where the vector stands.

    Returns:
        Shape `(dimension,)`, float32; float64 for DOUBLE and integer columns, the column's own integers for hamming.
        For lists of vectors, shape `(m, dimension)`.

    Raises:
        ArgumentError: When it cannot be searched for; Lance would answer with no rows or with wrong ones.
    """
    vector = raw if isinstance(raw, np.ndarray) and raw.dtype.kind in "fiu" else _to_numpy(raw, span)
    if not pa.types.is_fixed_size_list(type_):
        return _check_matrix(vector, type_.value_type, metric, column, span)
    dimension, component = type_.list_size, type_.value_type
    if vector.ndim != 1:
        raise ArgumentError(
            f"the query has {vector.ndim} dimensions of nesting, one vector is wanted",
            hint="search for one vector per statement",
            span=span,
        )
    if len(vector) != dimension:
        raise ArgumentError(
            f"the query vector has {len(vector)} dimensions, column '{column}' has {dimension}", span=span
        )
    if metric == "hamming":
        return _check_bits(vector, component, column, span)
    wide = np.float64 if pa.types.is_float64(component) or pa.types.is_integer(component) else np.float32
    with np.errstate(over="ignore", invalid="ignore"):
        if vector.dtype != wide:
            vector = vector.astype(wide)
        length = float(np.dot(vector, vector))  # one number that is finite and positive spares a look at each component
    if not math.isfinite(length) and not np.isfinite(vector).all():
        raise ArgumentError("the query vector holds NaN, an infinity or a NULL", span=span)
    if metric == "cosine" and not length > 0 and not vector.any():
        raise ArgumentError(
            "the query vector is zero, which has no direction",
            hint="cosine distance needs a vector that is not zero",
            span=span,
        )
    if (
        metric == "cosine" and not _SHORTEST < length < _LONGEST
    ):  # its square leaves single precision, its direction not
        vector = (vector.astype(np.float64) / np.abs(vector).max()).astype(vector.dtype)
    return np.ascontiguousarray(vector)


def _check_bits(vector: np.ndarray[Any, Any], component: Any, column: str, span: Span | None) -> np.ndarray[Any, Any]:
    own = np.iinfo(component.to_pandas_dtype())
    whole = vector.astype(np.float64)
    if not np.all((whole >= own.min) & (whole <= own.max) & (whole == np.floor(whole))):
        what = "bytes" if own.max == 255 else "integers"
        raise ArgumentError(
            f"column '{column}' holds {what}: the query's numbers go from {own.min} to {own.max}", span=span
        )
    return vector.astype(own.dtype)


def _check_matrix(
    matrix: np.ndarray[Any, Any], type_: Any, metric: str, column: str, span: Span | None
) -> np.ndarray[Any, Any]:
    if matrix.ndim not in (1, 2) or not len(matrix):
        raise ArgumentError(
            f"column '{column}' holds lists of vectors, and its query is a list of vectors",
            hint="[[…], […]]",
            span=span,
        )
    rows = matrix if matrix.ndim == 2 else matrix.reshape(1, -1)
    return np.ascontiguousarray([check_vector(row, type_, metric, column, span) for row in rows])


def _to_numpy(raw: object, span: Span | None) -> np.ndarray[Any, Any]:
    if raw is None:
        raise ArgumentError("the query vector is NULL", span=span)
    if isinstance(raw, str):
        raise ArgumentError(
            "a text stands where a vector is expected", hint="embed(…) makes a vector of a text", span=span
        )
    if isinstance(raw, pa.FixedSizeListScalar | pa.ListScalar | pa.LargeListScalar):
        raw = raw.values
    if isinstance(raw, pa.Array | pa.ChunkedArray):
        raw = raw.to_numpy(zero_copy_only=False) if isinstance(raw, pa.Array) else raw.to_numpy()
    try:
        vector = np.asarray(raw)
        if vector.dtype == object:
            nested = any(isinstance(one, np.ndarray | list | tuple) for one in vector)
            vector = np.array([np.asarray(one, np.float64) for one in vector]) if nested else vector.astype(np.float64)
    except (TypeError, ValueError):
        raise ArgumentError("the query vector is not a list of numbers", span=span) from None
    if vector.dtype.kind not in "fiu":
        held = {"U": "texts", "S": "bytes", "b": "booleans", "M": "dates"}.get(vector.dtype.kind, str(vector.dtype))
        raise ArgumentError(f"the query vector holds {held}, not numbers", span=span)
    return vector
