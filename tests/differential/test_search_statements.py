"""A search inside every kind of statement: brute force's k rows put in its place give the same answer."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .checks import QUERY, Database, check_same_rows
from .conftest import DIFFERENTIAL, scaled
from .oracle import Failure, Oracle
from .predicates import Where, wheres
from .test_predicate_matrix import TABLES
from .test_statements import leave_plan

LINES = [
    line
    for line in Path(__file__).with_name("search_statements.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
PREDICATES = (
    "t.i32 > 0",
    "t.id % 3 <> 0",
    "(t.s LIKE '%a%' OR t.b)",
    "t.f64 >= 0 AND t.u8 IS NOT NULL",
    "t.id IN (SELECT oid FROM orders)",
)


def find_nearest(oracle: Oracle, where: str, parameters: dict[str, object], k: int) -> pa.Table | Failure:
    kept = oracle.find_ids(where, parameters)
    if isinstance(kept, Failure):
        return kept
    distances = oracle.measure("vec", QUERY, "l2")
    ids = sorted(kept, key=lambda row_id: (distances[row_id], row_id))[:k]
    answer = oracle.take(ids, _distance=pa.array([distances[row_id] for row_id in ids], pa.float32()))
    return answer.drop(["_rowid"])


def check_search(database: Database, line: str, table: str, where: Where, k: int) -> None:
    oracle = database.oracles[table]
    predicate = where.sql.replace("@t", table)
    answer = find_nearest(oracle, predicate, where.parameters, k)
    if isinstance(answer, Failure):
        return
    call = f"vector_search('{table}', 'vec', {list(QUERY)}, k => {k}, exact => true)"
    sql = line.replace("{t}", table).replace("{p}", predicate)
    ordered = "ORDER BY" in line.rsplit(")", 1)[-1]
    wanted = oracle.query(sql.replace("{s}", "answer_of_oracle"), where.parameters, answer_of_oracle=answer)
    got = database.query(sql.replace("{s}", call), where.parameters)
    problem = check_same_rows(got, wanted, ordered=ordered)
    assert problem is None, f"{problem}\n{sql.replace('{s}', call)}\n{where.parameters}"
    with patch("lancesql.session.optimize", leave_plan):
        plain = database.query(f"{sql.replace('{s}', call)} -- as bound", where.parameters)
    problem = check_same_rows(plain, wanted, ordered=ordered)
    assert problem is None, f"without the optimizer: {problem}\n{sql.replace('{s}', call)}\n{where.parameters}"


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_every_statement(database: Database, line: str) -> None:
    at = LINES.index(line)
    check_search(database, line, TABLES[at % len(TABLES)], Where(PREDICATES[at % len(PREDICATES)]), 2 + at % 9)


@settings(DIFFERENTIAL, max_examples=scaled(80))
@given(line=st.sampled_from(LINES), table=st.sampled_from(TABLES), where=wheres(1, strange=False), k=st.integers(1, 40))
def test_searches_under_any_predicate(database: Database, line: str, table: str, where: Where, k: int) -> None:
    if " OR " in where.sql:
        where = Where(f"({where.sql})", where.parameters, where.conjuncts)
    check_search(database, line, table, where, k)


NAMED = [line for line in LINES if "*" not in line.replace("count(*)", "")]
"""The statements that name every column they want: a search of searches has columns more."""


@pytest.mark.parametrize("line", NAMED, ids=range(len(NAMED)))
def test_a_search_of_searches_in_every_statement(database: Database, line: str) -> None:
    """The fusion of one search, and of it with itself, and that ordered anew, have the rows of the search."""
    at = NAMED.index(line)
    table, predicate, k = TABLES[at % len(TABLES)], PREDICATES[at % len(PREDICATES)], 2 + at % 9
    sql = line.replace("{t}", table).replace("{p}", predicate)
    leg = f"vector_search('{table}', 'vec', {list(QUERY)}, k => {k}, exact => true)"
    other = f"fts('{table}', 'txt', 'absentword')"
    calls = (
        f"rrf({leg}, k => {k})",
        f"rrf({leg}, {other}, k => {k})",
        f"rerank(rrf({leg}, {other}, k => {k}), 'rrf', k => {k})",
    )
    wanted = database.query(sql.replace("{s}", leg), {})
    assert not isinstance(wanted, Failure), wanted.message
    for call in calls:
        got = database.query(sql.replace("{s}", call), {})
        problem = check_same_rows(got, wanted, ordered="ORDER BY" in line.rsplit(")", 1)[-1])
        assert problem is None, f"{problem}\n{sql.replace('{s}', call)}"


BASES = (
    "(SELECT * FROM (SELECT * FROM {t}) AS t WHERE {p})",
    "(SELECT * FROM (SELECT * FROM {t} AS t WHERE {p}))",
    (
        "(SELECT u.* FROM (SELECT t.*, 1 AS one FROM {t} AS t) AS u JOIN (SELECT 1 AS one) AS o USING (one) "
        "WHERE u.id IN (SELECT t.id FROM {t} t WHERE {p}))"
    ),
    "kept",
    "(SELECT * FROM kept)",
    "(SELECT * FROM {t})",
    "(SELECT * FROM (SELECT *, id + 1 AS next FROM {t}) AS u WHERE u.next > u.id)",
)
"""What is searched in the place of the rows of {t} that meet {p}; `kept` is a common table expression. The last ones
leave the predicate to the block around the search."""


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("line", NAMED[::5], ids=range(len(NAMED[::5])))
def test_a_search_of_a_query_in_every_statement(database: Database, line: str, base: str) -> None:
    at = NAMED.index(line)
    table, predicate, k = TABLES[at % len(TABLES)], PREDICATES[at % len(PREDICATES)], 2 + at % 9
    kept = f"SELECT t.* FROM {table} AS t WHERE {predicate}"
    sql = line.replace("{t}", table)
    rest = f"{list(QUERY)}, k => {k}, exact => true)"
    leg = sql.replace("{s}", f"vector_search('{table}', 'vec', {rest}").replace("{p}", predicate)
    other = base.replace("{t}", table).replace("{p}", predicate)
    around = predicate if base in BASES[-2:] else "true"
    call = sql.replace("{s}", f"vector_search({other}, 'vec', {rest}").replace("{p}", around)
    with_kept = f"WITH kept AS ({kept})" + (f", {call[5:]}" if call.startswith("WITH ") else f" {call}")
    wanted = database.query(leg, {})
    assert not isinstance(wanted, Failure), wanted.message
    statement = with_kept if "kept" in base else call
    got = database.query(statement, {})
    problem = check_same_rows(got, wanted, ordered="ORDER BY" in line.rsplit(")", 1)[-1])
    assert problem is None, f"{problem}\n{statement}"
