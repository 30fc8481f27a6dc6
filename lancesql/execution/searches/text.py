"""A full-text search carried out."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from lancesql.binder.searches.text_reading import read_source_query
from lancesql.execution.filters.resolve import resolve_filter
from lancesql.execution.run import Run, evaluate
from lancesql.plan.sources import FullTextSearch
from lancesql.storage.scan import read_row_ids, serialize_row_ids
from lancesql.storage.searches.texts import describe_text_search, search_texts

from .counts import make_empty

__all__ = ["describe_text", "is_behind", "run_text_search"]


def run_text_search(source: FullTextSearch, run: Run, columns: Sequence[str], k: int | None) -> pa.Table:
    """The matching rows, best first; at most k of them."""
    query, searched = read_source_query(source, lambda value: evaluate(value, run))
    dataset = run.database.open_dataset(source.table)
    if k == 0 or source.table.rows == 0:
        return make_empty(source, columns)
    resolved = resolve_filter(source, run)
    if resolved.matches == 0:
        return make_empty(source, columns)
    text, row_ids = resolved.text, resolved.row_ids
    if text is not None and is_behind(source):
        # Lance weighs the words of rows the index does not know among those a filter text keeps: scores would change.
        kept = text
        text, row_ids = None, run.ask_storage(source.table, lambda: read_row_ids(dataset, kept, None))
    return run.ask_storage(
        source.table,
        lambda: search_texts(
            dataset,
            columns,
            text_columns=searched,
            query=query,
            limit=k,
            filter=text,
            fast_search=source.fast_search,
            row_ids=None if row_ids is None else serialize_row_ids(row_ids),
        ),
    )


def describe_text(source: FullTextSearch, run: Run) -> list[str]:
    """How the parts of the query are answered, where that is not by the index alone; a line each."""
    query, searched = read_source_query(source, lambda value: evaluate(value, run))
    dataset = run.database.open_dataset(source.table)
    return describe_text_search(dataset, text_columns=searched, query=query)


def is_behind(source: FullTextSearch) -> bool:
    """Whether rows were written after a text index was built."""
    indexes = (source.table.index_on(column, ("INVERTED", "FTS")) for column in source.text_columns)
    return any(index is not None and index.rows_unindexed for index in indexes)
