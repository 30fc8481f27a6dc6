"""`match()`, `highlight()` and `snippet()` as the relation calls them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from lancesql.catalog import TableInfo
from lancesql.errors import Span

from .text import TextReading, TextSyntax
from .values import Constant, Parameter

__all__ = ["TextFunction", "TextMatch", "TracedText", "restore_names"]


@dataclass(frozen=True)
class TracedText:
    """A column of a Lance table: its text index says how texts are cut into words."""

    table: TableInfo
    column: str


@dataclass(frozen=True)
class TextFunction:
    """One call. The relation knows the function by `placeholder`, and calls it with `arguments`.

    Attributes:
        arguments: What stands where: `text` for each text, then `query`, and whatever else of the call has a value.
        names: What each text is called, none like another.
        traced: Where each text comes from, as far as it is a column of a Lance table passed through.
        reading: How the query is read.
        escapes: Whether `&`, `<` and `>` of the text are written as HTML.
        query: The query, when it is the same for every row.
        spans: Where each argument stands in the user's text.
    """

    placeholder: str
    function: Literal["match", "highlight", "snippet"]
    arguments: tuple[str, ...]
    names: tuple[str, ...]
    traced: tuple[TracedText | None, ...]
    syntax: TextSyntax = "query"
    reading: TextReading = field(default_factory=TextReading)
    escapes: bool = False
    query: Constant | Parameter | None = None
    span: Span | None = None
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class TextMatch:
    """A predicate that is one `match()` over columns of the table it filters, or the opposite of one."""

    function: TextFunction
    negated: bool = False


def restore_names(text: str, functions: tuple[TextFunction, ...]) -> str:
    """A text that calls functions by their placeholders, as the user called them."""
    for one in functions:
        text = text.replace(f'"{one.placeholder}"', one.function)
    return text
