"""Ctrl-C while the main thread is inside DuckDB, which looks for signals in a few of its calls alone.

Python's own handler cannot run there. A handler in C writes a byte all the same, and a thread that reads it stops what
the main thread waits for.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["claim_interrupt", "release_interrupt"]

_plain: Any = sys.modules.get("_signal", signal)  # what `signal` wraps: no members of enumerations, a tenth of the time
_CONTROL_C = int(signal.SIGINT)


class _Listener:
    """A thread that hears of Ctrl-C at once. One that has heard of it is given up: a byte may still be on its way.

    Attributes:
        stops: What Ctrl-C stops: the calls of DuckDB that the main thread is in, the outermost first.
        heard: Whether there was a Ctrl-C since the outermost of them.
    """

    def __init__(self) -> None:
        import socket  # pipes wake nobody on Windows

        self.stops: list[Callable[[], None]] = []
        self.heard = False
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)

    def start(self) -> None:
        """Starts the thread."""
        threading.Thread(target=self._listen, name="lancesql-listener", daemon=True).start()

    def begin(self) -> bool:
        """Takes Ctrl-C over; False when somebody else is told of signals."""
        own = self._writer.fileno()
        before = signal.set_wakeup_fd(own, warn_on_full_buffer=False)
        if before not in (-1, own):
            signal.set_wakeup_fd(before)
            return False
        _plain.signal(_CONTROL_C, self._note)  # runs what is pending first
        return True

    def end(self) -> bool:
        """Gives Ctrl-C back; says whether there was one."""
        signal.set_wakeup_fd(-1)  # first: whoever writes a byte is noted too
        _plain.signal(_CONTROL_C, signal.default_int_handler)
        return self.heard

    def close(self) -> None:
        """Ends the thread."""
        self._writer.close()

    def _note(self, *_: object) -> None:
        self.heard = True

    def _listen(self) -> None:
        with self._reader:
            while numbers := self._reader.recv(64):
                if _CONTROL_C in numbers:
                    for stop in list(self.stops):
                        stop()


_listeners: list[_Listener] = []
"""The one there is, or none yet."""


def claim_interrupt(stop: Callable[[], None]) -> bool:
    """From now on Ctrl-C calls `stop`, on another thread, and raises nothing until `release_interrupt`.

    To be called on the main thread. False when Ctrl-C is somebody else's: a handler of the user's, an event loop.
    """
    is_outermost = not _listeners or not _listeners[0].stops
    if is_outermost and not _begin():
        return False
    listener = _listeners[0]
    listener.stops.append(stop)
    if listener.heard:  # before there was anything to stop
        stop()
    return True


def _begin() -> bool:
    if _plain.getsignal(_CONTROL_C) is not signal.default_int_handler:
        return False
    try:
        if not _listeners:
            _listeners.append(_Listener())
            _listeners[0].start()
        return _listeners[0].begin()
    except (OSError, RuntimeError):  # no more sockets, or threads
        _give_up()
        return False
    except BaseException:  # Ctrl-C
        signal.set_wakeup_fd(-1)
        _give_up()
        raise


def release_interrupt() -> bool:
    """Ends the innermost claim. True at the end of the outermost when there was a Ctrl-C: it is to be raised now."""
    (listener,) = _listeners
    listener.stops.pop()
    if listener.stops or not listener.end():
        return False
    _give_up()
    return True


def _give_up() -> None:
    while _listeners:
        _listeners.pop().close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_listeners.clear)  # a child has none of its parent's threads
