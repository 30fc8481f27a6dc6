"""What the shell offers."""

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from lancesql.completion import Names, SqlCompleter

NAMES = Names(
    columns={"movies": ("id", "title", "vector", "release year"), "reviews": ("movie_id", "stars", "text")},
    functions=("abs", "array_distance", "vector_dot"),
    keywords=("FROM", "SELECT", "VALUES", "WHERE"),
)


def complete(text: str, *, after: str = "", asked: bool = False) -> list[str]:
    event = CompleteEvent(completion_requested=asked)
    document = Document(text + after, cursor_position=len(text))
    return [found.text for found in SqlCompleter(NAMES).get_completions(document, event)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM mo", ["movies"]),
        ("SELECT * FROM vec", ["vector_search("]),
        ("SELECT * FROM vector_search('re", ["reviews"]),
        ("SELECT * FROM vector_search('movies', [1], np", ["nprobes => "]),
        ("SELECT * FROM fts('movies', 'alien', ope", ["operator => "]),
        ("SELECT * FROM hybrid_search('movies', [1], 'x', cand", ["candidates => "]),
        ("SELECT m.ti", []),
        ("SELECT * FROM movies m WHERE m.ti", ["title"]),
        ("SELECT * FROM movies WHERE rel", ['"release year"']),
        ("SELECT * FROM vector_search('movies', [1], k => 3) AS near WHERE near.ti", ["title"]),
        ("SELECT * FROM fts('reviews', 'good') r JOIN movies m ON r.mo", ["movie_id"]),
        ("SELECT * FROM lance.re", ["reviews"]),
        ("SEL", ["SELECT"]),
        ("SELECT ab", ["abs("]),
        ("DESCRIBE mov", ["movies"]),
        ("SELECT 'mov", []),
        (".sch", [".schema"]),
        (".schema re", ["reviews"]),
        (".timer o", ["on", "off"]),
        ("", []),
        ("SELECT ", []),
    ],
)
def test_completions(text: str, expected: list[str]) -> None:
    assert complete(text) == expected


def test_columns_of_a_table_named_behind_the_cursor() -> None:
    assert complete("SELECT sta", after=" FROM reviews") == ["stars"]


def test_columns_come_before_functions_and_keywords() -> None:
    assert complete("SELECT * FROM movies WHERE v") == ["vector", "vector_search(", "VALUES", "vector_dot("]


def test_tab_on_nothing_offers_columns() -> None:
    assert complete("SELECT * FROM reviews WHERE ", asked=True) == ["movie_id", "stars", "text"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM other.mo", ["movies"]),
        ("SELECT * FROM lance.mo", ["movies"]),
        ("SELECT * FROM other.movies WHERE ti", ["tint"]),
        ("SELECT * FROM other.movies o WHERE o.ti", ["tint"]),
        ("SELECT * FROM vector_search('other.movies', [1]) AS near WHERE near.ti", ["tint"]),
    ],
)
def test_tables_of_an_attached_database(text: str, expected: list[str]) -> None:
    names = Names(columns={"movies": ("id", "title"), "other.movies": ("id", "tint")}, functions=(), keywords=())
    document = Document(text, cursor_position=len(text))
    found = SqlCompleter(names).get_completions(document, CompleteEvent(completion_requested=False))
    assert [one.text for one in found] == expected
