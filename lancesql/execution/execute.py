"""LogicalPlan → Result: the one place that decides how each kind of plan is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pyarrow as pa

from lancesql.engines.relations import open_relation_reader, read_relation_table
from lancesql.errors import LanceSQLError
from lancesql.execution.results.plan import ShownPlan
from lancesql.execution.results.result import Result
from lancesql.plan import ChangeSetting, CreateView, DropView, Explain, LogicalPlan, QueryPlan, ShowSettings
from lancesql.plan.commands import AttachDatabase, DetachDatabase, UseDatabase, WritingCommand, is_returning
from lancesql.plan.expansion import place_error
from lancesql.plan.sources import TableScan
from lancesql.storage.scan import pull_scan

from .commands import check_columns, describe_command, run_command, run_database_command
from .explain_formats import explain_as_json, explain_as_sql, explain_plan
from .names import find_answer_columns
from .query import (
    explain_relation_error,
    find_direct_answer,
    name_plan_types,
    open_plan_reader,
    read_plan_table,
    run_plan,
)
from .run import OpenQuery, Run
from .settings import show_settings
from .streams import AnswerStream, pull_relation
from .suggestions import complete_error
from .turns import Turn

__all__ = ["execute_plan", "execute_text"]

T = TypeVar("T")


def execute_plan(plan: LogicalPlan, run: Run) -> Result:
    """The result of a plan: lazy for a query, at once for everything else."""
    try:
        return _execute(plan, run)
    except LanceSQLError as error:
        raise _place(error, run) from None


def _place(error: LanceSQLError, run: Run) -> LanceSQLError:
    """The error with its place in the text that the user wrote, views and all, and the tables there are."""
    error = complete_error(error, run.database)
    expansion = run.plan.expansion
    return error if expansion is None else place_error(error, expansion).locate(expansion.sql)


def _place_late(error: LanceSQLError, run: Run) -> LanceSQLError:
    """As `_place`, for an error that nobody else will place: the statement has been answered, and is read."""
    error = _place(error, run).locate(run.plan.sql)
    written = run.written
    if written is None or error.sql != written.text:
        return error
    return written.place_error(error).locate(written.sql)


def _execute(plan: LogicalPlan, run: Run) -> Result:
    if not (isinstance(plan, QueryPlan) and plan.returns_rows and plan.direct is None):
        run.begin()  # such a query does when its rows are asked for
    match plan:
        case QueryPlan(returns_rows=True):
            return _answer_query(plan, run)
        case QueryPlan():
            return _answer_change(
                run_plan(run), plan.sql, explain=lambda analyze: explain_plan(plan, run, analyze=analyze)
            )
        case Explain():
            return _answer_explain(plan, run)
        case CreateView(view):
            find_answer_columns(run, view.columns)
            return _answer_table(pa.table({}), answers="nothing")
        case ChangeSetting() | DropView():
            return _answer_table(pa.table({}), answers="nothing")  # the connection holds the settings and the views
        case AttachDatabase() | DetachDatabase() | UseDatabase():
            run_database_command(plan, run)
            return _answer_table(pa.table({}), answers="nothing")
        case ShowSettings(name):
            return _answer_table(show_settings(run.settings, name))
        case _:
            with run.watch.ending():
                table = run_command(plan, run, _open_within(run))
            counts = isinstance(plan, WritingCommand) and not is_returning(plan)
            answers = "count" if counts else "rows" if table.num_columns else "nothing"
            return _answer_table(
                table, answers=answers, explain=lambda analyze: explain_plan(plan, run, analyze=analyze)
            )


def _answer_explain(plan: Explain, run: Run) -> Result:
    if not isinstance(plan.plan, QueryPlan):
        check_columns(plan.plan, run)
    elif not plan.analyze:
        find_answer_columns(run)
    if plan.format == "sql":
        return _answer_text(ShownPlan(explain_as_sql(plan.plan, run)))
    touched = [] if isinstance(plan.plan, QueryPlan) else describe_command(plan.plan, run, _open_within(run))
    if plan.format == "text":
        return _answer_text(explain_plan(plan.plan, run, touched=touched, analyze=plan.analyze, recall=plan.recall))
    text = explain_as_json(plan.plan, run, touched=touched, analyze=plan.analyze, recall=plan.recall)
    return _answer_table(pa.table({"plan": [text]}), explain=lambda _: text)


def _open_within(run: Run) -> OpenQuery:
    """Opens the query within a command, which has the connection: Lance reads the answer on threads of its own."""
    return lambda query, targets=None: _open_plan_stream(
        replace(run.within(query), stores=targets or (lambda names: [None] * len(names)))
    )


def _answer_query(plan: QueryPlan, run: Run) -> Result:
    direct = find_direct_answer(run) is not None

    def open_reader(first: int | None = None) -> pa.RecordBatchReader:
        return _open_plan_stream(run, run.settings.max_rows, run.turn, first)

    return Result(
        _begin(run, open_reader),
        turn=run.turn,
        open_first=lambda first: _begin(run, lambda: open_reader(first))(),
        whole=direct and not isinstance(plan.sources[0], TableScan),
        read_table=_begin(run, lambda: _read_limited(run, open_reader, lambda: read_plan_table(run))),
        engine_types=None if direct else _begin(run, lambda: name_plan_types(run)),
        explain=lambda analyze: _begin(run, lambda: _explain_query(plan, run, analyze=analyze))(),
    )


def _explain_query(plan: QueryPlan, run: Run, *, analyze: bool) -> ShownPlan:
    if not analyze and not plan.embeds:  # DuckDB folds a call of constants while it binds: a model would be asked
        find_answer_columns(run)
    return explain_plan(plan, run, analyze=analyze)


def execute_text(run: Run, parameters: object, *, explains: bool = False) -> tuple[Result, bool]:
    """Runs a text without anything of Lance as plain DuckDB; also says whether it may have changed the catalog.

    With `explains` a text that is no query is not carried out: its answer is its plan.
    """
    run.begin()
    engine, given = run.engine, (run.plan.sql, parameters, run.registered, run.namespace)
    if not engine.reads_only(run.plan.sql):
        if explains:
            return _answer_text(_explain_text(run, parameters, analyze=False)), False
        return _answer_change(run.ask_engine(lambda: engine.run(*given)), run.plan.sql), True
    relation = run.ask_engine(lambda: engine.relate(*given))
    if relation is None:
        return _answer_table(pa.table({}), answers="nothing"), True

    def open_reader(first: int | None = None) -> pa.RecordBatchReader:
        reader = run.ask_engine(lambda: open_relation_reader(relation, first))
        return _open_stream(reader, run, pull_relation, run.settings.max_rows, run.turn, occupies=True)

    def read_table() -> pa.Table:
        return _read_limited(run, open_reader, lambda: run.ask_engine(lambda: read_relation_table(relation)))

    result = Result(
        _begin(run, open_reader),
        turn=run.turn,
        open_first=lambda first: _begin(run, lambda: open_reader(first))(),
        read_table=_begin(run, read_table),
        engine_types=lambda: [str(one) for one in relation.types],
        explain=lambda analyze: _begin(run, lambda: _explain_text(run, parameters, analyze=analyze))(),
    )
    return result, False


def _begin(run: Run, act: Callable[[], T]) -> Callable[[], T]:
    """An execution of a lazy result; its error still says where in the statement it is."""

    def begin_and_act() -> T:
        with run.turn.take():
            run.begin()
            try:
                return act()
            except LanceSQLError as error:
                raise _place_late(error, run) from None

    return begin_and_act


def _open_plan_stream(
    run: Run, max_rows: int | None = None, turn: Turn | None = None, first: int | None = None
) -> pa.RecordBatchReader:
    direct = find_direct_answer(run)
    return _open_stream(
        open_plan_reader(run, first),
        run,
        pull_relation if direct is None else _pull_direct,
        max_rows,
        turn,
        occupies=direct is None,
    )


def _pull_direct(reader: pa.RecordBatchReader, run: Run) -> pa.RecordBatch | None:
    table = run.plan.sources[0].table
    return run.ask_storage(table, lambda: pull_scan(reader, table.name))


def _open_stream(
    reader: pa.RecordBatchReader,
    run: Run,
    pull: Callable[[pa.RecordBatchReader, Run], pa.RecordBatch | None],
    max_rows: int | None,
    turn: Turn | None,
    *,
    occupies: bool,
) -> pa.RecordBatchReader:
    own = replace(run)  # its execution goes on, whatever else the result is asked
    stream = AnswerStream(
        reader,
        lambda opened: pull(opened, own),
        lambda error: _place_late(explain_relation_error(error, run.plan), run),
        max_rows,
        turn if occupies else None,
    )
    if occupies:
        run.engine.keep_stream(stream)
    return stream.to_reader()


def _read_limited(run: Run, open_reader: Callable[[], pa.RecordBatchReader], read: Callable[[], pa.Table]) -> pa.Table:
    """The whole answer; where rows are bounded, no more of it is held than the bound and a batch."""
    return read() if run.settings.max_rows is None else open_reader().read_all()


def _answer_text(plan: ShownPlan) -> Result:
    return _answer_table(pa.table({"plan": plan.split("\n")}), explain=lambda _: plan, shown=plan)


def _answer_change(table: pa.Table, sql: str, **options: Any) -> Result:
    """What DuckDB answers to a statement that is no query: how many rows it wrote, if it says so."""
    answers = "rows"
    if table.column_names in ([], ["Success"]):
        answers = "nothing"
    elif table.column_names == ["Count"] and "returning" not in sql.lower():
        answers = "count" if table.num_rows else "nothing"
    return _answer_table(table, answers=answers, **options)


def _answer_table(table: pa.Table, **options: Any) -> Result:
    return Result(table.to_reader, read_table=lambda: table, schema=lambda: table.schema, whole=True, **options)


def _explain_text(run: Run, parameters: object, *, analyze: bool) -> ShownPlan:
    word = "EXPLAIN ANALYZE" if analyze else "EXPLAIN"
    text = f"{word} {run.plan.sql}"
    rows = run.ask_engine(lambda: run.engine.run(text, parameters, run.registered, run.namespace))
    return ShownPlan("Relation (DuckDB)\n" + "\n".join(map(str, rows.column(rows.num_columns - 1).to_pylist())))
