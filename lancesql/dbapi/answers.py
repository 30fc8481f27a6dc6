"""The rows of an answer that are not fetched yet, from a table or from a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import pyarrow as pa

from lancesql.execution.results.rows import table_to_rows

from .errors import NotSupportedError

__all__ = ["Answer", "StreamAnswer", "TableAnswer"]

Row = tuple[Any, ...]
_WINDOW = 1_000


class Answer(Protocol):
    """The rows of an answer, taken one after the other.

    Attributes:
        names: The names of the columns.
        rows: How many rows there are; -1 when that is not known.
        taken: How many rows were taken.
    """

    names: list[str]
    rows: int
    taken: int

    def take(self, count: int | None) -> list[Row]:
        """The next so many rows, or all that are left, fewer at the end."""
        ...

    def open_rest(self, batch_rows: int | None) -> pa.RecordBatchReader:
        """The rows that are left, as Arrow; nothing is left behind them."""
        ...

    def move(self, row: int) -> None:
        """Goes to a row."""
        ...

    def close(self) -> None:
        """Lets go of the rows."""
        ...


class TableAnswer:
    """The rows of a table."""

    def __init__(self, table: pa.Table, name_types: Callable[[], Sequence[str]]) -> None:
        self.names = table.column_names
        self.rows = table.num_rows
        self.taken = 0
        self._table = table
        self._name_types = name_types
        self._window: list[Row] = []

    def take(self, count: int | None) -> list[Row]:
        """The next so many rows, or all that are left."""
        wanted = self.rows - self.taken if count is None else min(count, self.rows - self.taken)
        rows, self._window = self._window[:wanted], self._window[wanted:]
        if len(rows) < wanted:
            more = self._table.slice(self.taken + len(rows), max(wanted - len(rows), _WINDOW))
            read = table_to_rows(more, self._name_types())
            self._window = read[wanted - len(rows) :]
            rows += read[: wanted - len(rows)]
        self.taken += wanted
        return rows

    def open_rest(self, batch_rows: int | None) -> pa.RecordBatchReader:
        """The rows that are left, without a copy."""
        rest = self._table.slice(self.taken)
        self.move(self.rows)
        return rest.to_reader(batch_rows)

    def move(self, row: int) -> None:
        """Goes to a row."""
        self.taken, self._window = row, []

    def close(self) -> None:
        """Nothing is held but memory."""


class StreamAnswer:
    """The rows of a stream, which is read as they are taken."""

    def __init__(self, reader: pa.RecordBatchReader, name_types: Callable[[], Sequence[str]]) -> None:
        self.names = reader.schema.names
        self.rows = -1
        self.taken = 0
        self._reader = reader
        self._name_types = name_types
        self._batch: pa.RecordBatch | None = None

    def take(self, count: int | None) -> list[Row]:
        """The next so many rows, or all that are left."""
        rows: list[Row] = []
        while count is None or len(rows) < count:
            batch = self._batch or self._read()
            if batch is None:
                break
            wanted = batch.num_rows if count is None else min(count - len(rows), batch.num_rows)
            part = pa.Table.from_batches([batch.slice(0, wanted)], self._reader.schema)
            rows += table_to_rows(part, self._name_types())
            self._batch = batch.slice(wanted) if wanted < batch.num_rows else None
        self.taken += len(rows)
        return rows

    def open_rest(self, batch_rows: int | None) -> pa.RecordBatchReader:
        """The rows that are left, read as they are asked for."""
        return pa.RecordBatchReader.from_batches(self._reader.schema, self._cut(batch_rows))

    def move(self, row: int) -> None:
        """A stream goes one way.

        Raises:
            NotSupportedError: Always.
        """
        raise NotSupportedError(f"a stream cannot be moved to row {row}", hint="connection.cursor() without stream")

    def close(self) -> None:
        """Ends the stream."""
        self._reader.close()

    def _read(self) -> pa.RecordBatch | None:
        try:
            return self._reader.read_next_batch()
        except StopIteration:
            return None

    def _cut(self, batch_rows: int | None) -> Iterator[pa.RecordBatch]:
        batch = self._batch or self._read()
        self._batch = None
        while batch is not None:
            size = batch_rows or max(batch.num_rows, 1)
            for at in range(0, batch.num_rows, size):
                part = batch.slice(at, size)
                self.taken += part.num_rows
                yield part
            batch = self._read()
