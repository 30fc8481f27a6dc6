"""What EXPLAIN notes of a source: a line of its text, and a value of its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

__all__ = ["ConjunctNote", "Note", "Notes", "StrategyNote"]


@dataclass(frozen=True)
class ConjunctNote:
    """What became of a conjunct of a filter.

    Attributes:
        sql: The conjunct, on one line.
        where: Who evaluates it: what begins with `Lance` or `DuckDB`, or "" when its rows are known otherwise.
        text: What Lance is given, the reason why DuckDB evaluates it, or how its rows are known.

    Example:
        >>> str(ConjunctNote("sqrt(a) > 2", "DuckDB", "sqrt is not proved"))
        'sqrt(a) > 2 → DuckDB: sqrt is not proved'
    """

    sql: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.sql} → {self.where}: {self.text}" if self.where else f"{self.sql} → {self.text}"


@dataclass(frozen=True)
class StrategyNote:
    """How a vector search is answered.

    Attributes:
        kind: `exact`, `index` or `scan`.
        index: The index, for `index`.
        reason: Why.
        part: Which search of several it is, or "".
    """

    kind: str
    index: str | None
    reason: str
    part: str = ""

    def __str__(self) -> str:
        head = f"{self.part}: {self.kind}" if self.part else self.kind
        return f"{head} {self.index}: {self.reason}" if self.index else f"{head}: {self.reason}"

    def of(self, part: str) -> StrategyNote:
        """The same, said of a part of a search."""
        return replace(self, part=part)


Note = str | ConjunctNote | StrategyNote
Notes = Mapping[str, Sequence[Note]]
