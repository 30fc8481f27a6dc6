"""Keys of a query, read before the source they narrow, and the rows of the source that have one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.catalog import TableInfo
from lancesql.engines.relations import open_relation_reader
from lancesql.errors import LanceSQLError, QueryInterruptedError, QueryTimeoutError
from lancesql.execution.run import Run
from lancesql.execution.streams import pull_relation
from lancesql.parser import read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.plan.predicates import Column, InList
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import ROW_ID, KeyQuery
from lancesql.plan.type_names import name_arrow_type
from lancesql.plan.values import Constant
from lancesql.storage.filters.render import UnrenderableError, render_filter
from lancesql.storage.scan import open_scan, read_scan

from .key_sets import KeySet, collect_keys

RowIds = np.ndarray[Any, np.dtype[np.uint64]]

__all__ = ["estimate_share", "list_keys", "match_row_ids", "plan_keys", "read_keys"]

_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})
_PARTS, _SAMPLE = 4, 1024
_BATCH_ROWS = 1 << 17
"""Two columns of fixed width come several times as fast in batches of this size as in those of a usual scan."""
_MANY_ROWS = 1 << 20
"""Rows looked up at a time where each look-up makes a hash table of the keys first."""


def plan_keys(query: KeyQuery, run: Run) -> QueryPlan:
    """The plan that reads the keys, some of them several times."""
    relation = f"{query.prelude}SELECT key FROM ({query.sql}) AS __lancesql_keys(key) WHERE key IS NOT NULL"
    named = {use.name for use in find_parameters(read_tokens(relation))}
    parameters = tuple(name for name in run.plan.used_parameters if name in named)
    return QueryPlan(
        sql=run.plan.sql,
        relation=relation,
        sources=run.plan.sources,
        parameters=parameters,
        used_parameters=parameters,
        functions=run.plan.functions,
    )


def read_keys(query: KeyQuery, table: TableInfo, run: Run) -> KeySet | str:
    """The keys, read once per run; the reason instead, where DuckDB has to compare them itself."""
    held = run.keys.get(query)
    if held is None:
        held = run.keys[query] = _read(query, table.schema.field(query.column).type, run)
    return held


def _read(query: KeyQuery, type_: pa.DataType, run: Run) -> KeySet | str:
    from lancesql.execution.query import relate_plan

    try:
        with relate_plan(run.within(plan_keys(query, run))) as relation:
            reason = _find_difference(type_, str(relation.types[0]), run)
            if reason is not None:
                return reason
            with run.ask_engine(lambda: open_relation_reader(relation)) as reader:
                batches = iter(lambda: pull_relation(reader, run), None)
                return collect_keys((_convert(batch.column(0), type_) for batch in batches), type_)
    except (QueryInterruptedError, QueryTimeoutError):
        raise
    except LanceSQLError:
        return "its query does not run alone"  # it looks at rows around it, or its error is for the statement to say


def _find_difference(type_: pa.DataType, given: str, run: Run) -> str | None:
    """Why equality of the column and a key is not that of two values of the column's type."""
    if pa.types.is_integer(type_):
        same = given in _INTEGERS
    elif pa.types.is_date32(type_):
        same = given == "DATE"
    elif pa.types.is_timestamp(type_):
        same = given == "TIMESTAMP"
    else:
        same = given == "VARCHAR"
        if same and run.engine.has_collations(run.plan.sql):
            return "a collation decides which texts are equal"
    return None if same else f"its keys are {given}, the column is {name_arrow_type(type_)}"


def _convert(keys: Any, type_: pa.DataType) -> pa.Array[Any]:
    """The keys as values of the column's type; those it cannot hold are in no row."""
    if pa.types.is_integer(type_) and keys.type != type_:
        (low, high), (least, most) = _read_bounds(type_), _read_bounds(keys.type)
        if low > least:
            keys = keys.filter(pc.greater_equal(keys, pa.scalar(low, keys.type)))
        if high < most:
            keys = keys.filter(pc.less_equal(keys, pa.scalar(high, keys.type)))
    converted: pa.Array[Any] = keys.cast(type_)
    return converted


def _read_bounds(type_: pa.DataType) -> tuple[int, int]:
    bits = type_.bit_width
    return (0, 2**bits - 1) if pa.types.is_unsigned_integer(type_) else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def list_keys(query: KeyQuery, keys: KeySet) -> tuple[InList, str] | None:
    """`column IN (keys)` and its Lance text; None when one of them cannot be said to Lance, or there is none."""
    column = Column(query.column, keys.values.type)
    listed = InList(column, tuple(Constant(value) for value in keys.list_values()))
    try:
        return (listed, render_filter(listed, {})) if len(keys) else None
    except UnrenderableError:
        return None


def estimate_share(table: TableInfo, column: str, keys: KeySet, run: Run) -> float:
    """The share of the table's rows that have one of the keys, judged by a few rows from each part of it."""
    if not len(keys):
        return 0.0
    dataset = run.database.open_dataset(table)
    matched = seen = 0
    for part in range(_PARTS):
        offset = part * table.rows // _PARTS
        values = read_scan(open_scan(dataset, [column], limit=_SAMPLE, offset=offset)).column(0).combine_chunks()
        matched, seen = matched + int(keys.find(values).sum()), seen + len(values)
    return matched / max(seen, 1)


def match_row_ids(
    table: TableInfo, column: str, keys: KeySet, text: str | None, run: Run, *, at_most: float = 1.0
) -> RowIds | None:
    """The ids of the rows whose column holds one of the keys and that the Lance filter keeps.

    Args:
        table: The table.
        column: Its column.
        keys: The keys.
        text: Lance filter text.
        run: The run.
        at_most: Give up, and return None, once it shows that a greater share of the table qualifies.
    """
    if not len(keys):
        return np.empty(0, np.uint64)
    found: list[Any] = []
    matched = seen = 0
    reader = open_scan(run.database.open_dataset(table), [column, ROW_ID], filter=text, batch_rows=_BATCH_ROWS)
    for values, row_ids in _group_batches(reader, _MANY_ROWS if keys.truths is None else 1):
        found.append(row_ids.compress(keys.find(values)))
        matched, seen = matched + len(found[-1]), seen + len(row_ids)
        if seen * 10 >= table.rows and matched > at_most * seen:
            return None
    return np.concatenate(found) if found else np.empty(0, np.uint64)


def _group_batches(reader: pa.RecordBatchReader, rows: int) -> Iterator[tuple[Any, Any]]:
    """The values and row ids of at least so many rows at a time."""
    group: list[pa.RecordBatch] = []
    for batch in reader:
        if not group and batch.num_rows >= rows:
            yield batch.column(0), batch.column(1).to_numpy()
            continue
        group.append(batch)
        if sum(one.num_rows for one in group) >= rows:
            yield _join_batches(group)
            group = []
    if group:
        yield _join_batches(group)


def _join_batches(group: list[pa.RecordBatch]) -> tuple[Any, Any]:
    table = pa.Table.from_batches(group)
    return table.column(0).combine_chunks(), table.column(1).to_numpy()
