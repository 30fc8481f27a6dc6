"""Texts that become vectors: the calls of `embed()` in a statement, and what is said where no function embeds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lancesql.catalog import EmbeddingInfo, TableInfo
from lancesql.errors import ArgumentError, Span, nearest_name

__all__ = ["EmbedFunction", "Role", "refuse_text"]

Role = Literal["query", "source"]
"""Whether a text is looked for, or stored: some models embed the two differently."""


@dataclass(frozen=True)
class EmbedFunction:
    """A function of the engine that a statement calls in the place of `embed()`.

    Attributes:
        name: Its name in the relation.
        table: The table of the column whose vectors it makes; the name alone when the table does not exist yet.
        span: Where the call stands in the text that is planned.
    """

    name: str
    table: TableInfo | str
    column: str
    role: Role = "query"
    span: Span | None = None


def refuse_text(table: str, column: str, registered: Sequence[EmbeddingInfo], span: Span | None) -> ArgumentError:
    """The error of a text that stands for a vector of a column without an embedding function."""
    names = [f"{one.table}.{one.column}" for one in registered]
    near = nearest_name(f"{table}.{column}", [name for name in names if name.lower() != f"{table}.{column}".lower()])
    meant = f"did you mean '{near}' when you registered it? " if near else ""
    listed = f"; registered: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}" if names else ""
    return ArgumentError(
        f"a text stands where a vector is expected, and column '{table}.{column}' has no embedding function",
        hint=f"{meant}register one, make the table with one, or pass the vector itself as a parameter{listed}\n\n"
        f"    db.register_embedding('{table}', '{column}', function)  # a list of texts → a vector for each\n"
        f"    {column}: Vector(…) = function.VectorField()  # in the LanceModel that LanceDB makes the table of",
        span=span,
    )
