"""Indexes built, listed and measured."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import pyarrow as pa

from lancesql.catalog import CalibratedEffort, IndexInfo, TableInfo
from lancesql.errors import StorageError
from lancesql.execution.progress import show_progress
from lancesql.plan.commands import CreateIndex, IndexPlan
from lancesql.storage.database import LanceDatabase
from lancesql.storage.index_advice import advise_index
from lancesql.storage.index_builds import build_index, plan_index
from lancesql.storage.index_options import read_built_options, show_options
from lancesql.storage.indexes import show_kind
from lancesql.storage.text_indexes import advise_language

__all__ = ["answer_efforts", "create_index", "describe_index_plan", "list_indexes"]

_INDEX_FIELDS: list[tuple[str, pa.DataType]] = [
    ("table", pa.string()),
    ("name", pa.string()),
    ("type", pa.string()),
    ("column", pa.string()),
    ("metric", pa.string()),
    ("partitions", pa.int64()),
    ("parameters", pa.string()),
    ("rows_indexed", pa.int64()),
    ("rows_unindexed", pa.int64()),
    ("size_bytes", pa.int64()),
    ("built_at", pa.timestamp("us", "UTC")),
    ("age", pa.string()),
    ("advice", pa.string()),
]
_BUILT_FIELDS: list[tuple[str, pa.DataType]] = [
    *_INDEX_FIELDS[:7],
    ("defaults", pa.list_(pa.string())),
    *_INDEX_FIELDS[7:10],
    ("notes", pa.list_(pa.string())),
    ("advice", pa.string()),
]
_EFFORT_FIELDS: list[tuple[str, pa.DataType]] = [
    ("index", pa.string()),
    ("column", pa.string()),
    ("share", pa.float64()),
    ("target", pa.float64()),
    ("nprobes", pa.int64()),
    ("candidates", pa.int64()),
    ("ef", pa.int64()),
    ("recall", pa.float64()),
    ("milliseconds", pa.float64()),
]
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def create_index(command: CreateIndex, database: LanceDatabase) -> pa.Table:
    """Builds an index, and says what was built: with which options, and which of them nobody gave."""
    plan = plan_index(database, command)
    with show_progress(f"building {plan.kind} on {plan.table.name}") as report:
        build_index(database, plan, report)
    table = database.find_newest(command.table) or command.table
    built = next((index for index in table.indexes if index.name == plan.name), None)
    if built is None:  # somebody dropped it meanwhile
        built = IndexInfo(name=plan.name, kind=plan.kind, columns=(plan.column,))
    notes = ["it was there already, and stays as it is"] if plan.stays else list(plan.notes)
    advice = None if plan.stays else advise_language(database, table, built)
    if advice is not None:
        warnings.warn(f"index '{plan.name}' on table '{table.name}': {advice}", stacklevel=_find_caller())
    row = _describe_index(table, built, read_built_options(database.open_dataset(table), built))
    return pa.Table.from_pylist(
        [{**row, "defaults": list(plan.defaults), "notes": notes, "advice": advice}], schema=pa.schema(_BUILT_FIELDS)
    )


def describe_index_plan(command: CreateIndex, database: LanceDatabase) -> list[str]:
    """What CREATE INDEX would build, a line each: the index, its options, what to know of it."""
    plan = plan_index(database, command)
    if plan.stays:
        return [f"nothing: there is an index '{plan.name}' already"]
    replaced = "" if plan.replaces is None else f", in the place of {show_kind(plan.replaces)} '{plan.replaces.name}'"
    head = f"{plan.kind} '{plan.name}' on {plan.column}, over {plan.table.rows:,} rows{replaced}"
    return [head, *_describe_options(plan), *plan.notes]


def _describe_options(plan: IndexPlan) -> list[str]:
    given = {name: value for name, value in plan.options.items() if name not in plan.defaults}
    chosen = {name: value for name, value in plan.options.items() if name in plan.defaults}
    lines = []
    for label, options in (("given", given), ("by default", chosen)):
        if options:
            shown = ", ".join(f"{name} = {_show_value(value)}" for name, value in options.items())
            lines.append(f"{label}: {shown}")
    return lines


def _show_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _find_caller() -> int:
    """How many frames above the function that asks the first one outside the package is."""
    package = __name__.partition(".")[0]
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        depth, frame = depth + 1, frame.f_back
    return depth


def list_indexes(tables: Sequence[TableInfo], find_database: Callable[[TableInfo], LanceDatabase]) -> pa.Table:
    """A row for each index of the tables."""
    rows = [
        _list_index(table, index, database)
        for table, database in ((table, find_database(table)) for table in tables)
        for index in table.indexes
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema(_INDEX_FIELDS))


def _list_index(table: TableInfo, index: IndexInfo, database: LanceDatabase) -> dict[str, object]:
    try:
        options = read_built_options(database.open_dataset(table), index)
        advice = advise_index(database, table, index)
    except StorageError as error:  # one whose files are damaged does not hide the others
        options, advice = {}, error.message
    return {**_describe_index(table, index, options), "advice": advice}


def _describe_index(table: TableInfo, index: IndexInfo, options: Mapping[str, object]) -> dict[str, object]:
    kind = show_kind(index)
    return {
        "table": table.name,
        "name": index.name,
        "type": kind,
        "column": ", ".join(index.columns),
        "metric": index.metric,
        "partitions": index.partitions,
        "parameters": index.text_options if kind == "FTS" else show_options(kind, options),
        "rows_indexed": index.rows_indexed,
        "rows_unindexed": index.rows_unindexed,
        "size_bytes": index.size_bytes,
        "built_at": index.built_at,
        "age": None if index.built_at is None else show_age((_now() - index.built_at).total_seconds()),
    }


def _now() -> datetime:
    return datetime.now(UTC)


def show_age(seconds: float) -> str:
    """A length of time in its largest unit.

    Example:
        >>> show_age(200_000.0), show_age(60.0), show_age(0.2)
        ('2 days', '1 minute', '0 seconds')
    """
    name, size = next((unit for unit in _UNITS if seconds >= unit[1]), _UNITS[-1])
    count = max(int(seconds // size), 0)
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def answer_efforts(found: list[tuple[IndexInfo, CalibratedEffort]]) -> pa.Table:
    """A row for each effort that was measured."""
    rows = [{"index": index.name, "column": index.columns[0], **asdict(effort)} for index, effort in found]
    return pa.Table.from_pylist(rows, schema=pa.schema(_EFFORT_FIELDS))
