"""What a text query means, word by word over one row at a time: only `lance.tokenize` is shared with the program."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import lance

from lancesql.plan.text import (
    AllOf,
    AnyOf,
    Boosted,
    Demoting,
    Excluding,
    InColumn,
    Phrase,
    Preferring,
    Prefix,
    TextQuery,
    Words,
)

Options = tuple[tuple[str, Any], ...]
_BARE = {"stem": False, "remove_stop_words": False, "custom_stop_words": None, "max_token_length": None}


@dataclass(frozen=True)
class Word:
    """A word of a text: as written, in the index's letters, and what the index keeps of it."""

    text: str
    plain: str
    token: str | None


@cache
def _read_word(text: str, options: Options) -> Word:
    kept = [token.text for token in lance.tokenize(text, **dict(options))]
    (plain,) = [token.text for token in lance.tokenize(text, **{**dict(options), **_BARE})]
    return Word(text, plain, kept[0] if kept else None)


@cache
def read_words(text: str, options: Options) -> tuple[Word, ...]:
    """Every word of a text, also those an index leaves out; a word's number is its place."""
    as_written = {**dict(options), **_BARE, "lower_case": False, "ascii_folding": False}
    words = tuple(_read_word(token.text, options) for token in lance.tokenize(text, **as_written))
    whole = [token.text for token in lance.tokenize(text, **dict(options))]
    assert [word.token for word in words if word.token is not None] == whole
    return words


@cache
def count_edits(one: str, other: str) -> int:
    """Levenshtein's distance, as he wrote it."""
    if not one or not other:
        return len(one) + len(other)
    return min(
        count_edits(one[1:], other) + 1,
        count_edits(one, other[1:]) + 1,
        count_edits(one[1:], other[1:]) + (one[0] != other[0]),
    )


@dataclass
class Corpus:
    """Rows: their texts by column."""

    rows: Sequence[Mapping[str, str | None]]
    options: Mapping[str, Options]

    def words(self, row: Mapping[str, str | None], column: str) -> tuple[Word, ...]:
        text = row[column]
        return () if text is None else read_words(text, self.options[column])

    def weigh(self, row: Mapping[str, str | None], column: str, holds: Callable[[Word], bool]) -> float:
        """The BM25 weight of a kind of word in a row."""
        texts = [[word for word in self.words(one, column) if word.token is not None] for one in self.rows]
        texts = [words for words in texts if words]
        average = sum(map(len, texts)) / len(texts)
        holders = sum(any(map(holds, words)) for words in texts)
        own = [word for word in self.words(row, column) if word.token is not None]
        count = sum(map(holds, own))
        rarity = math.log(1 + (len(texts) - holders + 0.5) / (holders + 0.5))
        return rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * len(own) / average))


def evaluate(query: TextQuery, row: Mapping[str, str | None], corpus: Corpus) -> float | None:
    """The score of a row, None when it does not match."""
    reduced = _drop_silent(query, list(corpus.options), corpus)
    return None if reduced is None else _evaluate(reduced, row, corpus, list(corpus.options))


def _drop_silent(query: TextQuery, columns: list[str], corpus: Corpus) -> TextQuery | None:
    """The query without what asks for no word."""

    def drop(items: Sequence[TextQuery]) -> list[TextQuery]:
        return [one for item in items if (one := _drop_silent(item, columns, corpus)) is not None]

    match query:
        case Words(text) | Phrase(text):
            return query if any(_list_kept(text, column, corpus) for column in columns) else None
        case Prefix(text):
            return query if any(read_words(text, corpus.options[column]) for column in columns) else None
        case InColumn(column, inner):
            kept = _drop_silent(inner, [column], corpus)
            return None if kept is None else InColumn(column, kept)
        case Boosted(inner, factor):
            kept = _drop_silent(inner, columns, corpus)
            return None if kept is None else Boosted(kept, factor)
        case AllOf(items):
            return AllOf(tuple(kept_items)) if (kept_items := drop(items)) else None
        case AnyOf(items):
            return AnyOf(tuple(kept_items)) if (kept_items := drop(items)) else None
        case Preferring(required, optional):
            needed, added = _drop_silent(required, columns, corpus), drop(optional)
            if needed is None:
                return AnyOf(tuple(added)) if added else None
            return Preferring(needed, tuple(added))
        case Excluding(wanted, unwanted):
            kept = _drop_silent(wanted, columns, corpus)
            return None if kept is None else Excluding(kept, tuple(drop(unwanted)))
        case Demoting(positive, negative, factor):
            kept, blamed = _drop_silent(positive, columns, corpus), _drop_silent(negative, columns, corpus)
            return kept if kept is None or blamed is None else Demoting(kept, blamed, factor)


def _list_kept(text: str, column: str, corpus: Corpus) -> list[Word]:
    return [word for word in read_words(text, corpus.options[column]) if word.token is not None]


def _evaluate(query: TextQuery, row: Mapping[str, str | None], corpus: Corpus, columns: list[str]) -> float | None:
    def ask(item: TextQuery) -> float | None:
        return _evaluate(item, row, corpus, columns)

    match query:
        case Words():
            return _evaluate_words(query, row, corpus, columns)
        case Prefix(text):
            return _add(_evaluate_prefix(text, row, corpus, column) for column in columns)
        case Phrase(text, slop):
            return _add(_evaluate_phrase(text, slop, row, corpus, column) for column in columns)
        case InColumn(column, inner):
            return _evaluate(inner, row, corpus, [column])
        case Boosted(inner, factor):
            score = ask(inner)
            return None if score is None else score * factor
        case AllOf(items):
            scores = [ask(item) for item in items]
            return None if None in scores else _add(scores)
        case AnyOf(items):
            return _add(map(ask, items))
        case Preferring(required, optional):
            score = ask(required)
            return None if score is None else _add([score, *map(ask, optional)])
        case Excluding(wanted, unwanted):
            return ask(wanted) if all(ask(item) is None for item in unwanted) else None
        case Demoting(positive, negative, factor):
            score = ask(positive)
            return None if score is None else score - factor * (ask(negative) or 0.0)


def _add(scores: Any) -> float | None:
    found = [score for score in scores if score is not None]
    return sum(found) if found else None


def _evaluate_words(query: Words, row: Mapping[str, str | None], corpus: Corpus, columns: list[str]) -> float | None:
    scores: list[float | None] = []
    for written in query.text.split():
        found = []
        for column in columns:
            words = _list_kept(written, column, corpus)
            hits = [_ask_word(word, query, row, corpus, column) for word in words]
            if query.operator == "and" and None in hits:
                hits = [None]
            if words:
                found.append(_add(hits))
        if found:
            scores.append(_add(found))
    if query.operator == "and" and None in scores:
        return None
    return _add(scores)


def _ask_word(word: Word, query: Words, row: Mapping[str, str | None], corpus: Corpus, column: str) -> float | None:
    letters = len(word.plain)
    edits = (0 if letters <= 2 else 1 if letters <= 5 else 2) if query.fuzziness == "auto" else query.fuzziness

    def holds(other: Word) -> bool:
        if other.token is None:
            return False
        return other.token == word.token or (edits > 0 and count_edits(other.plain, word.plain) <= edits)

    return corpus.weigh(row, column, holds) if any(map(holds, corpus.words(row, column))) else None


def _evaluate_prefix(text: str, row: Mapping[str, str | None], corpus: Corpus, column: str) -> float | None:
    asked = read_words(text, corpus.options[column])
    if not asked:
        return None
    begun = asked[-1].plain

    def begins(other: Word) -> bool:
        return other.token is not None and other.plain.startswith(begun)

    return _evaluate_chain([*map(_equal_to, asked[:-1]), begins], 0, row, corpus, column)


def _evaluate_phrase(text: str, slop: int, row: Mapping[str, str | None], corpus: Corpus, column: str) -> float | None:
    asked = [_equal_to(word) for word in read_words(text, corpus.options[column])]
    return _evaluate_chain(asked, slop, row, corpus, column)


def _equal_to(word: Word) -> Callable[[Word], bool] | None:
    return None if word.token is None else lambda other: other.token == word.token


def _evaluate_chain(
    asked: list[Callable[[Word], bool] | None],
    slop: int,
    row: Mapping[str, str | None],
    corpus: Corpus,
    column: str,
) -> float | None:
    """Consecutive words; a stop word among those asked for stands for any word."""
    while asked and asked[0] is None:
        asked = asked[1:]
    while asked and asked[-1] is None:
        asked = asked[:-1]
    words = corpus.words(row, column)

    def follows(place: int, rest: list[Callable[[Word], bool] | None], left: int) -> bool:
        if not rest:
            return True
        gap = next(at for at, test in enumerate(rest) if test is not None)
        test = rest[gap]
        return any(
            place + gap + extra < len(words)
            and test is not None
            and test(words[place + gap + extra])
            and follows(place + gap + extra + 1, rest[gap + 1 :], left - extra)
            for extra in range(left + 1)
        )

    if not asked:
        return None
    first = asked[0]
    assert first is not None
    starts = [place for place, word in enumerate(words) if first(word)]
    if not any(follows(place + 1, asked[1:], slop) for place in starts):
        return None
    return sum(corpus.weigh(row, column, test) for test in asked if test is not None)
