"""Rules change how a statement is answered, never what it answers."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

import lancesql
from lancesql.binder import bind_query
from lancesql.engines.namespace import Namespace
from lancesql.errors import LanceSQLError
from lancesql.execution.catalog import StatementCatalog
from lancesql.execution.query import read_plan_table
from lancesql.execution.run import Run
from lancesql.optimizer import RULES, Rule, optimize
from lancesql.parser import parse_statement
from lancesql.plan import QueryPlan
from lancesql.plan.display import display_plan
from tests.fixture_files import list_files, read_cases
from tests.library import open_library


@pytest.fixture(scope="module")
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as db:
        yield db


UNORDERED = (
    "JOIN",
    "UNION",
    "EXCEPT",
    "GROUP",
    "DISTINCT",
    "PIVOT",
    "EXISTS",
    "OVER",
    "RECURSIVE",
    "LATERAL",
    "movies a",
)


def read_statements(*paths: Path) -> list[str]:
    """The queries of fixture files that need no parameters and answer the same each time."""
    texts = {case.text for path in paths for case in read_cases(path)}
    writes = ("CREATE", "INSERT", "COPY", "DELETE", "UPDATE")
    return sorted(
        t for t in texts if not t.startswith(writes) and not any(w in t for w in ("$", "?", "random()", "SAMPLE"))
    )


STATEMENTS = read_statements(*list_files("binder"), *list_files("optimizer"))


def answer(db: lancesql.Connection, plan: QueryPlan) -> pa.Table | str:
    run = Run(database=db._database, engine=db._engine, plan=plan, values={}, namespace=Namespace(None))
    try:
        return read_plan_table(run)
    except LanceSQLError as error:
        return type(error).__name__


def bind(db: lancesql.Connection, sql: str) -> tuple[QueryPlan | None, StatementCatalog]:
    catalog = StatementCatalog(db._database, db._engine, Namespace(None), db._registered)
    try:
        return bind_query(parse_statement(sql), catalog), catalog
    except LanceSQLError:
        return None, catalog


def rows(table: pa.Table | str, *, ordered: bool) -> object:
    if isinstance(table, str):
        return table
    found = [repr(row) for row in table.to_pylist()]
    return found if ordered else sorted(found)


def test_there_are_statements_to_run() -> None:
    assert len(STATEMENTS) > 100


@pytest.mark.parametrize("sql", STATEMENTS)
def test_no_rule_and_every_rule_answer_the_same(db: lancesql.Connection, sql: str) -> None:
    plan, catalog = bind(db, sql)
    if plan is None:
        return
    compare(db, sql, plan, catalog, RULES)


@pytest.mark.parametrize("path", list_files("optimizer"), ids=lambda path: path.stem)
def test_one_rule_alone_answers_the_same(db: lancesql.Connection, path: Path) -> None:
    (rule,) = (rule for rule in RULES if rule.__name__ == path.stem)
    for sql in read_statements(path):
        plan, catalog = bind(db, sql)
        assert plan is not None
        compare(db, sql, plan, catalog, (rule,))


def strip_parentheses(sql: str) -> str:
    """The text outside all parentheses: an ORDER BY within orders no answer."""
    while (stripped := re.sub(r"\([^()]*\)", "", sql)) != sql:
        sql = stripped
    return sql


def compare(
    db: lancesql.Connection, sql: str, plan: QueryPlan, catalog: StatementCatalog, rules: tuple[Rule, ...]
) -> None:
    shown = display_plan(plan)
    optimized = optimize(plan, catalog, rules)
    assert display_plan(plan) == shown, "a rule changed its input"
    assert display_plan(optimize(optimized, catalog, rules)) == display_plan(optimized), "twice is more than once"
    plain, found = answer(db, plan), answer(db, optimized)
    ordered = "ORDER BY" in strip_parentheses(sql) or not any(word in sql for word in UNORDERED)
    if "LIMIT" in sql and not ordered:
        assert isinstance(found, str) == isinstance(plain, str), sql
        return
    assert rows(found, ordered=ordered) == rows(plain, ordered=ordered), sql
    if not isinstance(found, str) and not isinstance(plain, str):
        assert found.schema.names == plain.schema.names, sql
        assert found.schema.types == plain.schema.types, sql


def test_a_rule_that_changes_the_answer_is_caught(db: lancesql.Connection) -> None:
    plan, catalog = bind(db, "SELECT id FROM movies")
    assert plan is not None

    def drop_the_relation(plan: QueryPlan, catalog: object) -> QueryPlan:
        return replace(plan, relation="SELECT 1")

    with pytest.raises(AssertionError, match="drop_the_relation"):
        optimize(plan, catalog, (drop_the_relation,))


def test_the_order_of_the_rules_is_one_of_the_orders_that_agree(db: lancesql.Connection) -> None:
    sql = "SELECT id FROM vector_search('movies', [1,0,0,0], k => 3) WHERE year > 1980 AND upper(title) > 'B' LIMIT 2"
    plan, catalog = bind(db, sql)
    assert plan is not None
    wanted = rows(answer(db, plan), ordered=True)
    shuffle = random.Random(7)
    for order in (shuffle.sample(RULES, len(RULES)) for _ in range(60)):
        assert rows(answer(db, optimize(plan, catalog, tuple(order))), ordered=True) == wanted
