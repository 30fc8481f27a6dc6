"""A search as a LazyFrame: its rows are those of the SQL function, whatever is written around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lancesql.errors import ArgumentError, UnknownColumnError, nearest_name

from .convert import import_polars
from .lazy import Reading, RowSource, make_lazy_frame
from .predicates import translate_conjuncts
from .scan import TableRows
from .statements import Asker, Bound, Description, Piece, Statement, StatementWriter, quote_name, write_word
from .typed import settle_types

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SearchCall", "SearchRows", "split_queries"]

_VALUES = frozenset({"query", "vector", "text", "like_id", "positive", "negative", "recency", "weights", "boosts"})
"""What is bound whatever its type; a text of any other argument is a word of the statement."""
_SNAPSHOTS = ("version", "tag", "timestamp")
_KEPT = "__lancesql_kept"
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
        relate: Makes the FROM item of the table at a version.
    """

    def __init__(self, asker: Asker, call: SearchCall, relate: Any) -> None:
        self._asker, self._relate = asker, relate
        arguments = {name: one for name, one in call.arguments.items() if one is not None or name == "k"}
        self._call = replace(call, arguments=arguments)
        description = asker.describe_statement(self._write(["*"], None, ()))
        self.schema = description.schema
        self.name = f"{call.function} {description.table}"
        self.table = description.table
        self._filter: Any = None
        if not isinstance(call.filter, str | None):
            self._filter = self._check_filter(call.filter, description)

        reading = self.plan_reading(self.schema.names, None, ())
        self.detail = f"{self.describe_reading(reading)}; SELECTION applies to the rows found"

    def _check_filter(self, expr: Any, description: Description) -> Any:
        polars = import_polars(f"{self._call.function}()")
        if not isinstance(expr, polars.Expr):
            raise ArgumentError(
                f"filter cannot be a {type(expr).__name__}",
                hint="filter=pl.col('year') > 2000, or filter='year > 2000'",
            )
        names = self._rows_at(description.version).schema.names
        for name in expr.meta.root_names():
            if name not in names:
                near = nearest_name(name, names)
                hint = f"did you mean '{near}'?" if near else f"columns: {', '.join(names)}"
                raise UnknownColumnError(f"column '{name}' of the filter is none of table '{self.table}'", hint=hint)
        return expr

    def _rows_at(self, version: int) -> TableRows:
        return TableRows(self._asker, self._relate(self._call.table, {"version": version}), row_ids=True)

    def plan_reading(self, columns: Sequence[str], limit: int | None, filters: Sequence[pl.Expr]) -> Reading:
        """As the base says; what is filtered behind the search is left to Polars."""
        needed = tuple(dict.fromkeys((*columns, *(name for one in filters for name in one.meta.root_names()))))
        quoted = [quote_name(name) for name in needed] or [quote_name(self.schema.names[-1])]
        # Every match, best first, of which the first are the same: k of another search chooses its rows.
        cut = limit if self._call.function == "fts" and "k" not in self._call.arguments else None
        conjuncts = self._translate_filter()
        statement = self._write(quoted, cut, conjuncts or ())
        description = self._asker.describe_statement(statement)
        if conjuncts is None or not all(one is not None for one in description.pushed):
            statement = self._write(quoted, cut, None)
            description = self._asker.describe_statement(statement)
        return Reading(statement, description, tuple(filters), needed, limit)

    def _translate_filter(self) -> list[Piece] | None:
        """The conjuncts of the filter; None when SQL cannot say all of it."""
        if self._filter is None:
            return []
        version = self._asker.describe_statement(self._write(["*"], None, ())).version
        schema = self._rows_at(version).schema
        typed = settle_types(self._filter, schema)
        translated = [translate_conjuncts(one, schema) for one in typed or ()]
        if typed is None or not all(is_whole for _, is_whole in translated):
            return None
        return [piece for pieces, _ in translated for piece in pieces]

    def read_batches(self, reading: Reading) -> Iterator[pa.RecordBatch]:
        """The rows, best first; a filter that SQL cannot say is evaluated by Polars before."""
        statement = reading.statement
        if _KEPT in statement.tables:
            version = reading.description.version
            frame = make_lazy_frame(self._rows_at(version), "filter").filter(self._filter).select("_rowid").collect()
            kept = frame.to_arrow()
            quoted = [quote_name(name) for name in reading.columns] or [quote_name(self.schema.names[-1])]
            statement = self._write(quoted, reading.limit if " LIMIT " in statement.sql else None, None, kept, version)
        left = reading.limit
        with self._asker.read_statement(statement) as reader:
            for batch in reader:
                yield batch if left is None else batch.slice(0, left)
                left = None if left is None else max(0, left - batch.num_rows)

    def describe_reading(self, reading: Reading) -> str:
        """How the rows are found."""
        parts = [f"version {reading.description.version}"]
        for line in reading.description.effort:
            if _KEPT not in line:
                parts.append(_show_values(line, reading.statement.parameters))
        if _KEPT in reading.statement.tables:
            parts.append(f"filter → Polars, as row ids: {self._filter}")
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
            writer.add(" WHERE _rowid IN (SELECT _rowid FROM ")
            writer.add_table(_KEPT, pa.table({"_rowid": pa.array([], pa.uint64())}) if kept is None else kept)
            writer.add(")")
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
