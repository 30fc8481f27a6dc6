"""What is marked in a text, for any text: against the text itself, and against Lance's own reading of each word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import lance
from hypothesis import given, settings
from hypothesis import strategies as st

from lancesql.parser.text_syntax import read_text_query
from lancesql.plan.text import TextReading
from lancesql.storage.texts.excerpts import cut_excerpt, write_marks
from lancesql.storage.texts.marks import Mark, Marker
from lancesql.storage.texts.places import CutText, WordFinder, find_end
from lancesql.storage.texts.predicates import match_texts
from lancesql.storage.texts.terms import bind_query

from .conftest import DIFFERENTIAL, scaled

LETTERS = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from([*"aab eE\u0301\u0300é東京都に住むﬁßİ😀👨\u200d👩🇩🇪.,'-_\n\u00a0\u3000<>&"]),
    st.sampled_from(["running ", "fox ", "the ", "quiet ", "Foxes, "]),
)
TEXTS = st.lists(LETTERS, max_size=30).map("".join)
FINDERS = [
    WordFinder(options)
    for options in (
        {},
        {"base_tokenizer": "icu"},
        {"base_tokenizer": "icu/split"},
        {"base_tokenizer": "whitespace"},
        {"base_tokenizer": "raw"},
        {"base_tokenizer": "ngram", "stem": False, "remove_stop_words": False},
        {"base_tokenizer": "ngram", "stem": False, "remove_stop_words": False, "min_ngram_length": 2},
        {"stem": False, "remove_stop_words": False},
        {"language": "German"},
    )
]
ATOMS = [
    "run",
    "fox*",
    '"quiet fox"',
    '"fox running"~2',
    "東京",
    "e",
    "the",
    "a*",
    "b",
    '"the quiet"',
    "-fox run",
    "住 OR fox",
]
ASKED = st.tuples(st.sampled_from(ATOMS), st.sampled_from(FINDERS)).filter(
    lambda asked: asked[1].grams is None or "~" not in asked[0]  # refused: such an index keeps no words
)
START, END, CUT = "\ue000", "\ue001", "…"


def _mark(text: str, query: str, finder: WordFinder) -> tuple[CutText, list[Mark]]:
    tree = read_text_query(query, "query", TextReading(columns=("t",)))
    ((split, marks),) = Marker(bind_query(tree, {"t": finder}), "t", finder).find([text])
    return split, marks


def _list_marked(written: str, text: str) -> list[str]:
    """The marked parts of a text, where nothing but marks was written into it."""
    assert written.replace(START, "").replace(END, "") == text
    assert re.fullmatch(f"(?:[^{START}{END}]|{START}[^{START}{END}]+{END})*", written, re.DOTALL)
    return re.findall(f"{START}(.*?){END}", written, re.DOTALL)


@settings(DIFFERENTIAL, max_examples=scaled(300))
@given(TEXTS, ASKED, st.integers(1, 40))
def test_without_the_marks_the_text_is_as_it_was(text: str, asked: tuple[str, WordFinder], most: int) -> None:
    query, finder = asked
    text = text.replace(START, "").replace(END, "")
    split, marks = _mark(text, query, finder)
    marked = _list_marked(write_marks(text, marks, START, END, escapes=False), text)
    excerpt = cut_excerpt(split, marks, most, START, END, escapes=False)
    plain = excerpt.replace(START, "").replace(END, "")
    held = [part for part in (plain, plain[1:], plain[:-1], plain[1:-1]) if part in text]
    assert held
    assert min(map(len, held)) <= max(most, max((find_end(text, at + 1) - at for at in range(len(text))), default=0))
    if marks and max(one.end - one.start for one in marks) <= most:
        assert START in excerpt
    else:
        assert marked or START not in excerpt
    assert len(text) > most or excerpt == write_marks(text, marks, START, END, escapes=False)


@settings(DIFFERENTIAL, max_examples=scaled(200))
@given(TEXTS, ASKED)
def test_a_text_that_matches_has_a_mark(text: str, asked: tuple[str, WordFinder]) -> None:
    query, finder = asked
    tree = read_text_query(query, "query", TextReading(columns=("t",)))
    (matches,) = match_texts(tree, {"t": [text]}, {"t": finder}).tolist()
    _, marks = _mark(text, query, finder)
    assert bool(marks) >= matches
    if "-" not in query:
        assert bool(marks) is matches


@settings(DIFFERENTIAL, max_examples=scaled(150))
@given(
    st.lists(st.sampled_from(["Running", "runs", "foxes", "the", "Café", "quiet", "runner", "sea"]), max_size=12),
    st.lists(st.sampled_from(["run", "fox", "cafe", "the", "seas"]), min_size=1, max_size=3),
    st.sampled_from([" ", ", ", " - ", "\n"]),
)
def test_a_word_is_marked_when_the_index_keeps_the_same_of_it(words: list[str], asked: list[str], joint: str) -> None:
    def keep(word: str) -> list[str]:
        return [token.text for token in lance.tokenize(word)]

    wanted = {token for word in asked for token in keep(word)}
    text = joint.join(words)
    expected = joint.join(f"{START}{word}{END}" if set(keep(word)) & wanted else word for word in words)
    _, marks = _mark(text, " ".join(asked), FINDERS[0])
    assert write_marks(text, marks, START, END, escapes=False) == expected


def _count_terms(marks: Sequence[Mark], begin: int, stop: int) -> int:
    return len({one.term for one in marks if begin <= one.start and one.end <= stop})


@settings(DIFFERENTIAL, max_examples=scaled(150))
@given(
    st.lists(st.sampled_from(["fox", "run", "sea", "quiet", "something", "a"]), min_size=1, max_size=60),
    st.integers(9, 80),
)
def test_the_part_shown_has_as_many_terms_as_any(words: list[str], most: int) -> None:
    text = " ".join(words)
    split, marks = _mark(text, "fox run sea quiet", FINDERS[0])
    excerpt = cut_excerpt(split, marks, most, START, END, escapes=False)
    shown = set(re.findall(f"{START}(.*?){END}", excerpt))
    best = max((_count_terms(marks, one.start, one.start + most) for one in marks), default=0)
    assert len(shown) == best
    plain = excerpt.replace(START, "").replace(END, "").strip(CUT)
    assert len(plain) <= most
    assert set(plain.split()) <= set(words)  # whole words
    assert excerpt.startswith(CUT) is not text.startswith(plain)
    assert excerpt == cut_excerpt(split, marks, most, START, END, escapes=False)


def test_html_is_written_as_text() -> None:
    split, marks = _mark("a <b>fox</b> & co", "fox", FINDERS[0])
    written = write_marks(split.text, marks, "<mark>", "</mark>", escapes=True)
    assert written == "a &lt;b&gt;<mark>fox</mark>&lt;/b&gt; &amp; co"


def _read(options: dict[str, Any], text: str, query: str) -> str:
    return write_marks(text, _mark(text, query, WordFinder(options))[1], "[", "]", escapes=False)


def test_what_is_marked() -> None:
    assert _read({}, "state of the art, the state", '"state of the art"') == "[state of the art], the state"
    assert _read({}, "deep blue sea, deep sea", '"deep sea"') == "deep blue sea, [deep sea]"
    assert _read({}, "deep blue sea", '"deep sea"~1') == "[deep] blue [sea]"
    assert _read({}, "shopping for ships", "shp~2") == "shopping for [ships]"
    assert _read({}, "shopping for ships", "sho*") == "[shopping] for ships"
    assert _read({}, "a fox, no dog", "fox -dog") == "a [fox], no dog"
    assert _read({}, "cafe\u0301 noir", "cafe") == "[cafe\u0301] noir"
    assert _read({"base_tokenizer": "icu"}, "東京都に住む", "東京") == "[東京]都に住む"
    assert _read({"base_tokenizer": "ngram", "stem": False}, "unrunnable", "runn") == "un[runn]able"
