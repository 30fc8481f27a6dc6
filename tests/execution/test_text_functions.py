"""Text functions beside what else a connection holds: the user's own functions, transactions, streams, names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import lancesql
from tests.library import open_library

MARKED = "SELECT highlight(plot, 'space') FROM movies WHERE id = 1"


@pytest.fixture
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as db:
        yield db


def test_a_function_of_the_user_is_the_users(db: lancesql.Connection) -> None:
    assert db.sql(MARKED).fetchall() == [("a monster hunts a crew in deep <b>space</b>",)]
    db.execute("CREATE MACRO highlight(a, b) AS b || '!'")
    assert db.sql(MARKED).fetchall() == [("space!",)]
    assert db.sql("SELECT highlight('x', b := 'y')").fetchall() == [("y!",)]
    assert db.sql("FROM (PIVOT (SELECT 1 AS a, highlight('x', 'y') AS b) ON a USING first(b))").fetchall() == [("y!",)]
    db.execute("DROP MACRO highlight")
    assert db.sql(MARKED).fetchall() == [("a monster hunts a crew in deep <b>space</b>",)]


def test_nothing_stays_in_the_users_connection(library: Path) -> None:
    with duckdb.connect() as own, lancesql.connect(library, duckdb=own) as db:
        own.execute("BEGIN")
        assert db.sql(MARKED).fetchall()
        assert db.sql("SELECT count(*) FROM movies WHERE match(plot, 'space') OR id = 3").fetchall() == [(4,)]
        own.execute("ROLLBACK")
        assert db.sql(MARKED).fetchall()
        with pytest.raises(lancesql.LanceSQLError):
            db.sql("SELECT match(plot, 'a AND') FROM movies").fetchall()
        left = own.execute("SELECT function_name FROM duckdb_functions() WHERE function_name LIKE '%lancesql%'")
        assert left.fetchall() == []


def test_a_stream_holds_its_functions(db: lancesql.Connection) -> None:
    texts = pa.table({"x": [f"cat {number}" for number in range(10_000)]})  # noqa: F841
    reader = db.sql("SELECT highlight(x, 'cats') AS x FROM texts").to_reader()
    rows = [row for batch in reader for row in batch.column("x").to_pylist()]
    assert rows == [f"<b>cat</b> {number}" for number in range(10_000)]


def test_a_column_has_the_name_of_the_call(db: lancesql.Connection) -> None:
    named = db.sql("SELECT highlight(plot, 'x'), upper(snippet(plot, 'x', 9)) FROM movies").to_arrow().column_names
    assert named == ["highlight(plot, 'x')", "upper(snippet(plot, 'x', 9))"]
    db.execute("CREATE TEMP TABLE marked AS SELECT highlight(plot, 'x') FROM movies")
    assert db.sql("FROM marked").to_arrow().column_names == ["highlight(plot, 'x')"]


def test_values_are_asked_for_each_time(db: lancesql.Connection) -> None:
    sql = "SELECT id FROM movies WHERE match(plot, $q) ORDER BY id"
    assert db.sql(sql, {"q": "space"}).fetchall() == [(1,), (2,), (8,)]
    assert db.sql(sql, {"q": "snow"}).fetchall() == [(7,)]
    assert db.sql(sql, {"q": None}).fetchall() == []


def test_a_changed_column_is_no_column_of_the_table(db: lancesql.Connection) -> None:
    query = "SELECT count(*) FROM (SELECT id, {} AS plot FROM movies) WHERE match(plot, 'space')"
    assert db.sql(query.format("plot")).fetchall() == [(3,)]
    assert db.sql(query.format("'in space'")).fetchall() == [(12,)]
    assert db.sql("SELECT 'in space' AS plot, count(*) FROM movies WHERE match(plot, 'space')").fetchall()[0][1] == 3
    assert db.sql("SELECT upper(plot) AS plot FROM movies GROUP BY 1 HAVING match(plot, 'snow')").fetchall() == [
        ("A POLICE CHIEF FOLLOWS A CRIME IN THE SNOW",)
    ]
    twice = (
        "SELECT count(*) FROM movies m WHERE EXISTS (SELECT 1 FROM reviews r WHERE match(plot, 'space') AND r.id = 1)"
    )
    assert db.sql(twice).fetchall() == [(3,)]


def test_rows_are_changed_where_their_text_matches(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE notes AS SELECT * FROM (VALUES (1, 'cats run'), (2, 'a dog'), (3, NULL)) t(id, body)")
        db.execute("CREATE INDEX ON notes USING FTS (body)")
        db.execute("INSERT INTO notes VALUES (4, 'a running cat')")
        db.execute("UPDATE notes SET body = highlight(body, 'cat', '[', ']') WHERE match(body, 'cat AND run')")
        assert db.sql("SELECT id, body FROM notes WHERE match(body, 'cat') ORDER BY id").fetchall() == [
            (1, "[cats] run"),
            (4, "a running [cat]"),
        ]
        db.execute("DELETE FROM notes WHERE NOT match(body, $q)", {"q": "cats"})
        assert db.sql("SELECT id FROM notes ORDER BY id").fetchall() == [(1,), (3,), (4,)]
        db.execute("MERGE INTO notes USING (SELECT id FROM notes WHERE match(body, 'running')) s ON s.id = notes.id "
                   "WHEN MATCHED THEN DELETE")  # fmt: skip
        assert db.sql("SELECT id FROM notes ORDER BY id").fetchall() == [(3,)]


def test_a_view_hands_its_column_through(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE notes AS SELECT * FROM (VALUES (1, 'naming cats'), (2, 'a name')) t(id, body)")
        db.execute("CREATE INDEX ON notes USING FTS (body) WITH (stem = false)")
        db.execute("CREATE VIEW read AS SELECT id, body AS what FROM notes")
        assert db.sql("SELECT id FROM read WHERE match(what, 'name')").fetchall() == [(2,)]
        assert db.sql("SELECT id FROM read WHERE match(what || '', 'name') ORDER BY id").fetchall() == [(1,), (2,)]
        marked = db.sql("WITH r AS (FROM read) SELECT highlight(r.what, 'name', '[', ']') FROM r ORDER BY id")
        assert marked.fetchall() == [("naming cats",), ("a [name]",)]
