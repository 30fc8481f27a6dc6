"""Stages of the planner, one at a time."""

from __future__ import annotations

import re

import lancesql
from lancesql.binder import bind_query
from lancesql.engines.namespace import Namespace
from lancesql.errors import LanceSQLError
from lancesql.execution.catalog import StatementCatalog
from lancesql.optimizer import Rule, optimize
from lancesql.parser import parse_statement
from lancesql.plan.display import display_plan


def render_plan(db: lancesql.Connection, sql: str, rules: tuple[Rule, ...] = ()) -> str:
    """The plan of a statement after the binder and these rules, or the error."""
    catalog = StatementCatalog(db._database, db._engine, Namespace(None), db._registered)
    try:
        plan = bind_query(parse_statement(sql), catalog)
    except LanceSQLError as error:
        return f"{type(error).__name__}: {error.locate(sql)}"
    if plan is None:
        return "DuckDB runs the text as it is"
    undecided = re.compile(r" → DuckDB: $", re.MULTILINE)  # no rule has asked Lance yet
    return undecided.sub("", display_plan(optimize(plan, catalog, rules)))
