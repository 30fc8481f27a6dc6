"""Whether a scan asks the indexes of its filter or reads its columns: many rows come faster without an index."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lancesql.catalog import TableInfo
from lancesql.execution.run import Run
from lancesql.plan.predicates import Between, Column, Comparison, Predicate
from lancesql.plan.sources import Conjunct, TableScan
from lancesql.plan.values import Constant, Parameter

__all__ = ["uses_index"]

_FEW_ROWS = 200_000
"""So few rows are read as fast one way as the other."""
_SELECTIVE = 0.02
"""Measured on a million rows: an index is faster for less than about so great a share of them, and up to seven times as
slow for more."""
_COMPARE: dict[str, Any] = {"<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}


def uses_index(source: TableScan, pushed: list[tuple[Conjunct, str]], run: Run) -> bool:
    """False when all of the filter is ranges of numbers and moments, and a sample says that they keep many rows."""
    table = source.table
    named = {name for conjunct, _ in pushed for name in conjunct.columns}
    if table.rows < _FEW_ROWS or not any(index.covers(name) for index in table.indexes for name in named):
        return True
    share = 1.0
    for conjunct, _ in pushed:
        kept = _estimate(conjunct.predicate, table, run)
        if kept is None:
            return True
        share *= kept
    return share < _SELECTIVE


def _estimate(predicate: Predicate | None, table: TableInfo, run: Run) -> float | None:
    """The share of the table's rows that a range keeps; None for what is no range, or not of plain numbers."""
    match predicate:
        case Comparison(column, op, value) if op in _COMPARE:
            bounds = [(op, value)]
        case Between(column, low, high):
            bounds = [(">=", low), ("<=", high)]
        case _:
            return None
    if not _is_number(column):
        return None
    sample: Any = run.ask_storage(table, lambda: run.database.sample_column(table, column.name))
    if column.path:
        sample = pc.struct_field(sample, list(column.path))
    kept: Any = None
    for op, operand in bounds:
        bound = _read_bound(operand, sample.type, run)
        if bound is None:
            return None
        found = _COMPARE[op](sample, bound)
        kept = found if kept is None else pc.and_(kept, found)
    return (pc.sum(kept).as_py() or 0) / max(len(sample), 1)


def _is_number(column: Column) -> bool:
    types = pa.types
    plain = types.is_integer(column.type) or types.is_floating(column.type) or types.is_date32(column.type)
    return not column.json and bool(plain or types.is_timestamp(column.type))


def _read_bound(operand: object, type_: pa.DataType, run: Run) -> Any:
    """The bound as a value to compare the sample with; None when it is computed, or of another kind."""
    match operand:
        case Constant(value):
            given = value
        case Parameter(name):
            given = run.values.get(name)
        case _:
            return None
    try:
        number = pa.types.is_integer(type_) or pa.types.is_floating(type_)
        return pa.scalar(given) if number and isinstance(given, int | float) else pa.scalar(given, type_)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
