"""Which way each part of a text query goes: by the index, by the index and a look at texts, or by the texts alone."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from .indexes import TextIndex, compile_query
from .terms import Chain, Leaf, Similar

__all__ = ["Route", "choose_route"]


class Route(Enum):
    """How a leaf is answered.

    Attributes:
        INDEX: By the index alone.
        CHECK: The index finds the rows with every word; their texts are looked at for the order.
        TEXTS: Every text of the column is looked at.
    """

    INDEX = "index"
    CHECK = "check"
    TEXTS = "texts"


def choose_route(leaf: Leaf, indexes: Mapping[str, TextIndex]) -> Route:
    """The cheapest way that gives exactly the rows of a leaf, and their scores."""
    if compile_query(leaf, indexes) is not None:
        return Route.INDEX
    index = indexes.get(leaf.column)
    if index is None or not index.finds_rows or not isinstance(leaf, Chain):
        return Route.TEXTS
    return Route.TEXTS if any(isinstance(term, Similar) for term, _ in leaf.parts) else Route.CHECK
