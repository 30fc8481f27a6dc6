"""The rows of a statement on their way into Lance: converted batch by batch, counted, their errors our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from lancesql.errors import EngineError, ExecutionError, LanceSQLError
from lancesql.plan.file_errors import condense_csv_error

__all__ = ["OnRows", "RowStream", "pull_batch", "read_batches"]

OnRows = Callable[[int], None]
"""Told how many rows were read so far."""


class RowStream:
    """Rows on their way to Lance: counted, converted, and with the first error kept as it was."""

    def __init__(
        self,
        batches: Iterator[pa.RecordBatch],
        schema: pa.Schema,
        convert: Callable[[pa.RecordBatch], pa.RecordBatch],
        *,
        at_least: int = 0,
        on_rows: OnRows | None = None,
    ) -> None:
        self.schema = schema
        self.rows = 0
        self.failure: BaseException | None = None
        self._batches = batches
        self._convert = convert
        self._at_least = at_least
        self._on_rows = on_rows

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows as Lance takes them."""
        return pa.RecordBatchReader.from_batches(self.schema, self._read())

    def take_failure(self) -> BaseException:
        """The first error, without the frames it came through: they hold the stream it came from."""
        failure, self.failure = self.failure, None
        assert failure is not None
        return failure.with_traceback(None)

    def _read(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._batches:
                self.rows += batch.num_rows
                if self._on_rows is not None:
                    self._on_rows(self.rows)
                yield self._convert(batch)
            if self.rows < self._at_least:
                raise ExecutionError(
                    "the query gave fewer rows when it was read again, because a list of numbers changed its length",
                    hint="CREATE TABLE … WITH (vectors = false) reads it once",
                )
        except GeneratorExit:
            raise
        except BaseException as error:
            self.failure = error  # what Lance makes of it is only its text
            raise


def read_batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches of a query; an error of the query is one of ours."""
    while (batch := pull_batch(reader)) is not None:
        yield batch


def pull_batch(reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
    """The next batch of a query, None at its end; an error of the query is one of ours."""
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None
    except LanceSQLError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise _explain_read_error(error) from None


def _explain_read_error(error: BaseException) -> LanceSQLError:
    """The query's error: a Python exception that crossed a stream is only a text, its last line the message."""
    if condensed := condense_csv_error(str(error)):
        return EngineError(condensed)
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    text = (
        lines[-1] if "Traceback (most recent call last)" in str(error) else lines[0] if lines else type(error).__name__
    )
    for prefix in ("IOError: ", "Invalid: "):
        text = text.removeprefix(prefix)
    head, _, rest = text.partition(" Error: ")
    return EngineError((rest if rest and head.count(" ") <= 2 else text)[:400])
