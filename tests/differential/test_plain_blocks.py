"""Whatever stands in a block that one table answers: as many rows as DuckDB gives, or refused as DuckDB refuses it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import duckdb
import lance
import pyarrow as pa
import pytest

import lancesql

ROWS = pa.table({"id": range(50), "cat": ["abc"[number % 3] for number in range(50)]})
ANSWERED = [
    "TABLE docs LIMIT 2",
    "TABLE docs ORDER BY id DESC LIMIT 2",
    "TABLE docs LIMIT 2 OFFSET 49",
    "(TABLE docs) LIMIT 2",
    "TABLE docs UNION ALL TABLE docs",
    "TABLE docs UNION ALL (TABLE docs LIMIT 3)",
    "SELECT * FROM (TABLE docs LIMIT 1)",
    "WITH a AS (TABLE docs LIMIT 3) TABLE a",
    "FROM docs LIMIT 2",
    "SELECT id FROM docs FETCH FIRST 2 ROWS ONLY",
    "SELECT id FROM docs OFFSET 48 ROWS FETCH NEXT 5 ROWS ONLY",
    "SELECT id FROM docs LIMIT 10%",
    "SELECT id FROM docs LIMIT 10 PERCENT",
    "SELECT id FROM docs LIMIT ALL",
    "SELECT id FROM docs LIMIT NULL",
    "SELECT id FROM docs LIMIT 1 + 1",
    "SELECT id FROM docs LIMIT (SELECT 2)",
    "SELECT id FROM docs LIMIT 2.5",
    "SELECT id FROM docs LIMIT '3'",
    "SELECT id FROM docs OFFSET 48",
    "SELECT id FROM docs OFFSET 48 LIMIT 3",
    "SELECT ALL id FROM docs LIMIT 2",
    "SELECT id FROM docs USING SAMPLE 3",
    "SELECT id FROM docs TABLESAMPLE reservoir(3)",
    "SELECT x FROM docs AS t(x) LIMIT 2",
    "SELECT #1 FROM docs LIMIT 2",
    "SELECT id FROM docs WINDOW w AS () LIMIT 2",
    "SELECT id FROM docs ORDER BY ALL DESC LIMIT 2",
    "SELECT DISTINCT ON (cat) id, cat FROM docs ORDER BY cat, id",
]
REFUSED = [
    "SELECT TOP 2 id FROM docs",
    "SELECT id INTO other FROM docs",
    "SELECT id FROM docs FOR UPDATE",
    "SELECT id FROM docs HAVING id > 5",
    "SELECT id FROM docs QUALIFY true",
    "SELECT id FROM docs LIMIT -1",
    "SELECT id FROM docs, docs d2 LIMIT 2",
]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    folder = tmp_path_factory.mktemp("plain_blocks")
    lance.write_dataset(ROWS, str(folder / "docs.lance"))
    with lancesql.connect(folder) as db:
        yield db


@pytest.fixture(scope="module")
def oracle() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as oracle:
        oracle.register("docs", ROWS)
        yield oracle


@pytest.mark.parametrize("sql", ANSWERED)
def test_as_many_rows_as_duckdb_gives(db: lancesql.Connection, oracle: duckdb.DuckDBPyConnection, sql: str) -> None:
    found, wanted = db.sql(sql).fetchall(), oracle.sql(sql).fetchall()
    assert len(found) == len(wanted)
    if "ORDER BY" in sql:
        assert found == wanted
    if len(wanted[0]) == 2:
        every = Counter(zip(ROWS["id"].to_pylist(), ROWS["cat"].to_pylist(), strict=True))
        assert not Counter(found) - (every + every)


@pytest.mark.parametrize("sql", REFUSED)
def test_refused_where_duckdb_refuses(db: lancesql.Connection, oracle: duckdb.DuckDBPyConnection, sql: str) -> None:
    with pytest.raises(duckdb.Error):
        oracle.sql(sql).fetchall()
    with pytest.raises(lancesql.LanceSQLError):
        db.sql(sql).fetchall()


@pytest.mark.parametrize(
    "sql",
    [
        "PIVOT (SELECT id % 5 AS five, cat, id FROM DOCS) ON cat USING sum(id) GROUP BY five ORDER BY five LIMIT 3",
        "WITH p AS (PIVOT docs ON cat USING min(id) ORDER BY ALL) SELECT * FROM p, docs WHERE docs.id = 7 ORDER BY ALL",
        "UNPIVOT (SELECT id, id * 2 AS two FROM docs) ON id, two INTO NAME n VALUE v ORDER BY ALL",
    ],
)
def test_what_only_duckdb_can_read_is_answered_by_it(
    db: lancesql.Connection, oracle: duckdb.DuckDBPyConnection, sql: str
) -> None:
    assert db.sql(sql).fetchall() == oracle.sql(sql).fetchall()
    assert "Relation (DuckDB)" in db.explain(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "PIVOT docs ON cat USING count(*) ORDER BY",
        "PIVOT lance.docs ON cat USING count(*) ORDER",
        "PIVOT fts('docs', 'a') ON cat USING count(*) ORDER BY ALL LIMIT",
    ],
)
def test_what_neither_can_read_is_refused(db: lancesql.Connection, sql: str) -> None:
    with pytest.raises(lancesql.ParseError, match="syntax error"):
        db.sql(sql).fetchall()
