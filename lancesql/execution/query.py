"""QueryPlan → Arrow: sources from storage, the relation from the engine, or straight from storage when it suffices."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pyarrow as pa

from lancesql.engines.dataset import ScanDataset, ScanStream
from lancesql.engines.error_places import find_error_span
from lancesql.engines.namespace import Namespace
from lancesql.errors import BindError, LanceSQLError, UnknownColumnError, nearest_name
from lancesql.execution.embeddings.functions import explain_hidden, name_embeds, offer_embeds
from lancesql.execution.filters.resolve import render_conjuncts
from lancesql.execution.filters.scans import resolve_scan
from lancesql.execution.filters.settle import settle_plan
from lancesql.execution.searches.correlated import (
    SearchFunction,
    has_functions,
    is_function,
    name_columns,
    offer_functions,
)
from lancesql.execution.searches.nearest import find_nearest
from lancesql.execution.searches.query_batches import find_queries
from lancesql.execution.searches.run import run_search
from lancesql.plan.query import DirectAnswer, OutputColumn, QueryPlan
from lancesql.plan.sources import Source, TableScan, VectorSearch, score_fields
from lancesql.storage.scan import choose_batch_rows, open_first_scan, open_scan, read_scan, select_rows, take_rows
from lancesql.storage.types import widen_table, widen_type

from .first_rows import defers_columns, find_first_rows
from .held import Held
from .offers import find_offer, offer_columns
from .run import Run, read_count, read_scalar_table
from .source_errors import explain_source_error
from .streams import may_stall, watch_scan
from .suggestions import suggest_function
from .targets import is_direct_cast
from .text_functions import TextCaller, calls_texts, name_text_columns, offer_text_functions

_CALLING: Held[bool] = Held()
_RESTORED: Held[tuple[pa.Schema, pa.Schema | None]] = Held()
"""The schema of an answer, and with the types restored."""

__all__ = [
    "find_direct_answer",
    "name_plan_types",
    "offer_relation",
    "open_plan_reader",
    "read_plan_table",
    "relate_plan",
    "run_plan",
]


def read_plan_table(run: Run) -> pa.Table:
    """The whole answer."""
    if not run.plan.embeds:
        return _read_table(run)
    with offer_embeds(run):
        return _read_table(run)


def _read_table(run: Run) -> pa.Table:
    direct = find_direct_answer(run)
    if direct is not None and not _has_queries(run):
        return _read_direct(direct, run)
    with offer_relation(run, ahead=True) as given:
        read = run.engine.read_condensed if run.plan.condenses else run.engine.run
        table = run.ask_engine(lambda: read(*given))
    if _calls_functions(run.plan):
        table = table.rename_columns(_name_columns(table.column_names, run.plan))
    types = _restored_types(run.plan, table.schema)
    return table if types is None else table.cast(types)


def open_plan_reader(run: Run, first: int | None = None) -> pa.RecordBatchReader:
    """The answer as a stream; a scan is never held in memory. No more than the `first` rows are going to be read."""
    with ExitStack() as stack:
        stack.enter_context(offer_embeds(run))
        direct = find_direct_answer(run)
        if direct is not None and not _has_queries(run):
            return _open_direct(direct, run, first)
        left = None if first is None else threading.Event()
        if left is not None:
            stack.callback(left.set)  # DuckDB has the rows it needs then, while Arrow still reads ahead
        given = stack.enter_context(offer_relation(run, ahead=True, left=left))
        reader = run.ask_engine(lambda: run.engine.open_reader(*given, first=first, stores=run.stores))
        types = _restored_types(run.plan, reader.schema)
        if not _calls_functions(run.plan):
            return reader if types is None else pa.RecordBatchReader.from_batches(types, _cast_batches(reader, types))
        held = stack.pop_all()  # the functions are needed until the last batch is read
    schema = types or reader.schema
    named = [field.with_name(name) for field, name in zip(schema, _name_columns(schema.names, run.plan), strict=True)]
    return pa.RecordBatchReader.from_batches(pa.schema(named), _hold_functions(reader, pa.schema(named), held))


@contextmanager
def relate_plan(run: Run) -> Iterator[Any]:
    """The relation, bound to its sources, of a plan without a search for each row: searches are carried out now."""
    with offer_relation(run, ahead=True) as given:
        yield run.ask_engine(lambda: run.engine.relate(*given))


def _hold_functions(reader: pa.RecordBatchReader, schema: pa.Schema, held: ExitStack) -> Iterator[pa.RecordBatch]:
    with held, reader:
        yield from _cast_batches(reader, schema)


def _calls_functions(plan: QueryPlan) -> bool:
    return _CALLING.find(plan, lambda: bool(plan.embeds) or has_functions(plan) or calls_texts(plan))


def _name_columns(names: list[str], plan: QueryPlan) -> list[str]:
    return [name_embeds(name, plan) for name in name_text_columns(name_columns(names, plan), plan)]


def name_plan_types(run: Run) -> list[str]:
    """The SQL types of the answer's columns, as the engine spells them; searches are carried out for it."""
    with offer_relation(run, ahead=False) as given:
        relation: Any = run.ask_engine(lambda: run.engine.relate(*given))
        return [str(one) for one in relation.types]


def run_plan(run: Run) -> pa.Table:
    """Runs a statement that is not a query (INSERT, COPY, CREATE TABLE AS …) and returns what the engine says of it."""
    with offer_relation(run, ahead=True) as given:
        return run.ask_engine(lambda: run.engine.run(*given))


@contextmanager
def offer_relation(
    run: Run, *, ahead: bool, left: threading.Event | None = None, empty: bool = False
) -> Iterator[tuple[str, object, dict[str, object], Namespace]]:
    """What the engine is given: the relation, its parameters, its sources, and the variables it may name.

    Args:
        run: The run.
        ahead: Whether the relation is going to be read, not only bound.
        left: Given when only its first rows are wanted, and set when nobody reads on.
        empty: The sources are given without a row, so that nothing is searched: enough to bind the relation.
    """
    functions: dict[str, SearchFunction] = {}
    texts: list[TextCaller] = []
    try:
        if not _calls_functions(run.plan):
            yield _give_relation(run, ahead=ahead, left=left, empty=empty)
            return
        with offer_embeds(run), offer_functions(run, ahead=ahead) as functions, offer_text_functions(run) as texts:
            relation, parameters, sources, namespace = _give_relation(run, ahead=ahead, left=left, empty=empty)
            for placeholder, function in functions.items():
                relation = relation.replace(f'"{placeholder}"(', f'"{function.name}"(')
            for caller in texts:
                relation = relation.replace(f'"{caller.placeholder}"(', f'"{caller.name}"(')
            yield relation, parameters, sources, namespace
    except LanceSQLError as error:
        failures = [*(one.failure for one in functions.values()), *(one.failure for one in texts)]
        failure = next((one for one in failures if one is not None), error)
        if not isinstance(failure, LanceSQLError):
            raise failure from None
        raise explain_relation_error(failure, run.plan) from None


def _give_relation(
    run: Run, *, ahead: bool, left: threading.Event | None, empty: bool
) -> tuple[str, object, dict[str, object], Namespace]:
    """What the engine is given, apart from functions: the relation, its parameters, its sources, and variables."""
    plan = settle_plan(run)
    named = [one for one in plan.sources if f'"{one.placeholder}"' in plan.relation and not is_function(one)]
    offer = offer_columns if empty else partial(_offer_source, ahead=ahead, left=left)
    sources = {source.placeholder: offer(source, run) for source in named}
    sources |= {one.placeholder: widen_table(read_scalar_table(one, run)) for one in run.plan.scalars}
    parameters = {name: run.values[name] for name in plan.parameters}
    return plan.relation, parameters or None, {**run.registered, **sources}, run.namespace


def _has_queries(run: Run) -> bool:
    """Whether the one source of the plan searches for a list of vectors: its answer has a column more."""
    (source,) = run.plan.sources
    return isinstance(source, VectorSearch) and source.scan is None and find_queries(source, run) is not None


def find_direct_answer(run: Run) -> DirectAnswer | None:
    """The direct answer, when these values leave nothing to the engine."""
    direct = run.plan.direct
    if direct is None or is_direct_cast(direct, run):
        return None
    (source,) = run.plan.sources
    if not isinstance(source, TableScan):
        return direct
    if source.defers:
        return direct if defers_columns(source, run) else None
    return None if render_conjuncts(source.filter, run)[1] else direct


def _offer_source(source: Source, run: Run, *, ahead: bool, left: threading.Event | None) -> object:
    if isinstance(source, VectorSearch) and source.scan is not None:
        found = find_nearest(source, run)
        if isinstance(found, pa.Table):
            return widen_table(found)
        return _offer_source(source.scan, run, ahead=ahead, left=left)
    if not isinstance(source, TableScan):
        return widen_table(run_search(source, run))
    own = source.table.schema
    offer = find_offer(source)
    schema = offer.schema
    dataset = run.database.open_dataset(source.table)
    if defers_columns(source, run):
        started = time.perf_counter()
        found = select_rows(dataset, find_first_rows(source, run), source.columns).select(list(source.columns))
        report = run.report(source.placeholder)
        report.rows, report.seconds = found.num_rows, time.perf_counter() - started
        return widen_table(found)
    resolved = resolve_scan(source, run)

    def open_reader(columns: Sequence[str]) -> pa.RecordBatchReader:
        reader = (open_scan if left is None else partial(open_first_scan, left=left))(
            dataset,
            columns,
            filter=resolved.text,
            row_ids=resolved.row_ids,
            limit=resolved.limit,
            use_index=resolved.use_index,
            batch_rows=offer.batch_rows if columns == schema.names else choose_batch_rows(own, columns),
            widen=offer.widened,
        )
        if resolved.text is not None and may_stall(source, run):
            reader = watch_scan(reader, run)
        return _report_batches(reader, source, run) if run.measured else reader

    named = any(usage.placeholder == source.placeholder and not usage.everything for usage in run.plan.usage)
    again = "recursive" in run.plan.relation.lower()  # DuckDB 1 reads the one stream of an object again in each round
    choose = not ahead or not named or offer.wide or again
    return ScanDataset(schema, open_reader) if choose else ScanStream(schema, open_reader)


def _report_batches(reader: pa.RecordBatchReader, source: Source, run: Run) -> pa.RecordBatchReader:
    report = run.report(source.placeholder)

    def count() -> Iterator[pa.RecordBatch]:
        while True:
            started = time.perf_counter()
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            report.seconds += time.perf_counter() - started
            report.rows += batch.num_rows
            yield batch

    return pa.RecordBatchReader.from_batches(reader.schema, count())


def _read_direct(direct: DirectAnswer, run: Run, first: int | None = None) -> pa.Table:
    (source,) = run.plan.sources
    if isinstance(source, TableScan) and not source.defers:
        return run.ask_storage(source.table, lambda: read_scan(_open_direct(direct, run), source.table.name))
    needed = tuple(dict.fromkeys(column.source_column for column in direct.output))
    if isinstance(source, TableScan):
        ids = find_first_rows(source, run)[: None if first is None else first + (_bound_direct(direct, run)[1] or 0)]
        table = take_rows(run.database.open_dataset(source.table), ids, list(needed))
    else:
        table = run_search(source, run, needed)
    limit, offset = _bound_direct(direct, run)
    if limit is not None or offset is not None:
        table = table.slice(offset or 0, limit)
    names = [column.name for column in direct.output]
    if names == list(needed) and source.table.schema.metadata is None:
        return table
    return pa.table([table.column(column.source_column) for column in direct.output], names=names)


def _bound_direct(direct: DirectAnswer, run: Run) -> tuple[int | None, int | None]:
    """LIMIT and OFFSET."""
    limit = read_count(direct.limit, run, "LIMIT", least=0) if direct.limit is not None else None
    return limit, read_count(direct.offset, run, "OFFSET", least=0) if direct.offset is not None else None


def _open_direct(direct: DirectAnswer, run: Run, first: int | None = None) -> pa.RecordBatchReader:
    (source,) = run.plan.sources
    if not isinstance(source, TableScan) or source.defers:
        return _read_direct(direct, run, first).to_reader()
    limit, offset = _bound_direct(direct, run)
    needed = list(dict.fromkeys(column.source_column for column in direct.output))
    resolved = resolve_scan(source, run)
    reader = open_scan(
        run.database.open_dataset(source.table),
        needed,
        filter=resolved.text,
        use_index=resolved.use_index,
        limit=min((one for one in (limit, first) if one is not None), default=None),
        offset=offset,
        widen=False,
    )
    names = [column.name for column in direct.output]
    if names == needed and reader.schema.metadata is None:
        return reader
    schema = pa.schema([reader.schema.field(column.source_column).with_name(column.name) for column in direct.output])

    def rename() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            arrays = [batch.column(column.source_column) for column in direct.output]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, rename())


def _restored_types(plan: QueryPlan, schema: pa.Schema) -> pa.Schema | None:
    """The schema with the types of columns that only passed through the engine as Lance stores them."""
    if plan.output is None or len(plan.output) != len(schema):
        return None
    held = _RESTORED.get(plan)
    if held is None or not held[0].equals(schema):
        held = (schema, _restore_types(plan.output, schema))
        _RESTORED.keep(plan, held)
    return held[1]


def _restore_types(output: Sequence[OutputColumn | None], schema: pa.Schema) -> pa.Schema | None:
    restored = {
        at: column.type
        for at, column in enumerate(output)
        if column is not None and _is_restorable(schema.field(at), column)
    }
    if not restored:
        return None
    return pa.schema([field.with_type(restored.get(at, field.type)) for at, field in enumerate(schema)])


def _is_restorable(field: pa.Field[Any], column: OutputColumn) -> bool:
    if field.type == column.type or field.name.lower() != column.name.lower():
        return False
    if pa.types.is_timestamp(column.type) and pa.types.is_timestamp(field.type):
        return bool(column.type.unit == field.type.unit and (column.type.tz is None) == (field.type.tz is None))
    if widen_type(column.type) == field.type:
        return True
    kinds = (
        (pa.types.is_large_string, pa.types.is_string),
        (pa.types.is_large_binary, pa.types.is_binary),
        (pa.types.is_time32, pa.types.is_time64),
        (pa.types.is_fixed_size_binary, pa.types.is_binary),
        (pa.types.is_date64, pa.types.is_date32),
        (pa.types.is_dictionary, pa.types.is_string),
        (pa.types.is_large_list, pa.types.is_list),
    )
    return any(stored(column.type) and given(field.type) for stored, given in kinds)


def _cast_batches(reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        columns = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def explain_relation_error(error: LanceSQLError, plan: QueryPlan) -> LanceSQLError:
    """An engine error in the user's words: their table names, their text, the nearest of every column there is."""
    error = explain_source_error(error, plan)
    error.message = name_embeds(error.message, plan)
    error.hint = name_embeds(error.hint, plan) if error.hint else error.hint
    error = explain_hidden(error, plan)
    for source in plan.sources:
        error.message = error.message.replace(source.placeholder, source.table.name)
        if error.hint:
            error.hint = error.hint.replace(source.placeholder, source.table.name)
    if error.sql is None and error.span is None:
        error.span = find_error_span(plan.sql, error)
    if isinstance(error, BindError):
        error = suggest_function(error, plan.sql)
    if isinstance(error, UnknownColumnError) and error.span is not None:
        name = plan.sql[error.span.start : error.span.end]
        names = [field.name for source in plan.sources for field in (*source.table.schema, *score_fields(source))]
        known = re.findall(r'"([^"]+)"', error.hint or "")  # DuckDB knows the other relations' columns
        names += [one for one in known if not one.startswith("__lancesql_")]
        near = nearest_name(name, names)
        error.hint = f"did you mean '{near}'?" if near else f"columns: {', '.join(dict.fromkeys(names))}"
    return error
