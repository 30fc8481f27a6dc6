"""Statements that are awaited: one after another on a thread of the connection's own, away from the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from .watch import Watches
from .workers import Task as Work
from .workers import run_work, start_task

__all__ = ["Lane"]

T = TypeVar("T")


class Lane:
    """What is awaited of one connection, in the order it was asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: deque[Callable[[], None]] = deque()
        self._is_served = False

    async def call(self, act: Callable[[], T], watches: Watches) -> T:
        """What `act` gives. Whoever cancels the task stops the statement, and hears of it when it has ended.

        Args:
            act: Runs the statement.
            watches: Its executions.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

        def answer(value: object, error: BaseException | None) -> None:
            if not done.done():
                done.set_result((value, error))

        def begin() -> T:
            watches.check()
            return act()

        def work() -> None:
            value, error = run_work(begin)
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits
                loop.call_soon_threadsafe(answer, value, error)

        self._submit(work)
        try:
            value, error = await asyncio.shield(done)
        except asyncio.CancelledError:
            watches.close()
            await _wait_until_done(done)
            raise
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]

    def _submit(self, job: Callable[[], None]) -> None:
        with self._lock:
            self._jobs.append(job)
            if self._is_served:
                return
            self._is_served = True
        start_task(Work(self._serve))

    def _serve(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._is_served = False
                    return
                job = self._jobs.popleft()
            job()
            del job  # holds an answer


async def _wait_until_done(done: asyncio.Future[Any]) -> None:
    """Waits for the end of a statement that was stopped, however often the task is cancelled meanwhile."""
    while not done.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(done)
