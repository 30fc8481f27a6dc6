"""Statements as the parser reads them, and tokens, brackets and spans on their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from lancesql.errors import ParseError
from lancesql.parser import parse_expression, read_tokens, split_statements
from lancesql.parser.blocks import TokenTree, split_conjuncts
from tests.fixture_files import check_file, list_files
from tests.parser.statement_text import describe_statement


@pytest.mark.parametrize("path", list_files("parser"), ids=lambda path: path.stem)
def test_statements(path: Path, complete: bool) -> None:
    check_file(path, lambda case: describe_statement(case.text), complete=complete)


def split(sql: str) -> list[str]:
    return [sql[span.start : span.end] for span in split_statements(read_tokens(sql))]


def test_semicolons_split_statements_but_not_strings_or_comments() -> None:
    assert split("SELECT ';' ; -- a ; b\nSELECT 2;;") == ["SELECT ';'", "SELECT 2"]
    assert split(" ; ") == []


def test_token_places_are_characters_not_bytes() -> None:
    sql = "SELECT 'héllo → 世界' AS ä, fts"
    token = read_tokens(sql)[-1]
    assert sql[token.start : token.end + 1] == "fts"


@pytest.mark.parametrize(
    ("predicate", "parts"),
    [
        ("a = 1 AND b = 2", ["a = 1", "b = 2"]),
        ("a = 1 OR b = 2 AND c", ["a = 1 OR b = 2 AND c"]),
        ("a BETWEEN 1 AND 2 AND b", ["a BETWEEN 1 AND 2", "b"]),
        ("a NOT BETWEEN b AND c AND d BETWEEN 1 AND 2", ["a NOT BETWEEN b AND c", "d BETWEEN 1 AND 2"]),
        ("(a AND b) AND c", ["a", "b", "c"]),
        ("((a OR b) AND (c)) AND (d, e) = f", ["(a OR b)", "(c)", "(d, e) = f"]),
        ("(SELECT a AND b) AND (a AND b) = c", ["(SELECT a AND b)", "(a AND b) = c"]),
        ("CASE WHEN a AND b THEN c END AND d", ["CASE WHEN a AND b THEN c END", "d"]),
        ("CASE WHEN a OR b THEN c END AND d", ["CASE WHEN a OR b THEN c END", "d"]),
        ("f(a AND b) AND [a, b][1]", ["f(a AND b)", "[a, b][1]"]),
        ("a = 'x AND y' AND b", ["a = 'x AND y'", "b"]),
        ('"and" AND b', ['"and"', "b"]),
    ],
)
def test_conjuncts(predicate: str, parts: list[str]) -> None:
    tokens = read_tokens(predicate)
    spans = split_conjuncts(TokenTree(tokens), 0, len(tokens))
    assert [predicate[span.start : span.end] for span in spans] == parts


@pytest.mark.parametrize("text", ["a >", ")"])
def test_what_is_no_expression_gives_none(text: str) -> None:
    assert parse_expression(text) is None


@pytest.mark.parametrize("opened", ["'a", '"a', "/* a", "$$a", "$tag$a $$ $tag"])
def test_what_is_not_closed_is_shown_where_it_begins(opened: str) -> None:
    sql = f"SELECT 'it''s', 1 -- don't\n/* ' */, {opened}"
    with pytest.raises(ParseError, match="that begins here is not closed") as caught:
        read_tokens(sql)
    assert caught.value.__suppress_context__
    assert caught.value.span is not None
    assert caught.value.span.start == len(sql) - len(opened)
