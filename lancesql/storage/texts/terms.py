"""A text query bound to columns: which words of which column, as the column's own tokenizer gives them, are asked for.

What gives no word at all (stop words, punctuation, an empty text) asks for nothing: it is left out wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lancesql.errors import UnsupportedError
from lancesql.plan.text import (
    AllOf,
    AnyOf,
    Boosted,
    Demoting,
    Excluding,
    Fuzziness,
    InColumn,
    Phrase,
    Preferring,
    Prefix,
    TextQuery,
    Words,
)

from .tokens import Tokenizer, Written

__all__ = [
    "All",
    "Any",
    "Bag",
    "Chain",
    "Demoted",
    "Except",
    "Leaf",
    "Node",
    "Part",
    "Preferred",
    "Scaled",
    "Similar",
    "Term",
    "bind_query",
    "list_leaves",
    "list_terms",
]


@dataclass(frozen=True)
class Bag:
    """Words of one column: one of them, or each.

    Attributes:
        text: The text they are read from, by any index that cuts words as the column's does.
        tokens: What the index keeps of it; a word written twice counts twice.
    """

    column: str
    text: str
    tokens: tuple[str, ...]
    operator: Literal["or", "and"]


@dataclass(frozen=True)
class Similar:
    """Any word of one column that begins so, or that is at most so many edits away.

    Attributes:
        plain: The letters compared, as the index folds them, endings and all.
        edits: The edits (Levenshtein: a letter more, less or another); None for the beginning of a word.
        token: What the index keeps of the word; other words it keeps the same of are as near as can be.
        text: The word as it is written, where it has a token.
    """

    column: str
    plain: str
    edits: int | None
    token: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Chain:
    """Words of one column in their order, with at most `slop` other words between them altogether.

    Attributes:
        text: The text they are read from.
        parts: A token or something similar, and its place. Places left out, by stop words, are taken by any word.
    """

    column: str
    text: str
    parts: tuple[tuple[Term, int], ...]
    slop: int


@dataclass(frozen=True)
class Part:
    """A part of a text, letter by letter, in a column whose index knows parts of texts and no words.

    Attributes:
        text: The part as it is written.
        plain: Its letters as the index folds them.
        grams: The parts of it that the index knows, each once; () when it is shorter than those.
    """

    column: str
    text: str
    plain: str
    grams: tuple[str, ...]


@dataclass(frozen=True)
class All:
    """Each item matches."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Any:
    """One item matches."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Preferred:
    """`required` matches, `optional` adds to its score."""

    required: Node
    optional: Node


@dataclass(frozen=True)
class Except:
    """`wanted` matches and `unwanted` does not."""

    wanted: Node
    unwanted: Node


@dataclass(frozen=True)
class Scaled:
    """A score times a factor."""

    item: Node
    factor: float


@dataclass(frozen=True)
class Demoted:
    """The score of `positive`, less that of `negative` times a factor."""

    positive: Node
    negative: Node
    factor: float


Leaf = Bag | Similar | Chain | Part
Term = str | Similar
"""A token, or any word like another."""
Node = Leaf | All | Any | Preferred | Except | Scaled | Demoted


def bind_query(query: TextQuery, tokenizers: Mapping[str, Tokenizer]) -> Node | None:
    """What the query asks of the columns; None when it asks for no word.

    Args:
        query: The query, read.
        tokenizers: The columns searched, each with the tokenizer of its index.

    Raises:
        UnsupportedError: For a word that may differ by letters, in a column whose index knows no words.
    """
    match query:
        case Words(text, operator, fuzziness):
            return _bind_words(text, operator, fuzziness, tokenizers)
        case Prefix(text):
            return _join(Any, [_bind_prefix(text, column, one) for column, one in tokenizers.items()])
        case Phrase(text, slop):
            return _join(Any, [_bind_phrase(text, slop, column, one) for column, one in tokenizers.items()])
        case InColumn(column, inner):
            return bind_query(inner, {column: tokenizers[column]})
        case Boosted(inner, factor):
            bound = bind_query(inner, tokenizers)
            return None if bound is None else Scaled(bound, factor)
        case AllOf(items):
            return _join(All, [bind_query(item, tokenizers) for item in items])
        case AnyOf(items):
            return _join(Any, [bind_query(item, tokenizers) for item in items])
        case Preferring(required, optional):
            needed = bind_query(required, tokenizers)
            added = _join(Any, [bind_query(item, tokenizers) for item in optional])
            return (needed or added) if needed is None or added is None else Preferred(needed, added)
        case Excluding(wanted, unwanted):
            kept = bind_query(wanted, tokenizers)
            refused = _join(Any, [bind_query(item, tokenizers) for item in unwanted])
            return kept if kept is None or refused is None else Except(kept, refused)
        case Demoting(positive, negative, factor):
            praised, blamed = bind_query(positive, tokenizers), bind_query(negative, tokenizers)
            return praised if praised is None or blamed is None else Demoted(praised, blamed, factor)


def _bind_words(
    text: str, operator: Literal["or", "and"], fuzziness: Fuzziness, tokenizers: Mapping[str, Tokenizer]
) -> Node | None:
    """One bag a column. Where each word has to be there, each may be in another column."""
    if operator == "and" and len(tokenizers) > 1 and len(words := text.split()) > 1:
        return _join(All, [_bind_words(word, operator, fuzziness, tokenizers) for word in words])
    if fuzziness == 0:
        return _join(Any, [_bind_bag(text, operator, column, one) for column, one in tokenizers.items()])
    return _join(Any, [_bind_fuzzy(text, operator, fuzziness, column, one) for column, one in tokenizers.items()])


def _bind_bag(text: str, operator: Literal["or", "and"], column: str, tokenizer: Tokenizer) -> Node | None:
    if tokenizer.grams is not None:
        return _join(All if operator == "and" else Any, [_bind_part(word, column, tokenizer) for word in text.split()])
    tokens = tuple(token for token, _ in tokenizer.read(text))
    return Bag(column, text, tokens, operator) if tokens else None


def _bind_fuzzy(
    text: str, operator: Literal["or", "and"], fuzziness: Fuzziness, column: str, tokenizer: Tokenizer
) -> Node | None:
    if not tokenizer.separable:
        raise UnsupportedError(
            f"the index on column '{column}' ({tokenizer.base}) keeps no words whose letters could be counted",
            hint=f"CREATE OR REPLACE INDEX ON … USING FTS ({column}) WITH (base_tokenizer = 'simple')",
        )
    words = [word for word in tokenizer.read_words(text) if word.token is not None]
    return _join(All if operator == "and" else Any, [_bind_near(word, fuzziness, column) for word in words])


def _bind_near(word: Written, fuzziness: Fuzziness, column: str) -> Leaf:
    letters = len(word.plain)
    edits = (0 if letters <= 2 else 1 if letters <= 5 else 2) if fuzziness == "auto" else fuzziness
    assert word.token is not None
    return (
        Similar(column, word.plain, edits, word.token, word.text)
        if edits
        else Bag(column, word.text, (word.token,), "or")
    )


def _bind_prefix(text: str, column: str, tokenizer: Tokenizer) -> Node | None:
    """The last word begins so; words before it stand right before it."""
    if tokenizer.grams is not None:
        return _bind_part(text.strip(), column, tokenizer)
    if not tokenizer.separable:
        plain = tokenizer.fold_whole(text.strip())
        return Similar(column, plain, None) if plain else None
    words = tokenizer.read_words(text)
    if not words:
        return None
    begun = Similar(column, words[-1].plain, None)
    before = [(word.token, word.place) for word in words[:-1] if word.token is not None]
    return Chain(column, text, (*before, (begun, words[-1].place)), 0) if before else begun


def _bind_phrase(text: str, slop: int, column: str, tokenizer: Tokenizer) -> Node | None:
    if tokenizer.grams is not None:
        if slop:
            raise UnsupportedError(
                f"the index on column '{column}' (ngram) keeps no words that could stand between others",
                hint=f"CREATE OR REPLACE INDEX ON … USING FTS ({column}) WITH (base_tokenizer = 'icu')",
            )
        return _bind_part(text.strip(), column, tokenizer)
    parts = tuple(tokenizer.read(text))
    if len(parts) <= 1:
        return Bag(column, text, (parts[0][0],), "and") if parts else None
    return Chain(column, text, parts, slop)


def _bind_part(text: str, column: str, tokenizer: Tokenizer) -> Node | None:
    length = tokenizer.grams or 1
    grams = dict.fromkeys(text[at : at + length] for at in range(len(text) - length + 1))
    kept = tuple(gram for gram in grams if tokenizer.read(gram))
    return Part(column, text, tokenizer.fold_letters(text), kept) if text else None


def _join(kind: type[All | Any], nodes: Sequence[Node | None]) -> Node | None:
    asked = [node for node in nodes if node is not None]
    return kind(tuple(asked)) if len(asked) > 1 else asked[0] if asked else None


def list_leaves(node: Node) -> Iterator[Leaf]:
    """The leaves of a query, each once for every place it stands in."""
    match node:
        case Bag() | Similar() | Chain() | Part():
            yield node
        case All(items) | Any(items):
            for item in items:
                yield from list_leaves(item)
        case Preferred(first, second) | Except(first, second) | Demoted(first, second):
            yield from list_leaves(first)
            yield from list_leaves(second)
        case Scaled(item):
            yield from list_leaves(item)


def list_terms(leaf: Leaf) -> Sequence[Term]:
    """The terms of a leaf, as often as they are asked for."""
    match leaf:
        case Bag(tokens=tokens):
            return tokens
        case Chain(parts=parts):
            return [term for term, _ in parts]
        case Similar():
            return [leaf]
        case Part():
            raise AssertionError("parts of texts are no words")
