"""What DuckDB says of its functions, and what a macro is by those that it calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["KnownFunctions", "find_calls", "spread_calls"]

_CALLED = re.compile(r"(\w+)\s*\(")
_PRIVATE = "__lancesql_"
"""What the names of functions begin with that are there for one statement."""
_BEFORE_PARENTHESES = frozenset(
    {"and", "or", "not", "in", "any", "all", "some", "exists", "case", "when", "then", "else", "between", "like", "is",
     "cast", "try_cast", "try", "coalesce", "ifnull", "extract", "array", "columns", "grouping", "rollup", "cube",
     "decimal", "numeric", "varchar", "select", "where", "from", "as", "on", "values", "over", "filter", "distinct"}
)  # fmt: skip
"""Words that stand before a parenthesis and are no functions that can be made, or looked up."""


class KnownFunctions:
    """The functions of a connection, as they were when one was last looked up.

    Attributes:
        volatile: Those that may answer differently for the same arguments.
        row_changing: Those that make one row of several, or several of one.
    """

    def __init__(self) -> None:
        self.volatile: frozenset[str] = frozenset()
        self.row_changing: frozenset[str] = frozenset()
        self._known: frozenset[str] = frozenset()

    def look_up(self, function: str, query: Callable[[str, object], list[tuple[Any, ...]]]) -> None:
        """Asks for all of them, when that one is not known yet: it may have been made at any moment."""
        if function in self._known or function in _BEFORE_PARENTHESES or function.startswith(_PRIVATE):
            return
        rows = query(
            "SELECT lower(function_name), bool_or(stability = 'VOLATILE'), bool_or(function_type = 'aggregate'), "
            "string_agg(lower(macro_definition), ' ') FROM duckdb_functions() GROUP BY 1",
            None,
        )
        called = {name: find_calls(definition) for name, _, _, definition in rows if definition}
        self._known = frozenset(row[0] for row in rows)
        self.volatile = spread_calls({name for name, is_volatile, _, _ in rows if is_volatile}, called)
        self.row_changing = spread_calls({"unnest", *(name for name, _, aggregates, _ in rows if aggregates)}, called)


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
