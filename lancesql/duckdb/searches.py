"""One search of one table as a function that DuckDB calls with a batch of rows at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.binder.searches.signatures import SIGNATURES
from lancesql.connection import Connection
from lancesql.engines.namespace import Namespace
from lancesql.errors import LanceSQLError, UnknownColumnError
from lancesql.execution.searches.outer_values import OuterRow, read_outer_rows
from lancesql.plan.spelling import quote_name
from lancesql.storage.types import widen_schema

__all__ = ["KINDS", "Kind", "SearchCalls"]

_LEFT_OUT = ("prefilter", "like_id", "id_column", "positive", "negative")
"""Those that a call without a query takes, or that say what WHERE means, which a macro does not see."""


@dataclass(frozen=True)
class Kind:
    """A search function.

    Attributes:
        function: Its name in SQL.
        queries: The arguments that come first, and make a row find nothing when they are NULL.
    """

    function: str
    queries: tuple[str, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """The arguments that are left out when they are NULL."""
        names = SIGNATURES[self.function].names
        return tuple(name for name in names if name not in (*self.queries, *_LEFT_OUT, "k"))


KINDS = {
    "search": Kind("vector_search", ("query",)),
    "fts": Kind("fts", ("query",)),
    "hybrid": Kind("hybrid_search", ("vector", "text")),
}
"""What stands behind the name of the table in that of a macro."""


class SearchCalls:
    """Answers the calls of one macro.

    Attributes:
        schema: The columns of the rows, in DuckDB's types.
    """

    def __init__(
        self, session: Connection, lock: threading.Lock, table: str, kind: Kind, columns: dict[str, str]
    ) -> None:
        """Keeps what is searched.

        Args:
            session: Asked by these calls alone, one at a time.
            lock: Held while it is asked: DuckDB calls from several threads.
            table: The table's name.
            kind: The search.
            columns: The columns named in the statement that tells the schema.
        """
        self._session = session
        self._lock = lock
        self._table = table
        self._kind = kind
        queries = [f"{name} => ${name}" for name in kind.queries]
        chosen = [f"{name} => {_write_literal(value)}" for name, value in columns.items()]
        stored = session.find_schema(f"SELECT * FROM {self._write_call([*queries, *chosen])}")
        assert stored is not None
        self.schema = widen_schema(stored)

    def answer(self, *columns: Any) -> Any:
        """For each row of the arguments a list of the search's rows."""
        with self._lock:
            try:
                return self._answer([_cast_decimals(column) for column in columns])
            except LanceSQLError as error:
                if isinstance(error, UnknownColumnError) and any(
                    f'"{name}"' in error.message for name in self.schema.names
                ):
                    error.hint = "the table was altered since: call lancesql.duckdb.register() again"
                raise error.with_traceback(None) from None

    def _answer(self, columns: Sequence[Any]) -> Any:
        distinct, firsts, places = read_outer_rows(columns)
        count = len(self._kind.queries)
        groups: dict[str, list[int]] = {}
        for at, row in enumerate(distinct):
            if all(query is not None for query in row[:count]):
                groups.setdefault(self._write_options(row[count:]), []).append(at)
        found: list[pa.Table] = []
        owners: list[np.ndarray[Any, Any]] = []
        for options, members in groups.items():
            if len(members) == 1:
                values = dict(zip(self._kind.queries, distinct[members[0]], strict=False))
                table = self._run(self._write_statement(options), values, {})
                owners.append(np.full(table.num_rows, members[0], np.int64))
            else:
                rows = pa.array([firsts[at] for at in members])
                queries = {name: column.take(rows) for name, column in zip(self._kind.queries, columns, strict=False)}
                table = self._run(
                    self._write_statement(options, many=True), None, pa.table({"at": pa.array(members), **queries})
                )
                owners.append(table.column(0).to_numpy())
                table = table.remove_column(0)
            found.append(table.cast(self.schema))
        return _spread_rows(pa.concat_tables([self.schema.empty_table(), *found]), owners, len(distinct), places)

    def _run(self, sql: str, values: dict[str, object] | None, queries: Any) -> pa.Table:
        namespace = Namespace(None).extend({"queries": queries} if values is None else {})
        return self._session.run(sql, values, namespace).to_arrow()

    def _write_statement(self, options: str, *, many: bool = False) -> str:
        names = ", ".join(f"s.{quote_name(name)}" for name in self.schema.names)
        prefix = "q." if many else "$"
        call = self._write_call([f"{name} => {prefix}{name}" for name in self._kind.queries] + [options])
        if not many:
            return f"SELECT {names} FROM {call} AS s"
        return f"SELECT q.at, {names} FROM queries AS q, LATERAL {call} AS s"

    def _write_call(self, arguments: Sequence[str]) -> str:
        return f"{self._kind.function}({', '.join([_write_literal(self._table), *arguments])})"

    def _write_options(self, values: OuterRow) -> str:
        k, *options = values
        given = [(name, value) for name, value in zip(self._kind.options, options, strict=True) if value is not None]
        return ", ".join([f"k => {_write_literal(k)}", *(f"{name} => {_write_literal(one)}" for name, one in given)])


def _spread_rows(
    found: pa.Table, owners: Sequence[np.ndarray[Any, Any]], distinct: int, places: Sequence[int]
) -> pa.Array[Any]:
    """For each place the rows of the distinct call that stands there, as lists."""
    owner = np.concatenate([np.empty(0, np.int64), *owners])
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner, minlength=distinct)
    starts = np.cumsum(counts) - counts
    chosen = np.concatenate([np.empty(0, np.int64), *(order[starts[at] : starts[at] + counts[at]] for at in places)])
    rows = found.take(chosen)
    arrays: Any = [
        pa.concat_arrays(column.chunks) if column.num_chunks else column.combine_chunks() for column in rows.columns
    ]
    structs: Any = pa.StructArray.from_arrays(arrays, fields=list(found.schema))
    return pa.ListArray.from_arrays(pa.array(np.cumsum([0, *counts[list(places)]]), pa.int32()), structs)


def _cast_decimals(column: Any) -> Any:
    """A list of decimals, which `[0.5, 1]` is to DuckDB, as numbers that a vector is made of."""
    if not pa.types.is_list(column.type) or not pa.types.is_decimal(column.type.value_type):
        return column
    column = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    numbers = column.values.cast(pa.string()).cast(pa.float64())  # Arrow's own cast makes 0.30000000000000004 of 0.3
    return pa.ListArray.from_arrays(column.offsets, numbers, mask=column.is_null())


def _write_literal(value: object) -> str:
    """A value as a statement writes it.

    Example:
        >>> _write_literal({"title": 3, "it's": [True, None]})
        "{'title': 3, 'it''s': [true, NULL]}"
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{_write_literal(key)}: {_write_literal(one)}" for key, one in value.items()) + "}"
        case list() | tuple() | np.ndarray():
            return "[" + ", ".join(map(_write_literal, list(value))) + "]"
        case np.generic():
            return _write_literal(value.item())
        case str():
            return "'" + value.replace("'", "''") + "'"
    return _write_literal(str(value))
