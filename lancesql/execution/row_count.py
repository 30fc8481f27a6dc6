"""A count carried out: by Lance when the filter is all Lance's, by DuckDB over the columns of the filter otherwise."""

from __future__ import annotations

import pyarrow as pa

from lancesql.execution.filters.resolve import join_filters, read_remaining, render_conjuncts
from lancesql.execution.filters.text_matches import settle_matches
from lancesql.plan.sources import COUNT, RowCount

from .run import Run

__all__ = ["run_row_count"]


def run_row_count(source: RowCount, run: Run) -> pa.Table:
    """One row with one number."""
    pushed, others = render_conjuncts(source.filter, run)
    if others:
        matched = settle_matches(others, run)
        kept, remaining = [one for one, _ in (*pushed, *matched.found)], [one for one, _ in matched.left]
        return read_remaining(source, f'count(*) AS "{COUNT}"', kept, remaining, "", run, few=True)
    text = join_filters([one for _, one in pushed])
    table = source.table
    rows = table.rows if text is None else run.ask_storage(table, lambda: run.database.count_matches(table, text))
    return pa.table({COUNT: pa.array([rows], pa.int64())})
