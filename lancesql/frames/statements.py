"""What a frame asks: one SELECT over one source, its values bound, and whoever answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import pyarrow as pa

from lancesql.errors import ArgumentError, Span
from lancesql.plan.spelling import quote_name

__all__ = [
    "Asker",
    "Bound",
    "Description",
    "Piece",
    "Statement",
    "StatementWriter",
    "name_table",
    "write_word",
]


@dataclass(frozen=True)
class Bound:
    """A value in a piece of SQL, which becomes a parameter."""

    value: object


Piece = tuple[str | Bound, ...]
"""A piece of SQL: text, and values between."""


@dataclass(frozen=True)
class Statement:
    """A query and what it names.

    Attributes:
        sql: The text.
        parameters: The values by name.
        tables: Arrow tables that the text names.
        places: Where each conjunct of WHERE stands.
    """

    sql: str
    parameters: Mapping[str, object]
    tables: Mapping[str, object] = field(default_factory=dict)
    places: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Description:
    """What a statement will do, known without carrying it out.

    Attributes:
        table: The table's name.
        version: The version that is read now.
        schema: Every column its source has, as LanceDB stores them.
        pushed: For each place of the statement what LanceDB is told in its stead, or None when it cannot be told.
        effort: How many rows are asked for, and what restricts them.
    """

    table: str
    version: int
    schema: pa.Schema
    pushed: tuple[str | None, ...]
    effort: tuple[str, ...] = ()


class Asker(Protocol):
    """Answers statements, from any thread."""

    def describe_statement(self, statement: Statement) -> Description:
        """Plans a statement."""
        ...

    def read_statement(self, statement: Statement) -> pa.RecordBatchReader:
        """Carries a statement out."""
        ...


class StatementWriter:
    """Writes one statement: each value becomes a parameter, and each conjunct's place is kept.

    Example:
        >>> writer = StatementWriter()
        >>> writer.add("SELECT * FROM t WHERE ")
        >>> writer.add_conjuncts([('"year" > ', Bound(2000))])
        >>> writer.finish().sql
        'SELECT * FROM t WHERE ("year" > $p0)'
    """

    def __init__(self) -> None:
        self._text = ""
        self._values: dict[str, object] = {}
        self._tables: dict[str, object] = {}
        self._places: list[Span] = []

    def add(self, *parts: str | Bound) -> None:
        """Adds text and values."""
        for part in parts:
            if isinstance(part, str):
                self._text += part
            else:
                name = f"p{len(self._values)}"
                self._values[name] = part.value
                self._text += f"${name}"

    def add_conjuncts(self, conjuncts: Sequence[Piece]) -> None:
        """Adds the conjuncts of a WHERE."""
        for at, piece in enumerate(conjuncts):
            self.add(" AND " if at else "")
            start = len(self._text)
            self.add("(", *piece, ")")
            self._places.append(Span(start, len(self._text)))

    def add_table(self, name: str, table: pa.Table) -> None:
        """Names an Arrow table, which the text may read."""
        self._tables[name] = table
        self._text += quote_name(name)

    def finish(self) -> Statement:
        """The statement."""
        return Statement(self._text, self._values, self._tables, tuple(self._places))


def name_table(table: str, snapshot: Mapping[str, Any]) -> str:
    """A Lance table as FROM names it.

    Example:
        >>> print(name_table("films", {"version": 3, "tag": None}))
        lance."films" AT (VERSION => 3)
    """
    given = {name: value for name, value in snapshot.items() if value is not None}
    at = ", ".join(f"{name.upper()} => {write_word(name, value)}" for name, value in given.items())
    return f"lance.{quote_name(table)}{f' AT ({at})' if at else ''}"


def write_word(name: str, value: Any) -> str:
    """A value that has to stand in the statement: a word, a flag, a version, or a list of words.

    Example:
        >>> write_word("columns", ["title", "plot"])
        "['title', 'plot']"

    Raises:
        ArgumentError: When it is of another kind.
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case date():
            return f"'{value}'"
        case list() | tuple():
            return f"[{', '.join(write_word(name, item) for item in value)}]"
    raise ArgumentError(f"'{name}' cannot be a {type(value).__name__}")
