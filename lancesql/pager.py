"""Long answers on a terminal go through the user's pager: `$PAGER`, else `less`."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterator

__all__ = ["page_output"]

_MARGIN = 2
"""Lines of the terminal that the next prompt takes."""


@contextlib.contextmanager
def page_output(*, wanted: bool = True) -> Iterator[None]:
    """What is printed within is shown at its end: by the pager when it is longer than the terminal, else as it is.

    Nothing is held back where the output is no terminal. What was printed before an error is shown too.

    Args:
        wanted: Whether a pager may be used at all.
    """
    if not wanted or not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield
        return
    held = io.StringIO()
    try:
        with contextlib.redirect_stdout(held):
            yield
    finally:
        text = held.getvalue()
        if text.count("\n") > shutil.get_terminal_size().lines - _MARGIN:
            _page(text)
        else:
            sys.stdout.write(text)
            sys.stdout.flush()


def _page(text: str) -> None:
    import pydoc

    os.environ.setdefault("LESS", "FRSX")  # tables are as wide as the terminal was; what fits it is not paged
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        pydoc.pager(text)
