"""Whether columns are worth reading later, for the rows that are shown."""

from __future__ import annotations

from lancesql.plan.sources import TableScan

from .choose_keys import cost_full_scan, cost_taking

__all__ = ["is_worth_deferring"]

_ASK_TWICE = 2e6
"""Nanoseconds that a second query costs."""


def is_worth_deferring(source: TableScan, rows: int) -> bool:
    """Whether reading the keys of every row and then `rows` rows by their ids costs less than reading every row."""
    assert source.first is not None
    early = {*source.first.columns, *(name for conjunct in source.filter for name in conjunct.columns)}
    late = tuple(name for name in source.columns if name not in early)
    saved = cost_full_scan(source.table, late) - cost_full_scan(source.table, ())
    return saved > _ASK_TWICE + rows * cost_taking(source.table, source.columns)
