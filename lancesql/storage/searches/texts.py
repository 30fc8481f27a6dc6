"""Full-text search: by Lance's index alone where that is exact, else leaf by leaf; by score and then by row id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import lance
import numpy as np
import pyarrow as pa
from lance.query import FullTextQuery

from lancesql.plan.sources import ROW_ID, SCORE
from lancesql.plan.text import TextQuery
from lancesql.storage.index_flaws import avoid_flawed_index
from lancesql.storage.scan import open_scan, read_row_ids, select_rows, serialize_row_ids, take_rows, wrap_lance_error
from lancesql.storage.texts.blocks import build_blocks
from lancesql.storage.texts.candidates import read_statistics, write_pattern
from lancesql.storage.texts.corpora import has_corpus, open_corpus
from lancesql.storage.texts.indexes import TextIndex, compile_grams, compile_query, read_text_indexes
from lancesql.storage.texts.matches import Matches, join_matches
from lancesql.storage.texts.parts import holds_part, search_parts
from lancesql.storage.texts.routes import Route, choose_route, describe_routes
from lancesql.storage.texts.scoring import Statistics, search_blocks
from lancesql.storage.texts.terms import Bag, Chain, Leaf, Node, Part, Similar, bind_query, list_leaves
from lancesql.storage.texts.tokens import Tokenizer
from lancesql.storage.types import READ_BLOBS

__all__ = ["MANY_ROWS", "describe_text_search", "search_texts"]

_FEW = 8
"""One text in so many is read for one search; of more all are cut into words, for others to come."""
MANY_ROWS = 50_000
"""In so many texts Lance looks for those with the letters of `word~` and `begin*` before they are cut into words."""

Numbers = np.ndarray[Any, Any]

_FEW_FETCHED = 1_000
"""So many rows are ranked even in a table of fewer."""
_LEAST_FETCHED = 32
"""Ranking so many rows costs hardly more than ranking ten, and ties at the limit are seldom longer."""
_STRADDLED: WeakKeyDictionary[lance.LanceDataset, bool] = WeakKeyDictionary()
"""Whether rows of one score straddled the limit of the last search of a table: as a rule the next is like it."""


def search_texts(
    dataset: lance.LanceDataset,
    columns: Sequence[str],
    *,
    text_columns: Sequence[str],
    query: TextQuery,
    limit: int | None,
    filter: str | None = None,
    row_ids: bytes | None = None,
    fast_search: bool = False,
) -> pa.Table:
    """The matching rows, best first, ties by `_rowid`; with a limit the first so many of exactly that order.

    Args:
        dataset: The table at its version.
        columns: The columns to read; `_score` and `_rowid` may be among them.
        text_columns: The columns searched.
        query: The query, read.
        limit: At most so many rows; None for every match.
        filter: Lance filter text, applied before the ranking.
        row_ids: Serialised row ids outside which nothing is searched.
        fast_search: Leave out the rows that the index does not cover; without an index there are none.

    Raises:
        UnsupportedError: For what the index's way to cut a text into words makes impossible.
    """
    indexes = read_text_indexes(dataset)
    tokenizers = {column: _make_tokenizer(indexes.get(column)) for column in text_columns}
    bound = _bind(query, tuple(tokenizers.items()))
    node = bound.node
    own = [name for name in columns if name not in (ROW_ID, SCORE)]
    if node is None:
        empty = dataset.scanner(columns=own, with_row_id=True, limit=0, **READ_BLOBS).to_table()
        return empty.append_column(SCORE, pa.array([], pa.float32())).select(list(columns))
    narrowed = filter
    if avoid_flawed_index(dataset, filter):  # without scalar indexes the text index would not be used either
        row_ids = serialize_row_ids(read_row_ids(dataset, filter, row_ids))
        narrowed = None
    search = _Search(dataset, indexes, tokenizers, narrowed, row_ids, fast_search)
    compiled = bound.compile(indexes)
    if compiled is not None:
        return _search_ordered(search, compiled, columns, limit)
    matches = search.find(node)
    scores = matches.scores.astype(np.float32)
    order = np.lexsort((matches.ids, -scores))[:limit]
    return _read_found(dataset, matches.ids[order], scores[order], columns)


def describe_text_search(dataset: lance.LanceDataset, *, text_columns: Sequence[str], query: TextQuery) -> list[str]:
    """How the parts of a query are answered, where that is not by the index alone; a line each."""
    indexes = read_text_indexes(dataset)
    node = bind_query(query, {column: _make_tokenizer(indexes.get(column)) for column in text_columns})
    return describe_routes(node, indexes, many=dataset.count_rows() >= MANY_ROWS)


_DEFAULT = Tokenizer()


def _make_tokenizer(index: TextIndex | None) -> Tokenizer:
    return _DEFAULT if index is None else index.tokenizer


class _Bound:
    """A query, bound to the columns it is asked of; compiled once for their indexes."""

    def __init__(self, node: Node | None) -> None:
        self.node = node
        self._compiled: tuple[object, FullTextQuery | None] = (None, None)

    def compile(self, indexes: Mapping[str, TextIndex]) -> FullTextQuery | None:
        """What Lance is asked; None when its indexes do not answer all of it."""
        known, compiled = self._compiled
        if known is not indexes:
            compiled = None if self.node is None else compile_query(self.node, indexes)
            self._compiled = (indexes, compiled)
        return compiled


@lru_cache(maxsize=256)
def _bind(query: TextQuery, tokenizers: tuple[tuple[str, Tokenizer], ...]) -> _Bound:
    return _Bound(bind_query(query, dict(tokenizers)))


@dataclass
class _Search:
    """One search: where it looks, and which rows may be found."""

    dataset: lance.LanceDataset
    indexes: Mapping[str, TextIndex]
    tokenizers: Mapping[str, Tokenizer]
    filter: str | None
    row_ids: bytes | None
    fast_search: bool

    def ask_lance(self, query: FullTextQuery, columns: Sequence[str], limit: int | None) -> pa.Table:
        """What Lance finds, with `_score` and `_rowid`."""
        try:
            return self.dataset.scanner(
                columns=[*columns, SCORE],
                full_text_query=query,
                filter=self.filter,
                prefilter=True,
                with_row_id=True,
                row_addr_allowlist=self.row_ids,
                fast_search=self.fast_search,
                limit=limit,
                disable_scoring_autoprojection=True,
                **READ_BLOBS,
            ).to_table()
        except BaseException as error:
            raise wrap_lance_error(error, f"searching the text of {', '.join(self.tokenizers)}") from None

    def find(self, node: Node) -> Matches:
        """What matches, leaf by leaf: those that the texts themselves answer read each column once."""
        leaves = list(dict.fromkeys(list_leaves(node)))
        routes = {leaf: choose_route(leaf, self.indexes) for leaf in leaves}
        found = {leaf: self._find_leaf(leaf, routes[leaf]) for leaf in leaves if routes[leaf] is not Route.TEXTS}
        for column in dict.fromkeys(leaf.column for leaf in leaves):
            flat = [leaf for leaf in leaves if leaf.column == column and routes[leaf] is Route.TEXTS]
            if flat:
                found.update(zip(flat, self._search_flat(column, flat), strict=True))
        return join_matches(node, found.__getitem__)

    def _find_leaf(self, leaf: Leaf, route: Route) -> Matches:
        if route is Route.INDEX:
            compiled = compile_query(leaf, self.indexes)
            assert compiled is not None
            return _read_matches(self.ask_lance(compiled, [], None))
        if isinstance(leaf, Part):
            candidates = _read_matches(self.ask_lance(compile_grams(leaf), [], None))
            texts = select_rows(self.dataset, candidates.ids.tolist(), [leaf.column])
            held = holds_part(texts.column(leaf.column), leaf, self.tokenizers[leaf.column])
            return candidates.within(texts.column(ROW_ID).to_numpy()[held])
        assert isinstance(leaf, Chain)
        every = Bag(leaf.column, leaf.text, tuple(str(term) for term, _ in leaf.parts), "and")
        candidates = self._find_leaf(every, Route.INDEX)
        tokenizer = self.tokenizers[leaf.column]
        if len(candidates.ids) * _FEW > self.dataset.count_rows() or has_corpus(self.dataset, leaf.column, tokenizer):
            blocks = open_corpus(self.dataset, leaf.column, tokenizer)
        else:
            texts = select_rows(self.dataset, candidates.ids.tolist(), [leaf.column])
            blocks = build_blocks(texts.to_batches(), leaf.column, ROW_ID, tokenizer)
        return candidates.within(search_blocks(blocks, [leaf])[0].ids)

    def _search_like(self, column: str, terms: Sequence[Similar], known: Statistics) -> list[Matches] | None:
        """Words like others, by the texts with such letters; None when that is no way, or all texts are at hand."""
        index, tokenizer = self.indexes[column], self.tokenizers[column]
        patterns = [write_pattern(term, index) for term in terms]
        written = [pattern for pattern in patterns if pattern is not None]
        rows, type_ = self.dataset.count_rows(), self.dataset.schema.field(column).type
        if rows < MANY_ROWS or len(written) < len(patterns) or not pa.types.is_string(type_):
            return None
        if has_corpus(self.dataset, column, tokenizer):
            return None
        same = [Bag(column, term.text, (term.token,), "or") for term in terms if term.token is not None]
        ids = [read_row_ids(self.dataset, f"regexp_like(`{column}`, '{one}')", None).to_numpy() for one in written]
        every = replace(self, filter=None, row_ids=None)
        ids += [every.find(bag).ids for bag in same]
        found = np.unique(np.concatenate(ids))
        texts = select_rows(self.dataset, found.tolist(), [column])
        return search_blocks(build_blocks(texts.to_batches(), column, ROW_ID, tokenizer), terms, known)

    def _search_flat(self, column: str, leaves: Sequence[Leaf]) -> list[Matches]:
        parts = [leaf for leaf in leaves if isinstance(leaf, Part)]
        if parts:
            batches = open_scan(self.dataset, [column, ROW_ID], widen=False)
            found = search_parts(batches, ROW_ID, parts, self.tokenizers[column])
        else:
            found = self._search_words(column, leaves)
        allowed = self._read_allowed(column)
        return found if allowed is None else [one.within(allowed) for one in found]

    def _search_words(self, column: str, leaves: Sequence[Leaf]) -> list[Matches]:
        index, tokenizer = self.indexes.get(column), self.tokenizers[column]
        known = None if index is None else read_statistics(self.dataset, index, tokenizer)
        terms = [leaf for leaf in leaves if isinstance(leaf, Similar)]
        if known is not None and len(terms) == len(leaves):
            found = self._search_like(column, terms, known)
            if found is not None:
                return found
        return search_blocks(open_corpus(self.dataset, column, tokenizer), leaves, known)

    def _read_allowed(self, column: str) -> np.ndarray[tuple[int], np.dtype[np.uint64]] | None:
        index = self.indexes.get(column)
        fragments = None
        if self.fast_search and index is not None:
            every = self.dataset.get_fragments()
            fragments = [one for one in every if one.fragment_id in index.fragments]
            fragments = None if len(fragments) == len(every) else fragments
        if fragments is None and self.filter is None and self.row_ids is None:
            return None
        ids = read_row_ids(self.dataset, self.filter, self.row_ids, fragments=fragments)
        return np.asarray(ids.to_numpy(), np.uint64)


def _search_ordered(search: _Search, query: FullTextQuery, columns: Sequence[str], limit: int | None) -> pa.Table:
    """What Lance finds, in order.

    Where rows of one score straddle the limit, their ids decide here which of them come first: so many are ranked that
    all of them are known, and columns are read of those alone that are left. Whether they do is foreseen by the last
    search of the table.
    """
    dataset = search.dataset
    own = [name for name in columns if name not in (ROW_ID, SCORE)]
    if limit is None or (limit > _FEW_FETCHED and limit >= dataset.count_rows()):
        table = search.ask_lance(query, own, None)
        return table.take(_order(table)[2]).select(list(columns))
    if not _STRADDLED.get(dataset, False):
        table = search.ask_lance(query, own, limit + 1)
        _, scores, order = _order(table)
        if not _straddles(scores, order, limit):
            return table.take(order[:limit]).select(list(columns))
        _STRADDLED[dataset] = True
    fetch = max(2 * limit, _LEAST_FETCHED)
    while True:
        ids, scores, order = _order(search.ask_lance(query, [], fetch))
        if len(order) < fetch or scores[order[limit - 1]] > scores[order[-1]]:
            break
        fetch *= 4
    _STRADDLED[dataset] = _straddles(scores, order, limit)
    best = order[:limit]
    return _read_found(dataset, ids[best], scores[best], columns)


def _straddles(scores: Numbers, order: Numbers, limit: int) -> bool:
    return len(order) > limit and bool(scores[order[limit - 1]] == scores[order[limit]])


def _read_found(dataset: lance.LanceDataset, ids: Numbers, scores: Numbers, columns: Sequence[str]) -> pa.Table:
    """Rows that were found, in that order."""
    own = [name for name in columns if name not in (ROW_ID, SCORE)]
    rows = take_rows(dataset, ids.tolist(), own) if own else None
    arrays = [
        pa.array(ids) if name == ROW_ID else pa.array(scores) if name == SCORE else rows.column(name)  # type: ignore[union-attr]
        for name in columns
    ]
    return pa.table(arrays, names=list(columns))


def _order(table: pa.Table) -> tuple[Numbers, Numbers, Numbers]:
    """The ids and scores of the rows, and their places in order: best first, ties by their ids."""
    ids, scores = table.column(ROW_ID).to_numpy(), table.column(SCORE).to_numpy()
    return ids, scores, np.lexsort((ids, -scores))


def _read_matches(table: pa.Table) -> Matches:
    return Matches.sort(table.column(ROW_ID).to_numpy(), table.column(SCORE).to_numpy())
