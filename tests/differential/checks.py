"""One predicate, asked of lancesql in every way that must agree, against brute force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

import lancesql
from lancesql.errors import LanceSQLError

from .oracle import Failure, Oracle, check_nearest
from .rows import count_rows, read_rows

QUERY = (1.0, 0.0, -1.0, 2.0)
ALL = 10_000
WAYS = ("scan", "count", "top k", "top all")


class Database:
    """A lancesql connection and the oracles of its tables."""

    def __init__(self, connection: lancesql.Connection, oracles: Mapping[str, Oracle]) -> None:
        self.connection = connection
        self.oracles = dict(oracles)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table | Failure:
        """What lancesql answers; any error that is not its own comes through."""
        try:
            return self.connection.sql(sql, parameters or None).to_arrow()
        except LanceSQLError as error:
            return Failure(f"{type(error).__name__}: {error.message}")


def check_predicate(
    database: Database,
    table: str,
    where: str,
    parameters: Mapping[str, Any],
    *,
    k: int = 3,
    lenient: bool = False,
    ways: Sequence[str] = WAYS,
) -> list[str]:
    """What is wrong with the answers under a predicate: a scan, a count, and exact searches for few and for all rows.

    Args:
        database: Where to ask.
        table: The table; it is called `t` in the predicate.
        where: The predicate.
        parameters: The values of its parameters.
        k: How many rows the small search wants.
        lenient: Several conjuncts: which of them fails first is nobody's business, so that an error of the oracle
            excuses anything. So does an error where no row is left: one of them may be false for every row.
        ways: Which of `WAYS` to ask.
    """
    oracle = database.oracles[table]
    wanted = oracle.find_ids(where, parameters)

    def search(k: int) -> str:
        call = f"vector_search('{table}', 'vec', {list(QUERY)}, k => {k}, exact => true)"
        return f"SELECT _rowid, _distance FROM {call} t WHERE {where}"

    asked = {
        "scan": f"SELECT _rowid FROM {table} t WHERE {where}",
        "count": f"SELECT count(*) AS n FROM {table} t WHERE {where}",
        "top k": search(k),
        "top all": search(ALL),
    }
    problems = []
    for name in ways:
        sql = asked[name]
        got = database.query(sql, parameters)
        problem = _compare(got, wanted, oracle, {"top k": k, "top all": ALL}.get(name), count=name == "count")
        if problem and not (lenient and (isinstance(wanted, Failure) or (isinstance(got, Failure) and not wanted))):
            problems.append(f"{name}: {problem}\n  {sql}\n  {parameters}")
    return problems


def _compare(
    got: pa.Table | Failure, wanted: list[int] | Failure, oracle: Oracle, k: int | None, *, count: bool
) -> str | None:
    if isinstance(wanted, Failure):
        return None if isinstance(got, Failure) else f"{got.num_rows} rows where DuckDB says {wanted.message}"
    if isinstance(got, Failure):
        return f"{got.message} where DuckDB finds {len(wanted)} rows"
    if count:
        (number,) = got.column(0).to_pylist()
        return None if number == len(wanted) else f"{number} instead of {len(wanted)}"
    if k is None:
        found = Counter(got.column(0).to_pylist())
        return None if found == Counter(wanted) else describe_difference(found, Counter(wanted))
    distances = oracle.measure("vec", QUERY, "l2")
    kept = {row_id: distances[row_id] for row_id in wanted}
    return check_nearest(read_rows(got), kept, k, tolerance=0)


def check_same_rows(got: pa.Table | Failure, wanted: pa.Table | Failure, *, ordered: bool = False) -> str | None:
    """What differs between two answers."""
    if isinstance(wanted, Failure):
        return None if isinstance(got, Failure) else f"{got.num_rows} rows where DuckDB says {wanted.message}"
    if isinstance(got, Failure):
        return f"{got.message} where DuckDB finds {wanted.num_rows} rows"
    if got.column_names != wanted.column_names:
        return f"columns {got.column_names} instead of {wanted.column_names}"
    if ordered:
        left, right = read_rows(got), read_rows(wanted)
        return None if left == right else f"{left}\n instead of\n{right}"
    found, expected = count_rows(got), count_rows(wanted)
    return None if found == expected else describe_difference(found, expected)


def describe_difference(found: Counter[Any], wanted: Counter[Any]) -> str:
    """A few of the rows too many and too few."""
    more, fewer = list((found - wanted).elements()), list((wanted - found).elements())
    return f"{len(more)} too many {more[:5]}, {len(fewer)} too few {fewer[:5]}, of {wanted.total()}"
