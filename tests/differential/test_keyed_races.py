"""Writers that add the same new keys at the same time make one row of each, whatever the form of their statements."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Barrier
from typing import Any

import duckdb
import lance
import pyarrow as pa
import pytest

import lancesql
from lancesql.storage.writes import next_version

from .conftest import NIGHTLY
from .processes import PROCESSES

WRITERS, ROUNDS = (3, 80) if NIGHTLY else (2, 12)
OWN = 10_000
"""Keys from here on are those of one writer alone."""

KEYS = {
    "BIGINT": ("k BIGINT", "{n}"),
    "VARCHAR": ("k VARCHAR", "'k' || {n}"),
    "DATE": ("k DATE", "(DATE '2020-01-01' + ({n})::INTEGER)"),
    "DOUBLE": ("k DOUBLE", "({n} + 0.5)"),
    "VARCHAR, DATE": ("k VARCHAR, d DATE", "'k', (DATE '2020-01-01' + ({n})::INTEGER)"),
    "BIGINT, INTEGER": ("k BIGINT, d INTEGER", "({n} % 3), {n}"),
}
STARTS = {
    "empty": (),
    "rows": ("INSERT INTO t SELECT {row}, 0 FROM range(5000, 5100) r(i)",),
    "duplicates": ("INSERT INTO t SELECT {row}, 0 FROM range(5000, 5100) r(i)", "INSERT INTO t SELECT * FROM t"),
    "index": ("INSERT INTO t SELECT {row}, 0 FROM range(5000, 5100) r(i)", "CREATE INDEX ON t (k) USING BTREE"),
}
CASES = [(key, start) for key in KEYS for start in STARTS]
FEW = [("BIGINT", "empty"), ("VARCHAR", "duplicates"), ("DATE", "index"), ("VARCHAR, DATE", "rows")]
FORMS = {
    "count": ("INSERT INTO t ({names}, x) VALUES ({key}, 1) ON CONFLICT DO UPDATE SET x = t.x + excluded.x", 1),
    "once": ("INSERT INTO t ({names}, x) VALUES ({key}, 0) ON CONFLICT DO NOTHING", 0),
    "merge": ("MERGE INTO t USING ({source}) s USING ({names}) {upsert}", 1),
    "delete": ("MERGE INTO t USING ({source} UNION ALL SELECT {own}, -1) s USING ({names}) {gone} {upsert}", 1),
    "sweep": ("MERGE INTO t USING ({source}) s USING ({names}) {upsert} {left} AND t.x = {mine} THEN DELETE", 1),
}
"""Statements, and what they add to `x` of their key."""
CLAUSES = {
    "upsert": "WHEN MATCHED THEN UPDATE SET x = t.x + s.x WHEN NOT MATCHED THEN INSERT BY NAME",
    "gone": "WHEN MATCHED AND s.x < 0 THEN DELETE",
    "left": "WHEN NOT MATCHED BY SOURCE",
}


def name_columns(kind: str) -> str:
    return ", ".join(one.split()[0] for one in KEYS[kind][0].split(", "))


def write(folder: str, number: int, kind: str, barrier: Barrier, sender: Connection) -> None:
    """Writes a key a round, at the same time as the others; what it has added to which."""
    choose, told = random.Random(number), []
    names, value = name_columns(kind), KEYS[kind][1]
    with lancesql.connect(folder) as db:
        for one in range(ROUNDS):
            form, adds = FORMS[choose.choice(list(FORMS))]
            key, own, mine = value.format(n=one), value.format(n=OWN + one * 10 + number), -10 - number
            source = f"SELECT {aliased(key, names)}, 1::BIGINT AS x"
            db.execute(f"INSERT INTO t SELECT {own}, {mine}")
            barrier.wait(60)
            db.execute(form.format(names=names, key=key, own=own, mine=mine, source=source, **CLAUSES))
            told.append((one, adds))
            db.execute("DELETE FROM t WHERE x = $mine", {"mine": mine})
    sender.send(told)


def aliased(values: str, names: str) -> str:
    parts = values.split(", ", names.count(","))
    return ", ".join(f"{part} AS {name}" for part, name in zip(parts, names.split(", "), strict=True))


@pytest.mark.parametrize(("kind", "start"), CASES if NIGHTLY else FEW, ids=lambda one: one)
def test_each_key_is_there_once_and_nothing_is_lost(kind: str, start: str, tmp_path: Path) -> None:
    names, value = name_columns(kind), KEYS[kind][1]
    with lancesql.connect(tmp_path) as db:
        db.execute(f"CREATE TABLE t ({KEYS[kind][0]}, x BIGINT, PRIMARY KEY ({names}))")
        for statement in STARTS[start]:
            db.execute(statement.format(row=value.format(n="i")))
        before = db.sql("SELECT count(*) FROM t").fetchall()[0][0]
        barrier = PROCESSES.Barrier(WRITERS)
        ends = [PROCESSES.Pipe(duplex=False) for _ in range(WRITERS)]
        writers = [
            PROCESSES.Process(target=write, args=(str(tmp_path), number, kind, barrier, sender))
            for number, (_, sender) in enumerate(ends)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert [writer.exitcode for writer in writers] == [0] * WRITERS
        added = Counter[int]()
        for receiver, _ in ends:
            for one, adds in receiver.recv():
                added[one] += adds
        assert db.sql("SELECT count(*) FROM t").fetchall() == [(before + ROUNDS,)]
        for one in range(ROUNDS):
            key = f"({value.format(n=one)})"
            assert db.sql(f"SELECT x FROM t WHERE ({names}) = {key}").fetchall() == [(added[one],)], one


STATEMENTS = {
    "upsert": "INSERT INTO t (id, x) SELECT interfere(i), 1 FROM range(2, 6) r(i)"
    " ON CONFLICT (id) DO UPDATE SET x = t.x + excluded.x",
    "new keys": "INSERT INTO t (id, x) SELECT interfere(i), 1 FROM range(4, 6) r(i) ON CONFLICT (id) DO NOTHING",
    "merge": "MERGE INTO t USING (SELECT interfere(i) AS id, 1 AS x FROM range(2, 6) r(i)) s USING (id)"
    " WHEN MATCHED AND t.id = 3 THEN DELETE WHEN MATCHED THEN UPDATE SET x = t.x + s.x"
    " WHEN NOT MATCHED THEN INSERT BY NAME",
    "sweep": "MERGE INTO t USING (SELECT interfere(i) AS id, 1 AS x FROM range(2, 6) r(i)) s USING (id)"
    " WHEN NOT MATCHED BY SOURCE AND t.id < 2 THEN DELETE WHEN NOT MATCHED THEN INSERT BY NAME",
}
MEANWHILE = {
    "nothing": [],
    "another row": ["INSERT INTO t VALUES (9, 9)"],
    "an upsert of others": ["INSERT INTO t VALUES (9, 9) ON CONFLICT (id) DO UPDATE SET x = 7"],
    "many rows": [f"INSERT INTO t VALUES ({key}, 9)" for key in range(20, 24)],
    "another row changed": ["UPDATE t SET x = 8 WHERE id = 0", "UPDATE t SET x = 9 WHERE id = 0"],
    "a key that came and went": ["INSERT INTO t VALUES (4, 9)", "DELETE FROM t WHERE id = 4"],
    "an index": ["CREATE INDEX i ON t (id)"],
    "a row deleted": ["DELETE FROM t WHERE id = 3"],
    "a row changed": ["UPDATE t SET x = 8 WHERE id = 2"],
    "a new key": ["INSERT INTO t VALUES (4, 9)"],
    "a new key by an upsert": ["INSERT INTO t VALUES (5, 9), (9, 9) ON CONFLICT (id) DO UPDATE SET x = 7"],
    "a new key that changed": ["INSERT INTO t VALUES (4, 9)", "UPDATE t SET x = 8 WHERE id = 4"],
    "a row became another": ["UPDATE t SET id = 4 WHERE id = 1"],
    "all rows deleted": ["DELETE FROM t"],
    "a column": ["ALTER TABLE t ADD COLUMN y BIGINT DEFAULT 5"],
    "a compaction": ["INSERT INTO t VALUES (9, 9)", "OPTIMIZE t"],
    "a row that was gone": ["RESTORE TABLE t TO VERSION 3"],
    "another table": ["CREATE OR REPLACE TABLE t (id BIGINT PRIMARY KEY, x BIGINT)"],
}
"""What another does between the reading and the commit."""
OF_DUCKDB = {
    "a compaction": ["INSERT INTO t VALUES (9, 9)"],
    "a row that was gone": ["INSERT INTO t VALUES (4, 0)"],
}
UNHARMED = list(MEANWHILE)[:7]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database to be copied where it is written to."""
    folder = tmp_path_factory.mktemp("keyed")
    with lancesql.connect(folder) as db:
        db.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, x BIGINT)")
        db.execute("INSERT INTO t VALUES (0, 0), (1, 0)")
        db.execute("INSERT INTO t VALUES (2, 0), (3, 0), (4, 0)")
        db.execute("DELETE FROM t WHERE id = 4")
    return folder


@pytest.fixture
def pair(
    written: Path, tmp_path: Path
) -> Iterator[tuple[lancesql.Connection, lancesql.Connection, list[str], list[int]]]:
    """A connection, another to the same database, what the other does meanwhile, and what was read."""
    own, todo, read = duckdb.connect(), list[str](), list[int]()
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    with lancesql.connect(tmp_path, duckdb=own) as db, lancesql.connect(tmp_path) as other:

        def interfere(value: int) -> int:
            read.append(value)
            while todo:
                other.execute(todo.pop(0))
            return value

        own.create_function("interfere", interfere, ["BIGINT"], "BIGINT", side_effects=True)
        yield db, other, todo, read
    own.close()


def read_rows(db: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = db.sql("SELECT id, x FROM t ORDER BY ALL").fetchall()
    return rows


@pytest.fixture(scope="module")
def expected() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as expected:
        yield expected


def answer_of_duckdb(expected: duckdb.DuckDBPyConnection, statements: list[str]) -> list[tuple[Any, ...]]:
    expected.execute("CREATE OR REPLACE TABLE t (id BIGINT PRIMARY KEY, x BIGINT)")
    expected.execute("INSERT INTO t VALUES (0, 0), (1, 0), (2, 0), (3, 0)")
    for one in statements:
        expected.execute(one)
    return read_rows(expected)


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_that_was_overtaken_has_its_place(
    pair: Any, expected: duckdb.DuckDBPyConnection, statement: str, meanwhile: str
) -> None:
    """The rows are those of DuckDB, where one runs after the other; what does not matter is not read again."""
    db, _, todo, read = pair
    todo += MEANWHILE[meanwhile]
    db.execute(STATEMENTS[statement])
    own, others = STATEMENTS[statement].replace("interfere", ""), OF_DUCKDB.get(meanwhile, MEANWHILE[meanwhile])
    answers = [answer_of_duckdb(expected, [*others, own])]
    if meanwhile in ("a row deleted", "all rows deleted"):
        answers.append(answer_of_duckdb(expected, [own, *others]))
    assert read_rows(db) in answers
    times = len(read) // len(set(read))
    if (meanwhile, statement) != ("another row changed", "sweep"):
        assert times == 1 if meanwhile in UNHARMED else times == 2 if "new key" in meanwhile else times <= 2


@pytest.mark.parametrize("statement", STATEMENTS)
def test_another_program_that_upserts_meanwhile(pair: Any, statement: str, tmp_path: Path) -> None:
    db, other, todo, _ = pair

    def upsert(_: str) -> None:
        dataset = lance.dataset(tmp_path / "t.lance")
        rows = pa.table({"id": [4, 30], "x": [50, 50]}, schema=dataset.schema)
        dataset.merge_insert(["id"]).when_matched_update_all().when_not_matched_insert_all().execute(rows)

    other.execute = upsert
    todo.append("")
    db.execute(STATEMENTS[statement])
    found = dict(read_rows(db))
    assert len(found) == len(read_rows(db))
    assert found[4] == {"upsert": 51, "merge": 51}.get(statement, 50)
    assert (found[5], found[30]) == (1, 50)


def test_another_program_that_upserts_at_the_last_moment(
    pair: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the last look at the table, and before Lance begins the commit that it lets pass beside such an upsert."""
    db, _, _, _ = pair
    commit, times = next_version.NextVersion.commit, []

    def come_between(*arguments: Any) -> None:
        times.append(len(times))
        if len(times) == 1:
            dataset = lance.dataset(tmp_path / "t.lance")
            rows = pa.table({"id": [5, 30], "x": [50, 50]}, schema=dataset.schema)
            dataset.merge_insert(["id"]).when_not_matched_insert_all().execute(rows)
        commit(*arguments)

    monkeypatch.setattr(next_version.NextVersion, "commit", come_between)
    db.execute("INSERT INTO t VALUES (1, 1), (5, 1) ON CONFLICT (id) DO UPDATE SET x = t.x + excluded.x")
    assert read_rows(db) == [(0, 0), (1, 1), (2, 0), (3, 0), (5, 51), (30, 50)]
    assert times == [0]


@pytest.mark.parametrize("updates", [True, False])
@pytest.mark.parametrize("key", [True, False])
def test_a_merge_that_empties_fragments_and_adds_a_row(tmp_path: Path, key: bool, updates: bool) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute(f"CREATE TABLE t (id BIGINT{' PRIMARY KEY' if key else ''}, x BIGINT)")
        for one in range(5):
            db.execute(f"INSERT INTO t VALUES ({one}, 0)")
        ids = dict(db.sql("SELECT id, _rowid FROM t").fetchall())
        matched = "WHEN MATCHED THEN UPDATE SET x = 7" if updates else ""
        merge = f"MERGE INTO t USING (VALUES (9, 1), (4, 1)) s(id, x) USING (id) {matched} WHEN NOT MATCHED THEN INSERT"
        db.execute(f"{merge} WHEN NOT MATCHED BY SOURCE AND t.id < 3 THEN DELETE")
        assert db.sql("SELECT id, x FROM t ORDER BY id").fetchall() == [(3, 0), (4, 7 if updates else 0), (9, 1)]
        now = dict(db.sql("SELECT id, _rowid FROM t").fetchall())
        assert (now[3], now[4]) == (ids[3], ids[4])
        assert now[9] not in ids.values()
        db.execute("MERGE INTO t USING (VALUES (8, 1)) s(id, x) USING (id) WHEN NOT MATCHED THEN INSERT"
                   " WHEN NOT MATCHED BY SOURCE THEN DELETE")  # fmt: skip
        assert db.sql("SELECT id, x FROM t").fetchall() == [(8, 1)]


@pytest.mark.parametrize("most", [1, 1000])
def test_rows_in_many_parts_keep_their_ids(tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lancesql.storage.writes.part_buffer._MOST", most)
    monkeypatch.setattr("lancesql.execution.commands.changes._BATCH_BYTES", 1)
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, x BIGINT)")
        db.execute("INSERT INTO t SELECT i, 0 FROM range(5000) r(i)")
        ids = dict(db.sql("SELECT id, _rowid FROM t").fetchall())
        changed = db.sql(
            "INSERT INTO t SELECT i * 2, i FROM range(5000) r(i)"
            " ON CONFLICT (id) DO UPDATE SET x = excluded.x RETURNING x"
        )
        assert sorted(changed.fetchall()) == [(one,) for one in range(5000)]
        rows = db.sql("SELECT id, x, _rowid FROM t").fetchall()
        expected = [(one, 0 if one % 2 else one // 2) for one in range(5000)]
        assert sorted(row[:2] for row in rows) == [*expected, *((one, one // 2) for one in range(5000, 10000, 2))]
        assert all(ids[one] == row_id for one, _, row_id in rows if one in ids)
        assert len({row_id for _, _, row_id in rows}) == 7500
        assert db.sql("SELECT max(version) FROM (SHOW VERSIONS ON t)").fetchall() == [(3,)]


@pytest.mark.parametrize("place", ["t AT (BRANCH => 'b')", "c"])
def test_a_branch_and_a_clone_are_tables_of_their_own(pair: Any, tmp_path: Path, place: str) -> None:
    db, other, todo, read = pair
    other.execute("CREATE TABLE c SHALLOW CLONE t" if place == "c" else "CREATE BRANCH b ON t")
    kept = lance.dataset(tmp_path / "t.lance").schema
    upsert = f"INSERT INTO {place} SELECT interfere(i), 1 FROM range(3, 6) r(i) ON CONFLICT (id) DO"
    todo += ["INSERT INTO t VALUES (4, 9)", f"INSERT INTO {place} VALUES (20, 20)"]
    db.execute(f"{upsert} NOTHING")
    assert len(read) == len(set(read))
    todo += ["INSERT INTO t VALUES (6, 9)", f"INSERT INTO {place} VALUES (6, 50)"]
    db.execute(f"{upsert.replace('6)', '7)')} UPDATE SET x = excluded.x + {place[0]}.x")
    assert sorted(db.sql(f"SELECT id, x FROM {place}").fetchall()) == [
        (0, 0), (1, 0), (2, 0), (3, 1), (4, 2), (5, 2), (6, 51), (20, 20)
    ]  # fmt: skip
    assert read_rows(db) == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 9), (6, 9)]
    written = lance.dataset(tmp_path / ("c.lance" if place == "c" else "t.lance/tree/b"))
    assert written.schema.equals(kept, check_metadata=True)
