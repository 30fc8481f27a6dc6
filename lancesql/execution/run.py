"""One run of a plan: the values of its parameters, and what it has answered so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.engines.duckdb import DuckDBEngine
from lancesql.engines.namespace import Namespace
from lancesql.errors import ArgumentError, LanceSQLError, ParameterError
from lancesql.plan.composition import Composition
from lancesql.plan.query import QueryPlan
from lancesql.plan.values import Constant, Parameter, ScalarQuery, Value
from lancesql.settings import Settings
from lancesql.storage.databases import Databases
from lancesql.storage.rerankers import Rerankers

from .embeddings.memo import Memo
from .embeddings.registry import Embeddings
from .request import Parameters
from .turns import Turn
from .watch import Watch, Watches

__all__ = ["OpenQuery", "Run", "SourceReport", "Targets", "evaluate", "read_count", "read_number", "read_scalar_table"]

T = TypeVar("T")
Targets = Callable[[Sequence[str]], Sequence[str | None]]
"""The SQL types of the columns that those of a query, of these names, are written to; None where it is not known."""


class OpenQuery(Protocol):
    """Runs a query within a command, as a stream."""

    def __call__(self, query: QueryPlan, targets: Targets | None = None) -> pa.RecordBatchReader:
        """Opens the stream; where Arrow would make others, values are of the types they are written to."""
        ...


@dataclass
class SourceReport:
    """What one source did, for EXPLAIN ANALYZE."""

    rows: int = 0
    seconds: float = 0.0
    notes: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Run:
    """One execution of a statement.

    Attributes:
        plan: What runs.
        values: The parameters' values by name.
        namespace: The variables the relation may name.
        registered: Objects the user registered, as the engine reads them.
        settings: Those of the session when the statement was given.
        watches: What can stop it: the connection, and who gave the statement.
        watch: This execution.
        turn: What a thread holds while it uses the connection.
        answers: Searches already carried out: a source used twice is searched once.
        filters: Filters already resolved.
        queries: What the scalar subqueries gave that searches look for, by placeholder.
        keys: The keys of small sides already read.
        nearest: What `ORDER BY` a distance has found so far, or why a scan answers.
        constants: Constant expressions of filters already computed.
        rendered: Conjuncts already written for Lance, by their ids: itself, the values, the text or the reason.
        embeddings: The embedding functions of the session; those of the tables when there are none.
        embedded: The vectors of texts already embedded.
        matches: The rows that text searches found for `match()`, by the table, its columns and the query.
        rerankers: The rerankers of the session, and LanceDB's.
        stores: The rows are written to a table: what the columns they go to are called in SQL.
        written: What the statement was written out from, when the version of a table is a parameter.
    """

    database: Databases
    engine: DuckDBEngine
    plan: QueryPlan
    values: Mapping[str, object]
    namespace: Namespace
    registered: Mapping[str, object] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    watches: Watches = field(default_factory=Watches)
    watch: Watch = field(default_factory=Watch)
    turn: Turn = field(default_factory=Turn)
    answers: dict[str, pa.Table] = field(default_factory=dict)
    filters: dict[str, Any] = field(default_factory=dict)
    keys: dict[Any, Any] = field(default_factory=dict)
    nearest: dict[str, pa.Table | str] = field(default_factory=dict)
    constants: dict[tuple[Any, ...], object] = field(default_factory=dict)
    rendered: dict[int, tuple[object, object, str | None, str]] = field(default_factory=dict)
    queries: dict[str, object] = field(default_factory=dict)
    embeddings: Embeddings | None = None
    embedded: Memo = field(default_factory=Memo)
    matches: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    rerankers: Rerankers = field(default_factory=Rerankers)
    stores: Targets | None = None
    written: Composition | None = None
    reports: dict[str, SourceReport] = field(default_factory=dict)
    measured: bool = False
    started: float = field(default_factory=time.perf_counter)

    def begin(self) -> None:
        """Begins an execution, which can be stopped from now on."""
        self.watch = Watch(self.settings.timeout, self.turn)
        self.rendered = {}
        self.watches.add(self.watch)

    def ask_engine(self, act: Callable[[], T]) -> T:
        """What DuckDB answers, unless the execution is stopped first."""
        return self.watch.call_engine(act, self.engine)

    def ask_storage(self, table: TableInfo, act: Callable[[], T]) -> T:
        """What LanceDB answers of a table, unless the execution is stopped first."""
        return self.watch.call_storage(act, table.rows)

    def within(self, plan: QueryPlan) -> Run:
        """A run of another plan of the same statement; answers are shared."""
        return replace(self, plan=plan)

    def report(self, placeholder: str) -> SourceReport:
        """The report of a source."""
        return self.reports.setdefault(placeholder, SourceReport())


def evaluate(value: Value, run: Run) -> object:
    """The value, now that parameters are known.

    Raises:
        ArgumentError: When a scalar subquery gives no row, or more than one.
    """
    match value:
        case Constant(constant):
            return constant
        case Parameter(name):
            return run.values[name]
        case ScalarQuery():
            return _evaluate_query(value, run)


def read_scalar_table(value: ScalarQuery, run: Run) -> pa.Table:
    """The value as a table of one row and column; evaluated once when the relation reads it too."""
    from .query import read_plan_table

    table = run.answers.get(value.placeholder)
    if table is None:
        table = read_plan_table(run.within(value.plan))
        if value.placeholder:
            run.answers[value.placeholder] = table
    return table


def _evaluate_query(value: ScalarQuery, run: Run) -> object:
    try:
        table = read_scalar_table(value, run)
    except LanceSQLError as error:
        if "More than one row" in error.message:
            raise ArgumentError(
                "the subquery gives more than one row, one is wanted",
                hint="add LIMIT 1, or a WHERE that finds one row",
                span=value.span,
            ) from None
        raise error.locate(value.plan.sql) from None
    if table.num_columns != 1:
        raise ArgumentError(f"({value.sql}) gives {table.num_columns} columns, one is wanted", span=value.span)
    if table.num_rows != 1:
        raise ArgumentError(
            f"the subquery gives {table.num_rows} rows, one is wanted",
            hint="add LIMIT 1, or a WHERE that finds one row",
            span=value.span,
        )
    column = table.column(0).combine_chunks()
    if pa.types.is_fixed_size_list(column.type) or pa.types.is_list(column.type):
        return None if not column[0].is_valid else np.asarray(column[0].values.to_numpy(zero_copy_only=False))
    return column[0].as_py()


def read_count(value: Value, run: Run, what: str, *, least: int = 1) -> int:
    """A whole number of rows.

    Raises:
        ArgumentError: When it is anything else, or below `least`.
    """
    raw = evaluate(value, run)
    if isinstance(raw, np.integer):
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < least:
        shown = "NULL" if raw is None else f"{type(raw).__name__} {raw!r}"[:60]
        raise ArgumentError(f"{what} is a whole number, at least {least}, not {shown}", span=value.span)
    return raw


def read_number(value: Value | None, run: Run, what: str) -> float | None:
    """A number, or None."""
    if value is None:
        return None
    raw = evaluate(value, run)
    if raw is None:
        return None
    try:
        number = float(raw)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ArgumentError(f"{what} is a number", span=value.span) from None
    if np.isnan(number) or isinstance(raw, bool | str):
        raise ArgumentError(f"{what} is a number", span=value.span)
    return number


def check_parameters(plan: QueryPlan, parameters: Parameters) -> dict[str, object]:
    """The parameters' values by name.

    Raises:
        ParameterError: When one is missing or unused, or a dict is given for `?` and a list for `$name`.
    """
    if parameters is None:
        values: dict[str, object] = {}
    elif isinstance(parameters, Mapping):
        values = {str(name): value for name, value in parameters.items()}
        _check_kind(plan, named=True)
    else:
        _check_kind(plan, named=False)
        values = {str(number): value for number, value in enumerate(parameters, 1)}
    return check_names(plan.used_parameters, {name: _unwrap(value) for name, value in values.items()})


def _unwrap(value: object) -> object:
    """A numpy scalar as the Python value it is: DuckDB takes some kinds and refuses others."""
    is_number = isinstance(value, np.bool_ | np.integer | np.floating) and not isinstance(value, np.timedelta64)
    return value.item() if is_number else value  # type: ignore[attr-defined]


def _check_kind(plan: QueryPlan, *, named: bool) -> None:
    name = next((name for name in plan.used_parameters if name.isdigit() == named), None)
    if name is not None and named and "?" in plan.sql:
        raise ParameterError("the statement's parameters have no names, and a dict was given", hint="pass a list")
    if name is not None and not named:
        raise ParameterError(
            "the statement's parameters have names, and a list was given", hint=f'pass a dict: {{"{name}": …}}'
        )


def check_names(used: tuple[str, ...], values: dict[str, object]) -> dict[str, object]:
    """The values, when they are exactly those the statement names."""
    missing = [name for name in used if name not in values]
    if missing:
        listed = ", ".join(f"${name}" for name in missing)
        raise ParameterError(
            f"no value for parameter {listed}", hint=f"given: {', '.join(f'${name}' for name in values) or 'none'}"
        )
    unused = [name for name in values if name not in used]
    if unused:
        listed = ", ".join(f"${name}" for name in unused)
        raise ParameterError(
            f"the statement does not use parameter {listed}",
            hint=f"it uses: {', '.join(f'${name}' for name in used) or 'none'}",
        )
    return values
