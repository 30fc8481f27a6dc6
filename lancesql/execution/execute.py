"""LogicalPlan → Result: the one place that decides how each kind of plan is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pyarrow as pa

from lancesql.engines.duckdb import DuckDBEngine, Namespace, open_relation_reader, read_relation_table
from lancesql.errors import LanceSQLError
from lancesql.plan import ChangeSetting, CreateView, DropView, Explain, LogicalPlan, QueryPlan, ShowSettings
from lancesql.plan.expansion import place_error

from .commands import run_command
from .explain import explain_plan
from .query import find_direct_answer, name_plan_types, open_plan_reader, read_plan_table, run_plan
from .result import Result
from .run import Run
from .settings import show_settings

__all__ = ["execute_plan", "execute_text"]

T = TypeVar("T")


def execute_plan(plan: LogicalPlan, run: Run) -> Result:
    """The result of a plan: lazy for a query, at once for everything else."""
    try:
        return _execute(plan, run)
    except LanceSQLError as error:
        raise _place(error, run) from None


def _place(error: LanceSQLError, run: Run) -> LanceSQLError:
    """The error with its place in the text that the user wrote, views and all."""
    expansion = run.plan.expansion
    return error if expansion is None else place_error(error, expansion).locate(expansion.sql)


def _execute(plan: LogicalPlan, run: Run) -> Result:
    match plan:
        case QueryPlan(returns_rows=True):
            return _answer_query(plan, run)
        case QueryPlan():
            return _answer_table(run_plan(run), explain=lambda analyze: explain_plan(plan, run, analyze=analyze))
        case Explain():
            text = explain_plan(plan.plan, run, analyze=plan.analyze)
            return _answer_table(pa.table({"plan": text.split("\n")}))
        case ChangeSetting() | CreateView() | DropView():
            return _answer_table(pa.table({}))  # the connection holds the settings and the views
        case ShowSettings(name):
            return _answer_table(show_settings(run.settings, name))
        case _:
            table = run_command(plan, run.database, lambda query: open_plan_reader(run.within(query)))
            return _answer_table(table, explain=lambda analyze: explain_plan(plan, run, analyze=analyze))


def _answer_query(plan: QueryPlan, run: Run) -> Result:
    direct = find_direct_answer(run) is not None
    return Result(
        _locate(run, lambda: open_plan_reader(run)),
        read_table=_locate(run, lambda: read_plan_table(run)),
        engine_types=None if direct else lambda: name_plan_types(run),
        explain=lambda analyze: _locate(run, lambda: explain_plan(plan, run, analyze=analyze))(),
    )


def _locate(run: Run, act: Callable[[], T]) -> Callable[[], T]:
    """An error of a lazy result still says where in the statement it is."""

    def act_and_locate() -> T:
        try:
            return act()
        except LanceSQLError as error:
            raise _place(error, run).locate(run.plan.sql) from None

    return act_and_locate


def _answer_table(table: pa.Table, **options: Any) -> Result:
    return Result(table.to_reader, read_table=lambda: table, schema=lambda: table.schema, **options)


def execute_text(
    engine: DuckDBEngine, sql: str, parameters: object, namespace: Namespace, registered: Mapping[str, object]
) -> tuple[Result, bool]:
    """Runs a text without anything of Lance as plain DuckDB; also says whether it may have changed the catalog."""
    if engine.reads_only(sql):
        relation = engine.relate(sql, parameters, registered, namespace)
        if relation is not None:
            result = Result(
                lambda: open_relation_reader(relation),
                read_table=lambda: read_relation_table(relation),
                engine_types=lambda: [str(one) for one in relation.types],
                explain=lambda analyze: _explain_text(engine, sql, parameters, namespace, registered, analyze=analyze),
            )
            return result, False
    return _answer_table(engine.run(sql, parameters, registered, namespace)), True


def _explain_text(
    engine: DuckDBEngine,
    sql: str,
    parameters: object,
    namespace: Namespace,
    registered: Mapping[str, object],
    *,
    analyze: bool,
) -> str:
    word = "EXPLAIN ANALYZE" if analyze else "EXPLAIN"
    rows = engine.run(f"{word} {sql}", parameters, registered, namespace)
    return "Relation (DuckDB)\n" + "\n".join(map(str, rows.column(rows.num_columns - 1).to_pylist()))
