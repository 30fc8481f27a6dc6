"""Keeping a table in order: small fragments put together, indexes brought up to date, old versions removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import lance
from lance.optimize import Compaction

from lancesql.catalog import TableInfo
from lancesql.errors import LanceSQLError, StorageError
from lancesql.plan.commands import RefreshIndexes, SetAutoCleanup, VacuumTable
from lancesql.plan.spelling import spell_name, spell_table

from .index_builds import OnProgress, rebuild_index
from .index_options import lacks_vectors
from .indexes import read_indexes
from .scan import wrap_lance_error
from .unfinished_files import find_unfinished_files

if TYPE_CHECKING:
    from .database import LanceDatabase

__all__ = [
    "Cleaned",
    "Step",
    "drop_index",
    "list_borrowed",
    "optimize_table",
    "plan_compaction",
    "plan_vacuum",
    "read_auto_cleanup",
    "refresh_indexes",
    "set_auto_cleanup",
    "take_step",
    "vacuum_table",
]

_CLEANUP = "lance.auto_cleanup."


@dataclass(frozen=True)
class Step:
    """One step of an upkeep.

    Attributes:
        outcome: `done`, `nothing to do` or `failed`.
    """

    step: str
    target: str
    outcome: str
    detail: str
    milliseconds: float


@dataclass(frozen=True)
class Cleaned:
    """What a clean-up removed, or would remove."""

    versions: int
    files: int
    bytes: int
    pinned: tuple[str, ...]


def optimize_table(database: LanceDatabase, table: TableInfo, options: Mapping[str, object]) -> list[Step]:
    """Puts small fragments together and drops deleted rows, then adds to each index the rows it does not know.

    A step that fails says so, and the others are taken all the same; but no fragment is touched before an index that
    could not stand it is built anew.
    """
    steps = [
        take_step("rebuild", name, partial(_refresh_index, database, table, name, "retrain", None))
        for name in list_borrowed(database, table, options)
    ]
    if all(one.outcome == "done" for one in steps):
        steps.append(take_step("compact", table.name, lambda: _compact(database, table, options)))
    database.forget(table.name)
    for index in read_indexes(_open_newest(database, table)):
        extend = partial(_refresh_index, database, table, index.name, None, None)
        steps.append(take_step("index", index.name, extend))
    database.forget(table.name)
    return steps


def list_borrowed(database: LanceDatabase, table: TableInfo, options: Mapping[str, object]) -> list[str]:
    """The indexes that a branch or a shallow clone has from where it began, and loses when fragments are rewritten.

    Upstream: the rewritten index lies among the files of the branch, and is looked for where the first one lay, so that
    every query that asks it fails. With stable row ids a BTREE alone is rewritten, without them each index is.
    """
    dataset = _open_newest(database, table)
    borrowed = [
        one.name
        for one in dataset.describe_indices()
        if (one.index_type == "BTree" or not dataset.has_stable_row_ids)
        and any(segment.base_id is not None for segment in one.segments)
    ]
    return borrowed if borrowed and plan_compaction(database, table, options) else []


def refresh_indexes(
    database: LanceDatabase, command: RefreshIndexes, on_progress: OnProgress | None = None
) -> list[Step]:
    """Adds to indexes the rows they do not know, or builds them anew over all rows.

    One that fails says so, and the others are seen to all the same.
    """
    step = "rebuild" if command.mode == "retrain" else "index"

    def refresh(name: str) -> str:
        return _refresh_index(database, command.table, name, command.mode, on_progress)

    try:
        return [take_step(step, name, partial(refresh, name)) for name in command.names]
    finally:
        database.forget(command.table.name)


def drop_index(database: LanceDatabase, table: TableInfo, name: str) -> None:
    """Removes an index; the rows stay."""
    try:
        _open_newest(database, table).drop_index(name)
    except BaseException as error:
        raise wrap_lance_error(error, f"dropping index '{name}' of '{table.name}'") from None
    finally:
        database.forget(table.name)


def plan_compaction(
    database: LanceDatabase, table: TableInfo, options: Mapping[str, object]
) -> list[tuple[int, int, int]]:
    """What would be put together: how many fragments, rows and bytes, for each new group."""
    dataset = database.open_dataset(table)
    try:
        plan = Compaction.plan(dataset, _name_options(options))
    except BaseException as error:
        raise wrap_lance_error(error, f"planning to optimize '{table.name}'") from None
    return [
        (
            len(task.fragments),
            sum(fragment.num_rows for fragment in task.fragments),
            sum(file.file_size_bytes or 0 for fragment in task.fragments for file in fragment.files),
        )
        for task in plan.tasks
    ]


def vacuum_table(database: LanceDatabase, command: VacuumTable) -> Cleaned:
    """Removes old versions and the files that only they read; what a tag or a branch pins stays."""
    return _clean(database, command, dry=False)


def plan_vacuum(database: LanceDatabase, command: VacuumTable) -> Cleaned:
    """What `vacuum_table` would remove."""
    return _clean(database, command, dry=True)


def set_auto_cleanup(database: LanceDatabase, command: SetAutoCleanup) -> None:
    """Tells a table to remove old versions by itself as new ones are made, or no longer to."""
    given = {
        "interval": command.interval,
        "older_than": None if command.seconds is None else f"{int(command.seconds)}s",
        "retain_versions": command.retain,
    }
    config = {f"{_CLEANUP}{name}": None if value is None else str(value) for name, value in given.items()}
    if command.interval is None:
        config = dict.fromkeys(config)
    try:
        _open_newest(database, command.table).update_config(config)
    except BaseException as error:
        raise wrap_lance_error(error, f"setting the clean-up of '{command.table.name}'") from None
    finally:
        database.forget(command.table.name)


def read_auto_cleanup(database: LanceDatabase, table: TableInfo) -> dict[str, str]:
    """The clean-up settings of a table, and the tags because of which LanceDB removes nothing by itself."""
    dataset = database.open_dataset(table)
    held = sorted(dataset.config().items())
    settings = {name.removeprefix(_CLEANUP): value for name, value in held if name.startswith(_CLEANUP)}
    tags = _list_old_tags(dataset, table.branch) if settings else []
    return {**settings, "stopped_by_tags": ", ".join(tags)} if tags else settings


def _open_newest(database: LanceDatabase, table: TableInfo) -> Any:
    return lance.dataset(table.uri, storage_options=database.storage_options)


def _name_options(options: Mapping[str, object]) -> Any:
    return {"target_rows_per_fragment" if name == "target_rows" else name: value for name, value in options.items()}


def _compact(database: LanceDatabase, table: TableInfo, options: Mapping[str, object]) -> str:
    dataset = _open_newest(database, table)
    metrics = dataset.optimize.compact_files(**_name_options(options))
    if not metrics.fragments_removed:
        return ""
    return f"{metrics.fragments_removed:,} fragments → {metrics.fragments_added:,}"


def _refresh_index(
    database: LanceDatabase, table: TableInfo, name: str, mode: str | None, on_progress: OnProgress | None
) -> str:
    dataset = _open_newest(database, table)
    before = next((index for index in read_indexes(dataset) if index.name == name), None)
    if before is None:
        raise StorageError(f"table '{table.name}' has no index '{name}' any more")
    if mode == "retrain":
        rebuild_index(dataset, before, on_progress=on_progress)
        return "built anew"
    if not before.rows_unindexed and not (mode == "merge" and before.segments > 1):
        return ""
    if lacks_vectors(dataset, before):
        return ""
    parts = {"append": 0, "merge": before.segments}
    dataset.optimize.optimize_indices(
        index_names=[name], **({} if mode is None else {"num_indices_to_merge": parts[mode]})
    )
    after = next((one for one in read_indexes(_open_newest(database, table)) if one.name == name), before)
    if before.rows_unindexed and after.rows_unindexed >= before.rows_unindexed:  # upstream: only the log says why
        raise StorageError(
            f"index '{name}' took none of {before.rows_unindexed:,} rows",
            hint=f"its files may be damaged; REINDEX {spell_name(name)} ON {spell_table(table)} builds it anew",
        )
    added = f"{max(before.rows_unindexed - after.rows_unindexed, 0):,} rows added"
    return added if before.segments == after.segments else f"{added}, parts {before.segments} → {after.segments}"


def take_step(step: str, target: str, act: Callable[[], str]) -> Step:
    """One step, and what came of it; `act` says what it did, "" for nothing."""
    started = time.perf_counter()
    try:
        detail = act()
        outcome = "done" if detail else "nothing to do"
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        wrapped = wrap_lance_error(error, f"taking step '{step}'")
        if not isinstance(wrapped, LanceSQLError):
            raise wrapped from None
        outcome, detail = "failed", wrapped.message
    return Step(step, target, outcome, detail, (time.perf_counter() - started) * 1e3)


def _list_pins(dataset: Any, line: str) -> list[str]:
    """The tags of old versions, and the branches, which read the files of the version that they began at."""
    branches = [name for name, one in dataset.branches.list().items() if (one.get("parent_branch") or "") == line]
    return [*_list_old_tags(dataset, line), *(f"branch {name}" for name in sorted(branches))]


def _list_old_tags(dataset: Any, line: str) -> list[str]:
    return sorted(
        name
        for name, tag in dataset.tags.list().items()
        if (tag.get("branch") or "") == line and int(tag["version"]) < dataset.version
    )


def _clean(database: LanceDatabase, command: VacuumTable, *, dry: bool) -> Cleaned:
    table = command.table
    dataset = _open_newest(database, table)
    try:
        versions = None
        if command.before is not None:
            known = [int(one["version"]) for one in dataset.versions()]
            versions = [number for number in known if number < command.before]
        pinned = _list_pins(dataset, table.branch)
        if versions == []:
            return Cleaned(0, 0, 0, tuple(pinned))
        clean = dataset.explain_cleanup_old_versions if dry else dataset.cleanup_old_versions
        found = clean(
            None if command.seconds is None else timedelta(seconds=command.seconds),
            command.retain,
            versions=versions,
            delete_unverified=command.unverified,
            error_if_tagged_old_versions=command.strict,
        )
        unfinished = find_unfinished_files(table.uri, unverified=command.unverified)
        for file in () if dry else unfinished:
            file.path.unlink(missing_ok=True)
    except BaseException as error:
        if command.strict and "tagged version" in str(error):
            raise StorageError(
                f"tags keep versions of '{table.name}' that would go: {', '.join(_list_pins(dataset, table.branch))}",
                hint=f"nothing was removed; DROP TAG … ON {table.name}, or leave error_if_tagged_old_versions out",
            ) from None
        raise wrap_lance_error(error, f"removing old versions of '{table.name}'") from None
    finally:
        database.forget(table.name)
    stats = getattr(found, "stats", found)
    files = (
        stats.data_files_removed
        + stats.index_files_removed
        + stats.deletion_files_removed
        + stats.transaction_files_removed
        + len(unfinished)
    )
    size = stats.bytes_removed + sum(file.bytes for file in unfinished)
    return Cleaned(stats.old_versions, files, size, tuple(pinned))
