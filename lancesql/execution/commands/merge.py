"""MERGE, and INSERT that may meet rows that are there: the pairs are read batch by batch, and make one commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.errors import CardinalityError, ConstraintError, ExecutionError
from lancesql.execution.run import OpenQuery, Run
from lancesql.execution.targets import find_places
from lancesql.plan.commands import MergeBranch, MergeRows
from lancesql.plan.constraints import read_constraints
from lancesql.storage.writes.changes import ChangeWriter, RowIds
from lancesql.storage.writes.fills import fill_column
from lancesql.storage.writes.finite import refuse_infinite_rows
from lancesql.storage.writes.part_buffer import PartBuffer
from lancesql.storage.writes.rules import RowRules
from lancesql.storage.writes.tables import fit_column

from .changes import (
    answer_changed,
    read_changed,
    read_ids,
    refuse_known_keys,
    refuse_twice,
    renew_rows,
    take_all,
)
from .rules import make_rules

__all__ = ["merge_rows"]


def merge_rows(command: MergeRows, run: Run, open_query: OpenQuery) -> pa.Table:
    """Does with each pair of rows what its WHEN says; how many rows that were, or what RETURNING asks of them."""
    table = command.changed.table
    with ChangeWriter(run.database.of(table), table) as writer:
        return _merge_rows(_Merge(command, run, writer, make_rules(table, run)), open_query)


def _merge_rows(merge: _Merge, open_query: OpenQuery) -> pa.Table:
    command, changed = merge.command, merge.command.changed
    table = changed.table
    given = [(branch.first, branch.columns) for branch in command.branches]
    places = {at: name for first, names in given for at, name in enumerate(names, first)}
    for batch in read_changed(changed, open_query, find_places(table, places)):
        for number, branch in enumerate(command.branches):
            part = batch.filter(batch.column(1).to_numpy(zero_copy_only=False) == number)
            if part.num_rows and branch.action != "nothing":
                merge.act(branch, part)
    keys = merge.finish()
    actions = merge.actions if command.statement == "MERGE" else None
    answer = answer_changed(
        changed, merge.run, lambda: pa.Table.from_batches(merge.kept, table.schema), merge.count, actions
    )
    merge.writer.commit(command.statement, keys)
    return answer


@dataclass
class _Merge:
    """A MERGE on its way.

    Attributes:
        writer: Takes the rows.
        kept: What RETURNING is asked of.
        actions: What was done with those rows.
        count: How many rows changed.
    """

    command: MergeRows
    run: Run
    writer: ChangeWriter
    rules: RowRules
    kept: list[pa.RecordBatch] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self._primary = read_constraints(self.command.changed.table.schema).primary_key
        self._touched: list[RowIds] = [np.empty(0, np.uint64)]
        self._released: list[RowIds] = [np.empty(0, np.uint64)]
        self._keys: list[pa.RecordBatch] = []
        self._primary_keys: list[pa.RecordBatch] = []
        self._updated: set[str] = set()
        self._updates = PartBuffer[tuple[RowIds, pa.RecordBatch]](
            lambda parts: self.writer.update(iter(parts), sorted(self._updated))
        )
        self._inserts = PartBuffer[pa.RecordBatch](lambda parts: self.writer.insert(iter(parts)))

    def act(self, branch: MergeBranch, part: pa.RecordBatch) -> None:
        """Does with pairs what their WHEN says."""
        if branch.action == "error":
            message = part.column(branch.first)[0].as_py() if branch.says else None
            said = "" if message is None else f": {message}"
            raise ExecutionError(
                f"{part.num_rows:,} rows are of a WHEN that is an error{said}", hint="nothing was written"
            )
        rows = self._insert(branch, part) if branch.action == "insert" else self._change(branch, part)
        self.count += part.num_rows
        if self.command.changed.returning:
            self.kept.append(rows)
            self.actions += [branch.action.upper()] * rows.num_rows

    def finish(self) -> list[pa.Table]:
        """Writes what is held; the keys of the rows that come, which nobody else may have added.

        Raises:
            CardinalityError: When a row was to change twice, or a key to come twice.
            ConstraintError: When a row has no key, or its primary key is there.
        """
        refuse_twice(np.concatenate(self._touched), "MERGE")
        found: list[pa.Table] = []
        if self._keys:
            found.append(pa.Table.from_batches(self._keys))
            _refuse_bad_keys(found[-1], self.command.changed.table)
        if self._primary_keys:
            found.append(pa.Table.from_batches(self._primary_keys))
            refuse_known_keys(self.command.changed.table, self.run, found[-1], np.concatenate(self._released))
        self._updates.flush()
        self._inserts.flush()
        return found

    def _insert(self, branch: MergeBranch, part: pa.RecordBatch) -> pa.RecordBatch:
        given = dict(zip(branch.columns, _take_values(branch, part), strict=True))
        rows = _complete_rows(self.command.changed.table, given, part.num_rows, self.rules)
        if branch.unmatched and self.command.keys:
            self._keys.append(rows.select(list(self.command.keys)))
        if self.command.looks_up:
            self._primary_keys.append(rows.select(list(self._primary)))
        self._inserts.add(rows, rows.nbytes)
        return rows

    def _change(self, branch: MergeBranch, part: pa.RecordBatch) -> pa.RecordBatch:
        table = self.command.changed.table
        row_ids = read_ids(part)
        refuse_twice(row_ids, "MERGE")
        self._touched.append(row_ids)
        if branch.action == "delete":
            self.writer.delete(row_ids)
            self._released.append(row_ids)
            returning = self.command.changed.returning
            return take_all(table, self.run, row_ids).combine_chunks().to_batches()[0] if returning else part
        rows = renew_rows(table, self.run, row_ids, branch.columns, _take_values(branch, part), self.rules)
        self.rules.check(rows)
        if set(branch.columns) & set(self._primary):
            self._released.append(row_ids)
            self._primary_keys.append(rows.select(list(self._primary)))
        self._updated.update(branch.columns)
        self._updates.add((row_ids, rows), rows.nbytes)
        return rows


def _take_values(branch: MergeBranch, part: pa.RecordBatch) -> list[pa.Array[Any]]:
    return part.columns[branch.first : branch.first + len(branch.columns)]


def _complete_rows(table: TableInfo, given: dict[str, pa.Array[Any]], rows: int, rules: RowRules) -> pa.RecordBatch:
    """Whole new rows: what is given, what is made of it, defaults, and NULL."""
    left_out = [name for name in table.schema.names if name not in given]
    for fill in rules.find_fills() if left_out else ():
        if fill.column in left_out and fill.source in given:
            texts = fit_column(given[fill.source], table.schema.field(fill.source))
            given[fill.column] = fill_column(texts, fill, table.schema.field(fill.column).type)
    arrays = []
    for column in table.schema:
        values = given.get(column.name)
        if values is None:
            values = rules.make_default(column.name, rows)
        given_or_null = pa.nulls(rows, column.type) if values is None else rules.read_text(values, column)
        arrays.append(fit_column(given_or_null, column))
    completed = pa.RecordBatch.from_arrays(arrays, schema=table.schema)
    rules.check(completed)
    if rules.finite:
        refuse_infinite_rows(completed, 0)
    return completed


def _refuse_bad_keys(inserted: pa.Table, table: TableInfo) -> None:
    names = inserted.column_names
    for name in names:
        if inserted.column(name).null_count:
            raise ConstraintError(
                f"a row to insert has NULL for '{name}', by which rows of '{table.name}' are found",
                hint=f"leave such rows out: WHERE {name} IS NOT NULL; nothing was written",
            )
    if names and inserted.group_by(names).aggregate([]).num_rows < inserted.num_rows:
        raise CardinalityError(
            f"two rows to insert have the same {', '.join(names)}",
            hint="let the source have each key once: GROUP BY, or SELECT DISTINCT ON (key); nothing was written",
        )
