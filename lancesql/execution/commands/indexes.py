"""Indexes built, listed and measured."""

from __future__ import annotations

from dataclasses import asdict

import pyarrow as pa

from lancesql.catalog import CalibratedEffort, IndexInfo
from lancesql.execution.progress import show_progress
from lancesql.plan.commands import CreateIndex
from lancesql.storage.database import LanceDatabase
from lancesql.storage.indexes import create_index

__all__ = ["answer_efforts", "answer_indexes", "build_index"]


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


_INDEX_SCHEMA = pa.schema(_INDEX_FIELDS)


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


def build_index(command: CreateIndex, database: LanceDatabase) -> IndexInfo:
    """Builds an index, and says what was built."""
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


def answer_indexes(indexes: list[IndexInfo]) -> pa.Table:
    """A row for each index."""
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


def answer_efforts(found: list[tuple[IndexInfo, CalibratedEffort]]) -> pa.Table:
    """A row for each effort that was measured."""
    rows = [{"index": index.name, "column": index.columns[0], **asdict(effort)} for index, effort in found]
    return pa.Table.from_pylist(rows, schema=_EFFORT_SCHEMA)
