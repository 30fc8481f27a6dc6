"""The history of a table: its versions, the names some of them have, and what differs between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import lance
import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.errors import UnsupportedError
from lancesql.plan.sources import ROW_ID

from .references import list_tags
from .scan import ask_lance, name_dataset
from .types import READ_BLOBS, restore_blobs, widen_batch, widen_schema

if TYPE_CHECKING:
    from .database import LanceDatabase

__all__ = [
    "Version",
    "list_versions",
    "open_difference",
    "restore_version",
]

_MESSAGE = "__lance_commit_message"
_OPERATIONS = {
    "Append": "INSERT",
    "Delete": "DELETE",
    "Update": "UPDATE",
    "Overwrite": "CREATE",
    "Rewrite": "OPTIMIZE",
    "CreateIndex": "INDEX",
    "Restore": "RESTORE",
    "Merge": "ALTER",
    "Project": "ALTER",
    "UpdateConfig": "CONFIGURE",
    "Clone": "CLONE",
    "BaseOperation": "INTERNAL",
}


@dataclass(frozen=True)
class Version:
    """One version of a table.

    Attributes:
        operation: The statement that made it, as far as LanceDB has kept it.
        bytes: The size of the data files it reads.
    """

    version: int
    timestamp: datetime
    operation: str | None
    rows: int | None
    fragments: int | None
    bytes: int | None
    tags: tuple[str, ...]


def list_versions(database: LanceDatabase, table: TableInfo) -> list[Version]:
    """Every version that is kept, the newest first."""
    dataset = database.open_dataset(table)
    tags: dict[int, list[str]] = {}
    for tag in list_tags(database, table):
        if (tag.branch or "") == table.branch:
            tags.setdefault(tag.version, []).append(tag.name)
    found: list[Any] = ask_lance(f"reading the versions of '{table.name}'", dataset.versions)
    return [
        Version(
            version=int(one["version"]),
            timestamp=one["timestamp"].astimezone(UTC),
            operation=_name_operation(dataset, int(one["version"])),
            rows=_read_number(one, "total_rows"),
            fragments=_read_number(one, "total_fragments"),
            bytes=_read_number(one, "total_files_size"),
            tags=tuple(sorted(tags.get(int(one["version"]), []))),
        )
        for one in sorted(found, key=lambda one: -int(one["version"]))
    ]


def restore_version(database: LanceDatabase, table: TableInfo) -> int:
    """Makes a version the newest again; those between stay in the history.

    Returns:
        The number of the new version.
    """

    def restore() -> int:
        opened = lance.dataset(table.uri, storage_options=database.storage_options)
        dataset: Any = opened.checkout_version(table.version)
        dataset.restore()
        return int(dataset.latest_version)

    try:
        return ask_lance(f"restoring version {table.version} of '{table.name}'", restore)
    finally:
        database.forget(table.name)


def open_difference(
    database: LanceDatabase, older: TableInfo, newer: TableInfo
) -> tuple[pa.RecordBatchReader, pa.RecordBatchReader]:
    """The rows, `_rowid` behind their columns, of the fragments that are not the same in both versions.

    Raises:
        UnsupportedError: When two lines have parted: each gives its new rows ids that the other gives too.
    """
    before, after = database.open_dataset(older), database.open_dataset(newer)
    if older.uri != newer.uri and not (_descends(older, newer, before) or _descends(newer, older, before)):
        raise UnsupportedError(
            f"'{newer.name}' and its branch have parted, and new rows of the one may have the ids of rows of the other",
            hint="compare each with the version that the branch began at, or join the two by a key",
        )
    kept, changed = _describe_fragments(before), _describe_fragments(after)
    return (
        _open_fragments(before, [number for number, one in kept.items() if changed.get(number) != one]),
        _open_fragments(after, [number for number, one in changed.items() if kept.get(number) != one]),
    )


def _descends(early: TableInfo, late: TableInfo, dataset: lance.LanceDataset) -> bool:
    """Whether a version of a branch comes from an early one of the line that it left."""
    found = dataset.branches.list().get(late.branch)
    if found is None or early.root != late.root:
        return False
    return early.branch == (found.get("parent_branch") or "") and early.version <= int(found["parent_version"])


def _describe_fragments(dataset: lance.LanceDataset) -> dict[int, Any]:
    return {
        fragment.fragment_id: (tuple(file.path for file in fragment.metadata.files), fragment.deletion_file())
        for fragment in dataset.get_fragments()
    }


def _open_fragments(dataset: lance.LanceDataset, numbers: Sequence[int]) -> pa.RecordBatchReader:
    names = dataset.schema.names
    schema = pa.schema([*widen_schema(restore_blobs(dataset.schema)), pa.field(ROW_ID, pa.uint64())])
    if not numbers:
        return pa.RecordBatchReader.from_batches(schema, [])
    fragments: Any = [dataset.get_fragment(number) for number in numbers]
    reader = ask_lance(
        f"reading {name_dataset(dataset)}",
        lambda: dataset.scanner(columns=names, with_row_id=True, fragments=fragments, **READ_BLOBS).to_reader(),
    )
    return pa.RecordBatchReader.from_batches(schema, (widen_batch(one, schema) for one in reader))


def _name_operation(dataset: lance.LanceDataset, version: int) -> str | None:
    try:
        transaction = dataset.read_transaction(version)
    except Exception:  # its file was cleaned up
        return None
    if transaction is None:
        return None
    message = (transaction.transaction_properties or {}).get(_MESSAGE)
    kind = type(transaction.operation).__name__
    return message or _OPERATIONS.get(kind, kind.upper())


def _read_number(version: Any, name: str) -> int | None:
    value = version["metadata"].get(name)
    return None if value is None else int(value)
