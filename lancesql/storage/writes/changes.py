"""Rows that go, change and come, in one commit: what UPDATE, DELETE and MERGE do to a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import lance
import numpy as np
import pyarrow as pa
from lance.fragment import FragmentMetadata, RowIdSequence, write_fragments

from lancesql.catalog import TableInfo
from lancesql.errors import ConflictError
from lancesql.storage.scan import is_conflict, make_conflict, wrap_lance_error

from .discarded import discard_files
from .overtaking import RowIds, find_addresses, find_newest
from .schemas import list_numbers

if TYPE_CHECKING:
    from lancesql.storage.database import LanceDatabase

    from .next_version import NextVersion

__all__ = ["ChangeWriter", "RowIds", "measure_change"]

_ATTEMPTS = 20
"""Commits of others may come in between so often, as long as they leave the rows and keys alone."""


@dataclass
class ChangeWriter:
    """Collects the changes of one statement to one version of a table, and commits them.

    Rows that change are written anew and keep their ids; what is written is seen by nobody before `commit`. As a
    context, it takes away again what is never going to be committed.

    Attributes:
        database: The database.
        table: The table, at the version that was read.
    """

    database: LanceDatabase
    table: TableInfo
    _gone: list[RowIds] = field(default_factory=list)
    _written: list[FragmentMetadata] = field(default_factory=list)
    _modified: set[str] = field(default_factory=set)
    _inserts: bool = False
    _is_settled: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and not self._is_settled:
            discard_files(self._dataset, self._written, self.database.storage_options)

    def delete(self, row_ids: RowIds) -> None:
        """Rows that go."""
        self._gone.append(row_ids)

    def update(self, batches: Iterator[tuple[RowIds, pa.RecordBatch]], columns: Sequence[str]) -> int:
        """Rows that change, whole: their ids and their new values; `columns` are those that may differ."""
        held: list[RowIds] = []

        def read() -> Iterator[pa.RecordBatch]:
            for row_ids, batch in batches:
                held.append(row_ids)
                yield batch

        fragments = self._write(read)
        row_ids = np.concatenate(held) if held else np.empty(0, np.uint64)
        if self._dataset.has_stable_row_ids:
            at = 0
            for fragment in fragments:
                taken = row_ids[at : at + fragment.physical_rows].tolist()
                fragment.row_id_meta = RowIdSequence(taken).to_inline_metadata()
                at += fragment.physical_rows
        self._gone.append(row_ids)
        self._written += fragments
        self._modified.update(columns)
        return len(row_ids)

    def insert(self, batches: Iterator[pa.RecordBatch]) -> None:
        """Rows that come."""
        written = self._write(lambda: batches)
        self._inserts = self._inserts or bool(written)
        self._written += written

    def commit(self, message: str, keys: Sequence[pa.Table] = ()) -> None:
        """Makes all of it the table's next version, or nothing.

        Args:
            message: What is said of it in the history.
            keys: By which rows that come are told apart: nobody else may have added a row of such a key since the rows
                were read. A table for each set of columns.

        Raises:
            ConflictError: When somebody else has changed the same rows, or added a row of such a key.
        """
        gone = np.unique(np.concatenate(self._gone)) if self._gone else np.empty(0, np.uint64)
        if not len(gone) and not self._written:
            return
        doing = f"changing table '{self.table.name}'"
        self._is_settled = True
        try:
            if not keys:
                operation = self._plan_operation(self._dataset, gone, message, alone=False)
                lance.LanceDataset.commit(
                    self._dataset, operation, read_version=self.table.version, commit_message=message
                )
                return
            for _ in range(_ATTEMPTS):
                newest = find_newest(self._dataset, gone, keys, doing)
                if self._commit_next(newest, self._plan_operation(newest, gone, message, alone=True), message):
                    return
            raise make_conflict(doing)
        except BaseException as error:
            wrapped = wrap_lance_error(error, doing)
            self._is_settled = not isinstance(wrapped, ConflictError)  # of anything else it is not known
            raise wrapped from None
        finally:
            self.database.forget(self.table.name)

    def _plan_operation(self, dataset: lance.LanceDataset, gone: RowIds, message: str, *, alone: bool) -> Any:
        """What Lance is to do.

        When it is `alone`, no other such operation is let in between. Upstream: only a merge of fragments conflicts
        with rows that come. It takes no row that has an id, and loses no fragment; where that is asked of it, the
        first fragment is said to change, which one writer alone can do.
        """
        removed, updated = self._delete_rows(dataset, gone)
        held = [one.metadata for one in dataset.get_fragments()] if alone else []
        changed = {one.id: one for one in updated}
        if alone and not removed and all(one.row_id_meta is None for one in self._written):
            fragments = [changed.get(one.id, one) for one in held]
            return lance.LanceOperation.Merge([*fragments, *self._written], dataset.lance_schema, True)
        if not self._written and len(gone):
            return lance.LanceOperation.Delete(updated, removed, message)
        touched = [one for one in held[:1] if one.id not in (*removed, *changed)]
        return lance.LanceOperation.Update(
            removed_fragment_ids=removed,
            updated_fragments=[*updated, *touched],
            new_fragments=self._written,
            fields_for_preserving_frag_bitmap=self._list_modified_fields(),
            update_mode="rewrite_rows",
        )

    def _commit_next(self, dataset: lance.LanceDataset, operation: Any, message: str) -> bool:
        """Whether it is the next version, or the one after others that Lance has looked at."""
        if dataset.latest_version != dataset.version:
            return False
        next_version = self._find_next(dataset, operation)
        try:
            if next_version is not None:
                next_version.commit(operation, message)
            else:
                lance.LanceDataset.commit(dataset, operation, dataset.version, max_retries=1, commit_message=message)
        except Exception as error:
            if not is_conflict(error):
                raise
            return False
        return True

    def _find_next(self, dataset: lance.LanceDataset, operation: Any) -> NextVersion | None:
        """What lets nothing pass beside an operation, where Lance does and the table allows it.

        Upstream: an update passes over the rows that an upsert of Lance's own has added since.
        """
        if not (self._inserts and isinstance(operation, lance.LanceOperation.Update)):
            return None
        from .next_version import NextVersion  # takes a third of a second at first

        found = NextVersion(dataset, self.database.storage_options)
        return found if found.knows_version() else None

    @property
    def _dataset(self) -> lance.LanceDataset:
        return self.database.open_dataset(self.table)

    def _write(self, read: Callable[[], Iterator[pa.RecordBatch]]) -> list[FragmentMetadata]:
        failure: list[BaseException] = []

        def guard() -> Iterator[pa.RecordBatch]:
            try:
                yield from read()
            except GeneratorExit:
                raise
            except BaseException as error:
                failure.append(error.with_traceback(None))  # what Lance makes of it is only its text
                raise

        batches = guard()
        first = next(batches, None)
        if first is None:
            return []
        reader = pa.RecordBatchReader.from_batches(self.table.schema, _chain(first, batches))
        try:
            written: Any = write_fragments(
                reader, self._dataset, mode="append", storage_options=self.database.storage_options
            )
        except BaseException as error:
            raise failure[0] if failure else wrap_lance_error(error, f"writing table '{self.table.name}'") from None
        return list(written)

    def _delete_rows(self, dataset: lance.LanceDataset, row_ids: RowIds) -> tuple[list[int], list[FragmentMetadata]]:
        """The fragments that lose all of their rows, and those that lose some."""
        addresses = _find_addresses(dataset, row_ids)
        numbers = (addresses >> np.uint64(32)).astype(np.int64)
        removed: list[int] = []
        updated: list[FragmentMetadata] = []
        for number in np.unique(numbers).tolist():
            offsets = (addresses[numbers == number] & np.uint64(0xFFFFFFFF)).tolist()
            fragment = dataset.get_fragment(number)
            assert fragment is not None
            left = fragment.delete_rows(offsets)
            if left is None:
                removed.append(number)
            else:
                updated.append(left)
        return removed, updated

    def _list_modified_fields(self) -> list[int]:
        """The ids of the columns that may differ, and of all within them: their indexes do not know the new rows.

        Upstream: of the others some kinds count every fragment of the commit for theirs, those with rows that come too.
        """
        fields = self._dataset.lance_schema.fields()
        return list_numbers([one for one in fields if self._inserts or one.name() in self._modified])


def measure_change(database: LanceDatabase, table: TableInfo, row_ids: RowIds) -> tuple[int, int, int]:
    """How many fragments hold these rows, how many there are, and about how many bytes the rows have."""
    dataset = database.open_dataset(table)
    numbers = np.unique(_find_addresses(dataset, row_ids) >> np.uint64(32))
    sizes = {
        fragment.fragment_id: sum(file.file_size_bytes or 0 for file in fragment.metadata.files)
        for fragment in dataset.get_fragments()
    }
    stored = sum(fragment.metadata.physical_rows for fragment in dataset.get_fragments())
    size = sum(sizes.values()) * len(row_ids) // stored if stored else 0
    return len(numbers), len(sizes), size


def _find_addresses(dataset: lance.LanceDataset, row_ids: RowIds) -> RowIds:
    if not len(row_ids) or not dataset.has_stable_row_ids:
        return row_ids
    return find_addresses(dataset, row_ids)


def _chain(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest
