"""A conjunct on its way to the Lance tables that can be read with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from lancesql.errors import Span

__all__ = ["Moving"]


@dataclass(frozen=True)
class Moving:
    """A conjunct on its way inwards.

    Attributes:
        places: Where the text names a column, and which column of the relation at hand that is, in lower case.
        transferred: Whether an equality brought it to the relation at hand, from the one the user named.
        barrier: Why it may go no further, once that is so; it is carried on for EXPLAIN to say so at the scan.
    """

    text: str
    tree: exp.Expr
    span: Span
    places: tuple[tuple[Span, str], ...]
    barrier: str = ""
    transferred: bool = False

    @property
    def names(self) -> set[str]:
        """The columns it reads."""
        return {name for _, name in self.places}

    def rename(self, names: dict[str, str]) -> Moving:
        """The same with the columns one level further in."""
        return replace(self, places=tuple((span, names[name]) for span, name in self.places))
