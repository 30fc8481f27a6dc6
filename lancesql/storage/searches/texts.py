"""Full-text search in Lance: the query tree compiled, every tie kept, order by score and then by row id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lance
import pyarrow as pa
import pyarrow.compute as pc
from lance.query import BooleanQuery, FullTextOperator, FullTextQuery, MatchQuery, MultiMatchQuery, Occur, PhraseQuery

from lancesql.errors import UnsupportedError
from lancesql.plan.sources import ROW_ID, SCORE
from lancesql.plan.text import AllOf, AnyOf, Excluding, Phrase, TextQuery, Words
from lancesql.storage.index_flaws import avoid_flawed_index
from lancesql.storage.scan import read_row_ids, serialize_row_ids, wrap_lance_error

from .flat_texts import Tokenizer, search_flat

__all__ = ["search_texts"]


def search_texts(
    dataset: lance.LanceDataset,
    columns: Sequence[str],
    *,
    text_columns: Sequence[str],
    query: TextQuery,
    limit: int | None,
    filter: str | None = None,
    row_ids: bytes | None = None,
    fast_search: bool = False,
) -> pa.Table:
    """The matching rows, best first, ties by `_rowid`; with a limit the first so many of exactly that order.

    Args:
        dataset: The table at its version.
        columns: The columns to read; `_score` and `_rowid` may be among them.
        text_columns: The columns searched.
        query: The query, read.
        limit: At most so many rows; None for every match.
        filter: Lance filter text, applied before the ranking.
        row_ids: Serialised row ids outside which nothing is searched.
        fast_search: Leave out the rows that the index does not cover; without an index there are none.

    Raises:
        UnsupportedError: For a phrase on a column whose index keeps no positions.
    """
    options = read_text_options(dataset)
    if any(column not in options for column in text_columns):
        return search_flat(
            dataset,
            columns,
            tokenizers={column: Tokenizer(options.get(column, {})) for column in text_columns},
            query=query,
            limit=limit,
            filter=filter,
            row_ids=row_ids,
        )
    compiled = _Compiler({column: options[column] for column in text_columns}).compile(query)
    own = [name for name in columns if name not in (ROW_ID, SCORE)]
    if compiled is None:
        empty = dataset.scanner(columns=own, with_row_id=True, limit=0).to_table()
        return empty.append_column(SCORE, pa.array([], pa.float32())).select(list(columns))
    narrowed = filter
    if avoid_flawed_index(dataset, filter):  # without scalar indexes the text index would not be used either
        row_ids = serialize_row_ids(read_row_ids(dataset, filter, row_ids))
        narrowed = None
    fetch = None if limit is None else limit + 1
    while True:
        try:
            table = dataset.scanner(
                columns=[*own, SCORE],
                full_text_query=compiled,
                filter=narrowed,
                prefilter=True,
                with_row_id=True,
                row_addr_allowlist=row_ids,
                fast_search=fast_search,
                limit=fetch,
                disable_scoring_autoprojection=True,
            ).to_table()
        except BaseException as error:
            raise _explain_text_error(error, text_columns) from None
        if limit is None or fetch is None or table.num_rows < fetch or not _cuts_tie(table, limit):
            break
        fetch *= 4  # rows of one score straddle the limit: which of them come first is decided by their ids, here
    order = pc.sort_indices(table.select([SCORE, ROW_ID]), [(SCORE, "descending"), (ROW_ID, "ascending")])
    return table.take(order[:limit] if limit is not None else order).select(list(columns))


def read_text_options(dataset: lance.LanceDataset) -> dict[str, dict[str, Any]]:
    """The columns that have a text index, and how each cuts a text into words."""
    return {
        index.field_names[0]: dict(index.details or {})
        for index in dataset.describe_indices()
        if len(index.field_names) == 1 and "Inverted" in index.type_url
    }


def _cuts_tie(table: pa.Table, limit: int) -> bool:
    scores = table.column(SCORE).combine_chunks().to_numpy()
    ranked = sorted(scores.tolist(), reverse=True)
    return bool(ranked[limit - 1] == ranked[-1])


class _Compiler:
    """Turns a query tree into Lance's query objects, for one table and its columns."""

    def __init__(self, options: dict[str, dict[str, Any]]) -> None:
        self.columns = tuple(options)
        self.options = options

    def compile(self, query: TextQuery) -> FullTextQuery | None:
        """The query for Lance; None when no word of it is ever looked for (stop words, an empty text)."""
        match query:
            case Words(text, operator, 0):
                return self._match(text, FullTextOperator.AND if operator == "and" else FullTextOperator.OR)
            case Phrase(text, 0):
                return self._phrase(text)
            case AllOf(items):
                single = all(isinstance(item, Words) and len(item.text.split()) == 1 for item in items)
                if single and len(self.columns) == 1:
                    text = " ".join(item.text for item in items if isinstance(item, Words))
                    return self._match(text, FullTextOperator.AND)
                return self._join(Occur.MUST, items)
            case AnyOf(items):
                return self._join(Occur.SHOULD, items)
            case Excluding(wanted, unwanted):
                inner = self.compile(wanted)
                if inner is None:
                    return None
                refused = [one for one in map(self.compile, unwanted) if one is not None]
                return BooleanQuery([(Occur.MUST, inner), *((Occur.MUST_NOT, one) for one in refused)])
            case _:
                raise UnsupportedError(f"a text query of this kind is not answered yet: {type(query).__name__}")

    def _join(self, occur: Occur, items: Sequence[TextQuery]) -> FullTextQuery | None:
        compiled = [one for one in map(self.compile, items) if one is not None]
        if len(compiled) <= 1:
            return compiled[0] if compiled else None
        return BooleanQuery([(occur, one) for one in compiled])

    def _match(self, text: str, operator: FullTextOperator) -> FullTextQuery | None:
        columns = [column for column in self.columns if self._has_tokens(text, column)]
        if len(columns) > 1 and operator is FullTextOperator.OR and len(columns) == len(self.options):
            return MultiMatchQuery(text, columns, operator=operator)
        return self._any_column([MatchQuery(text, column, operator=operator) for column in columns])

    def _phrase(self, text: str) -> FullTextQuery | None:
        for column, options in self.options.items():
            if not options.get("with_position", True):
                raise UnsupportedError(
                    f"the text index on column '{column}' keeps no positions, so it cannot find a phrase",
                    hint=f"CREATE OR REPLACE INDEX ON … ({column}) USING FTS WITH (with_position = true)",
                )
        columns = [column for column in self.columns if self._has_tokens(text, column)]
        return self._any_column([PhraseQuery(text, column) for column in columns])

    def _any_column(self, queries: list[FullTextQuery]) -> FullTextQuery | None:
        if len(queries) <= 1:
            return queries[0] if queries else None
        return BooleanQuery([(Occur.SHOULD, query) for query in queries])

    def _has_tokens(self, text: str, column: str) -> bool:
        if not text.strip():
            return False
        return bool(Tokenizer(self.options[column]).read(text))


def _explain_text_error(error: BaseException, columns: Sequence[str]) -> BaseException:
    return wrap_lance_error(error, f"searching the text of {', '.join(columns)}")
