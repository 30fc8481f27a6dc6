"""EXPLAIN of a statement with a query in it: mistakes are those of running it, rows are counted, nothing is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import lancesql
from lancesql import BindError, LanceSQLError, ParseError, UnknownColumnError

HEADS = [
    "INSERT INTO u ",
    "CREATE TABLE made AS ",
    "CREATE OR REPLACE TABLE u AS ",
    "CREATE VIEW seen AS ",
]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE t AS SELECT i AS id, 'w' || i AS text, [i, 1]::FLOAT[2] AS v FROM range(30) r(i)")
        db.execute("CREATE TABLE u AS SELECT * FROM t WHERE id < 10")
        yield db


def look(db: lancesql.Connection, folder: Path) -> list[object]:
    versions = db.sql("SELECT max(version) FROM (SHOW VERSIONS ON u)").fetchall()
    return [db.sql("SHOW TABLES").fetchall(), versions, sorted(one.name for one in folder.iterdir())]


@pytest.mark.parametrize("head", [*HEADS, "COPY ({}) TO '{}/x.csv'", "COPY ({}) TO '{}/x.lance'"])
@pytest.mark.parametrize(
    ("query", "marked", "hint"),
    [
        ("SELECT idd, text, v FROM t", "idd", "did you mean 'id'?"),
        ("SELECT id, text, v FROM t WHERE txt = 'a'", "txt", "did you mean 'text'?"),
        ("SELECT id, text, v FROM vector_search('t', [1, 2]) s WHERE s.idd > 3", "idd", "did you mean 'id'?"),
        ("SELECT id, text, v FROM vector_search('t', [1, 2]) ORDER BY _distanc", "_distanc", "'_distance'"),
        ("SELECT x.id, text, v FROM t", "x", ""),
        ("SELECT id, text, v FROM t WHERE nope(id)", "nope", ""),
        ("SELECT id, text, v FROM t JOIN (SELECT idd FROM t) s USING (id)", "idd", "did you mean 'id'?"),
    ],
)
def test_an_unknown_name_is_an_error(
    db: lancesql.Connection, tmp_path: Path, head: str, query: str, marked: str, hint: str
) -> None:
    before = look(db, tmp_path)
    statement = head.format(query, tmp_path) if "{}" in head else head + query
    for sql in (f"EXPLAIN {statement}", f"EXPLAIN (FORMAT json) {statement}", statement):
        with pytest.raises(BindError) as caught:
            db.execute(sql)
        error = caught.value
        assert error.sql == sql
        assert error.span is not None
        assert sql[error.span.start : error.span.end] == marked
        assert hint in str(error.hint or "")
    assert look(db, tmp_path) == before
    with pytest.raises(LanceSQLError):
        db.sql("FROM seen").fetchall()


def test_explain_of_a_query_names_what_does_not_exist(db: lancesql.Connection) -> None:
    for query, marked, at in (
        ("SELECT idd + 1 FROM t", "idd", 7),
        ("SELECT idd FROM t", "idd", 7),
        ("SELECT id FROM t WHERE nope(id)", "nope", 23),
        ("SELECT id,, text FROM t", ",", 10),
    ):
        for sql, ask in ((f"EXPLAIN {query}", db.sql), (query, db.explain)):
            with pytest.raises(BindError if marked != "," else ParseError) as caught:
                ask(sql)
            span = caught.value.span
            assert span is not None
            assert (span.start, sql[span.start : span.end]) == (at + len(sql) - len(query), marked)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("INSERT INTO u SELECT id FROM t", "table 'u' has 3 columns, and the query gives 1"),
        ("INSERT INTO u VALUES (1, 'a')", "table 'u' has 3 columns, and the query gives 2"),
        ("INSERT INTO u (id, text) SELECT id FROM t", "2 columns are named, and the query gives 1"),
        ("INSERT INTO u BY NAME SELECT id, text AS txt FROM t", "table 'u' has no column 'txt'"),
        ("INSERT INTO u (id, txt) SELECT id, text FROM t", "table 'u' has no column 'txt'"),
        ("COPY u FROM 'nowhere.csv'", "nowhere.csv"),
        ("CREATE VIEW seen (a, b, c, d) AS SELECT * FROM t", ""),
        ("MERGE INTO u USING t ON u.id = t.idd WHEN MATCHED THEN DELETE", "idd"),
    ],
)
def test_columns_that_do_not_fit_are_an_error(db: lancesql.Connection, tmp_path: Path, body: str, message: str) -> None:
    before = look(db, tmp_path)
    for sql in (f"EXPLAIN {body}", body):
        with pytest.raises(LanceSQLError) as caught:
            db.execute(sql)
        assert message in str(caught.value)
    assert look(db, tmp_path) == before


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM t",
        "SELECT * FROM t WHERE id > 3 LIMIT 5",
        "SELECT id, text, v FROM t WHERE id % 7 = 2 AND text LIKE 'w1%'",
        "SELECT a.id, a.text, a.v FROM t a JOIN t b ON a.id < b.id WHERE b.id > 20 -- and more",
        "VALUES (1, 'a', [1, 2]), (2, 'b', [1, 2])",
        "WITH few AS (SELECT * FROM t LIMIT 3) SELECT * FROM few",
        "SELECT * FROM t WHERE id = $id",
    ],
)
def test_rows_are_counted_as_they_would_be_written(db: lancesql.Connection, tmp_path: Path, query: str) -> None:
    values = {"id": 7} if "$id" in query else None
    before = look(db, tmp_path)
    for head in ("INSERT INTO u ", "CREATE TABLE made AS "):
        lines = [line for (line,) in db.sql(f"EXPLAIN {head}{query}", values).fetchall()]
        assert look(db, tmp_path) == before
        ((count,),) = db.execute(head + query, values).fetchall()
        assert f"  touches    {count:,} rows to write" in lines
        db.execute("DROP TABLE IF EXISTS made")
        db.execute("RESTORE TABLE u TO VERSION 1")
        before = look(db, tmp_path)


def test_what_cannot_be_counted_is_not(db: lancesql.Connection, tmp_path: Path) -> None:
    before = look(db, tmp_path)
    rows = db.sql("FROM t").to_arrow()
    stream = rows.to_reader()
    for query in ("SELECT id, text, v FROM vector_search('t', [1, 2], k => 3)", "SELECT * FROM stream"):
        lines = [line for (line,) in db.sql(f"EXPLAIN INSERT INTO u {query}").fetchall()]
        assert not [line for line in lines if "touches" in line]
    assert stream.read_all() == rows
    db.execute("CREATE TEMP SEQUENCE numbers")
    db.execute("EXPLAIN INSERT INTO u SELECT nextval('numbers'), text, v FROM t")
    assert db.sql("SELECT nextval('numbers')").fetchall() == [(1,)]
    assert db.sql("EXPLAIN CREATE TABLE IF NOT EXISTS u AS SELECT 1 AS id").fetchall()[1] == (
        "  touches    nothing: the table is there",
    )
    assert look(db, tmp_path) == before


def test_a_model_is_not_asked_by_a_check(db: lancesql.Connection) -> None:
    asked: list[list[str]] = []

    def embed(texts: list[str]) -> list[list[float]]:
        asked.append(texts)
        return [[1.0, 2.0] for _ in texts]

    db.register_embedding("t", "v", embed)
    db.execute("CREATE VIEW made AS SELECT id, embed(text, 't.v') AS e FROM t")
    with pytest.raises(UnknownColumnError, match="txt"):
        db.execute("CREATE VIEW other AS SELECT id, embed(txt, 't.v') AS e FROM t")
    assert asked == []


def test_pivots_keep_their_columns(db: lancesql.Connection) -> None:
    db.execute("CREATE VIEW wide AS SELECT * FROM (PIVOT (SELECT id % 2 AS odd, id FROM t) ON odd USING count(*))")
    lines = db.sql("EXPLAIN CREATE TABLE made AS FROM (PIVOT (SELECT id % 2 AS odd FROM t) ON odd USING count(*))")
    assert lines.to_arrow()["plan"][0].as_py() == "CreateTable made"
    assert isinstance(lines.to_arrow(), pa.Table)


def test_a_vector_that_a_subquery_gives_is_the_one_that_is_searched_for(db: lancesql.Connection) -> None:
    """A check binds sources without rows; what it meets on the way is read as ever, for it may be read once."""
    nearest = "SELECT id, text FROM t ORDER BY array_distance(v, (SELECT v FROM t WHERE sqrt(id) = 3)) LIMIT 3"
    found = [(9, "w9"), (8, "w8"), (10, "w10")]
    assert "VectorSearch" in db.explain(nearest)
    explained = db.explain(nearest, analyze=True)
    assert "rows       3" in explained
    assert db.sql(f"EXPLAIN (RECALL) {nearest}").fetchall()
    db.execute(f"CREATE VIEW nearest AS {nearest}")
    assert sorted(db.sql("FROM nearest").fetchall()) == sorted(found)
