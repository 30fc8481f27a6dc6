"""The searches that a search is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .sources import FullTextSearch, FusedSearch, RerankedSearch, Search, Source, VectorSearch

__all__ = ["change_parts", "list_leaves", "list_parts"]


def list_parts(source: Source) -> tuple[Search, ...]:
    """The searches that a search is made of."""
    match source:
        case FusedSearch():
            return source.legs
        case RerankedSearch():
            return (source.search,)
        case _:
            return ()


def list_leaves(source: Source) -> tuple[VectorSearch | FullTextSearch, ...]:
    """The vector and text searches that a search comes down to."""
    if isinstance(source, VectorSearch | FullTextSearch):
        return (source,)
    return tuple(leaf for part in list_parts(source) for leaf in list_leaves(part))


def change_parts(source: Any, change: Callable[[Any], Any]) -> Any:
    """The search, each of those it is made of changed."""
    match source:
        case FusedSearch():
            return replace(source, legs=tuple(change(leg) for leg in source.legs))
        case RerankedSearch():
            return replace(source, search=change(source.search))
        case _:
            return source
