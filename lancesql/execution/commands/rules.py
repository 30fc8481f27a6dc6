"""What a table asks of the rows that are written to it: defaults where a row gives nothing, and checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from lancesql.binder.commands.constraints import write_cast, write_check
from lancesql.catalog import TableInfo
from lancesql.engines.definitions import name_types
from lancesql.engines.duckdb import DuckDBEngine
from lancesql.engines.namespace import Namespace
from lancesql.engines.relations import read_relation_table
from lancesql.errors import ConstraintError, ConversionError, LanceSQLError
from lancesql.execution.embeddings.fills import find_fills
from lancesql.execution.progress import Report
from lancesql.execution.run import Run
from lancesql.plan.constraints import DEFAULT, Check, Constraints, read_constraints
from lancesql.storage.types import widen_schema, widen_table
from lancesql.storage.writes.finite import refuse_infinite
from lancesql.storage.writes.rules import RowRules
from lancesql.storage.writes.tables import fit_column

__all__ = ["evaluate_default", "make_rules"]

ROWS = "__lancesql_new"


def make_rules(table: TableInfo, run: Run, report: Report | None = None) -> RowRules:
    """The rules of a table; DuckDB evaluates its expressions on a connection beside the one that gives the rows."""
    constraints = read_constraints(table.schema)
    rules = RowRules(find_fills=lambda: find_fills(table, run, report), finite=run.settings.finite_vectors)
    is_zoned = any(pa.types.is_timestamp(field.type) and field.type.tz for field in table.schema)
    if constraints.defaults or constraints.checks or is_zoned:
        engine = run.engine.fork()  # before a stream occupies the connection
        keeper = _Keeper(table, constraints, lambda: engine)
    else:
        keeper = _Keeper(table, constraints, run.engine.duplicate)
    return replace(rules, make_default=keeper.make_default, check=keeper.check, read_text=keeper.read_text)


def evaluate_default(
    field: pa.Field[Any], table: TableInfo, run: Run, checks: Sequence[Check] = ()
) -> pa.Array[Any] | None:
    """The default of a column that is not in the table yet, for every row; None when it has none."""
    default = (field.metadata or {}).get(DEFAULT)
    if not table.rows or (default is None and not checks):
        return None
    engine = run.engine.fork()
    keeper = _Keeper(table, Constraints(checks=tuple(checks)), lambda: engine)
    if default is None:
        keeper.check(pa.RecordBatch.from_arrays([pa.nulls(1, field.type)], schema=pa.schema([field])))
        return None
    fitted = fit_column(keeper.evaluate_default(field, default.decode(), table.rows), field)
    keeper.check(pa.RecordBatch.from_arrays([fitted], schema=pa.schema([field])))
    if run.settings.finite_vectors:
        refuse_infinite(fitted, field.name, lambda _: "the default")
    return fitted


class _Keeper:
    def __init__(self, table: TableInfo, constraints: Constraints, open_engine: Callable[[], DuckDBEngine]) -> None:
        self._table = table
        self._constraints = constraints
        self._open_engine = open_engine

    def make_default(self, column: str, rows: int) -> pa.Array[Any] | None:
        """So many values of a column's default; None when it has none."""
        if column not in self._constraints.defaults:
            return None
        return self.evaluate_default(self._table.schema.field(column), self._constraints.defaults[column], rows)

    def evaluate_default(self, field: pa.Field[Any], expression: str, rows: int) -> pa.Array[Any]:
        """So many values of an expression, in the type of a column."""
        try:
            return self._read_column(f"SELECT {write_cast(expression, self._name_type(field))} FROM range({rows})", {})
        except LanceSQLError as error:
            error.message = f"the default of column '{field.name}' has no value: {error.message}"
            raise

    def read_text(self, array: pa.Array[Any], field: pa.Field[Any]) -> pa.Array[Any]:
        """Text as DuckDB reads it for a column of dates, times, bytes, lists, …; numbers are read without rounding."""
        if not _is_text(array.type) or not _is_read_by_engine(field.type) or array.null_count == len(array):
            return array
        type_ = self._name_type(field)
        try:
            return self._read_column(f'SELECT CAST(value AS {type_}) FROM "{ROWS}"', {ROWS: pa.table({"value": array})})
        except LanceSQLError as error:
            raise ConversionError(
                f"column '{field.name}' is {type_}, and a text does not fit: {error.message}",
                hint="nothing was written",
            ) from None

    def check(self, batch: pa.RecordBatch) -> None:
        """Refuses a row that makes a check false."""
        for check in self._constraints.checks:
            rows: Any = widen_table(pa.Table.from_batches([batch]))
            if check.columns:
                rows = rows.select([name for _, name in check.columns])
                rows = rows.rename_columns([called for called, _ in check.columns])
            broken = self._read(f'SELECT * FROM "{ROWS}" WHERE NOT ({check.text}) LIMIT 1', {ROWS: rows})
            if broken.num_rows:
                values = broken.to_pylist()[0]
                listed = ", ".join(f"{name} = {values[one]!r}" for one, name in check.columns)
                raise ConstraintError(
                    f"a row breaks CHECK {write_check(check)} of table '{self._table.name}' ({check.name})"
                    f"{f': {listed}' if listed else ''}",
                    hint="nothing was written",
                )

    def _read_column(self, sql: str, tables: dict[str, object]) -> pa.Array[Any]:
        column: pa.Array[Any] = self._ask(sql, tables).column(0).combine_chunks()
        return column

    def _read(self, sql: str, tables: dict[str, object]) -> pa.Table:
        try:
            return self._ask(sql, tables)
        except LanceSQLError as error:
            error.message = f"a rule of table '{self._table.name}' cannot be evaluated: {error.message}"
            raise

    def _ask(self, sql: str, tables: dict[str, object]) -> pa.Table:
        relation = self._engine.relate(sql, None, tables, Namespace(None))
        assert relation is not None
        return read_relation_table(relation)

    def _name_type(self, field: pa.Field[Any]) -> str:
        return name_types(self._engine, widen_schema(pa.schema([field])))[0]

    @cached_property
    def _engine(self) -> DuckDBEngine:
        return self._open_engine()


def _is_text(type_: pa.DataType) -> bool:
    types = pa.types
    return types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_)


def _is_read_by_engine(type_: pa.DataType) -> bool:
    types = pa.types
    return types.is_temporal(type_) or types.is_boolean(type_) or types.is_nested(type_) or _is_binary(type_)


def _is_binary(type_: pa.DataType) -> bool:
    types = pa.types
    return types.is_binary(type_) or types.is_large_binary(type_) or types.is_binary_view(type_)
