"""Scalar indexes that answer wrongly, and how a scan goes around them.

Lance's ZONEMAP on a struct takes what is asked of a field for what is asked of the struct, and on a dictionary it finds
no text by a pattern. A scan whose filter names such a column does without scalar indexes.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import lance
import pyarrow as pa

__all__ = ["avoid_flawed_index", "find_flawed"]

_FLAWED: WeakKeyDictionary[lance.LanceDataset, tuple[str, ...]] = WeakKeyDictionary()
"""Columns with such an index, in backticks; a handle never changes its version."""


def avoid_flawed_index(dataset: lance.LanceDataset, filter: str | None) -> dict[str, Any]:
    """The scanner's options for a filter: none, or not to use scalar indexes."""
    if filter is None:
        return {}
    flawed = _FLAWED.get(dataset)
    if flawed is None:
        flawed = _FLAWED[dataset] = find_flawed(dataset)
    return {"use_scalar_index": False} if any(name in filter for name in flawed) else {}


def find_flawed(dataset: lance.LanceDataset) -> tuple[str, ...]:
    """The columns with an index that answers wrongly, in backticks."""
    mapped = {
        name.partition(".")[0]
        for index in dataset.describe_indices()
        if "ZoneMap" in index.type_url
        for name in index.field_names
    }
    if not mapped:
        return ()
    schema = dataset.schema
    kinds = (pa.types.is_struct, pa.types.is_dictionary)
    return tuple(f"`{name}`" for name in mapped if any(is_kind(schema.field(name).type) for is_kind in kinds))
