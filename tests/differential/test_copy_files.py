"""COPY: a table comes back from each format as it went, and a file is read as DuckDB's own COPY reads it."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql
from lancesql import LanceSQLError

from .conftest import DIFFERENTIAL, scaled

FORMATS = ("csv", "json", "parquet", "arrow", "lance")
COLUMNS = """
    id BIGINT PRIMARY KEY, small TINYINT, huge UBIGINT, price DECIMAL(10, 2), exact DECIMAL(38, 9), real FLOAT,
    double DOUBLE, ok BOOLEAN, text VARCHAR, bytes BLOB, day DATE, clock TIME, moment TIMESTAMP, zoned TIMESTAMPTZ,
    nanos TIMESTAMP_NS, millis TIMESTAMP_MS, tags VARCHAR[], pair STRUCT(x INTEGER, y VARCHAR), vector FLOAT[3],
    half HALF[2], wide DOUBLE[2], bits UTINYINT[4]
"""
ROWS = r"""
    SELECT i, i % 100 - 50, 18446744073709551615 - i, i / 3, 12345678901234567890.123456789, i / 7, 1e300 / (i + 1),
           i % 2 = 0, [NULL, '', 'a "quoted", text' || chr(10) || 'of ' || i, 'naïve ☃', ' spaces '][1 + i % 5],
           '\xAB\x00'::BLOB, DATE '1969-12-31' + i::INTEGER, TIME '12:00:01.5', TIMESTAMP '2020-03-29 02:30:00.000001',
           TIMESTAMPTZ '2020-10-25 01:30:00+02' + INTERVAL (i) HOUR, '2020-01-01 00:00:00.123456789'::TIMESTAMP_NS,
           '2020-01-01 00:00:00.123'::TIMESTAMP_MS, [['a,b', 'c"d', NULL, ''], NULL, []][1 + i % 3],
           {'x': i, 'y': 'it''s'}, if(i % 4 > 0, [sin(i), 1e-30, i], NULL)::FLOAT[3], [0.1, i],
           [pi(), i]::DOUBLE[2], [i % 256, 0, 255, 1]
    FROM range(60) AS r(i)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[lancesql.Connection, Path]]:
    folder = tmp_path_factory.mktemp("copies")
    with lancesql.connect(folder / "db") as db:
        db.execute("SET TimeZone = 'Europe/Berlin'")
        db.execute(f"CREATE TABLE t ({COLUMNS})")
        db.execute(f"INSERT INTO t {ROWS}")
        yield db, folder


@pytest.mark.parametrize("format_", FORMATS)
def test_a_table_comes_back_as_it_went(files: tuple[lancesql.Connection, Path], format_: str) -> None:
    db, folder = files
    path = folder / f"out.{format_}"
    reading = "(FORMAT csv, ALLOW_QUOTED_NULLS false)" if format_ == "csv" else f"(FORMAT {format_})"
    written = db.sql(f"COPY t TO '{path}' (FORMAT {format_})").fetchall() or [(60,)]  # DuckDB 1 does not count
    db.execute("SET TimeZone = 'America/Lima'")
    db.execute(f"CREATE OR REPLACE TABLE back ({COLUMNS})")
    versions = len(db.sql("SHOW VERSIONS ON back").fetchall())
    assert written == db.sql(f"COPY back FROM '{path}' {reading}").fetchall() == [(60,)]
    db.execute("SET TimeZone = 'Europe/Berlin'")
    before, after = (db.sql(f"SELECT * FROM {name} ORDER BY id").to_arrow() for name in ("t", "back"))
    assert after.schema.types == before.schema.types
    rounded = format_ == "json" and duckdb.__version__ < "2"  # DuckDB 1 reads a number of JSON as a DOUBLE
    for name in before.column_names:
        if rounded and name == "exact":
            continue
        assert after.column(name).to_pylist() == before.column(name).to_pylist(), name
    assert len(db.sql("SHOW VERSIONS ON back").fetchall()) == versions + 1


@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_a_file_is_the_one_that_duckdb_writes(files: tuple[lancesql.Connection, Path], format_: str) -> None:
    db, folder = files
    ours, theirs = folder / f"ours.{format_}", folder / f"theirs.{format_}"
    engine = duckdb.connect()
    engine.execute("SET TimeZone = 'Europe/Berlin'")
    engine.execute(f"CREATE TABLE t ({COLUMNS.replace('HALF', 'FLOAT')})")
    engine.execute(f"INSERT INTO t {ROWS}")
    rounded = "* REPLACE ([round(half[1], 2)::FLOAT, half[2]]::FLOAT[2] AS half)"  # of float16
    query = f"SELECT {rounded} FROM t WHERE id < 50 ORDER BY id"
    db.execute(f"COPY ({query}) TO '{ours}'")
    engine.execute(f"COPY ({query}) TO '{theirs}'")
    if format_ == "parquet":
        read = [engine.execute(f"FROM '{path}'").fetchall() for path in (ours, theirs)]
        assert read[0] == read[1]
    else:
        assert ours.read_bytes() == theirs.read_bytes()


FIELDS = {
    "INTEGER": st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)),
    "VARCHAR": st.one_of(st.none(), st.text(alphabet="ab ,;|\"'\n\\0é", max_size=6)),
    "DOUBLE": st.one_of(st.none(), st.floats(allow_nan=False)),
    "DECIMAL(9, 2)": st.one_of(st.none(), st.decimals(-1000, 1000, places=2)),
    "DATE": st.one_of(st.none(), st.dates(dt.date(1800, 1, 1), dt.date(2200, 1, 1))),
    "FLOAT[2]": st.one_of(st.none(), st.lists(st.integers(-9, 9), min_size=2, max_size=2)),
    "VARCHAR[]": st.one_of(st.none(), st.lists(st.text(alphabet="ab ", max_size=3), max_size=2)),
}


@settings(DIFFERENTIAL, max_examples=scaled(25))
@given(data=st.data())
def test_csv_is_read_as_duckdb_reads_it(files: tuple[lancesql.Connection, Path], data: st.DataObject) -> None:
    db, folder = files
    types = data.draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=4))
    rows = data.draw(st.lists(st.tuples(*[FIELDS[type_] for type_ in types]), max_size=6))
    header, delimiter = data.draw(st.booleans()), data.draw(st.sampled_from(",;|"))
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        writer.writerows([[f"c{at}" for at in range(len(types))]] if header else [])
        writer.writerows([["" if value is None else value for value in row] for row in rows])
    options = f"(FORMAT csv, HEADER {header}, DELIMITER '{delimiter}', QUOTE '\"', ESCAPE '\"')"
    definition = ", ".join(f"c{at} {type_}" for at, type_ in enumerate(types))
    engine = duckdb.connect()
    engine.execute(f"CREATE TABLE c ({definition})")
    db.execute(f"CREATE OR REPLACE TABLE c ({definition})")
    expected: Any = "refused"
    with contextlib.suppress(duckdb.Error):
        engine.execute(f"COPY c FROM '{path}' {options}")
        expected = engine.execute("FROM c").fetchall()
    found: Any = "refused"
    with contextlib.suppress(LanceSQLError):
        db.execute(f"COPY c FROM '{path}' {options}")
        found = db.sql("SELECT * FROM c").fetchall()
    assert found != "refused" or db.sql("SELECT count(*) FROM c").fetchall() == [(0,)]
    assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("id,small\n1,1\n2,1.5\n", "id, small"),
        ("id,small\n1,1\n2,128\n", "id, small"),
        ("id,price\n1,1\n2,1.239\n", "id, price"),
        ("id,price\n1,1\n2,123456789\n", "id, price"),
        ("id\n1\n\n", "id"),
        ("small,id\n1,1\n", "id, small"),
        ("id,small,price\n1,1,1\n", "id, small"),
        ('id,vector\n1,"[1, 2, 3]"\n2,"[1, 2]"\n', "id, vector"),
        ('id,half\n1,"[1, 2]"\n2,"[1, 70000]"\n', "id, half"),
        ("id,ok\n1,true\n2,maybe\n", "id, ok"),
        ("id,text\n" + "1,a\n" * 30_000 + "x,b\n", "id, text"),
        ("id,small\n1,1\n2,99\n", "id, small"),
    ],
)
def test_a_file_that_does_not_fit_changes_nothing(tmp_path: Path, text: str, columns: str) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute(f"CREATE TABLE t ({COLUMNS}, CHECK (small < 99))")
        db.execute("INSERT INTO t (id) VALUES (0)")
        (tmp_path / "rows.csv").write_text(text)
        before = db.sql("SHOW VERSIONS ON t").fetchall()
        with pytest.raises(LanceSQLError) as caught:
            db.execute(f"COPY t ({columns}) FROM '{tmp_path / 'rows.csv'}' (HEADER)")
        assert "Traceback" not in str(caught.value)
        assert db.sql("SHOW VERSIONS ON t").fetchall() == before
        assert db.sql("SELECT id FROM t").fetchall() == [(0,)]


def test_what_the_file_leaves_out_is_made(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('{"id": 1}\n{"id": 2, "n": null, "other": 5}\n')
    (tmp_path / "rows.csv").write_text("3\n4\n")
    with lancesql.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE t (id INT, n INT DEFAULT 7, text VARCHAR DEFAULT 'four', vector FLOAT[1])")
        db.register_embedding("t", "vector", lambda texts: [[len(text)] for text in texts], source="text")
        db.execute(f"COPY t (id, n) FROM '{tmp_path / 'rows.json'}'")
        db.execute(f"COPY t (id) FROM '{tmp_path / 'rows.csv'}'")
        (tmp_path / "texts.csv").write_text("5,three\n")
        db.execute(f"COPY t (id, text) FROM '{tmp_path / 'texts.csv'}'")
        rows = db.sql("SELECT id, n, text, vector FROM t ORDER BY id").fetchall()
    assert rows[:2] == [(1, None, "four", None), (2, None, "four", None)]  # a file of JSON gives NULL for what it lacks
    assert rows[2:] == [(3, 7, "four", None), (4, 7, "four", None), (5, 7, "three", (5.0,))]


@pytest.mark.parametrize("target", ["out.lance", "out.arrow", "out.parquet", "out.csv"])
def test_a_query_that_fails_leaves_what_was_there(tmp_path: Path, target: str) -> None:
    path = tmp_path / target
    failing = "SELECT i, CASE WHEN i = 150000 THEN error('stop') END AS x FROM range(200000) r(i)"
    overwrite = "(OVERWRITE)" if target.endswith("lance") else ""
    with lancesql.connect(tmp_path / "db") as db:
        with pytest.raises(LanceSQLError, match="stop"):
            db.execute(f"COPY ({failing}) TO '{path}'")
        if target in ("out.lance", "out.arrow"):
            assert sorted(one.name for one in tmp_path.iterdir()) in (["db"], [])
        db.execute(f"COPY (SELECT 5 AS x) TO '{path}' {overwrite}")
        with pytest.raises(LanceSQLError, match="stop"):
            db.execute(f"COPY ({failing}) TO '{path}' {overwrite}")
        if target in ("out.lance", "out.arrow"):
            db.execute("CREATE TABLE t (x INT)")
            assert db.sql(f"COPY t FROM '{path}'").fetchall() == [(1,)]
            assert db.sql("SELECT x FROM t").fetchall() == [(5,)]


def test_a_lance_table_is_replaced_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "out.lance"
    with lancesql.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE t AS SELECT i AS id, [i, 1]::FLOAT[2] AS vector FROM range(5) r(i)")
        assert db.sql(f"COPY t TO '{path}'").fetchall() == [(5,)]
        with pytest.raises(LanceSQLError, match="exists already"):
            db.execute(f"COPY t TO '{path}'")
        assert db.sql(f"COPY (SELECT * FROM t LIMIT 2) TO '{path}' (APPEND)").fetchall() == [(2,)]
        assert db.sql(f"SELECT count(*) FROM '{path}'").fetchall() == [(7,)]
        assert db.sql(f"COPY (SELECT id FROM t WHERE id > 2) TO '{path}' (MODE overwrite)").fetchall() == [(2,)]
        assert db.sql(f"SELECT * FROM '{path}' ORDER BY id").fetchall() == [(3,), (4,)]
        assert db.sql(f"SELECT count(*) FROM '{path}' AT (VERSION => 2)").fetchall() == [(7,)]
        db.execute("CREATE TABLE old (id INT, vector FLOAT[2])")
        assert db.sql(f"COPY old FROM '{path}' (FORMAT lance, VERSION 2)").fetchall() == [(7,)]
    with lancesql.connect(tmp_path / "db", read_only=True) as db:
        with pytest.raises(LanceSQLError, match="reading only"):
            db.execute(f"COPY t TO '{tmp_path / 'other.lance'}'")
        with pytest.raises(LanceSQLError, match="reading only"):
            db.execute(f"COPY t FROM '{path}'")
        db.execute(f"COPY t TO '{tmp_path / 'other.csv'}'")


def test_tables_of_duckdb_are_copied_by_duckdb(tmp_path: Path) -> None:
    engine = duckdb.connect()
    engine.execute("CREATE TABLE own AS SELECT i AS id FROM range(3) r(i)")
    with lancesql.connect(tmp_path / "db", duckdb=engine) as db:
        db.execute("CREATE TABLE t AS SELECT i AS id FROM range(9) r(i)")
        db.execute(f"COPY own TO '{tmp_path / 'own.csv'}' CSV HEADER DELIMITER '|'")
        db.execute(f"COPY own FROM '{tmp_path / 'own.csv'}' (DELIM '|')")
        assert db.sql(f"COPY own TO '{tmp_path / 'own.lance'}'").fetchall() == [(6,)]
        db.execute(f"COPY own FROM '{tmp_path / 'own.lance'}'")
        parameters = {"few": 2, "path": str(tmp_path / "few.csv")}
        db.execute("COPY (SELECT id FROM t WHERE id < $few) TO $path (FORMAT csv)", parameters)
        assert db.sql("COPY t FROM $path (FORMAT csv)", {"path": parameters["path"]}).fetchall() == [(2,)]
        frame = pa.table({"id": [1, 2, 3]})
        db.execute(f"COPY frame TO '{tmp_path / 'frame.parquet'}'")
        assert db.sql(f"COPY t FROM '{tmp_path / 'frame.parquet'}'").fetchall() == [(len(frame),)]
        db.execute("CREATE VIEW few AS SELECT id FROM t WHERE id < 4")
        assert db.sql(f"COPY few TO '{tmp_path / 'view.arrow'}' (COMPRESSION zstd)").fetchall() == [(9,)]
        db.execute("BEGIN")
        db.execute(f"COPY own FROM '{tmp_path / 'own.lance'}'")
        db.execute("ROLLBACK")
        assert db.sql("SELECT count(*) FROM own").fetchall() == [(12,)]


def test_searches_are_copied(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE t AS SELECT i AS id, [i, 0]::FLOAT[2] AS vector FROM range(50) r(i)")
        query = "SELECT id, _distance FROM vector_search('t', $q, k => 3) WHERE id % 2 = 0 ORDER BY _distance"
        expected = db.sql(query, {"q": [20.4, 0]}).fetchall()
        db.execute(f"COPY ({query}) TO '{tmp_path / 'hits.json'}'", {"q": [20.4, 0]})
        assert db.sql(f"FROM '{tmp_path / 'hits.json'}'").fetchall() == [
            (number, pytest.approx(distance)) for number, distance in expected
        ]
        plan = db.explain(f"COPY ({query}) TO '{tmp_path / 'hits.csv'}'", {"q": [20.4, 0]})
        assert "VectorSearch t" in plan
        assert "COPY (SELECT id" in plan
        assert not (tmp_path / "hits.csv").exists()
        (tmp_path / "ids.csv").write_text("id\n1\n")
        assert "read_csv" in db.explain(f"COPY t (id) FROM '{tmp_path / 'ids.csv'}'")
        with pytest.raises(lancesql.LanceSQLError, match="No files found"):
            db.explain(f"COPY t (id) FROM '{tmp_path / 'nowhere.csv'}'")
