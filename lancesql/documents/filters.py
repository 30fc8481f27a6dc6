"""Filters over the metadata of documents, from the dicts that frameworks write them as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lancesql.errors import ArgumentError, nearest_name

__all__ = ["OPERATORS", "Condition", "Filter", "Group", "SQLText", "parse_filter"]

OPERATORS = (
    "eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "between", "exists", "like", "ilike", "contains", "any", "all",
    "empty", "part", "ipart",
)  # fmt: skip
"""What a condition may ask. `contains`, `any` and `all` are about a list of values, `part` and `ipart` about a text."""
_HIDDEN = ("empty", "part", "ipart")
_SPELLINGS = {"not": "not", "and": "and", "or": "or"}


@dataclass(frozen=True)
class Condition:
    """What is asked of one key."""

    key: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Group:
    """Several filters: all, any or none of them hold."""

    word: Literal["and", "or", "not"]
    parts: tuple[Filter, ...]


@dataclass(frozen=True)
class SQLText:
    """A predicate of SQL over the columns of the table."""

    text: str


Filter = Condition | Group | SQLText


def parse_filter(given: object) -> Filter | None:
    """The filter that a dict, a text of SQL, or None stands for.

    Raises:
        ArgumentError: It is none of these, or has an operator that is not known.

    Example:
        >>> parse_filter({"year": {"$gte": 1980, "$lt": 1990}, "genre": "horror"}).parts[2]
        Condition(key='genre', operator='eq', value='horror')
    """
    if given is None or isinstance(given, Condition | Group | SQLText):
        return given
    if isinstance(given, str):
        return SQLText(given)
    if not isinstance(given, Mapping):
        raise ArgumentError(
            f"a filter is a dict or a predicate of SQL, not {type(given).__name__}",
            hint="{'year': {'$gte': 1980}} or \"year >= 1980\"",
        )
    parts: list[Filter] = []
    for key, value in given.items():
        if not str(key).startswith("$"):
            parts += _parse_key(str(key), value)
            continue
        word = str(key)[1:]
        if word not in ("and", "or", "not"):
            near = nearest_name(str(key), ["$and", "$or", "$not"])
            raise ArgumentError(
                f"'{key}' joins no filters", hint=f"did you mean '{near}'?" if near else "$and, $or, $not"
            )
        inner = list(value) if isinstance(value, list | tuple) else [value]
        parsed = [one for one in map(parse_filter, inner) if one is not None]
        parts.append(Group("and" if word == "and" else "or" if word == "or" else "not", tuple(parsed)))
    return parts[0] if len(parts) == 1 else Group("and", tuple(parts))


def _parse_key(key: str, value: object) -> list[Filter]:
    if not isinstance(value, Mapping):
        return [Condition(key, "eq", value)]
    parts: list[Filter] = []
    known = [f"${one}" for one in OPERATORS if one not in _HIDDEN]
    for name, operand in value.items():
        if name == "$not":
            parts.append(Group("not", tuple(_parse_key(key, operand))))
        elif name in known:
            parts.append(Condition(key, str(name)[1:], operand))
        else:
            near = nearest_name(str(name), known)
            listed = f"operators: {', '.join(known)}, $not"
            raise ArgumentError(
                f"'{name}' is no operator of a filter on '{key}'",
                hint=f"did you mean '{near}'? {listed}" if near else listed,
            )
    return parts
