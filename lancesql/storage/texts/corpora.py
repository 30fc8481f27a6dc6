"""The texts of a column cut into words, kept as long as there is room: files of a table never change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import lance

from lancesql.plan.sources import ROW_ID
from lancesql.storage.scan import open_scan, wrap_lance_error

from .blocks import Block, build_blocks
from .tokens import Tokenizer

__all__ = ["has_corpus", "open_corpus"]

_ROOM = 256 * 1024 * 1024
"""The bytes kept at most, of all columns together."""
_ROWS_AT_ONCE = 16_384
"""Small fragments are read together until they have so many rows."""

_Key = tuple[object, ...]


def has_corpus(dataset: lance.LanceDataset, column: str, tokenizer: Tokenizer) -> bool:
    """Whether every text of a column is kept."""
    groups = _group_fragments(dataset.get_fragments())
    return all(_KEPT.find(_make_key(dataset, column, tokenizer, group)) is not None for group in groups)


def open_corpus(
    dataset: lance.LanceDataset,
    column: str,
    tokenizer: Tokenizer,
    fragments: Sequence[lance.LanceFragment] | None = None,
) -> Iterator[Block]:
    """Every text of a column, cut into words: what is kept of it, the rest read as a stream and kept if there is room.

    What was cut once serves every later version of the table that has the same files.

    Args:
        dataset: The table at its version.
        column: The column.
        tokenizer: What cuts its texts.
        fragments: These fragments only.
    """
    used: set[_Key] = set()
    for group in _group_fragments(dataset.get_fragments() if fragments is None else fragments):
        key = _make_key(dataset, column, tokenizer, group)
        used.add(key)
        kept = _KEPT.find(key)
        if kept is not None:
            yield from kept
            continue
        batches = open_scan(dataset, [column, ROW_ID], fragments=group, widen=False)
        blocks: list[Block] = []
        size = 0
        try:
            for block in build_blocks(batches, column, ROW_ID, tokenizer):
                size += block.size
                blocks = [*blocks, block] if size <= _ROOM else []
                yield block
        except BaseException as error:
            raise wrap_lance_error(error, f"reading the texts of {column}") from None
        _KEPT.keep(key, blocks, size, used)


def _make_key(
    dataset: lance.LanceDataset, column: str, tokenizer: Tokenizer, group: Sequence[lance.LanceFragment]
) -> _Key:
    return (dataset.uri, column, tokenizer.key, *map(_identify, group))


def _group_fragments(fragments: Sequence[lance.LanceFragment]) -> Iterator[list[lance.LanceFragment]]:
    group: list[lance.LanceFragment] = []
    rows = 0
    for fragment in fragments:
        group.append(fragment)
        rows += fragment.metadata.physical_rows
        if rows >= _ROWS_AT_ONCE:
            yield group
            group, rows = [], 0
    if group:
        yield group


def _identify(fragment: lance.LanceFragment) -> _Key:
    """The files a fragment is read from; each has a name of its own."""
    metadata: Any = fragment.metadata
    paths = tuple(file.path for file in metadata.files)
    return (fragment.fragment_id, paths, str(metadata.deletion_file), str(metadata.row_id_meta))


class _Kept:
    """Blocks by what they were read from; those used last stay longest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[_Key, tuple[Sequence[Block], int]] = OrderedDict()
        self._size = 0

    def find(self, key: _Key) -> Sequence[Block] | None:
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def keep(self, key: _Key, blocks: Sequence[Block], size: int, used: set[_Key]) -> None:
        """Keeps blocks in the place of older ones, but not of those that the same search has `used`."""
        with self._lock:
            while self._entries and self._size + size > _ROOM and next(iter(self._entries)) not in used:
                self._size -= self._entries.popitem(last=False)[1][1]
            if key not in self._entries and self._size + size <= _ROOM:
                self._entries[key] = (blocks, size)
                self._size += size

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._size = 0


_KEPT = _Kept()
