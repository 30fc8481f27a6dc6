"""A table put in order, cleaned and looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pyarrow as pa

from lancesql.execution.progress import show_progress
from lancesql.plan.commands import OptimizeTable, RefreshIndexes, SetAutoCleanup, ShowHealth, VacuumTable
from lancesql.storage.database import LanceDatabase
from lancesql.storage.health import read_health
from lancesql.storage.maintenance import (
    Step,
    optimize_table,
    read_auto_cleanup,
    refresh_indexes,
    set_auto_cleanup,
    vacuum_table,
)

__all__ = ["answer_health", "answer_steps", "change_auto_cleanup", "optimize", "refresh", "vacuum"]

_STEP_FIELDS: list[tuple[str, pa.DataType]] = [
    ("step", pa.string()),
    ("target", pa.string()),
    ("outcome", pa.string()),
    ("detail", pa.string()),
    ("milliseconds", pa.float64()),
]
_HEALTH_FIELDS: list[tuple[str, pa.DataType]] = [
    ("rows", pa.int64()),
    ("deleted_share", pa.float64()),
    ("fragments", pa.int64()),
    ("small_fragments", pa.int64()),
    ("unindexed_share", pa.float64()),
    ("versions", pa.int64()),
    ("size_bytes", pa.int64()),
    ("advice", pa.list_(pa.string())),
]


def optimize(command: OptimizeTable, database: LanceDatabase) -> pa.Table:
    """A row for each step, with its outcome."""
    with show_progress(f"optimizing {command.table.name}"):
        return answer_steps(optimize_table(database, command.table, command.options))


def refresh(command: RefreshIndexes, database: LanceDatabase) -> pa.Table:
    """A row for each index, with what was done to it."""
    with show_progress(f"indexing {command.table.name}") as report:
        return answer_steps(refresh_indexes(database, command, report))


def vacuum(command: VacuumTable, database: LanceDatabase) -> pa.Table:
    """What was removed, and the tags and branches whose versions stay."""
    cleaned = vacuum_table(database, command)
    return pa.table(
        {
            "versions_removed": pa.array([cleaned.versions], pa.int64()),
            "files_removed": pa.array([cleaned.files], pa.int64()),
            "bytes_removed": pa.array([cleaned.bytes], pa.int64()),
            "kept_by": pa.array([list(cleaned.pinned)], pa.list_(pa.string())),
        }
    )


def answer_health(command: ShowHealth, database: LanceDatabase) -> pa.Table:
    """How a table is doing, or how it removes old versions by itself."""
    if command.maintenance:
        return _answer_cleanup(read_auto_cleanup(database, command.table))
    health = asdict(read_health(database, command.table))
    return pa.Table.from_pylist([{**health, "advice": list(health["advice"])}], schema=pa.schema(_HEALTH_FIELDS))


def change_auto_cleanup(command: SetAutoCleanup, database: LanceDatabase) -> pa.Table:
    """The settings as they are now."""
    set_auto_cleanup(database, command)
    table = database.find_table(command.table.name)
    return _answer_cleanup({} if table is None else read_auto_cleanup(database, table))


def _answer_cleanup(settings: dict[str, str]) -> pa.Table:
    return pa.table(
        {
            "setting": pa.array([f"auto_cleanup.{name}" for name in settings], pa.string()),
            "value": pa.array(list(settings.values()), pa.string()),
        }
    )


def answer_steps(steps: Sequence[Step]) -> pa.Table:
    """A row for each step."""
    return pa.Table.from_pylist([asdict(step) for step in steps], schema=pa.schema(_STEP_FIELDS))
