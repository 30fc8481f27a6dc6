"""Texts cut into words, some thousands at a time: where each word stands, and how long each text is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .edits import find_near
from .terms import Chain, Term
from .tokens import Tokenizer

__all__ = ["Block", "build_blocks"]

Numbers = np.ndarray[Any, Any]
_WORDS_OF_BLOCK = 4_000_000
_TEXTS_AT_ONCE = 8_192


@dataclass(frozen=True)
class Block:
    """Some texts of a column, inverted: places of all texts are numbered through.

    Attributes:
        ids: The row of each text.
        starts: The number of each text's first place, and of the place behind the last.
        lengths: How many words the index keeps of each text.
        plain: The words that are kept, as `Similar` compares them.
        tokens: What is kept of each.
        places: Where the words stand, word by word.
        bounds: Where each word's places begin in `places`, and where the last end.
    """

    ids: Numbers
    starts: Numbers
    lengths: Numbers
    plain: tuple[str, ...]
    tokens: tuple[str, ...]
    places: Numbers
    bounds: Numbers

    @property
    def size(self) -> int:
        """Its bytes, about."""
        arrays = (self.ids, self.starts, self.lengths, self.places, self.bounds)
        return sum(array.nbytes for array in arrays) + 200 * len(self.plain)

    @cached_property
    def _holders(self) -> dict[str, list[int]]:
        holders: dict[str, list[int]] = {}
        for code, token in enumerate(self.tokens):
            holders.setdefault(token, []).append(code)
        return holders

    @cached_property
    def _letters(self) -> pa.Array[Any]:
        return pa.array(self.plain, pa.string())

    def find_places(self, term: Term) -> Numbers:
        """Where the term stands, in order."""
        if isinstance(term, str):
            codes = self._holders.get(term, [])
        elif term.edits is None:
            codes = np.flatnonzero(pc.starts_with(self._letters, term.plain).to_numpy(False)).tolist()
        else:
            same = self._holders.get(term.token, []) if term.token is not None else []
            codes = sorted({*find_near(self.plain, term.plain, term.edits), *same})
        found = [self.places[self.bounds[code] : self.bounds[code + 1]] for code in codes]
        return found[0] if len(found) == 1 else np.sort(np.concatenate(found)) if found else self.places[:0]

    def count(self, term: Term) -> tuple[Numbers, Numbers]:
        """The texts that hold the term, by their number in the block, and how often each does."""
        texts: tuple[Numbers, Numbers] = np.unique(self._find_texts(self.find_places(term)), return_counts=True)
        return texts

    def find_chain(self, chain: Chain) -> Numbers:
        """The texts that hold the words of the chain in their order.

        From each place of the first word the nearest place behind it is taken for the second, and so on: any chain from
        that place is at least as long.
        """
        (first, origin), *rest = chain.parts
        begins = ends = self.find_places(first)
        for term, place in rest:
            gap, places = place - origin, self.find_places(term)
            origin = place
            at = np.searchsorted(places, ends + gap)
            reached = at < len(places)
            begins, ends = begins[reached], places[at[reached]]
        length = chain.parts[-1][1] - chain.parts[0][1]
        near = ends - begins <= length + chain.slop
        texts = self._find_texts(begins[near])
        inside: Numbers = np.unique(texts[ends[near] < self.starts[texts + 1]])
        return inside

    def _find_texts(self, places: Numbers) -> Numbers:
        found: Numbers = np.searchsorted(self.starts, places, side="right") - 1
        return found


def build_blocks(batches: Iterable[pa.RecordBatch], column: str, ids: str, tokenizer: Tokenizer) -> Iterator[Block]:
    """The texts of a stream of batches, cut into words; a row whose text is NULL has none.

    Args:
        batches: What is read.
        column: The column of texts: strings, or lists of strings, whose words follow each other.
        ids: The column of row ids.
        tokenizer: What cuts a text.
    """
    builder = _Builder(tokenizer)
    for batch in batches:
        texts = _read_texts(batch.column(column))
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            builder.add(batch.column(ids).to_numpy()[start:][:_TEXTS_AT_ONCE], texts[start:][:_TEXTS_AT_ONCE])
            if builder.words >= _WORDS_OF_BLOCK:
                yield builder.finish()
                builder = _Builder(tokenizer)
    if builder.ids:
        yield builder.finish()


def _read_texts(array: pa.Array[Any]) -> list[str | None]:
    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    texts = array.to_pylist()
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):  # joined as Lance joins them
        return [None if parts is None else " ".join(one for one in parts if one is not None) for parts in texts]
    return texts


class _Builder:
    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.ids: list[Numbers] = []
        self.chunks: list[pa.Array[Any]] = []
        self.places: list[Numbers] = []
        self.spans: list[Numbers] = []
        self.end = self.words = 0

    def add(self, ids: Numbers, texts: Sequence[str | None]) -> None:
        """Takes texts in; None is left out."""
        there = [(at, text) for at, text in enumerate(texts) if text is not None]
        self.ids.append(ids[[at for at, _ in there]])
        words, spans, places = self.tokenizer.split_all([text for _, text in there])
        self.chunks.append(words)
        self.spans.append(spans)
        self.places.append(places + self.end)
        self.end += int(spans.sum())
        self.words += len(words)

    def finish(self) -> Block:
        """Everything taken in, inverted."""
        encoded: Any = pa.concat_arrays(self.chunks).dictionary_encode()
        written: list[str] = encoded.dictionary.to_pylist()
        kept, plain = self.tokenizer.keep(written), self.tokenizer.fold(written)
        numbers = np.full(len(written), -1, np.int64)
        codes_kept = [code for code, token in enumerate(kept) if token is not None]
        numbers[codes_kept] = np.arange(len(codes_kept))
        codes = numbers[encoded.indices.to_numpy()]
        places = np.concatenate(self.places)[codes >= 0]
        codes = codes[codes >= 0]
        spans = np.concatenate(self.spans)
        starts = np.concatenate(([0], np.cumsum(spans)))
        lengths = np.bincount(np.searchsorted(starts, places, side="right") - 1, minlength=len(spans))
        if self.end < 1 << 32:  # a word and its place in one number are sorted several times as fast
            places = (np.sort((codes << 32) | places) & 0xFFFFFFFF).astype(np.uint32)
        else:
            places = places[np.argsort(codes, kind="stable")]
        return Block(
            ids=np.concatenate(self.ids).astype(np.uint64),
            starts=starts,
            lengths=lengths,
            plain=tuple(plain[code] for code in codes_kept),
            tokens=tuple(token for token in kept if token is not None),
            places=places,
            bounds=np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=len(codes_kept))))),
        )
