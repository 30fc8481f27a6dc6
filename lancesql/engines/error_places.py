"""Where in the user's text stands what an error speaks of: a name, or what DuckDB underlines."""

from __future__ import annotations

import re
from itertools import takewhile

from lancesql.errors import LanceSQLError, Mark, Span

__all__ = ["NO_VALUE", "find_error_span", "read_mark"]

NO_VALUE = "no value for a parameter of the statement"
_NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        r'Referenced column "([^"]+)"|column named "([^"]+)"',
        r'Table with name "?([^\s"]+)"? does not exist',
        r"(?:Function|View) with name (\S+) does not exist",
        r"(?:cannot have a column|has an? (?:tag|branch|index)|has no (?:tag|branch)) '([^']+)'",
        r"^'([^']+)' is a Lance table",
        r'Referenced table "([^"]+)"',
        r'reference to column name "([^"]+)"',
        r'column "([^"]+)" must appear in the GROUP BY',
        r'Column "([^"]+)" (?:does not exist on|in \w+ list)',
        r"casting from source column (\S+)",
        r"no value for parameter (\$\w+)",
        r"argument types '(\w+)\(",
        r'^"?(<[-=]>|(?:array|list)_\w+)"?: ',
        r'at or near "([^"]+)"',
        r"there is no option '([^']+)'",
        r'match the pattern "([^"]+)"',
        r'Cannot open file "([^"]+)"',
        r"there is no file '([^']+)'",
        r"Schema with name (\S+) does not exist",
        r"Type with name (\S+) does not exist",
        r'Column with name "?([^\s"]+)"? already exists',
        r'does not contain column "?([^\s"]+)"? referenced',
        r'unrecognized configuration parameter "([^"]+)"',
        r"Could not convert string ('[^']*') to",
    )
)
_MARK = re.compile(r"\nLINE \d+: (.*)\n( +)(\^+)")
_WORD = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|\S")
_TEXTS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)


def read_mark(message: str) -> Mark | None:
    """What DuckDB underlines in an error; None when it underlines nothing, or letters of more than one column."""
    match = _MARK.search(message)
    if match is None or not match[1].isascii():
        return None
    line, start = match[1], len(match[2]) - (match.start(1) - match.start() - 1)
    word = _WORD.match(line, start)
    if start < 0 or word is None:
        return None
    end = max(start + len(match[3]), word.end())  # DuckDB 1 marks the first letter alone
    return Mark(line[:start].removeprefix("..."), line[start:end], line[end:].removesuffix("..."))


def find_error_span(sql: str, error: LanceSQLError) -> Span | None:
    """Where what an error speaks of stands in the user's text; None when that cannot be said."""
    if error.message.endswith("at end of input"):
        return Span(len(sql), len(sql))
    match = next((found for pattern in _NAMES if (found := pattern.search(error.message))), None)
    name = next((group for group in match.groups() if group), None) if match is not None else None
    if error.message == NO_VALUE:
        found = re.search(r"\$\w+", sql)
        return Span(*found.span()) if found else None
    places = _find_names(sql, name) if name else []
    marked = _find_mark(sql, error.mark) if error.mark is not None else None
    if marked is not None and len(places) != 1:
        return next((one for one in places if marked.start <= one.start < marked.end), marked)
    return places[-1 if error.message.startswith("Copy Function") else 0] if places else None


def _find_names(sql: str, name: str) -> list[Span]:
    """The places of a name; those within texts and comments when there are no others."""
    if name.startswith("$") and name[1:].isdecimal() and name not in sql:
        marks = [one.start() for one in re.finditer(rf"{_TEXTS.pattern}|(\?)", sql, re.DOTALL) if one[1]]
        return [Span(one, one + 1) for one in marks[int(name[1:]) - 1 :][:1]]
    pattern = rf"(?<![\w$]){re.escape(name)}(?!\w)"
    places = [Span(*found.span()) for found in re.finditer(pattern, sql, re.IGNORECASE)]
    texts = [found.span() for found in _TEXTS.finditer(sql)]
    return [one for one in places if not any(start < one.start < end for start, end in texts)] or places


def _find_mark(sql: str, mark: Mark) -> Span | None:
    """The place of what is marked: the text of the engine is the user's but for the sources."""
    pattern = rf"(?<!\w){re.escape(mark.text)}(?!\w)" if mark.text[0].isalnum() else re.escape(mark.text)
    places = [Span(*found.span()) for found in re.finditer(pattern, sql)]
    if len(places) < 2:
        return places[0] if places else None
    alike = [_count_alike(sql, place, mark) for place in places]
    best = max(alike)
    return places[alike.index(best)] if alike.count(best) == 1 else None


def _count_alike(sql: str, place: Span, mark: Mark) -> int:
    """How many letters next to a place are those next to the mark."""
    sides = ((reversed(sql[: place.start]), reversed(mark.before)), (sql[place.end :], mark.after))
    return sum(1 for side in sides for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*side, strict=False)))
