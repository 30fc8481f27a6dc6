"""Indexes of a table: what there are at a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lance
import pyarrow as pa

from lancesql.catalog import IndexInfo

from .calibration import parse_calibration
from .text_indexes import show_text_options

__all__ = ["read_indexes", "show_kind"]

_KINDS = {
    "BTree": "BTREE",
    "Bitmap": "BITMAP",
    "LabelList": "LABEL_LIST",
    "Inverted": "INVERTED",
    "NGram": "NGRAM",
    "ZoneMap": "ZONEMAP",
    "BloomFilter": "BLOOMFILTER",
}


def read_indexes(dataset: lance.LanceDataset) -> tuple[IndexInfo, ...]:
    """The indexes of a table at the version of the handle. Only a vector index's file is opened, for its partitions."""
    described = dataset.describe_indices()
    if not described:
        return ()
    rows = dataset.count_rows()
    return tuple(_describe_index(dataset, index, rows) for index in described)


def show_kind(index: IndexInfo) -> str:
    """What CREATE INDEX calls the kind of an index."""
    return "FTS" if index.kind == "INVERTED" else index.kind


def _describe_index(dataset: lance.LanceDataset, index: Any, rows: int) -> IndexInfo:
    kind = _KINDS.get(index.index_type, str(index.index_type).upper())
    details = index.details or {}
    metric = partitions = code_bits = None
    uuid = "+".join(sorted(str(segment.uuid) for segment in index.segments))
    if "VectorIndex" in index.type_url:
        (column,) = index.field_names
        dimension = _find_dimension(dataset.schema, column)
        metric, code_bits = _read_details(kind, details, dimension)
        built = _read_statistics(dataset, index.name) if index.num_rows_indexed else {}
        partitions = built.get("num_partitions")
        kind = _KINDS.get(kind, str(built.get("index_type", kind)).upper())
        if metric is None:  # an index of an older Lance, that says less of itself
            metric = built.get("metric_type")
            code_bits = _read_built_bits(kind, built.get("sub_index") or {}, dimension)
    return IndexInfo(
        name=index.name,
        kind=kind,
        columns=tuple(index.field_names),
        metric=None if metric is None else str(metric).lower(),
        partitions=partitions,
        code_bits=code_bits,
        positions=bool(details.get("with_position", False)),
        text_options=show_text_options(details) if kind == "INVERTED" else None,
        rows_indexed=index.num_rows_indexed,
        rows_unindexed=max(rows - index.num_rows_indexed, 0),
        size_bytes=index.total_size_bytes,
        built_at=max((one.created_at for one in index.segments if one.created_at is not None), default=None),
        segments=len(index.segments),
        uuid=uuid if metric is not None else None,
        calibration=parse_calibration(dataset.config(), uuid) if metric is not None else (),
    )


def _find_dimension(schema: pa.Schema, column: str) -> int | None:
    if column not in schema.names:
        return None
    type_ = schema.field(column).type
    if pa.types.is_list(type_):
        type_ = type_.value_type
    return type_.list_size if pa.types.is_fixed_size_list(type_) else None


def _read_details(kind: str, details: Mapping[str, Any], dimension: int | None) -> tuple[str | None, float | None]:
    compression = details.get("compression") or {}
    bits = compression.get("num_bits")
    if kind.endswith("PQ"):
        parts = compression.get("num_sub_vectors")
        code_bits = parts * bits / dimension if parts and bits and dimension else None
    elif kind.endswith(("RQ", "SQ")):
        code_bits = None if bits is None else float(bits)
    else:
        code_bits = 32.0
    return details.get("metric_type"), code_bits


def _read_statistics(dataset: lance.LanceDataset, name: str) -> dict[str, Any]:
    try:
        parts: list[dict[str, Any]] = dataset.stats.index_stats(name).get("indices") or [{}]
    except OSError as error:
        if "not found" not in str(error).lower():
            raise
        return {}  # its files are gone: who asks it is told so, and all else goes on
    return max(parts, key=lambda part: part.get("num_partitions") or 0)


def _read_built_bits(kind: str, sub_index: Mapping[str, Any], dimension: int | None) -> float | None:
    if kind.endswith("PQ"):
        parts, bits = sub_index.get("num_sub_vectors"), sub_index.get("nbits")
        return parts * bits / dimension if parts and bits and dimension else None
    if kind.endswith(("RQ", "SQ")):
        return float(sub_index.get("num_bits") or 8)
    return 32.0
