"""The primary key of a table that is there already."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from lancesql.errors import ConstraintError
from lancesql.execution.run import Run
from lancesql.plan.commands import SetPrimaryKey
from lancesql.plan.query import QueryPlan
from lancesql.storage.writes.keys import set_primary_key

__all__ = ["add_primary_key"]


def add_primary_key(command: SetPrimaryKey, run: Run, open_query: Callable[[QueryPlan], pa.RecordBatchReader]) -> None:
    """Makes columns the primary key.

    Raises:
        ConstraintError: When a row has no key, or the key of another; the table is then as it was.
    """
    table, key = command.table, ", ".join(command.columns)
    if command.check is not None:
        with open_query(command.check) as reader:
            nulls, repeated = (column[0].as_py() for column in reader.read_all().columns)
        if nulls:
            raise ConstraintError(
                f"table '{table.name}' has rows with NULL for {key}: {nulls:,}", hint="no part of a key is NULL"
            )
        if repeated:
            raise ConstraintError(
                f"table '{table.name}' has rows with the {key} of another row: {repeated:,}",
                hint=f"SELECT {key}, count(*) FROM {table.name} GROUP BY ALL HAVING count(*) > 1 shows which",
            )
    set_primary_key(run.database.of(table), table, command.columns)
