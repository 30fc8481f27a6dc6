"""A cursor of PEP 249, with Arrow for those who ask for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lancesql.errors import LanceSQLError
from lancesql.execution.results.result import Result
from lancesql.session import Parameters

from .answers import Answer, StreamAnswer, TableAnswer
from .batches import ROWS, plan_batch
from .errors import InterfaceError, NotSupportedError, ProgrammingError, translated
from .types import describe_column

if TYPE_CHECKING:
    from typing import Self

    import pandas as pd
    import polars as pl

    from .connection import Connection

__all__ = ["Cursor"]

Row = tuple[Any, ...]


class Cursor:
    """A cursor of PEP 249; made by `Connection.cursor`.

    Attributes:
        connection: The connection it belongs to.
        arraysize: How many rows `fetchmany` gives unless told.
        lastrowid: None: rows of Lance tables have no such number. `RETURNING` gives what was written.
        messages: Empty: nothing is reported but errors.

    Example:
        >>> import lancesql.dbapi
        >>> cursor = lancesql.dbapi.connect().cursor()
        >>> cursor.execute("SELECT i, i * i AS square FROM range(3) AS t(i)").fetchall()
        [(0, 0), (1, 1), (2, 4)]
        >>> [column[:2] for column in cursor.description]
        [('i', 'BIGINT'), ('square', 'BIGINT')]
    """

    def __init__(self, connection: Connection, *, stream: bool = False) -> None:
        self.connection = connection
        self.arraysize = 1
        self.lastrowid: None = None
        self.messages: list[object] = []
        self._streams = stream
        self._closed = False
        self._forget()

    def _forget(self) -> None:
        self._answer: Answer | None = None
        self._read_types: Callable[[], Sequence[str]] = list
        self._description: tuple[Row, ...] | None = None
        self._rowcount = -1

    @property
    def description(self) -> tuple[Row, ...] | None:
        """Name, type code, display size, internal size, precision, scale and null of each column; None without rows."""
        if self._description is None and self._answer is not None:
            with translated():
                described = zip(self._answer.names, self._read_types(), strict=True)
            self._description = tuple(describe_column(*one) for one in described)
        return self._description

    @property
    def rowcount(self) -> int:
        """How many rows there are to fetch, or were written; -1 when that is not known."""
        return self._rowcount

    @property
    def rownumber(self) -> int | None:
        """The number of the row that is fetched next, from 0; None without rows."""
        return None if self._answer is None else self._answer.taken

    def execute(self, operation: str, parameters: Parameters = None) -> Self:
        """Executes a statement.

        Args:
            operation: The statement.
            parameters: A sequence for `?`, a mapping for `$name`. A vector is a list, or an array of any
                library that `Connection.sql` takes.

        Raises:
            Error: One of the errors of PEP 249.
        """
        self._begin()
        with translated():
            self._take(self.connection._run(operation, parameters))
        return self

    def executemany(self, operation: str, seq_of_parameters: Iterable[Parameters]) -> Self:
        """Executes a statement for each of the parameters.

        An `INSERT … VALUES`, and an `UPDATE` or a `DELETE` of a Lance table whose condition names no column it sets,
        are one statement over all of them, and so one commit. Others are executed one by one; those before one that
        fails stay done.
        """
        self._begin()
        rows = list(seq_of_parameters)
        with translated():
            batch = plan_batch(operation, rows, self.connection._writes_lance) if len(rows) > 1 else None
            if batch is not None:
                try:
                    self._take(self.connection._run(batch.sql, None, {ROWS: batch.rows}))
                except LanceSQLError as error:
                    if not batch.may_be_split(error):
                        raise batch.place(error) from None
                    batch = None
            if batch is None:
                self._execute_each(operation, rows)
        return self

    def _execute_each(self, operation: str, rows: Sequence[Parameters]) -> None:
        changed = 0
        for parameters in rows:
            result = self.connection._run(operation, parameters)
            count = result.rows_changed
            changed = -1 if count is None or changed < 0 else changed + count
            if result.returns_rows:
                raise ProgrammingError(
                    "executemany() is for statements that answer with no rows", hint="call execute() for each"
                )
        self._rowcount = changed

    def _begin(self) -> None:
        self._check_open()
        self._forget()
        if "polars" in sys.modules:
            from lancesql.frames.registry import offer_arrow_to_polars

            offer_arrow_to_polars()

    def _take(self, result: Result) -> None:
        if not result.returns_rows:
            self._rowcount = -1 if result.rows_changed is None else result.rows_changed
            return
        if self._streams:
            types = result.types  # asking for them later would be a statement that ends the stream
            self._read_types = lambda: types
            self._answer = StreamAnswer(result.to_reader(), self._read_types)
        else:
            self._read_types = lambda: result.types
            self._answer = TableAnswer(result.to_arrow(), self._read_types)
        self._rowcount = self._answer.rows

    def fetchone(self) -> Row | None:
        """The next row; None after the last."""
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next `size` rows, `arraysize` unless given; fewer at the end."""
        answer = self._check_rows()
        with translated():
            return answer.take(max(0, self.arraysize if size is None else size))

    def fetchall(self) -> list[Row]:
        """Every row that is left."""
        answer = self._check_rows()
        with translated():
            return answer.take(None)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Row:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    next = __next__

    def scroll(self, value: int, mode: str = "relative") -> None:
        """Moves to another row: so many on, or with `absolute` to that number. Not for a stream.

        Raises:
            ProgrammingError: When the mode is unknown.
            IndexError: When there is no such row; the place stays as it was.
        """
        answer = self._check_rows()
        if mode not in ("relative", "absolute"):
            raise ProgrammingError(f"'{mode}' is no mode of scroll()", hint="'relative' or 'absolute'")
        target = value + (answer.taken if mode == "relative" else 0)
        if answer.rows >= 0 and not 0 <= target <= answer.rows:
            raise IndexError(f"there is no row {target}")
        answer.move(target)

    def fetch_arrow_table(self) -> pa.Table:
        """The rows that are left as an Arrow table, without a copy."""
        with translated():
            return self.fetch_record_batch().read_all()

    def fetch_record_batch(self, rows_per_batch: int | None = None) -> pa.RecordBatchReader:
        """The rows that are left as a stream of Arrow batches, of at most so many rows each."""
        answer = self._check_rows()
        with translated():
            return answer.open_rest(rows_per_batch)

    def fetch_arrow(self) -> pa.RecordBatchReader:
        """As `fetch_record_batch`, under the name that ADBC gives it."""
        return self.fetch_record_batch()

    def to_arrow_table(self) -> pa.Table:
        """As `fetch_arrow_table`, under the name that DuckDB gives it."""
        return self.fetch_arrow_table()

    def to_arrow_reader(self, rows_per_batch: int | None = None) -> pa.RecordBatchReader:
        """As `fetch_record_batch`, under the name that DuckDB gives it."""
        return self.fetch_record_batch(rows_per_batch)

    def fetch_df(self) -> pd.DataFrame:
        """The rows that are left as a pandas frame."""
        from lancesql.frames.convert import table_to_pandas

        types = tuple(self._read_types())
        return table_to_pandas(self.fetch_arrow_table(), types)

    def fetch_polars(self) -> pl.DataFrame:
        """The rows that are left as a Polars frame."""
        from lancesql.frames.convert import table_to_polars

        return table_to_polars(self.fetch_arrow_table())

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        reader: Any = self.fetch_record_batch()
        stream: object = reader.__arrow_c_stream__(requested_schema)
        return stream

    def callproc(self, procname: str, parameters: Sequence[object] = ()) -> None:  # noqa: ARG002
        """There are no stored procedures.

        Raises:
            NotSupportedError: Always.
        """
        raise NotSupportedError(f"there is no stored procedure '{procname}'", hint="execute a statement")

    def nextset(self) -> None:
        """A statement has one answer.

        Raises:
            NotSupportedError: Always.
        """
        raise NotSupportedError("a statement has one answer", hint="execute the next statement by itself")

    def setinputsizes(self, sizes: Sequence[object]) -> None:  # noqa: ARG002
        """Does nothing: values are bound as they are."""
        self._check_open()

    def setoutputsize(self, size: int, column: int | None = None) -> None:  # noqa: ARG002
        """Does nothing: values of any size are fetched whole."""
        self._check_open()

    def close(self) -> None:
        """Lets go of the rows; of the cursor nothing is left but `rowcount`."""
        if not self._closed:
            if self._answer is not None:
                self._answer.close()
            rowcount = self._rowcount
            self._forget()
            self._rowcount, self._closed = rowcount, True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise InterfaceError("the cursor is closed", hint="open another with connection.cursor()")
        self.connection._check_open()

    def _check_rows(self) -> Answer:
        self._check_open()
        if self._answer is None:
            raise InterfaceError("there are no rows to fetch", hint="execute a query first")
        return self._answer
