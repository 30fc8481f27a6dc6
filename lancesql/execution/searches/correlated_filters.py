"""The filter of a search for each row: what does not depend on the row is resolved once, the rest for each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.engines.duckdb import DuckDBEngine
from lancesql.errors import UnknownTableError
from lancesql.execution.filters.resolve import (
    ResolvedFilter,
    find_row_ids,
    join_filters,
    render_conjuncts,
    resolve_filter,
)
from lancesql.execution.run import Run
from lancesql.parser import read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import ROW_ID, Conjunct, Search
from lancesql.plan.spelling import quote_name
from lancesql.storage.scan import open_scan, read_row_ids, read_scan, serialize_row_ids, take_rows
from lancesql.storage.types import widen_table

__all__ = ["CorrelatedFilter", "split_filter"]

PAIRS, OUTER, PAIR = "__lancesql_pairs", "__lancesql_outer", "__lancesql_pair"
Array = np.ndarray[Any, Any]


def split_filter(source: Search) -> tuple[tuple[Conjunct, ...], tuple[Conjunct, ...]]:
    """The conjuncts that are the same for every row, and those that name a value of the row."""
    names = {value.parameter for value in source.outer}
    fixed = tuple(one for one in source.filter if not names & set(one.parameters))
    return fixed, tuple(one for one in source.filter if names & set(one.parameters))


@contextmanager
def _explain_missing() -> Iterator[None]:
    """A table that the connection beside the busy one does not see."""
    try:
        yield
    except UnknownTableError as error:
        error.message = f"{error.message} for a predicate that is evaluated for each row"
        error.hint = "such a predicate sees no temporary table and nothing uncommitted: CREATE TABLE without TEMP does"
        raise


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
        self._outer = {value.parameter for value in source.outer}
        self._names = {name for conjunct in self.moving for name in conjunct.parameters}
        self._held: dict[tuple[object, ...], ResolvedFilter] = {}

    def resolve(self, values: Mapping[str, object]) -> ResolvedFilter:
        """The whole filter for these values."""
        if not self.moving:
            return self.fixed
        key = self.make_key(values)
        held = self._held.get(key)
        if held is None:
            if len(self._held) >= 4096:
                self._held.clear()
            held = self._held[key] = self._resolve(values)
        return held

    def make_key(self, values: Mapping[str, object]) -> tuple[str, ...]:
        """What of the values the filter depends on."""
        return tuple(repr(value) for name, value in values.items() if name in self._names)

    def check_pairs(self, row_ids: Array, owners: Array, outer: pa.Table) -> Array:
        """Which pairs of a row of the table and a row of `outer` the moving conjuncts keep."""
        names = [name for conjunct in self.moving for name in conjunct.columns]
        dataset = self._run.database.open_dataset(self._source.table)
        wanted = list(dict.fromkeys([*names, ROW_ID]))
        distinct, places = np.unique(row_ids, return_inverse=True)
        rows = widen_table(take_rows(dataset, distinct.tolist(), wanted)).take(places)
        values = outer.take(owners)
        for name in values.column_names:
            if name in self._names:
                rows = rows.append_column(name, values.column(name))
        rows = rows.append_column(PAIR, pa.array(np.arange(len(owners))))
        kept = np.ones(len(owners), bool)
        for prelude in dict.fromkeys(conjunct.prelude for conjunct in self.moving):
            group = [conjunct for conjunct in self.moving if conjunct.prelude == prelude]
            relation = self._write_query(f'"{PAIR}"', f'"{PAIRS}" AS {self._alias}', group, prelude)
            found = np.zeros(len(owners), bool)
            found[self._read(relation, {PAIRS: rows}).column(0).to_numpy()] = True
            kept &= found
        return kept

    def match_rows(self, outer: pa.Table) -> tuple[Array, Array]:
        """The pairs of a row of the table and a row of `outer` that the moving conjuncts keep: row ids and owners."""
        names = [name for conjunct in self.moving for name in conjunct.columns if name != ROW_ID]
        dataset = self._run.database.open_dataset(self._source.table)
        fixed = self.fixed
        row_ids = None if fixed.row_ids is None else serialize_row_ids(fixed.row_ids)
        wanted = list(dict.fromkeys([*names, ROW_ID]))
        rows = read_scan(open_scan(dataset, wanted, filter=fixed.text, row_ids=row_ids))
        others = outer.select([name for name in outer.column_names if name in self._names])
        others = others.append_column(PAIR, pa.array(np.arange(outer.num_rows)))
        kept: pa.Table | None = None
        for prelude in dict.fromkeys(conjunct.prelude for conjunct in self.moving):
            group = [conjunct for conjunct in self.moving if conjunct.prelude == prelude]
            source = f'"{PAIRS}" AS {self._alias}, "{OUTER}"'
            found = self._read(
                self._write_query(f'{self._alias}."{ROW_ID}", "{PAIR}"', source, group, prelude),
                {PAIRS: rows, OUTER: others},
            )
            kept = found if kept is None else kept.join(found, [ROW_ID, PAIR], join_type="inner")
        assert kept is not None
        return kept.column(0).to_numpy(), kept.column(1).to_numpy()

    @property
    def _alias(self) -> str:
        return quote_name(self._source.alias)

    def _write_query(self, wanted: str, source: str, conjuncts: list[Conjunct], prelude: str) -> str:
        """A query of the pairs that conjuncts keep; a value of the outer row is a column."""
        texts = []
        for conjunct in conjuncts:
            uses = find_parameters(read_tokens(conjunct.sql))
            text = conjunct.sql
            for use in reversed(uses):
                if use.name in self._names and use.name in self._outer:
                    text = f'{text[: use.span.start]}"{use.name}"{text[use.span.end :]}'
            texts.append(f"({text})")
        return f"{prelude}SELECT {wanted} FROM {source} WHERE {' AND '.join(texts)}"

    def _read(self, relation: str, tables: dict[str, object]) -> pa.Table:
        from lancesql.execution.query import read_plan_table

        run = replace(self._run, engine=self._fork, registered={**self._run.registered, **tables})
        others = tuple(one for one in run.plan.sources if f'"{one.placeholder}"' in relation)
        named = {use.name for use in find_parameters(read_tokens(relation))}
        parameters = tuple(name for name in run.values if name in named)
        plan = QueryPlan(
            sql=run.plan.sql,
            relation=relation,
            sources=others,
            parameters=parameters,
            used_parameters=parameters,
            functions=run.plan.functions,
        )
        with _explain_missing():
            return read_plan_table(run.within(plan))

    def _resolve(self, values: Mapping[str, object]) -> ResolvedFilter:
        run = replace(self._run, values={**self._run.values, **values}, engine=self._fork, filters={}, answers={})
        pushed, left = render_conjuncts(self.moving, run)
        texts = [text for _, text in pushed]
        dataset = run.database.open_dataset(self._source.table)
        row_ids: pa.ChunkedArray[Any] | None = self.fixed.row_ids
        if left:
            with _explain_missing():
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
