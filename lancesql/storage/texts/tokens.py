"""How a text index cuts a text into words, and what becomes of each word: asked of Lance, for many texts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["UNTOUCHED", "Tokenizer", "Written"]

Numbers = np.ndarray[Any, Any]

_OPTIONS = (
    "base_tokenizer", "language", "max_token_length", "lower_case", "stem", "remove_stop_words", "custom_stop_words",
    "ascii_folding", "min_ngram_length", "max_ngram_length", "prefix_only",
)  # fmt: skip
_CODE_OPTIONS = ("split_identifiers", "split_on_numerics", "preserve_original", "index_operators")
_UNSHORTENED: dict[str, Any] = {
    "stem": False,
    "remove_stop_words": False,
    "custom_stop_words": None,
    "max_token_length": None,
}
UNTOUCHED = {**_UNSHORTENED, "lower_case": False, "ascii_folding": False}
_MARKERS = ("q", "q9", "qzx")
"""Words put first in a text so that places are counted from its start; one of them is no stop word."""
_AT_ONCE = 4_000


@dataclass(frozen=True)
class Written:
    """A word of a text.

    Attributes:
        text: The word as it is written.
        plain: Its letters as the index folds them, before endings are cut off.
        token: What the index keeps of it; None for a word it does not keep (a stop word).
        place: Where it stands among the words of the text.
    """

    text: str
    plain: str
    token: str | None
    place: int


class _Separators(dict[int, int]):
    """Every letter as it is, anything else as a space: which is which is asked of the tokenizer once a character."""

    def __missing__(self, code: int) -> int:
        kept = code if lance.tokenize(chr(code), **{**UNTOUCHED, "base_tokenizer": "simple"}) else 32
        self[code] = kept
        return kept


_SEPARATORS = _Separators()


class _Letters(dict[int, str]):
    """What an index makes of each letter: asked of its tokenizer once a letter."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        kept = {name: options[name] for name in ("lower_case", "ascii_folding") if name in options}
        grams = {"base_tokenizer": "ngram", "min_ngram_length": 1, "max_ngram_length": 1}
        self.options = {**_UNSHORTENED, **kept, **grams}

    def __missing__(self, code: int) -> str:
        found = lance.tokenize(chr(code), **self.options)
        self[code] = letter = found[0].text if found else chr(code)
        return letter


class Tokenizer:
    """Cuts a text into the words an index with these options keeps."""

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        given = dict(options or {})
        self.options = {key: given[key] for key in (*_OPTIONS, *_CODE_OPTIONS) if given.get(key) is not None}
        if "max_token_length" in given:
            self.options["max_token_length"] = given["max_token_length"]
        if "code" in (given.get("lance_tokenizer"), given.get("base_tokenizer")):
            self.options["analyzer"] = "code"
        else:
            self.options = {key: value for key, value in self.options.items() if key not in _CODE_OPTIONS}
        self.base = str(self.options.get("base_tokenizer", "simple"))
        self.separable = "analyzer" not in self.options and self.base in ("simple", "whitespace", "icu", "icu/split")
        """Whether a text is cut into words first, whatever becomes of each word then."""
        self.grams = int(self.options.get("min_ngram_length", 3)) if self.base == "ngram" else None
        """How long the least parts of a text are that the index knows; None when it knows words."""
        self._letters = _Letters(self.options)
        self._cut = {**self.options, **UNTOUCHED} if self.separable else self.options
        self.key = repr(sorted(self.options.items()))

    def read(self, text: str) -> list[tuple[str, int]]:
        """The tokens and their places."""
        return [(token.text, token.position) for token in lance.tokenize(text, **self.options)]

    def read_words(self, text: str) -> list[Written]:
        """The words of a text, each with what is kept of it."""
        if not self.separable:
            return [Written(token, token, token, place) for token, place in self.read(text)]
        words, places = self.split(text)
        kept = zip(words, self.fold(words), self.keep(words), places or range(len(words)), strict=True)
        return [Written(*word) for word in kept]

    def split(self, text: str) -> tuple[list[str], list[int] | None]:
        """The words of a text as they are written, and their places unless those count from 0 without a gap."""
        if self.separable and self.base == "simple":
            return text.translate(_SEPARATORS).split(), None
        tokens = lance.tokenize(text, **self._cut)
        return [token.text for token in tokens], [token.position for token in tokens]

    def split_all(self, texts: Sequence[str]) -> tuple[pa.Array[Any], Numbers, Numbers]:
        """The words of many texts as they are written, how many places each text has, and the place of each word.

        Places are counted through all the texts.
        """
        if self.separable and self.base == "simple":
            spaced = pa.array([text.translate(_SEPARATORS).strip(" ") or None for text in texts], pa.string())
            words = pc.ascii_split_whitespace(spaced)
            counts: Any = pc.list_value_length(words)
            spans = counts.fill_null(0).to_numpy().astype(np.int64)
            return words.flatten(), spans, np.arange(spans.sum())
        listed: list[str] = []
        places: list[int] = []
        ends = [0]
        for text in texts:
            some, stand = self.split(text)
            listed += some
            places += [ends[-1] + place for place in stand or range(len(some))]
            ends.append(max(places[len(places) - len(some) :], default=ends[-1] - 1) + 1)
        return pa.array(listed, pa.string()), np.diff(ends), np.array(places, np.int64)

    def fold(self, words: Sequence[str]) -> list[str]:
        """The words in the letters the index knows, endings and all."""
        if not self.separable:
            return list(words)
        letters = {**self.options, **_UNSHORTENED}
        return [word if token is None else token for word, token in zip(words, self._pass(words, letters), strict=True)]

    def fold_letters(self, text: str) -> str:
        """A text in the letters an index of its parts knows."""
        return text.translate(self._letters)

    def fold_whole(self, text: str) -> str:
        """A text in the letters the index knows, as one word."""
        folding = ("lower_case", "ascii_folding")
        letters: dict[str, Any] = {key: self.options[key] for key in folding if key in self.options}
        tokens = lance.tokenize(text, **{**_UNSHORTENED, **letters, "base_tokenizer": "raw"})
        return tokens[0].text if tokens else ""

    def keep(self, words: Sequence[str]) -> list[str | None]:
        """What the index keeps of each word."""
        return self._pass(words, self.options) if self.separable else list(words)

    def _pass(self, words: Sequence[str], options: Mapping[str, Any]) -> list[str | None]:
        """Each word through the filters of the index, thousands in one call."""
        if self.base == "simple":
            options = {**options, "base_tokenizer": "whitespace"}
        marker = next((word for word in _MARKERS if len(lance.tokenize(word, **options)) == 1), None)
        passed: list[str | None] = []
        for start in range(0, len(words), _AT_ONCE):
            some = [marker or "", *words[start : start + _AT_ONCE]]
            joined = " ".join(some)
            if marker is None or [one.text for one in lance.tokenize(joined, **{**options, **UNTOUCHED})] != some:
                passed += [self._pass_one(word, options) for word in some[1:]]
                continue
            found = {token.position: token.text for token in lance.tokenize(joined, **options)}
            passed += [found.get(at) for at in range(1, len(some))]
        return passed

    @staticmethod
    def _pass_one(word: str, options: Mapping[str, Any]) -> str | None:
        if [one.text for one in lance.tokenize(word, **{**options, **UNTOUCHED})] != [word]:
            options = {**options, "base_tokenizer": "raw"}
        return next((token.text for token in lance.tokenize(word, **options)), None)
