"""Ctrl-C, Connection.interrupt, timeouts and bounds on rows stop a statement, and the connection goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import lancesql
from lancesql import QueryInterruptedError, QueryTimeoutError, RowLimitError

ROWS = 120_000
ENDLESS = "SELECT sum(sqrt(a.range * b.range)) FROM range(200000) a, range(200000) b"
JOINED = "SELECT sum(sqrt(a.id * b.range)) FROM points a, range(10000000) b"
STREAM = "SELECT a.id, b.range, sqrt(a.id * b.range) AS x FROM points a, range(1000000) b"
MANY = "SELECT id FROM vector_search('points', $q, k => 3, exact => true)"
WRITE = f"CREATE OR REPLACE TABLE copy AS {STREAM}"
QUERY = {"q": [1.0] * 16}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("interrupts") / "db"
    components = np.random.default_rng(1).normal(size=ROWS * 16).astype(np.float32)
    points = pa.table({"id": np.arange(ROWS), "vector": pa.FixedSizeListArray.from_arrays(pa.array(components), 16)})
    with lancesql.connect(path) as db:
        db.register("rows", points)
        db.execute("CREATE TABLE points AS SELECT * FROM rows")
    return path


@pytest.fixture(autouse=True)
def hear_control_c() -> Iterator[None]:
    """A shell has what it runs in the background ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def db(folder: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(folder) as db:
        yield db


def run_statement(db: lancesql.Connection, sql: str) -> None:
    if sql is STREAM:
        for _ in db.sql(sql).to_reader():
            pass
    while True:
        db.sql(sql, QUERY if "$q" in sql else None).fetchall()


def plan_again_and_again(db: lancesql.Connection) -> None:
    while True:
        db._engine.tables_named("points")


def check_usable(db: lancesql.Connection) -> None:
    assert db.sql("SELECT 40 + 2 AS answer").fetchall() == [(42,)]
    assert db.sql("SELECT count(*) FROM points WHERE id >= 10").fetchall() == [(ROWS - 10,)]
    assert len(db.sql(MANY, QUERY).fetchall()) == 3


def stop_later(db: lancesql.Connection, act: Callable[[], object], pause: float = 0.03) -> threading.Thread:
    """Acts once, when a statement runs."""

    def wait_and_act() -> None:
        while not any(watch._running for watch in db._watches.find_all()):
            threading.Event().wait(0.002)
        threading.Event().wait(pause)
        act()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


@pytest.mark.parametrize("sql", [ENDLESS, JOINED, STREAM, MANY, WRITE])
def test_another_thread_interrupts(db: lancesql.Connection, sql: str) -> None:
    thread = stop_later(db, db.interrupt)
    with pytest.raises(QueryInterruptedError, match="the statement was interrupted"):
        run_statement(db, sql)
    thread.join()
    check_usable(db)


@pytest.mark.parametrize("sql", [ENDLESS, JOINED, STREAM, MANY, WRITE])
def test_control_c(db: lancesql.Connection, sql: str) -> None:
    thread = stop_later(db, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        run_statement(db, sql)
    thread.join()
    check_usable(db)


def test_control_c_in_a_process_of_its_own(folder: Path) -> None:
    program = (
        f"import sys, lancesql; db = lancesql.connect({str(folder)!r})\n"
        f"print('begun', flush=True)\n"
        f"try: db.sql({JOINED!r}).fetchall()\n"
        f"except KeyboardInterrupt: print(db.sql('SELECT count(*) FROM points').fetchall())"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    threading.Event().wait(0.3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (out, process.returncode) == (f"[({ROWS},)]\n", 0)


def test_fifty_times_in_a_row_and_no_thread_is_left(db: lancesql.Connection) -> None:
    for turn in range(50):
        by_signal, over = turn % 2 == 0, threading.Event()

        def stop(by_signal: bool = by_signal, over: threading.Event = over) -> None:
            if by_signal:
                os.kill(os.getpid(), signal.SIGINT)
            while not by_signal and not over.wait(0.01):
                db.interrupt()  # what has not begun when it is called, it does not stop

        thread = stop_later(db, stop, 0.002 * (turn % 5))
        with pytest.raises(KeyboardInterrupt if by_signal else QueryInterruptedError):
            run_statement(db, ENDLESS)
        over.set()
        thread.join()
        assert db.sql("SELECT 1").fetchall() == [(1,)]
    threading.Event().wait(0.1)
    names = [one.name for one in threading.enumerate()]
    assert names.count("lancesql-worker") <= 5
    assert names.count("lancesql-listener") <= 1
    assert names.count("lancesql-interrupter") == 0


class AlarmError(Exception):
    """What a handler of the user's raises."""


def test_a_handler_of_the_users_is_left_alone(db: lancesql.Connection) -> None:
    def sound(number: int, frame: object) -> None:
        raise AlarmError

    before = signal.signal(signal.SIGINT, sound)
    try:
        thread = stop_later(db, lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(AlarmError):
            run_statement(db, ENDLESS)
        thread.join()
        assert signal.getsignal(signal.SIGINT) is sound
    finally:
        signal.signal(signal.SIGINT, before)
    check_usable(db)


def test_who_is_told_of_signals_is_still_told(db: lancesql.Connection) -> None:
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno())
        try:
            thread = stop_later(db, lambda: os.kill(os.getpid(), signal.SIGINT))
            with pytest.raises(KeyboardInterrupt):
                run_statement(db, ENDLESS)
            thread.join()
            assert reader.recv(1) == bytes([signal.SIGINT])
        finally:
            assert signal.set_wakeup_fd(before) == writer.fileno()
    check_usable(db)


def test_nothing_is_left_of_a_statement(db: lancesql.Connection) -> None:
    check_usable(db)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    before = signal.set_wakeup_fd(-1)
    assert before == -1


def test_control_c_within_a_statement_of_a_statement(db: lancesql.Connection) -> None:
    """DuckDB calls a search for each row, which asks DuckDB again, all on the main thread."""
    sql = "SELECT count(*) FROM points a, LATERAL vector_search('points', a.vector, k => 1) b WHERE a.id < 4096"
    thread = stop_later(db, lambda: os.kill(os.getpid(), signal.SIGINT), 0.1)
    with pytest.raises(KeyboardInterrupt):
        db.sql(sql).fetchall()
    thread.join()
    check_usable(db)


def test_control_c_while_a_statement_is_planned(db: lancesql.Connection) -> None:
    threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        plan_again_and_again(db)
    check_usable(db)


def test_on_a_thread_that_is_not_the_main_one(db: lancesql.Connection) -> None:
    seen: list[BaseException] = []

    def work() -> None:
        try:
            run_statement(db, JOINED)
        except QueryInterruptedError as error:
            seen.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        db.interrupt()
        thread.join(0.05)
    assert [str(one) for one in seen] == ["the statement was interrupted"]
    check_usable(db)


def test_inside_a_running_loop(db: lancesql.Connection) -> None:
    async def ask() -> list[tuple[object, ...]]:
        task = asyncio.get_running_loop().run_in_executor(None, lambda: db.sql(JOINED, timeout=0.1).fetchall())
        with pytest.raises(QueryTimeoutError):
            await task
        return db.sql("SELECT count(*) FROM points a, range(2)").fetchall()

    assert asyncio.run(ask()) == [(2 * ROWS,)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is of Unix")
def test_a_child_has_threads_of_its_own() -> None:
    program = (
        "import os, lancesql; db = lancesql.connect(); db.sql('SELECT 1').fetchall()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if lancesql.connect().sql('SELECT 6 * 7').fetchall() == [(42,)] else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0\n"


@pytest.mark.parametrize("sql", [ENDLESS, JOINED, STREAM, WRITE])
def test_a_statement_that_takes_too_long(db: lancesql.Connection, sql: str) -> None:
    db.sql("SET lancesql.timeout = 0.05")
    with pytest.raises(QueryTimeoutError, match=r"took more than 0.05 s(?s:.*)SET lancesql.timeout"):
        run_statement(db, sql)
    db.sql("RESET lancesql.timeout")
    check_usable(db)


def test_the_consumer_of_a_stream_may_take_its_time(db: lancesql.Connection) -> None:
    rows = 0
    for batch in db.sql("SELECT id, vector FROM points", timeout=20).to_reader():
        threading.Event().wait(0.001)
        rows += batch.num_rows
    assert rows == ROWS


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM points", "SELECT id + 1 AS n FROM points", "SELECT range AS n FROM range(1000000)"]
)
def test_more_rows_than_allowed(db: lancesql.Connection, sql: str) -> None:
    for read in (lambda one: one.fetchall(), lambda one: one.to_reader().read_all(), lambda one: list(one.to_reader())):
        with pytest.raises(RowLimitError, match=r"the result has more than 1,000 rows(?s:.*)max_rows"):
            read(db.sql(sql, max_rows=1_000))
    assert len(db.sql(f"{sql} LIMIT 1000", max_rows=1_000).fetchall()) == 1_000
    db.sql("SET lancesql.max_rows = 1000")
    with pytest.raises(RowLimitError):
        db.execute(sql)
    assert db.execute(f"CREATE OR REPLACE TABLE copy AS {sql}").fetchall()[0][0] > 1_000
    assert db.sql("SELECT count(*) FROM copy").fetchall()[0][0] > 1_000


def test_rows_a_filter_needs_are_not_counted(db: lancesql.Connection) -> None:
    sql = "SELECT id FROM vector_search('points', $q, k => 3) WHERE sqrt(id) >= 0"
    assert len(db.sql(sql, QUERY, max_rows=3).fetchall()) == 3


def test_interrupting_when_nothing_runs(db: lancesql.Connection) -> None:
    result = db.sql("SELECT count(*) FROM points")
    db.interrupt()
    assert result.fetchall() == [(ROWS,)]
    assert db.sql("SELECT 1").fetchall() == [(1,)]


def test_an_open_stream_is_interrupted_at_its_next_batch(db: lancesql.Connection) -> None:
    reader = db.sql("SELECT a.id, b.range FROM points a, range(30) b").to_reader()  # DuckDB 1 runs it before it streams
    reader.read_next_batch()
    db.interrupt()
    for _ in range(2):
        with pytest.raises(QueryInterruptedError):
            reader.read_next_batch()
    check_usable(db)


@pytest.mark.parametrize("limit", [{"timeout": 0}, {"timeout": "soon"}, {"max_rows": -1}, {"max_rows": 1.5}])
def test_limits_are_checked(db: lancesql.Connection, limit: dict[str, object]) -> None:
    with pytest.raises(lancesql.ArgumentError, match=f"setting '{next(iter(limit))}' is"):
        db.sql("SELECT * FROM points", **limit)  # type: ignore[arg-type]
