"""Threads that do long work in place of the caller's, so that the caller's can be told to stop."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

__all__ = ["Outcome", "Task", "run_work", "start_task"]

Outcome = tuple[object, BaseException | None]
_MAX_IDLE = 4


class Task:
    """One piece of work on a thread of its own.

    Attributes:
        outcome: Where its value or its error arrives; None wakes who waits for it.
        has_begun: A thread has taken it up.
        has_ended: It is done, and the thread has let go of it.
    """

    __slots__ = ("act", "has_begun", "has_ended", "outcome")

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act
        self.has_begun = self.has_ended = False
        self.outcome: SimpleQueue[Outcome | None] = SimpleQueue()

    def run(self) -> Outcome:
        """Does the work on the thread that calls."""
        self.has_begun = True
        return run_work(self.act)

    def stop(self) -> None:
        """Wakes who waits for it."""
        self.outcome.put(None)


def run_work(act: Callable[[], object]) -> Outcome:
    """Does work on the thread that calls."""
    try:
        return act(), None
    except BaseException as error:  # noqa: BLE001 - raised again where the work was asked for
        return None, error


class _Worker:
    """A thread that does one task after another, for as long as there are not too many of its kind."""

    def __init__(self) -> None:
        self.inbox: SimpleQueue[Task] = SimpleQueue()
        threading.Thread(target=self._serve, name="lancesql-worker", daemon=True).start()

    def _serve(self) -> None:
        kept = True
        while kept:
            task = self.inbox.get()
            done = task.run()
            kept = len(_idle) < _MAX_IDLE
            if kept:
                _idle.append(self)  # before anyone hears that the work is done, so that the next finds this thread
            task.outcome.put(done)
            del done  # an idle thread holds no answer, and no frames of an error
            task.has_ended = True
            del task


_idle: list[_Worker] = []


def start_task(task: Task) -> None:
    """Starts work on an idle thread, or on a new one."""
    try:
        worker = _idle.pop()
    except IndexError:
        try:
            worker = _Worker()
        except RuntimeError:  # the interpreter is ending, or the system gives no more threads
            task.outcome.put(task.run())
            task.has_ended = True
            return
    worker.inbox.put(task)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a child has none of its parent's threads
