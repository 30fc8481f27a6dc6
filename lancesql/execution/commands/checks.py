"""ALTER TABLE … ADD CHECK and DROP CONSTRAINT, carried out."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from lancesql.binder.commands.constraints import write_check
from lancesql.catalog import TableInfo
from lancesql.errors import ConstraintError
from lancesql.execution.run import Run
from lancesql.plan.commands import AddCheck, DropCheck
from lancesql.plan.constraints import read_constraints
from lancesql.plan.query import QueryPlan
from lancesql.plan.spelling import spell_table
from lancesql.storage.writes.checks import set_checks

__all__ = ["add_check", "drop_check", "list_constraints"]


def add_check(command: AddCheck, run: Run, open_query: Callable[[QueryPlan], pa.RecordBatchReader]) -> None:
    """Gives a table a check that all of its rows keep.

    Raises:
        ConstraintError: When a row breaks it; the table is then as it was.
    """
    table, check = command.table, command.check
    predicate = write_check(check)
    with open_query(command.broken) as reader:
        found = reader.read_all()
    if found.num_rows:
        count, *values = (column[0].as_py() for column in found.columns)
        names = [name for _, name in check.columns]
        listed = ", ".join(f"{name} = {value!r}" for name, value in zip(names, values, strict=True))
        raise ConstraintError(
            f"rows of table '{table.name}' break CHECK {predicate} ({check.name}): {count:,}"
            f"{f', one of them with {listed}' if listed else ''}",
            hint=f"SELECT * FROM {spell_table(table)} WHERE NOT {predicate} shows which",
        )
    held = read_constraints(table.schema).checks
    set_checks(run.database.of(table), table, [*held, check], dict(command.columns))


def drop_check(command: DropCheck, run: Run) -> None:
    """Takes a check away; the rows stay."""
    if command.name is None:
        return
    table = command.table
    kept = [check for check in read_constraints(table.schema).checks if check.name != command.name]
    set_checks(run.database.of(table), table, kept)


def list_constraints(table: TableInfo) -> pa.Table:
    """What a table asks of its rows: its key, its checks, where no NULL may stand; and its defaults."""
    found = read_constraints(table.schema)
    rows: list[tuple[str | None, str, list[str], str | None]] = []
    if found.primary_key:
        rows.append((None, "PRIMARY KEY", list(found.primary_key), None))
    rows += [(one.name, "CHECK", [name for _, name in one.columns], write_check(one)) for one in found.checks]
    rows += [(None, "NOT NULL", [field.name], None) for field in table.schema if not field.nullable]
    rows += [(None, "DEFAULT", [name], text) for name, text in found.defaults.items()]
    return pa.table(
        {
            "name": pa.array([row[0] for row in rows], pa.string()),
            "type": pa.array([row[1] for row in rows], pa.string()),
            "columns": pa.array([row[2] for row in rows], pa.list_(pa.string())),
            "expression": pa.array([row[3] for row in rows], pa.string()),
        }
    )
