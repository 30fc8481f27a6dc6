"""A text query, read: words, phrases, and what joins them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AllOf", "AnyOf", "Excluding", "Phrase", "TextQuery", "Words"]


@dataclass(frozen=True)
class Words:
    """Words as the user wrote them; any of them matches."""

    text: str


@dataclass(frozen=True)
class Phrase:
    """Words that stand one behind the other."""

    text: str


@dataclass(frozen=True)
class AllOf:
    """Every item matches."""

    items: tuple[TextQuery, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one item matches."""

    items: tuple[TextQuery, ...]


@dataclass(frozen=True)
class Excluding:
    """`wanted` matches and none of `unwanted` does."""

    wanted: TextQuery
    unwanted: tuple[TextQuery, ...]


TextQuery = Words | Phrase | AllOf | AnyOf | Excluding
