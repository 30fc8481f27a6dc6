"""Local tables in whose place another one has come: a version number alone does not tell the two."""

from __future__ import annotations

import os
from dataclasses import dataclass

from .newest_versions import FolderState, read_state

__all__ = ["ReplacedTables"]

_LAST = (1 << 64) - 1


@dataclass
class _Known:
    """A table as it was opened.

    Attributes:
        state: The folder of its manifests.
        manifest: The file of one of them, which nobody writes to again.
        mark: The file's number, size and time.
    """

    state: FolderState
    manifest: str
    mark: FolderState


class ReplacedTables:
    """Notices that a table was dropped and made again, or exchanged for a clone, by whoever it was."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._numbers: dict[str, int] = {}

    def number(self, uri: str) -> int:
        """How often another table was found in that place."""
        return self._numbers.get(uri, 0)

    def note(self, uri: str, version: int, before: FolderState | None) -> bool:
        """Takes down which table was opened.

        Args:
            uri: Where it lies.
            version: The version that was opened.
            before: The folder as it was before.

        Returns:
            Whether that is the table that lies there still.
        """
        self._known.pop(uri, None)
        if before is None:
            return True  # in an object store
        for name in (f"{_LAST - version:020d}", str(version)):
            mark = _read_mark(path := f"{uri}/_versions/{name}.manifest")
            if mark is not None:
                self._known[uri] = _Known(before, path, mark)
        return read_state(uri) == before

    def is_replaced(self, uri: str) -> bool:
        """Whether another table lies there than the one that was opened, or its manifest is gone."""
        known = self._known.get(uri)
        state = None if known is None else read_state(uri)
        if known is None or state is None or state == known.state:
            return False
        if _read_mark(known.manifest) == known.mark:
            known.state = state
            return False
        del self._known[uri]
        self._numbers[uri] = self.number(uri) + 1
        return True


def _read_mark(path: str) -> FolderState | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # a Path takes longer than the call
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
