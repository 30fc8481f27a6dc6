"""The error tree: every error says what is wrong, where in the SQL, and what to do.

::

    LanceSQLError
    ├── ParseError            the text is not a statement
    ├── BindError             the statement names something that does not fit
    │   ├── UnknownTableError
    │   ├── UnknownColumnError
    │   ├── AmbiguousNameError
    │   ├── ArgumentError     an argument of a search: unknown, repeated, missing, or a bad value
    │   └── ParameterError    $name, $1 or ?: missing, unused, or of the wrong kind
    ├── UnsupportedError      understood, and refused
    ├── ExecutionError        the statement was right and could not be carried out
    │   ├── EngineError       DuckDB stopped while running the relation
    │   ├── StorageError      LanceDB stopped while reading or writing
    │   │   └── ConflictError     somebody else changed the same rows meanwhile, again and again
    │   ├── ConstraintError   a row breaks a rule of its table: NOT NULL, CHECK, a unique key, no NaN in a vector
    │   ├── CardinalityError  a row of a table meets two rows of the source, or two rows to insert have one key
    │   ├── ConversionError   a value does not fit the type of its column
    │   ├── EmbeddingError    the function that embeds texts is not there, failed, or gave no vectors
    │   ├── RerankError       a reranker cannot run, failed, or gave no score
    │   ├── QueryInterruptedError  `Connection.interrupt` stopped it
    │   ├── QueryTimeoutError      it took longer than the timeout
    │   └── RowLimitError          it has more rows than `max_rows`
    └── ConnectionClosedError

The base of all is caught by `except lancesql.LanceSQLError`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple

__all__ = [
    "AmbiguousNameError",
    "ArgumentError",
    "BindError",
    "CardinalityError",
    "ConflictError",
    "ConnectionClosedError",
    "ConstraintError",
    "ConversionError",
    "EmbeddingError",
    "EngineError",
    "ExecutionError",
    "LanceSQLError",
    "Mark",
    "ParameterError",
    "ParseError",
    "QueryInterruptedError",
    "QueryTimeoutError",
    "RerankError",
    "RowLimitError",
    "Span",
    "StorageError",
    "UnknownColumnError",
    "UnknownTableError",
    "UnsupportedError",
    "nearest_name",
]


class Span(NamedTuple):
    """A half-open range of characters `[start, end)` of the user's SQL text."""

    start: int
    end: int


class Mark(NamedTuple):
    """What DuckDB underlines in the text it was given, and the line before and behind it."""

    before: str
    text: str
    after: str


class LanceSQLError(Exception):
    """Base of every error that lancesql raises.

    Attributes:
        message: What is wrong, in one sentence.
        hint: What to do about it, or None.
        span: Where in `sql` it is, or None.
        sql: The statement, or None when the error has no place in one.
        mark: What DuckDB underlines, where the error is one of its own.

    Example:
        >>> print(UnknownTableError("table 'move' does not exist", hint="did you mean 'movies'?",
        ...                         sql="SELECT * FROM move", span=Span(14, 18)))
        table 'move' does not exist
        <BLANKLINE>
          LINE 1: SELECT * FROM move
                                ^^^^
        <BLANKLINE>
          Hint: did you mean 'movies'?
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        span: Span | None = None,
        sql: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.span = span
        self.sql = sql
        self.mark: Mark | None = None

    def locate(self, sql: str, offset: int = 0) -> LanceSQLError:
        """Says which text the span belongs to; `offset` is where that text starts in `sql`."""
        if self.sql is None:
            self.sql = sql
            if self.span is not None:
                self.span = Span(self.span.start + offset, self.span.end + offset)
        return self

    def __str__(self) -> str:
        parts = [self.message]
        if self.sql is not None and self.span is not None:
            parts.append(_draw_caret(self.sql, self.span))
        if self.hint:
            parts.append(f"  Hint: {self.hint}")
        return "\n\n".join(parts)


class ParseError(LanceSQLError):
    """The text is not a statement lancesql or DuckDB can read."""


class BindError(LanceSQLError):
    """The statement names something that does not exist or does not fit."""


class UnknownTableError(BindError):
    """No table of that name in LanceDB, in DuckDB or among the caller's variables."""


class UnknownColumnError(BindError):
    """No column of that name in the table."""


class AmbiguousNameError(BindError):
    """A name that means two things."""


class ArgumentError(BindError):
    """An argument of a search is unknown, repeated, missing, or has a bad value."""


class ParameterError(BindError):
    """A parameter is missing, unused, or of the wrong kind."""


class UnsupportedError(LanceSQLError):
    """The statement is understood, and lancesql refuses it."""


class ExecutionError(LanceSQLError):
    """The statement was right and could not be carried out."""


class EngineError(ExecutionError):
    """DuckDB stopped while it ran the relation.

    Attributes:
        condition: What DuckDB calls this kind of error, in lower case: `conversion`, `constraint`, `out of range`, …
    """

    condition: str = ""


class ConstraintError(ExecutionError):
    """A row breaks a rule of its table: NOT NULL, CHECK, a key that has to be unique, no NaN in a vector."""


class CardinalityError(ExecutionError):
    """A row of a table meets more than one row of the source, or two rows to insert have the same key."""


class ConversionError(ExecutionError):
    """A value does not fit the type of its column without loss."""


class StorageError(ExecutionError):
    """LanceDB stopped while it read or wrote."""


class RerankError(ExecutionError):
    """A reranker needs something that is not there, failed, or gave a row no score."""


class EmbeddingError(ExecutionError):
    """The function that embeds texts cannot be loaded, raised an error, or gave what cannot be their vectors."""


class ConflictError(StorageError):
    """Somebody else changed the same rows of a table meanwhile, each time the statement was tried."""


class QueryInterruptedError(ExecutionError):
    """The statement was stopped by `Connection.interrupt`."""


class QueryTimeoutError(ExecutionError):
    """The statement took longer than its timeout."""


class RowLimitError(ExecutionError):
    """The result has more rows than `max_rows` allows."""


class ConnectionClosedError(LanceSQLError):
    """The connection was closed."""


def nearest_name(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `name`, ignoring case; None when nothing is close.

    Example:
        >>> nearest_name("nprobe", ["k", "nprobes", "metric"])
        'nprobes'
    """
    folded = {candidate.lower(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


_WIDTH = 100


def _draw_caret(sql: str, span: Span) -> str:
    start = min(span.start, len(sql))
    line_start = sql.rfind("\n", 0, start) + 1
    line_end = sql.find("\n", start)
    line_end = len(sql) if line_end < 0 else line_end
    line = sql[line_start:line_end].replace("\t", " ")
    at = start - line_start
    width = max(1, min(span.end, line_end) - start)
    if len(line) > _WIDTH:  # a literal vector can be thousands of characters long
        left = max(0, at - _WIDTH // 2)
        cut = line[left : left + _WIDTH]
        at -= left
        if left:
            cut, at = "…" + cut, at + 1
        if left + _WIDTH < len(line):
            cut += "…"
        line = cut
    width = min(width, max(1, len(line) - at))
    label = f"LINE {sql.count(chr(10), 0, start) + 1}: "
    return f"  {label}{line}\n  {' ' * (len(label) + at)}{'^' * width}"
