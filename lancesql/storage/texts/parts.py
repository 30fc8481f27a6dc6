"""Parts of texts looked for letter by letter, as an index folds the letters, and scored by BM25."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .matches import Matches
from .scoring import Statistics
from .terms import Part
from .tokens import Tokenizer

__all__ = ["find_spans", "holds_part", "search_parts"]

Numbers = np.ndarray[Any, Any]


def holds_part(texts: pa.ChunkedArray[Any], part: Part, tokenizer: Tokenizer) -> Numbers:
    """Which of the texts, or lists of texts, hold the part."""
    if pa.types.is_nested(texts.type):
        return _look(texts.to_pylist(), part, tokenizer)
    same: Any = pc.match_substring(texts, part.text)
    found: Numbers = pc.fill_null(same, False).to_numpy().copy()
    left = np.flatnonzero(~found)
    found[left] = _look(texts.take(left).to_pylist(), part, tokenizer)
    return found


def _look(texts: Sequence[Any], part: Part, tokenizer: Tokenizer) -> Numbers:
    return np.fromiter((part.plain in _fold(text, tokenizer) for text in texts), np.bool_, len(texts))


def _fold(text: Any, tokenizer: Tokenizer) -> str:
    """A text in the letters of the index; the texts of a list are joined as Lance joins them."""
    if isinstance(text, list):
        text = " ".join(one for one in text if one is not None)
    return tokenizer.fold_letters(text or "")


def find_spans(text: str, part: Part, tokenizer: Tokenizer) -> Iterator[tuple[int, int]]:
    """Where the part stands in a text as it is written."""
    letters = [tokenizer.fold_letters(letter) for letter in text]
    folded = "".join(letters)
    ends = np.cumsum([len(letter) for letter in letters])
    at = folded.find(part.plain)
    while at >= 0:
        first = int(np.searchsorted(ends, at, side="right"))
        yield first, int(np.searchsorted(ends, at + len(part.plain))) + 1
        at = folded.find(part.plain, at + 1)


def search_parts(
    batches: Iterable[pa.RecordBatch], ids: str, parts: Sequence[Part], tokenizer: Tokenizer
) -> list[Matches]:
    """What matches each part, all of one column, by a look at every text. A letter counts as a word.

    Args:
        batches: What is read: the column and the row ids.
        ids: The column of row ids.
        parts: What is looked for.
        tokenizer: What folds letters.
    """
    rows: list[Numbers] = [np.empty(0, np.uint64)]
    lengths: list[int] = []
    counts: list[list[int]] = [[] for _ in parts]
    for batch in batches:
        rows.append(batch.column(ids).to_numpy().astype(np.uint64))
        for text in batch.column(parts[0].column).to_pylist():
            folded = _fold(text, tokenizer)
            lengths.append(len(folded))
            for part, counted in zip(parts, counts, strict=True):
                counted.append(folded.count(part.plain))
    row_ids, long = np.concatenate(rows), np.array(lengths, np.int64)
    statistics = Statistics(int(np.count_nonzero(long)), int(long.sum()))
    found = []
    for counted in counts:
        times = np.array(counted, np.int64)
        held = np.flatnonzero(times)
        found.append(Matches.sort(row_ids[held], statistics.weigh(len(held), times[held], long[held])))
    return found
