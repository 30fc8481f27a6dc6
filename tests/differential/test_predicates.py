"""Any predicate keeps the same rows in a scan, a count and an exact search as in DuckDB over the table in memory."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from .checks import Database, check_predicate
from .conftest import DIFFERENTIAL, scaled
from .predicates import Where, wheres
from .test_predicate_matrix import TABLES


@settings(DIFFERENTIAL, max_examples=scaled(90))
@given(where=wheres(), table=st.sampled_from(TABLES), k=st.integers(1, 7))
def test_nested_predicates(database: Database, where: Where, table: str, k: int) -> None:
    _check(database, where, table, k)


@settings(DIFFERENTIAL, max_examples=scaled(150))
@given(where=wheres(depth=0), table=st.sampled_from(TABLES), k=st.integers(1, 7))
def test_single_predicates(database: Database, where: Where, table: str, k: int) -> None:
    _check(database, where, table, k)


def _check(database: Database, where: Where, table: str, k: int) -> None:
    sql = where.sql.replace("@t", table)
    problems = check_predicate(database, table, sql, where.parameters, k=k, lenient=where.conjuncts > 1)
    assert not problems, "\n".join(problems)
