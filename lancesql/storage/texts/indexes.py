"""Text searches that a text index of Lance answers alone: the queries it is given, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any as Whatever
from weakref import WeakKeyDictionary

import lance
from lance.query import (
    BooleanQuery,
    BoostQuery,
    DocumentGranularity,
    FullTextOperator,
    FullTextQuery,
    MatchQuery,
    Occur,
    PhraseQuery,
)

from lancesql.storage.scan import wrap_lance_error

from .terms import All, Any, Bag, Chain, Demoted, Except, Node, Part, Preferred, Scaled, Similar, list_leaves
from .tokens import Tokenizer

__all__ = ["TextIndex", "compile_grams", "compile_query", "read_text_indexes"]

_MOST_GRAMS = 64
_MOST_LEAVES = 128
"""Upstream: a query of some thousand clauses overflows Lance's stack, which ends the process."""


@dataclass(frozen=True)
class TextIndex:
    """A text index on one column.

    Attributes:
        options: How it cuts a text into words, and what it keeps of them.
        fragments: The fragments it covers.
        segments: The names of its parts, each built at once.
    """

    name: str
    column: str
    options: Mapping[str, Whatever]
    fragments: frozenset[int]
    segments: tuple[str, ...] = ()

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """What cuts a text as the index does."""
        return Tokenizer(self.options)

    @property
    def has_positions(self) -> bool:
        """Whether it knows where in a text a word stands; the places of grams are all the same to Lance."""
        return bool(self.options.get("with_position", True)) and self.options.get("base_tokenizer") != "ngram"

    @property
    def finds_rows(self) -> bool:
        """Whether what it finds are rows, not elements of their lists."""
        return str(self.options.get("document_granularity", "row")) == "row"

    @property
    def finds_parts(self) -> bool:
        """Whether a part of a text is found wherever it stands."""
        return self.finds_rows and not self.options.get("prefix_only")


_ROWS: dict[str, Whatever] = {"document_granularity": DocumentGranularity.ROW}
"""Said always: Lance has to be told where the elements of a list are indexed too."""
_READ: WeakKeyDictionary[lance.LanceDataset, Mapping[str, TextIndex]] = WeakKeyDictionary()
"""What was read of a handle, which never changes its version."""


def read_text_indexes(dataset: lance.LanceDataset) -> Mapping[str, TextIndex]:
    """The text indexes of a table by their column; of several on one column the first that finds rows."""
    found = _READ.get(dataset)
    if found is None:
        found = _READ[dataset] = _read_indexes(dataset)
    return found


def _read_indexes(dataset: lance.LanceDataset) -> Mapping[str, TextIndex]:
    found: dict[str, TextIndex] = {}
    for index in dataset.describe_indices():
        if len(index.field_names) == 1 and "Inverted" in index.type_url:
            (column,) = index.field_names
            covered = frozenset(fragment for segment in index.segments for fragment in segment.fragment_ids)
            segments = tuple(str(segment.uuid) for segment in index.segments)
            read = TextIndex(index.name, column, _read_options(dataset, index), covered, segments)
            if column not in found or (read.finds_rows and not found[column].finds_rows):
                found[column] = read
    return found


def _read_options(dataset: lance.LanceDataset, index: Whatever) -> dict[str, Whatever]:
    """The options of an index; its own stop words are only among its statistics."""
    try:
        built = dataset.stats.index_stats(index.name).get("indices") or [{}]
    except BaseException as error:
        raise wrap_lance_error(error, f"looking at index '{index.name}'") from None
    return {**(index.details or {}), **{key: value for key, value in built[0].get("params", {}).items() if value}}


def compile_query(node: Node, indexes: Mapping[str, TextIndex], factor: float = 1.0) -> FullTextQuery | None:
    """The query for Lance; None when the indexes alone would not give exactly its rows and scores.

    Lance's own fuzziness compares a word with stems, and only with those its index knows; its phrases of three words
    and more with words between them are incomplete; an index without positions has no phrases. What is said of MUST_NOT
    in a query of nothing else does not arise: an `Except` always has what is wanted.
    """
    match node:
        case Bag(column, text, _, operator):
            index = indexes.get(column)
            if index is None or not index.finds_rows or factor <= 0:
                return None
            return MatchQuery(text, column, boost=factor, operator=FullTextOperator[operator.upper()], **_ROWS)
        case Chain(column, text, parts, slop):
            index = indexes.get(column)
            if index is None or not index.finds_rows or not index.has_positions or factor != 1:
                return None
            if any(isinstance(term, Similar) for term, _ in parts) or (slop and len(parts) > 2):
                return None
            return PhraseQuery(text, column, slop=slop, **_ROWS)
        case Similar():
            return None
        case Part(column, text, _, grams):
            index = indexes.get(column)
            if grams != (text,) or index is None or not index.finds_parts or factor <= 0:
                return None
            if index.options.get("stem") or index.options.get("remove_stop_words"):
                return None
            return MatchQuery(text, column, boost=factor, operator=FullTextOperator.AND)
        case All(items) if (bag := _merge_bags(items, indexes)) is not None:
            return compile_query(bag, indexes, factor)
        case All(items):
            return _join([(Occur.MUST, item) for item in items], indexes, factor)
        case Any(items):
            return _join([(Occur.SHOULD, item) for item in items], indexes, factor)
        case Preferred(required, optional):
            return _join([(Occur.MUST, required), (Occur.SHOULD, optional)], indexes, factor)
        case Except(wanted, unwanted):
            return _join([(Occur.MUST, wanted), (Occur.MUST_NOT, unwanted)], indexes, factor)
        case Scaled(item, scale):
            return compile_query(item, indexes, factor * scale)
        case Demoted(positive, negative, scale):
            praised, blamed = compile_query(positive, indexes, factor), compile_query(negative, indexes, factor)
            if praised is None or blamed is None or scale < 0:
                return None
            return BoostQuery(praised, blamed, negative_boost=scale)


def compile_grams(part: Part) -> FullTextQuery:
    """The rows that hold every gram of a part, wherever it stands: all that hold the part are among them.

    Upstream: the places of all grams are 0 to Lance, which takes them for words of one meaning: AND means OR.
    """
    chosen = part.grams[:: -(-len(part.grams) // _MOST_GRAMS)]
    return BooleanQuery([(Occur.MUST, MatchQuery(gram, part.column, operator=FullTextOperator.AND)) for gram in chosen])


def _merge_bags(items: Sequence[Node], indexes: Mapping[str, TextIndex]) -> Bag | None:
    """Words of one column that each have to be there, as one bag, which Lance answers faster; or None."""
    bags = [item for item in items if isinstance(item, Bag) and (item.operator == "and" or len(item.tokens) == 1)]
    columns = {bag.column for bag in bags}
    if len(bags) < len(items) or len(columns) > 1:
        return None
    (column,) = columns
    if column not in indexes or indexes[column].tokenizer.base not in ("simple", "whitespace"):
        return None
    tokens = tuple(token for bag in bags for token in bag.tokens)
    return Bag(column, " ".join(bag.text for bag in bags), tokens, "and")


def _join(
    clauses: Sequence[tuple[Occur, Node]], indexes: Mapping[str, TextIndex], factor: float
) -> FullTextQuery | None:
    if sum(1 for _, node in clauses for _ in list_leaves(node)) > _MOST_LEAVES:
        return None
    compiled = []
    for occur, node in clauses:
        query = compile_query(node, indexes, 1.0 if occur is Occur.MUST_NOT else factor)
        if query is None:
            return None
        compiled.append((occur, query))
    return BooleanQuery(compiled)
