"""A full-text search carried out."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from lancesql.errors import ArgumentError, LanceSQLError
from lancesql.execution.filters.resolve import resolve_filter
from lancesql.execution.run import Run, evaluate
from lancesql.parser.text_syntax import read_text_query
from lancesql.plan.sources import FullTextSearch
from lancesql.plan.text import TextQuery, TextReading
from lancesql.storage.scan import read_row_ids, serialize_row_ids
from lancesql.storage.searches.texts import search_texts

from .counts import make_empty

__all__ = ["is_behind", "run_text_search"]


def _read_text(source: FullTextSearch, run: Run) -> TextQuery:
    raw = evaluate(source.query, run)
    if not isinstance(raw, str):
        shown = "NULL" if raw is None else "a list" if isinstance(raw, tuple | list) else type(raw).__name__
        raise ArgumentError(f"the text query is a text, not {shown}", span=source.query.span)
    try:
        reading = TextReading(source.operator, columns=source.text_columns, others=_list_others(source))
        return read_text_query(raw, source.syntax, reading)
    except LanceSQLError as error:
        error.sql = error.sql or raw
        raise


def _list_others(source: FullTextSearch) -> tuple[str, ...]:
    return tuple(name for name in source.table.schema.names if name not in source.text_columns)


def run_text_search(source: FullTextSearch, run: Run, columns: Sequence[str], k: int | None) -> pa.Table:
    """The matching rows, best first; at most k of them."""
    query = _read_text(source, run)
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
            text_columns=source.text_columns,
            query=query,
            limit=k,
            filter=text,
            fast_search=source.fast_search,
            row_ids=None if row_ids is None else serialize_row_ids(row_ids),
        ),
    )


def is_behind(source: FullTextSearch) -> bool:
    """Whether rows were written after a text index was built."""
    indexes = (source.table.index_on(column, ("INVERTED", "FTS")) for column in source.text_columns)
    return any(index is not None and index.rows_unindexed for index in indexes)
