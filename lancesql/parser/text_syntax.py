"""A text query in any of its three syntaxes → its tree, with what the arguments of the search say put into it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lancesql.plan.text import (
    AllOf,
    AnyOf,
    Boosted,
    Demoting,
    Excluding,
    InColumn,
    Phrase,
    Preferring,
    Prefix,
    TextQuery,
    TextReading,
    TextSyntax,
    Words,
)

from .text_json import parse_text_json, replace_surrogates
from .text_query import parse_text_query

__all__ = ["read_text_query"]

_LONGEST_HELD = 1_000


def read_text_query(query: str | Mapping[str, Any], syntax: TextSyntax, reading: TextReading) -> TextQuery:
    """The tree of a query: operators, fuzziness, slop and boosts of the arguments are in it.

    Example:
        >>> read_text_query("deep (sea", "plain", TextReading(fuzziness=1))
        Words(text='deep (sea', operator='or', fuzziness=1)
        >>> read_text_query("deep", "query", TextReading(columns=("title", "text"), boosts=(3.0, 1.0))) == AnyOf(
        ...     (Boosted(InColumn("title", Words("deep")), 3.0), InColumn("text", Words("deep"))))
        True

    Raises:
        ArgumentError: When it cannot be read; never for `plain`.
    """
    if not isinstance(query, str):
        return _weigh(parse_text_json(query, reading), reading)
    text = replace_surrogates(query)
    return (_read_again if len(text) <= _LONGEST_HELD else _read)(text, syntax, reading)


def _read(text: str, syntax: TextSyntax, reading: TextReading) -> TextQuery:
    match syntax:
        case "plain":
            query: TextQuery = Words(text, reading.operator, reading.fuzziness)
        case "json":
            query = parse_text_json(text, reading)
        case _:
            query = parse_text_query(text, reading)
    return _weigh(query, reading)


_read_again = lru_cache(maxsize=512)(_read)


def _weigh(query: TextQuery, reading: TextReading) -> TextQuery:
    """The query with every column's boost: what is asked of all columns is asked of each."""
    if all(factor == 1 for factor in reading.boosts):
        return query
    return _weigh_query(query, dict(zip(reading.columns, reading.boosts, strict=True)))


def _weigh_query(query: TextQuery, boosts: Mapping[str, float]) -> TextQuery:
    match query:
        case Words(text, "and") if len(parts := text.split()) > 1 and len(boosts) > 1:
            # Each word has to be there, in whichever column: they are asked for one by one.
            return AllOf(tuple(_spread(Words(part, "and", query.fuzziness), boosts) for part in parts))
        case Words() | Prefix() | Phrase():
            return _spread(query, boosts)
        case InColumn(column, _):
            return _boost(query, boosts[column])
        case Boosted(inner, factor):
            return Boosted(_weigh_query(inner, boosts), factor)
        case AllOf(items):
            return AllOf(tuple(_weigh_query(item, boosts) for item in items))
        case AnyOf(items):
            return AnyOf(tuple(_weigh_query(item, boosts) for item in items))
        case Preferring(required, optional):
            return Preferring(_weigh_query(required, boosts), tuple(_weigh_query(item, boosts) for item in optional))
        case Excluding(wanted, unwanted):
            return Excluding(_weigh_query(wanted, boosts), unwanted)
        case Demoting(positive, negative, factor):
            return Demoting(_weigh_query(positive, boosts), _weigh_query(negative, boosts), factor)


def _spread(query: TextQuery, boosts: Mapping[str, float]) -> TextQuery:
    if len(boosts) == 1:
        return _boost(query, next(iter(boosts.values())))
    return AnyOf(tuple(_boost(InColumn(column, query), factor) for column, factor in boosts.items()))


def _boost(query: TextQuery, factor: float) -> TextQuery:
    return query if factor == 1 else Boosted(query, factor)
