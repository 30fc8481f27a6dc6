"""Pages of one ranking: what LIMIT … OFFSET … cuts out of searches through an index, without a gap or a repeat.

An index that is asked for more rows finds some that it missed when it was asked for fewer. So a page is not cut from a
search of its own: the rows of the first page are followed by those that a search of four times as many rows adds to
them, and so on. Every page of the same size is then a slice of one and the same sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from lancesql.execution.run import Run, read_count
from lancesql.plan.sources import DISTANCE, ROW_ID, VectorSearch
from lancesql.storage.scan import list_row_ids, take_rows

from .vector import plan_vector_search

__all__ = ["list_steps", "rank_pages"]

_GROWTH = 4


def list_steps(source: VectorSearch, run: Run, k: int | None) -> list[int]:
    """The numbers of rows that are searched for, one after another; none when one search answers.

    An exact search of more rows begins with the rows of one of fewer.
    """
    if k is None or len(source.k) < 2 or source.selection is not None:
        return []
    page = read_count(source.k[0], run, "LIMIT", least=0)
    if not 0 < page < k or plan_vector_search(source, run, page).strategy.exact:
        return []
    steps = [page]
    while steps[-1] < k:
        steps.append(_GROWTH * steps[-1])
    return steps


def rank_pages(
    source: VectorSearch, run: Run, columns: Sequence[str], k: int, steps: list[int], rank: Callable[[int], pa.Table]
) -> pa.Table:
    """The first k rows of the sequence.

    It is in order of distance. A row that would have belonged to a page that is over comes behind all others: it is
    seen, but only by who reads to the end.

    Args:
        source: The search.
        run: The run it belongs to.
        columns: The columns wanted.
        k: How many rows.
        steps: The numbers of rows searched for.
        rank: The answer of one search of so many rows, with `_rowid` and `_distance`.
    """
    joined = rank(steps[0])
    wanted, complete = steps[0], joined.num_rows < steps[0]
    while joined.num_rows < k and not complete:
        wanted *= _GROWTH
        found = rank(wanted)
        complete = found.num_rows < wanted
        joined = _follow(joined, found, complete=complete)
    joined = joined.slice(0, k)
    own = [name for name in columns if name != DISTANCE]
    if set(own) <= {ROW_ID}:
        return joined.select(list(columns))
    rows = take_rows(run.database.open_dataset(source.table), list_row_ids(joined.column(ROW_ID)), own)
    return rows.append_column(DISTANCE, joined.column(DISTANCE)).select(list(columns))


def _follow(joined: pa.Table, found: pa.Table, *, complete: bool) -> pa.Table:
    """The rows of a ranking, then those of another that come behind its last; behind them, at the end, those left."""
    others = found.filter(pa.array(~np.isin(found.column(ROW_ID).to_numpy(), joined.column(ROW_ID).to_numpy())))
    last = joined.slice(joined.num_rows - 1)
    distance, row_id = last.column(DISTANCE)[0].as_py(), last.column(ROW_ID)[0].as_py()
    distances, ids = others.column(DISTANCE).to_numpy(), others.column(ROW_ID).to_numpy()
    behind = (distances > distance) | ((distances == distance) & (ids > row_id))
    parts = [joined, others.filter(pa.array(behind)), *([others.filter(pa.array(~behind))] if complete else [])]
    return pa.concat_tables(parts)
