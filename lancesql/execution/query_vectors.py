"""The query vector of a search: read from whatever holds it, and checked before Lance sees it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.errors import ArgumentError, Span
from lancesql.plan.values import ScalarQuery, Value

from .run import Run, evaluate

__all__ = ["read_vector"]


def read_vector(value: Value, run: Run, type_: Any, metric: str, column: str) -> np.ndarray[Any, Any]:
    """The query vector, checked: dimension, numbers, finite, not zero for cosine.

    Returns:
        Shape `(dimension,)`, float32 (float64 for a DOUBLE column, uint8 for hamming).

    Raises:
        ArgumentError: When it cannot be searched for; Lance would answer with no rows or with wrong ones.
    """
    raw = evaluate(value, run)
    if raw is None and isinstance(value, ScalarQuery):
        raise ArgumentError("the query vector is NULL: the subquery finds no row, or a NULL", span=value.span)
    vector = raw if isinstance(raw, np.ndarray) and raw.dtype.kind in "fiu" else _to_numpy(raw, value.span)
    dimension, component = type_.list_size, type_.value_type
    if vector.ndim != 1:
        raise ArgumentError(
            f"the query has {vector.ndim} dimensions of nesting, one vector is wanted",
            hint="search for one vector per statement",
            span=value.span,
        )
    if len(vector) != dimension:
        raise ArgumentError(
            f"the query vector has {len(vector)} dimensions, column '{column}' has {dimension}", span=value.span
        )
    if pa.types.is_uint8(component):
        whole = vector.astype(np.float64)
        if not np.all((whole >= 0) & (whole <= 255) & (whole == np.floor(whole))):
            raise ArgumentError(f"column '{column}' holds bytes: the query's numbers go from 0 to 255", span=value.span)
        return vector.astype(np.uint8)
    wide = np.float64 if pa.types.is_float64(component) else np.float32
    with np.errstate(over="ignore", invalid="ignore"):
        if vector.dtype != wide:
            vector = vector.astype(wide)
        length = float(np.dot(vector, vector))  # one number that is finite and positive spares a look at each component
    if not math.isfinite(length) and not np.isfinite(vector).all():
        raise ArgumentError("the query vector holds NaN, an infinity or a NULL", span=value.span)
    if metric == "cosine" and not length > 0 and not vector.any():
        raise ArgumentError(
            "the query vector is zero, which has no direction",
            hint="cosine distance needs a vector that is not zero",
            span=value.span,
        )
    return np.ascontiguousarray(vector)


def _to_numpy(raw: object, span: Span | None) -> np.ndarray[Any, Any]:
    if raw is None:
        raise ArgumentError("the query vector is NULL", span=span)
    if isinstance(raw, str):
        raise ArgumentError(
            "a text stands where a vector is expected, and no embedding function is registered for the column",
            hint="embed the text and pass the vector",
            span=span,
        )
    if isinstance(raw, pa.FixedSizeListScalar | pa.ListScalar | pa.LargeListScalar):
        raw = raw.values
    if isinstance(raw, pa.Array | pa.ChunkedArray):
        raw = raw.to_numpy(zero_copy_only=False) if isinstance(raw, pa.Array) else raw.to_numpy()
    try:
        vector = np.asarray(raw)
        if vector.dtype == object:
            vector = vector.astype(np.float64)
    except (TypeError, ValueError):
        raise ArgumentError("the query vector is not a list of numbers", span=span) from None
    if vector.dtype.kind not in "fiu":
        held = {"U": "texts", "S": "bytes", "b": "booleans", "M": "dates"}.get(vector.dtype.kind, str(vector.dtype))
        raise ArgumentError(f"the query vector holds {held}, not numbers", span=span)
    return vector
