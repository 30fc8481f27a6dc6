"""The kinds of index: what each fits, and the options it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lancesql.errors import ArgumentError, Span, UnsupportedError, nearest_name

from .languages import TOKENIZERS, Language
from .options import Choice, Flag, Number, Option

__all__ = ["INDEX_KINDS", "check_column", "find_kind", "refuse_nested"]


METRICS = {
    "l2": "l2",
    "euclidean": "l2",
    "cosine": "cosine",
    "dot": "dot",
    "ip": "dot",
    "inner_product": "dot",
    "hamming": "hamming",
}

_IVF: dict[str, Option] = {
    "metric": Choice(METRICS),
    "num_partitions": Number(most=2**20),
    "target_partition_size": Number(),
    "max_iterations": Number(most=10_000),
    "sample_rate": Number(most=1_000_000),
}
_PQ: dict[str, Option] = {"num_sub_vectors": Number(most=2**16), "num_bits": Number(choices=(4, 8))}
_HNSW: dict[str, Option] = {
    "m": Number(least=4, most=1_000),
    "ef_construction": Number(most=100_000),
    "max_level": Number(most=64),
}
_TEXT: dict[str, Option] = {
    "base_tokenizer": Choice({word: word for word in TOKENIZERS}),
    "language": Language(),
    "stem": Flag(),
    "remove_stop_words": Flag(),
    "ascii_folding": Flag(),
    "lower_case": Flag(),
    "with_position": Flag(),
    "max_token_length": Number(most=2**16),
    "ngram_min_length": Number(most=64),
    "ngram_max_length": Number(most=64),
    "prefix_only": Flag(),
}


@dataclass(frozen=True)
class IndexKind:
    """One kind of index.

    Attributes:
        family: `vector`, `text`, `scalar`, `hashed`, `list` or `string`: what columns it fits.
        options: The options it takes, by name.
    """

    family: str
    options: Mapping[str, Option] = field(default_factory=dict)


INDEX_KINDS: dict[str, IndexKind] = {
    "IVF_PQ": IndexKind("vector", {**_IVF, **_PQ}),
    "IVF_FLAT": IndexKind("vector", _IVF),
    "IVF_SQ": IndexKind("vector", {**_IVF, "num_bits": Number(choices=(8,))}),
    "IVF_RQ": IndexKind("vector", {**_IVF, "num_bits": Number(least=1, most=9)}),
    "IVF_HNSW_FLAT": IndexKind("vector", {**_IVF, **_HNSW}),
    "IVF_HNSW_SQ": IndexKind("vector", {**_IVF, **_HNSW, "num_bits": Number(choices=(8,))}),
    "IVF_HNSW_PQ": IndexKind("vector", {**_IVF, **_HNSW, **_PQ}),
    "FTS": IndexKind("text", _TEXT),
    "BTREE": IndexKind("scalar"),
    "BITMAP": IndexKind("scalar"),
    "LABEL_LIST": IndexKind("list"),
    "NGRAM": IndexKind("string"),
    "ZONEMAP": IndexKind("scalar"),
    "BLOOMFILTER": IndexKind("hashed"),
}
_KIND_SYNONYMS = {
    "HNSW": "IVF_HNSW_SQ",
    "HNSW_SQ": "IVF_HNSW_SQ",
    "HNSW_PQ": "IVF_HNSW_PQ",
    "HNSW_FLAT": "IVF_HNSW_FLAT",
    "IVFFLAT": "IVF_FLAT",
    "IVFPQ": "IVF_PQ",
    "IVF": "IVF_FLAT",
    "INVERTED": "FTS",
    "FULLTEXT": "FTS",
    "ZONE_MAP": "ZONEMAP",
    "BLOOM_FILTER": "BLOOMFILTER",
    "LABELLIST": "LABEL_LIST",
}


def find_kind(word: str, span: Span) -> str:
    """The kind a word after USING means.

    Raises:
        ArgumentError: When it is none.
    """
    folded = word.upper()
    folded = _KIND_SYNONYMS.get(folded, folded)
    if folded in INDEX_KINDS:
        return folded
    near = nearest_name(folded, [*INDEX_KINDS, *_KIND_SYNONYMS])
    listed = f"the kinds are {', '.join(INDEX_KINDS)}"
    raise ArgumentError(
        f"'{word}' is not a kind of index", hint=f"did you mean {near}? {listed}" if near else listed, span=span
    )


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
    vector = _find_vector(type_)
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
            return _find_vector(type_) is not None
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


def _find_vector(type_: Any) -> Any:
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
