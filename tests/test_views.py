"""Views of the session: what they mean when tables change, and where their errors are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import lancesql
from lancesql.errors import LanceSQLError, UnknownColumnError, UnknownTableError


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE docs AS SELECT i AS id, 'title ' || i AS title FROM range(9) r(i)")
        db.execute("CREATE VIEW few AS SELECT id, title FROM docs WHERE id < $$4$$::INT")
        yield db


def catch(db: lancesql.Connection, sql: str, values: object = None) -> LanceSQLError:
    with pytest.raises(LanceSQLError) as caught:
        db.sql(sql, values).fetchall()
    return caught.value


def mark(error: LanceSQLError) -> str:
    assert error.sql is not None
    assert error.span is not None
    return error.sql[error.span.start : error.span.end]


def test_a_view_reads_the_newest_version(db: lancesql.Connection) -> None:
    assert db.sql("SELECT count(*) FROM few").fetchall() == [(4,)]
    db.execute("INSERT INTO docs VALUES (-1, 'new')")
    assert db.sql("SELECT count(*) FROM few").fetchall() == [(5,)]
    db.execute("CREATE OR REPLACE VIEW few AS SELECT id FROM docs WHERE id = 8")
    assert db.sql("SELECT count(*) FROM few").fetchall() == [(1,)]
    db.execute("DROP VIEW few")
    assert isinstance(catch(db, "SELECT count(*) FROM few"), UnknownTableError)


def test_parameters_stand_beside_a_view(db: lancesql.Connection) -> None:
    assert db.sql("SELECT f.id FROM few f WHERE f.id > ? ORDER BY 1 LIMIT ?", [0, 2]).fetchall() == [(1,), (2,)]


def test_a_mistake_beside_a_view_is_marked_in_the_users_text(db: lancesql.Connection) -> None:
    sql = "SELECT nope FROM few JOIN docs d USING (id)"
    error = catch(db, sql)
    assert isinstance(error, UnknownColumnError)
    assert (error.sql, mark(error)) == (sql, "nope")


def test_a_mistake_of_a_search_beside_a_view(db: lancesql.Connection) -> None:
    sql = "SELECT * FROM few f JOIN vector_search('docs', [1], wrong => 2) s ON s.id = f.id"
    error = catch(db, sql)
    assert error.sql == sql
    assert mark(error) in ("vector_search", "wrong")


def test_an_error_within_a_view_names_it(db: lancesql.Connection) -> None:
    db.execute("CREATE OR REPLACE TABLE docs AS SELECT 1 AS id")
    error = catch(db, "SELECT id, 1 AS one FROM few")
    assert (mark(error), error.message.startswith("in view 'few': ")) == ("few", True)
    db.execute("DROP TABLE docs")
    assert isinstance(catch(db, "SELECT id FROM few"), UnknownTableError)


def test_every_kind_of_statement_reads_a_view(db: lancesql.Connection, tmp_path: Path) -> None:
    db.execute("INSERT INTO docs SELECT id + 100, title FROM few")
    assert db.sql("FROM few SELECT max(id)").fetchall() == [(3,)]
    assert db.sql("SELECT count(*) FROM docs").fetchall() == [(13,)]
    path = tmp_path / "few.parquet"
    db.execute(f"COPY (SELECT * FROM few) TO '{path}'")
    assert duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchall() == [(4,)]
    twice = db.sql("SELECT id FROM few UNION ALL SELECT id FROM few ORDER BY ALL LIMIT 3").fetchall()
    assert twice == [(0,), (0,), (1,)]
    assert db.sql("SELECT (SELECT max(id) FROM few) - id FROM few ORDER BY 1 LIMIT 1").fetchall() == [(0,)]
    assert db.sql("SELECT id FROM docs WHERE EXISTS (FROM few WHERE few.id = docs.id + 2)").fetchall() == [(0,), (1,)]


def test_a_view_of_a_search_gives_its_order_and_rows(db: lancesql.Connection) -> None:
    db.execute("CREATE TABLE points AS SELECT i AS id, [i % 4, i % 3]::FLOAT[2] AS vector FROM range(40) r(i)")
    search = "vector_search('points', [1, 1], k => 7) WHERE id % 2 = 0"
    db.execute(f"CREATE VIEW near AS SELECT id, _distance FROM {search}")
    assert db.sql("SELECT * FROM near").fetchall() == db.sql(f"SELECT id, _distance FROM {search}").fetchall()
    inside = db.sql(f"SELECT id FROM (SELECT id, _distance FROM {search}) s WHERE id > 9").fetchall()
    assert db.sql("SELECT id FROM near WHERE id > 9").fetchall() == inside


def test_a_view_is_the_sessions_own(db: lancesql.Connection, tmp_path: Path) -> None:
    assert db.sql("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall() == [(0,)]
    with lancesql.connect(tmp_path) as other:
        assert isinstance(catch(other, "SELECT * FROM few"), UnknownTableError)
