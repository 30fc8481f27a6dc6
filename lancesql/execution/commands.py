"""Commands → what they did, as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import pyarrow as pa

from lancesql.catalog import CalibratedEffort, IndexInfo, TableInfo, View
from lancesql.execution.results.engine_types import name_arrow_type
from lancesql.plan.commands import (
    AnalyzeTable,
    Command,
    CreateIndex,
    CreateTable,
    DescribeTable,
    DropTable,
    InsertInto,
    ShowIndexes,
    ShowTables,
)
from lancesql.plan.query import QueryPlan
from lancesql.storage.calibration import analyze_table
from lancesql.storage.database import LanceDatabase
from lancesql.storage.indexes import create_index
from lancesql.storage.writes.tables import create_table, drop_table, insert_rows

from .progress import Report, show_progress

__all__ = ["run_command"]

_INDEX_FIELDS: list[tuple[str, pa.DataType]] = [
    ("name", pa.string()),
    ("type", pa.string()),
    ("column", pa.string()),
    ("metric", pa.string()),
    ("partitions", pa.int64()),
    ("rows_indexed", pa.int64()),
    ("rows_unindexed", pa.int64()),
    ("size_bytes", pa.int64()),
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
_EFFORT_SCHEMA = pa.schema(_EFFORT_FIELDS)
_INDEX_SCHEMA = pa.schema(_INDEX_FIELDS)


def run_command(
    command: Command, database: LanceDatabase, open_query: Callable[[QueryPlan], pa.RecordBatchReader]
) -> pa.Table:
    """Carries out a command.

    Args:
        command: What to do.
        database: Where.
        open_query: Runs the query within the command, as a stream; called again when it has to be read anew.

    Returns:
        One row with `count` for what writes rows, the index for CREATE INDEX, nothing for DROP TABLE, and what SHOW and
        DESCRIBE ask for.

    Raises:
        ExecutionError: When it cannot be carried out; the tables are then as they were.
    """
    match command:
        case CreateTable():
            return _answer_count(_create_table(command, database, open_query))
        case InsertInto(table, query, columns, by_name):
            with show_progress(f"writing {table.name}") as report:
                return _answer_count(
                    insert_rows(
                        database,
                        table,
                        lambda: open_query(query),
                        columns=columns,
                        by_name=by_name,
                        on_rows=_count_rows(report),
                    )
                )
        case DropTable(name, table):
            if table is not None:
                drop_table(database, name)
            return pa.table({})
        case CreateIndex():
            return _answer_indexes([_create_index(command, database)])
        case ShowTables(views):
            return _show_tables(database, views)
        case ShowIndexes(table):
            return _answer_indexes(list(table.indexes))
        case AnalyzeTable(table):
            with show_progress(f"analyzing {table.name}") as report:
                return _answer_efforts(analyze_table(database, table, report))
        case DescribeTable(table):
            return _describe_table(table)


def _create_table(
    command: CreateTable, database: LanceDatabase, open_query: Callable[[QueryPlan], pa.RecordBatchReader]
) -> int:
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
            on_rows=_count_rows(report),
        )


def _create_index(command: CreateIndex, database: LanceDatabase) -> IndexInfo:
    with show_progress(f"building {command.kind} on {command.table.name}") as report:
        name = create_index(
            database,
            command.table,
            command.column,
            command.kind,
            name=command.name,
            replace=command.replace,
            if_not_exists=command.if_not_exists,
            options=command.options,
            on_progress=report,
        )
    table = database.find_table(command.table.name)
    built = [index for index in (table.indexes if table is not None else ()) if index.name == name]
    return built[0] if built else IndexInfo(name=name, kind=command.kind, columns=(command.column,))


def _count_rows(report: Report | None) -> Callable[[int], None] | None:
    return None if report is None else lambda rows: report("rows", rows, None)


def _answer_count(rows: int) -> pa.Table:
    return pa.table({"count": pa.array([rows], pa.int64())})


def _answer_efforts(found: list[tuple[IndexInfo, CalibratedEffort]]) -> pa.Table:
    rows = [{"index": index.name, "column": index.columns[0], **asdict(effort)} for index, effort in found]
    return pa.Table.from_pylist(rows, schema=_EFFORT_SCHEMA)


def _show_tables(database: LanceDatabase, views: tuple[View, ...]) -> pa.Table:
    unknown = [None] * len(views)
    found = [database.find_table(name) for name in sorted(database.table_names())]
    tables = [table for table in found if table is not None]
    return pa.table(
        {
            "name": pa.array([*(table.name for table in tables), *(view.name for view in views)], pa.string()),
            "rows": pa.array([*(table.rows for table in tables), *unknown], pa.int64()),
            "version": pa.array([*(table.version for table in tables), *unknown], pa.int64()),
        }
    )


def _answer_indexes(indexes: list[IndexInfo]) -> pa.Table:
    rows = [
        {
            "name": index.name,
            "type": "FTS" if index.kind == "INVERTED" else index.kind,
            "column": ", ".join(index.columns),
            "metric": index.metric,
            "partitions": index.partitions,
            "rows_indexed": index.rows_indexed,
            "rows_unindexed": index.rows_unindexed,
            "size_bytes": index.size_bytes,
        }
        for index in indexes
    ]
    return pa.Table.from_pylist(rows, schema=_INDEX_SCHEMA)


def _describe_table(table: TableInfo) -> pa.Table:
    names = [
        ", ".join(index.name for index in table.indexes if field.name in index.columns) or None
        for field in table.schema
    ]
    return pa.table(
        {
            "column_name": pa.array(table.schema.names, pa.string()),
            "column_type": pa.array([name_arrow_type(field.type) for field in table.schema], pa.string()),
            "null": pa.array(["YES" if field.nullable else "NO" for field in table.schema], pa.string()),
            "indexes": pa.array(names, pa.string()),
        }
    )
