"""Sets of matching rows with their scores, and what AND, OR, NOT and boosts make of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any as Whatever

import numpy as np

from .terms import All, Any, Demoted, Except, Leaf, Node, Preferred, Scaled

__all__ = ["Matches", "join_matches"]

Numbers = np.ndarray[Whatever, Whatever]


@dataclass(frozen=True)
class Matches:
    """Rows that match, and the score of each.

    Attributes:
        ids: The row ids, in order, none twice.
        scores: The scores.
    """

    ids: Numbers
    scores: Numbers

    @staticmethod
    def sort(ids: Numbers, scores: Numbers) -> Matches:
        """Rows in any order."""
        order = np.argsort(ids, kind="stable")
        return Matches(ids[order].astype(np.uint64), scores[order].astype(np.float64))

    def keep(self, chosen: Numbers) -> Matches:
        """Some of the rows."""
        return Matches(self.ids[chosen], self.scores[chosen])

    def within(self, ids: Numbers) -> Matches:
        """The rows that are among others."""
        return self.keep(np.isin(self.ids, ids, assume_unique=True))


def join_matches(node: Node, find: Callable[[Leaf], Matches]) -> Matches:
    """What matches a query, given what matches each of its leaves."""
    match node:
        case All(items):
            first, *others = sorted((join_matches(item, find) for item in items), key=lambda one: len(one.ids))
            for other in others:
                first = first.within(other.ids)
            return _add(first, [other.within(first.ids) for other in others])
        case Any(items):
            return _add(Matches(np.empty(0, np.uint64), np.empty(0)), [join_matches(item, find) for item in items])
        case Preferred(required, optional):
            needed = join_matches(required, find)
            return _add(needed, [join_matches(optional, find).within(needed.ids)])
        case Except(wanted, unwanted):
            kept, refused = join_matches(wanted, find), join_matches(unwanted, find)
            return kept.keep(~np.isin(kept.ids, refused.ids, assume_unique=True))
        case Scaled(item, factor):
            found = join_matches(item, find)
            return Matches(found.ids, found.scores * factor)
        case Demoted(positive, negative, factor):
            praised, blamed = join_matches(positive, find), join_matches(negative, find)
            blamed = blamed.within(praised.ids)
            return _add(praised, [Matches(blamed.ids, blamed.scores * -factor)])
        case leaf:
            return find(leaf)


def _add(first: Matches, others: Sequence[Matches]) -> Matches:
    """The rows of any of them; scores of one row add up."""
    every = [first, *others]
    ids, places = np.unique(np.concatenate([one.ids for one in every]), return_inverse=True)
    scores = np.bincount(places, np.concatenate([one.scores for one in every]), len(ids))
    return Matches(ids, scores)
