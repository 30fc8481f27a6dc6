"""Indexes built, listed and measured."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict

import pyarrow as pa

from lancesql.catalog import CalibratedEffort, IndexInfo, TableInfo
from lancesql.execution.progress import show_progress
from lancesql.plan.commands import CreateIndex
from lancesql.storage.database import LanceDatabase
from lancesql.storage.indexes import create_index
from lancesql.storage.text_indexes import advise_language

__all__ = ["answer_efforts", "build_index", "list_indexes"]


_INDEX_FIELDS: list[tuple[str, pa.DataType]] = [
    ("name", pa.string()),
    ("type", pa.string()),
    ("column", pa.string()),
    ("metric", pa.string()),
    ("partitions", pa.int64()),
    ("rows_indexed", pa.int64()),
    ("rows_unindexed", pa.int64()),
    ("size_bytes", pa.int64()),
    ("options", pa.string()),
    ("advice", pa.string()),
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


def build_index(command: CreateIndex, database: LanceDatabase) -> pa.Table:
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
    built = next((index for index in (table.indexes if table is not None else ()) if index.name == name), None)
    if table is None or built is None:
        return _answer_indexes([IndexInfo(name=name, kind=command.kind, columns=(command.column,))], [None])
    advice = advise_language(database, table, built)
    if advice is not None:
        warnings.warn(f"index '{name}' on table '{table.name}': {advice}", stacklevel=_find_caller())
    return _answer_indexes([built], [advice])


def _find_caller() -> int:
    """How many frames above the function that asks the first one outside the package is."""
    package = __name__.partition(".")[0]
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        depth, frame = depth + 1, frame.f_back
    return depth


def list_indexes(table: TableInfo, database: LanceDatabase) -> pa.Table:
    """A row for each index of a table."""
    return _answer_indexes(table.indexes, [advise_language(database, table, index) for index in table.indexes])


def _answer_indexes(indexes: Sequence[IndexInfo], advice: Sequence[str | None]) -> pa.Table:
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
            "options": index.text_options,
            "advice": advised,
        }
        for index, advised in zip(indexes, advice, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=_INDEX_SCHEMA)


def answer_efforts(found: list[tuple[IndexInfo, CalibratedEffort]]) -> pa.Table:
    """A row for each effort that was measured."""
    rows = [{"index": index.name, "column": index.columns[0], **asdict(effort)} for index, effort in found]
    return pa.Table.from_pylist(rows, schema=_EFFORT_SCHEMA)
