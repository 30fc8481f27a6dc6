"""The same text, run by lancesql over Lance and by DuckDB over memory, with the optimizer and without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import duckdb
import lance
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql
from lancesql.catalog import Catalog
from lancesql.optimizer import optimize
from lancesql.plan.query import QueryPlan

from .checks import Database, check_same_rows
from .conftest import DIFFERENTIAL, SETUP, scaled
from .oracle import Failure, Oracle
from .predicates import Where, wheres
from .tables import write_state

LINES = [
    line
    for line in Path(__file__).with_name("statements.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
TABLES = ("btree_appended", "bitmap_updated", "none_fresh")
PREDICATES = (
    "t.i32 > 0",
    "t.s <> 'a' OR t.b IS NULL",
    "length(t.s) > 1 AND t.f64 >= 0",
    "list_contains(t.tags, 'x')",
    "t.i8 IS NULL",
)


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The tables beside DuckDB's own, one oracle that holds them all."""
    root = tmp_path_factory.mktemp("statements")
    for seed, name in enumerate(TABLES):
        write_state(root / f"{name}.lance", *name.split("_"), seed + 50, rows=60)
    first, *others = [Oracle(lance.dataset(root / f"{name}.lance"), name, SETUP) for name in TABLES]
    for oracle in (first, *others):
        first.connection.register(oracle.name, oracle.table.drop(["_rowid"]))
    own = duckdb.connect()
    for statement in SETUP:
        own.execute(statement)
    with lancesql.connect(root, duckdb=own) as connection:
        yield Database(connection, {"all": first})
    own.close()
    for oracle in (first, *others):
        oracle.close()


def leave_plan(plan: QueryPlan, catalog: Catalog) -> QueryPlan:
    return optimize(plan, catalog, ())


def check_statement(database: Database, sql: str, parameters: dict[str, object]) -> None:
    wanted = database.oracles["all"].query(sql.replace("lance.", ""), parameters)
    ordered = "ORDER BY" in sql.rsplit(")", 1)[-1]
    got = database.query(sql, parameters)
    if isinstance(wanted, Failure) and "Conversion" in wanted.message and not isinstance(got, Failure):
        return  # a row that fails in DuckDB need not be looked at
    problem = check_same_rows(got, wanted, ordered=ordered)
    assert problem is None, f"{problem}\n{sql}\n{parameters}"
    with patch("lancesql.session.optimize", leave_plan):
        plain = database.query(f"{sql} -- as bound", parameters)
    problem = check_same_rows(plain, wanted, ordered=ordered)
    assert problem is None, f"without the optimizer: {problem}\n{sql}\n{parameters}"


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_every_statement(joined: Database, line: str) -> None:
    at = LINES.index(line)
    table, predicate = TABLES[at % len(TABLES)], PREDICATES[at % len(PREDICATES)]
    check_statement(joined, line.replace("{t}", table).replace("{p}", f"({predicate})"), {})


@settings(DIFFERENTIAL, max_examples=scaled(80))
@given(
    line=st.sampled_from([line for line in LINES if "{p}" in line]),
    table=st.sampled_from(TABLES),
    where=wheres(1, strange=False),
)
def test_statements_under_any_predicate(joined: Database, line: str, table: str, where: Where) -> None:
    predicate = where.sql.replace("@t", table)
    parts = predicate if where.conjuncts == 1 else f"({predicate})" if "OR" in predicate else predicate
    check_statement(joined, line.replace("{t}", table).replace("{p}", parts), where.parameters)
