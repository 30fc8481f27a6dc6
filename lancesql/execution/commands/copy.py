"""COPY carried out, for the formats that DuckDB has not."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from lancesql.errors import BindError
from lancesql.execution.progress import show_progress
from lancesql.execution.run import Run
from lancesql.plan.commands import CopyFromArrow, CopyToArrow
from lancesql.plan.query import QueryPlan
from lancesql.storage.arrow_files import open_arrow_file, write_arrow_file
from lancesql.storage.writes.tables import insert_rows

from .rules import make_rules
from .tables import count_rows

__all__ = ["copy_from_arrow", "copy_to_arrow"]


def copy_to_arrow(command: CopyToArrow, open_query: Callable[[QueryPlan], pa.RecordBatchReader]) -> int:
    """Writes the rows of the query to a file; how many."""
    with show_progress(f"writing {command.name}") as report:
        return write_arrow_file(
            command.name,
            lambda: open_query(command.query),
            compression=command.compression,
            on_rows=count_rows(report),
        )


def copy_from_arrow(command: CopyFromArrow, run: Run) -> int:
    """Appends the rows of a file to a table; how many."""
    table = command.table
    own = list(command.columns) or table.schema.names
    given = open_arrow_file(command.path).schema.names
    if given != own and sorted(map(str.lower, given)) == sorted(map(str.lower, own)):
        raise BindError(
            f"the file has the columns in another order: {', '.join(given)}",
            hint=f"name them as the file has them: COPY {table.name} ({', '.join(given)}) FROM …",
        )
    with show_progress(f"writing {table.name}") as report:
        return insert_rows(
            run.database.of(table),
            table,
            lambda: open_arrow_file(command.path),
            columns=command.columns,
            on_rows=count_rows(report),
            rules=make_rules(table, run, report),
        )
