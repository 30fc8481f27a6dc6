"""What Lance has answered is not asked again: blocks that DuckDB runs keep the rows of brute force, call by call."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .checks import Database
from .conftest import DIFFERENTIAL, scaled
from .oracle import Failure
from .predicates import Where, wheres
from .test_predicate_matrix import TABLES

OTHER = "(SELECT _rowid AS other FROM {table}) b"
BLOCKS = (
    "SELECT count(*) + 0 AS n, sum(t._rowid) AS ids FROM {table} t WHERE {where}",
    f"SELECT b.other FROM {{table}} t JOIN {OTHER} ON b.other = t._rowid + 1 WHERE {{where}} ORDER BY 1",
    f"SELECT b.other FROM {OTHER} LEFT JOIN {{table}} t ON b.other = t._rowid + 1 WHERE {{where}} ORDER BY 1",
    f"SELECT b.other FROM {{table}} t JOIN {OTHER} ON b.other = t._rowid + 1 AND {{where}} ORDER BY ALL",
    "WITH w AS (SELECT t._rowid AS r FROM {table} t WHERE {where}) SELECT x.r FROM w x, w y WHERE x.r = y.r ORDER BY 1",
)
VALUES = (3, "3", "x", 300, -1, 2.5, float("nan"), True, None, 2**70, [3])


@settings(DIFFERENTIAL, max_examples=scaled(80))
@given(where=wheres(depth=1), table=st.sampled_from(TABLES), block=st.sampled_from(BLOCKS))
def test_blocks(database: Database, where: Where, table: str, block: str) -> None:
    compare(database, table, block, where.sql, where.parameters, lenient=where.conjuncts > 1)


@pytest.mark.parametrize("column", ["i8", "i32", "u64", "f64", "s", "b", "d", "dec"])
@pytest.mark.parametrize("predicate", ["{} >= $v", "{} IN ($v, 1)", "NOT ({} = $v)", "{} < $v AND {} IS NOT NULL"])
def test_a_plan_is_kept_and_its_values_change(database: Database, column: str, predicate: str) -> None:
    table = TABLES[0]
    for value in VALUES:
        where = predicate.replace("{}", column)
        compare(database, table, BLOCKS[0], where, {"v": value}, lenient="AND" in predicate)


def compare(
    database: Database, table: str, block: str, where: str, parameters: dict[str, Any], *, lenient: bool
) -> None:
    oracle, held = database.oracles[table], f"held_{table}"
    # A table of its own: DuckDB 1 has Arrow compare what is not, and a NaN is greater than no number there.
    oracle.connection.execute(f"CREATE TABLE IF NOT EXISTS {held} AS FROM {table}")
    sql, naive = (block.format(table=name, where=where.replace("@t", name)) for name in (table, held))
    wanted, got = oracle.query(naive, parameters), database.query(sql, parameters)
    if isinstance(wanted, Failure) or isinstance(got, Failure):
        both = isinstance(wanted, Failure) and isinstance(got, Failure)
        assert both or lenient, f"{sql}\n{parameters}\n{wanted}\n{got}"
    else:
        assert got.to_pylist() == wanted.to_pylist(), f"{sql}\n{parameters}"
