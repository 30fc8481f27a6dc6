"""UPDATE and DELETE carried out: the query is read batch by batch, and its rows change in one commit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.catalog import TableInfo
from lancesql.engines.error_places import find_error_span
from lancesql.errors import (
    CardinalityError,
    ConstraintError,
    LanceSQLError,
    UnknownColumnError,
    nearest_name,
)
from lancesql.execution.query import read_plan_table
from lancesql.execution.run import OpenQuery, Run, Targets
from lancesql.execution.targets import find_places
from lancesql.parser import read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.plan.commands import ChangedRows, DeleteRows, UpdateRows
from lancesql.plan.constraints import read_constraints
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import ROW_ID
from lancesql.plan.spelling import quote_name
from lancesql.storage.scan import take_rows
from lancesql.storage.types import widen_table
from lancesql.storage.writes.changes import ChangeWriter, RowIds
from lancesql.storage.writes.finite import refuse_infinite
from lancesql.storage.writes.key_lookup import find_key
from lancesql.storage.writes.row_stream import read_batches
from lancesql.storage.writes.rules import RowRules
from lancesql.storage.writes.tables import fit_column

from .rules import make_rules
from .tables import answer_count

__all__ = [
    "answer_changed",
    "delete_rows",
    "read_changed",
    "read_changed_ids",
    "read_ids",
    "refuse_known_keys",
    "refuse_twice",
    "renew_rows",
    "take_all",
    "update_rows",
]

CHANGED, ACTIONS = "__lancesql_changed", "__lancesql_actions"
_BATCH_BYTES = 32 << 20
"""What is held of the rows to be written at a time."""


def delete_rows(command: DeleteRows, run: Run, open_query: OpenQuery) -> pa.Table:
    """Deletes the rows of the query; how many, or what RETURNING asks of them."""
    changed = command.changed
    held = [np.empty(0, np.uint64)]
    for batch in read_changed(changed, open_query):
        held.append(read_ids(batch))
    row_ids = np.unique(np.concatenate(held))
    writer = ChangeWriter(run.database.of(changed.table), changed.table)
    writer.delete(row_ids)
    answer = answer_changed(changed, run, lambda: take_all(changed.table, run, row_ids), len(row_ids))
    writer.commit("DELETE")
    return answer


def update_rows(command: UpdateRows, run: Run, open_query: OpenQuery) -> pa.Table:
    """Writes the rows of the query anew; how many, or what RETURNING asks of them."""
    with ChangeWriter(run.database.of(command.changed.table), command.changed.table) as writer:
        return _update_rows(command, run, open_query, writer)


def _update_rows(command: UpdateRows, run: Run, open_query: OpenQuery, writer: ChangeWriter) -> pa.Table:
    changed = command.changed
    kept: list[pa.RecordBatch] = []
    keys: list[pa.RecordBatch] = []
    seen: list[RowIds] = [np.empty(0, np.uint64)]
    rules = make_rules(changed.table, run)
    primary = read_constraints(changed.table.schema).primary_key
    targets = find_places(changed.table, dict(enumerate(command.columns, 1)))

    def read() -> Iterator[tuple[RowIds, pa.RecordBatch]]:
        for batch in read_changed(changed, open_query, targets):
            seen.append(read_ids(batch))
            rows = renew_rows(changed.table, run, seen[-1], command.columns, batch.columns[1:], rules)
            rules.check(rows)
            if changed.returning:
                kept.append(rows)
            if set(command.columns) & set(primary):
                keys.append(rows.select(list(primary)))
            yield seen[-1], rows
        refuse_twice(np.concatenate(seen), "UPDATE")
        if keys:  # here, so that Lance takes away what it has written
            refuse_known_keys(changed.table, run, pa.Table.from_batches(keys), np.concatenate(seen))

    count = writer.update(read(), command.columns)
    given = [pa.Table.from_batches(keys)] if keys else []
    answer = answer_changed(changed, run, lambda: pa.Table.from_batches(kept, changed.table.schema), count)
    writer.commit("UPDATE", given)
    return answer


def read_changed_ids(
    changed: ChangedRows, open_query: OpenQuery
) -> Iterator[tuple[RowIds, np.ndarray[Any, Any] | None]]:
    """The ids of the rows of the query (0 for one that is not in the table), and the numbers of a MERGE's branches."""
    for batch in read_changed(changed, open_query):
        ids = batch.column(0).fill_null(0).to_numpy().astype(np.uint64, copy=False)
        chosen = batch.column(1).to_numpy(zero_copy_only=False) if "__lancesql_branch" in batch.schema.names else None
        yield ids, chosen


def read_changed(
    changed: ChangedRows, open_query: OpenQuery, targets: Targets | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of the query, so many at a time as may be held."""
    rows = max(1024, _BATCH_BYTES // max(1, _measure_row(changed.table.schema)))
    try:
        with closing(open_query(changed.query, targets)) as reader:
            for batch in read_batches(reader):
                for start in range(0, batch.num_rows, rows):
                    yield batch.slice(start, rows)
    except LanceSQLError as error:
        raise changed.composition.place_error(error) from None


def _measure_row(schema: pa.Schema) -> int:
    """About how many bytes a row has, texts and lists at a guess."""
    total = 0
    for field in schema:
        type_: pa.DataType = field.type
        many = type_.list_size if pa.types.is_fixed_size_list(type_) else 1
        inner = type_.value_type if pa.types.is_fixed_size_list(type_) else type_
        total += many * (inner.bit_width // 8 if pa.types.is_primitive(inner) else 256)
    return total


def read_ids(batch: pa.RecordBatch) -> RowIds:
    """The row ids, copied: a view of them would keep the whole batch of DuckDB's."""
    ids: RowIds = batch.column(0).to_numpy(zero_copy_only=False).astype(np.uint64)
    return ids


def renew_rows(
    table: TableInfo,
    run: Run,
    row_ids: RowIds,
    columns: Sequence[str],
    values: Sequence[pa.Array[Any]],
    rules: RowRules,
) -> pa.RecordBatch:
    """Whole rows: the new values, and the others as they are stored."""
    given = dict(zip(columns, values, strict=True))
    others = [name for name in table.schema.names if name not in given]
    stored = take_rows(run.database.open_dataset(table), row_ids.tolist(), [*others, ROW_ID])
    arrays = [
        fit_column(rules.read_text(given[field.name], field), field)
        if field.name in given
        else stored.column(field.name).combine_chunks()
        for field in table.schema
    ]
    for field, array in zip(table.schema, arrays, strict=True):
        if rules.finite and field.name in given:  # what is not set stays as it is stored
            refuse_infinite(array, field.name, lambda at: f"the row with _rowid {row_ids[at]}")
    return pa.RecordBatch.from_arrays(arrays, schema=table.schema)


def take_all(table: TableInfo, run: Run, row_ids: RowIds) -> pa.Table:
    """Whole rows as they are stored."""
    return take_rows(run.database.open_dataset(table), row_ids.tolist(), table.schema.names)


def answer_changed(
    changed: ChangedRows, run: Run, rows: Callable[[], pa.Table], count: int, actions: Sequence[str] | None = None
) -> pa.Table:
    """What the statement answers; RETURNING is computed before anything is committed, since it may fail."""
    if changed.returning is None:
        return answer_count(count)
    relation = f'{changed.returning.text} FROM "{CHANGED}" AS {quote_name(changed.alias)}'
    registered = {**run.registered, CHANGED: widen_table(rows())}
    if actions is not None:
        relation += f' POSITIONAL JOIN "{ACTIONS}"'
        registered[ACTIONS] = pa.table({"merge_action": pa.array(actions, pa.string())})
    named = tuple(dict.fromkeys(use.name for use in find_parameters(read_tokens(changed.returning.text))))
    plan = QueryPlan(sql=relation, relation=relation, parameters=named, used_parameters=named)
    try:
        return read_plan_table(replace(run.within(plan), registered=registered))
    except LanceSQLError as error:
        if error.sql is None and error.span is None:
            error.span = find_error_span(changed.returning.text, error)
        error.sql = None if error.sql == relation else error.sql
        if isinstance(error, UnknownColumnError) and (found := re.search(r'"([^"]+)"', error.message)):
            names = [*changed.table.schema.names, *(() if actions is None else ("merge_action",))]
            near = nearest_name(found.group(1), names)
            error.hint = f"did you mean '{near}'?" if near else f"columns: {', '.join(names)}"
        raise changed.returning.place_error(error) from None


def refuse_known_keys(table: TableInfo, run: Run, keys: pa.Table, released: RowIds) -> None:
    """Refuses rows that would have the primary key of another.

    Args:
        table: The table, as it was read.
        run: The run.
        keys: The primary keys that rows get.
        released: Rows of the table that will not have theirs any longer.

    Raises:
        ConstraintError: When there are such rows.
    """
    names = keys.column_names
    counted = keys.group_by(names).aggregate([([], "count_all")])
    twice = counted.filter(pc.greater(counted.column("count_all"), pa.scalar(1))).select(names).slice(0, 1).to_pylist()
    without = np.sort(released)
    found = tuple(twice[0].values()) if twice else find_key(run.database.open_dataset(table), keys, without=without)
    if found is not None:
        listed = ", ".join(f"{name} = {value!r}" for name, value in zip(names, found, strict=True))
        raise ConstraintError(
            f"two rows of table '{table.name}' would have the primary key {listed}", hint="nothing was written"
        )


def refuse_twice(row_ids: RowIds, statement: str) -> None:
    """Refuses rows that a statement would change in two ways."""
    distinct, counts = np.unique(row_ids, return_counts=True)
    if len(distinct) < len(row_ids):
        raise CardinalityError(
            f"{int((counts > 1).sum())} rows of the table meet more than one row of the source, "
            f"and {statement} cannot know which one counts",
            hint="let the source have each key once: GROUP BY, or SELECT DISTINCT ON (key); nothing was written",
        )
