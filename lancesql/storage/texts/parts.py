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


def holds_part(texts: Any, part: Part, tokenizer: Tokenizer) -> Numbers:
    """Which of the texts, or lists of texts, hold the part."""
    texts = _join_lists(texts)
    same: Any = pc.match_substring(texts, part.text)
    found: Numbers = pc.fill_null(same, False).to_numpy(zero_copy_only=False).copy()
    if not _has_one_form(part):
        left = np.flatnonzero(~found)
        found[left] = _look(texts.take(left).to_pylist(), part, tokenizer)
    return found


def _has_one_form(part: Part) -> bool:
    """Whether an index makes its letters of no others: they have no capitals, and accents are folded to ASCII alone."""
    return part.plain == part.text and all(
        letter.isalpha() and not letter.isascii() and letter.lower() == letter == letter.upper() for letter in part.text
    )


def _look(texts: Sequence[str | None], part: Part, tokenizer: Tokenizer) -> Numbers:
    found = (part.plain in tokenizer.fold_letters(text or "") for text in texts)
    return np.fromiter(found, np.bool_, len(texts))


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
    lengths: list[Numbers] = [np.empty(0, np.int64)]
    counts: list[list[Numbers]] = [[np.empty(0, np.int64)] for _ in parts]
    for batch in batches:
        rows.append(batch.column(ids).to_numpy().astype(np.uint64))
        texts = _join_lists(batch.column(parts[0].column))
        lengths.append(_to_numbers(pc.utf8_length(texts)))
        for part, counted in zip(parts, counts, strict=True):
            if _has_one_form(part):
                counted.append(_to_numbers(pc.count_substring(texts, part.text)))
            else:
                folded = (tokenizer.fold_letters(text or "") for text in texts.to_pylist())
                counted.append(np.fromiter((text.count(part.plain) for text in folded), np.int64, len(texts)))
    row_ids, long = np.concatenate(rows), np.concatenate(lengths)
    statistics = Statistics(int(np.count_nonzero(long)), int(long.sum()))
    found = []
    for counted in counts:
        times = np.concatenate(counted)
        held = np.flatnonzero(times)
        found.append(Matches.sort(row_ids[held], statistics.weigh(len(held), times[held], long[held])))
    return found


def _join_lists(texts: Any) -> Any:
    """Lists of texts as Lance joins them; texts as they are."""
    if pa.types.is_dictionary(texts.type):
        return texts.cast(texts.type.value_type)
    if not pa.types.is_nested(texts.type):
        return texts
    joined = (None if text is None else " ".join(filter(None, text)) for text in texts.to_pylist())
    return pa.array(list(joined), pa.string())


def _to_numbers(values: Any) -> Numbers:
    return np.asarray(pc.fill_null(values, 0).to_numpy(zero_copy_only=False), np.int64)
