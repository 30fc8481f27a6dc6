"""How many rows a search gives, and the answer of one that gives none."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from lancesql.execution.run import Run, read_count
from lancesql.plan.sources import DISTANCE, ROW_ID, Search, score_fields

__all__ = ["make_empty", "sum_counts"]


def sum_counts(source: Search, run: Run) -> int | None:
    """The number of rows wanted; None for every one."""
    least = 1 if source.k_origin == "k" else 0  # LIMIT 0 is a question; k => 0 is a mistake
    return sum(read_count(value, run, "k", least=least) for value in source.k) if source.k else None


def make_empty(source: Search, columns: Sequence[str]) -> pa.Table:
    """An answer without rows."""
    types = {field.name: field.type for field in source.table.schema}
    types |= {field.name: field.type for field in score_fields(source)}
    types |= {ROW_ID: pa.uint64(), DISTANCE: pa.float32()}  # a search in a scan's place offers no distance
    return pa.schema([pa.field(name, types[name]) for name in columns]).empty_table()
