"""The first rows of an order: their ids, found by DuckDB over the columns of the order and the filter alone."""

from __future__ import annotations

from lancesql.execution.filters.resolve import read_remaining, render_conjuncts
from lancesql.execution.filters.text_matches import settle_matches
from lancesql.optimizer.choose_deferral import is_worth_deferring
from lancesql.plan.sources import ROW_ID, TableScan
from lancesql.storage.scan import list_row_ids

from .run import Run, evaluate

__all__ = ["defers_columns", "find_first_rows"]


def defers_columns(source: TableScan, run: Run) -> bool:
    """Whether the rows are found first, as far as their number is small."""
    if not source.defers or source.first is None:
        return False
    counts = [evaluate(value, run) for value in source.first.limit]
    if not all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in counts):
        return False  # DuckDB says what is wrong with it
    return is_worth_deferring(source, sum(count for count in counts if isinstance(count, int)))


def find_first_rows(source: TableScan, run: Run) -> list[int]:
    """The ids in order, those that OFFSET leaves out among them; found once per run."""
    name = f"{source.placeholder}/first"
    held: list[int] | None = run.filters.get(name)
    if held is None:
        held = run.filters[name] = _find(source, run)
    return held


def _find(source: TableScan, run: Run) -> list[int]:
    first = source.first
    assert first is not None
    pushed, others = render_conjuncts(tuple(one for one in source.filter if not one.barred), run)
    matched = settle_matches(others, run)
    count = sum(int(str(evaluate(value, run))) for value in first.limit)
    found = read_remaining(
        source,
        f'"{ROW_ID}"',
        [one for one, _ in (*pushed, *matched.found)],
        [one for one, _ in matched.left],
        "",
        run,
        columns=first.columns,
        tail=f"ORDER BY {first.order} LIMIT {count}",
        few=True,
    )
    return list_row_ids(found.column(0))
