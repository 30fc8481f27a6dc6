"""What can stop a running statement: Ctrl-C, `Connection.interrupt`, and a timeout."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty
from typing import TypeVar

from lancesql.engines.duckdb import DuckDBEngine
from lancesql.errors import LanceSQLError, QueryInterruptedError, QueryTimeoutError

from .engine_calls import EngineCall
from .signals import claim_interrupt, release_interrupt
from .turns import Turn
from .workers import Outcome, Task, run_work, start_task

__all__ = ["MANY_ROWS", "Watch", "Watches"]

T = TypeVar("T")

MANY_ROWS = 100_000
"""A table of fewer rows answers before anyone can want to stop it."""
_TURN = 0.1
_PAUSE = 0.01
_PATIENCE = 100


class Watch:
    """One execution of a statement, and what can stop it.

    DuckDB runs on the caller's thread and is interrupted from another. LanceDB cannot be interrupted: its long work is
    done on another thread while the caller's waits. So is DuckDB's where only the caller's thread can tell that it is
    to stop: a timeout is over, or Ctrl-C is somebody else's. The time between two pieces of work, as a consumer of a
    stream takes it, does not count.

    Args:
        timeout: Seconds the work may take; None for any time.
        turn: What the thread that calls holds of the connection; whoever works for it does too.
    """

    def __init__(self, timeout: float | None = None, turn: Turn | None = None) -> None:
        self._timeout = timeout
        self._turn = turn
        self._spent = 0.0
        self._running: set[Task | EngineCall] = set()
        self._stopped: LanceSQLError | None = None

    def stop(self) -> None:
        """Asks the statement to stop, from any thread: what runs it raises soon."""
        self._stop(QueryInterruptedError("the statement was interrupted"))

    def check(self) -> None:
        """Raises when the statement was asked to stop.

        Raises:
            QueryInterruptedError: By `Connection.interrupt`.
            QueryTimeoutError: It took longer than allowed.
        """
        if self._stopped is not None:
            raise self._stopped.with_traceback(None) from None

    def call_engine(self, act: Callable[[], T], engine: DuckDBEngine) -> T:
        """Runs what DuckDB does. When it is stopped, DuckDB has ended before this raises."""
        is_main = threading.current_thread() is threading.main_thread()
        if self._timeout is not None or (is_main and not claim_interrupt(self.stop)):
            return self._hand_over(lambda: self._run_engine(act, engine), ends=True)
        outcome = run_work(lambda: self._run_engine(act, engine))
        if is_main and release_interrupt():
            del outcome  # an error, whose frames hold what DuckDB has not given yet
            raise KeyboardInterrupt
        return self._settle(outcome)

    def call_storage(self, act: Callable[[], T], rows: int) -> T:
        """Runs what LanceDB does with a table of so many rows.

        Nothing stops a call of LanceDB from outside: it is left to itself, and ends in the background.
        """
        if rows < MANY_ROWS and self._timeout is None:
            self.check()
            return act()
        return self._hand_over(act, ends=False)

    def call_function(self, act: Callable[[], T]) -> T:
        """Runs a function of the user's, on the thread that calls: it is stopped when it returns.

        Its time counts, unless it is part of work whose time counts already.
        """
        self.check()
        started, counts = time.perf_counter(), not self._running
        try:
            return act()
        finally:
            if counts:
                self._spent += time.perf_counter() - started
            if counts and self._timeout is not None and self._spent > self._timeout:
                self._expire()

    @contextmanager
    def ending(self) -> Iterator[None]:
        """What is given to LanceDB to write ends with the command: Ctrl-C, which LanceDB sees itself, stops both."""
        try:
            yield
        except KeyboardInterrupt:
            self.stop()
            for _ in range(_PATIENCE):
                if not self._running:
                    break
                time.sleep(_PAUSE)
            raise

    def _run_engine(self, act: Callable[[], T], engine: DuckDBEngine) -> T:
        call = EngineCall(engine)
        self._running.add(call)
        try:
            self.check()  # behind the line above: who stops the statement now finds the call
            with engine.reentry.entered():
                return act()
        finally:
            call.end()
            self._running.discard(call)

    def _hand_over(self, act: Callable[[], T], *, ends: bool) -> T:
        """Does work on another thread; `ends` says that it can be stopped, and that its end is waited for."""
        task, started = Task(act if self._turn is None else self._turn.lend(act)), time.perf_counter()
        self._running.add(task)
        try:
            self.check()
            start_task(task)
            done = self._wait(task)
            if done is None and ends:
                _await_end(task)
        except LanceSQLError:
            raise
        except BaseException:  # Ctrl-C, or what a handler of the user's makes of a signal
            self.stop()
            if ends:
                _await_end(task)
            raise
        finally:
            self._running.discard(task)
            self._spent += time.perf_counter() - started
        return self._settle(done)

    def _settle(self, done: Outcome | None) -> T:  # type: ignore[type-var]
        if done is None or not isinstance(done[1], KeyboardInterrupt):
            self.check()
        value, error = done or (None, None)
        if error is not None:
            raise error
        return value  # type: ignore[return-value]

    def _wait(self, task: Task) -> Outcome | None:
        """What the task gives; None when it is to stop before."""
        started = time.perf_counter()
        while True:
            left = None if self._timeout is None else self._timeout - self._spent - (time.perf_counter() - started)
            with suppress(Empty):
                # Again and again: a signal that comes just before a thread begins to wait does not wake it.
                return task.outcome.get(timeout=_TURN if left is None else max(0.0, min(left, _TURN)))
            if self._timeout is not None and left is not None and left <= 0:
                self._expire()
                return None

    def _expire(self) -> None:
        hint = "SET lancesql.timeout allows it more, RESET lancesql.timeout any time"
        self._stop(QueryTimeoutError(f"the statement took more than {self._timeout:g} s", hint=hint))

    def _stop(self, error: LanceSQLError) -> None:
        if self._stopped is None:
            self._stopped = error
        for one in list(self._running):
            one.stop()


class Watches:
    """Executions that one hand can stop, those that begin later among them.

    Args:
        others: Those who can stop them as well.
    """

    def __init__(self, others: Watches | None = None) -> None:
        self._others = others
        self._held: weakref.WeakSet[Watch] = weakref.WeakSet()
        self._closed = False

    def add(self, watch: Watch) -> None:
        """Takes note of an execution that begins."""
        if self._others is not None:
            self._others.add(watch)
        self._held.add(watch)
        if self._closed:  # behind the line above: who closes sees the execution, or it sees that it is closed
            watch.stop()

    def find_all(self) -> list[Watch]:
        """The executions there are."""
        while True:
            try:
                return list(self._held)
            except RuntimeError:  # another thread began a statement meanwhile
                continue

    def stop(self) -> None:
        """Stops those that run."""
        for watch in self.find_all():
            watch.stop()

    def close(self) -> None:
        """Stops those that run, and each that begins from now on."""
        self._closed = True
        self.stop()

    def check(self) -> None:
        """Raises when they are to begin no more.

        Raises:
            QueryInterruptedError: They were stopped for good.
        """
        if self._closed:
            raise QueryInterruptedError("the statement was interrupted")


def _await_end(task: Task) -> None:
    """Waits until work that was asked to stop has ended."""
    pauses = 0
    while not task.has_ended and (task.has_begun or pauses < _PATIENCE):  # Ctrl-C can come before it has begun
        pauses += 1
        with suppress(Empty):
            task.outcome.get(timeout=_PAUSE)
    while not task.outcome.empty():
        task.outcome.get()  # an error, whose frames hold what DuckDB has not given yet
