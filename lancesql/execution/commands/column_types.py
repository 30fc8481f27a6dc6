"""`ALTER TABLE … ALTER COLUMN … TYPE` carried out: DuckDB makes the values, batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa

from lancesql.engines.namespace import Namespace
from lancesql.engines.relations import read_relation_table
from lancesql.errors import ConstraintError, LanceSQLError, UnknownColumnError
from lancesql.execution.progress import show_progress
from lancesql.execution.run import Run
from lancesql.plan.commands import ChangeType
from lancesql.plan.constraints import DEFAULT, read_constraints
from lancesql.plan.query import QueryPlan
from lancesql.plan.spelling import spell_name, spell_table
from lancesql.storage.types import widen_table
from lancesql.storage.writes.column_types import change_type
from lancesql.storage.writes.conversion import plan_type
from lancesql.storage.writes.finite import refuse_infinite
from lancesql.storage.writes.rules import RowRules
from lancesql.storage.writes.tables import fit_column

from .maintenance import answer_steps
from .rules import ROWS, make_rules

__all__ = ["describe_type", "retype"]

_VALUES = ("Could not convert", "out of range", "Could not cast", "can't be cast")


def retype(command: ChangeType, run: Run, open_query: Callable[[QueryPlan], pa.RecordBatchReader]) -> pa.Table:
    """Gives a column another type; a row for what was written anew, the column and its indexes."""
    table = command.table
    held = table.schema.field(command.column.name)
    field = _plan_field(command.column)
    if field.type == held.type and command.is_cast:
        return answer_steps([])
    schema = table.schema.set(table.schema.get_field_index(field.name), field)
    rules = make_rules(replace(table, schema=schema), run)
    checked = [check for check in read_constraints(schema).checks if check.names(field.name)]
    reads = table.schema.names if checked else list(command.reads)
    if DEFAULT in (field.metadata or {}):
        _check_default(command, field, rules)
    if command.check is not None:
        _check_keys(command, command.check, open_query)
    engine = run.engine.fork()
    finite = run.settings.finite_vectors
    sql = f'SELECT {command.expression} FROM "{ROWS}"'

    def convert(batch: pa.RecordBatch) -> pa.RecordBatch:
        try:
            rows: dict[str, object] = {ROWS: widen_table(pa.Table.from_batches([batch]))}
            relation = engine.relate(sql, None, rows, Namespace(None))
            assert relation is not None
            made: pa.Array[Any] = read_relation_table(relation).column(0).combine_chunks()
            values = fit_column(made, field)
        except LanceSQLError as error:
            raise _explain(error, command) from None
        if finite:
            refuse_infinite(values, field.name, lambda at: f"row {at + 1:,} of a batch")
        if checked:
            place = batch.schema.get_field_index(field.name)
            rules.check(batch.set_column(place, field, values))
        return pa.RecordBatch.from_arrays([values], schema=pa.schema([field]))

    with show_progress(f"changing {table.name}") as report:
        return answer_steps(change_type(run.database.of(table), table, field, reads, convert, command.indexes, report))


def describe_type(command: ChangeType) -> list[str]:
    """What is written anew, and which indexes are built anew."""
    table, field = command.table, _plan_field(command.column)
    if field.type == table.schema.field(field.name).type and command.is_cast:
        return [f"nothing: {field.name} is {command.spelled}"]
    rows = f"{table.rows:,} rows"
    indexes = [f"index {index.name} goes, and is built anew over {rows}" for index in command.indexes]
    return [f"column {field.name} written anew as {command.spelled}: {rows}", *indexes]


def _plan_field(field: pa.Field[Any]) -> pa.Field[Any]:
    metadata = {key: value for key, value in (field.metadata or {}).items() if not key.startswith(b"ARROW:extension")}
    return pa.field(field.name, plan_type(field.type, field.name), field.nullable, metadata or None)


def _check_default(command: ChangeType, field: pa.Field[Any], rules: RowRules) -> None:
    try:
        made = rules.make_default(field.name, 1)
        if made is not None:
            fit_column(made, field)
    except LanceSQLError as error:
        raise ConstraintError(
            f"the default of column '{field.name}' is no {command.spelled}: {error.message}",
            hint=f"ALTER TABLE {spell_table(command.table)} ALTER {spell_name(field.name)} DROP DEFAULT first",
        ) from None


def _check_keys(command: ChangeType, check: QueryPlan, open_query: Callable[[QueryPlan], pa.RecordBatchReader]) -> None:
    try:
        with open_query(check) as reader:
            (merged,) = reader.read_all().column(0).to_pylist()
    except LanceSQLError as error:
        raise _explain(error, command) from None
    if merged:
        raise ConstraintError(
            f"rows of '{command.table.name}' would have the primary key of another row: {merged:,}",
            hint="nothing was changed",
        )


def _explain(error: LanceSQLError, command: ChangeType) -> LanceSQLError:
    name = command.column.name
    reason = error.message.partition(" when casting from source column")[0]
    error.message = f"column '{name}' cannot be {command.spelled}: {reason}"
    if command.is_cast and any(sign in error.message for sign in _VALUES):
        error.hint = (
            f"nothing was changed; such rows: SELECT * FROM {spell_table(command.table)} "
            f"WHERE {spell_name(name)} IS NOT NULL AND TRY_CAST({spell_name(name)} AS {command.spelled}) IS NULL"
        )
    elif command.is_cast and "nimplemented" in error.message:
        error.hint = "TYPE … USING expression says how"
    if isinstance(error, UnknownColumnError):
        error.hint = f"columns: {', '.join(command.table.schema.names)}"
    error.sql, error.span = None, command.span
    return error
