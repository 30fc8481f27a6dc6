"""Queries over one source for whoever reads them lazily: what they will do, and their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from lancesql.errors import Span
from lancesql.frames.statements import Description
from lancesql.plan.display import display_source
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import TableScan, VectorSearch, score_fields
from lancesql.storage.scan import pull_scan

from .execute import execute_plan
from .filters.resolve import render_conjuncts
from .query import find_direct_answer, open_plan_reader
from .run import Run
from .searches.query_batches import QUERY_INDEX, find_queries

__all__ = ["describe_query", "read_rows"]

_SHOWN = ("query", "k", "strategy", "filter")


def describe_query(plan: QueryPlan, run: Run, places: Sequence[Span]) -> Description:
    """What a query over one source will do.

    Args:
        plan: The query.
        run: A run of it.
        places: Where the conjuncts stand of which it is asked what Lance is told.
    """
    source = plan.sources[0]
    pushed = [] if not places else render_conjuncts(source.filter, run)[0]
    found = {conjunct.span: text for conjunct, text in pushed}
    every = [conjunct.span for conjunct in source.filter]
    told: list[str | None] = []
    for place in places:
        inside = [span for span in every if span is not None and place.start <= span.start and span.end <= place.end]
        texts = [found.get(span) for span in inside]
        told.append(" AND ".join(map(str, texts)) if texts and None not in texts else None)
    fields = [*source.table.schema, *score_fields(source)]
    if isinstance(source, VectorSearch) and find_queries(source, run) is not None:
        fields.insert(0, pa.field(QUERY_INDEX, pa.int32()))
    lines = [] if isinstance(source, TableScan) else [" ".join(line.split()) for line in display_source(source, {})[1:]]
    effort = tuple(line for line in lines if line.startswith(_SHOWN))
    return Description(source.table.name, source.table.version, pa.schema(fields), tuple(told), effort)


def read_rows(plan: QueryPlan, run: Run) -> pa.RecordBatchReader:
    """The rows of a query: those of a scan as they are read, and of a search when it is done.

    A scan holds no connection. It is read on the thread that asks, which no signal reaches: `interrupt` stops it
    between two batches.
    """
    if find_direct_answer(run) is None or not isinstance(run.plan.sources[0], TableScan):
        return execute_plan(plan, run).to_arrow().to_reader()
    if run.settings.timeout is not None or run.settings.max_rows is not None:
        return execute_plan(plan, run).to_reader()
    run.begin()
    reader = open_plan_reader(run)

    def pull() -> Iterator[pa.RecordBatch]:
        while (batch := pull_scan(reader)) is not None:
            run.watch.check()
            yield batch

    return pa.RecordBatchReader.from_batches(reader.schema, pull())
