"""Searches for each row of other relations: a function the relation calls with a batch of rows at a time."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, TypeGuard

import numpy as np
import pyarrow as pa

from lancesql.engines.duckdb import DuckDBEngine
from lancesql.execution.embeddings.embed import embed_texts
from lancesql.execution.run import Run, evaluate
from lancesql.plan.fusion import Fusion
from lancesql.plan.parts import list_leaves, list_parts
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import (
    ROW_ID,
    FullTextSearch,
    FusedSearch,
    RerankedSearch,
    Search,
    Source,
    VectorSearch,
    score_fields,
)
from lancesql.plan.text_options import TextOptions
from lancesql.plan.values import Constant, Parameter, ScalarQuery, Value
from lancesql.plan.vector_options import Diversity, Examples, Grouping, VectorOptions
from lancesql.storage.scan import take_rows
from lancesql.storage.types import widen_schema, widen_table

from .correlated_batches import CorrelatedBatch
from .correlated_filters import CorrelatedFilter
from .counts import make_empty
from .outer_values import read_outer_rows
from .recency import read_decay
from .run import run_search
from .vector_batch import is_batched

__all__ = ["SearchFunction", "has_functions", "is_function", "name_columns", "offer_functions"]


Array = np.ndarray[Any, Any]
Values = Mapping[str, object]


@contextmanager
def offer_functions(run: Run, *, ahead: bool) -> Iterator[dict[str, SearchFunction]]:
    """Gives the engine a function for each search of the relation that depends on other relations, for a while.

    Args:
        run: The run.
        ahead: Whether the relation is going to be read, not only bound.
    """
    offered: dict[str, SearchFunction] = {}
    try:
        for source in _find_searches(run.plan):
            function = SearchFunction(source, run, ahead=ahead)
            run.engine.add_function(function.name, function.answer, function.schema)
            offered[source.placeholder] = function
        yield offered
    finally:
        for function in offered.values():
            run.engine.remove_function(function.name)
            function.close()


def is_function(source: Source) -> TypeGuard[Search]:
    """Whether the relation calls the source as a function: a search for each row."""
    return isinstance(source, Search) and bool(source.outer)


def has_functions(plan: QueryPlan) -> bool:
    """Whether the relation calls a search for each row."""
    return bool(_find_searches(plan))


def _find_searches(plan: QueryPlan) -> list[Search]:
    return [source for source in plan.sources if is_function(source) and f'"{source.placeholder}"(' in plan.relation]


def name_columns(names: list[str], plan: QueryPlan) -> list[str]:
    """The names of an answer's columns, with the call as it was written where DuckDB repeats the text of a function."""
    for source in _find_searches(plan):
        if source.span is not None:
            call = plan.sql[source.span.start : source.span.end]
            name = rf'"?{source.placeholder}_[0-9a-f]+"?'
            text = re.compile(rf"\(SELECT unnest\({name}\(.*?max_depth ?:?= ?2\)\)", re.DOTALL)
            names = [text.sub(call.replace("\\", r"\\"), one) for one in names]
    return names


class SearchFunction:
    """One search of a statement that is carried out for each row of other relations.

    Attributes:
        name: The function's name in the engine, which nobody can have guessed.
        schema: The columns of its rows, in the engine's types.
        failure: The first error within it; what the engine makes of it is only its text.
    """

    def __init__(self, source: Search, run: Run, *, ahead: bool) -> None:
        self.name = f"{source.placeholder}_{secrets.token_hex(8)}"
        self.failure: BaseException | None = None
        score = score_fields(source)[0].name
        self.columns = source.columns or (score,)
        types = {field.name: field for field in (*source.table.schema, *score_fields(source))}
        types[ROW_ID] = pa.field(ROW_ID, pa.uint64())
        self.schema = widen_schema(pa.schema([types[name] for name in self.columns]))
        self._wanted = (ROW_ID, *(field.name for field in score_fields(source)))
        self._lock = threading.Lock()
        self._run = run
        self._source = source
        self._ahead = ahead
        if ahead:
            # The engine is busy while the relation runs: what it must be asked for is asked for now.
            self._source = _settle_values(source, run)
            _read_decays(self._source, run)
            self._fork: DuckDBEngine = run.engine.fork()
            self._filter = CorrelatedFilter(self._source, run, self._fork)
            if isinstance(self._source, VectorSearch):
                self._batch = CorrelatedBatch(self._source, run, self._filter)

    def close(self) -> None:
        """Lets go of what the searches held."""
        if hasattr(self, "_fork"):
            self._fork.connection.close()

    def answer(self, *columns: Any) -> Any:
        """For each row of the arguments a list of the search's rows, as the engine takes it."""
        try:
            with self._lock:
                started = time.perf_counter()
                answer = self._answer(columns)
                report = self._run.report(self._source.placeholder)
                report.rows += len(answer.flatten())
                report.seconds += time.perf_counter() - started
                return answer
        except BaseException as error:
            self.failure = self.failure or error
            raise

    def _answer(self, columns: Sequence[Any]) -> Any:
        if not self._ahead:  # DuckDB 1 calls it even while it plans, when the values are constants
            none = pa.Table.from_batches([], self.schema).to_struct_array().combine_chunks()
            return pa.ListArray.from_arrays(pa.array(np.zeros(len(columns[0]) + 1), pa.int32()), none)
        names = [value.parameter for value in self._source.outer]
        distinct, firsts, places = read_outer_rows(columns)
        rows = [dict(zip(names, row, strict=True)) for row in distinct]
        asked = np.array([at for at, values in enumerate(rows) if self._has_query(values)], np.int64)
        embed_queries(self._source, rows, self._run)
        outer = pa.table([column.take(firsts) for column in columns], names=names)
        found, owners = self._search([rows[at] for at in asked], outer.take(asked))
        counts = np.zeros(len(rows), np.int64)
        counts[asked] = np.bincount(owners, minlength=len(asked))
        starts = np.cumsum(counts) - counts
        order = np.concatenate([np.arange(starts[at], starts[at] + counts[at]) for at in places] or [owners])
        complete = self._complete(found if len(rows) == len(places) else found.take(order))
        arrays = [pa.concat_arrays(column.chunks) for column in complete.columns]
        structs: Any = pa.StructArray.from_arrays(arrays, fields=list(self.schema))
        return pa.ListArray.from_arrays(pa.array(np.cumsum([0, *counts[places]]), pa.int32()), structs)

    def _search(self, rows: list[Values], outer: pa.Table) -> tuple[pa.Table, Array]:
        """The ids and scores that the rows find, by row, and which row found each."""
        if isinstance(self._source, VectorSearch) and is_batched(self._source):
            return self._batch.search(rows, outer)
        tables = [self._search_one(values) for values in rows]
        owners = np.repeat(np.arange(len(tables)), np.array([table.num_rows for table in tables], np.int64))
        empty = make_empty(self._source, self._wanted)
        return pa.concat_tables([empty, *tables]), owners

    def _search_one(self, values: Values) -> pa.Table:
        run = replace(self._run, values={**self._run.values, **values}, answers={}, filters={}, reports={})
        if list_parts(self._source):  # one of them may have a filter of its own, to be resolved now
            run = replace(run, engine=self._fork)
        run.filters[self._source.placeholder] = self._filter.resolve(values)
        return run_search(self._source, run, self._wanted)

    def _has_query(self, values: Values) -> bool:
        """Whether no query is NULL in this row: a NULL finds nothing."""
        queries = _list_queries(self._source)
        return not any(isinstance(one, Parameter) and values.get(one.name, 0) is None for one in queries)

    def _complete(self, found: pa.Table) -> pa.Table:
        """The rows found with the columns that are wanted of them."""
        base = [name for name in self.columns if name in self._source.table.schema.names]
        if base:
            dataset = self._run.database.open_dataset(self._source.table)
            rows = take_rows(dataset, found.column(ROW_ID).to_numpy().tolist(), [*base, ROW_ID])
            for name in base:
                found = found.append_column(rows.schema.field(name), rows.column(name))
        return widen_table(found.select(list(self.columns))).cast(self.schema)


def embed_queries(source: Search, rows: Sequence[Values], run: Run) -> None:
    """Embeds the texts that many rows search for, together; each search then finds its own in the run's memo."""
    for vector in list_leaves(source):
        if not isinstance(vector, VectorSearch) or not isinstance(vector.query, Parameter):
            continue
        queries = (values.get(vector.query.name) for values in rows)
        texts = [one for one in queries if isinstance(one, str)]
        if texts:
            embed_texts(vector.table, vector.column, texts, run, span=vector.query.span)


def _list_queries(source: Search) -> list[Value | Examples | None]:
    """What a search, and each of those it is made of, looks for."""
    match source:
        case VectorSearch(query=Examples(like=like, positive=positive)):
            return [like, positive]
        case VectorSearch(query=query) | FullTextSearch(query=query):
            return [query]
        case _:
            return [query for part in list_parts(source) for query in _list_queries(part)]


def _read_decays(source: Search, run: Run) -> None:
    """Computes what a decay with age depends on: the run keeps it."""
    if isinstance(source, FusedSearch) and source.fusion.recency is not None:
        read_decay(source, source.fusion.recency, run)
    for part in list_parts(source):
        _read_decays(part, run)


_HOLDERS = (
    VectorSearch, FullTextSearch, FusedSearch, RerankedSearch, Fusion, VectorOptions, TextOptions, Examples, Grouping,
    Diversity,
)  # fmt: skip


def _settle_values(held: Any, run: Run) -> Any:
    """What a search holds, its scalar subqueries evaluated."""
    if isinstance(held, ScalarQuery):
        return Constant(evaluate(held, run), held.span)
    if isinstance(held, tuple):
        return tuple(_settle_values(one, run) for one in held)
    if isinstance(held, _HOLDERS):
        settled = {field.name: _settle_values(getattr(held, field.name), run) for field in fields(held)}
        if isinstance(held, Examples):
            settled["optional"] = True  # as a join finds no partner for a row that is not there
        return replace(held, **settled)
    return held
