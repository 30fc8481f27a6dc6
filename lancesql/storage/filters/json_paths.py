"""Texts inside a JSON column: `column ->> path` compared through the JSON of what lies there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lancesql.plan.predicates import Column

from .clauses import Clause, UnrenderableError, name_column
from .values import describe_value

__all__ = ["write_json_in"]

_WHOLE = re.compile(r"-?[1-9][0-9]{0,14}|0")
_NO_TEXT = re.compile(r"[-0-9\[{]")
"""What a number, a list or an object begins with, whose text depends on who writes it."""


def write_json_in(column: Column, items: Sequence[object], truth: bool) -> Clause:
    """Whether the text at the path is one of the items, or another text."""
    found = [json for item in items for json in _write_items(item)]
    listed = ", ".join("'" + json.replace("'", "''") + "'" for json in (found if truth else [*found, "null"]))
    return Clause(f"{name_column(column)} {'' if truth else 'NOT '}IN ({listed})")


def _write_items(item: object) -> list[str]:
    """The JSON whose text is the item: the text in quotes, and a whole number or a truth value without them."""
    if not isinstance(item, str):
        raise UnrenderableError(f"the text in a JSON column is compared with a {describe_value(item)}")
    if any(letter in '"\\\x7f' or letter < " " for letter in item):
        raise UnrenderableError("JSON writes such a text with escapes")
    if item in ("true", "false") or _WHOLE.fullmatch(item):
        return [f'"{item}"', item]
    if _NO_TEXT.match(item):
        raise UnrenderableError("it might be a number, a list or an object, whose text depends on who writes it")
    return [f'"{item}"']
