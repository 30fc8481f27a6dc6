"""Which kinds of index fit a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lancesql.errors import ArgumentError, Span, UnsupportedError

from .index_kinds import INDEX_KINDS

__all__ = ["check_column", "find_vector", "refuse_nested"]


def check_column(kind: str, name: str, type_: pa.DataType, spelled: str, metric: str | None, span: Span) -> None:
    """Refuses a kind of index that does not fit the column.

    Raises:
        ArgumentError: With the kinds that fit.
    """
    fitting = [other for other in INDEX_KINDS if _fits(INDEX_KINDS[other].family, type_)]
    if kind not in fitting:
        hint = f"{', '.join(fitting)} would fit" if fitting else "no kind of index fits this type"
        if _is_number_list(type_) and INDEX_KINDS[kind].family == "vector":
            hint = f"a vector has one length: make the table with {name}::FLOAT[n] AS {name}"
        raise ArgumentError(f"{kind} does not fit column '{name}', which is {spelled}", hint=hint, span=span)
    vector = find_vector(type_)
    if vector is not None and INDEX_KINDS[kind].family == "vector":
        _check_vector(kind, name, vector, metric, span, many=vector is not type_)


def _check_vector(kind: str, name: str, type_: Any, metric: str | None, span: Span, *, many: bool) -> None:
    bytes_ = pa.types.is_uint8(type_.value_type)
    if bytes_ and kind not in ("IVF_FLAT", "IVF_HNSW_FLAT"):
        raise ArgumentError(
            f"{kind} does not fit column '{name}', which holds bytes",
            hint="IVF_FLAT or IVF_HNSW_FLAT would fit",
            span=span,
        )
    if bytes_ and metric not in (None, "hamming"):
        raise ArgumentError(f"column '{name}' holds bytes, whose only metric is hamming", span=span)
    if not bytes_ and metric == "hamming":
        raise ArgumentError(
            f"hamming compares bytes, and column '{name}' holds floating-point numbers",
            hint="use l2, cosine or dot",
            span=span,
        )
    if kind == "IVF_RQ" and type_.list_size % 8:
        raise ArgumentError(
            f"IVF_RQ needs a number of dimensions that 8 divides, column '{name}' has {type_.list_size}",
            hint="IVF_PQ or IVF_SQ would fit",
            span=span,
        )
    if many and metric not in (None, "cosine"):
        raise ArgumentError(f"column '{name}' holds several vectors a row, whose only metric is cosine", span=span)


def _fits(family: str, type_: Any) -> bool:
    types = pa.types
    storage = type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_
    text = types.is_string(type_) or types.is_large_string(type_)
    is_list = types.is_list(type_) or types.is_large_list(type_)
    match family:
        case "vector":
            return find_vector(type_) is not None
        case "text":
            inner = type_.value_type if is_list else type_
            return bool(types.is_string(inner) or types.is_large_string(inner))
        case "string":
            return bool(text)
        case "list":
            return bool(is_list and _is_scalar(type_.value_type))
        case "hashed":
            return _is_scalar(storage) and not _is_unhashed(storage)
        case _:
            return _is_scalar(storage)


def _is_scalar(type_: pa.DataType) -> bool:
    types = pa.types
    checks = (
        types.is_integer, types.is_floating, types.is_boolean, types.is_string, types.is_large_string, types.is_binary,
        types.is_large_binary, types.is_temporal, types.is_decimal128, types.is_decimal256, types.is_fixed_size_binary,
    )  # fmt: skip
    return any(check(type_) for check in checks) and not types.is_interval(type_)


def _is_unhashed(type_: pa.DataType) -> bool:
    """Whether Lance has no Bloom filter for a scalar type."""
    types = pa.types
    checks = (
        types.is_float16, types.is_boolean, types.is_fixed_size_binary, types.is_duration, types.is_decimal128,
        types.is_decimal256,
    )  # fmt: skip
    return any(check(type_) for check in checks)


def find_vector(type_: Any) -> Any:
    """The type of the vectors of a column, also where there are several a row; None when it holds none."""
    if pa.types.is_list(type_):
        type_ = type_.value_type
    if pa.types.is_fixed_size_list(type_) and (
        pa.types.is_floating(type_.value_type) or pa.types.is_uint8(type_.value_type)
    ):
        return type_
    return None


def _is_number_list(type_: pa.DataType) -> bool:
    return bool(
        (pa.types.is_list(type_) or pa.types.is_large_list(type_))
        and (pa.types.is_floating(type_.value_type) or pa.types.is_decimal(type_.value_type))
    )


def refuse_nested(column: Sequence[str], span: Span) -> None:
    """Refuses a column within a column."""
    if len(column) > 1:
        raise UnsupportedError("an index on a field of a struct is not supported", span=span)
