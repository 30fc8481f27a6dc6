"""Files that were written for a commit that is not going to be."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import lance
from lance.file import LanceFileSession
from lance.fragment import FragmentMetadata

__all__ = ["discard_files"]


def discard_files(
    dataset: lance.LanceDataset, written: Sequence[FragmentMetadata], options: dict[str, str] | None
) -> None:
    """Removes the files of fragments that no version has; one that cannot be removed is left to VACUUM."""
    paths = [f"data/{file.path}" for fragment in written for file in fragment.files]
    if not paths:
        return
    session = LanceFileSession(dataset.uri, storage_options=options)
    for path in paths:
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            session.delete_file(path)
