"""Reading rows of a table: a stream of Arrow batches, with the filter, the row ids and the limit inside Lance."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import lance
import numpy as np
import pyarrow as pa
from lance.commit import CommitConflictError

from lancesql.errors import ConflictError, LanceSQLError, StorageError
from lancesql.plan.sources import ROW_ID

from .index_flaws import avoid_flawed_index
from .lance_errors import find_remedy, read_reason
from .row_ids import serialize_row_ids
from .types import READ_BLOBS, widen_batch, widen_schema

_WINDOWS = (256, 256, 256, 256, 2_048, 16_384, 131_072)
"""Rows read before the rest when only the first are wanted: Lance reads far ahead, each thread of DuckDB a batch."""
_NUMBER_ROWS = 1 << 15
_SAMPLE_ROWS = 2_048

__all__ = [
    "ask_lance",
    "choose_batch_rows",
    "count_matches",
    "is_conflict",
    "list_row_ids",
    "make_conflict",
    "name_dataset",
    "open_first_scan",
    "open_scan",
    "order_rows",
    "pull_scan",
    "read_row_ids",
    "read_scan",
    "sample_column",
    "select_rows",
    "serialize_row_ids",
    "take_rows",
]


T = TypeVar("T")
_FEW = 1_000
"""So many rows are read by their ids one by one, more by a scan with a list of ids."""


def open_scan(
    dataset: lance.LanceDataset,
    columns: Sequence[str],
    *,
    filter: str | None = None,
    row_ids: bytes | None = None,
    limit: int | None = None,
    offset: int | None = None,
    batch_rows: int | None = None,
    use_index: bool = True,
    fragments: Sequence[Any] | None = None,
    widen: bool = True,
) -> pa.RecordBatchReader:
    """A stream of the columns, in that order, `_rowid` among them when it is named.

    Args:
        dataset: The table at its version.
        columns: The columns to read; nothing else is read from disk but what the filter needs.
        filter: Lance filter text.
        row_ids: Serialised row ids outside which nothing is read.
        limit: At most so many rows.
        offset: Leave out so many first.
        batch_rows: At most so many rows a batch; Lance's own 8,192 unless given.
        use_index: Whether the filter may ask scalar indexes.
        fragments: Read these fragments only.
        widen: Whether types DuckDB lacks are widened (float16 → FLOAT).
    """
    own = [column for column in columns if column != ROW_ID]
    try:
        reader = dataset.scanner(
            columns=own,
            filter=filter,
            prefilter=True,
            with_row_id=ROW_ID in columns,
            row_addr_allowlist=row_ids,
            limit=limit,
            offset=offset,
            batch_size=batch_rows,
            fragments=fragments,
            **READ_BLOBS,
            **(avoid_flawed_index(dataset, filter) if use_index else {"use_scalar_index": False}),
        ).to_reader()
    except BaseException as error:
        raise wrap_lance_error(error, f"reading {name_dataset(dataset)}") from None
    target = widen_schema(reader.schema) if widen else reader.schema
    if list(columns) == reader.schema.names and target.equals(reader.schema):
        return reader
    ordered = pa.schema([target.field(column) for column in columns])
    return pa.RecordBatchReader.from_batches(ordered, _convert_batches(reader, ordered))


def open_first_scan(
    dataset: lance.LanceDataset,
    columns: Sequence[str],
    *,
    left: threading.Event,
    limit: int | None = None,
    **options: Any,
) -> pa.RecordBatchReader:
    """As `open_scan`, for a stream that is likely to be left after its first rows; then it ends."""

    def open_window(at: int) -> tuple[pa.RecordBatchReader, int | None]:
        start = sum(_WINDOWS[:at])
        rows = None if limit is None else max(0, limit - start)
        if at < len(_WINDOWS):
            rows = _WINDOWS[at] if rows is None else min(rows, _WINDOWS[at])
        return open_scan(dataset, columns, limit=rows, offset=start or None, **options), rows

    first = open_window(0)

    def read_windows() -> Iterator[pa.RecordBatch]:
        for at in range(len(_WINDOWS) + 1):
            reader, rows = first if at == 0 else open_window(at)
            seen = 0
            while (batch := pull_scan(reader)) is not None:
                seen += batch.num_rows
                yield batch
            if left.is_set() or rows is None or seen < rows or rows < _WINDOWS[at]:
                return

    return pa.RecordBatchReader.from_batches(first[0].schema, read_windows())


def choose_batch_rows(schema: pa.Schema, columns: Sequence[str]) -> int | None:
    """How many rows a batch of these columns has: plain numbers come faster in larger ones, all else more slowly."""
    numbers = (name == ROW_ID or pa.types.is_primitive(schema.field(name).type) for name in columns)
    return _NUMBER_ROWS if all(numbers) else None


def read_scan(reader: pa.RecordBatchReader, table: str = "") -> pa.Table:
    """Every row of a stream of Lance's, of the table called so.

    Raises:
        StorageError: When the table is gone, or cannot be read.
    """
    try:
        return reader.read_all()
    except BaseException as error:
        raise wrap_lance_error(error, f"reading {_say_table(table)}") from None


def pull_scan(reader: pa.RecordBatchReader, table: str = "") -> pa.RecordBatch | None:
    """The next batch of a stream of Lance's, of the table called so; None at its end.

    Raises:
        StorageError: When the table is gone, or cannot be read.
    """
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None
    except BaseException as error:
        raise wrap_lance_error(error, f"reading {_say_table(table)}") from None


def _say_table(name: str) -> str:
    return f"table '{name}'" if name else "the table"


def name_dataset(dataset: lance.LanceDataset) -> str:
    """What an error calls a table, by the folder it lies in."""
    place = str(dataset.uri).partition(".lance/tree/")[0].rstrip("/")
    return _say_table(place.rpartition("/")[2].removesuffix(".lance"))


def _convert_batches(reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    names = schema.names
    for batch in reader:
        yield widen_batch(batch.select(names), schema)


def count_matches(dataset: lance.LanceDataset, filter: str | None) -> int:
    """The number of rows the filter keeps."""
    try:
        if options := avoid_flawed_index(dataset, filter):
            return int(dataset.scanner(columns=[], filter=filter, with_row_id=True, **options).count_rows())
        return int(dataset.count_rows(filter))
    except BaseException as error:
        raise wrap_lance_error(error, f"counting the rows of {name_dataset(dataset)} that the filter keeps") from None


def sample_column(dataset: lance.LanceDataset, column: str, rows: int) -> pa.Array[Any]:
    """Values of a column at equal distances."""
    count = min(rows, _SAMPLE_ROWS)
    try:
        table = dataset.take([at * rows // count for at in range(count)], columns=[column])
    except BaseException as error:
        raise wrap_lance_error(error, f"sampling column '{column}'") from None
    values: pa.Array[Any] = table.column(0).combine_chunks()
    return values


def read_row_ids(
    dataset: lance.LanceDataset,
    filter: str | None,
    row_ids: bytes | None,
    *,
    fragments: Sequence[Any] | None = None,
) -> pa.ChunkedArray[Any]:
    """The ids of the rows that the filter and the allow-list both keep, of all fragments or of some."""
    return read_scan(open_scan(dataset, [ROW_ID], filter=filter, row_ids=row_ids, fragments=fragments)).column(ROW_ID)


def list_row_ids(row_ids: pa.ChunkedArray[Any]) -> list[int]:
    """Row ids as Python numbers."""
    listed: list[int] = row_ids.to_numpy().tolist()
    return listed


def select_rows(dataset: lance.LanceDataset, row_ids: list[int], columns: Sequence[str]) -> pa.Table:
    """The rows with these ids, `_rowid` included, in storage's own order; types as Lance stores them."""
    wanted = [*(column for column in columns if column != ROW_ID), ROW_ID]
    return read_scan(open_scan(dataset, wanted, row_ids=serialize_row_ids(row_ids), widen=False))


def take_rows(dataset: lance.LanceDataset, row_ids: list[int], columns: Sequence[str]) -> pa.Table:
    """The rows with these ids, in the order of the ids."""
    if columns == [ROW_ID]:
        return pa.table({ROW_ID: pa.array(row_ids, pa.uint64())})
    schema = dataset.schema
    if len(row_ids) <= _FEW and all(name == ROW_ID or _is_plain(schema.field(name)) for name in columns):
        # A third of the time of a scan with a list of ids; pylance has no public name for it.
        try:
            return dataset._take_rows(row_ids, list(columns))
        except BaseException as error:
            raise wrap_lance_error(error, f"reading rows of {name_dataset(dataset)} by their ids") from None
    return order_rows(select_rows(dataset, row_ids, columns), np.array(row_ids, np.uint64), columns)


def _is_plain(field: pa.Field[Any]) -> bool:
    """Whether a column is stored as the type it has: not JSON, not kept apart."""
    type_ = field.type
    if isinstance(type_, pa.BaseExtensionType) or field.metadata:
        return False
    return all(_is_plain(type_.field(at)) for at in range(type_.num_fields))


def order_rows(table: pa.Table, row_ids: np.ndarray[Any, Any], columns: Sequence[str]) -> pa.Table:
    """The rows of a table with these ids, each of which it has, in the order of the ids."""
    found = table.column(ROW_ID).to_numpy()
    order = np.argsort(found)
    places = order[np.searchsorted(found, row_ids, sorter=order)]
    return table.take(pa.array(places, pa.int64())).select(list(columns))


def wrap_lance_error(error: BaseException, doing: str) -> BaseException:
    """Lance's error as one of ours; errors that are ours, and interrupts, pass."""
    if isinstance(error, LanceSQLError | KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
        return error
    if (
        "KeyboardInterrupt" in str(error).strip().split("\n")[0]
    ):  # Lance looks for Ctrl-C itself, and says so in an error of Arrow's
        return KeyboardInterrupt()
    if is_conflict(error):
        return make_conflict(doing)
    reason = read_reason(error)
    return StorageError(f"LanceDB stopped while {doing}: {reason}", hint=find_remedy(reason))


def ask_lance(doing: str, act: Callable[[], T]) -> T:
    """What a call of Lance gives, its errors as ours."""
    try:
        return act()
    except BaseException as error:
        raise wrap_lance_error(error, doing) from None


def is_conflict(error: BaseException) -> bool:
    """Whether Lance refused a commit for the sake of another."""
    text = str(error).strip().split("\n")[0].lower()
    signs = ("concurrent writers", "concurrent transaction", "commit conflict")
    return isinstance(error, CommitConflictError) or any(sign in text for sign in signs)


def make_conflict(doing: str) -> ConflictError:
    """The error of somebody who came too late."""
    return ConflictError(
        f"{doing} was overtaken: somebody else changed the table meanwhile", hint="run the statement again"
    )
