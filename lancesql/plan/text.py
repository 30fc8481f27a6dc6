"""A text query, read: words, phrases, and what joins them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "AllOf",
    "AnyOf",
    "Boosted",
    "Demoting",
    "Excluding",
    "Fuzziness",
    "InColumn",
    "Phrase",
    "Preferring",
    "Prefix",
    "TextQuery",
    "Words",
]

Fuzziness = Literal[0, 1, 2, "auto"]


@dataclass(frozen=True)
class Words:
    """Words as the user wrote them.

    Attributes:
        operator: Whether one of them is enough (`or`) or each has to be there (`and`).
        fuzziness: How many letters of a word may differ; `auto`: none up to two letters, one up to five, else two.
    """

    text: str
    operator: Literal["or", "and"] = "or"
    fuzziness: Fuzziness = 0


@dataclass(frozen=True)
class Prefix:
    """A word that begins so."""

    text: str


@dataclass(frozen=True)
class Phrase:
    """Words that stand one behind the other, with at most `slop` moves between them."""

    text: str
    slop: int = 0


@dataclass(frozen=True)
class InColumn:
    """`query` asked of one of the columns searched."""

    column: str
    query: TextQuery


@dataclass(frozen=True)
class Boosted:
    """`query`, its score times `factor`."""

    query: TextQuery
    factor: float


@dataclass(frozen=True)
class AllOf:
    """Every item matches; the scores add up."""

    items: tuple[TextQuery, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one item matches; the scores of those that do add up."""

    items: tuple[TextQuery, ...]


@dataclass(frozen=True)
class Preferring:
    """`required` matches; what of `optional` matches only adds to the score."""

    required: TextQuery
    optional: tuple[TextQuery, ...]


@dataclass(frozen=True)
class Excluding:
    """`wanted` matches and none of `unwanted` does."""

    wanted: TextQuery
    unwanted: tuple[TextQuery, ...]


@dataclass(frozen=True)
class Demoting:
    """`positive` matches; the score of `negative`, times `factor`, is taken off where it matches too."""

    positive: TextQuery
    negative: TextQuery
    factor: float


TextQuery = Words | Prefix | Phrase | InColumn | Boosted | AllOf | AnyOf | Preferring | Excluding | Demoting
