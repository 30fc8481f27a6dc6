"""Queries as datasets of PyTorch.

`DataLoader(QueryDataset("films", "SELECT vector, rating FROM films"), batch_size=None)` gives dicts with a tensor for
each column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import lancesql
from lancesql.connection import Connection
from lancesql.engines.namespace import Namespace
from lancesql.errors import ArgumentError
from lancesql.frames.arrays import import_torch, table_to_torch

if TYPE_CHECKING:
    from torch.utils.data import IterableDataset
else:
    try:
        from torch.utils.data import IterableDataset
    except ImportError:
        IterableDataset = object

__all__ = ["QueryDataset"]


class QueryDataset(IterableDataset):
    """The rows of a query as a dataset that a `DataLoader` reads, batch by batch, never the whole answer at once.

    Each pass runs the query anew, at the newest version of its tables. Among several workers, or several processes of
    `torch.distributed`, a query is divided by the parameters `$worker` and `$workers`, which it names itself:
    `WHERE id % $workers = $worker`. One that does not name them is read by one worker alone.

    Args:
        target: The path or URI of the database, or a connection of lancesql. Workers that are processes open it by its
            path.
        sql: The query. What it must be in the order of is for ORDER BY to say: `ORDER BY hash(id, $epoch)` shuffles.
        parameters: Values by name. They may be changed between passes: `dataset.parameters["epoch"] = 2`.
        batch_size: The most rows of a batch; None for single rows. Give the DataLoader `batch_size=None` with batches.
        storage_options: Credentials and settings of the object store.

    Raises:
        ExecutionError: PyTorch is not installed.
    """

    def __init__(
        self,
        target: Any,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        batch_size: int | None = 1024,
        storage_options: dict[str, str] | None = None,
    ) -> None:
        import_torch("QueryDataset")
        if batch_size is not None and batch_size < 1:
            raise ArgumentError(f"batch_size is {batch_size}", hint="a positive number, or None for single rows")
        self.sql = sql
        self.parameters = dict(parameters or {})
        self.batch_size = batch_size
        self._storage_options = storage_options
        self._connection = target if isinstance(target, Connection) else None
        self._target = self._connection.uri if self._connection is not None else str(target)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The batches, or the rows, of one pass: dicts of tensors, and of lists or values for what is no number."""
        for batch in self._read_batches():
            made = table_to_torch(batch)
            if self.batch_size is not None:
                yield made
            else:
                yield from ({name: column[at] for name, column in made.items()} for at in range(batch.num_rows))

    def __getstate__(self) -> dict[str, Any]:
        """A worker opens a connection of its own."""
        return {**self.__dict__, "_connection": None}

    def _read_batches(self) -> Iterator[pa.Table]:
        worker, workers = _find_worker()
        parameters = dict(self.parameters)
        if "$workers" in self.sql:
            parameters |= {"worker": worker, "workers": workers}
        elif workers > 1:
            raise ArgumentError(
                f"the query would be read {workers} times, once by each worker",
                hint="divide it among them: WHERE id % $workers = $worker",
            )
        if self._connection is not None:
            own = self._connection.cursor()
        else:
            own = lancesql.connect(self._target, storage_options=self._storage_options, read_only=True)
        with own as connection:
            reader = connection.run(self.sql, parameters or None, Namespace(None)).to_reader()
            yield from _slice_batches(reader, self.batch_size or 1024)


def _find_worker() -> tuple[int, int]:
    """Which of how many readers this is, over the processes of `torch.distributed` and the workers of each."""
    torch = import_torch("QueryDataset")
    info = torch.utils.data.get_worker_info()
    at, count = (0, 1) if info is None else (info.id, info.num_workers)
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank() * count + at, distributed.get_world_size() * count
    return at, count


def _slice_batches(reader: pa.RecordBatchReader, rows: int) -> Iterator[pa.Table]:
    """The stream in batches of just so many rows; the last has what is left."""
    held: list[pa.RecordBatch] = []
    count = 0
    with reader:
        for batch in reader:
            while batch.num_rows:
                part = batch.slice(0, rows - count)
                batch = batch.slice(part.num_rows)  # noqa: PLW2901 - what is left of it
                held.append(part)
                count += part.num_rows
                if count == rows:
                    yield pa.Table.from_batches(held)
                    held, count = [], 0
    if held:
        yield pa.Table.from_batches(held)
