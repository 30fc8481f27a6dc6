"""A text put together of parts of the user's statement, and where each part of it came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lancesql.errors import LanceSQLError, Span

from .expansion import Expansion, place_error

__all__ = ["Composition", "compose"]


@dataclass(frozen=True)
class Composition:
    """A query that stands for a statement which is none.

    Attributes:
        sql: The user's text.
        text: The query.
        parts: What was taken over as it stood: where it is in `text`, and in `sql`.
        expansion: What `sql` itself was written out from.
    """

    sql: str
    text: str
    parts: tuple[tuple[Span, Span], ...]
    expansion: Expansion | None = None

    def place_error(self, error: LanceSQLError) -> LanceSQLError:
        """The error with its place in the user's text, or without one when it is in nothing the user wrote.

        Example:
            >>> composed = compose("DELETE FROM t WHERE x", ["SELECT 1 FROM ", Span(12, 13)])
            >>> composed.place_error(LanceSQLError("no t", span=Span(14, 15))).span
            Span(start=12, end=13)
        """
        if error.sql is not None and error.sql != self.text:
            return error
        error.sql = None
        if error.span is not None:
            error.span = self._place(error.span)
        return error if self.expansion is None else place_error(error, self.expansion)

    def _place(self, span: Span) -> Span | None:
        for there, here in self.parts:
            if there.start <= span.start < there.end:
                start = here.start + span.start - there.start
                return Span(start, min(start + span.end - span.start, here.end))
        return None


def compose(sql: str, parts: Iterable[str | Span | tuple[str, Span]]) -> Composition:
    """A text of parts: a span is what stands there in `sql`; a text may stand for one."""
    text: list[str] = []
    places: list[tuple[Span, Span]] = []
    at = 0
    for part in parts:
        if isinstance(part, Span):
            part = (sql[part.start : part.end], part)  # noqa: PLW2901 - a text that stands for itself
        written, place = (part, None) if isinstance(part, str) else part
        if place is not None:
            places.append((Span(at, at + len(written)), place))
        text.append(written)
        at += len(written)
    return Composition(sql, "".join(text), tuple(places))
