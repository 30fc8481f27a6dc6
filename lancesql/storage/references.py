"""Tags and branches of a table: listed, made and taken away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, StorageError, nearest_name
from lancesql.plan.commands import CreateReference, DropReference
from lancesql.plan.spelling import spell_name

from .scan import ask_lance

if TYPE_CHECKING:
    from .database import LanceDatabase

__all__ = [
    "Reference",
    "create_reference",
    "drop_reference",
    "find_dropped",
    "find_replaced",
    "list_branches",
    "list_tags",
]


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


def list_tags(database: LanceDatabase, table: TableInfo) -> list[Reference]:
    """The tags, by name: the version each means, and the branch that it is of."""
    dataset = database.open_dataset(table)
    tags = ask_lance(f"reading the tags of '{table.name}'", dataset.tags.list)
    found = [
        Reference(name, int(one["version"]), one.get("branch"), one.get("created_at")) for name, one in tags.items()
    ]
    return sorted(found, key=lambda one: one.name)


def list_branches(database: LanceDatabase, table: TableInfo) -> list[Reference]:
    """The branches, by name: the version each began at, and the branch that it is from."""
    dataset = database.open_dataset(table)
    branches = ask_lance(f"reading the branches of '{table.name}'", dataset.branches.list)
    found = [
        Reference(name, int(one["parent_version"]), one.get("parent_branch"), _read_moment(one.get("create_at")))
        for name, one in branches.items()
    ]
    return sorted(found, key=lambda one: one.name)


def find_replaced(database: LanceDatabase, command: CreateReference) -> Reference | None:
    """What has the name already that a command gives: it is moved, or stays as it is.

    Raises:
        ArgumentError: When the command says neither.
    """
    table, name = command.table, command.name
    existing = (list_branches if command.is_branch else list_tags)(database, table)
    found = next((one for one in existing if one.name == name), None)
    if found is not None and not (command.if_not_exists or command.replace):
        kind = "branch" if command.is_branch else "tag"
        hint = (
            f"DROP BRANCH {spell_name(name)} ON {table.name} first"
            if command.is_branch
            else f"CREATE OR REPLACE TAG {spell_name(name)} moves it"
        )
        raise ArgumentError(f"table '{table.name}' has a {kind} '{name}' already", hint=hint, span=command.span)
    return found


def create_reference(database: LanceDatabase, command: CreateReference) -> int:
    """Gives a version a name, or begins a branch at it.

    Returns:
        The version that has the name.

    Raises:
        ArgumentError: When the name is taken.
    """
    table, name = command.table, command.name
    existing = find_replaced(database, command)
    if existing is not None and command.if_not_exists:
        return existing.version
    dataset = database.open_dataset(table)
    doing = f"making {'branch' if command.is_branch else 'tag'} '{name}' of '{table.name}'"
    if command.is_branch:
        ask_lance(doing, lambda: dataset.checkout_version(table.version).create_branch(name, table.version))
    elif existing is not None:
        ask_lance(doing, lambda: dataset.tags.update(name, table.version))
    else:
        ask_lance(doing, lambda: dataset.tags.create(name, table.version))
    return table.version


def find_dropped(database: LanceDatabase, command: DropReference) -> Reference | None:
    """What a command takes away; None when there is nothing of that name, and that is allowed.

    Raises:
        ArgumentError: When there is none of that name.
        StorageError: When tags or branches are of the branch.
    """
    table, name, is_branch = command.table, command.name, command.is_branch
    branches, tags = (list_branches(database, table) if is_branch else []), list_tags(database, table)
    existing = branches if is_branch else tags
    found = next((one for one in existing if one.name == name), None)
    if found is None and not command.if_exists:
        names = [one.name for one in existing]
        near = nearest_name(name, names)
        listed = f"there are: {', '.join(names)}" if names else "there is none"
        raise ArgumentError(
            f"table '{table.name}' has no {'branch' if is_branch else 'tag'} '{name}'",
            hint=f"did you mean '{near}'? {listed}" if near else listed,
            span=command.span,
        )
    pinned = [one.name for one in tags if is_branch and found is not None and one.branch == name]
    if pinned:
        raise StorageError(
            f"tags name versions of branch '{name}': {', '.join(pinned)}", hint="drop them first", span=command.span
        )
    begun = [one.name for one in branches if one.branch == name]
    if begun:
        raise StorageError(
            f"branches begin at versions of branch '{name}': {', '.join(begun)}",
            hint="drop them first",
            span=command.span,
        )
    return found


def drop_reference(database: LanceDatabase, command: DropReference) -> None:
    """Takes a tag or a branch away.

    Raises:
        LanceSQLError: As `find_dropped`.
    """
    if find_dropped(database, command) is None:
        return
    table, name = command.table, command.name
    dataset = database.open_dataset(table)
    references: Any = dataset.branches if command.is_branch else dataset.tags
    kind = "branch" if command.is_branch else "tag"
    try:
        ask_lance(f"dropping {kind} '{name}' of '{table.name}'", lambda: references.delete(name))
    finally:
        database.forget(table.name)


def _read_moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
