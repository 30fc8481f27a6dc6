# ruff: noqa: E501, ISC004  # the texts are SQL
"""Joins and aggregates like those of TPC-H, over Lance tables: as a statement, and over streams opened by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import lance
import pyarrow as pa

import lancesql

from .cases import Bar, Case, Work

_SCALE = 0.1
_RATIO = Bar(ratio=1.1)

TABLES = {
    "nation": (
        25,
        "i::INTEGER AS n_nationkey, 'nation ' || i AS n_name, (i % 5)::INTEGER AS n_regionkey",
    ),
    "supplier": (
        10_000,
        "i::BIGINT AS s_suppkey, 'Supplier ' || i AS s_name, (hash(i, 1) % 25)::INTEGER AS s_nationkey",
    ),
    "customer": (
        150_000,
        "i::BIGINT AS c_custkey, 'Customer ' || i AS c_name, (hash(i, 2) % 25)::INTEGER AS c_nationkey, "
        "['BUILDING', 'MACHINERY', 'AUTOMOBILE', 'FURNITURE', 'HOUSEHOLD'][1 + (hash(i, 3) % 5)::INTEGER] AS c_mktsegment, "
        "(hash(i, 4) % 1000000 / 100)::DECIMAL(15, 2) AS c_acctbal, repeat('careful words ', 5) || i AS c_comment",
    ),
    "part": (
        200_000,
        "i::BIGINT AS p_partkey, 'part ' || i AS p_name, 'Brand#' || (11 + hash(i, 5) % 45) AS p_brand, "
        "['PROMO', 'STANDARD', 'SMALL', 'ECONOMY'][1 + (hash(i, 6) % 4)::INTEGER] || ' BRUSHED' AS p_type, "
        "(1 + hash(i, 7) % 50)::INTEGER AS p_size, "
        "['SM CASE', 'MED BOX', 'LG PKG', 'JUMBO BAG'][1 + (hash(i, 8) % 4)::INTEGER] AS p_container",
    ),
    "orders": (
        1_500_000,
        "i::BIGINT AS o_orderkey, (hash(i, 9) % {customer})::BIGINT AS o_custkey, "
        "(DATE '1992-01-01' + (hash(i, 10) % 2400)::INTEGER) AS o_orderdate, "
        "(1 + hash(i, 11) % 5)::VARCHAR || '-PRIORITY' AS o_orderpriority, 0::INTEGER AS o_shippriority, "
        "repeat('final deposits ', 3) || i AS o_comment",
    ),
    "lineitem": (
        6_000_000,
        "(i // 4)::BIGINT AS l_orderkey, (hash(i, 12) % {part})::BIGINT AS l_partkey, "
        "(hash(i, 13) % {supplier})::BIGINT AS l_suppkey, (1 + hash(i, 14) % 50)::DECIMAL(15, 2) AS l_quantity, "
        "(hash(i, 15) % 10000000 / 100)::DECIMAL(15, 2) AS l_extendedprice, "
        "(hash(i, 16) % 11 / 100)::DECIMAL(15, 2) AS l_discount, (hash(i, 17) % 9 / 100)::DECIMAL(15, 2) AS l_tax, "
        "['A', 'N', 'R'][1 + (hash(i, 18) % 3)::INTEGER] AS l_returnflag, ['F', 'O'][1 + (hash(i, 19) % 2)::INTEGER] AS l_linestatus, "
        "(DATE '1992-01-02' + (hash(i, 20) % 2500)::INTEGER) AS l_shipdate, "
        "(DATE '1992-01-30' + (hash(i, 21) % 2500)::INTEGER) AS l_commitdate, "
        "(DATE '1992-01-03' + (hash(i, 22) % 2520)::INTEGER) AS l_receiptdate, "
        "['AIR', 'REG AIR', 'MAIL', 'SHIP', 'RAIL', 'TRUCK', 'FOB'][1 + (hash(i, 23) % 7)::INTEGER] AS l_shipmode, "
        "['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'][1 + (hash(i, 24) % 4)::INTEGER] AS l_shipinstruct, "
        "'quick requests ' || i AS l_comment",
    ),
}
"""Table → its rows at scale 1, and its columns."""


@dataclass(frozen=True)
class Query:
    """A statement, and how somebody who knows both engines would run it.

    Attributes:
        scans: Each table's columns and filter, as a scan by hand is given them.
        pushed: What the filters say already, to be left out of the statement.
    """

    name: str
    sql: str
    scans: Mapping[str, tuple[str, str | None]]
    pushed: tuple[str, ...] = ()


REVENUE = "sum(l_extendedprice * (1 - l_discount))"
QUERIES = (
    Query(
        "Q1: scan + aggregate",
        "SELECT l_returnflag, l_linestatus, sum(l_quantity) AS quantity, sum(l_extendedprice) AS price, "
        f"{REVENUE} AS discounted, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS charge, count(*) AS n "
        "FROM lineitem WHERE l_shipdate <= DATE '1998-09-02' GROUP BY ALL ORDER BY ALL",
        {
            "lineitem": (
                "l_returnflag l_linestatus l_quantity l_extendedprice l_discount l_tax",
                "l_shipdate <= DATE '1998-09-02'",
            )
        },
        ("WHERE l_shipdate <= DATE '1998-09-02' ",),
    ),
    Query(
        "Q3: three tables, top 10",
        f"SELECT l_orderkey, {REVENUE} AS revenue, o_orderdate, o_shippriority FROM customer, orders, lineitem "
        "WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey "
        "AND o_orderdate < DATE '1995-03-15' AND l_shipdate > DATE '1995-03-15' "
        "GROUP BY ALL ORDER BY revenue DESC, o_orderdate, l_orderkey LIMIT 10",
        {
            "customer": ("c_custkey", "c_mktsegment = 'BUILDING'"),
            "orders": ("o_orderkey o_custkey o_orderdate o_shippriority", "o_orderdate < DATE '1995-03-15'"),
            "lineitem": ("l_orderkey l_extendedprice l_discount", "l_shipdate > DATE '1995-03-15'"),
        },
        (
            "c_mktsegment = 'BUILDING' AND ",
            "AND o_orderdate < DATE '1995-03-15' ",
            "AND l_shipdate > DATE '1995-03-15' ",
        ),
    ),
    Query(
        "Q5: five tables",
        f"SELECT n_name, {REVENUE} AS revenue FROM customer, orders, lineitem, supplier, nation "
        "WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey "
        "AND c_nationkey = s_nationkey AND s_nationkey = n_nationkey AND n_regionkey = 2 "
        "AND o_orderdate >= DATE '1994-01-01' AND o_orderdate < DATE '1995-01-01' GROUP BY ALL ORDER BY revenue DESC",
        {
            "customer": ("c_custkey c_nationkey", None),
            "orders": (
                "o_orderkey o_custkey",
                "o_orderdate >= DATE '1994-01-01' AND o_orderdate < DATE '1995-01-01'",
            ),
            "lineitem": ("l_orderkey l_suppkey l_extendedprice l_discount", None),
            "supplier": ("s_suppkey s_nationkey", None),
            "nation": ("n_nationkey n_name", "n_regionkey = 2"),
        },
        ("AND n_regionkey = 2 ", "AND o_orderdate >= DATE '1994-01-01' AND o_orderdate < DATE '1995-01-01' "),
    ),
    Query(
        "Q6: selective scan",
        "SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem WHERE l_shipdate >= DATE '1994-01-01' "
        "AND l_shipdate < DATE '1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24",
        {
            "lineitem": (
                "l_extendedprice l_discount",
                "l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01' "
                "AND l_discount >= CAST('0.05' AS DECIMAL(15, 2)) AND l_discount <= CAST('0.07' AS DECIMAL(15, 2)) "
                "AND l_quantity < CAST('24' AS DECIMAL(15, 2))",
            )
        },
        (
            "WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24",
        ),
    ),
    Query(
        "Q10: four tables, wide rows",
        f"SELECT c_custkey, c_name, {REVENUE} AS revenue, c_acctbal, n_name, c_comment "
        "FROM customer, orders, lineitem, nation WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey "
        "AND o_orderdate >= DATE '1993-10-01' AND o_orderdate < DATE '1994-01-01' AND l_returnflag = 'R' "
        "AND c_nationkey = n_nationkey GROUP BY ALL ORDER BY revenue DESC, c_custkey LIMIT 20",
        {
            "customer": ("c_custkey c_name c_nationkey c_acctbal c_comment", None),
            "orders": (
                "o_orderkey o_custkey",
                "o_orderdate >= DATE '1993-10-01' AND o_orderdate < DATE '1994-01-01'",
            ),
            "lineitem": ("l_orderkey l_extendedprice l_discount", "l_returnflag = 'R'"),
            "nation": ("n_nationkey n_name", None),
        },
        ("AND o_orderdate >= DATE '1993-10-01' AND o_orderdate < DATE '1994-01-01' ", "AND l_returnflag = 'R' "),
    ),
    Query(
        "Q12: two tables",
        "SELECT l_shipmode, count(*) FILTER (WHERE o_orderpriority IN ('1-PRIORITY', '2-PRIORITY')) AS high, "
        "count(*) AS n FROM orders, lineitem WHERE o_orderkey = l_orderkey AND l_shipmode IN ('MAIL', 'SHIP') "
        "AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate AND l_receiptdate >= DATE '1994-01-01' "
        "AND l_receiptdate < DATE '1995-01-01' GROUP BY ALL ORDER BY ALL",
        {
            "orders": ("o_orderkey o_orderpriority", None),
            "lineitem": (
                "l_orderkey l_shipmode l_commitdate l_receiptdate l_shipdate",
                "l_shipmode IN ('MAIL', 'SHIP') AND l_receiptdate >= DATE '1994-01-01' "
                "AND l_receiptdate < DATE '1995-01-01'",
            ),
        },
        (
            "AND l_shipmode IN ('MAIL', 'SHIP') ",
            "AND l_receiptdate >= DATE '1994-01-01' AND l_receiptdate < DATE '1995-01-01' ",
        ),
    ),
    Query(
        "Q14: a month of lines",
        f"SELECT sum(l_extendedprice * (1 - l_discount)) FILTER (WHERE p_type LIKE 'PROMO%') AS promo, {REVENUE} AS revenue "
        "FROM lineitem, part WHERE l_partkey = p_partkey AND l_shipdate >= DATE '1995-09-01' "
        "AND l_shipdate < DATE '1995-10-01'",
        {
            "lineitem": (
                "l_partkey l_extendedprice l_discount",
                "l_shipdate >= DATE '1995-09-01' AND l_shipdate < DATE '1995-10-01'",
            ),
            "part": ("p_partkey p_type", None),
        },
        ("AND l_shipdate >= DATE '1995-09-01' AND l_shipdate < DATE '1995-10-01'",),
    ),
    Query(
        "Q19: an OR over two tables",
        f"SELECT {REVENUE} AS revenue FROM lineitem, part WHERE p_partkey = l_partkey "
        "AND l_shipmode IN ('AIR', 'REG AIR') AND l_shipinstruct = 'DELIVER IN PERSON' AND p_size >= 1 "
        "AND ((p_brand = 'Brand#12' AND p_container = 'SM CASE' AND l_quantity BETWEEN 1 AND 11 AND p_size <= 5) "
        "OR (p_brand = 'Brand#23' AND p_container = 'MED BOX' AND l_quantity BETWEEN 10 AND 20 AND p_size <= 10) "
        "OR (p_brand = 'Brand#34' AND p_container = 'LG PKG' AND l_quantity BETWEEN 20 AND 30 AND p_size <= 15))",
        {
            "lineitem": (
                "l_partkey l_quantity l_extendedprice l_discount",
                "l_shipmode IN ('AIR', 'REG AIR') AND l_shipinstruct = 'DELIVER IN PERSON'",
            ),
            "part": ("p_partkey p_brand p_container p_size", "p_size >= 1"),
        },
        ("AND l_shipmode IN ('AIR', 'REG AIR') ", "AND l_shipinstruct = 'DELIVER IN PERSON' ", "AND p_size >= 1 "),
    ),
)


def make_tpch_cases(folder: Path) -> tuple[lancesql.Connection, list[Case]]:
    """The tables, written when they are not there yet, and the cases over them."""
    db = lancesql.connect(folder)
    missing = [name for name in TABLES if name not in db.tables()]
    for name in missing:
        rows, columns = TABLES[name]
        counts = {table: _count(table) for table in TABLES}
        db.execute(f"CREATE TABLE {name} AS SELECT {columns.format(**counts)} FROM range({_count(name)}) r(i)")
        assert rows
    connection = duckdb.connect()
    return db, [Case(one.name, _ask(db, one), _by_hand(connection, folder, one), _RATIO) for one in QUERIES]


def _count(table: str) -> int:
    rows = TABLES[table][0]
    return rows if rows < 1_000 else int(rows * _SCALE)


def _ask(db: lancesql.Connection, query: Query) -> Work:
    return lambda _: db.sql(query.sql).to_arrow()


def _by_hand(connection: duckdb.DuckDBPyConnection, folder: Path, query: Query) -> Work:
    datasets = {name: lance.dataset(str(folder / f"{name}.lance")) for name in query.scans}
    run = compile("connection.sql(sql).to_arrow_table()", "<by hand>", "eval")
    sql = query.sql
    for text in query.pushed:
        assert sql.count(text) == 1, text
        sql = sql.replace(text, "")

    def read(_: Any) -> pa.Table:
        streams = {
            name: datasets[name].scanner(columns=columns.split(), filter=predicate).to_reader()
            for name, (columns, predicate) in query.scans.items()
        }
        answer: pa.Table = eval(run, {"connection": connection, "sql": sql, **streams})
        return answer

    return read
