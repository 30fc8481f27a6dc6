"""Two processes that write the same table lose nothing and write nothing twice."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

import lancesql

from .conftest import NIGHTLY
from .processes import PROCESSES

STATEMENTS = 200 if NIGHTLY else 45
"""Of each of two writers."""
UPSERT = "WHEN MATCHED THEN UPDATE SET x = t.x + s.x WHEN NOT MATCHED THEN INSERT BY NAME"
SHARED, MET, ONCE, MERGED = range(4), range(100, 110), range(200, 210), range(300, 310)
KINDS = {
    "update": "UPDATE t SET x = x + 1 WHERE id = $id",
    "update of many": f"UPDATE t SET x = x + 1 WHERE id < {len(SHARED)}",
    "insert": "INSERT INTO t (id, x) VALUES ($id, 0)",
    "delete": "DELETE FROM t WHERE id = $id",
    "merge": f"MERGE INTO t USING (SELECT $id AS id, 5 AS x UNION ALL SELECT 2, 1) s USING (id) {UPSERT}",
}
KEYED = {
    "count": "INSERT INTO t (id, x) VALUES ($id, 1) ON CONFLICT (id) DO UPDATE SET x = t.x + excluded.x",
    "once": "INSERT INTO t (id, x) VALUES ($id, 7) ON CONFLICT DO NOTHING",
    "merge of a new key": f"MERGE INTO t USING (SELECT $id AS id, 1 AS x) s USING (id) {UPSERT}",
}
"""What two writers may do to a key that neither has written yet: the primary key keeps it from being there twice."""

UPKEEP = (
    "OPTIMIZE t",
    "CREATE OR REPLACE INDEX i_id ON t (id) USING BTREE",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS c AS x",
    "REINDEX t",
    "ALTER TABLE t DROP COLUMN IF EXISTS c",
)
"""What a third process does in turn, and changes no row by."""


def plan_work(number: int, *, keyed: bool) -> list[tuple[str, int]]:
    """What a writer does, in order: which statement, with which id."""
    choose = random.Random(number)
    work: list[tuple[str, int]] = []
    own: list[int] = []
    for one in range(STATEMENTS):
        kind = choose.choice([*KINDS, *(KEYED if keyed else ())])
        if kind == "delete" and not own:
            kind = "insert"
        row = 1000 * number + one
        if kind in ("insert", "merge"):
            own.append(row)
        elif kind == "delete":
            row = own.pop(choose.randrange(len(own)))
        elif kind in KEYED:
            row = choose.choice(dict(zip(KEYED, (MET, ONCE, MERGED), strict=True))[kind])
        elif kind == "update":
            row = choose.choice(SHARED)
        work.append((kind, row))
    return work


def expect(works: list[list[tuple[str, int]]]) -> Counter[tuple[int, int]]:
    """The rows that are there in the end: everything that two writers do to one row can be swapped."""
    rows: dict[int, int] = dict.fromkeys(SHARED, 0)
    for kind, row in (one for work in works for one in work):
        if kind == "update of many":
            for shared in SHARED:
                rows[shared] += 1
        elif kind == "merge":
            rows[2] += 1
            rows[row] = 5
        elif kind == "delete":
            del rows[row]
        else:
            added = {"insert": 0, "once": 7}.get(kind)
            rows[row] = rows.get(row, 0) + 1 if added is None else added
    return Counter(rows.items())


def write(folder: str, work: list[tuple[str, int]], sender: Connection) -> None:
    statements, done = KINDS | KEYED, []
    with lancesql.connect(folder) as db:
        for kind, row in work:
            given = {"id": row} if "$id" in statements[kind] else None
            done.append(db.sql(statements[kind], given).fetchall()[0][0])
    sender.send(done)


def keep(folder: str, receiver: Connection) -> None:
    """Keeps the table in order until it is told to end."""
    with lancesql.connect(folder) as db:
        while not receiver.poll():
            for statement in UPKEEP:
                with contextlib.suppress(lancesql.ConflictError):
                    db.execute(statement)


@pytest.mark.parametrize(
    ("keyed", "kept"), [(False, False), (True, False), (True, True)], ids=["plain", "primary key", "upkeep"]
)
def test_nothing_is_lost_and_nothing_is_written_twice(keyed: bool, kept: bool, tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute(f"CREATE TABLE t (id BIGINT{' PRIMARY KEY' if keyed else ''}, x BIGINT)")
        db.execute("INSERT INTO t SELECT i, 0 FROM range(4) r(i)")
        works = [plan_work(number, keyed=keyed) for number in (1, 2)]
        ends = [PROCESSES.Pipe(duplex=False) for _ in works]
        writers = [
            PROCESSES.Process(target=write, args=(str(tmp_path), work, sender))
            for work, (_, sender) in zip(works, ends, strict=True)
        ]
        stop = PROCESSES.Pipe(duplex=False)
        keeper = PROCESSES.Process(target=keep, args=(str(tmp_path), stop[0]))
        for process in (*writers, *([keeper] if kept else ())):
            process.start()
        for writer in writers:
            writer.join()
        stop[1].send("enough")
        if kept:
            keeper.join()
            assert keeper.exitcode == 0
        assert [writer.exitcode for writer in writers] == [0, 0]
        assert Counter(db.sql("SELECT id, x FROM t").fetchall()) == expect(works)
        answers = [receiver.recv() for receiver, _ in ends]
        told = [pair for work, counts in zip(works, answers, strict=True) for pair in zip(work, counts, strict=True)]
        for once in {row for (kind, row), _ in told if kind == "once"}:
            assert sum(count for one, count in told if one == ("once", once)) == 1
        many = {"update of many": len(SHARED), "merge": 2}
        assert all(count == many.get(kind, 1) for (kind, _), count in told if kind != "once")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[lancesql.Connection, lancesql.Connection, list[str]]]:
    """A connection, another to the same database, and what the other does while the first calls `interfere()`."""
    own, todo = duckdb.connect(), []
    with lancesql.connect(tmp_path, duckdb=own) as db, lancesql.connect(tmp_path) as other:

        def interfere(value: int) -> int:
            while todo:
                other.execute(todo.pop())
            return value

        own.create_function("interfere", interfere, ["BIGINT"], "BIGINT", side_effects=True)
        db.execute("CREATE TABLE t AS SELECT i AS id, 0 AS x FROM range(4) r(i)")
        yield db, other, todo
    own.close()


def read(db: lancesql.Connection) -> list[tuple[Any, ...]]:
    return db.sql("FROM t ORDER BY ALL").fetchall()


def test_a_conflict_is_an_error_of_ours_when_every_attempt_fails(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lancesql.execution.retries._ATTEMPTS", 1)
    db, _, todo = pair
    todo.append("UPDATE t SET x = 9")
    with pytest.raises(lancesql.ConflictError, match="somebody else changed the table meanwhile"):
        db.execute("UPDATE t SET x = interfere(id)")
    assert read(db) == [(0, 9), (1, 9), (2, 9), (3, 9)]


@pytest.mark.parametrize(
    ("statement", "meanwhile", "rows"),
    [
        ("UPDATE t SET x = x + interfere(1)", "UPDATE t SET x = 9", [(0, 10), (1, 10), (2, 10), (3, 10)]),
        (
            "UPDATE t SET x = x + interfere(1)",
            "ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 5",
            [(0, 1, 5), (1, 1, 5), (2, 1, 5), (3, 1, 5)],
        ),
        (
            "UPDATE t SET x = x + interfere(1)",
            "ALTER TABLE t ADD COLUMN c AS id + 1",
            [(0, 1, 1), (1, 1, 2), (2, 1, 3), (3, 1, 4)],
        ),
        ("DELETE FROM t WHERE x = interfere(0)", "INSERT INTO t VALUES (9, 9)", [(9, 9)]),
        ("UPDATE t SET x = interfere(1)", "OPTIMIZE t", [(0, 1), (1, 1), (2, 1), (3, 1)]),
        ("TRUNCATE t; INSERT INTO t SELECT 1, interfere(1)", "INSERT INTO t VALUES (9, 9)", [(1, 1), (9, 9)]),
        ("DELETE FROM t WHERE interfere(id) > x", "UPDATE t SET x = 2", [(0, 2), (1, 2), (2, 2)]),
        (
            "INSERT INTO t SELECT 9, interfere(9)",
            "ALTER TABLE t ADD COLUMN c INTEGER",
            [(0, 0, None), (1, 0, None), (2, 0, None), (3, 0, None), (9, 9, None)],
        ),
        (
            "INSERT INTO t (id) SELECT interfere(9)",
            "ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 5",
            [(0, 0, 5), (1, 0, 5), (2, 0, 5), (3, 0, 5), (9, None, 5)],
        ),
        ("INSERT INTO t (id) SELECT interfere(9)", "ALTER TABLE t DROP COLUMN x", [(0,), (1,), (2,), (3,), (9,)]),
        (
            "INSERT INTO t BY NAME SELECT interfere(9) AS id",
            "ALTER TABLE t ADD COLUMN c INTEGER NOT NULL DEFAULT 5",
            [(0, 0, 5), (1, 0, 5), (2, 0, 5), (3, 0, 5), (9, None, 5)],
        ),
        (
            "ALTER TABLE t ADD COLUMN c AS x + interfere(1)",
            "UPDATE t SET x = 9; DELETE FROM t WHERE id = 2",
            [(0, 9, 10), (1, 9, 10), (3, 9, 10)],
        ),
        (
            "ALTER TABLE t ADD COLUMN c AS x + interfere(1)",
            "INSERT INTO t VALUES (9, 9)",
            [(0, 0, 1), (1, 0, 1), (2, 0, 1), (3, 0, 1), (9, 9, 10)],
        ),
    ],
)
def test_what_is_overtaken_is_done_again(pair: Any, statement: str, meanwhile: str, rows: Any) -> None:
    db, _, todo = pair
    todo.append(meanwhile)
    db.execute(statement)
    assert read(db) == rows


def test_what_reads_a_stream_that_is_gone_is_not_done_again(pair: Any) -> None:
    db, _, todo = pair
    todo.append("UPDATE t SET x = 9")
    given = pa.table({"id": [0, 1, 7]})
    rows = given.to_reader()
    statement = (
        "MERGE INTO t USING {} s ON t.id = s.id WHEN MATCHED THEN UPDATE SET x = interfere(5)"
        " WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)"
    )
    with pytest.raises(lancesql.ConflictError, match="somebody else") as caught:
        db.execute(statement.format("rows"))
    assert "'rows' can be read only once" in (caught.value.hint or "")
    assert read(db) == [(0, 9), (1, 9), (2, 9), (3, 9)]
    todo.append("UPDATE t SET x = 8")
    db.execute(statement.format("given"))
    assert read(db) == [(0, 5), (1, 5), (2, 8), (3, 8), (7, None)]
    assert rows is not None
