"""Tables written, listed and described."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from lancesql.catalog import TableInfo, View
from lancesql.execution.progress import Report, show_progress
from lancesql.plan.commands import CloneTable, CreateTable
from lancesql.plan.constraints import COMMENT, DEFAULT, read_constraints
from lancesql.plan.query import QueryPlan
from lancesql.plan.type_names import name_arrow_type
from lancesql.settings import Settings
from lancesql.storage.database import LanceDatabase
from lancesql.storage.databases import Databases
from lancesql.storage.writes.clones import clone_table
from lancesql.storage.writes.tables import create_table

__all__ = ["answer_count", "clone", "count_rows", "describe_newest", "describe_table", "show_tables", "write_table"]


def write_table(
    command: CreateTable,
    database: LanceDatabase,
    settings: Settings,
    open_query: Callable[[QueryPlan], pa.RecordBatchReader],
) -> int:
    """Writes a new table from its query; how many rows."""
    options = command.options
    float16, vectors = options.get("float16", False), options.get("vectors", True)
    with show_progress(f"writing {command.name}") as report:
        return create_table(
            database,
            command.name,
            lambda: open_query(command.query),
            replace=command.replace,
            if_not_exists=command.if_not_exists,
            float16=float16 if isinstance(float16, bool | str | tuple) else False,
            vectors=bool(vectors),
            finite=settings.finite_vectors,
            on_rows=count_rows(report),
        )


def count_rows(report: Report | None) -> Callable[[int], None] | None:
    """Tells the rows written so far to a progress report."""
    return None if report is None else lambda rows: report("rows", rows, None)


def answer_count(rows: int) -> pa.Table:
    """One row with `count`."""
    return pa.table({"count": pa.array([rows], pa.int64())})


def clone(command: CloneTable, databases: Databases) -> int:
    """Makes a table of another one's version; how many rows it has."""
    if command.existing is not None and not command.replace:
        return 0
    source, target = databases.of(command.source), databases.find_database(command.name)
    with show_progress(f"cloning {command.source.name}"):
        clone_table(source, command.source, target, command.name, shallow=command.shallow, replace=command.replace)
    return command.source.rows


def show_tables(tables: Mapping[str, TableInfo | None], views: tuple[View, ...]) -> pa.Table:
    """Tables and views: name, rows, version, comment; of a damaged table and a view there is the name alone."""
    listed: Sequence[TableInfo | None] = [*tables.values(), *(None for _ in views)]
    return pa.table(
        {
            "name": pa.array([*tables, *(view.name for view in views)], pa.string()),
            "rows": pa.array([table and table.rows for table in listed], pa.int64()),
            "version": pa.array([table and table.version for table in listed], pa.int64()),
            "comment": pa.array([table and _read_comment(table) for table in listed], pa.string()),
        }
    )


def describe_table(table: TableInfo) -> pa.Table:
    """The columns of a table: name, type, whether NULL may stand there, indexes, default, comment, primary key."""
    names = [
        ", ".join(index.name for index in table.indexes if index.covers(field.name)) or None for field in table.schema
    ]
    key = read_constraints(table.schema).primary_key
    return pa.table(
        {
            "column_name": pa.array(table.schema.names, pa.string()),
            "column_type": pa.array([name_arrow_type(field.type) for field in table.schema], pa.string()),
            "null": pa.array(["YES" if field.nullable else "NO" for field in table.schema], pa.string()),
            "indexes": pa.array(names, pa.string()),
            "default": pa.array([_read_text(field, DEFAULT) for field in table.schema], pa.string()),
            "comment": pa.array([_read_text(field, COMMENT) for field in table.schema], pa.string()),
            "key": pa.array(["PRI" if field.name in key else None for field in table.schema], pa.string()),
        }
    )


def describe_newest(table: TableInfo, database: LanceDatabase) -> pa.Table:
    """The columns of a table as it is now."""
    return describe_table(database.find_newest(table) or table)


def _read_comment(table: TableInfo) -> str | None:
    held = (table.schema.metadata or {}).get(COMMENT)
    return None if held is None else held.decode()


def _read_text(field: pa.Field[Any], key: bytes) -> str | None:
    held = (field.metadata or {}).get(key)
    return None if held is None else held.decode()
