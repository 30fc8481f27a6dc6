"""What of a text a query asks for: the words that match, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any as Whatever

from .edits import find_near
from .parts import find_spans
from .places import MOST_WORDS, CutText, WordFinder, find_end
from .terms import All, Any, Bag, Chain, Demoted, Except, Leaf, Node, Part, Preferred, Scaled, Similar

__all__ = ["Mark", "Marker"]

Term = str | Similar


@dataclass(frozen=True)
class Mark:
    """A part of a text that matches; `term` is what it matches."""

    start: int
    end: int
    term: object


class Marker:
    """Finds what one query asks of one column.

    Args:
        node: The query, bound; None when it asks for nothing.
        column: The column.
        finder: What finds the words of its texts.
    """

    def __init__(self, node: Node | None, column: str, finder: WordFinder) -> None:
        leaves = [leaf for leaf in _list_wanted(node) if leaf.column == column] if node is not None else []
        self._parts = [leaf for leaf in leaves if isinstance(leaf, Part)]
        self._chains = [leaf for leaf in leaves if isinstance(leaf, Chain)]
        alone = [term for leaf in leaves for term in _list_alone(leaf)]
        self._alone = frozenset(alone)
        self._terms = tuple(dict.fromkeys([*alone, *(term for chain in self._chains for term, _ in chain.parts)]))
        self._finder = finder
        self._held: dict[str, tuple[Term, ...]] = {}

    def find(self, texts: Sequence[str]) -> list[tuple[CutText, list[Mark]]]:
        """Each text cut into words, and its marks in order: they may touch, and none overlaps another."""
        split = self._finder.cut(texts)
        if not self._terms and not self._parts:
            return [(text, []) for text in split]
        held = self._learn({word for text in split for word in text.words}) if self._terms else {}
        return [(text, self._mark(text, held)) for text in split]

    def _learn(self, words: set[str]) -> dict[str, tuple[Term, ...]]:
        """What each word is asked for by: in what is remembered, or in a new place when there is no room in it."""
        held = self._held if len(self._held) + len(words) <= MOST_WORDS else {}
        listed = sorted(words - held.keys())
        kept = self._finder.keep(listed)
        similar = [term for term in self._terms if isinstance(term, Similar)]
        plain = self._finder.fold(listed) if similar else listed
        near = {term: _find_similar(term, plain, kept) for term in similar}
        for at, (word, token) in enumerate(zip(listed, kept, strict=True)):
            found = [term for term in self._terms if (at in near[term] if isinstance(term, Similar) else term == token)]
            held[word] = tuple(found) if token is not None else ()
        self._held = held
        return held

    def _mark(self, text: CutText, held: dict[str, tuple[Term, ...]]) -> list[Mark]:
        if self._parts:
            marked = [(part, find_spans(text.text, part, self._finder)) for part in self._parts]
            return _join([Mark(start, end, part) for part, places in marked for start, end in places], text.text)
        hits = [(at, terms) for at, word in enumerate(text.words) if (terms := held[word])]
        if not hits:
            return []
        spans = text.spans
        found = [Mark(*spans[at], term) for at, terms in hits for term in terms if term in self._alone]
        for chain in self._chains:
            found += _mark_chain(chain, hits, text, spans)
        return _join(found, text.text)


def _list_wanted(node: Node) -> Iterator[Leaf]:
    """The leaves of a query that speak for a row: what is excluded, or only lowers its score, is no match."""
    match node:
        case Bag() | Similar() | Chain() | Part():
            yield node
        case All(items) | Any(items):
            for item in items:
                yield from _list_wanted(item)
        case Preferred(required, optional):
            yield from _list_wanted(required)
            yield from _list_wanted(optional)
        case Except(wanted, _):
            yield from _list_wanted(wanted)
        case Demoted(positive, _, _):
            yield from _list_wanted(positive)
        case Scaled(item, _):
            yield from _list_wanted(item)


def _list_alone(leaf: Leaf) -> Sequence[Term]:
    match leaf:
        case Bag(tokens=tokens):
            return tokens
        case Similar():
            return (leaf,)
        case Chain() | Part():
            return ()


def _find_similar(term: Similar, plain: Sequence[str], kept: Sequence[str | None]) -> set[int]:
    if term.edits is None:
        return {at for at, word in enumerate(plain) if word.startswith(term.plain)}
    same = (at for at, token in enumerate(kept) if token is not None and token == term.token)
    return {*find_near(plain, term.plain, term.edits), *same}


def _mark_chain(
    chain: Chain, hits: list[tuple[int, tuple[Term, ...]]], text: CutText, spans: list[tuple[int, int]]
) -> Iterator[Mark]:
    """A phrase is one mark; where other words may stand between its own, or its words overlap, each is one."""
    where: dict[tuple[int, Term], list[int]] = {}
    for at, terms in hits:
        for term in terms:
            where.setdefault((text.places[at], term), []).append(at)
    first, origin = chain.parts[0]
    for place, begun in [(place, at) for (place, term), at in where.items() if term == first]:
        met = list(begun)
        left, current, before = chain.slop, place, origin
        for term, expected in chain.parts[1:]:
            wanted, before = current + expected - before, expected
            reached = next((one for one in range(wanted, wanted + left + 1) if (one, term) in where), None)
            if reached is None:
                break
            left, current = left - (reached - wanted), reached
            met += where[reached, term]
        else:
            if chain.slop or text.overlapping:
                yield from (Mark(*spans[one], chain) for one in met)
            else:
                yield Mark(spans[met[0]][0], spans[met[-1]][1], chain)


def _join(found: list[Mark], text: str) -> list[Mark]:
    """The marks in order, those that overlap joined; of two the first says what is matched."""
    joined: list[Mark] = []
    for mark in sorted(found, key=_place):
        end = find_end(text, mark.end)
        if joined and mark.start < joined[-1].end:
            last = joined[-1]
            joined[-1] = Mark(last.start, max(last.end, end), last.term)
        else:
            joined.append(Mark(mark.start, end, mark.term))
    return joined


def _place(mark: Mark) -> tuple[Whatever, ...]:
    return mark.start, -mark.end
