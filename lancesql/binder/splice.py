"""Replacing spans of the user's text; everything else stays as it was written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lancesql.errors import Span
from lancesql.parser import Statement
from lancesql.plan.expansion import Expansion, Piece

__all__ = ["Edit", "number_parameters", "splice", "write_expansion"]


@dataclass(frozen=True)
class Edit:
    """`span` of the text becomes `text`."""

    span: Span
    text: str


def splice(sql: str, edits: Iterable[Edit], span: Span | None = None) -> str:
    """The text, or one span of it, with the edits that lie inside applied.

    Example:
        >>> splice("SELECT * FROM movies m", [Edit(Span(14, 20), '"s0"')])
        'SELECT * FROM "s0" m'
    """
    start, end = span if span is not None else Span(0, len(sql))
    parts: list[str] = []
    at = start
    for edit in sorted(edits, key=lambda edit: edit.span):
        if edit.span.start < at or edit.span.end > end:
            continue
        parts += [sql[at : edit.span.start], edit.text]
        at = edit.span.end
    parts.append(sql[at:end])
    return "".join(parts)


def number_parameters(statement: Statement) -> list[Edit]:
    """Each `?` as the numbered parameter it is: the part it stands in may go to another place."""
    return [Edit(use.span, f"${use.name}") for use in statement.parameters if use.anonymous]


def write_expansion(statement: Statement, edits: Iterable[Edit]) -> Expansion:
    """The statement with the edits applied; each `?` outside them is a numbered parameter from then on."""
    written = list(edits)
    written += [
        edit
        for edit in number_parameters(statement)
        if not any(one.span.start <= edit.span.start < one.span.end for one in written)
    ]
    written.sort(key=lambda edit: edit.span)
    pieces: list[Piece] = []
    shift = 0
    for edit in written:
        pieces.append(Piece("", Span(edit.span.start + shift, edit.span.start + shift + len(edit.text)), edit.span))
        shift += len(edit.text) - (edit.span.end - edit.span.start)
    return Expansion(statement.sql, splice(statement.sql, written), tuple(pieces))
