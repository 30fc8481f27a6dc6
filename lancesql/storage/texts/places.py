"""Where in a text its words stand: Lance says what becomes of them, and in which order, but not where they were."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile
from typing import Any, TypeVar

import lance

from .tokens import UNTOUCHED, Tokenizer

__all__ = ["MOST_WORDS", "CutText", "WordFinder", "find_end", "open_finder"]

V = TypeVar("V")

MOST_WORDS = 1 << 18
"""So many different words are remembered."""
_BLANK = re.compile(r"\S+")


@dataclass(frozen=True)
class CutText:
    """A text cut into words.

    Attributes:
        words: The words as they are written, those that the index leaves out among them.
        places: The number of each among the words, as a phrase counts.
    """

    text: str
    words: Sequence[str]
    places: Sequence[int]
    overlapping: bool = False

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Where each word begins and ends in the text."""
        return list(self._locate())

    def list_pieces(self, most: int) -> list[tuple[int, int]]:
        """The pieces, up to so many letters into the text, that it may be cut between: words, or what blanks part."""
        if "spans" in self.__dict__ and self.words and not self.overlapping:
            return self.spans
        if self.overlapping or not self.words:
            pieces: Iterator[tuple[int, int]] = (one.span() for one in _BLANK.finditer(self.text))
        else:
            pieces = self._locate()
        return list(takewhile(lambda one: one[0] <= most, pieces))

    def _locate(self) -> Iterator[tuple[int, int]]:
        start = end = -1
        for word in self.words:
            if self.overlapping and start >= 0 and len(word) > end - start and self.text.startswith(word, start):
                end = start + len(word)  # a longer piece from the same letter on
            else:
                start = self.text.index(word, start + 1 if self.overlapping else max(end, 0))
                end = start + len(word)
            yield start, end


class WordFinder(Tokenizer):
    """A tokenizer that remembers what becomes of each word, and says where in a text it stands.

    Example:
        >>> finder = WordFinder()
        >>> (text,) = finder.cut(["The cats ran"])
        >>> text.words, text.spans, finder.keep(text.words)
        (['The', 'cats', 'ran'], [(0, 3), (4, 8), (9, 12)], [None, 'cat', 'ran'])
    """

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self._kept: dict[str, str | None] = {}
        self._plain: dict[str, str] = {}

    def cut(self, texts: Sequence[str]) -> list[CutText]:
        """The words of each text."""
        if self.separable:
            cut = ((text, *self.split(text)) for text in texts)
            return [CutText(text, words, places or range(len(words))) for text, words, places in cut]
        return [self._cut_tokens(text) for text in texts]

    def _cut_tokens(self, text: str) -> CutText:
        """What is kept of a text that is not cut into words first: pieces of some letters, or the whole."""
        raw = [token.text for token in lance.tokenize(text, **{**self.options, **UNTOUCHED})]
        kept = lance.tokenize(text, **self.options)
        if len(raw) != len(kept):
            return CutText(text, (), ())
        for word, token in zip(raw, kept, strict=True):
            self._kept[word] = token.text
        return CutText(text, raw, [token.position for token in kept], overlapping=self.base == "ngram")

    def _fold_each(self, words: Sequence[str]) -> list[str]:
        return [self.fold_whole(word) for word in words]

    def keep(self, words: Sequence[str]) -> list[str | None]:
        """What the index keeps of each word."""
        held = self._kept = _learn(self._kept, words, super().keep)
        return [held[word] for word in words]

    def fold(self, words: Sequence[str]) -> list[str]:
        """Each word in the letters the index knows, endings and all."""
        held = self._plain = _learn(self._plain, words, super().fold if self.separable else self._fold_each)
        return [held[word] for word in words]


def _learn(held: dict[str, V], words: Sequence[str], ask: Callable[[list[str]], Sequence[V]]) -> dict[str, V]:
    """What is remembered, and what was not: all of it in a new place when there is no room left in the old one."""
    unknown = sorted({*words} - held.keys())
    if not unknown:
        return held
    if len(held) + len(unknown) > MOST_WORDS:
        return dict(zip(listed := sorted({*words}), ask(listed), strict=True))
    held.update(zip(unknown, ask(unknown), strict=True))
    return held


@lru_cache(maxsize=32)
def _open_finder(options: tuple[tuple[str, Any], ...]) -> WordFinder:
    return WordFinder(dict(options))


def open_finder(options: Mapping[str, Any]) -> WordFinder:
    """The finder of an index with these options, which remembers the words it has seen."""
    hashable = tuple(
        sorted((key, tuple(value) if isinstance(value, list) else value) for key, value in options.items())
    )
    return _open_finder(hashable)


def find_end(text: str, end: int) -> int:
    """The end of the character that a place stands in: marks and joiners belong to what they follow."""
    while 0 < end < len(text) and _continues(text, end):
        end += 1
    return end


def _continues(text: str, at: int) -> bool:
    char = text[at]
    if char.isascii():
        return char == "\n" and text[at - 1] == "\r"
    if unicodedata.category(char) in ("Mn", "Mc", "Me") or char == "\u200d" or text[at - 1] == "\u200d":
        return True
    return 0x1F3FB <= ord(char) <= 0x1F3FF or (_is_flag(char) and _is_flag(text[at - 1]) and _is_second_flag(text, at))


def _is_flag(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def _is_second_flag(text: str, at: int) -> bool:
    start = at
    while start and _is_flag(text[start - 1]):
        start -= 1
    return (at - start) % 2 == 1
