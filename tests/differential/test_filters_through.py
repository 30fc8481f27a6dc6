"""Filters through subqueries, common table expressions, joins and set operations: DuckDB in memory is right."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import duckdb
import lance
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql
from lancesql.catalog import Catalog
from lancesql.errors import LanceSQLError
from lancesql.optimizer import optimize
from lancesql.plan import QueryPlan

from .conftest import DIFFERENTIAL, NIGHTLY, scaled
from .rows import count_rows

# Every query has the columns p, q (whole numbers) and r (text); `w`, unique in its table, makes an order total.
LEFT = pa.table(
    {
        "w": pa.array([1, 2, 3, 4, 5, 6, 7, 8, 9], pa.int64()),
        "p": pa.array([1, 1, 2, None, 3, 2, None, 5, 1], pa.int32()),
        "q": pa.array([2, 2, None, 1, 3, 3, None, 1, 1], pa.int32()),
        "r": pa.array(["a", "a", "b", None, "", "ab", "b", None, None]),
    }
)
RIGHT = pa.table(
    {
        "w": pa.array([1, 2, 3, 4, 5, 6, 7], pa.int64()),
        "p": pa.array([2, 1, None, 3, 3, 7, 1], pa.int64()),
        "q": pa.array([1, None, 2, 2, 5, 1, 3], pa.int64()),
        "r": pa.array(["b", "a", None, "ab", "ab", "", None]),
    }
)
OWN = "CREATE TABLE own AS SELECT * FROM (VALUES (1, 2, 'a'), (3, NULL, 'b'), (NULL, 1, NULL)) v(p, q, r)"

NUMBERS = st.sampled_from(["p", "q"])
COMPARISONS = ("= 1", "> 1", "<= 2", "<> 2", "IS NULL", "IS NOT NULL", "IN (1, 3)", "IN (2, NULL)", "BETWEEN 1 AND 2")
TEXTS = ("= 'a'", "> 'a'", "IS NULL", "LIKE 'a%'", "IS DISTINCT FROM 'b'")
SELECTS = (
    "SELECT p, q, r FROM {t}",
    "SELECT * EXCLUDE (w) FROM {t}",
    "FROM {t} x SELECT x.q AS p, x.p AS q, r",
    "SELECT DISTINCT p, q, r FROM {t}",
    "SELECT DISTINCT ON (p) p, q, r FROM {t} ORDER BY p, q, r, w",
    "SELECT p, q, r FROM {t} ORDER BY w LIMIT 3",
    "SELECT p, max(q) AS q, r FROM {t} GROUP BY p, r",
    "SELECT p AS q, count(*)::INT AS p, max(r) AS r FROM {t} GROUP BY ALL",
    "SELECT p, count(*)::INT AS q, r FROM {t} GROUP BY ROLLUP (p, r)",
    "SELECT p, count(*) OVER (PARTITION BY p)::INT AS q, r FROM {t}",
    "SELECT p, q, r FROM {t} QUALIFY row_number() OVER (PARTITION BY r, p ORDER BY w) = 1",
    "SELECT p, q, r FROM {t} WHERE q > 1 OR r IS NULL",
    "SELECT p + 1 AS p, q, upper(r) AS r FROM {t}",
    "SELECT p, q, r FROM own",
    "SELECT a.p, b.q, a.r FROM t1 a JOIN t2 b ON a.p = b.p",
    "SELECT a.p, b.q, a.r FROM t1 a, t2 b WHERE a.p = b.p AND (b.p <= 2 OR a.p = 3) AND b.q > 0",
    "SELECT a.p, b.q, a.r FROM t1 a JOIN t2 b ON a.r = b.r AND b.r LIKE 'a%' LEFT JOIN own o ON o.p = a.p AND o.p = 1",
    "SELECT a.p, b.q, b.r FROM t1 a LEFT JOIN t2 b ON a.p = b.p",
    "SELECT a.p, b.q, b.r FROM t1 a FULL JOIN t2 b ON a.p = b.p",
    "SELECT p, a.q, b.r FROM t1 a JOIN t2 b USING (p)",
    "SELECT p, a.q, b.r FROM t1 a FULL JOIN t2 b USING (p)",
    "SELECT a.p, a.q, a.r FROM t1 a SEMI JOIN t2 b ON a.q = b.q",
    "SELECT a.p, b.q, b.r FROM own a ASOF JOIN t2 b ON a.p >= b.w",
)
WRAPS = (
    "SELECT p, q, r FROM ({one}) WHERE {where}",
    "SELECT d.q AS p, d.p AS q, r FROM ({one}) d WHERE {where}",
    "SELECT * FROM ({one}) d(q, p, r) WHERE {where}",
    "WITH c AS ({one}) SELECT p, q, r FROM c WHERE {where}",
    "WITH c(r, p, q) AS (SELECT r, p, q FROM ({one})) SELECT p, q, c.r FROM c WHERE {where}",
    "WITH c AS MATERIALIZED ({one}), e AS (SELECT * FROM c) SELECT p, q, r FROM e WHERE {where}",
    "WITH c AS ({one}) SELECT d.p, c.q, d.r FROM c JOIN c d ON c.p = d.p WHERE c.{number} > 1",
    "SELECT p, q, r FROM (({one}) UNION ALL ({two})) WHERE {where}",
    "SELECT p, q, r FROM (({one}) UNION ({two})) u(q, p, r) WHERE {where}",
    "SELECT p, q, r FROM (({one}) INTERSECT ({two})) WHERE {where}",
    "SELECT p, q, r FROM (({one}) EXCEPT ALL ({two})) WHERE {where}",
    "SELECT d.p, e.q, d.r FROM ({one}) d JOIN ({two}) e ON d.p = e.p WHERE d.{number} > 1 AND e.{number} < 4",
    "SELECT p, e.q, d.r FROM ({one}) d JOIN ({two}) e USING (p) WHERE p IN (1, 3) OR p > 4",
    "SELECT d.p, e.q, d.r FROM ({one}) d LEFT JOIN ({two}) e ON d.p = e.p WHERE d.p = 1 AND e.q IS NULL",
    "SELECT d.p, e.q, d.r FROM ({one}) d LEFT JOIN ({two}) e ON d.p = e.q AND d.q > 1 WHERE e.{number} IS NULL",
    "SELECT d.p, e.q, e.r FROM ({one}) d RIGHT JOIN ({two}) e ON d.p = e.q WHERE d.{number} = 2",
    "SELECT d.p, e.q, e.r FROM ({one}) d, LATERAL (SELECT * FROM ({two}) x WHERE x.p = d.q) e WHERE e.{number} < 3",
    "SELECT p, min(q) AS q, r FROM ({one}) WHERE {where} GROUP BY p, r HAVING count(*) > 0",
    "SELECT p, q, r FROM ({one}) d WHERE EXISTS (FROM ({two}) e SELECT 1 WHERE e.p = d.p AND e.{number} > 1)",
)
WHERES = ("p = 1 AND r > ''", "r IS NULL", "q = 1", "p IS NULL OR q > 1")
STARS = (
    "SELECT #2, #1 FROM t1 WHERE q > 1",
    "SELECT p FROM (SELECT * FROM t1 ORDER BY 3, 1 LIMIT 2)",
    "SELECT p FROM (SELECT * FROM t1 ORDER BY ALL LIMIT 2)",
    "SELECT q FROM (SELECT DISTINCT * EXCLUDE (w) FROM t1)",
    "SELECT q FROM (SELECT * EXCLUDE (w), count(*) AS n FROM t1 GROUP BY ALL)",
    "SELECT p_1, q FROM (SELECT * FROM t1 a JOIN t2 b ON a.w = b.w)",
    "SELECT p FROM (SELECT a.* FROM t1 a JOIN t2 b ON a.w = b.w)",
    "SELECT r_1 FROM (SELECT *, 1 AS r FROM t1)",
    "SELECT d FROM (SELECT * FROM t1) d WHERE w = 2",
    "SELECT count(d) FROM (SELECT * FROM t1) d",
    "SELECT list(d) FROM t1 d WHERE d.w = 2",
    "SELECT x.r FROM t1 d, LATERAL (SELECT d.*) x",
    "SELECT x FROM t1 d, LATERAL (SELECT d AS x)",
    "SELECT p FROM (SELECT * EXCLUDE (r) REPLACE (q + 1 AS q) FROM t1)",
    "SELECT p FROM (SELECT * RENAME (q AS p, p AS o) FROM t1)",
    "SELECT COLUMNS('^[pq]') FROM (SELECT * FROM t1)",
    "SELECT q FROM (SELECT * FROM t1) NATURAL JOIN t2",
    "SELECT p, x.q FROM (SELECT * FROM t1) x JOIN (SELECT * FROM t2) y USING (p)",
    "WITH a AS (SELECT * FROM t1), b AS (SELECT * FROM a WHERE q > 1) SELECT b.r, a.q FROM a JOIN b ON a.w = b.w",
    "WITH a(x, y, z, v) AS (SELECT * FROM t1) SELECT y FROM a WHERE v = 'a'",
    "SELECT y FROM (SELECT * FROM t1) d(x, y)",
    "SELECT a.p, b.r FROM t1 a JOIN t1 b ON a.w = b.w",
    "SELECT p FROM t1 a WHERE EXISTS (SELECT * FROM t2 b WHERE b.w = a.w AND a.r > '')",
    "SELECT p FROM t1 WHERE (SELECT max(t2.q) FROM t2 WHERE t2.r = t1.r) > 1",
    "SELECT (SELECT a.r) FROM (SELECT * FROM t1) a",
    "SELECT p FROM (SELECT * FROM (SELECT * FROM t1) UNION ALL SELECT * FROM t2)",
    "SELECT r.upper() FROM (SELECT * FROM t1)",
    "SELECT p FROM (FROM t1) WHERE r = 'a'",
    "SELECT a.w FROM t1 a POSITIONAL JOIN (SELECT * FROM t2) b WHERE b.r = 'a'",
    "PIVOT (SELECT * EXCLUDE (w) FROM t1) ON r USING sum(q)",
    "SELECT w FROM (UNPIVOT (SELECT * FROM t1) ON p, q) WHERE value = 2",
    "SELECT q, (SELECT count(*) FROM t2 WHERE t2.p = d.p) AS n FROM (SELECT * FROM t1) d",
    "SELECT sum(w) OVER (PARTITION BY r) FROM (SELECT * FROM t1)",
)


@st.composite
def conditions(draw: st.DrawFn) -> str:
    parts = draw(
        st.lists(
            st.one_of(
                st.builds("{} {}".format, NUMBERS, st.sampled_from(COMPARISONS)),
                st.builds("r {}".format, st.sampled_from(TEXTS)),
                st.sampled_from(["p + q > 3", "coalesce(p, 1) = 1", "length(r) > 0", "p = q", "(p = 1 OR r = 'b')"]),
            ),
            min_size=1,
            max_size=2,
        )
    )
    return draw(st.sampled_from([" AND ", " AND ", " OR "])).join(parts)


@st.composite
def queries(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(SELECTS)).format(t=draw(st.sampled_from(["t1", "t2"])))
    return draw(st.sampled_from(WRAPS)).format(
        one=draw(queries(depth - 1)),
        two=draw(queries(depth - 1)),
        where=draw(conditions()),
        number=draw(NUMBERS),
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[lancesql.Connection, duckdb.DuckDBPyConnection]]:
    folder = tmp_path_factory.mktemp("through")
    oracle = duckdb.connect()
    oracle.execute(OWN)
    for name, table in (("t1", LEFT), ("t2", RIGHT)):
        lance.write_dataset(table, folder / f"{name}.lance")
        oracle.register(name, table)
    with lancesql.connect(folder) as db:
        db.execute(OWN)
        yield db, oracle
    oracle.close()


def leave_plan(plan: QueryPlan, catalog: Catalog) -> QueryPlan:
    return optimize(plan, catalog, ())


def check(both: tuple[lancesql.Connection, duckdb.DuckDBPyConnection], sql: str) -> None:
    db, oracle = both
    wanted = oracle.sql(sql).to_arrow_table()
    try:
        got = db.sql(sql).to_arrow()
        with patch("lancesql.session.optimize", leave_plan):
            plain = db.sql(f"{sql} -- as bound").to_arrow()
    except LanceSQLError as error:
        raise AssertionError(f"{error}\n{sql}") from error
    assert count_rows(got) == count_rows(wanted), f"{sql}\n{db.explain(sql)}"
    assert count_rows(plain) == count_rows(wanted), f"without the optimizer: {sql}"


@pytest.mark.parametrize("wrap", WRAPS)
def test_every_shape(both: tuple[lancesql.Connection, duckdb.DuckDBPyConnection], wrap: str) -> None:
    at = WRAPS.index(wrap)
    step = 1 if NIGHTLY else 5
    for number in range(at % step, len(SELECTS), step):
        one = SELECTS[number].format(t=f"t{1 + number % 2}")
        two = SELECTS[(number * 7 + 3) % len(SELECTS)].format(t="t2")
        for where in WHERES:
            check(both, wrap.format(one=one, two=two, where=where, number="pq"[(number // step + at) % 2]))


@pytest.mark.parametrize("sql", STARS)
def test_stars(both: tuple[lancesql.Connection, duckdb.DuckDBPyConnection], sql: str) -> None:
    db, oracle = both
    try:
        oracle.sql(sql)
    except duckdb.Error:  # DuckDB 1 has no star without FROM
        with pytest.raises(LanceSQLError):
            db.sql(sql).to_arrow()
    else:
        check(both, sql)


def test_duckdb_knows_the_stars(both: tuple[lancesql.Connection, duckdb.DuckDBPyConnection]) -> None:
    assert sum(_is_known(both[1], sql) for sql in STARS) >= len(STARS) - 2


def _is_known(oracle: duckdb.DuckDBPyConnection, sql: str) -> bool:
    try:
        oracle.sql(sql)
    except duckdb.Error:
        return False
    return True


@settings(DIFFERENTIAL, max_examples=scaled(80))
@given(queries())
def test_any_shape(both: tuple[lancesql.Connection, duckdb.DuckDBPyConnection], sql: str) -> None:
    check(both, sql)
