"""A search for documents, as the call of a search function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from lancesql.errors import ArgumentError, UnsupportedError, nearest_name

__all__ = ["SCORES", "Search", "make_search", "write_call"]

SCORES = {"vector": "_distance", "mmr": "_distance", "text": "_score", "hybrid": "_relevance_score"}
"""The ways to search, and the column each orders by."""


@dataclass(frozen=True)
class Search:
    """What is searched for.

    Attributes:
        mode: The way.
        vector: What is searched for, but by `text`.
        text: What is searched for by `text` and `hybrid`.
        k: How many.
        filter: Applied before the top-k.
        ids: Only these.
        options: Arguments of the search function; None is left out.
    """

    mode: str
    vector: Sequence[float] | None = None
    text: str | None = None
    k: int = 4
    filter: object = None
    ids: Sequence[str] | None = None
    options: Mapping[str, object] = field(default_factory=dict)


def make_search(mode: str, given: Mapping[str, Any]) -> Search:
    """A search of what is given by name; what it has no name for are options.

    Raises:
        ArgumentError: There is no such way to search.
    """
    if mode not in SCORES:
        near = nearest_name(mode, list(SCORES))
        hint = f"did you mean '{near}'?" if near else ", ".join(SCORES)
        raise ArgumentError(f"'{mode}' is no way to search", hint=hint)
    own = {one.name for one in fields(Search)} - {"mode", "options"}
    options = {name: value for name, value in given.items() if name not in own}
    return Search(mode, **{name: value for name, value in given.items() if name in own}, options=options)


def write_call(search: Search, table: str, text: str, vector: str, metric: str) -> tuple[str, dict[str, object]]:
    """The call in SQL, and its values by the names of the parameters.

    Args:
        search: The search.
        table: The name of the table.
        text: The column of the text.
        vector: The column of the vector.
        metric: How vectors are compared, unless the options say.
    """
    is_hybrid = search.mode == "hybrid"
    arguments = [_write_literal(table)]
    values: dict[str, object] = {}
    if search.mode != "text":
        arguments += [f"{'vector_column' if is_hybrid else 'column'} => {_write_literal(vector)}"]
        arguments += [f"{'vector' if is_hybrid else 'query'} => $vector"]
        arguments += [] if "metric" in search.options else [f"metric => {_write_literal(metric)}"]
        values["vector"] = list(search.vector or ())
    if search.mode in ("text", "hybrid"):
        arguments += [f"{'text_columns' if is_hybrid else 'columns'} => {_write_literal(text)}"]
        arguments += [f"{'text' if is_hybrid else 'query'} => $text"]
        arguments += [] if "syntax" in search.options else ["syntax => 'plain'"]
        values["text"] = search.text
    arguments += [f"k => {int(search.k)}"]
    given = {name: value for name, value in search.options.items() if value is not None}
    arguments += [f"{name} => {_write_literal(value)}" for name, value in given.items()]
    function = {"text": "fts", "hybrid": "hybrid_search"}.get(search.mode, "vector_search")
    return f"{function}({', '.join(arguments)})", values


def _write_literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_write_literal, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_write_literal(key)}: {_write_literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise UnsupportedError(f"a {type(value).__name__} cannot be an argument of a search")
