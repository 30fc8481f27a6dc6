"""Versions, tags and branches, listed and made; two versions compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from lancesql.engines.definitions import name_types
from lancesql.execution.query import read_plan_table
from lancesql.execution.run import Run
from lancesql.plan.commands import DiffTable, ShowHistory
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import ROW_ID
from lancesql.plan.spelling import quote_name
from lancesql.storage.database import LanceDatabase
from lancesql.storage.references import list_branches, list_tags
from lancesql.storage.versions import list_versions, open_difference

__all__ = ["compare_versions", "show_history"]

OLDER, NEWER = "__lancesql_older", "__lancesql_newer"
_MOMENT = pa.timestamp("us", "UTC")


def show_history(command: ShowHistory, database: LanceDatabase) -> pa.Table:
    """A row for each version, tag or branch."""
    if command.what == "versions":
        found = list_versions(database, command.table)
        return pa.table(
            {
                "version": pa.array([one.version for one in found], pa.int64()),
                "timestamp": pa.array([one.timestamp for one in found], _MOMENT),
                "operation": pa.array([one.operation for one in found], pa.string()),
                "rows": pa.array([one.rows for one in found], pa.int64()),
                "fragments": pa.array([one.fragments for one in found], pa.int64()),
                "size_bytes": pa.array([one.bytes for one in found], pa.int64()),
                "tags": pa.array([list(one.tags) for one in found], pa.list_(pa.string())),
            }
        )
    named = (list_tags if command.what == "tags" else list_branches)(database, command.table)
    return pa.table(
        {
            "name": pa.array([one.name for one in named], pa.string()),
            "version": pa.array([one.version for one in named], pa.int64()),
            "branch": pa.array([one.branch for one in named], pa.string()),
            "created": pa.array([one.created for one in named], _MOMENT),
        }
    )


def compare_versions(command: DiffTable, run: Run) -> pa.Table:
    """The rows that are in one of two versions alone, or not the same in both: new values, old ones where a row went.

    A row is the same row by its `_rowid`. Columns that only one of the versions has are not compared; old values of a
    column in another type are compared as values of the new one.
    """
    older, newer = open_difference(run.database.of(command.newer), command.older, command.newer)
    before = _read_before(older.schema, newer.schema, run)
    columns = [
        f"CASE WHEN n.{ROW_ID} IS NOT NULL THEN n.{quote_name(name)}"
        f"{f' ELSE {before[name]}' if name in before else ''} END AS {quote_name(name)}"
        for name in newer.schema.names
        if name != ROW_ID
    ]
    differs = " OR ".join(f"n.{quote_name(name)} IS DISTINCT FROM {old}" for name, old in before.items()) or "false"
    relation = f"""
SELECT CASE WHEN o.{ROW_ID} IS NULL THEN 'insert' WHEN n.{ROW_ID} IS NULL THEN 'delete' ELSE 'update' END AS change,
       coalesce(n.{ROW_ID}, o.{ROW_ID}) AS {ROW_ID}, {", ".join(columns)}
FROM "{NEWER}" AS n FULL JOIN "{OLDER}" AS o ON n.{ROW_ID} = o.{ROW_ID}
WHERE n.{ROW_ID} IS NULL OR o.{ROW_ID} IS NULL OR {differs}
ORDER BY {ROW_ID}"""
    plan = QueryPlan(sql=relation, relation=relation)
    registered = {**run.registered, OLDER: older, NEWER: newer}
    return read_plan_table(replace(run.within(plan), registered=registered))


def _read_before(older: pa.Schema, newer: pa.Schema, run: Run) -> dict[str, str]:
    """The old values, as the new type, of each column that both versions have."""
    types = dict(zip(newer.names, name_types(run.engine, newer), strict=True))
    old: dict[str, str] = {}
    for name in newer.names:
        if name == ROW_ID or name not in older.names:
            continue
        before, after = older.field(name).type, newer.field(name).type
        if before == after:
            old[name] = f"o.{quote_name(name)}"
        elif not _is_another_struct(before, after):
            old[name] = f"TRY_CAST(o.{quote_name(name)} AS {types[name]})"
    return old


def _is_another_struct(before: Any, after: Any) -> bool:
    """Whether two structs have no field in common, so that DuckDB casts neither to the other."""
    both = pa.types.is_struct(before) and pa.types.is_struct(after)
    return both and not {one.name.lower() for one in before} & {one.name.lower() for one in after}
