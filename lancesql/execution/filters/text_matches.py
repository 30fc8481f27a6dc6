"""Predicates that are one `match()` alone, settled: the text index finds their rows, and the source sees no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.execution.run import Run
from lancesql.execution.text_queries import read_function_query
from lancesql.plan.sources import Conjunct
from lancesql.plan.text_functions import TextFunction, TextMatch
from lancesql.storage.searches.text_rows import find_matching_rows, list_text_rows
from lancesql.storage.searches.texts import describe_text_search

__all__ = ["SettledMatches", "describe_match", "find_match_rows", "settle_matches"]

RowIds = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True)
class SettledMatches:
    """What becomes of the predicates Lance does not evaluate as they stand.

    Attributes:
        row_ids: The rows that all the matches keep; None when there is no match among the predicates.
        found: Those that the text index answered, and how many rows it found.
        left: The others.
    """

    row_ids: pa.Array[Any] | None
    found: list[tuple[Conjunct, str]]
    left: list[tuple[Conjunct, str]]

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """The user's predicate → how many rows."""
        return tuple((conjunct.sql, note) for conjunct, note in self.found)


def settle_matches(left: Sequence[tuple[Conjunct, str]], run: Run) -> SettledMatches:
    """Looks up the rows of every match, once per run."""
    settled = SettledMatches(None, [], [])
    row_ids: RowIds | None = None
    for conjunct, reason in left:
        if conjunct.match is None or conjunct.barred:
            settled.left.append((conjunct, reason))
            continue
        found = _find_rows(conjunct.match, run)
        row_ids = found if row_ids is None else np.intersect1d(row_ids, found, assume_unique=True)
        settled.found.append((conjunct, f"row ids by the text search: {len(found):,} rows"))
    return SettledMatches(None if row_ids is None else pa.array(row_ids, pa.uint64()), settled.found, settled.left)


def _find_rows(match: TextMatch, run: Run) -> RowIds:
    found = find_match_rows(match.function, run)
    if not match.negated or read_function_query(match.function, run) is None:
        return found
    table, columns = _find_place(match.function)
    every: RowIds | None = run.matches.get((table.uri, table.version, columns))
    if every is None:
        every = run.ask_storage(table, lambda: list_text_rows(run.database.open_dataset(table), columns))
        run.matches[table.uri, table.version, columns] = every
    return np.setdiff1d(every, found, assume_unique=True)


def find_match_rows(function: TextFunction, run: Run) -> RowIds:
    """The rows whose texts match, in order; none when the query is NULL."""
    query = read_function_query(function, run)
    table, columns = _find_place(function)
    if query is None or not table.rows:
        return np.empty(0, np.uint64)
    rows: RowIds | None = run.matches.get((table.uri, table.version, columns, query))
    if rows is None:
        dataset = run.database.open_dataset(table)
        rows = run.ask_storage(table, lambda: find_matching_rows(dataset, columns, query))
        run.matches[table.uri, table.version, columns, query] = rows
    return rows


def _find_place(function: TextFunction) -> tuple[TableInfo, tuple[str, ...]]:
    """The table and the columns of texts that are all columns of one table."""
    traced = [one for one in function.traced if one is not None]
    return traced[0].table, tuple(one.column for one in traced)


def describe_match(function: TextFunction, run: Run) -> list[str]:
    """How the parts of its query are answered, where that is not by the index alone; a line each."""
    query = read_function_query(function, run)
    table, columns = _find_place(function)
    if query is None or not table.rows:
        return []
    return describe_text_search(run.database.open_dataset(table), text_columns=columns, query=query)
