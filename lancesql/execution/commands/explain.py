"""EXPLAIN of a command: what it would touch, without touching it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lancesql.binder.commands.constraints import write_check
from lancesql.catalog import TableInfo
from lancesql.execution.names import count_answer, find_answer_columns
from lancesql.execution.run import OpenQuery, Run
from lancesql.plan.commands import (
    AddCheck,
    AttachDatabase,
    ChangeColumn,
    ChangedRows,
    ChangeType,
    CloneTable,
    Command,
    CopyToArrow,
    CopyToFile,
    CreateIndex,
    CreateReference,
    CreateTable,
    CreateView,
    DatabaseCommand,
    DeleteRows,
    DropCheck,
    DropIndex,
    DropReference,
    DropTable,
    InsertInto,
    MergeRows,
    OptimizeTable,
    RefreshIndexes,
    RestoreTable,
    SettingCommand,
    TruncateTable,
    UpdateRows,
    VacuumTable,
    ViewCommand,
)
from lancesql.plan.constraints import read_constraints
from lancesql.storage.index_options import lacks_vectors
from lancesql.storage.maintenance import list_borrowed, plan_compaction, plan_vacuum
from lancesql.storage.references import find_dropped, find_replaced, list_branches
from lancesql.storage.versions import list_versions
from lancesql.storage.writes.changes import measure_change
from lancesql.storage.writes.clones import measure_table
from lancesql.storage.writes.tables import match_columns

from .changes import read_changed_ids
from .column_types import describe_type
from .indexes import describe_index_plan

__all__ = ["check_columns", "describe_command"]


def describe_command(
    command: Command | SettingCommand | ViewCommand | DatabaseCommand, run: Run, open_query: OpenQuery
) -> list[str]:
    """Lines that say how much a command would touch; none for one that touches nothing or cannot know."""
    match command:
        case DeleteRows(changed) | UpdateRows(changed):
            touched = [ids for ids, _ in read_changed_ids(changed, open_query)]
            return [_describe_rows(changed.table, touched, run, writes=isinstance(command, UpdateRows))]
        case MergeRows(changed):
            return _describe_merge(command, changed, run, open_query)
        case CreateTable(name, _, replace, if_not_exists) if if_not_exists and not replace:
            return ["nothing: the table is there"] if run.database.find_table(name) else _describe_answer(run)
        case InsertInto() | CreateTable() | CopyToArrow():
            return _describe_answer(run)
        case TruncateTable(table):
            fragments, size = measure_table(run.database.of(table), table)
            return [f"{table.rows:,} rows, all of them, in {fragments:,} fragments of {size:,} bytes"]
        case ChangeColumn(table, column, "drop"):
            return [_describe_column_drop(table, column)]
        case AddCheck(table, check):
            return [f"CHECK {write_check(check)} ({check.name}): {table.rows:,} rows are looked at; no data is written"]
        case DropCheck(table, name):
            return [_describe_check_drop(table, name)]
        case ChangeType():
            return describe_type(command)
        case DropTable(_, table):
            return [] if table is None else [_describe_table_drop(table, run)]
        case RestoreTable(table):
            newest = run.database.find_table(table.name) or table
            before = f"after version {newest.version} with {newest.rows:,}"
            return [
                f"version {table.version} with {table.rows:,} rows becomes the newest, {before}; no data is written"
            ]
        case CreateReference():
            return [_describe_creation(command, run)]
        case DropReference():
            return [_describe_reference_drop(command, run)]
        case OptimizeTable(table, options):
            return _describe_compaction(table, options, run)
        case CreateIndex():
            return describe_index_plan(command, run.database.of(command.table))
        case DropIndex(table, name):
            return [_describe_drop(table, name)]
        case RefreshIndexes(table, names, mode):
            if mode == "retrain":
                return [f"{name}: built anew over {table.rows:,} rows" for name in names]
            return _describe_indexes(table, names, run)
        case VacuumTable():
            found = plan_vacuum(run.database.of(command.table), command)
            pinned = f"; kept by {', '.join(found.pinned)}" if found.pinned else ""
            return [f"{found.versions:,} versions, {found.files:,} files, {found.bytes:,} bytes would go{pinned}"]
        case AttachDatabase(_, path, read_only):
            return ["nothing: it is attached"] if path is None else [f"{path}{', for reading only' * read_only}"]
        case CloneTable():
            return _describe_clone(command, run)
        case _:
            return []


def check_columns(command: Command | SettingCommand | ViewCommand | DatabaseCommand, run: Run) -> None:
    """Raises for a name within the query of a command that does not exist, or columns that the table has not.

    Raises:
        LanceSQLError: As running it would.
    """
    match command:
        case InsertInto(table, _, columns, by_name):
            found = find_answer_columns(run)
            if found is not None:
                match_columns(table, found, columns, by_name=by_name)
        case CreateView(view):
            find_answer_columns(run, view.columns)
        case CreateTable() | CopyToFile() | CopyToArrow():
            find_answer_columns(run)


def _describe_creation(command: CreateReference, run: Run) -> str:
    existing = find_replaced(run.database.of(command.table), command)
    if existing is not None and command.if_not_exists:
        return f"nothing: {command.name} is there, of version {existing.version}"
    before = "" if existing is None else f", version {existing.version} until now"
    return (
        f"{command.name} will mean {command.table.name} @ version {command.table.version}{before}; no data is written"
    )


def _describe_reference_drop(command: DropReference, run: Run) -> str:
    found = find_dropped(run.database.of(command.table), command)
    if found is None:
        return "nothing: there is none of that name"
    if command.is_branch:
        return f"branch {found.name}, begun at version {found.version}, goes with what was written to it"
    return f"tag {found.name} of version {found.version} goes; no data is written"


def _describe_answer(run: Run) -> list[str]:
    rows = count_answer(run)
    return [] if rows is None else [f"{rows:,} rows to write"]


def _describe_column_drop(table: TableInfo, column: str) -> str:
    indexes = [f"index {index.name}" for index in table.indexes if index.covers(column)]
    checks = [f"CHECK {write_check(one)}" for one in read_constraints(table.schema).checks if one.names(column)]
    gone = f", and {', '.join([*indexes, *checks])} with it" if indexes or checks else ""
    return f"column {column} of {table.rows:,} rows goes{gone}; no data is written"


def _describe_check_drop(table: TableInfo, name: str | None) -> str:
    check = next((one for one in read_constraints(table.schema).checks if one.name == name), None)
    gone = "nothing: there is no such constraint" if check is None else f"CHECK {write_check(check)} goes"
    return f"{gone}; no data is written"


def _describe_table_drop(table: TableInfo, run: Run) -> str:
    database = run.database.of(table)
    fragments, size = measure_table(database, table)
    versions = len(list_versions(database, table))
    branches = [one.name for one in list_branches(database, table)]
    parted = f", and branches {', '.join(branches)}" if branches else ""
    return (
        f"{table.rows:,} rows in {fragments:,} fragments of {size:,} bytes, "
        f"{versions:,} versions and {len(table.indexes):,} indexes{parted} would go"
    )


def _describe_clone(command: CloneTable, run: Run) -> list[str]:
    table = command.source
    if command.existing is not None and not command.replace:
        return ["nothing: the table is there"]
    if command.shallow:
        return [f"{table.name} @ version {table.version} gets a tag; {table.rows:,} rows stay in its files"]
    fragments, size = measure_table(run.database.of(table), table)
    indexes = f", indexes {', '.join(one.name for one in table.indexes)}" if table.indexes else ""
    rows = f"{table.rows:,} rows of {table.name} @ version {table.version}"
    return [f"{rows}, {fragments:,} fragments of {size:,} bytes{indexes}"]


def _describe_rows(table: TableInfo, touched: list[np.ndarray[Any, Any]], run: Run, *, writes: bool) -> str:
    row_ids = np.unique(np.concatenate([np.empty(0, np.uint64), *touched]))
    fragments, of, size = measure_change(run.database.of(table), table, row_ids)
    written = f", about {size:,} bytes {'written anew' if writes else 'marked as deleted'}"
    return f"{len(row_ids):,} of {table.rows:,} rows, in {fragments:,} of {of:,} fragments{written}"


def _describe_merge(command: MergeRows, changed: ChangedRows, run: Run, open_query: OpenQuery) -> list[str]:
    touched: dict[int, list[np.ndarray[Any, Any]]] = {}
    counts: dict[int, int] = {}
    for ids, chosen in read_changed_ids(changed, open_query):
        assert chosen is not None
        for number in range(len(command.branches)):
            kept = chosen == number
            counts[number] = counts.get(number, 0) + int(kept.sum())
            touched.setdefault(number, []).append(ids[kept])
    lines = []
    for number, branch in enumerate(command.branches):
        if branch.action in ("update", "delete"):
            rows = _describe_rows(changed.table, touched.get(number, []), run, writes=branch.action == "update")
        else:
            rows = f"{counts.get(number, 0):,} rows"
        lines.append(f"{branch.action.upper()}: {rows}")
    return lines


def _describe_compaction(table: TableInfo, options: Mapping[str, object], run: Run) -> list[str]:
    database = run.database.of(table)
    groups = plan_compaction(database, table, options)
    borrowed = list_borrowed(database, table, options)
    lines = [f"{fragments:,} fragments rewritten: {rows:,} rows, {size:,} bytes" for fragments, rows, size in groups]
    return [
        *(f"{name}: built anew over {table.rows:,} rows" for name in borrowed),
        *(lines or ["no fragments to put together"]),
        *_describe_indexes(table, [one.name for one in table.indexes if one.name not in borrowed], run),
    ]


def _describe_drop(table: TableInfo, name: str) -> str:
    index = next((one for one in table.indexes if one.name == name), None)
    return "nothing: there is no such index" if index is None else f"{name}: {index.size_bytes or 0:,} bytes"


def _describe_indexes(table: TableInfo, names: Sequence[str], run: Run) -> list[str]:
    dataset = run.database.of(table).open_dataset(table)
    return [
        f"{index.name}: {index.rows_unindexed:,} rows to add"
        if index.rows_unindexed and not lacks_vectors(dataset, index)
        else f"{index.name}: nothing to do"
        for index in table.indexes
        if index.name in names
    ]
