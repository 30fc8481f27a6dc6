"""Words within a number of edits of another: a letter more, less, or another one (Levenshtein, 1966)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any

import numpy as np

__all__ = ["find_near"]


def find_near(words: Sequence[str], word: str, edits: int) -> list[int]:
    """The numbers of the words that at most so many edits make `word` of; all words of a length are compared at once.

    Example:
        >>> find_near(["fox", "fax", "ox", "foxes", "oxf"], "fox", 1)
        [0, 1, 2]
    """
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    near: list[int] = []
    for length in range(max(len(word) - edits, 0), len(word) + edits + 1):
        numbers: list[int] = np.flatnonzero(lengths == length).tolist()
        if numbers:
            close = _measure([words[number] for number in numbers], length, word) <= edits
            near += compress(numbers, close.tolist())
    return sorted(near)


def _measure(words: list[str], length: int, word: str) -> np.ndarray[Any, Any]:
    if not length:
        return np.full(len(words), len(word))
    letters = np.array(words, f"U{length}").view(np.uint32).reshape(len(words), length)
    above = np.broadcast_to(np.arange(length + 1), (len(words), length + 1)).astype(np.int16)
    for at, letter in enumerate(word, 1):
        row = np.empty_like(above)
        row[:, 0] = at
        changed = above[:, :-1] + (letters != ord(letter))
        for column in range(1, length + 1):
            row[:, column] = np.minimum(np.minimum(row[:, column - 1], above[:, column]) + 1, changed[:, column - 1])
        above = row
    return above[:, -1]
