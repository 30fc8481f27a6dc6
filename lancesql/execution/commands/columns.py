"""ALTER TABLE carried out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.errors import LanceSQLError
from lancesql.execution.run import OpenQuery, Run
from lancesql.execution.targets import name_target
from lancesql.plan.commands import AddColumn, ChangedRows
from lancesql.plan.sources import ROW_ID
from lancesql.storage.scan import open_scan, read_scan
from lancesql.storage.writes.columns import add_column
from lancesql.storage.writes.conversion import plan_type
from lancesql.storage.writes.finite import refuse_infinite
from lancesql.storage.writes.new_table import NewTable
from lancesql.storage.writes.tables import fit_column

from .rules import evaluate_default

__all__ = ["add_to_table"]


def add_to_table(command: AddColumn, run: Run, open_query: OpenQuery) -> None:
    """Adds a column, with the values of an expression, its default, or NULL."""
    table, field = command.table, command.column
    if field is None:
        return
    if command.values is not None:
        made = _read_values(command.values, field, run, open_query)
        if not pa.types.is_null(field.type):
            field = field.with_type(plan_type(field.type, field.name))
            made = fit_column(made, field)
        add_column(run.database.of(table), table, field.with_type(made.type), made)
        return
    values = evaluate_default(field, table, run, command.checks)
    add_column(run.database.of(table), table, field, values, command.checks)


def _read_values(values: ChangedRows, field: pa.Field[Any], run: Run, open_query: OpenQuery) -> pa.Array[Any]:
    """The values in the order of a scan: whoever computes them may take the rows in another."""
    try:
        with open_query(values.query, lambda _: [None, name_target(field.type)]) as reader:
            found = reader.read_all()
    except LanceSQLError as error:
        raise values.composition.place_error(error) from None
    dataset = run.database.open_dataset(values.table)
    ids = found.column(0).to_numpy()
    order = np.argsort(ids)
    wanted = read_scan(open_scan(dataset, [ROW_ID])).column(0).to_numpy()
    places = order[np.searchsorted(ids, wanted, sorter=order)] if len(ids) else np.empty(0, np.int64)
    named = found.select([1])
    planned = NewTable(named.to_reader(), vectors=True, lists=frozenset(), float16=False)
    rows = [planned.convert(batch) for batch in planned.batches()]
    column: Any = pa.Table.from_batches(rows, planned.schema).column(0).combine_chunks()
    if run.settings.finite_vectors:
        refuse_infinite(column, found.column_names[1], lambda at: f"the row with _rowid {ids[at]}")
    taken: pa.Array[Any] = column.take(pa.array(places, pa.int64()))
    return taken
