"""Rows that go, change and come, in one commit: what UPDATE, DELETE and MERGE do to a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lance.fragment import FragmentMetadata, RowIdSequence, write_fragments

from lancesql.catalog import TableInfo
from lancesql.storage.scan import serialize_row_ids, wrap_lance_error

if TYPE_CHECKING:
    from lancesql.storage.database import LanceDatabase

__all__ = ["ChangeWriter", "RowIds", "measure_change"]

RowIds = np.ndarray[Any, np.dtype[np.uint64]]

_KEY_ROWS = 1 << 20
"""Keys that are looked up at a time: for each of these the others are hashed anew."""


@dataclass
class ChangeWriter:
    """Collects the changes of one statement to one version of a table, and commits them.

    Rows that change are written anew and keep their ids; what is written is seen by nobody before `commit`.

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

    def can_upsert(self, batches: Sequence[pa.RecordBatch], keys: Sequence[str]) -> bool:
        """Whether each of these rows would take the place of one row alone.

        No INSERT looks whether its keys are there already, and an upsert gives all rows of a key the same values.
        """
        if not all(_is_guarded(self.table.schema.field(key).type) for key in keys):
            return False
        if not batches:
            return True
        given = pa.Table.from_batches(batches).select(list(keys))
        wanted = given.group_by(list(keys)).aggregate([])
        first = wanted.column(0).combine_chunks()
        found = 0
        for batch in self._dataset.scanner(columns=list(keys), batch_size=_KEY_ROWS).to_batches():
            part = pa.Table.from_batches([batch.filter(pc.is_in(batch.column(0), value_set=first))])
            if part.num_rows:
                found += part.join(wanted, list(keys), join_type="left semi").num_rows
        return found == wanted.num_rows == given.num_rows

    def upsert(self, batches: Sequence[pa.RecordBatch], keys: Sequence[str]) -> None:
        """Commits rows that come, or take the place of those with their key, in a table whose primary key that is.

        LanceDB then lets no other upsert of the same new key pass at the same time.

        Raises:
            ConflictError: When somebody else has written one of the keys meanwhile.
        """
        if not batches:
            return
        builder: Any = self._dataset.merge_insert(list(keys)).when_matched_update_all().when_not_matched_insert_all()
        # Upstream: an index on the key switches off what keeps two new rows of one key apart.
        builder = builder.use_index(False).conflict_retries(0)
        try:
            builder.execute(pa.Table.from_batches(batches, self.table.schema))
        except BaseException as error:
            raise wrap_lance_error(error, f"changing table '{self.table.name}'") from None
        finally:
            self.database.forget(self.table.name)

    def commit(self, message: str, *, alone: bool = False) -> None:
        """Makes all of it the table's next version, or nothing.

        Args:
            message: What is said of it in the history.
            alone: Nobody else may have committed so since the rows were read, though no row is touched by both.
                Upstream: of all operations only a merge of fragments conflicts with rows that come, and it takes no
                rows with ids; beside such rows the first fragment is said to change, which one writer alone can do.

        Raises:
            ConflictError: When somebody else has changed the same rows since they were read.
        """
        gone = np.unique(np.concatenate(self._gone)) if self._gone else np.empty(0, np.uint64)
        if not len(gone) and not self._written:
            return
        try:
            removed, updated = self._delete_rows(gone)
            held = [one.metadata for one in self._dataset.get_fragments()] if alone else []
            if alone and self._modified:
                updated += [one for one in held[:1] if one.id not in (*removed, *(other.id for other in updated))]
            if alone and not self._modified:
                changed = {one.id: one for one in updated}
                fragments = [changed.get(one.id, one) for one in held if one.id not in removed]
                operation: Any = lance.LanceOperation.Merge([*fragments, *self._written], self._dataset.lance_schema)
            elif self._written or not len(gone):
                operation = lance.LanceOperation.Update(
                    removed_fragment_ids=removed,
                    updated_fragments=updated,
                    new_fragments=self._written,
                    fields_for_preserving_frag_bitmap=self._list_modified_fields(),
                    update_mode="rewrite_rows",
                )
            else:
                operation = lance.LanceOperation.Delete(updated, removed, message)
            lance.LanceDataset.commit(self._dataset, operation, read_version=self.table.version, commit_message=message)
        except BaseException as error:
            raise wrap_lance_error(error, f"changing table '{self.table.name}'") from None
        finally:
            self.database.forget(self.table.name)

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

    def _delete_rows(self, row_ids: RowIds) -> tuple[list[int], list[FragmentMetadata]]:
        """The fragments that lose all of their rows, and those that lose some."""
        addresses = _find_addresses(self._dataset, row_ids)
        numbers = (addresses >> np.uint64(32)).astype(np.int64)
        removed: list[int] = []
        updated: list[FragmentMetadata] = []
        for number in np.unique(numbers).tolist():
            offsets = (addresses[numbers == number] & np.uint64(0xFFFFFFFF)).tolist()
            fragment = self._dataset.get_fragment(number)
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
        found: list[int] = []
        for one in self._dataset.lance_schema.fields():
            if self._inserts or one.name() in self._modified:
                found += _list_ids(one)
        return found


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
    allowed = serialize_row_ids(row_ids)
    scanner = dataset.scanner(columns=[], with_row_address=True, row_addr_allowlist=allowed)
    found: RowIds = scanner.to_table().column("_rowaddr").to_numpy()
    return found


def _is_guarded(type_: pa.DataType) -> bool:
    """Whether Lance tells two new rows of one key apart. Upstream: keys of other types it passes without a look."""
    types = pa.types
    number = types.is_int32(type_) or types.is_int64(type_) or types.is_uint32(type_) or types.is_uint64(type_)
    return number or types.is_string(type_) or types.is_large_string(type_) or types.is_binary(type_)


def _list_ids(node: Any) -> list[int]:
    return [node.id(), *(number for child in node.children() for number in _list_ids(child))]


def _chain(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest
