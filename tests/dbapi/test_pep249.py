"""What PEP 249 asks for, sentence by sentence."""

from __future__ import annotations

import datetime as dt
import inspect
import time
import warnings
from decimal import Decimal
from pathlib import Path

import pytest

import lancesql
from lancesql import dbapi


def test_the_attributes_of_the_module() -> None:
    assert (dbapi.apilevel, dbapi.threadsafety, dbapi.paramstyle) == ("2.0", 1, "qmark")
    assert callable(dbapi.connect)
    for name in dbapi.__all__:
        assert getattr(dbapi, name) is not None


ERRORS = {
    "Warning": Exception,
    "Error": Exception,
    "InterfaceError": dbapi.Error,
    "DatabaseError": dbapi.Error,
    "DataError": dbapi.DatabaseError,
    "OperationalError": dbapi.DatabaseError,
    "IntegrityError": dbapi.DatabaseError,
    "InternalError": dbapi.DatabaseError,
    "ProgrammingError": dbapi.DatabaseError,
    "NotSupportedError": dbapi.DatabaseError,
}


@pytest.mark.parametrize("name", ERRORS)
def test_the_tree_of_errors(name: str, connection: dbapi.Connection) -> None:
    kind = getattr(dbapi, name)
    assert issubclass(kind, ERRORS[name])
    assert getattr(connection, name) is kind
    assert issubclass(kind, lancesql.LanceSQLError) == (name != "Warning")
    assert not issubclass(dbapi.Warning, dbapi.Error)


@pytest.mark.parametrize(
    ("sql", "parameters", "kind"),
    [
        ("SELEC 1", None, dbapi.ProgrammingError),
        ("SELECT * FROM dox", None, dbapi.ProgrammingError),
        ("SELECT idd FROM docs", None, dbapi.ProgrammingError),
        ("SELECT ?", [1, 2], dbapi.ProgrammingError),
        ("SELECT ?", None, dbapi.ProgrammingError),
        ("SELECT * FROM vector_search('docs', [1, 2, 3])", None, dbapi.ProgrammingError),
        ("CREATE MACRO m() AS TABLE SELECT * FROM docs", None, dbapi.NotSupportedError),
        ("SELECT 'a'::INT", None, dbapi.DataError),
        ("SELECT 300::UTINYINT", None, dbapi.DataError),
        ("SELECT 2147483647::INT + 1::INT", None, dbapi.DataError),
        ("INSERT INTO docs (id, vector) VALUES (9, [1, 2, 3])", None, dbapi.DataError),
        ("INSERT INTO rules VALUES (1, -1)", None, dbapi.IntegrityError),
        ("INSERT INTO rules VALUES (NULL, 1)", None, dbapi.IntegrityError),
        ("INSERT INTO rules VALUES (5, 1), (5, 2) ON CONFLICT DO NOTHING", None, dbapi.IntegrityError),
        ("INSERT INTO memory.main.plain VALUES (1), (1)", None, dbapi.IntegrityError),
        ("SELECT * FROM read_csv('/no/such/file.csv')", None, dbapi.OperationalError),
        ("SELECT error('no')", None, dbapi.OperationalError),
    ],
)
def test_what_kind_an_error_is(docs: dbapi.Connection, sql: str, parameters: object, kind: type[dbapi.Error]) -> None:
    docs.execute("CREATE TABLE rules (id BIGINT PRIMARY KEY, n INT CHECK (n > 0))")
    docs.execute("CREATE TABLE memory.main.plain (id INT PRIMARY KEY)")
    cursor = docs.cursor()
    with pytest.raises(kind) as caught:
        cursor.execute(sql, parameters).fetchall()
    assert type(caught.value) is kind
    assert caught.value.origin is not None
    assert caught.value.message == caught.value.origin.message
    assert cursor.description is None


def test_an_error_keeps_its_place_and_its_hint(docs: dbapi.Connection) -> None:
    with pytest.raises(dbapi.ProgrammingError) as caught:
        docs.execute("SELECT * FROM dox")
    assert "LINE 1: SELECT * FROM dox\n                        ^^^" in str(caught.value)
    assert "Hint:" in str(caught.value)
    assert caught.value.span is not None
    assert caught.value.__suppress_context__


def test_the_database_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(dbapi.OperationalError, match="there is no database"):
        dbapi.connect(tmp_path / "nowhere", read_only=True)
    (tmp_path / "no.duckdb").write_text("this is no database")
    with pytest.raises(dbapi.OperationalError):
        dbapi.connect(duckdb=tmp_path / "no.duckdb")


def test_the_constructors_and_type_objects(connection: dbapi.Connection) -> None:
    assert dbapi.Date(2024, 2, 29) == dt.date(2024, 2, 29)
    assert dbapi.Time(1, 2, 3) == dt.time(1, 2, 3)
    assert dbapi.Timestamp(2024, 2, 29, 1, 2, 3) == dt.datetime(2024, 2, 29, 1, 2, 3)
    assert dbapi.Binary(b"\x00a") == b"\x00a"
    ticks = time.mktime((2024, 2, 29, 1, 2, 3, 0, 0, -1))
    assert dbapi.DateFromTicks(ticks) == dt.date(2024, 2, 29)
    assert dbapi.TimeFromTicks(ticks) == dt.time(1, 2, 3)
    assert dbapi.TimestampFromTicks(ticks) == dt.datetime(2024, 2, 29, 1, 2, 3)
    cursor = connection.execute(
        "SELECT 'a', 'b'::BLOB, 1::TINYINT, 1.5::DECIMAL(9, 2), 1e0, DATE '2024-01-01', TIMESTAMPTZ '2024-01-01', "
        "TIME '01:02:03', INTERVAL 1 DAY, true, [1], [1, 2]::FLOAT[2], {'a': 'x'}, MAP {'a': 1}, "
        "'a'::ENUM('a'), 1::HUGEINT, gen_random_uuid()"
    )
    assert cursor.description is not None
    codes = [column[1] for column in cursor.description]
    wanted = [
        dbapi.STRING, dbapi.BINARY, dbapi.NUMBER, dbapi.NUMBER, dbapi.NUMBER, dbapi.DATETIME, dbapi.DATETIME,
        dbapi.DATETIME, dbapi.DATETIME, dbapi.NUMBER, dbapi.LIST, dbapi.LIST, dbapi.STRUCT, dbapi.STRUCT, dbapi.STRING,
        dbapi.NUMBER, dbapi.STRING,
    ]  # fmt: skip
    every = (dbapi.STRING, dbapi.BINARY, dbapi.NUMBER, dbapi.DATETIME, dbapi.ROWID, dbapi.LIST, dbapi.STRUCT)
    for code, one in zip(codes, wanted, strict=True):
        assert [code == other for other in every] == [other is one for other in every], code
        assert [other == code for other in every] == [other is one for other in every], code
        assert code != dbapi.ROWID
        assert code == str(code)
        assert {code: 1}[code] == 1


def test_values_come_back_as_they_went(connection: dbapi.Connection) -> None:
    values = [
        None, True, 7, 2.5, "a'b\n", b"\x00\xff", Decimal("1.50"), dt.date(2024, 2, 29), dt.time(1, 2, 3, 4),
        dt.datetime(2024, 2, 29, 1, 2, 3, 4), dt.datetime(2024, 2, 29, tzinfo=dt.UTC), dt.timedelta(days=1, seconds=2),
        [1, 2], {"a": 1},
    ]  # fmt: skip
    marks = ", ".join("?" * len(values))
    (row,) = connection.execute(f"SELECT {marks}", values).fetchall()
    assert list(row) == values


def test_the_description_of_a_statement(docs: dbapi.Connection) -> None:
    cursor = docs.cursor()
    assert (cursor.description, cursor.rowcount, cursor.rownumber, cursor.arraysize) == (None, -1, None, 1)
    cursor.execute("SELECT id, title, vector, 1.5::DECIMAL(9, 2) AS price FROM docs WHERE id < 0")
    assert cursor.description == (
        ("id", "BIGINT", None, 8, None, None, None),
        ("title", "VARCHAR", None, None, None, None, None),
        ("vector", "FLOAT[2]", None, None, None, None, None),
        ("price", "DECIMAL(9,2)", None, None, 9, 2, None),
    )
    assert (cursor.rowcount, cursor.fetchone(), cursor.fetchall()) == (0, None, [])


CHANGES = [
    ("CREATE TABLE t (n INT)", 0),
    ("CREATE TABLE t AS SELECT * FROM docs", 5),
    ("INSERT INTO docs (id) VALUES (7), (8)", 2),
    ("UPDATE docs SET title = 'x' WHERE id < 3", 3),
    ("DELETE FROM docs WHERE id = 1", 1),
    ("DELETE FROM docs WHERE id = 99", 0),
    ("TRUNCATE docs", 5),
    ("MERGE INTO docs USING (SELECT 1 AS id) s ON docs.id = s.id WHEN MATCHED THEN DELETE", 1),
    ("DROP TABLE docs", -1),
    ("COMMENT ON TABLE docs IS 'x'", -1),
    ("SET lancesql.recall = 0.9", -1),
    ("SET threads = 2", -1),
    ("CREATE TABLE memory.main.t (n INT)", -1),
    ("INSERT INTO memory.main.plain VALUES (1), (2)", 2),
    ("INSERT INTO memory.main.plain SELECT id FROM docs", 5),
    ("CREATE VIEW v AS SELECT id FROM docs", -1),
]


@pytest.mark.parametrize(("sql", "rows"), CHANGES, ids=[sql for sql, _ in CHANGES])
def test_a_statement_without_rows(docs: dbapi.Connection, sql: str, rows: int) -> None:
    docs.execute("CREATE TABLE memory.main.plain (n INT)")
    cursor = docs.cursor().execute("SELECT 1")
    cursor.execute(sql)
    assert (cursor.description, cursor.rowcount) == (None, rows)
    for fetch in (cursor.fetchone, cursor.fetchall, cursor.fetchmany, cursor.fetch_arrow_table):
        with pytest.raises(dbapi.Error, match="no rows to fetch"):
            fetch()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO docs (id) VALUES (7) RETURNING id",
        "UPDATE docs SET title = 'x' WHERE id = 1 RETURNING id",
        "SELECT 1 AS count",
        "SELECT 1 AS Count",
        "SHOW TABLES",
        "DESCRIBE docs",
        "EXPLAIN SELECT * FROM docs",
        "EXPLAIN DELETE FROM docs",
        "PRAGMA version",
    ],
)
def test_a_statement_with_rows(docs: dbapi.Connection, sql: str) -> None:
    cursor = docs.execute(sql)
    assert cursor.description is not None
    assert cursor.rowcount == len(cursor.fetchall()) > 0


@pytest.mark.parametrize("stream", [False, True])
def test_fetching(docs: dbapi.Connection, stream: bool) -> None:
    cursor = docs.cursor(stream=stream)
    assert cursor.execute("SELECT id FROM docs ORDER BY id") is cursor
    assert cursor.rowcount == (-1 if stream else 5)
    assert cursor.fetchone() == (0,)
    assert cursor.rownumber == 1
    assert cursor.fetchmany() == [(1,)]
    cursor.arraysize = 2
    assert cursor.fetchmany() == [(2,), (3,)]
    assert cursor.fetchmany(0) == []
    assert cursor.fetchmany(9) == [(4,)]
    assert (cursor.fetchmany(9), cursor.fetchone(), cursor.fetchall()) == ([], None, [])
    cursor.execute("SELECT id FROM docs ORDER BY id DESC")
    assert cursor.fetchone() == (4,)
    assert cursor.fetchall() == [(3,), (2,), (1,), (0,)]
    assert cursor.fetchall() == []
    assert list(cursor.execute("SELECT id FROM docs ORDER BY id")) == [(0,), (1,), (2,), (3,), (4,)]
    assert next(cursor.execute("SELECT 1")) == (1,)


@pytest.mark.parametrize("stream", [False, True])
def test_many_rows_are_fetched_in_order(connection: dbapi.Connection, stream: bool) -> None:
    cursor = connection.cursor(stream=stream).execute("SELECT i FROM range(5000) AS t(i) ORDER BY i")
    rows = [cursor.fetchone()]
    while part := cursor.fetchmany(777):
        rows += part
    assert rows == [(i,) for i in range(5000)]


def test_scrolling(docs: dbapi.Connection) -> None:
    cursor = docs.execute("SELECT id FROM docs ORDER BY id")
    cursor.fetchmany(2)
    cursor.scroll(1)
    assert cursor.fetchone() == (3,)
    cursor.scroll(-3)
    assert cursor.fetchone() == (1,)
    cursor.scroll(0, mode="absolute")
    assert cursor.fetchall() == [(0,), (1,), (2,), (3,), (4,)]
    for value, mode in ((1, "relative"), (-6, "relative"), (6, "absolute")):
        with pytest.raises(IndexError):
            cursor.scroll(value, mode)
    with pytest.raises(dbapi.ProgrammingError):
        cursor.scroll(1, "sideways")
    with pytest.raises(dbapi.NotSupportedError):
        docs.cursor(stream=True).execute("SELECT 1").scroll(1)


def test_cursors_of_one_connection_see_what_the_other_wrote(docs: dbapi.Connection) -> None:
    first, second = docs.cursor(), docs.cursor()
    first.execute("SELECT id FROM docs ORDER BY id")
    second.execute("DELETE FROM docs")
    assert first.fetchall() == [(0,), (1,), (2,), (3,), (4,)]
    assert first.execute("SELECT count(*) FROM docs").fetchone() == (0,)
    assert first.connection is second.connection is docs


def test_a_stream_ends_when_the_connection_goes_on(connection: dbapi.Connection) -> None:
    cursor = connection.cursor(stream=True).execute("SELECT i FROM range(1000000) AS t(i)")
    assert cursor.fetchone() == (0,)
    connection.execute("SELECT i FROM range(10) AS t(i)")
    with pytest.raises(dbapi.OperationalError, match="ended this stream"):
        cursor.fetchall()


def test_parameters(docs: dbapi.Connection) -> None:
    cursor = docs.cursor()
    assert cursor.execute("SELECT id FROM docs WHERE id = ?", (3,)).fetchall() == [(3,)]
    assert cursor.execute("SELECT id FROM docs WHERE id = $n", {"n": 3}).fetchall() == [(3,)]
    assert cursor.execute("SELECT $1 - $2", [5, 3]).fetchall() == [(2,)]
    assert cursor.execute("SELECT id FROM vector_search('docs', ?, k => ?)", ([3, 1], 1)).fetchall() == [(3,)]
    assert cursor.execute("SELECT '?', ?", ["?"]).fetchall() == [("?", "?")]
    with pytest.raises(dbapi.ProgrammingError, match="a statement is a text"):
        cursor.execute(b"SELECT 1")  # type: ignore[arg-type]


def test_what_is_closed(docs: dbapi.Connection, tmp_path: Path) -> None:
    cursor = docs.execute("SELECT id FROM docs")
    cursor.close()
    cursor.close()
    calls = [
        cursor.fetchone,
        cursor.fetchall,
        cursor.fetchmany,
        lambda: cursor.execute("SELECT 1"),
        lambda: next(cursor),
    ]
    calls += [lambda: cursor.executemany("SELECT ?", [(1,)]), lambda: cursor.setinputsizes([])]
    for call in calls:
        with pytest.raises(dbapi.InterfaceError, match="the cursor is closed"):
            call()
    other = docs.execute("SELECT id FROM docs")
    docs.close()
    docs.close()
    assert docs.closed
    for call in (docs.cursor, docs.commit, docs.rollback, other.fetchone, lambda: docs.execute("SELECT 1")):
        with pytest.raises(dbapi.InterfaceError, match="the connection is closed"):
            call()


def test_what_does_nothing_and_what_is_not_there(docs: dbapi.Connection) -> None:
    cursor = docs.execute("SELECT 1")
    assert (cursor.setinputsizes([None]), cursor.setoutputsize(9), cursor.setoutputsize(9, 1)) == (None, None, None)
    assert (cursor.lastrowid, cursor.messages, docs.messages) == (None, [], [])
    for call in (lambda: cursor.callproc("p"), lambda: cursor.callproc("p", (1,)), cursor.nextset):
        with pytest.raises(dbapi.NotSupportedError):
            call()
    assert inspect.signature(cursor.execute).parameters.keys() == {"operation", "parameters"}


def test_context_managers(tmp_path: Path) -> None:
    with dbapi.connect(tmp_path / "db") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t AS SELECT 1 AS n")
    assert connection.closed
    with pytest.raises(dbapi.InterfaceError):
        cursor.fetchall()

    def fail() -> None:
        with dbapi.connect(tmp_path / "db") as connection:
            connection.execute("INSERT INTO t VALUES (2)")
            raise ZeroDivisionError

    with pytest.warns(dbapi.Warning, match="does not undo what a statement wrote"), pytest.raises(ZeroDivisionError):
        fail()
    with dbapi.connect(tmp_path / "db") as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_commit_and_rollback_by_statement(docs: dbapi.Connection) -> None:
    assert docs.autocommit
    docs.execute("SELECT 1")
    docs.rollback()
    docs.execute("INSERT INTO docs (id) VALUES (7)")
    docs.commit()
    docs.rollback()
    docs.execute("INSERT INTO docs (id) VALUES (8)")
    docs.execute("CREATE TABLE memory.main.t AS SELECT 1 AS n")
    with pytest.warns(dbapi.Warning, match="2 statements"):
        docs.rollback()
    with warnings.catch_warnings():
        docs.rollback()
    assert docs.execute("SELECT count(*) FROM docs").fetchone() == (7,)


def test_a_transaction_of_duckdb(docs: dbapi.Connection) -> None:
    docs.execute("CREATE TABLE memory.main.t (n INT)")
    docs.commit()
    docs.autocommit = False
    docs.execute("INSERT INTO memory.main.t VALUES (1)")
    docs.rollback()
    assert docs.execute("SELECT * FROM memory.main.t").fetchall() == []
    docs.execute("INSERT INTO memory.main.t VALUES (2)")
    with pytest.raises(dbapi.NotSupportedError, match="within a transaction"):
        docs.execute("INSERT INTO docs (id) VALUES (9)")
    docs.autocommit = True
    assert docs.execute("SELECT * FROM memory.main.t").fetchall() == [(2,)]
    docs.execute("BEGIN")
    docs.execute("INSERT INTO memory.main.t VALUES (3)")
    docs.rollback()
    docs.execute("BEGIN")
    docs.execute("INSERT INTO memory.main.t VALUES (4)")
    docs.commit()
    assert docs.execute("SELECT * FROM memory.main.t ORDER BY n").fetchall() == [(2,), (4,)]


def test_a_lance_table_written_within_a_transaction_is_told_of(docs: dbapi.Connection) -> None:
    docs.execute("SET lancesql.autocommit_in_transaction = true")
    docs.autocommit = False
    docs.execute("INSERT INTO docs (id) VALUES (9)")
    with pytest.warns(dbapi.Warning, match="a statement wrote"):
        docs.rollback()
    assert docs.execute("SELECT count(*) FROM docs").fetchone() == (6,)


def test_what_a_connection_is_opened_over(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as native:
        native.execute("CREATE TABLE t AS SELECT 1 AS n")
        with dbapi.connect(native) as connection:
            assert connection.native is native
            assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]
        assert not native.closed
    with dbapi.connect(tmp_path / "db", duckdb=tmp_path / "beside.duckdb") as connection:
        connection.execute("CREATE TABLE beside.main.u AS SELECT n + 1 AS n FROM t")
    with dbapi.connect(duckdb=tmp_path / "beside.duckdb") as connection:
        assert connection.execute("SELECT n FROM u").fetchall() == [(2,)]
    with dbapi.connect(tmp_path / "db", read_only=True) as connection, pytest.raises(dbapi.NotSupportedError):
        connection.execute("DROP TABLE t")


def test_variables_around_a_statement_are_not_seen(connection: dbapi.Connection) -> None:
    import pyarrow as pa

    frame = pa.table({"n": [1]})
    with pytest.raises(dbapi.ProgrammingError):
        connection.execute("SELECT * FROM frame")
    connection.native.register("frame", frame)
    assert connection.execute("SELECT * FROM frame").fetchall() == [(1,)]
