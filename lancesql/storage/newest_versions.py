"""The newest versions of local tables, by a look at the folder of their manifests: a tenth of the time Lance takes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["FolderState", "NewestVersions", "read_state"]

_SETTLED = 3.0
"""Seconds after which a change to a folder shows in its times, however coarse the clock of its file system is."""

FolderState = tuple[int, int, int]


@dataclass
class _Seen:
    """A folder as it was found.

    Attributes:
        state: Its number and times.
        since: When it was first found so, by the clock that only goes forward.
        version: The newest version; None before what Lance says of it can be kept.
    """

    state: FolderState
    since: float
    version: int | None = None


class NewestVersions:
    """What is known of tables by their folders. A commit adds a manifest to `_versions`, and so changes its times.

    Two commits within one tick of the file system's clock leave the same times. What Lance says is kept only when it
    was asked long after the folder had been found as it is: a commit behind that has another tick.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def find(self, uri: str, ask: Callable[[], int]) -> int:
        """The newest version of the table that lies there.

        Args:
            uri: Where the table lies.
            ask: What asks Lance; its errors pass.
        """
        state = read_state(uri)
        seen = self._seen.get(uri)
        if state is None:
            return ask()
        if seen is None or seen.state != state:
            self._seen[uri] = _Seen(state, time.monotonic())
            return ask()
        if seen.version is not None:
            return seen.version
        settled = time.monotonic() - seen.since > _SETTLED
        version = ask()
        if settled:
            seen.version = version
        return version


def read_state(uri: str) -> FolderState | None:
    """The folder of a table's manifests: its number and times. None when that is no folder of this machine."""
    try:
        found = os.stat(f"{uri}/_versions")  # noqa: PTH116  # a Path takes longer than the call
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns
