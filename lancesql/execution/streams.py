"""An answer as a stream that can be stopped, counts its rows, and raises errors of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from lancesql.errors import LanceSQLError, QueryInterruptedError, RowLimitError
from lancesql.optimizer.choose_keys import cost_full_scan
from lancesql.plan.sources import TableScan
from lancesql.storage.scan import pull_scan
from lancesql.storage.writes.row_stream import pull_batch

from .run import Run
from .turns import Turn
from .watch import MANY_ROWS

__all__ = ["AnswerStream", "may_stall", "pull_relation", "watch_scan"]

_LONG = 0.5e9
"""Nanoseconds."""


def _check_row_limit(rows: int, most: int | None) -> None:
    """Refuses an answer of more rows than the session allows.

    Raises:
        RowLimitError: When there are more.
    """
    if most is not None and rows > most:
        raise RowLimitError(
            f"the result has more than {most:,} rows",
            hint="a LIMIT asks for fewer, SET lancesql.max_rows allows more",
        )


def pull_relation(reader: pa.RecordBatchReader, run: Run) -> pa.RecordBatch | None:
    """The next batch of what DuckDB runs; None at its end."""
    return run.ask_engine(lambda: pull_batch(reader))


def may_stall(scan: TableScan, run: Run) -> bool:
    """Whether the next row that a filter keeps may be so far away that nobody can wait for it.

    A stream that is watched costs each of its batches a tenth of a millisecond.
    """
    if scan.table.rows < MANY_ROWS:
        return False
    columns = tuple(dict.fromkeys([*scan.columns, *(name for one in scan.filter for name in one.columns)]))
    is_remote = "://" in scan.table.uri and not scan.table.uri.startswith("file://")
    return is_remote or run.settings.timeout is not None or cost_full_scan(scan.table, columns) > _LONG


def watch_scan(reader: pa.RecordBatchReader, run: Run) -> pa.RecordBatchReader:
    """A scan within a relation, that stops when its statement does, however far away its next row is."""
    watch = run.watch

    def read() -> Iterator[pa.RecordBatch]:
        while (batch := watch.call_storage(lambda: pull_scan(reader), MANY_ROWS)) is not None:
            yield batch

    return pa.RecordBatchReader.from_batches(reader.schema, read())


class AnswerStream:
    """The batches of an answer.

    Attributes:
        is_pulling: A batch is on its way just now.

    Args:
        reader: Gives them.
        pull: Pulls one batch of the reader, None at its end.
        explain: The user's words for an error.
        max_rows: More rows are an error.
        turn: What a thread holds while it uses the connection; None for a stream that does not use it.
    """

    def __init__(
        self,
        reader: pa.RecordBatchReader,
        pull: Callable[[pa.RecordBatchReader], pa.RecordBatch | None],
        explain: Callable[[LanceSQLError], LanceSQLError],
        max_rows: int | None,
        turn: Turn | None = None,
    ) -> None:
        self.schema = reader.schema
        self.is_pulling = False
        self._reader: pa.RecordBatchReader | None = reader
        self._pull = pull
        self._explain = explain
        self._max_rows = max_rows
        self._turn = turn
        self._rows = 0
        self._failure: LanceSQLError | None = None

    def to_reader(self) -> pa.RecordBatchReader:
        """The batches as Arrow reads them; an error keeps its class."""
        return pa.RecordBatchReader.from_batches(self.schema, iter(self))

    def release(self, failure: LanceSQLError | None = None) -> None:
        """Lets go of the engine; whoever reads on is told why."""
        self._reader, self._failure = None, failure  # not closed: a thread that was left to itself may be in it

    def __iter__(self) -> AnswerStream:
        return self

    def __next__(self) -> pa.RecordBatch:
        if self._turn is None:
            return self._read_next()
        with self._turn.take():
            return self._read_next()

    def _read_next(self) -> pa.RecordBatch:
        if self._reader is None:
            if self._failure is not None:
                raise self._failure.with_traceback(None) from None
            raise StopIteration
        self.is_pulling, stopped = True, False
        try:
            batch = self._pull(self._reader)
            if batch is not None:
                self._rows += batch.num_rows
                _check_row_limit(self._rows, self._max_rows)
                return batch
            self.release()
        except LanceSQLError as error:
            self.release(self._explain(error))
        except KeyboardInterrupt:
            stopped = True
            self.release(QueryInterruptedError("the statement was interrupted"))
        finally:
            self.is_pulling = False
        if stopped:
            raise KeyboardInterrupt  # anew: the frames of the first hold the reader
        return self._read_next()
