"""Which kinds of index fit a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lancesql.errors import ArgumentError, Span, UnsupportedError

from .index_kinds import INDEX_KINDS

__all__ = ["check_column", "check_field", "find_vector"]


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


_OF_FIELDS = ("BTREE", "BITMAP")
_NOT_OF_FIELDS = {
    "vector": "searches look in columns of the table",
    "text": "searches look in columns of the table",
    "string": "Lance does not ask it for a field",
    "list": "Lance does not ask it for a field",
    "hashed": "Lance does not ask it for a field, and cannot bring it up to date",
    "scalar": "Lance cannot bring it up to date for a field",
}


def check_field(kind: str, path: Sequence[str], type_: pa.DataType, span: Span) -> None:
    """Refuses an index on a field of a struct that Lance would not ask, could not keep, or cannot be named.

    Upstream: OPTIMIZE of a ZONEMAP or a BLOOMFILTER looks for the field among the columns and fails; of the others, and
    of booleans, a filter makes no use.

    Raises:
        UnsupportedError: With what would do instead.
    """
    column = ".".join(path)
    odd = next((name for name in path if not name or "." in name or "`" in name), None)
    if odd is not None:
        raise UnsupportedError(f"no filter of Lance can name the field '{odd}', so no index would be asked", span=span)
    if kind not in _OF_FIELDS:
        fits = _is_scalar(type_) and not pa.types.is_boolean(type_)
        instead = f"{' or '.join(_OF_FIELDS)}, or a" if fits else "a"
        raise UnsupportedError(
            f"{kind} on a field of a struct is not supported: {_NOT_OF_FIELDS[INDEX_KINDS[kind].family]}",
            hint=f"{instead} column of its own: ALTER TABLE … ADD COLUMN {path[-1]} AS ({column})",
            span=span,
        )
    if pa.types.is_boolean(type_):
        raise UnsupportedError(
            "Lance asks no index for a boolean field of a struct",
            hint=f"a column of its own: ALTER TABLE … ADD COLUMN {path[-1]} AS ({column})",
            span=span,
        )
