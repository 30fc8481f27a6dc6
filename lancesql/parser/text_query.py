"""The query language of `fts()`: words, "phrases", AND, OR, NOT and parentheses."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lancesql.errors import ArgumentError, Span
from lancesql.plan.text import AllOf, AnyOf, Excluding, Phrase, TextQuery, Words

__all__ = ["parse_text_query"]

_TOKEN = re.compile(r'\s*(?:(?P<open>\()|(?P<close>\))|"(?P<phrase>[^"]*)"(?P<slop>~\d*)?|(?P<word>[^\s()"]+))')
_RESERVED = re.compile(r"^[+\-]\w|^\w+:\S|\w\*$|\w~\d*$|\w\^[\d.]+$")


@dataclass
class _Reader:
    text: str
    tokens: list[tuple[str, str, Span]]
    adjacent_and: bool
    at: int = 0

    def peek(self) -> tuple[str, str, Span] | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, kind: str, value: str | None = None) -> bool:
        token = self.peek()
        if token is None or token[0] != kind or (value is not None and token[1] != value):
            return False
        self.at += 1
        return True


def parse_text_query(text: str, operator: str = "or") -> TextQuery:
    """Reads a text query. Words side by side are joined by `operator`; AND binds closer than OR; NOT closest.

    Example:
        >>> parse_text_query('"neural network"')
        Phrase(text='neural network', slop=0)
        >>> parse_text_query("deep AND learning") == AllOf((Words("deep"), Words("learning")))
        True

    Raises:
        ArgumentError: When an operator stands where it means nothing; the span is one of `text`.
    """
    reader = _Reader(text, _read_tokens(text), operator == "and")
    if not reader.tokens:
        return Words("")
    query = _read_any(reader)
    left = reader.peek()
    if left is not None:
        raise _refuse(text, f"'{left[1]}' is not expected here", left[2])
    return query


def _read_tokens(text: str) -> list[tuple[str, str, Span]]:
    tokens: list[tuple[str, str, Span]] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            quote = text.index('"', position)
            raise _refuse(text, "the quotation mark is not closed", Span(quote, quote + 1))
        kind = match.lastgroup or ""
        kind = "phrase" if kind == "slop" else kind
        span = Span(match.start(kind), match.end())
        value = match.group(kind)
        if kind == "phrase" and match.group("slop"):
            raise _refuse(text, "a distance behind a phrase is not supported", span)
        if kind == "word" and value in ("AND", "OR", "NOT"):
            kind = "operator"
        elif kind == "word" and _RESERVED.search(value):
            raise _refuse(text, f"the operator in '{value}' is not supported", span)
        tokens.append((kind, value, span))
        position = match.end()
    return tokens


def _read_any(reader: _Reader) -> TextQuery:
    items = [_read_all(reader)]
    while True:
        token = reader.peek()
        if token is None or token[0] == "close":
            break
        reader.take("operator", "OR")
        items.append(_read_all(reader))
    return _join_any(items)


def _read_all(reader: _Reader) -> TextQuery:
    wanted: list[TextQuery] = []
    unwanted: list[TextQuery] = []
    start = reader.peek()
    while True:
        negated = reader.take("operator", "NOT")
        (unwanted if negated else wanted).append(_read_primary(reader))
        if reader.take("operator", "AND"):
            continue
        following = reader.peek()
        if following is None or following[0] == "close" or following[:2] == ("operator", "OR"):
            break
        if following[:2] != ("operator", "NOT") and not reader.adjacent_and:
            break
    if not wanted:
        assert start is not None
        raise _refuse(reader.text, "NOT needs something that is wanted beside it", start[2])
    query = wanted[0] if len(wanted) == 1 else AllOf(tuple(wanted))
    return Excluding(query, tuple(unwanted)) if unwanted else query


def _read_primary(reader: _Reader) -> TextQuery:
    token = reader.peek()
    if token is None:
        end = len(reader.text)
        raise _refuse(reader.text, "a word is missing at the end", Span(max(end - 1, 0), end))
    kind, value, span = token
    reader.at += 1
    if kind == "word":
        return Words(value)
    if kind == "phrase":
        return Phrase(value)
    if kind == "open":
        query = _read_any(reader)
        if not reader.take("close"):
            raise _refuse(reader.text, "the parenthesis is not closed", span)
        return query
    raise _refuse(reader.text, f"'{value}' is not expected here", span)


def _join_any(items: list[TextQuery]) -> TextQuery:
    joined: list[TextQuery] = []
    for item in items:
        previous = joined[-1] if joined else None
        if isinstance(item, Words) and isinstance(previous, Words):
            joined[-1] = Words(f"{previous.text} {item.text}")
        else:
            joined.append(item)
    return joined[0] if len(joined) == 1 else AnyOf(tuple(joined))


def _refuse(text: str, message: str, span: Span) -> ArgumentError:
    return ArgumentError(
        f"text query: {message}",
        hint="syntax => 'plain' takes every word as a word; operators are AND, OR, NOT, \"…\" and parentheses",
        span=span,
        sql=text,
    )
