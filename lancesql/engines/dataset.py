"""A source as DuckDB scans it: a stream, opened anew for every scan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads

__all__ = ["ScanDataset", "ScanStream"]


class ScanStream:
    """A source all of whose columns are needed: the engine is offered no choice of columns, which costs it time.

    The first stream is opened at once, so that it is read while the engine still plans.

    Args:
        schema: The columns offered.
        open_reader: Opens a stream of the columns named.
    """

    def __init__(self, schema: pa.Schema, open_reader: Callable[[Sequence[str]], pa.RecordBatchReader]) -> None:
        self._schema = schema
        self._open_reader = open_reader
        self._ahead = [open_reader(schema.names)]

    def __arrow_c_schema__(self) -> object:
        exporter: Any = self._schema
        capsule: object = exporter.__arrow_c_schema__()
        return capsule

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        try:
            reader: Any = self._ahead.pop()
        except IndexError:
            reader = self._open_reader(self._schema.names)
        stream: object = reader.__arrow_c_stream__(requested_schema)
        return stream


class _Unread:
    """What the engine asks of a scanner: its one stream."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self._reader = reader
        self.projected_schema = reader.schema

    def to_reader(self) -> pa.RecordBatchReader:
        return self._reader


class ScanDataset(pads.Dataset):
    """Opens a new stream whenever the engine scans it; never a raw LanceDataset, which fails on ordinary predicates.

    Args:
        schema: The columns offered.
        open_reader: Opens a stream of the columns named.
    """

    def __init__(self, schema: pa.Schema, open_reader: Callable[[Sequence[str]], pa.RecordBatchReader]) -> None:
        self._own_schema = schema
        self._open_reader = open_reader

    @property
    def schema(self) -> pa.Schema:
        """The columns offered."""
        return self._own_schema

    def scanner(  # type: ignore[override]
        self,
        columns: list[str] | None = None,
        filter: Any = None,
        **_: Any,
    ) -> pads.Scanner:
        """A scan of the columns; the predicate is one the engine trusts the source to apply."""
        wanted = list(self._own_schema.names if columns is None else columns)
        if filter is None:
            # Upstream: a scanner of Arrow's reads a gigabyte ahead of an engine that is slower than the disk.
            unread: pads.Scanner = _Unread(self._open_reader(wanted))  # type: ignore[assignment]
            return unread
        # DuckDB leaves out columns that only the predicate needs. Their names stand in its text.
        text = str(filter)
        needed = [*wanted, *(name for name in self._own_schema.names if name in text and name not in wanted)]
        return pads.Scanner.from_batches(self._open_reader(needed), columns=wanted, filter=filter)
