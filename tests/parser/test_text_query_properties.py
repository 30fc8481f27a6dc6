"""Random trees written and read again; random garbage, which is either read or refused with its place."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lancesql.errors import ArgumentError
from lancesql.parser.text_json import parse_text_json
from lancesql.parser.text_query import parse_text_query
from lancesql.parser.text_syntax import read_text_query
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
    TextReading,
    Words,
)
from tests.differential.conftest import DIFFERENTIAL, scaled

from .text_printer import Printer, write_json

COLUMNS = ("title", "Text", "two words")
READING = TextReading(columns=COLUMNS, others=("year",))
LETTERS = "abcdefghijkxyzABZ0129éßİ東😀" * 2 + "+-:()~*^\"\\'?&|!/.,$“”„_#@ \t\u3000\0"
OPERATORS = {"AND", "OR", "NOT", "&&", "||"}


class Maker:
    """Makes random trees that a text can mean; structured ones when `structured`."""

    def __init__(self, seed: int, *, structured: bool = False) -> None:
        self.chooser = random.Random(seed)
        self.structured = structured

    def make(self, depth: int = 3, *, placed: bool = False) -> TextQuery:
        kind = self.chooser.randint(0, 9) if depth else 0
        if kind <= 3:
            return self._make_leaf(depth, placed=placed)
        items = tuple(self.make(depth - 1, placed=placed) for _ in range(self.chooser.randint(2, 4)))
        if kind == 4:
            return AllOf(items)
        if kind <= 6:
            return AnyOf(items) if self._is_apart(items) else AllOf(items)
        if kind == 7:
            return Preferring(items[0], items[1:]) if self._is_apart(items[1:]) else Excluding(items[0], items[1:])
        if kind == 8:
            return Excluding(items[0], items[1:])
        if self.structured:
            return Demoting(items[0], items[1], self.chooser.choice([0.0, 0.25, 1.0]))
        return Boosted(items[0], self.chooser.choice([0.5, 2.0, 2.5, 1000.0]))

    def _make_leaf(self, depth: int, *, placed: bool) -> TextQuery:
        leaf = self._make_words() if self.chooser.random() < 0.7 else self._make_phrase()
        in_column = not placed and self.chooser.random() < 0.3
        if self.structured:
            query = InColumn(self.chooser.choice(COLUMNS), leaf) if in_column else leaf
            return Boosted(query, 2.0) if isinstance(leaf, Words) and self.chooser.random() < 0.2 else query
        if in_column:
            return InColumn(self.chooser.choice(COLUMNS), self.make(min(depth, 1), placed=True))
        return self._make_prefix() if self.chooser.random() < 0.1 else leaf

    def _make_words(self) -> TextQuery:
        fuzziness = self.chooser.choice((0, 0, 1, 2, "auto"))
        if self.chooser.random() < 0.3:
            return Words(self._make_word(), "and", fuzziness)
        return Words(" ".join(self._make_word() for _ in range(self.chooser.randint(1, 3))), "or", fuzziness)

    def _make_word(self) -> str:
        while True:
            word = self._make_text().replace(" ", "")
            if word and word not in OPERATORS:
                return word

    def _make_prefix(self) -> TextQuery:
        return Prefix(self._make_word() + "a")

    def _make_phrase(self) -> TextQuery:
        return Phrase(self._make_text() + "b", self.chooser.choice((0, 0, 1, 25)))

    def _make_text(self) -> str:
        return "".join(self.chooser.choice(LETTERS) for _ in range(self.chooser.randint(1, 7)))

    def _is_apart(self, items: tuple[TextQuery, ...]) -> bool:
        """Whether no neighbours would be read as one; a structured query keeps them apart anyway."""
        either = [one.fuzziness if isinstance(one, Words) and one.operator == "or" else None for one in items]
        return self.structured or all(one is None or one != other for one, other in itertools.pairwise(either))


SEEDS = st.integers(0, 2**32)


@settings(DIFFERENTIAL, max_examples=scaled(600))
@given(SEEDS)
def test_a_tree_that_is_written_is_read_again(seed: int) -> None:
    tree = Maker(seed).make()
    text = Printer(random.Random(seed)).write_list(tree)
    assert parse_text_query(text, READING) == tree, text


@settings(DIFFERENTIAL, max_examples=scaled(300))
@given(SEEDS)
def test_a_structured_query_that_is_written_is_read_again(seed: int) -> None:
    tree = Maker(seed, structured=True).make()
    written = write_json(tree)
    text = json.dumps(written, indent=seed % 2 or None, ensure_ascii=bool(seed % 3))
    assert parse_text_json(text, READING) == parse_text_json(written, READING) == tree, text


GARBAGE = st.lists(
    st.one_of(
        st.text(max_size=4),
        st.text(st.sampled_from('+-:()~*^"\\ ab1'), max_size=10),
        st.sampled_from(
            ["AND", "OR", "NOT", " ", "title:", "two\\ words:", "year:", "tilte:", "~2", "^2", "^.", "\ud83d"]
        ),
    ),
    max_size=12,
).map("".join)


@settings(DIFFERENTIAL, max_examples=scaled(600))
@given(GARBAGE, st.sampled_from(["or", "and"]))
def test_garbage_is_read_or_refused_with_its_place(text: str, operator: Any) -> None:
    reading = TextReading(operator=operator, columns=COLUMNS, others=("year",), boosts=(2.0, 1.0, 1.0))
    assert isinstance(read_text_query(text, "plain", reading), AnyOf | AllOf)
    try:
        read_text_query(text, "query", reading)
    except ArgumentError as error:
        check_place(error)


JSON_PARTS = ["{", "}", "[", "]", ":", ",", " ", '"match"', '"terms"', '"boolean"', '"must"', '"a"', "1", "null", "{}"]


@settings(DIFFERENTIAL, max_examples=scaled(300))
@given(st.one_of(st.text(max_size=9), st.lists(st.sampled_from(JSON_PARTS), max_size=20).map("".join)))
def test_garbage_for_json_is_refused_with_its_place(text: str) -> None:
    try:
        parse_text_json(text, READING)
    except ArgumentError as error:
        check_place(error)


def check_place(error: ArgumentError) -> None:
    assert error.hint
    assert str(error)
    assert error.sql is not None
    assert error.span is not None
    assert 0 <= error.span.start < max(error.span.end, 1) <= max(len(error.sql), 1)


def test_json_that_nests_too_deep_is_refused() -> None:
    for text in ("[" * 5000, '{"boolean": {"must": ' * 5000):
        try:
            parse_text_json(text)
        except ArgumentError as error:
            check_place(error)
        else:
            raise AssertionError(text[:40])


BODIES: dict[str, Any] = {
    '{"match": {"terms": "a b"}}': Words("a b"),
    '{"match": {"terms": "a", "operator": "AND", "fuzziness": null, "max_expansions": 50, "prefix_length": 0}}': Words(
        "a", "and", "auto"
    ),
    '{"match": {"column": "TEXT", "terms": "a", "boost": 2}}': Boosted(InColumn("Text", Words("a")), 2.0),
    '{"multi_match": {"query": "a", "columns": ["title", "Text"], "boost": [3, 1]}}': AnyOf(
        (Boosted(InColumn("title", Words("a")), 3.0), InColumn("Text", Words("a")))
    ),
    '{"boost": {"positive": {"match": {"terms": "a"}}, "negative": {"match": {"terms": "b"}}}}': Demoting(
        Words("a"), Words("b"), 0.5
    ),
    '{"boolean": {"must": {"match": {"terms": "a"}}, "should": [], "must_not": []}}': Words("a"),
    '{"phrase": {"terms": "\\ud800"}}': Phrase("\ufffd"),
}


def test_forms_of_structured_queries() -> None:
    for text, tree in BODIES.items():
        assert parse_text_json(text, READING) == tree, text
