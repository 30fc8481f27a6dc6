"""Statements that are awaited: away from the event loop, in order, stopped when their task is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import lancesql
from lancesql import ConnectionClosedError, ParseError, QueryTimeoutError, RowLimitError
from tests.library import open_library

ENDLESS = "SELECT sum(sqrt(a.range * b.range)) FROM range(200000) a, range(200000) b"
NEAREST = "SELECT id FROM vector_search('movies', $q, k => 2)"


@pytest.fixture
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as db:
        yield db


async def wait_until_it_runs(db: lancesql.Connection) -> None:
    while not any(watch._running for watch in db._watches.find_all()):
        await asyncio.sleep(0.002)


def test_answers_parameters_and_the_callers_variables(db: lancesql.Connection) -> None:
    async def ask() -> list[object]:
        given = pa.table({"n": [1, 2]})
        answers = [
            await db.sql_async(NEAREST, {"q": [1.0, 0, 0, 0]}),
            await db.execute_async("SELECT sum(n) FROM given"),
            await db.sql_async("SELECT $1 + 1", [41], timeout=60, max_rows=1),
        ]
        del given
        return [one.fetchall() for one in answers]

    assert asyncio.run(ask()) == [[(1,), (2,)], [(3,)], [(42,)]]


def test_errors_arrive_where_they_are_awaited(db: lancesql.Connection) -> None:
    async def ask(sql: str, **limits: float) -> None:
        await db.sql_async(sql, **limits)  # type: ignore[arg-type]

    with pytest.raises(ParseError) as caught:
        asyncio.run(ask("SELEC id FROM movies"))
    assert "LINE 1: SELEC" in str(caught.value)
    with pytest.raises(RowLimitError):
        asyncio.run(ask("SELECT id FROM movies", max_rows=3))
    with pytest.raises(QueryTimeoutError):
        asyncio.run(ask(ENDLESS, timeout=0.05))


def test_the_loop_goes_on_while_a_statement_runs(db: lancesql.Connection) -> None:
    async def ask() -> int:
        task = asyncio.ensure_future(db.sql_async(ENDLESS))
        await wait_until_it_runs(db)
        turns = 0
        for _ in range(20):
            await asyncio.sleep(0)
            turns += not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return turns

    assert asyncio.run(ask()) == 20


def test_a_cancelled_task_stops_its_statement_and_no_other(db: lancesql.Connection) -> None:
    async def ask() -> None:
        running = asyncio.ensure_future(db.sql_async(ENDLESS))
        behind = asyncio.ensure_future(db.sql_async("SELECT count(*) FROM movies"))
        never = asyncio.ensure_future(db.sql_async("CREATE TABLE memory.main.never AS SELECT 1 AS n"))
        await wait_until_it_runs(db)
        never.cancel()
        running.cancel()
        assert (await behind).fetchall() == [(12,)]
        for task in (running, never):
            with pytest.raises(asyncio.CancelledError):
                await task
        assert not db._watches.find_all() or not any(watch._running for watch in db._watches.find_all())

    asyncio.run(ask())
    assert db.sql("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'never'").fetchall() == [(0,)]
    assert db.sql(NEAREST, {"q": [1.0, 0, 0, 0]}).fetchall() == [(1,), (2,)]


def test_a_timeout_of_asyncio(db: lancesql.Connection) -> None:
    async def ask() -> None:
        async with asyncio.timeout(0.05):
            await db.sql_async(ENDLESS)

    with pytest.raises(TimeoutError):
        asyncio.run(ask())
    assert db.sql("SELECT 42").fetchall() == [(42,)]


def test_many_at_once_run_in_the_order_they_were_given(db: lancesql.Connection, tmp_path: Path) -> None:
    async def ask() -> list[object]:
        await db.sql_async("CREATE TEMP TABLE noted (n INTEGER)")
        writes = [db.sql_async("INSERT INTO noted VALUES ($1)", [n]) for n in range(40)]
        reads = [db.sql_async("SELECT count(*) FROM noted") for _ in range(5)]
        await asyncio.gather(*writes)
        counts = [one.fetchall()[0][0] for one in await asyncio.gather(*reads)]
        listed = (await db.sql_async("SELECT list(n) FROM noted")).fetchall()[0][0]
        return [*counts, listed]

    assert asyncio.run(ask()) == [40] * 5 + [list(range(40))]


def test_cursors_run_at_the_same_time(db: lancesql.Connection) -> None:
    """Both statements are within DuckDB at once: each waits until the other has begun."""

    async def ask() -> None:
        with db.cursor() as other:
            first = asyncio.ensure_future(db.sql_async(ENDLESS))
            await wait_until_it_runs(db)
            second = asyncio.ensure_future(other.sql_async(ENDLESS))
            await wait_until_it_runs(other)
            assert any(watch._running for watch in db._watches.find_all())
            for task in (first, second):
                task.cancel()
            await asyncio.gather(first, second, return_exceptions=True)

    asyncio.run(ask())


def test_beside_statements_of_other_threads_and_loops(db: lancesql.Connection) -> None:
    answers: list[object] = []

    async def ask() -> None:
        for _ in range(10):
            answers.append((await db.sql_async("SELECT sum(id) FROM movies m, range(3)")).fetchall())

    threads = [threading.Thread(target=lambda: asyncio.run(ask())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        answers.append(db.sql("SELECT sum(id) FROM movies m, range(3)").fetchall())
    for thread in threads:
        thread.join()
    assert answers == [[(234,)]] * 40


def test_a_cancelled_task_that_waits_for_another_thread_ends(db: lancesql.Connection) -> None:
    async def ask() -> None:
        with db._turn.take():  # as a statement of the thread of the loop would
            task = asyncio.ensure_future(db.sql_async("SELECT 1"))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(ask())


def test_within_a_running_loop_plain_statements_still_run(db: lancesql.Connection) -> None:
    """As in a notebook."""

    async def ask() -> list[tuple[object, ...]]:
        return db.sql("SELECT count(*) FROM movies a, range(10)").fetchall()

    assert asyncio.run(ask()) == [(120,)]


def test_a_closed_connection_says_so_at_once(library: Path) -> None:
    db = lancesql.connect(library)
    db.close()
    with pytest.raises(ConnectionClosedError):
        db.sql_async("SELECT 1")


def test_a_write_that_is_cancelled_before_it_began_writes_nothing(library: Path, tmp_path: Path) -> None:
    async def ask(db: lancesql.Connection) -> None:
        task = asyncio.ensure_future(db.sql_async("INSERT INTO t VALUES (2)"))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with lancesql.connect(tmp_path / "own") as db:
        db.execute("CREATE TABLE t AS SELECT 1 AS n")
        asyncio.run(ask(db))
        assert db.sql("SELECT n FROM t").fetchall() == [(1,)]
