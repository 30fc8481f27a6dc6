"""Keys of a query, read before the source they narrow, and the rows of the source that have one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.catalog import TableInfo
from lancesql.errors import LanceSQLError
from lancesql.execution.run import Run
from lancesql.parser import read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.plan.predicates import Column, InList
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import ROW_ID, KeyQuery
from lancesql.plan.values import Constant
from lancesql.storage.filters.render import UnrenderableError, render_filter
from lancesql.storage.scan import open_scan, read_scan

RowIds = np.ndarray[Any, np.dtype[np.uint64]]

__all__ = ["KeySet", "estimate_share", "list_keys", "match_row_ids", "plan_keys", "read_keys"]

_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})
_MAX_SPAN = 1 << 26
"""The widest range of numbers a table of truths is made for: one byte each."""
_FAR = 1 << 62
"""Numbers so far out leave no room to step over the ends of the range."""
_PARTS, _SAMPLE = 4, 1024
_BATCH_ROWS = 1 << 17
"""Two columns of fixed width come several times as fast in batches of this size as in those of a usual scan."""
_MANY_ROWS = 1 << 20
"""Rows looked up at a time where each look-up makes a hash table of the keys first."""


@dataclass(frozen=True)
class KeySet:
    """The keys of a query that the column can hold: each once, no NULL, of the column's type."""

    values: pa.Array[Any]

    def __len__(self) -> int:
        return len(self.values)


def plan_keys(query: KeyQuery, run: Run) -> QueryPlan:
    """The plan that reads the keys."""
    relation = f"{query.prelude}SELECT DISTINCT key FROM ({query.sql}) AS __lancesql_keys(key) WHERE key IS NOT NULL"
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
    from lancesql.engines.relations import read_relation_table
    from lancesql.execution.query import relate_plan

    try:
        with relate_plan(run.within(plan_keys(query, run))) as relation:
            reason = _find_difference(type_, str(relation.types[0]), run)
            return reason or KeySet(_convert(read_relation_table(relation).column(0).combine_chunks(), type_))
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
    return None if same else f"its keys are {given}, the column is {type_}"


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
    listed = InList(column, tuple(Constant(value) for value in keys.values.to_pylist()))
    try:
        return (listed, render_filter(listed, {})) if len(keys) else None
    except UnrenderableError:
        return None


def estimate_share(table: TableInfo, column: str, keys: KeySet, run: Run) -> float:
    """The share of the table's rows that have one of the keys, judged by a few rows from each part of it."""
    if not len(keys):
        return 0.0
    find = _look_up_bits(keys) if _spans_little(keys) else _look_up_hashes(keys)
    dataset = run.database.open_dataset(table)
    matched = seen = 0
    for part in range(_PARTS):
        offset = part * table.rows // _PARTS
        values = read_scan(open_scan(dataset, [column], limit=_SAMPLE, offset=offset)).column(0).combine_chunks()
        matched, seen = matched + int(find(values).sum()), seen + len(values)
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
    is_small_range = _spans_little(keys)
    find = _look_up_bits(keys) if is_small_range else _look_up_hashes(keys)
    found: list[Any] = []
    matched = seen = 0
    reader = open_scan(run.database.open_dataset(table), [column, ROW_ID], filter=text, batch_rows=_BATCH_ROWS)
    for values, row_ids in _group_batches(reader, 1 if is_small_range else _MANY_ROWS):
        found.append(row_ids.compress(find(values)))
        matched, seen = matched + len(found[-1]), seen + len(row_ids)
        if seen * 10 >= table.rows and matched > at_most * seen:
            return None
    return np.concatenate(found) if found else np.empty(0, np.uint64)


def _spans_little(keys: KeySet) -> bool:
    type_ = keys.values.type
    if not pa.types.is_integer(type_) or pa.types.is_uint64(type_):
        return False
    low, high = (int(bound.as_py()) for bound in pc.min_max(keys.values).values())
    return high - low < _MAX_SPAN and max(abs(low), abs(high)) < _FAR


def _look_up_bits(keys: KeySet) -> Callable[[Any], Any]:
    """One look at a table of truths for each row: several times as fast as a hash table."""
    numbers = keys.values.to_numpy().astype(np.int64)
    low, high = int(numbers.min()) - 1, int(numbers.max()) + 1
    truths = np.zeros(high - low + 1, bool)
    truths[numbers - low] = True

    def find(values: Any) -> Any:
        known = values.fill_null(0).to_numpy() if values.null_count else values.to_numpy()
        mask = truths.take(known.astype(np.int64, copy=False) - low, mode="clip")  # what wraps around is far outside
        return mask & pc.is_valid(values).to_numpy(zero_copy_only=False) if values.null_count else mask

    return find


def _look_up_hashes(keys: KeySet) -> Callable[[Any], Any]:
    return lambda values: pc.is_in(values, value_set=keys.values, skip_nulls=True).to_numpy(zero_copy_only=False)


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
