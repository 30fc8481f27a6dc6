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
    "TextReading",
    "TextSyntax",
    "Words",
]

Fuzziness = Literal[0, 1, 2, "auto"]
TextSyntax = Literal["query", "plain", "json"]


@dataclass(frozen=True)
class TextReading:
    """How a text query is read.

    Attributes:
        operator: What joins words side by side.
        fuzziness: That of words that carry none of their own.
        slop: That of phrases that carry none of their own.
        columns: The columns searched, which `column:` may name.
        others: The other columns of the table, which it may not.
        boosts: What each of the columns weighs; () for all alike.
    """

    operator: Literal["or", "and"] = "or"
    fuzziness: Fuzziness = 0
    slop: int = 0
    columns: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    boosts: tuple[float, ...] = ()


@dataclass(frozen=True)
class Words:
    """Words as the user wrote them.

    Attributes:
        operator: Whether one of them is enough (`or`) or each has to be there (`and`), in whichever of the columns.
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
    """Words that stand one behind the other, with at most `slop` other words between them."""

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
