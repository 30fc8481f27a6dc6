"""What a macro is, by the functions that it calls."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["find_calls", "spread_calls"]

_CALLED = re.compile(r"(\w+)\s*\(")


def find_calls(definition: str) -> set[str]:
    """The names of the functions that a definition calls."""
    return set(_CALLED.findall(definition))


def spread_calls(functions: set[str], called: Mapping[str, set[str]]) -> frozenset[str]:
    """The functions, and the macros that call one of them, however deep; `called` are the functions a macro calls.

    Example:
        >>> sorted(spread_calls({"random"}, {"dice": {"floor", "random"}, "throw": {"dice"}, "twice": {"add"}}))
        ['dice', 'random', 'throw']
    """
    while spread := {name for name, names in called.items() if names & functions} - functions:
        functions = functions | spread
    return frozenset(functions)
