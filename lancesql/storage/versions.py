"""The history of a table: its versions, the names some of them have, and what differs between two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import lance
import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, LanceSQLError, StorageError, UnsupportedError, nearest_name
from lancesql.plan.commands import CreateReference, DropReference
from lancesql.plan.sources import ROW_ID

from .scan import wrap_lance_error
from .types import READ_BLOBS, restore_blobs, widen_batch, widen_schema

if TYPE_CHECKING:
    from .database import LanceDatabase

__all__ = [
    "Reference",
    "Version",
    "create_reference",
    "drop_reference",
    "list_branches",
    "list_tags",
    "list_versions",
    "open_difference",
    "restore_version",
]

T = TypeVar("T")
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


@dataclass(frozen=True)
class Reference:
    """A tag or a branch.

    Attributes:
        version: What a tag means, or where a branch began.
        branch: The branch that this version is of; None for the main line.
    """

    name: str
    version: int
    branch: str | None
    created: datetime | None


def list_versions(database: LanceDatabase, table: TableInfo) -> list[Version]:
    """Every version that is kept, the newest first."""
    dataset = database.open_dataset(table)
    tags: dict[int, list[str]] = {}
    for tag in list_tags(database, table):
        if (tag.branch or "") == table.branch:
            tags.setdefault(tag.version, []).append(tag.name)
    found: list[Any] = _ask(f"reading the versions of '{table.name}'", dataset.versions)
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


def list_tags(database: LanceDatabase, table: TableInfo) -> list[Reference]:
    """The tags, by name: the version each means, and the branch that it is of."""
    dataset = database.open_dataset(table)
    tags = _ask(f"reading the tags of '{table.name}'", dataset.tags.list)
    found = [
        Reference(name, int(one["version"]), one.get("branch"), one.get("created_at")) for name, one in tags.items()
    ]
    return sorted(found, key=lambda one: one.name)


def list_branches(database: LanceDatabase, table: TableInfo) -> list[Reference]:
    """The branches, by name: the version each began at, and the branch that it is from."""
    dataset = database.open_dataset(table)
    branches = _ask(f"reading the branches of '{table.name}'", dataset.branches.list)
    found = [
        Reference(name, int(one["parent_version"]), one.get("parent_branch"), _read_moment(one.get("create_at")))
        for name, one in branches.items()
    ]
    return sorted(found, key=lambda one: one.name)


def create_reference(database: LanceDatabase, command: CreateReference) -> None:
    """Gives a version a name, or begins a branch at it.

    Raises:
        ArgumentError: When the name is taken.
    """
    table, name, is_branch = command.table, command.name, command.is_branch
    dataset = database.open_dataset(table)
    kind = "branch" if is_branch else "tag"
    names = [one.name for one in (list_branches if is_branch else list_tags)(database, table)]
    if name in names and command.if_not_exists:
        return
    if name in names and not command.replace:
        hint = (
            f"CREATE OR REPLACE TAG {name} moves it" if not is_branch else f"DROP BRANCH {name} ON {table.name} first"
        )
        raise ArgumentError(f"table '{table.name}' has a {kind} '{name}' already", hint=hint, span=command.span)
    doing = f"making {kind} '{name}' of '{table.name}'"
    if is_branch:
        _ask(doing, lambda: dataset.checkout_version(table.version).create_branch(name, table.version))
    elif name in names:
        _ask(doing, lambda: dataset.tags.update(name, table.version))
    else:
        _ask(doing, lambda: dataset.tags.create(name, table.version))


def drop_reference(database: LanceDatabase, command: DropReference) -> None:
    """Takes a tag or a branch away.

    Raises:
        ArgumentError: When there is none of that name.
    """
    table, name, is_branch = command.table, command.name, command.is_branch
    dataset = database.open_dataset(table)
    kind = "branch" if is_branch else "tag"
    names = [one.name for one in (list_branches if is_branch else list_tags)(database, table)]
    if name not in names:
        if command.if_exists:
            return
        near = nearest_name(name, names)
        listed = f"there are: {', '.join(names)}" if names else "there is none"
        raise ArgumentError(
            f"table '{table.name}' has no {kind} '{name}'",
            hint=f"did you mean '{near}'? {listed}" if near else listed,
            span=command.span,
        )
    references: Any = dataset.branches if is_branch else dataset.tags
    pinned = sorted(tag for tag, one in dataset.tags.list().items() if is_branch and one["branch"] == name)
    if pinned:
        raise StorageError(
            f"tags name versions of branch '{name}': {', '.join(pinned)}", hint="drop them first", span=command.span
        )
    try:
        _ask(f"dropping {kind} '{name}' of '{table.name}'", lambda: references.delete(name))
    finally:
        database.forget(table.name)


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
        return _ask(f"restoring version {table.version} of '{table.name}'", restore)
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
    reader = _ask(
        "reading the table",
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


def _read_moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _ask(doing: str, act: Callable[[], T]) -> T:
    try:
        return act()
    except LanceSQLError:
        raise
    except BaseException as error:
        raise wrap_lance_error(error, doing) from None
