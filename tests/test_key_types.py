"""Primary keys of every type: upserts of the same new key, at the same time, make one row."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

import lancesql

KEYS = {
    "INT": ("k INT PRIMARY KEY", "{n}"),
    "SMALLINT": ("k SMALLINT PRIMARY KEY", "{n}"),
    "DECIMAL": ("k DECIMAL(10, 2) PRIMARY KEY", "{n}.25"),
    "DOUBLE": ("k DOUBLE PRIMARY KEY", "{n}.5"),
    "DATE": ("k DATE PRIMARY KEY", "DATE '2020-01-01' + {n}"),
    "TIMESTAMPTZ": ("k TIMESTAMPTZ PRIMARY KEY", "'2020-01-01 00:00:0{n}+00'"),
    "UUID": ("k UUID PRIMARY KEY", "'00000000-0000-0000-0000-00000000000{n}'"),
    "BLOB": ("k BLOB PRIMARY KEY", "'{n}'::BLOB"),
    "VARCHAR, DATE": ("k VARCHAR, d DATE, PRIMARY KEY (k, d)", "'k', DATE '2020-01-01' + {n}"),
}


@pytest.mark.parametrize("kind", KEYS)
def test_writers_of_the_same_new_keys_make_one_row_each(kind: str, tmp_path: Path) -> None:
    columns, value = KEYS[kind]
    with lancesql.connect(tmp_path) as db:
        db.execute(f"CREATE TABLE t ({columns.replace('PRIMARY KEY (', 'n INT, PRIMARY KEY (')}"
                   f"{'' if 'PRIMARY KEY (' in columns else ', n INT'})")  # fmt: skip
        names = db.sql("SELECT list(column_name) FROM (DESCRIBE t)").fetchall()[0][0]
        key = ", ".join(name for name in names if name != "n")
        failed: list[BaseException] = []

        def write(writer: int) -> None:
            try:
                with lancesql.connect(tmp_path) as own:
                    for n in range(3):
                        row = f"INSERT INTO t ({key}, n) VALUES ({value.format(n=n)}, {writer})"
                        own.execute(f"{row} ON CONFLICT DO UPDATE SET n = excluded.n")
            except BaseException as error:  # noqa: BLE001 - told by the test
                failed.append(error)

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert failed == []
        assert db.sql(f"SELECT count(*), count(DISTINCT ({key})) FROM t").fetchall() == [(3, 3)]


def test_such_an_upsert_keeps_ids_indexes_and_what_others_changed(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t (d DATE PRIMARY KEY, n INT, v FLOAT[2])")
        db.execute("INSERT INTO t SELECT DATE '2020-01-01' + i::INT, i, [i, 1] FROM range(100) r(i)")
        db.execute("INSERT INTO t SELECT DATE '2020-01-01' + i::INT, i, [i, 1] FROM range(100, 110) r(i)")
        db.execute("CREATE INDEX ON t (n) USING BTREE")
        db.execute("CREATE INDEX ON t (v) USING IVF_FLAT WITH (num_partitions = 2)")
        db.execute("DELETE FROM t WHERE n IN (3, 4)")
        ids = dict(db.sql("SELECT n, _rowid FROM t").fetchall())
        merged = db.sql("""
            MERGE INTO t USING (SELECT DATE '2020-01-01' + i::INT AS d, -i AS n, [i, -5] AS v
                                FROM range(1, 300, 50) r(i)) AS s
            USING (d) WHEN MATCHED AND s.n = -51 THEN DELETE
            WHEN MATCHED THEN UPDATE SET n = s.n, v = s.v WHEN NOT MATCHED THEN INSERT (d, n, v) VALUES (s.d, s.n, s.v)
        """)
        assert merged.fetchall() == [(6,)]
        wanted = sorted([*(i for i in range(110) if i not in (1, 3, 4, 51, 101)), -1, -101, -151, -201, -251])
        assert [row[0] for row in db.sql("SELECT n FROM t ORDER BY n").fetchall()] == wanted
        assert db.sql("SELECT n FROM t WHERE n < 0 OR n = 1 OR n = 51 ORDER BY n").fetchall() == [
            (n,) for n in wanted if n < 0
        ]
        now = dict(db.sql("SELECT n, _rowid FROM t").fetchall())
        assert all(now[n] == row_id for n, row_id in ids.items() if n in now)
        assert (now[-1], now[-101]) == (ids[1], ids[101])
        assert len(set(now.values())) == len(now)
        assert db.sql("SELECT n FROM vector_search('t', [101, -5], k => 1)").fetchall() == [(-101,)]
        assert db.sql("SELECT n FROM vector_search('t', [51, 1], k => 1) WHERE n = 52").fetchall() == [(52,)]
        assert db.sql("SELECT d FROM t WHERE n = -251").fetchall() == [(dt.date(2020, 9, 8),)]
        assert db.sql("SELECT max_by(operation, version) FROM (SHOW VERSIONS ON t)").fetchall() == [("MERGE",)]
        db.execute("OPTIMIZE t")
        assert [row[0] for row in db.sql("SELECT n FROM t ORDER BY n").fetchall()] == wanted
        assert db.sql("SELECT n FROM t WHERE n = -151").fetchall() == [(-151,)]
