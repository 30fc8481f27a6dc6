"""Row ids in the form Lance takes as an allow-list, written from arrays: millions cost no Python number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["serialize_row_ids"]

_COOKIE = 12_346
"""What a roaring bitmap without runs begins with."""
_DENSE = 4_096
"""A block of 65,536 with more members than this is a bitmap, with fewer a list."""

Numbers = np.ndarray[Any, Any]


def serialize_row_ids(row_ids: pa.Array[Any] | pa.ChunkedArray[Any] | Numbers | list[int]) -> bytes:
    """The set of ids: fragment by fragment (the upper half of an id) a roaring bitmap of the lower halves.

    Example:
        >>> len(serialize_row_ids([1, 2, 3]))
        34
    """
    given = row_ids.to_numpy() if isinstance(row_ids, pa.Array | pa.ChunkedArray) else row_ids
    ids = np.asarray(given, np.uint64)
    if not np.all(ids[1:] > ids[:-1]):
        ids = np.sort(ids)
        ids = ids[_find_starts(ids)]
    fragments = (ids >> np.uint64(32)).astype(np.uint32)
    starts = np.flatnonzero(_find_starts(fragments))
    parts = [len(starts).to_bytes(4, "little")]
    for start, stop in zip(starts, np.append(starts, len(ids))[1:], strict=True):
        bitmap = _write_bitmap(ids[start:stop].astype(np.uint32))
        parts += [np.array([fragments[start], len(bitmap)], "<u4").tobytes(), bitmap]
    return b"".join(parts)


def _find_starts(values: Numbers) -> Numbers:
    """Whether a value of a sorted array differs from the one before it."""
    return np.concatenate(([True], values[1:] != values[:-1])) if len(values) else np.zeros(0, bool)


def _write_bitmap(values: Numbers) -> bytes:
    blocks, members = (values >> np.uint32(16)).astype("<u2"), values.astype("<u2")
    starts = np.flatnonzero(_find_starts(blocks))
    stops = np.append(starts[1:], len(values))
    sizes = stops - starts
    widths = np.where(sizes > _DENSE, 8_192, 2 * sizes)
    offsets = 8 + 8 * len(starts) + np.cumsum(widths) - widths
    heads = np.column_stack((blocks[starts], (sizes - 1).astype("<u2")))
    parts = [np.array([_COOKIE, len(starts)], "<u4").tobytes(), heads.tobytes(), offsets.astype("<u4").tobytes()]
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        block = members[start:stop]
        if stop - start > _DENSE:
            bits = np.zeros(65_536, bool)
            bits[block] = True
            parts.append(np.packbits(bits, bitorder="little").tobytes())
        else:
            parts.append(block.tobytes())
    return b"".join(parts)
