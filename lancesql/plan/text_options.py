"""What a text search says beyond its query and k: how the query is read, and what its columns weigh."""

from __future__ import annotations

from dataclasses import dataclass

from .values import Value

__all__ = ["TextOptions"]


@dataclass(frozen=True)
class TextOptions:
    """How a text query is read; None and NULL for what is not given.

    Attributes:
        operator: What joins words side by side: `or` (the default), `and`.
        syntax: `query` (the default) reads operators, `plain` takes any text as words, `json` is the structured form.
        fuzziness: That of words that carry none: 0, 1, 2, `auto`.
        slop: That of phrases that carry none.
        boosts: What each column weighs: by name, or in the order of the columns.
    """

    operator: Value | None = None
    syntax: Value | None = None
    fuzziness: Value | None = None
    slop: Value | None = None
    boosts: Value | None = None
