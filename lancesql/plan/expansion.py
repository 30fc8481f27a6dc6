"""A statement whose views and searches over subqueries are written out, and where each part of it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lancesql.errors import LanceSQLError, Span

__all__ = ["Expansion", "Piece", "place_error"]


@dataclass(frozen=True)
class Piece:
    """The query of a view within the expanded text.

    Attributes:
        view: The view's name; "" for a part that is written out for another reason.
        span: Where the query stands in the expanded text.
        reference: Where the name stands in the user's text.
    """

    view: str
    span: Span
    reference: Span


@dataclass(frozen=True)
class Expansion:
    """A statement before and after.

    Attributes:
        sql: The user's text.
        text: The text that is planned.
        pieces: The views, in the order of the text.
        inner: What was written out in `text` after that.
    """

    sql: str
    text: str
    pieces: tuple[Piece, ...]
    inner: Expansion | None = None


def place_error(error: LanceSQLError, expansion: Expansion) -> LanceSQLError:
    """The error with its place in the user's text; one within a view stands at the view's name, and names it.

    Example:
        >>> expansion = Expansion("FROM v, t", "FROM (FROM u), t", (Piece("v", Span(5, 13), Span(5, 6)),))
        >>> error = place_error(LanceSQLError("no t", span=Span(15, 16)), expansion)
        >>> error.span
        Span(start=8, end=9)
    """
    if expansion.inner is not None:
        error = place_error(error, expansion.inner)
    if error.sql is not None and error.sql != expansion.text:
        return error
    error.sql = None
    if error.span is not None:
        error.span = _place(error, error.span, expansion)
    return error


def _place(error: LanceSQLError, span: Span, expansion: Expansion) -> Span:
    shift = 0
    for piece in expansion.pieces:
        if span.end <= piece.span.start:
            break
        if span.start < piece.span.end:
            if piece.view:
                error.message = f"in view '{piece.view}': {error.message}"
                return piece.reference
            return _find_word(expansion.text[span.start : span.end], expansion.sql) or piece.reference
        shift += _measure(piece.span) - _measure(piece.reference)
    return Span(span.start - shift, span.end - shift)


def _find_word(word: str, sql: str) -> Span | None:
    """Where a word of a part that is written out stands in the user's text, from which it was taken."""
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", sql) if word else None
    return None if found is None else Span(found.start(), found.end())


def _measure(span: Span) -> int:
    """The number of characters of a span."""
    return span.end - span.start
