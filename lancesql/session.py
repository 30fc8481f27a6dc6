"""One session: a text goes through the stages, parse → bind → optimize → execute, and comes back as a Result."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from .binder import bind_query, bind_text
from .binder.commands import CommandContext, bind_command, explain_statement
from .catalog import View
from .engines.duckdb import DuckDBEngine
from .engines.error_places import find_error_span
from .engines.namespace import Namespace
from .errors import (
    BindError,
    ConnectionClosedError,
    LanceSQLError,
    ParameterError,
    ParseError,
    Span,
    UnknownTableError,
    UnsupportedError,
)
from .execution.catalog import StatementCatalog
from .execution.contents import Contents
from .execution.embeddings.registry import Embeddings
from .execution.execute import execute_plan, execute_text
from .execution.gate import Gate
from .execution.lane import Lane
from .execution.lazy_frames import read_lazy_frames, settle_lazy_frames
from .execution.plan_cache import PlanCache
from .execution.request import Parameters, Request, check_request
from .execution.results.result import Result
from .execution.retries import find_read_once, retry_conflicts
from .execution.run import Run, check_parameters
from .execution.suggestions import suggest_database, suggest_function, suggest_table
from .execution.turns import Turn
from .execution.unread import offer_unread_tables, refuse_unreadable
from .execution.version_parameters import WrittenVersions, write_versions
from .execution.views import change_views
from .execution.watch import Watches
from .optimizer import optimize
from .parser import parse_statement, read_tokens, split_statements
from .parser.commands import (
    CopyDatabaseSyntax,
    CopySyntax,
    CreateViewSyntax,
    ExplainSyntax,
    find_inner_commands,
    read_command,
)
from .parser.commands.copy_syntax import OWN_FORMATS
from .parser.text_calls import names_text_function
from .plan import ChangeSetting, CreateView, DropView, Explain, LogicalPlan, QueryPlan
from .plan.commands import (
    Command,
    CopyToArrow,
    CopyToFile,
    CreateTable,
    InsertInto,
    ReadingCommand,
    find_query,
)
from .plan.composition import compose
from .settings import Settings
from .storage.databases import Databases
from .storage.rerankers import Rerankers

__all__ = ["Parameters", "Session"]


_HOLDING = (CopyToArrow, CopyToFile, CreateTable, CreateView, InsertInto)
"""Statements with a query in them, whose errors stand there."""


class Session:
    """A database, an engine, and what a session remembers between its statements.

    Args:
        databases: The LanceDB databases.
        engine: The DuckDB connection.

    Attributes:
        _beside: Another connection to the same DuckDB in the state of this one, when somebody has needed it.
        writes: How many statements have written to the Lance database.
    """

    def __init__(self, databases: Databases, engine: DuckDBEngine) -> None:
        self._database = databases
        self._engine = engine
        self._registered: dict[str, object] = {}
        self._plans = PlanCache(self._database, self._engine)
        self._turn = Turn()
        self._watches = Watches()
        self._lane = Lane()
        self._gate = Gate(self._database)
        self._settings = Settings()
        self._views: dict[str, View] = {}
        self._embeddings = Embeddings(self._database)
        self._rerankers = Rerankers()
        self._beside: DuckDBEngine | None = None
        self._closed = False
        self.writes = 0

    def resemble(self, other: Session) -> None:
        """Takes over what another session has been told."""
        self._registered, self._views = dict(other._registered), dict(other._views)
        self._settings = other._settings
        self._embeddings = other._embeddings.copy(self._database)
        self._rerankers = other._rerankers.copy()

    def _check_open(self) -> None:
        self._turn.check_process()
        if self._closed:
            raise ConnectionClosedError("the connection is closed", hint="open another with lancesql.connect()")

    def run(
        self,
        sql: str,
        parameters: Parameters,
        namespace: Namespace,
        *,
        timeout: float | None = None,
        max_rows: int | None = None,
        explains: bool = False,
        watches: Watches | None = None,
    ) -> Result:
        """As `sql`, with the variables of `namespace` visible by name.

        Args:
            sql: As `sql`.
            parameters: As `sql`.
            namespace: The variables.
            timeout: As `sql`.
            max_rows: As `sql`.
            explains: Carry nothing out.
            watches: What can stop this statement alone, beside what stops all of the connection.
        """
        check_request(sql, parameters)
        limits = {"timeout": timeout, "max_rows": max_rows}
        given = {name: one for name, one in limits.items() if one is not None}
        held = self._watches if watches is None else watches
        request = Request(parameters, namespace, held, given, explains)
        with self._turn.take(held.check):
            self._check_open()
            self._engine.reentry.refuse()
            return self._run(sql, request)

    def _run(self, sql: str, request: Request) -> Result:
        try:
            written = write_versions(sql, request.parameters)
            if written is not None:
                return self._run_written(written, request)
            cached = self._plans.find(sql, self._settings)
            if cached is not None:
                return self._execute(cached, sql, request)
            return self._run_text(sql, request)
        except LanceSQLError as error:
            if error.span is None and error.sql is None:
                error.span = find_error_span(sql, error)
            raise error.locate(sql) from None

    def _run_written(self, written: WrittenVersions, request: Request) -> Result:
        composition = written.composition
        try:
            return self._run(composition.text, replace(request, parameters=written.parameters, written=composition))
        except LanceSQLError as error:
            raise composition.place_error(error) from None

    def prepare(self, sql: str, parameters: Parameters, namespace: Namespace) -> tuple[QueryPlan, Run]:
        """The plan of a query over Lance, and a run of it that has not begun."""
        self._check_open()
        plan = self._plans.find(sql, self._settings)
        if plan is None:
            plan = self._plan(sql, namespace)
            assert isinstance(plan, QueryPlan)
            self._plans.keep(sql, plan, self._settings)
        assert isinstance(plan, QueryPlan)
        values = check_parameters(plan, parameters)
        return plan, self._make_run(plan, values, Request(parameters, namespace, self._watches), sql)

    def _run_text(self, sql: str, request: Request) -> Result:
        if not self._gate.passes(sql, self._name_own()):
            return self._run_plain(sql, request)
        spans = split_statements(read_tokens(sql))
        if len(spans) > 1 and request.parameters:
            raise ParameterError("parameters go with one statement", hint="run the statements one by one")
        result: Result | None = None
        for span in spans:
            text = sql[span.start : span.end]
            try:
                result = self._run_statement(text, request)
            except LanceSQLError as error:
                if len(spans) > 1:
                    if error.span is None and error.sql is None:
                        error.span = find_error_span(text, error)
                    error.locate(sql, span.start)
                raise
            if span is not spans[-1]:
                result.to_arrow()
        return result if result is not None else self._run_plain(sql, request)

    def _run_statement(self, sql: str, request: Request) -> Result:
        inner = find_inner_commands(read_tokens(sql))
        if inner:
            return self._run_over_commands(sql, inner, request)
        try:
            plan = self._plan(sql, request.namespace)
        except ParseError as error:
            return self._run_unread(sql, request, error)
        if plan is None:
            return self._run_plain(sql, request)
        self._plans.keep(sql, plan, self._settings)
        if not isinstance(plan, Command) or isinstance(plan, ReadingCommand):
            return self._execute(plan, sql, request)
        return retry_conflicts(
            lambda: self._execute(plan, sql, request),
            lambda: self._execute(self._plan(sql, request.namespace) or plan, sql, request),
            lambda: find_read_once(sql, request.namespace, self._registered),
        )

    def _run_over_commands(self, sql: str, inner: list[tuple[Span, Span]], request: Request) -> Result:
        """A query over what commands answer, `FROM (SHOW VERSIONS ON docs)`: they run first, and are tables to it."""
        tables: dict[str, object] = {}
        parts: list[str | Span] = []
        at = 0
        for number, (whole, command) in enumerate(inner):
            text = sql[command.start : command.end]
            try:
                answer = self._run_statement(text, replace(request, parameters=None)).to_arrow()
            except LanceSQLError as error:
                raise error.locate(sql, command.start) from None
            name = f"__lancesql_answer_{number}"
            tables[name] = answer
            parts += [Span(at, whole.start), name]
            at = whole.end
        composition = compose(sql, [*parts, Span(at, len(sql))])
        namespace = request.namespace.extend(tables)
        try:
            return self._run_statement(composition.text, replace(request, namespace=namespace))
        except LanceSQLError as error:
            raise composition.place_error(error).locate(sql) from None

    def _plan(self, sql: str, namespace: Namespace) -> LogicalPlan | None:
        """The stages up to execution: parse, bind, optimize. None when the engine runs the text as it is."""
        own = (self._registered, self._settings, self._views, self._embeddings, self._rerankers)
        catalog = StatementCatalog(self._database, self._engine, namespace, *own)
        tokens = read_tokens(sql)

        def plan_text(text: str) -> QueryPlan:
            bound = bind_query(parse_statement(text), catalog)
            if bound is None:
                names = tuple(dict.fromkeys(use.name for use in parse_statement(text).parameters))
                return QueryPlan(sql=text, relation=text, parameters=names, used_parameters=names)
            return optimize(bound, catalog)

        syntax = read_command(sql, tokens)
        is_named = self._gate.names_lance(sql, self._views)
        is_plain = not (is_named or names_text_function(sql))
        is_copied = isinstance(syntax, CopySyntax) and syntax.format not in OWN_FORMATS
        if is_plain and (is_copied or isinstance(syntax, CreateViewSyntax)):
            return None
        if isinstance(syntax, ExplainSyntax):
            body = sql[syntax.body.start : syntax.body.end]
            try:
                inner = self._plan(body, namespace)
            except LanceSQLError as error:
                raise error.locate(sql, syntax.body.start) from None
            return explain_statement(syntax, inner)
        if syntax is not None:
            has_database = self._database.current.connection is not None
            context = CommandContext(sql, catalog, plan_text, has_database)
            command = bind_command(syntax, context)
            if command is not None or isinstance(syntax, CopyDatabaseSyntax):
                return command
        query = bind_text(sql, tokens, catalog, is_named=is_named)
        return None if query is None else optimize(query, catalog)

    def _execute(self, plan: LogicalPlan, sql: str, request: Request) -> Result:
        is_query = isinstance(plan, QueryPlan) and plan.returns_rows
        if request.explains and not is_query and not isinstance(plan, Explain):
            plan = Explain(plan)
        writes = isinstance(plan, Command) and not isinstance(plan, ReadingCommand)
        if writes:
            self._refuse_in_transaction(sql)
        query = plan.plan if isinstance(plan, Explain) else plan
        inner = query if isinstance(query, QueryPlan) else find_query(query) or QueryPlan(sql=sql, relation=sql)
        run = self._make_run(inner, check_parameters(inner, request.parameters), request, sql)
        if isinstance(plan, ChangeSetting):
            self._settings = replace(self._settings, **{plan.name: plan.value})  # type: ignore[arg-type]
        if not isinstance(plan, QueryPlan) or not plan.returns_rows:
            self._plans.clear()
        try:
            result = execute_plan(plan, run)
        except LanceSQLError as error:
            holds = isinstance(query, _HOLDING) or (isinstance(plan, Explain) and query is inner)
            if holds and sql.count(inner.sql) == 1:
                if isinstance(error, BindError) and error.span is None and error.sql is None:
                    error.span = Span(0, len(inner.sql))
                error.locate(sql, sql.find(inner.sql))
            raise
        if isinstance(plan, CreateView | DropView):
            self._views = change_views(self._views, plan)
        self.writes += writes
        return result

    def writes_lance(self, sql: str, namespace: Namespace) -> bool:
        """Whether one statement would write to the Lance database; it is planned, and not carried out."""
        self._check_open()
        plan = self._plan(sql, namespace) if self._gate.passes(sql, self._name_own()) else None
        return isinstance(plan, Command) and not isinstance(plan, ReadingCommand)

    def find_schema(self, sql: str) -> pa.Schema | None:
        """The columns of a query's answer, where the planner knows them; it does not run, and needs no values."""
        with self._turn.take():
            self._check_open()
            plan = self._plan(sql, Namespace(None))
            output = plan.output if isinstance(plan, QueryPlan) else None
            if output is None:
                return None
            return pa.schema([(one.name, one.type) for one in output if one is not None])

    def contents(self) -> Contents:
        """The databases, tables and views that statements can name."""
        self._check_open()
        return Contents(self._database, self._views)

    def in_transaction(self) -> bool:
        """Whether DuckDB is between BEGIN and COMMIT."""
        self._check_open()
        return self._engine.in_transaction()

    def _refuse_in_transaction(self, sql: str) -> None:
        """LanceDB commits each statement by itself: a ROLLBACK of DuckDB would not undo it."""
        if not self._settings.autocommit_in_transaction and self._engine.in_transaction():
            raise UnsupportedError(
                "a Lance table cannot be written within a transaction, which it could not be rolled back with",
                hint="COMMIT first, or SET lancesql.autocommit_in_transaction = true to write it at once all the same",
                span=Span(0, len(sql.split(maxsplit=1)[0])),
            )

    def _make_run(self, plan: QueryPlan, values: dict[str, object], request: Request, sql: str) -> Run:
        text = sql if plan.expansion is None else plan.sql
        return Run(
            database=self._database,
            engine=self._engine,
            plan=plan,
            values=values,
            namespace=settle_lazy_frames(text, request.namespace, self._database, self._turn),
            registered=self._registered_in(text),
            settings=replace(self._settings, **request.limits) if request.limits else self._settings,
            watches=request.watches,
            turn=self._turn,
            embeddings=self._embeddings,
            rerankers=self._rerankers,
            written=request.written,
        )

    def _run_plain(self, sql: str, request: Request) -> Result:
        try:
            run = self._make_run(QueryPlan(sql=sql, relation=sql), {}, request, sql)
            result, changes = execute_text(run, request.parameters, explains=request.explains)
        except BindError as error:
            if not isinstance(error, UnknownTableError):
                databases = [one.name for one in self._database.describe()]
                raise suggest_database(suggest_function(error, sql), databases) from None
            if not self._gate.has_new_names(sql):
                raise suggest_table(error, self._database, sql) from None
            return self._run_statement(sql, request)
        if changes:
            self._plans.clear()
            self._beside = None
        return result

    def _run_unread(self, sql: str, request: Request, error: ParseError) -> Result:
        """A query over tables alone that only DuckDB can read; when it is none, DuckDB's error of it or ours."""
        refuse_unreadable(sql, error, self._engine)
        tables = offer_unread_tables(read_tokens(sql), self._database, self._engine, self._views)
        if not tables:
            raise error
        run = self._make_run(QueryPlan(sql=sql, relation=sql), {}, request, sql)
        run = replace(run, registered={**run.registered, **tables})
        try:
            return execute_text(run, request.parameters, explains=request.explains)[0]
        except (ParseError, UnknownTableError):
            raise error from None

    def _name_own(self) -> set[str]:
        """The names of registered objects and views, in lower case."""
        return {name.lower() for name in self._registered} | self._views.keys()

    def _registered_in(self, sql: str) -> dict[str, object]:
        if not self._registered:
            return {}
        folded = sql.lower()
        named = {name: data for name, data in self._registered.items() if name.lower() in folded}
        return {**named, **read_lazy_frames(sql, named, self._turn)}
