# ruff: noqa: E501  # one statement a line
"""Small sides read first: however their keys narrow a scan or a search, the rows are those of DuckDB over memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import duckdb
import lance
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql

from .checks import ALL, QUERY, Database, check_same_rows
from .conftest import DIFFERENTIAL, SETUP, scaled
from .oracle import Failure, Oracle
from .tables import BY_NAME, write_state
from .test_statements import leave_plan

TABLES = ("btree_appended", "bitmap_updated", "none_fresh")
WAYS = ("listed", "matched", "as it costs")
COLUMNS = ("i8", "i32", "i64", "u8", "u64", "f32", "f64", "b", "s", "ls", "d", "ts_us", "ts_s", "utc", "dec", "dict")
KEYS = (
    "SELECT k.{c} FROM {o} k WHERE k.id % 7 = 0",
    "SELECT k.{c} FROM {o} k WHERE k.id < 0",
    "SELECT {c} FROM {o} ORDER BY id LIMIT 5",
    "SELECT k.{c} FROM {o} k UNION ALL SELECT NULL",
    "SELECT max(k.{c}) FROM {o} k",
    "SELECT CAST(k.{c} AS VARCHAR) FROM {o} k",
    "SELECT oid FROM orders",
    "SELECT amount::HUGEINT FROM orders",
    "SELECT name FROM tags_of",
    "SELECT 1.5 UNION ALL SELECT 1",
)
STATEMENTS = (
    "SELECT t.id, t.s FROM {t} t WHERE t.{c} IN ({k})",
    "SELECT count(*), sum(t.id) FROM {t} t WHERE t.{c} IN ({k}) AND t.id % 3 = 1",
    "SELECT t.id FROM {t} t WHERE t.{c} NOT IN ({k})",
    "SELECT t.id, o.note FROM {t} t LEFT JOIN orders o ON o.oid = t.id WHERE t.{c} IN ({k})",
    "SELECT t.id FROM {t} t WHERE t.{c} IN ({k}) AND t.id IN (SELECT oid FROM orders)",
    "WITH few AS ({k}) SELECT t.id FROM {t} t WHERE t.{c} IN (SELECT * FROM few)",
)
JOINS = (
    "SELECT t.id, o.id AS two FROM {t} t JOIN {o} o ON t.{c} = o.{d} WHERE o.id % 5 = 1",
    "SELECT t.id, o.id AS two FROM {t} t, {o} o WHERE o.id < 9 AND t.{c} = o.{d} AND t.id > 4",
    "SELECT o.oid, t.id FROM orders o LEFT JOIN {t} t ON t.{c} = o.oid",
    "SELECT o.oid, t.id FROM orders o LEFT JOIN {t} t ON t.{c} = o.oid AND t.id > 7 WHERE o.amount > 10",
    "SELECT o.oid, t.id FROM {t} t LEFT JOIN orders o ON t.{c} = o.oid AND o.amount > 30",
    "SELECT o.oid, t.id FROM {t} t RIGHT JOIN orders o ON t.{c} = o.oid WHERE o.oid IS NOT NULL",
    "SELECT o.oid, t.id FROM {t} t FULL JOIN orders o ON t.{c} = o.oid",
    "SELECT t.id FROM {t} t SEMI JOIN {o} o ON t.{c} = o.{d} AND o.id > 20",
    "SELECT t.id FROM {t} t ANTI JOIN {o} o ON t.{c} = o.{d}",
    "SELECT id, o.b FROM {t} JOIN (SELECT id, b FROM {o} WHERE id % 4 = 0) o USING (id)",
    "SELECT t.id, v.k FROM {t} t JOIN (VALUES (1, 'a'), (3, 'abc'), (NULL, NULL)) v(k, name) ON t.{c} = v.k OR t.s = v.name",
    "SELECT t.id, v.k FROM {t} t JOIN (VALUES (1, 'a'), (3, 'abc'), (NULL, NULL)) v(k, name) ON t.{c} = v.k",
    "WITH few AS (SELECT {d} AS k, count(*) AS n FROM {o} GROUP BY ALL) SELECT t.id, n FROM {t} t JOIN few ON t.{c} = few.k",
    "SELECT a.id, b.id AS two FROM {t} a JOIN {t} b ON a.{c} = b.{c} WHERE b.id < 9",
    "SELECT t.id, o.id AS two, r.oid FROM {t} t JOIN {o} o ON t.{c} = o.{c} LEFT JOIN orders r ON r.oid = o.id WHERE r.amount > 5",
    "SELECT t.id, r.oid FROM orders r LEFT JOIN ({t} t JOIN {o} o ON t.id = o.id) ON t.{c} = r.oid",
    "SELECT r.oid, t.id FROM orders r ASOF JOIN {t} t ON r.oid >= t.id WHERE t.{c} = r.amount",
    "SELECT count(*), max(o.{d}) FROM {t} t JOIN {o} o ON t.{c} = o.{d} AND t.id = o.id",
    "SELECT t.id FROM {t} t WHERE EXISTS (SELECT 1 FROM {o} o WHERE o.{d} = t.{c} AND o.id > 9) AND t.id > 2",
    "SELECT t.id FROM {t} t WHERE EXISTS (FROM orders r JOIN {o} o ON o.id = r.oid WHERE t.{c} = r.oid AND r.amount < 40)",
    "SELECT t.id FROM {t} t LEFT JOIN orders r ON r.oid = t.id WHERE EXISTS (SELECT 1 FROM {o} o WHERE o.{d} = t.{c})",
    "SELECT t.id FROM {t} t WHERE EXISTS (SELECT count(*) FROM {o} o WHERE o.{d} = t.{c})",
    "SELECT t.id FROM {t} t WHERE NOT EXISTS (SELECT 1 FROM {o} o WHERE o.{d} = t.{c})",
    "SELECT t.id FROM {t} t JOIN vector_search('{o}', 'vec', [1, 0, -1, 2], k => 6, exact => true) o ON t.{c} = o.{d}",
)


@contextmanager
def forced(way: str) -> Iterator[None]:
    """The keys of every small side are listed, or looked up row by row, whatever that costs."""
    if way == "as it costs":
        yield
        return
    listing = 0.0 if way == "listed" else float("inf")
    with ExitStack() as stack:
        for module in ("scans", "key_filters"):
            stack.enter_context(patch(f"lancesql.execution.filters.{module}.cost_listing", lambda *_: listing))
        for name, value in (("_SMALL", 1e-6), ("cost_full_scan", lambda *_: 1e18)):
            stack.enter_context(patch(f"lancesql.execution.filters.scans.{name}", value))
        yield


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    root = tmp_path_factory.mktemp("semi_joins")
    for seed, name in enumerate(TABLES):
        write_state(root / f"{name}.lance", *name.split("_"), seed + 80, rows=60)
    first, *others = [Oracle(lance.dataset(root / f"{name}.lance"), name, SETUP) for name in TABLES]
    for oracle in (first, *others):
        first.connection.register(oracle.name, oracle.table.drop(["_rowid"]))
    own = duckdb.connect()
    for statement in SETUP:
        own.execute(statement)
    with lancesql.connect(root, duckdb=own) as connection:
        yield Database(connection, {"all": first, **{oracle.name: oracle for oracle in (first, *others)}})
    own.close()
    for oracle in (first, *others):
        oracle.close()


def answer_search(database: Database, sql: str) -> pa.Table | Failure:
    """DuckDB's answer with the six nearest rows, by brute force, where the search stands."""
    call = re.search(r"vector_search\('(\w+)'[^)]*\)", sql)
    assert call is not None
    oracle = database.oracles[call[1]]
    distances = oracle.measure("vec", QUERY, "l2")
    nearest = sorted(distances, key=lambda row_id: (distances[row_id], row_id))[:6]
    return database.oracles["all"].query(sql.replace(call[0], "nearest"), nearest=oracle.take(nearest))


def check_statement(database: Database, sql: str, way: str) -> None:
    wanted = answer_search(database, sql) if "vector_search" in sql else database.oracles["all"].query(sql)
    with forced(way):
        got = database.query(f"{sql} -- {way}")
    if isinstance(wanted, Failure) and "Conversion" in wanted.message and not isinstance(got, Failure):
        return  # a row that fails in DuckDB need not be looked at
    problem = check_same_rows(got, wanted)
    assert problem is None, f"{way}: {problem}\n{sql}"
    with patch("lancesql.session.optimize", leave_plan):
        problem = check_same_rows(database.query(f"{sql} -- as bound"), wanted)
    assert problem is None, f"without the optimizer: {problem}\n{sql}"


@settings(DIFFERENTIAL, max_examples=scaled(150))
@given(
    line=st.sampled_from(STATEMENTS),
    keys=st.sampled_from(KEYS),
    column=st.sampled_from(COLUMNS),
    table=st.sampled_from(TABLES),
    other=st.sampled_from(TABLES),
    way=st.sampled_from(WAYS),
)
def test_in_a_subquery(joined: Database, line: str, keys: str, column: str, table: str, other: str, way: str) -> None:
    query = keys.format(c=column, o=other)
    check_statement(joined, line.format(t=table, c=column, k=query), way)


@settings(DIFFERENTIAL, max_examples=scaled(200))
@given(
    line=st.sampled_from(JOINS),
    column=st.sampled_from(("id", *COLUMNS)),
    same=st.booleans(),
    key=st.sampled_from(("id", *COLUMNS)),
    table=st.sampled_from(TABLES),
    other=st.sampled_from(TABLES),
    way=st.sampled_from(WAYS),
)
def test_joins(
    joined: Database, line: str, column: str, same: bool, key: str, table: str, other: str, way: str
) -> None:
    check_statement(joined, line.format(t=table, c=column, d=column if same else key, o=other), way)


@settings(DIFFERENTIAL, max_examples=scaled(60))
@given(
    keys=st.sampled_from(KEYS),
    column=st.sampled_from(COLUMNS),
    table=st.sampled_from(TABLES),
    way=st.sampled_from(WAYS),
    k=st.sampled_from((1, 4, ALL)),
)
def test_the_filter_of_a_search(joined: Database, keys: str, column: str, table: str, way: str, k: int) -> None:
    where = f"t.{column} IN ({keys.format(c=column, o='none_fresh')}) AND t.id > 3"
    oracle = joined.oracles[table]
    answer = joined.oracles["all"].query(f"SELECT id FROM {table} t WHERE {where}")
    call = f"vector_search('{table}', 'vec', {list(QUERY)}, k => {k}, exact => true)"
    with forced(way):
        got = joined.query(f"SELECT id FROM {call} t WHERE {where} -- {way}")
    if isinstance(answer, Failure):
        assert isinstance(got, Failure) or "Conversion" in answer.message
        return
    place = dict(zip(oracle.table.column("id").to_pylist(), oracle.table.column("_rowid").to_pylist(), strict=True))
    distances = oracle.measure("vec", QUERY, "l2")
    kept = [(distances[place[one]], place[one], one) for one in answer.column(0).to_pylist() if place[one] in distances]
    assert not isinstance(got, Failure), got
    assert got.column(0).to_pylist() == [one for _, _, one in sorted(kept)[:k]]


@pytest.mark.parametrize("column", ["id", "s", "d", "ts_us", "i8"])
def test_each_way_is_taken(joined: Database, column: str) -> None:
    """What the other tests force is what runs."""
    assert column == "id" or column in BY_NAME
    sql = f"SELECT id FROM btree_appended WHERE {column} IN (SELECT {column} FROM none_fresh WHERE id < 9)"
    for way, said in (("listed", f"pushed as IN on {column}"), ("matched", "pushed as row ids: ")):
        with forced(way):
            assert said in joined.connection.explain(sql)
    assert "not pushed: reading every row costs little" in joined.connection.explain(sql)
