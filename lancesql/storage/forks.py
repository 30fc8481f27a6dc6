"""Lance in the children of a process: its threads are the parent's, and what it makes of that crashes now and then."""

from __future__ import annotations

import os

from lancesql.errors import StorageError

__all__ = ["start_lance"]

_started_in: int | None = None


def start_lance() -> None:
    """To be called before Lance is used. Refuses in a child of a process that has used it.

    Upstream: pylance and lancedb make new threads in the child, which still share the parent's event queue; a read then
    ends the child by a segmentation fault, one time in four.

    Raises:
        StorageError: This process was forked from one that had used Lance.
    """
    global _started_in  # noqa: PLW0603 - one runtime for the process, as Lance has
    if _started_in is not None and _started_in != os.getpid():
        raise StorageError(
            f"Lance cannot be used in a process forked from one that had used it ({_started_in})",
            hint="start processes with multiprocessing.get_context('spawn') or 'forkserver', or before the first "
            "lancesql.connect()",
        )
    _started_in = os.getpid()
