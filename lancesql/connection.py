"""Connection: a statement goes through the stages, and comes back as a Result."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .binder import bind_query
from .binder.commands import CommandContext, bind_command
from .catalog import View
from .engines.duckdb import DuckDBEngine, Namespace, capture_namespace
from .engines.engine_errors import find_name_span
from .errors import (
    ArgumentError,
    BindError,
    ConnectionClosedError,
    LanceSQLError,
    ParameterError,
    UnknownTableError,
    UnsupportedError,
)
from .execution.catalog import StatementCatalog
from .execution.embeddings.registry import Embeddings
from .execution.execute import execute_plan, execute_text
from .execution.gate import Gate
from .execution.plan_cache import PlanCache
from .execution.results.result import Result
from .execution.retries import retry_conflicts
from .execution.run import Run, check_parameters
from .execution.suggestions import suggest_function, suggest_table
from .execution.views import change_views
from .execution.watch import Watch
from .optimizer import optimize
from .parser import parse_statement, read_tokens, split_statements
from .parser.commands import CreateViewSyntax, ExplainSyntax, read_command
from .plan import ChangeSetting, CreateView, DropView, Explain, LogicalPlan, QueryPlan
from .plan.commands import ChangingCommand, find_query
from .settings import Settings
from .storage.database import LanceDatabase

if TYPE_CHECKING:
    from typing import Self

    import duckdb
    import lancedb

__all__ = ["Connection"]

Parameters = Mapping[str, object] | Sequence[object] | None


@dataclass(frozen=True)
class _Request:
    """What is given beside the text of a statement."""

    parameters: Parameters
    namespace: Namespace
    limits: dict[str, Any] = field(default_factory=dict)


class Connection:
    """A LanceDB database and a DuckDB connection, asked in one SQL.

    Args:
        target: The database: a path, a URI, a lancedb connection, or None for tables named by their path alone.
        duckdb: The DuckDB connection that runs the relations; one of our own unless given. Its tables, views, attached
            databases, settings and transaction are what a statement sees; nothing is written to its catalog.
        storage_options: Credentials and settings of the object store.
        read_only: Refuse every write to the Lance database.

    Raises:
        StorageError: When the database cannot be opened.

    Example:
        >>> import lancesql
        >>> with lancesql.connect() as db:
        ...     db.sql("SELECT 40 + $n AS answer", {"n": 2}).fetchall()
        [(42,)]
    """

    def __init__(
        self,
        target: str | Path | lancedb.DBConnection | None = None,
        *,
        duckdb: duckdb.DuckDBPyConnection | None = None,
        storage_options: dict[str, str] | None = None,
        read_only: bool = False,
    ) -> None:
        self._database = LanceDatabase(target, storage_options, read_only=read_only)
        self._engine = DuckDBEngine(duckdb)
        self._registered: dict[str, object] = {}
        self._plans = PlanCache(self._database, self._engine)
        self._watches: weakref.WeakSet[Watch] = weakref.WeakSet()
        self._gate = Gate(self._database)
        self._settings = Settings()
        self._views: dict[str, View] = {}
        self._embeddings = Embeddings(self._database)
        self._closed = False

    def sql(
        self,
        sql: str,
        parameters: Parameters = None,
        *,
        timeout: float | None = None,
        max_rows: int | None = None,
    ) -> Result:
        """A statement's result. A query runs when its rows are asked for; any other statement runs at once.

        Args:
            sql: One statement, or several separated by semicolons; the result is the last one's.
            parameters: Values by name for `$name`, a list for `?` and `$1`. A vector is a list, a numpy array, an Arrow
                or a Polars array.
            timeout: Seconds after which this statement is stopped; the setting unless given.
            max_rows: A result of more rows is an error; the setting unless given.

        Raises:
            ParseError: The text cannot be read.
            BindError: A name, an argument or a parameter does not fit.
            UnsupportedError: The statement is understood and refused.
            ExecutionError: The statement could not be carried out.
        """
        return self.run(sql, parameters, capture_namespace(2), timeout=timeout, max_rows=max_rows)

    def execute(
        self,
        sql: str,
        parameters: Parameters = None,
        *,
        timeout: float | None = None,
        max_rows: int | None = None,
    ) -> Result:
        """Runs a statement at once and returns its result; the arguments are those of `sql`."""
        result = self.run(sql, parameters, capture_namespace(2), timeout=timeout, max_rows=max_rows)
        result.to_arrow()
        return result

    def explain(self, sql: str, parameters: Parameters = None, *, analyze: bool = False) -> str:
        """The plan that runs: each source, what it reads and how, and the relation given to DuckDB."""
        return self.run(sql, parameters, capture_namespace(2)).explain(analyze=analyze)

    def register(self, name: str, data: object) -> None:
        """Makes a pandas, Polars or Arrow object visible to SQL under a name. A lazy frame is read when it is used.

        Raises:
            ArgumentError: When the object has no rows to read, or the name is a Lance table's.
        """
        from .frames import frame_to_arrow
        from .storage.types import widen_object

        self._check_open()
        if self._database.find_table(name) is not None:
            raise ArgumentError(f"'{name}' is a Lance table", hint="register the object under another name")
        is_lazy = type(data).__name__ == "LazyFrame"
        self._registered[name] = data if is_lazy else widen_object(frame_to_arrow(data))
        self._plans.clear()

    def register_embedding(
        self,
        table: str,
        column: str,
        function: Any,
        *,
        query_function: Any = None,
        source: str | None = None,
        batch_size: int = 256,
    ) -> None:
        """Says what embeds texts for a vector column: in searches, in `embed()`, and on INSERT.

        It holds for this connection, and overrules the function that the table's metadata names.

        Args:
            table: The table's name; it need not exist yet.
            column: The vector column.
            function: Takes a list of texts and gives a vector for each; or an EmbeddingFunction of LanceDB.
            query_function: Embeds the texts that are searched for, when the model does so differently.
            source: The text column that INSERT embeds when it leaves out the vector.
            batch_size: The most texts the function is given at a time.

        Raises:
            BindError: When a name or an argument does not fit.

        Example:
            >>> import lancesql
            >>> with lancesql.connect() as db:
            ...     db.register_embedding("docs", "vector", lambda texts: [[len(text), 1.0] for text in texts])
            ...     db.unregister_embedding("docs", "vector")
        """
        self._check_open()
        options = {"query_function": query_function, "source": source, "batch_size": batch_size}
        self._embeddings.register(table, column, function, **options)
        self._plans.clear()

    def unregister_embedding(self, table: str, column: str) -> None:
        """Takes the embedding function of a column away; one of the table's metadata is then used again."""
        self._check_open()
        self._embeddings.unregister(table, column)
        self._plans.clear()

    def tables(self) -> list[str]:
        """The names of the Lance tables, sorted."""
        self._check_open()
        return sorted(self._database.table_names())

    def interrupt(self) -> None:
        """Stops the statements that run, from another thread: each raises a QueryInterruptedError where it was asked.

        A stream that is not at its end raises it when its next batch is asked for.
        """
        for watch in list(self._watches):
            watch.stop()

    def close(self) -> None:
        """Closes the connection; a DuckDB connection that was given stays open."""
        if not self._closed:
            self._closed = True
            self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ConnectionClosedError("the connection is closed", hint="open another with lancesql.connect()")

    @property
    def settings(self) -> Settings:
        """The settings of the session; `SET lancesql.name = value` changes them.

        Example:
            >>> import lancesql
            >>> with lancesql.connect() as db:
            ...     _ = db.sql("SET lancesql.recall = 0.99")
            ...     db.settings.recall
            0.99
        """
        return self._settings

    @property
    def closed(self) -> bool:
        """Whether the connection was closed."""
        return self._closed

    def run(
        self,
        sql: str,
        parameters: Parameters,
        namespace: Namespace,
        *,
        timeout: float | None = None,
        max_rows: int | None = None,
    ) -> Result:
        """As `sql`, with the variables of `namespace` visible by name."""
        self._check_open()
        limits = {"timeout": timeout, "max_rows": max_rows}
        request = _Request(parameters, namespace, {name: one for name, one in limits.items() if one is not None})
        try:
            cached = self._plans.find(sql, self._settings)
            if cached is not None:
                return self._execute(cached, sql, request)
            return self._run_text(sql, request)
        except LanceSQLError as error:
            if error.span is None and error.sql is None:
                error.span = find_name_span(sql, error)
            raise error.locate(sql) from None

    def _run_text(self, sql: str, request: _Request) -> Result:
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
                        error.span = find_name_span(text, error)
                    error.locate(sql, span.start)
                raise
            if span is not spans[-1]:
                result.to_arrow()
        return result if result is not None else self._run_plain(sql, request)

    def _run_statement(self, sql: str, request: _Request) -> Result:
        plan = self._plan(sql, request.namespace)
        if plan is None:
            return self._run_plain(sql, request)
        self._plans.keep(sql, plan, self._settings)
        if not isinstance(plan, ChangingCommand):
            return self._execute(plan, sql, request)
        return retry_conflicts(
            lambda: self._execute(plan, sql, request),
            lambda: self._execute(self._plan(sql, request.namespace) or plan, sql, request),
        )

    def _plan(self, sql: str, namespace: Namespace) -> LogicalPlan | None:
        """The stages up to execution: parse, bind, optimize. None when the engine runs the text as it is."""
        catalog = StatementCatalog(
            self._database, self._engine, namespace, self._registered, self._settings, self._views, self._embeddings
        )
        tokens = read_tokens(sql)

        def plan_text(text: str) -> QueryPlan:
            bound = bind_query(parse_statement(text), catalog)
            if bound is None:
                names = tuple(dict.fromkeys(use.name for use in parse_statement(text).parameters))
                return QueryPlan(sql=text, relation=text, parameters=names, used_parameters=names)
            return optimize(bound, catalog)

        syntax = read_command(sql, tokens)
        if isinstance(syntax, CreateViewSyntax) and not self._gate.names_lance(sql, self._views):
            return None
        if isinstance(syntax, ExplainSyntax):
            body = sql[syntax.body.start : syntax.body.end]
            try:
                inner = self._plan(body, namespace)
            except LanceSQLError as error:
                raise error.locate(sql, syntax.body.start) from None
            if syntax.recall and not isinstance(inner, QueryPlan):
                raise UnsupportedError("only a query with a search has a recall", hint="EXPLAIN (RECALL) SELECT …")
            return (
                None if inner is None or isinstance(inner, Explain) else Explain(inner, syntax.analyze, syntax.recall)
            )
        if syntax is not None:
            has_database = self._database.connection is not None
            context = CommandContext(sql, catalog, plan_text, self._database.read_only, has_database)
            command = bind_command(syntax, context)
            if command is not None:
                return command
        query = bind_query(parse_statement(sql, tokens), catalog) if self._gate.names_lance(sql, self._views) else None
        return None if query is None else optimize(query, catalog)

    def _execute(self, plan: LogicalPlan, sql: str, request: _Request) -> Result:
        query = plan.plan if isinstance(plan, Explain) else plan
        inner = query if isinstance(query, QueryPlan) else find_query(query) or QueryPlan(sql=sql, relation=sql)
        run = self._make_run(inner, check_parameters(inner, request.parameters), request, sql)
        if isinstance(plan, CreateView | DropView):
            self._views = change_views(self._views, plan)
        if isinstance(plan, ChangeSetting):
            self._settings = replace(self._settings, **{plan.name: plan.value})  # type: ignore[arg-type]
        if not isinstance(plan, QueryPlan) or not plan.returns_rows:
            self._plans.clear()
        return execute_plan(plan, run)

    def _make_run(self, plan: QueryPlan, values: dict[str, object], request: _Request, sql: str) -> Run:
        return Run(
            database=self._database,
            engine=self._engine,
            plan=plan,
            values=values,
            namespace=request.namespace,
            registered=self._registered_in(sql if plan.expansion is None else plan.sql),
            settings=replace(self._settings, **request.limits) if request.limits else self._settings,
            watches=self._watches,
            embeddings=self._embeddings,
        )

    def _run_plain(self, sql: str, request: _Request) -> Result:
        try:
            run = self._make_run(QueryPlan(sql=sql, relation=sql), {}, request, sql)
            result, changes = execute_text(run, request.parameters)
        except BindError as error:
            if not isinstance(error, UnknownTableError):
                raise suggest_function(error) from None
            if not self._gate.has_new_names(sql):
                raise suggest_table(error, sorted(self._database.table_names())) from None
            return self._run_statement(sql, request)
        if changes:
            self._plans.clear()
        return result

    def _name_own(self) -> set[str]:
        """The names of registered objects and views, in lower case."""
        return {name.lower() for name in self._registered} | self._views.keys()

    def _registered_in(self, sql: str) -> dict[str, object]:
        if not self._registered:
            return {}
        folded = sql.lower()
        named = {name: data for name, data in self._registered.items() if name.lower() in folded}
        for name, data in named.items():
            if type(data).__name__ == "LazyFrame":
                from .frames import frame_to_arrow
                from .storage.types import widen_object

                named[name] = widen_object(frame_to_arrow(data))
        return named
