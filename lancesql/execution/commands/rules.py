"""What a table asks of the rows that are written to it: defaults where a row gives nothing, and checks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.engines.duckdb import DuckDBEngine
from lancesql.engines.namespace import Namespace
from lancesql.engines.relations import read_relation_table
from lancesql.errors import ConstraintError, LanceSQLError
from lancesql.execution.embeddings.fills import find_fills
from lancesql.execution.progress import Report
from lancesql.execution.run import Run
from lancesql.plan.constraints import DEFAULT, Constraints, read_constraints
from lancesql.storage.types import widen_table
from lancesql.storage.writes.finite import refuse_infinite
from lancesql.storage.writes.rules import RowRules
from lancesql.storage.writes.tables import fit_column

__all__ = ["evaluate_default", "make_rules"]

ROWS = "__lancesql_new"


def make_rules(table: TableInfo, run: Run, report: Report | None = None) -> RowRules:
    """The rules of a table; DuckDB evaluates its expressions on a connection beside the one that gives the rows."""
    constraints = read_constraints(table.schema)
    rules = RowRules(find_fills=lambda: find_fills(table, run, report), finite=run.settings.finite_vectors)
    if not constraints.defaults and not constraints.checks:
        return rules
    keeper = _Keeper(table, constraints, run.engine.fork())  # before a stream occupies the connection
    return replace(rules, make_default=keeper.make_default, check=keeper.check)


def evaluate_default(field: pa.Field[Any], table: TableInfo, run: Run) -> pa.Array[Any] | None:
    """The default of a column that is not in the table yet, for every row; None when it has none."""
    default = (field.metadata or {}).get(DEFAULT)
    if default is None or not table.rows:
        return None
    constraints = Constraints(defaults={field.name: default.decode()})
    made = _Keeper(table, constraints, run.engine.fork()).make_default(field.name, table.rows)
    if made is None:
        return None
    fitted = fit_column(made, field)
    if run.settings.finite_vectors:
        refuse_infinite(fitted, field.name, lambda _: "the default")
    return fitted


class _Keeper:
    def __init__(self, table: TableInfo, constraints: Constraints, engine: DuckDBEngine) -> None:
        self._table = table
        self._constraints = constraints
        self._engine = engine

    def make_default(self, column: str, rows: int) -> pa.Array[Any] | None:
        """So many values of a column's default; None when it has none."""
        expression = self._constraints.defaults.get(column)
        if expression is None:
            return None
        made = self._read(f"SELECT {expression} FROM range({rows})", {})
        column_of: pa.Array[Any] = made.column(0).combine_chunks()
        return column_of

    def check(self, batch: pa.RecordBatch) -> None:
        """Refuses a row that makes a check false."""
        rows: dict[str, object] = {ROWS: widen_table(pa.Table.from_batches([batch]))}
        for check in self._constraints.checks:
            broken = self._read(f'SELECT * FROM "{ROWS}" WHERE NOT ({check}) LIMIT 1', rows)
            if broken.num_rows:
                shown = {name: value for name, value in broken.to_pylist()[0].items() if name in check}
                listed = ", ".join(f"{name} = {value!r}" for name, value in shown.items())
                raise ConstraintError(
                    f"a row breaks CHECK {check} of table '{self._table.name}': {listed}", hint="nothing was written"
                )

    def _read(self, sql: str, tables: dict[str, object]) -> pa.Table:
        try:
            relation = self._engine.relate(sql, None, tables, Namespace(None))
            assert relation is not None
            return read_relation_table(relation)
        except LanceSQLError as error:
            error.message = f"a rule of table '{self._table.name}' cannot be evaluated: {error.message}"
            raise
