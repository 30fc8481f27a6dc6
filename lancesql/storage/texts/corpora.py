"""The texts of a column cut into words, kept as long as there is room: a version of a table never changes."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence

import lance

from lancesql.plan.sources import ROW_ID
from lancesql.storage.scan import open_scan, wrap_lance_error

from .blocks import Block, build_blocks
from .tokens import Tokenizer

__all__ = ["has_corpus", "open_corpus"]

_ROOM = 256 * 1024 * 1024
"""The bytes kept at most, of all columns together."""

_Key = tuple[int, str, str]
_LOCK = threading.Lock()
_KEPT: OrderedDict[_Key, tuple[weakref.ref[lance.LanceDataset], Sequence[Block], int]] = OrderedDict()


def open_corpus(dataset: lance.LanceDataset, column: str, tokenizer: Tokenizer) -> Iterator[Block]:
    """Every text of a column, cut into words: what is kept of it, else read as a stream, and kept if there is room."""
    kept = _find(dataset, column, tokenizer)
    if kept is not None:
        yield from kept
        return
    blocks: list[Block] | None = []
    size = 0
    batches = open_scan(dataset, [column, ROW_ID], widen=False)
    try:
        for block in build_blocks(batches, column, ROW_ID, tokenizer):
            size += block.size
            if blocks is not None:
                blocks.append(block)
            if size > _ROOM:
                blocks = None
            yield block
    except BaseException as error:
        raise wrap_lance_error(error, f"reading the texts of {column}") from None
    if blocks is not None:
        _keep(dataset, column, tokenizer, blocks, size)


def has_corpus(dataset: lance.LanceDataset, column: str, tokenizer: Tokenizer) -> bool:
    """Whether the texts of a column are at hand."""
    return _find(dataset, column, tokenizer) is not None


def _find(dataset: lance.LanceDataset, column: str, tokenizer: Tokenizer) -> Sequence[Block] | None:
    key = (id(dataset), column, tokenizer.key)
    with _LOCK:
        found = _KEPT.get(key)
        if found is None or found[0]() is not dataset:
            return None
        _KEPT.move_to_end(key)
        return found[1]


def _keep(dataset: lance.LanceDataset, column: str, tokenizer: Tokenizer, blocks: Sequence[Block], size: int) -> None:
    with _LOCK:
        for key in [key for key, (handle, _, _) in _KEPT.items() if handle() is None]:
            del _KEPT[key]
        _KEPT[id(dataset), column, tokenizer.key] = (weakref.ref(dataset), blocks, size)
        while sum(size for _, _, size in _KEPT.values()) > _ROOM:
            _KEPT.popitem(last=False)
