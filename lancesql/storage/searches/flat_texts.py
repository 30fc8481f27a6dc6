"""Text search without an index: every row is tokenised as an index would, and scored by BM25.

Lance's own search of a column without an index compares words as they are written, capitals and endings too.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import lance
import numpy as np
import pyarrow as pa

from lancesql.errors import UnsupportedError
from lancesql.plan.sources import ROW_ID, SCORE
from lancesql.plan.text import AllOf, AnyOf, Excluding, Phrase, TextQuery, Words
from lancesql.storage.scan import list_row_ids, open_scan, read_row_ids, take_rows

__all__ = ["Tokenizer", "search_flat"]

_K1, _B = 1.2, 0.75

_OPTIONS = (
    "base_tokenizer", "language", "max_token_length", "lower_case", "stem", "remove_stop_words", "custom_stop_words",
    "ascii_folding", "min_ngram_length", "max_ngram_length", "prefix_only",
)  # fmt: skip


class Tokenizer:
    """Cuts a text into the words an index with these options keeps."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = {key: options[key] for key in _OPTIONS if options.get(key) is not None}

    def read(self, text: str) -> list[tuple[str, int]]:
        """The words and their positions."""
        return [(token.text, token.position) for token in lance.tokenize(text, **self._options)]


@dataclass
class _Corpus:
    """What BM25 asks of one column: how many texts, how long, how many with each word of the query."""

    texts: int = 0
    words: int = 0
    holders: Counter[str] = field(default_factory=Counter)

    def weigh(self, word: str, count: int, length: int) -> float:
        """The BM25 weight of a word that stands `count` times in a text of `length` words (Robertson et al., 1994)."""
        rarity = math.log(1 + (self.texts - self.holders[word] + 0.5) / (self.holders[word] + 0.5))
        average = self.words / max(self.texts, 1)
        return rarity * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * length / average))


@dataclass(frozen=True)
class _Text:
    """One text: the places of the query's words in it, and its length."""

    places: Mapping[str, Sequence[int]]
    length: int


def search_flat(
    dataset: lance.LanceDataset,
    columns: Sequence[str],
    *,
    tokenizers: Mapping[str, Tokenizer],
    query: TextQuery,
    limit: int | None,
    filter: str | None = None,
    row_ids: bytes | None = None,
) -> pa.Table:
    """The matching rows, best first, ties by `_rowid`; reads every text of the columns.

    Args:
        dataset: The table at its version.
        columns: The columns to read; `_score` and `_rowid` may be among them.
        tokenizers: The columns searched, each with its tokenizer.
        query: The query, read.
        limit: At most so many rows; None for every match.
        filter: Lance filter text, applied before the ranking.
        row_ids: Serialised row ids outside which nothing is searched.
    """
    allowed = None
    if filter is not None or row_ids is not None:
        allowed = set(list_row_ids(read_row_ids(dataset, filter, row_ids)))
    corpora = {column: _Corpus() for column in tokenizers}
    rows = _read_rows(dataset, tokenizers, query, corpora)
    scores = {
        row_id: score
        for row_id, texts in rows.items()
        if (allowed is None or row_id in allowed) and (score := _score(query, texts, corpora, tokenizers)) is not None
    }
    ids = np.array(list(scores), np.uint64)
    values = np.array(list(scores.values()), np.float32)
    order = np.lexsort((ids, -values))[:limit]
    own = [name for name in columns if name != SCORE]
    table = take_rows(dataset, ids[order].tolist(), own or [ROW_ID])
    return table.append_column(SCORE, pa.array(values[order], pa.float32())).select(list(columns))


def _read_rows(
    dataset: lance.LanceDataset,
    tokenizers: Mapping[str, Tokenizer],
    query: TextQuery,
    corpora: Mapping[str, _Corpus],
) -> dict[int, dict[str, _Text]]:
    """The texts that hold a word of the query; counts all of them for BM25 on the way."""
    wanted = {column: {word for word, _ in _read_leaves(query, tokenizer)} for column, tokenizer in tokenizers.items()}
    rows: dict[int, dict[str, _Text]] = {}
    for batch in open_scan(dataset, [*tokenizers, ROW_ID], widen=False):
        ids = batch.column(ROW_ID).to_numpy()
        for column, tokenizer in tokenizers.items():
            corpus = corpora[column]
            for row_id, text in zip(ids, batch.column(column).to_pylist(), strict=True):
                if text is None:
                    continue
                places: dict[str, list[int]] = {}
                words = tokenizer.read(text)
                for word, place in words:
                    if word in wanted[column]:
                        places.setdefault(word, []).append(place)
                corpus.texts += 1
                corpus.words += len(words)
                corpus.holders.update(places.keys())
                if places:
                    rows.setdefault(int(row_id), {})[column] = _Text(places, len(words))
    return rows


def _read_leaves(query: TextQuery, tokenizer: Tokenizer) -> list[tuple[str, int]]:
    match query:
        case Words(text, _, 0) | Phrase(text, 0):
            return tokenizer.read(text)
        case AllOf(items) | AnyOf(items):
            return [word for item in items for word in _read_leaves(item, tokenizer)]
        case Excluding(wanted, unwanted):
            return [word for item in (wanted, *unwanted) for word in _read_leaves(item, tokenizer)]
        case _:
            raise UnsupportedError(f"a text query of this kind is not answered yet: {type(query).__name__}")


def _score(
    query: TextQuery,
    texts: Mapping[str, _Text],
    corpora: Mapping[str, _Corpus],
    tokenizers: Mapping[str, Tokenizer],
) -> float | None:
    """The score of a row, or None when it does not match; words that are never kept (stop words) ask for nothing."""
    match query:
        case Words() | Phrase():
            found = [
                score
                for column, text in texts.items()
                if (score := _score_leaf(query, text, corpora[column], tokenizers[column])) is not None
            ]
            return sum(found) if found else None
        case AllOf(items) | AnyOf(items):
            asked = [item for item in items if any(_read_leaves(item, one) for one in tokenizers.values())]
            scores = [_score(item, texts, corpora, tokenizers) for item in asked]
            matching = [score for score in scores if score is not None]
            enough = len(asked) if isinstance(query, AllOf) else 1
            return sum(matching) if matching and len(matching) >= enough else None
        case Excluding(wanted, unwanted):
            if any(_score(item, texts, corpora, tokenizers) is not None for item in unwanted):
                return None
            return _score(wanted, texts, corpora, tokenizers)
        case _:
            raise UnsupportedError(f"a text query of this kind is not answered yet: {type(query).__name__}")


def _score_leaf(query: Words | Phrase, text: _Text, corpus: _Corpus, tokenizer: Tokenizer) -> float | None:
    words = tokenizer.read(query.text)
    if isinstance(query, Words):
        asked = dict.fromkeys(word for word, _ in words)
        present = [word for word in asked if word in text.places]
        if query.operator == "and" and len(present) < len(asked):
            return None
        return sum(corpus.weigh(word, len(text.places[word]), text.length) for word in present) if present else None
    if not words or any(word not in text.places for word, _ in words):
        return None
    first_word, first_place = words[0]
    count = sum(
        all(start + place - first_place in text.places[word] for word, place in words)
        for start in text.places[first_word]
    )
    return sum(corpus.weigh(word, count, text.length) for word, _ in words) if count else None
