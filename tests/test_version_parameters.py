"""A parameter where a version of a table is written: it means what the constant in its place would mean."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lancesql
from lancesql import ArgumentError, LanceSQLError, ParameterError, dbapi

HISTORY = {1: [0, 1, 2], 2: [0, 1, 2, 10], 3: [0, 1, 2, 10, 11], 4: [0, 1, 2, 10, 11, 12]}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT i AS id, [i, 1]::FLOAT[2] AS v, 'word' AS text FROM range(3) r(i)")
        for number in range(3):
            db.execute("INSERT INTO t VALUES ($n, [$n, 1], 'word')", {"n": 10 + number})
        for version in HISTORY:
            db.execute(f"CREATE TAG v{version} ON t AS OF VERSION {version}")
        yield db


def read(db: lancesql.Connection, sql: str, parameters: Any) -> list[int]:
    return [row[0] for row in db.sql(sql, parameters).fetchall()]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM t AT (VERSION => $v) ORDER BY id",
        "SELECT id FROM t FOR VERSION AS OF $v ORDER BY id",
        "SELECT id FROM t VERSION AS OF $v AS old WHERE old.id >= 0 ORDER BY id",
        "SELECT id FROM vector_search('t', [0, 1], k => 99, version => $v)",
        "SELECT id FROM vector_search(t AT (VERSION => $v), [0, 1], k => 99)",
        "SELECT id FROM vector_search('t', [0, 1], k => 99) AT (VERSION => $v)",
        "SELECT id FROM fts('t', 'text', 'word', k => NULL, version => $v) ORDER BY id",
        (
            "SELECT id FROM rrf(vector_search('t', [0, 1], k => 9, version => $v), "
            "fts('t', 'word', k => 9, version => $v), k => 9) ORDER BY id"
        ),
        "WITH old AS (SELECT * FROM t AT (VERSION => $v)) SELECT id FROM old ORDER BY id",
        "SELECT id FROM t WHERE id IN (SELECT id FROM t AT (VERSION => $v)) ORDER BY id",
    ],
)
@pytest.mark.parametrize("form", ["number", "numpy", "tag"])
def test_each_call_reads_the_version_it_names(db: lancesql.Connection, sql: str, form: str) -> None:
    for version in (1, 3, 2, 4, 1):
        value = {"number": version, "numpy": np.int64(version), "tag": f"v{version}"}[form]
        assert read(db, sql, {"v": value}) == HISTORY[version]
        assert read(db, sql.replace("$v", "?"), [value] * sql.count("$v")) == HISTORY[version]
    db.execute("INSERT INTO t VALUES (99, [99, 1], 'word')")
    assert read(db, sql, {"v": 2}) == HISTORY[2]
    assert read(db, sql, {"v": 5}) == [*HISTORY[4], 99]


@pytest.mark.parametrize("zone", ["UTC", "America/Lima"])
def test_moments_of_every_kind(db: lancesql.Connection, zone: str) -> None:
    versions = db.sql("SELECT version, timestamp FROM (SHOW VERSIONS ON t)").fetchall()
    db.execute(f"SET TimeZone = '{zone}'")
    for version, moment in versions:
        utc = moment.astimezone(dt.UTC)
        micros = (utc - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
        values = [utc, utc.isoformat(), micros]
        if zone == "UTC":
            values += [utc.replace(tzinfo=None), np.datetime64(micros, "us")]
        for value in values:
            for sql in ("FROM t AT (TIMESTAMP => $t)", "FROM t FOR TIMESTAMP AS OF $t"):
                assert read(db, f"SELECT id {sql} ORDER BY id", {"t": value}) == HISTORY[version], value
            searched = "SELECT id FROM vector_search('t', [0, 1], k => 99, timestamp => $t)"
            assert read(db, searched, {"t": value}) == HISTORY[version]
        shifted = "SELECT id FROM t AT (TIMESTAMP => $t + $d - INTERVAL '1 hour') ORDER BY id"
        assert read(db, shifted, {"t": utc, "d": dt.timedelta(hours=1)}) == HISTORY[version]
    assert read(db, "SELECT id FROM t AT (TIMESTAMP => $t) ORDER BY id", {"t": dt.date(2199, 1, 1)}) == HISTORY[4]
    local = "SELECT id FROM t AT (TIMESTAMP => $t) ORDER BY id"
    naive = versions[0][1].astimezone(dt.UTC).replace(tzinfo=None)  # the newest, as a clock in UTC reads it
    before_lima = zone == "America/Lima"  # there the same reading is five hours later
    assert read(db, local, {"t": naive + dt.timedelta(0 if before_lima else 1)}) == HISTORY[4]
    with pytest.raises(ArgumentError, match="no version that early"):
        read(db, local, {"t": naive - dt.timedelta(days=1)})


def test_other_parameters_keep_their_places(db: lancesql.Connection) -> None:
    sql = "SELECT b.id, ?, '?' FROM t AT (VERSION => ?) a JOIN t FOR VERSION AS OF ? b USING (id) WHERE b.id > ?"
    assert db.sql(f"{sql} ORDER BY 1", ["x", 3, 2, 1]).fetchall() == [(2, "x", "?"), (10, "x", "?")]
    numbered = "SELECT id, $3 FROM t AT (VERSION => $2) WHERE id > $1 OR id = $2 ORDER BY id"
    assert db.sql(numbered, [2, 1, "y"]).fetchall() == [(1, "y")]
    named = "SELECT id FROM t AT (VERSION => $v) WHERE id = $v + $w"
    assert read(db, named, {"w": 8, "v": 2}) == [10]


def test_commands_take_them(db: lancesql.Connection) -> None:
    difference = "SELECT change, id FROM (DIFF TABLE t BETWEEN VERSION $a AND VERSION $b) WHERE id > $c ORDER BY id"
    assert db.sql(difference, {"a": 1, "b": 3, "c": 10}).fetchall() == [("insert", 11)]
    assert db.sql(difference, {"a": 4, "b": "v2", "c": 11}).fetchall() == [("delete", 12)]
    assert len(db.sql("DIFF TABLE t SINCE VERSION ?", [2]).fetchall()) == 2
    assert db.execute("CREATE TABLE c CLONE t AT (VERSION => $v)", {"v": 2}).fetchall() == [(4,)]
    assert db.execute("CREATE TABLE d SHALLOW CLONE t AT $v", {"v": "v3"}).fetchall() == [(5,)]
    db.execute("CREATE TABLE e AS SELECT * FROM t AT (TAG => $v) WHERE id > $low", {"v": "v3", "low": 1})
    assert read(db, "SELECT id FROM e ORDER BY id", None) == [2, 10, 11]
    db.execute("CREATE TAG again ON t AS OF VERSION $v", {"v": 2})
    assert read(db, "SELECT id FROM t AT (TAG => $t) ORDER BY id", {"t": "again"}) == HISTORY[2]
    db.execute("CREATE BRANCH side ON t AS OF TAG ?", ["v2"])
    for parameters in ({"b": "side", "v": 2}, {"b": "side", "v": 2}):
        assert read(db, "SELECT id FROM t AT (BRANCH => $b, VERSION => $v) ORDER BY id", parameters) == HISTORY[2]
    assert db.execute("RESTORE TABLE t TO VERSION $v", {"v": 1}).fetchall() == [(5,)]
    assert read(db, "SELECT id FROM t ORDER BY id", None) == HISTORY[1]
    assert "version 4" in db.sql("EXPLAIN RESTORE TABLE t TO TAG $v", {"v": "v4"}).to_arrow()["plan"][1].as_py()
    db.execute("INSERT INTO t SELECT * FROM t AT (VERSION => $v) WHERE id = $id", {"v": 4, "id": 12})
    assert db.execute(
        "DELETE FROM t WHERE id IN (SELECT id FROM t AT (VERSION => ?)) AND id > ?", [5, 0]
    ).fetchall() == [(2,)]
    assert read(db, "SELECT id FROM t ORDER BY id", None) == [0, 12]


def test_executemany(db: lancesql.Connection, tmp_path: Path) -> None:
    db.execute("CREATE TABLE c AS SELECT id FROM t WHERE false")
    with dbapi.connect(tmp_path) as connection:
        cursor = connection.cursor()
        cursor.executemany(
            "INSERT INTO c SELECT id FROM t AT (VERSION => ?) WHERE id >= ?", [(1, 2), (2, 2), (3, 11), (1, 9)]
        )
        assert cursor.rowcount == 4
        assert cursor.execute("SELECT id FROM c ORDER BY id").fetchall() == [(2,), (2,), (10,), (11,)]
        delete = "DELETE FROM c WHERE id = ? AND id IN (FROM t AT (VERSION => ?) SELECT id)"
        assert cursor.executemany(delete, [(10, 1), (11, 3), (2, 1)]).rowcount == 3
        assert cursor.execute("SELECT id FROM c").fetchall() == [(10,)]


@pytest.mark.parametrize(
    ("sql", "value", "message"),
    [
        ("AT (VERSION => $v)", None, "$v is NULL, and a version number or a tag is expected here"),
        ("AT (VERSION => $v)", 1.5, "$v is float 1.5, and a version number or a tag"),
        ("AT (VERSION => $v)", True, "$v is bool True"),
        ("AT (VERSION => $v)", [1], "$v is list [1]"),
        ("AT (VERSION => $v)", "nope", "no tag 'nope'"),
        ("AT (VERSION => $v)", 9, "no version 9"),
        ("AT (VERSION => $v)", -1, "no version -1"),
        ("AT (VERSION => $v)", "1'; DROP TABLE t", "no tag '1'; DROP TABLE t'"),
        ("AT (TAG => $v)", 1, "$v is int 1, and the name of a tag"),
        ("AT (BRANCH => $v)", None, "$v is NULL, and the name of a branch"),
        ("AT (BRANCH => $v)", "nope", "no branch 'nope'"),
        ("AT (TIMESTAMP => $v)", None, "$v is NULL, and a timestamp"),
        ("AT (TIMESTAMP => $v)", 1.5, "$v is float 1.5, and a timestamp"),
        ("AT (TIMESTAMP => $v)", 2**70, "and a timestamp"),
        ("AT (TIMESTAMP => $v)", "soon", "'soon' is not a timestamp"),
        ("AT (TIMESTAMP => $v - INTERVAL 1 DAY)", None, "$v is NULL, and a timestamp"),
        ("AT (VERSION => $v + 1)", 1, "written in the statement or a parameter"),
        ("VERSION AS OF $v + 1", 1, "stands in brackets"),
    ],
)
def test_what_is_no_version_is_refused(db: lancesql.Connection, sql: str, value: object, message: str) -> None:
    statement = f"SELECT id FROM t {sql}"
    with pytest.raises(LanceSQLError) as caught:
        db.sql(statement, {"v": value}).fetchall()
    assert message in str(caught.value)
    assert caught.value.sql == statement
    assert caught.value.span is not None


def test_errors_stand_in_the_statement_as_it_was_written(db: lancesql.Connection) -> None:
    for sql, parameters, marked in (
        ("DIFF TABLE t BETWEEN VERSION ? AND ?", [1, 99], "?"),
        ("DIFF TABLE t BETWEEN VERSION ? AND ?", [1, None], "?"),
        ("RESTORE TABLE t TO VERSION $v", {"v": None}, "$v"),
        ("SELECT id FROM t AT (VERSION => $v) WHERE idd = $x", {"v": 1, "x": 2}, "idd"),
        ("SELECT id FROM t AT (VERSION => $v) WHERE id = $x / text", {"v": 1, "x": 2}, ""),
        ("INSERT INTO t SELECT idd, v, text FROM t AT (VERSION => $v)", {"v": 1}, "idd"),
    ):
        with pytest.raises(LanceSQLError) as caught:
            db.sql(sql, parameters).fetchall()
        error = caught.value
        assert error.sql == sql
        if marked:
            assert error.span is not None
            assert sql[error.span.start : error.span.end] == marked
    assert db.sql("SELECT max(version) FROM (SHOW VERSIONS ON t)").fetchall() == [(4,)]


@pytest.mark.parametrize(
    ("sql", "parameters", "message"),
    [
        ("SELECT id FROM t AT (VERSION => $v)", None, "no value for parameter $v"),
        ("SELECT id FROM t AT (VERSION => $v)", [1], "have names"),
        ("SELECT id FROM t AT (VERSION => ?)", {"v": 1}, "have no names"),
        ("SELECT id FROM t AT (VERSION => ?)", [1, 2], "does not use parameter $2"),
        ("SELECT id FROM t AT (VERSION => $v)", {"v": 1, "w": 2}, "does not use parameter $w"),
        ("CREATE VIEW old AS SELECT id FROM t AT (VERSION => $v)", {"v": 1}, "has no value here"),
        ("SELECT 1; SELECT id FROM t AT (VERSION => $v)", None, "has no value here"),
        ("SELECT 1; SELECT id FROM t AT (VERSION => $v)", {"v": 1}, "go with one statement"),
    ],
)
def test_parameters_that_are_missing_or_too_many(
    db: lancesql.Connection, sql: str, parameters: Any, message: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        db.sql(sql, parameters).fetchall()
    assert message in str(caught.value)


def test_explain_says_which_version(db: lancesql.Connection) -> None:
    sql = "SELECT id FROM t AT (VERSION => $v) WHERE id > 1"
    assert "@ version 2" in db.explain(sql, {"v": 2})
    assert "@ version 3" in db.explain(sql, {"v": 3})
