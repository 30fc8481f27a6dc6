"""A search as a LazyFrame: its rows are those of the SQL function, whatever is written around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lancesql.errors import ArgumentError
from lancesql.plan.spelling import quote_name

from .lazy import Reading, RowSource
from .prefilter import Prefilter, add_row_ids, names_row_ids
from .statements import Asker, Bound, Piece, Statement, StatementWriter, write_word

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SearchCall", "SearchRows", "split_queries"]

_VALUES = frozenset({"query", "vector", "text", "like_id", "positive", "negative", "recency", "weights", "boosts"})
"""What is bound whatever its type; a text of any other argument is a word of the statement."""
_SNAPSHOTS = ("version", "tag", "timestamp")
_SHORT = 40


@dataclass(frozen=True)
class SearchCall:
    """A search function and what it is given.

    Attributes:
        function: Its name.
        table: The table's name.
        queries: The arguments without a name.
        arguments: Those with one.
        filter: A predicate as SQL, a Polars expression, or None.
    """

    function: str
    table: str
    queries: tuple[object, ...]
    arguments: Mapping[str, Any]
    filter: Any = None

    def write(self, writer: StatementWriter, version: int | None = None, asked: str = "") -> None:
        """Adds the call; with a version it reads that one, with `asked` it looks for what that names."""
        writer.add(f"{self.function}({write_word('table', self.table)}{asked and f', {asked}'}")
        for query in self.queries:
            writer.add(", ", Bound(query))
        for name, value in self.arguments.items():
            if version is None or name not in _SNAPSHOTS:
                writer.add(f", {_check_name(name)} => ", _write_value(name, value))
        if version is not None:
            writer.add(f", version => {version}")
        if isinstance(self.filter, str):
            writer.add(f", filter => {write_word('filter', self.filter)}")
        writer.add(")")


class SearchRows(RowSource):
    """The rows of a search.

    Args:
        asker: Who answers.
        call: The search.
    """

    def __init__(self, asker: Asker, call: SearchCall) -> None:
        self._asker = asker
        arguments = {name: one for name, one in call.arguments.items() if one is not None or name == "k"}
        self._call = replace(call, arguments=arguments)
        description = asker.describe_statement(self._write(["*"], None, ()))
        self.schema = description.schema
        self.name = f"{call.function} {description.table}"
        self._filter: Prefilter | None = None
        if not isinstance(call.filter, str | None):
            self._filter = Prefilter(asker, call.table, call.filter, description.version)
        reading = self.plan_reading(self.schema.names, None, ())
        self.detail = f"{self.describe_reading(reading)}; SELECTION applies to the rows found"

    def plan_reading(self, columns: Sequence[str], limit: int | None, filters: Sequence[pl.Expr]) -> Reading:
        """As the base says; what is filtered behind the search is left to Polars."""
        needed = tuple(dict.fromkeys((*columns, *(name for one in filters for name in one.meta.root_names()))))
        quoted = [quote_name(name) for name in needed] or [quote_name(self.schema.names[-1])]
        cut = self._choose_cut(limit)
        conjuncts = self._translate_filter()
        statement = self._write(quoted, cut, conjuncts or ())
        description = self._asker.describe_statement(statement)
        if conjuncts is None or not all(one is not None for one in description.pushed):
            statement = self._write(quoted, cut, None)
            description = self._asker.describe_statement(statement)
        return Reading(statement, description, tuple(filters), needed, limit)

    def _choose_cut(self, limit: int | None) -> int | None:
        """Every match, best first, of which the first are the same: k of another search chooses its rows."""
        return limit if self._call.function == "fts" and "k" not in self._call.arguments else None

    def _translate_filter(self) -> list[Piece] | None:
        """The conjuncts of the filter; None when SQL cannot say all of it."""
        if self._filter is None:
            return []
        version = self._asker.describe_statement(self._write(["*"], None, ())).version
        return self._filter.translate(version)

    def read_batches(self, reading: Reading) -> Iterator[pa.RecordBatch]:
        """The rows, best first; a filter that SQL cannot say is evaluated by Polars before."""
        statement = reading.statement
        if self._filter is not None and names_row_ids(statement.tables):
            version = reading.description.version
            kept = self._filter.find_rows(version)
            quoted = [quote_name(name) for name in reading.columns] or [quote_name(self.schema.names[-1])]
            statement = self._write(quoted, self._choose_cut(reading.limit), None, kept, version)
        left = reading.limit
        with self._asker.read_statement(statement) as reader:
            for batch in reader:
                yield batch if left is None else batch.slice(0, left)
                left = None if left is None else max(0, left - batch.num_rows)

    def describe_reading(self, reading: Reading) -> str:
        """How the rows are found."""
        parts = [f"version {reading.description.version}"]
        for line in reading.description.effort:
            if not names_row_ids(line):
                parts.append(_show_values(line, reading.statement.parameters))
        if self._filter is not None and names_row_ids(reading.statement.tables):
            parts.append(f"filter → Polars, as row ids: {self._filter.expr}")
        return ", ".join(parts)

    def _write(
        self,
        columns: Sequence[str],
        limit: int | None,
        conjuncts: Sequence[Piece] | None,
        kept: pa.Table | None = None,
        version: int | None = None,
    ) -> Statement:
        """The search; without conjuncts its filter is a table of row ids."""
        writer = StatementWriter()
        writer.add(f"SELECT {', '.join(columns)} FROM ")
        self._call.write(writer, version)
        if conjuncts is None:
            writer.add(" WHERE ")
            add_row_ids(writer, kept)
        elif conjuncts:
            writer.add(" WHERE ")
            writer.add_conjuncts(conjuncts)
        if limit is not None:
            writer.add(" LIMIT ", Bound(limit))
        return writer.finish()


def _check_name(name: str) -> str:
    if not name.isidentifier():
        raise ArgumentError(f"'{name}' is not the name of an argument")
    return name


def _write_value(name: str, value: Any) -> str | Bound:
    is_word = isinstance(value, str | bool) or value is None or name in _SNAPSHOTS
    is_list_of_words = isinstance(value, list | tuple) and bool(value) and all(isinstance(one, str) for one in value)
    if name in _VALUES and value is not None:
        return Bound(value)
    return write_word(name, value) if is_word or is_list_of_words else Bound(value)


def _show_values(text: str, values: Mapping[str, object]) -> str:
    """A line of a plan with short values in the place of their parameters."""

    def show(match: re.Match[str]) -> str:
        value = values[match[1]]
        return repr(value) if isinstance(value, int | float | str | date) and len(repr(value)) < _SHORT else "…"

    return re.sub(r"\$(p[0-9]+)\b", show, text)


def split_queries(function: str, queries: tuple[Any, ...]) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """The columns named among the arguments without a name, and the values behind them.

    Example:
        >>> split_queries("fts", ("title", "storm"))
        ({'columns': 'title'}, ('storm',))
        >>> split_queries("hybrid_search", ([1.0, 0.0], "storm"))
        ({}, ([1.0, 0.0], 'storm'))
    """
    names = {"vector_search": ("column",), "fts": ("columns",)}.get(function)
    if names is not None:
        return ({names[0]: queries[0]}, queries[1:]) if len(queries) == 2 else ({}, queries)
    if len(queries) == 3:
        return {"vector_column": queries[0]}, queries[1:]
    if len(queries) == 4:
        return {"vector_column": queries[0], "text_columns": queries[2]}, (queries[1], queries[3])
    return {}, queries
