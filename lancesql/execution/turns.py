"""One statement at a time on a connection: threads take turns, and a child process has none."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

from lancesql.errors import ConnectionClosedError, ExecutionError

__all__ = ["Turn"]

T = TypeVar("T")

_PAUSE = 0.1
_MINE = nullcontext()


class Turn:
    """What a thread holds while it uses a connection.

    The thread that has it may take it again, and so may one that works for it. DuckDB and Lance call functions of the
    user's on threads of their own, while the statement waits for them: such a thread must not wait for the statement.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._lent: set[int] = set()
        self._handed_out: Turn | None = None
        self._process = os.getpid()

    @property
    def is_inherited(self) -> bool:
        """Whether this is a child of the process that made it."""
        return os.getpid() != self._process

    def check_process(self) -> None:
        """Raises in a child of the process that made it.

        Raises:
            ConnectionClosedError: Locks, threads and files of the connection are the parent's.
        """
        if self.is_inherited:
            raise ConnectionClosedError(
                f"the connection was opened by process {self._process}, and this is its child {os.getpid()}",
                hint="open another in the child with lancesql.connect()",
            )

    def take(self, check: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Waits until no other thread uses the connection.

        Args:
            check: Raises when there is nothing to wait for any longer.

        Raises:
            ConnectionClosedError: In a child process.
            ExecutionError: On a thread that the statement which has the turn waits for.
        """
        self.check_process()
        return _MINE if self._is_mine() else _Taking(self, check)

    @contextmanager
    def hand_out(self) -> Iterator[None]:
        """Threads that this one does not know may have the turn, one after another, while it waits for them."""
        before, given = self._handed_out, Turn()
        self._handed_out = given
        try:
            yield
        finally:
            self._handed_out = before
            with given.take():  # whoever has it yet
                pass

    def lend(self, act: Callable[[], T]) -> Callable[[], T]:
        """The same act, which may use the connection on whatever thread it is done."""
        handed_out = self._handed_out
        if handed_out is not None and handed_out._is_mine():
            return handed_out.lend(act)
        if not self._is_mine():
            return act

        def borrow_and_act() -> T:
            me = threading.get_ident()
            self._lent.add(me)
            try:
                return act()
            finally:
                self._lent.discard(me)

        return borrow_and_act

    def _is_mine(self) -> bool:
        me = threading.get_ident()
        return self._owner == me or me in self._lent


class _Taking:
    """What `with` holds of a turn: a generator would take longer than the lock.

    Ctrl-C may come between any two steps; who has taken the turn by then gives it back.
    """

    __slots__ = ("_check", "_other", "_turn")

    def __init__(self, turn: Turn, check: Callable[[], None] | None) -> None:
        self._turn = turn
        self._check = check
        self._other: AbstractContextManager[None] | None = None

    def __enter__(self) -> None:
        try:
            self._take()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *error: object) -> None:
        turn, other = self._turn, self._other
        if other is not None:
            other.__exit__(None, None, None)
        elif turn._owner == threading.get_ident():
            turn._owner = None
            turn._lent.clear()  # work that was left to itself has it no longer
            turn._lock.release()

    def _take(self) -> None:
        """Takes the lock, or another's turn who has handed it out."""
        turn, me = self._turn, threading.get_ident()
        while not turn._lock.acquire(timeout=_PAUSE if turn._handed_out is None else 0):
            handed_out = turn._handed_out
            if handed_out is not None:
                self._other = handed_out.take(self._check)
                self._other.__enter__()
                if turn._handed_out is handed_out:
                    return
                self._other.__exit__(None, None, None)
                self._other = None
                continue
            if self._check is not None:
                self._check()
            if isinstance(threading.current_thread(), threading._DummyThread):
                raise ExecutionError(
                    "the connection is busy with the statement that calls this function",
                    hint="use a connection of its own there, db.cursor()",
                )
        turn._owner = me
