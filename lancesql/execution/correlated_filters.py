"""The filter of a search for each row: what does not depend on the row is resolved once, the rest for each value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lancesql.engines.duckdb import DuckDBEngine
from lancesql.plan.sources import Conjunct
from lancesql.storage.scan import read_row_ids, serialize_row_ids

from .counts import Search
from .filters import ResolvedFilter, find_row_ids, join_filters, render_conjuncts, resolve_filter
from .run import Run

__all__ = ["CorrelatedFilter", "split_filter"]


def split_filter(source: Search) -> tuple[tuple[Conjunct, ...], tuple[Conjunct, ...]]:
    """The conjuncts that are the same for every row, and those that name a value of the row."""
    names = {value.parameter for value in source.outer}
    fixed = tuple(one for one in source.filter if not names & set(one.parameters))
    return fixed, tuple(one for one in source.filter if names & set(one.parameters))


class CorrelatedFilter:
    """The filter of one search, for one statement.

    Attributes:
        fixed: What is the same for every row, resolved.
        moving: The conjuncts that name a value of the row.
    """

    def __init__(self, source: Search, run: Run, fork: DuckDBEngine) -> None:
        own, self.moving = split_filter(source)
        self.fixed: ResolvedFilter = resolve_filter(replace(source, filter=own), replace(run, filters={}))
        self._source = source
        self._run = run
        self._fork = fork
        self._names = {name for conjunct in self.moving for name in conjunct.parameters}
        self._held: dict[tuple[object, ...], ResolvedFilter] = {}

    def resolve(self, values: Mapping[str, object]) -> ResolvedFilter:
        """The whole filter for these values."""
        if not self.moving:
            return self.fixed
        key = tuple(repr(value) for name, value in values.items() if name in self._names)
        held = self._held.get(key)
        if held is None:
            if len(self._held) >= 4096:
                self._held.clear()
            held = self._held[key] = self._resolve(values)
        return held

    def _resolve(self, values: Mapping[str, object]) -> ResolvedFilter:
        run = replace(self._run, values={**self._run.values, **values}, engine=self._fork, filters={}, answers={})
        pushed, left = render_conjuncts(self.moving, run)
        texts = [text for _, text in pushed]
        dataset = run.database.open_dataset(self._source.table)
        row_ids: pa.ChunkedArray[Any] | None = self.fixed.row_ids
        if left:
            found = find_row_ids(self._source, [one for one, _ in pushed], [one for one, _ in left], run)
            if found is not None and row_ids is not None:
                found = found.filter(pc.is_in(found, value_set=row_ids))
            elif found is not None and self.fixed.text is not None:
                found = read_row_ids(dataset, self.fixed.text, serialize_row_ids(found))
            row_ids = found
        elif row_ids is not None:
            row_ids = read_row_ids(dataset, join_filters(texts), serialize_row_ids(row_ids))
        if row_ids is not None:
            return ResolvedFilter(None, row_ids, (), (), len(row_ids))
        text = join_filters([*([self.fixed.text] if self.fixed.text else []), *texts]) or "true"
        return ResolvedFilter(text, None, (), (), run.database.count_matches(self._source.table, text))
