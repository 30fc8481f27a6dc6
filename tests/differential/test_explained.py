"""What runs can be explained, stored as a view, and counted before it is written; what does not run cannot."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from .checks import QUERY, Database
from .oracle import Failure
from .test_search_statements import LINES as SEARCHES
from .test_search_statements import TABLES as SEARCHED
from .test_statements import LINES, PREDICATES, TABLES, joined

__all__ = ["joined"]

_ROWS = re.compile(r"touches +([\d,]+) rows to write")


def check_explained(database: Database, sql: str) -> None:
    answer = database.query(sql)
    if isinstance(answer, Failure) and answer.message.startswith("EngineError"):
        return  # of a value, which is known when it is read
    explained = database.query(f"EXPLAIN {sql}")
    assert isinstance(explained, Failure) == isinstance(answer, Failure), (sql, answer, explained)
    if isinstance(answer, Failure):
        return
    kept = database.query(f"CREATE OR REPLACE VIEW explained AS {sql}")
    if isinstance(kept, Failure):  # DuckDB's word on a view: two columns of one name, a pivot, …
        assert "UnknownColumnError" not in kept.message, (sql, kept.message)
    lines = database.query(f"EXPLAIN CREATE TABLE written AS {sql}")
    if isinstance(lines, pa.Table) and (found := _ROWS.search("\n".join(lines["plan"].to_pylist()))):
        assert int(found[1].replace(",", "")) == answer.num_rows, sql


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_every_statement(joined: Database, line: str) -> None:
    at = LINES.index(line)
    table, predicate = TABLES[at % len(TABLES)], PREDICATES[at % len(PREDICATES)]
    check_explained(joined, line.replace("{t}", table).replace("{p}", f"({predicate})"))


@pytest.mark.parametrize("line", SEARCHES, ids=range(len(SEARCHES)))
def test_every_search(database: Database, line: str) -> None:
    at = SEARCHES.index(line)
    table = SEARCHED[at % len(SEARCHED)]
    leg = f"vector_search('{table}', 'vec', {list(QUERY)}, k => {2 + at % 9}, exact => true)"
    for call in (leg, f"rrf({leg}, fts('{table}', 'txt', 'absentword'), k => 5)"):
        check_explained(database, line.replace("{t}", table).replace("{p}", "t.i32 > 0").replace("{s}", call))
