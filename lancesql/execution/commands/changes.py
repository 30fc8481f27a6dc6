"""UPDATE, DELETE and MERGE carried out: the query is read batch by batch, and its rows change in one commit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.engines.engine_errors import find_name_span
from lancesql.errors import (
    CardinalityError,
    ConstraintError,
    ExecutionError,
    LanceSQLError,
    UnknownColumnError,
    nearest_name,
)
from lancesql.execution.query import read_plan_table
from lancesql.execution.run import Run
from lancesql.parser import read_tokens
from lancesql.parser.parameters import find_parameters
from lancesql.plan.commands import ChangedRows, DeleteRows, MergeBranch, MergeRows, UpdateRows
from lancesql.plan.constraints import read_constraints
from lancesql.plan.query import QueryPlan
from lancesql.plan.sources import ROW_ID
from lancesql.storage.scan import take_rows
from lancesql.storage.types import widen_table
from lancesql.storage.writes.changes import ChangeWriter, RowIds
from lancesql.storage.writes.fills import fill_column
from lancesql.storage.writes.finite import refuse_infinite, refuse_infinite_rows
from lancesql.storage.writes.row_stream import read_batches
from lancesql.storage.writes.rules import RowRules
from lancesql.storage.writes.tables import fit_column

from .rules import make_rules
from .tables import answer_count

__all__ = ["delete_rows", "merge_rows", "read_changed_ids", "update_rows"]

Upserted = tuple[RowIds | None, pa.RecordBatch, Sequence[str]]
"""Rows that MERGE writes: the ids of those that they take the place of, and the columns that change."""

OpenQuery = Callable[[QueryPlan], pa.RecordBatchReader]

CHANGED, ACTIONS = "__lancesql_changed", "__lancesql_actions"
_BATCH_BYTES = 32 << 20
"""What is held of the rows to be written at a time."""


def delete_rows(command: DeleteRows, run: Run, open_query: OpenQuery) -> pa.Table:
    """Deletes the rows of the query; how many, or what RETURNING asks of them."""
    changed = command.changed
    held = [np.empty(0, np.uint64)]
    for batch in _read(changed, open_query):
        held.append(_read_ids(batch))
    row_ids = np.unique(np.concatenate(held))
    writer = ChangeWriter(run.database.of(changed.table), changed.table)
    writer.delete(row_ids)
    answer = _answer(changed, run, lambda: _take_all(changed.table, run, row_ids), len(row_ids))
    writer.commit("DELETE")
    return answer


def update_rows(command: UpdateRows, run: Run, open_query: OpenQuery) -> pa.Table:
    """Writes the rows of the query anew; how many, or what RETURNING asks of them."""
    changed = command.changed
    writer = ChangeWriter(run.database.of(changed.table), changed.table)
    kept: list[pa.RecordBatch] = []
    seen: list[RowIds] = [np.empty(0, np.uint64)]
    rules = make_rules(changed.table, run)

    def read() -> Iterator[tuple[RowIds, pa.RecordBatch]]:
        for batch in _read(changed, open_query):
            seen.append(_read_ids(batch))
            rows = _renew_rows(changed.table, run, seen[-1], command.columns, batch.columns[1:], rules)
            rules.check(rows)
            if changed.returning:
                kept.append(rows)
            yield seen[-1], rows
        _refuse_twice(np.concatenate(seen), "UPDATE")

    count = writer.update(read(), command.columns)
    answer = _answer(changed, run, lambda: pa.Table.from_batches(kept, changed.table.schema), count)
    writer.commit("UPDATE")
    return answer


def merge_rows(command: MergeRows, run: Run, open_query: OpenQuery) -> pa.Table:
    """Does with each pair of rows what its WHEN says; how many rows that were, or what RETURNING asks of them."""
    changed, table = command.changed, command.changed.table
    writer = ChangeWriter(run.database.of(table), table)
    kept: list[pa.RecordBatch] = []
    actions: list[str] = []
    touched: list[RowIds] = [np.empty(0, np.uint64)]
    keys: list[pa.RecordBatch] = []
    rules = make_rules(table, run)
    upserted: list[Upserted] | None = [] if _upserts_by_primary_key(command) else None
    for batch in _read(changed, open_query):
        for number, branch in enumerate(command.branches):
            part = batch.filter(batch.column(1).to_numpy(zero_copy_only=False) == number)
            if not part.num_rows or branch.action == "nothing":
                continue
            if branch.action != "insert":
                touched.append(_read_ids(part))
                _refuse_twice(np.concatenate(touched), "MERGE")
            rows = _merge_part(branch, part, changed, run, writer, rules, upserted)
            if branch.action == "insert":
                keys.append(rows.select(list(command.keys)))
            if changed.returning:
                kept.append(rows)
                actions += [branch.action.upper()] * rows.num_rows
    _refuse_bad_keys(keys, table)
    count = sum(len(one) for one in touched) + sum(one.num_rows for one in keys)
    answer = _answer(
        changed,
        run,
        lambda: pa.Table.from_batches(kept, table.schema),
        count,
        actions,
    )
    if upserted is not None and writer.can_upsert([rows for ids, rows, _ in upserted if ids is not None], command.keys):
        writer.upsert([rows for _, rows, _ in upserted], command.keys)
        return answer
    for row_ids, rows, columns in upserted or ():
        if row_ids is None:
            writer.insert(iter([rows]))
        else:
            writer.update(iter([(row_ids, rows)]), columns)
    has_key = bool(read_constraints(table.schema).primary_key)
    writer.commit("MERGE", alone=has_key and any(one.num_rows for one in keys))
    return answer


def _upserts_by_primary_key(command: MergeRows) -> bool:
    """Whether all it does is to write rows under their primary key, which LanceDB guards against another writer."""
    key = read_constraints(command.changed.table.schema).primary_key
    kinds = {branch.action for branch in command.branches}
    changes_key = any(set(branch.columns) & set(key) for branch in command.branches if branch.action == "update")
    return (
        command.by_keys
        and set(command.keys) == set(key)
        and "insert" in kinds
        and kinds <= {"update", "insert", "nothing"}
        and not changes_key
    )


def _merge_part(
    branch: MergeBranch,
    part: pa.RecordBatch,
    changed: ChangedRows,
    run: Run,
    writer: ChangeWriter,
    rules: RowRules,
    upserted: list[Upserted] | None,
) -> pa.RecordBatch:
    table = changed.table
    values = part.columns[branch.first : branch.first + len(branch.columns)]
    if branch.action == "error":
        said = "" if branch.message is None else f": {branch.message}"
        raise ExecutionError(f"{part.num_rows:,} rows are of a WHEN that is an error{said}", hint="nothing was written")
    if branch.action == "insert":
        given = dict(zip(branch.columns, values, strict=True))
        rows = _complete_rows(table, given, part.num_rows, rules)
        if upserted is None:
            writer.insert(iter([rows]))
        else:
            upserted.append((None, rows, ()))
        return rows
    row_ids = _read_ids(part)
    if branch.action == "delete":
        writer.delete(row_ids)
        return _take_all(table, run, row_ids).combine_chunks().to_batches()[0] if changed.returning else part
    rows = _renew_rows(table, run, row_ids, branch.columns, values, rules)
    rules.check(rows)
    if upserted is None:
        writer.update(iter([(row_ids, rows)]), branch.columns)
    else:
        upserted.append((row_ids, rows, branch.columns))
    return rows


def read_changed_ids(
    changed: ChangedRows, open_query: OpenQuery
) -> Iterator[tuple[RowIds, np.ndarray[Any, Any] | None]]:
    """The ids of the rows of the query (0 for one that is not in the table), and the numbers of a MERGE's branches."""
    for batch in _read(changed, open_query):
        ids = batch.column(0).fill_null(0).to_numpy().astype(np.uint64, copy=False)
        chosen = batch.column(1).to_numpy(zero_copy_only=False) if "__lancesql_branch" in batch.schema.names else None
        yield ids, chosen


def _read(changed: ChangedRows, open_query: OpenQuery) -> Iterator[pa.RecordBatch]:
    """The rows of the query, so many at a time as may be held."""
    rows = max(1024, _BATCH_BYTES // max(1, _measure_row(changed.table.schema)))
    try:
        with closing(open_query(changed.query)) as reader:
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


def _read_ids(batch: pa.RecordBatch) -> RowIds:
    """The row ids, copied: a view of them would keep the whole batch of DuckDB's."""
    ids: RowIds = batch.column(0).to_numpy(zero_copy_only=False).astype(np.uint64)
    return ids


def _renew_rows(
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


def _complete_rows(table: TableInfo, given: dict[str, pa.Array[Any]], rows: int, rules: RowRules) -> pa.RecordBatch:
    """Whole new rows: what is given, what is made of it, defaults, and NULL."""
    left_out = [name for name in table.schema.names if name not in given]
    for fill in rules.find_fills() if left_out else ():
        if fill.column in left_out and fill.source in given:
            texts = fit_column(given[fill.source], table.schema.field(fill.source))
            given[fill.column] = fill_column(texts, fill, table.schema.field(fill.column).type)
    arrays = []
    for field in table.schema:
        values = given.get(field.name)
        if values is None:
            values = rules.make_default(field.name, rows)
        given_or_null = pa.nulls(rows, field.type) if values is None else rules.read_text(values, field)
        arrays.append(fit_column(given_or_null, field))
    completed = pa.RecordBatch.from_arrays(arrays, schema=table.schema)
    rules.check(completed)
    if rules.finite:
        refuse_infinite_rows(completed, 0)
    return completed


def _take_all(table: TableInfo, run: Run, row_ids: RowIds) -> pa.Table:
    return take_rows(run.database.open_dataset(table), row_ids.tolist(), table.schema.names)


def _answer(
    changed: ChangedRows, run: Run, rows: Callable[[], pa.Table], count: int, actions: Sequence[str] | None = None
) -> pa.Table:
    """What the statement answers; RETURNING is computed before anything is committed, since it may fail."""
    if changed.returning is None:
        return answer_count(count)
    alias = changed.alias.replace('"', '""')
    relation = f'{changed.returning.text} FROM "{CHANGED}" AS "{alias}"'
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
            error.span = find_name_span(changed.returning.text, error)
        error.sql = None if error.sql == relation else error.sql
        if isinstance(error, UnknownColumnError) and (found := re.search(r'"([^"]+)"', error.message)):
            names = [*changed.table.schema.names, *(() if actions is None else ("merge_action",))]
            near = nearest_name(found.group(1), names)
            error.hint = f"did you mean '{near}'?" if near else f"columns: {', '.join(names)}"
        raise changed.returning.place_error(error) from None


def _refuse_twice(row_ids: RowIds, statement: str) -> None:
    distinct, counts = np.unique(row_ids, return_counts=True)
    if len(distinct) < len(row_ids):
        raise CardinalityError(
            f"{int((counts > 1).sum())} rows of the table meet more than one row of the source, "
            f"and {statement} cannot know which one counts",
            hint="let the source have each key once: GROUP BY, or SELECT DISTINCT ON (key); nothing was written",
        )


def _refuse_bad_keys(keys: Sequence[pa.RecordBatch], table: TableInfo) -> None:
    if not keys or not keys[0].num_columns:
        return
    inserted = pa.Table.from_batches(keys)
    names = inserted.column_names
    for name in names:
        if inserted.column(name).null_count:
            raise ConstraintError(
                f"a row to insert has NULL for '{name}', by which rows of '{table.name}' are found",
                hint=f"leave such rows out: WHERE {name} IS NOT NULL; nothing was written",
            )
    if inserted.group_by(names).aggregate([]).num_rows < inserted.num_rows:
        raise CardinalityError(
            f"two rows to insert have the same {', '.join(names)}",
            hint="let the source have each key once: GROUP BY, or SELECT DISTINCT ON (key); nothing was written",
        )
