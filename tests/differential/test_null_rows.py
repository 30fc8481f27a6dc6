"""Predicates on the side of an outer join that may be NULL: a filter where no row of NULLs meets them, else none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlglot

from lancesql.binder.filters.null_rows import rejects_null

from .written_out import QUERY, Both, open_both, write_out

PREDICATES = (
    "m.b", "NOT m.b", "m.b IS TRUE", "m.b IS FALSE", "m.b IS NOT TRUE", "m.b IS NOT FALSE", "NOT (m.b IS TRUE)",
    "m.b IS NULL", "m.b IS NOT NULL", "(m.b IS NULL) = true", "(m.b IS NULL) = false",
    "NOT (m.a IS NULL)", "NOT (m.a + 1 IS NULL)", "m.a = m.a", "m.a IS DISTINCT FROM 3", "m.a IS NOT DISTINCT FROM 3",
    "m.a IS NOT DISTINCT FROM m.id", "m.a IS NOT DISTINCT FROM NULL", "5 BETWEEN m.a AND 3", "5 NOT BETWEEN m.a AND 3",
    "NOT (5 BETWEEN m.a AND 3)", "m.a NOT BETWEEN 1 AND 2", "m.a IN (1, m.id)", "1 IN (m.a, m.id)", "m.s NOT IN ('x')",
    "m.s NOT IN ('x', NULL)", "m.a IN (SELECT p FROM own)", "m.a NOT IN (SELECT p FROM own WHERE p > 100)",
    "m.a = ANY([1, 2])", "m.a <> ALL([1, 2])", "m.a <> ALL([]::INT[])", "coalesce(m.a, 3) = 3",
    "coalesce(m.a, m.id) = 3", "CASE WHEN m.a > 1 THEN true END", "CASE WHEN m.a IS NULL THEN true END",
    "CASE m.a WHEN 1 THEN true WHEN 2 THEN false END", "CASE m.a WHEN 1 THEN false ELSE true END",
    "CASE WHEN m.a > 1 THEN false ELSE m.b END", "m.a > 1 OR m.b", "NOT (m.a > 1 AND m.b)", "m.s || 'q' = 'xq'",
    "m.s LIKE '%x%'", "m.s ~ 'x'", "m.s SIMILAR TO 'x.*'", "regexp_matches(m.s, 'x')", "upper(m.s) = 'X'",
    "m.a & 1 = 1", "m.a ^ 2 > 3", "m.a // 2 = 1", "-m.a < -1", "m.a + 1 > 2", "m.a + m.id > 20", "m.st.k = 1",
    "m.st.k IS NOT NULL", "m.st IS NOT NULL", "m.tags[1] = 'a'", "m.tags && ['a']", "m.tags @> ['a']", "'a' IN m.tags",
    "'a' NOT IN m.tags", "list_contains(m.tags, 'a')", "m.tags + ['a'] = ['a']", "m.tags || ['a'] = ['a']",
    "list_concat(m.tags, ['a']) = ['a']", "len(list_filter(m.tags, lambda e: e = 'a')) = 0", "m.d + 1 > '2020-01-03'",
    "extract(day FROM m.d) > 3", "date_trunc('month', m.d) = '2020-01-01'", "(m.a, m.b) = (1, true)",
    "concat(m.s, 'x') = 'x'", "ifnull(m.s, 'x') = 'x'", "array_distance(m.v, [0, 0, 0]::FLOAT[3]) > 2", "true",
)  # fmt: skip
JOINS = ("own LEFT JOIN {m} m ON m.a = own.p", "{m} m RIGHT JOIN own ON m.a = own.p", "own FULL JOIN {m} m ON m.a = p")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    both = open_both(tmp_path_factory.mktemp("null_rows"))
    with both.lance:
        yield both


def is_met_by_nulls(both: Both, predicate: str) -> bool:
    nulls = "own LEFT JOIN (FROM t WHERE false) m ON true"
    ((met,),) = both.plain.sql(f"SELECT bool_or(({predicate}) IS TRUE) FROM {nulls}").fetchall()
    return bool(met)


@pytest.mark.parametrize("predicate", PREDICATES)
def test_a_search_that_may_be_null(both: Both, predicate: str) -> None:
    """A conjunct that a row of NULLs meets applies to the joined rows alone; any other chooses among the search's."""
    where = "true" if is_met_by_nulls(both, predicate) else predicate
    for join in JOINS:
        block = f"SELECT own.p, m.id FROM {join} WHERE {predicate}"
        search = f"vector_search('t', {QUERY}, k => 5)"
        both.check(block.format(m=search), block.format(m=write_out("t", 5, where)))


@pytest.mark.parametrize("predicate", PREDICATES)
def test_a_scan_that_may_be_null(both: Both, predicate: str) -> None:
    for join in JOINS:
        for table in ("t", "(SELECT * FROM t)"):
            sql = f"SELECT own.p, m.id FROM {join.format(m=table)} WHERE {predicate}"
            both.check(sql, sql)


@pytest.mark.parametrize("predicate", PREDICATES)
def test_what_is_said_to_reject_nulls_does(both: Both, predicate: str) -> None:
    if rejects_null(sqlglot.parse_one(predicate, dialect="duckdb")):
        assert not is_met_by_nulls(both, predicate)


def test_values_that_are_not_known_before_the_call(both: Both) -> None:
    """A parameter may be what makes a row of NULLs meet the predicate: then the predicate is no filter."""
    for predicate, value in (("coalesce(m.s, $x) = 'x'", "x"), ("m.a IS NOT DISTINCT FROM $x", None)):
        block = f"SELECT own.p, m.id FROM own LEFT JOIN {{m}} m ON m.a = own.p WHERE {predicate}"
        search = f"vector_search('t', {QUERY}, k => 5)"
        both.check(block.format(m=search), block.format(m=write_out("t", 5)), {"x": value})
