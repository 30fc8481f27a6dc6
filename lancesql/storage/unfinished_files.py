"""Local files that a killed writer was still writing: they bear a passing name until they are whole."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["UnfinishedFile", "find_unfinished_files"]

_FOLDERS = ("_deletions", "_transactions", "_versions")
_PASSING_NAME = re.compile(r"\.tmp\w{6}|.+#\d+")
_CERTAIN_AGE = 7 * 86400.0  # as LanceDB takes it


@dataclass(frozen=True)
class UnfinishedFile:
    """A file that no version names.

    Attributes:
        bytes: Its size.
    """

    path: Path
    bytes: int


def find_unfinished_files(uri: str, *, unverified: bool) -> list[UnfinishedFile]:
    """What writers began in the folders of a table and never gave its name.

    Upstream: LanceDB's clean-up goes by the endings of names in these folders. Those of data and indexes it finds
    itself, and old ones among the manifests.

    Args:
        uri: Where the table, or its branch, lies; an object store has no such files.
        unverified: Also files that are younger than seven days, whose writer may be alive.
    """
    if "://" in uri:
        return []
    certain = time.time() - _CERTAIN_AGE
    found = []
    for path in (path for folder in _FOLDERS for path in Path(uri, folder).glob("*")):
        if not _PASSING_NAME.fullmatch(path.name):
            continue
        try:
            state = path.stat()
        except FileNotFoundError:  # it has its name now
            continue
        is_old = state.st_mtime <= certain
        if path.parent.name != "_versions" if is_old else unverified:
            found.append(UnfinishedFile(path, state.st_size))
    return found
