"""Words like another in a large table: Lance finds the texts with such letters, which then are cut into words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import lance
import numpy as np
from lance.file import LanceFileReader

from .corpora import open_corpus
from .indexes import TextIndex
from .scoring import Statistics
from .terms import Similar
from .tokens import Tokenizer

__all__ = ["read_statistics", "write_pattern"]

_FOREIGN = r"[\p{Alphabetic}\p{N}&&[^\x00-\x7F]]"
"""A letter that may be folded to others, whichever those are."""
_LETTER = "[a-z0-9]"
_MOST_LETTERS = 24


def write_pattern(term: Similar, index: TextIndex) -> str | None:
    """A regular expression that every text with such a word matches, and few others; None when there is none to write.

    A word with a letter beyond ASCII is taken for one that may match, from that letter on.

    Example:
        >>> words = TextIndex("i", "t", {}, frozenset())
        >>> write_pattern(Similar("t", "ab", None), words).replace(_FOREIGN, "ß")
        '(?i)(?:^|[^a-z0-9])(?:ß|a(?:ß|b))'
    """
    plain = term.plain
    if not (plain.isascii() and plain.isalnum() and 2 <= len(plain) <= _MOST_LETTERS):
        return None
    if index.options.get("base_tokenizer", "simple") != "simple" or index.options.get("lower_case") is False:
        return None
    if term.edits is None:
        begun = ""
        for letter in reversed(plain):
            begun = letter + (f"(?:{_FOREIGN}|{begun})" if begun else "")
        return f"(?i)(?:^|[^a-z0-9])(?:{_FOREIGN}|{begun})"
    near = "|".join(sorted(set(_vary(tuple(plain), 0, term.edits))))
    return f"(?i){_FOREIGN}|(?:^|[^a-z0-9])(?:{near})(?:$|[^a-z0-9])"


def _vary(letters: tuple[str, ...], start: int, edits: int) -> Iterator[str]:
    yield "".join(letters)
    for at in range(start, len(letters) + 1) if edits else ():
        if at < len(letters):
            yield from _vary((*letters[:at], f"{_LETTER}?", *letters[at + 1 :]), at + 1, edits - 1)
        yield from _vary((*letters[:at], _LETTER, *letters[at:]), at + 1, edits - 1)


def read_statistics(dataset: lance.LanceDataset, index: TextIndex, tokenizer: Tokenizer) -> Statistics | None:
    """How many texts and words an index and the rows behind it hold; None where that is not to be had.

    The files of an index are not part of Lance's interface, and only looked for on this machine.
    """
    counted = _read_index_lengths(dataset.uri, index.segments)
    if counted is None:
        return None
    texts, words = counted
    behind = [one for one in dataset.get_fragments() if one.fragment_id not in index.fragments]
    for block in open_corpus(dataset, index.column, tokenizer, behind) if behind else ():
        texts += int(np.count_nonzero(block.lengths))
        words += int(block.lengths.sum())
    return Statistics(texts, words)


@lru_cache(maxsize=64)
def _read_index_lengths(uri: str, segments: tuple[str, ...]) -> tuple[int, int] | None:
    texts = words = 0
    try:
        for segment in segments:
            paths = list((Path(uri) / "_indices" / segment).glob("*_docs.lance"))
            if not paths:
                return None
            for path in paths:
                table = LanceFileReader(str(path), columns=["_num_tokens"]).read_all().to_table()
                lengths = table.column("_num_tokens").to_numpy()
                texts += int(np.count_nonzero(lengths))
                words += int(lengths.sum())
    except (OSError, ValueError, RuntimeError, KeyError):
        return None
    return texts, words
