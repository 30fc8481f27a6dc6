"""The queries of `match()`, `highlight()` and `snippet()`, read."""

from __future__ import annotations

from lancesql.errors import ArgumentError, LanceSQLError
from lancesql.execution.run import Run, evaluate
from lancesql.parser.text_syntax import read_text_query
from lancesql.plan.text import TextQuery
from lancesql.plan.text_functions import TextFunction

__all__ = ["read_function_query", "read_query"]


def read_function_query(function: TextFunction, run: Run) -> TextQuery | None:
    """The query that is the same for every row; None for NULL.

    Raises:
        ArgumentError: When it is no text, or cannot be read.
    """
    assert function.query is not None
    raw = evaluate(function.query, run)
    if raw is None:
        return None
    if not isinstance(raw, str):
        raise ArgumentError(f"the text query is a text, not {type(raw).__name__}", span=function.query.span)
    return read_query(function, raw)


def read_query(function: TextFunction, raw: str) -> TextQuery:
    """The tree of a query's text.

    Raises:
        ArgumentError: With its place in that text.
    """
    try:
        return read_text_query(raw, function.syntax, function.reading)
    except LanceSQLError as error:
        error.sql = error.sql or raw
        raise
