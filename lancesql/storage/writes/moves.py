"""Folders of tables moved to where they belong, so that a reader finds the old table or the new one."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from pathlib import Path

__all__ = ["move_table"]

_HERE, _EXCHANGE = -100, 2


def move_table(made: Path, target: Path, *, replace: bool) -> None:
    """Moves a finished table to its place.

    Args:
        made: Where it was made, on the same file system.
        target: Its place.
        replace: Another table is there, which goes.

    Raises:
        FileExistsError: When a table is there that is not to be replaced.
        OSError: When it cannot be moved; all is then as it was.
    """
    if not replace:
        try:
            made.rename(target)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise FileExistsError(str(target)) from None
            raise
        return
    if _exchange(made, target):
        shutil.rmtree(made, ignore_errors=True)
        return
    release = made.with_name(f"{made.name}.old")
    target.rename(release)
    try:
        made.rename(target)
    except OSError:
        release.rename(target)
        raise
    shutil.rmtree(release, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Whether two folders could change places in one step, which not every system and file system knows."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    return bool(exchange(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)
