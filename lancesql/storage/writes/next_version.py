"""The one version of a table that may come next."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import lance
from lance.namespace import DirectoryNamespace
from lance_namespace import ConcurrentModificationError

__all__ = ["NextVersion"]

_NUMBERS = 1 << 64
"""Lance names the manifest of a version by what is left of it up to the last number."""


class NextVersion(DirectoryNamespace):
    """Says where the manifests of a table are, and lets the next one in, if nobody else has come before."""

    def __init__(self, read: Any, options: dict[str, str] | None) -> None:
        named = {f"storage.{name}": value for name, value in (options or {}).items()}
        folder, _, name = read.uri.partition("/tree/")[0].rstrip("/").rpartition("/")  # a branch is of its table
        super().__init__(root=folder or "/", manifest_enabled="false", **named)  # type: ignore[no-untyped-call]
        self.table_id = [name.removesuffix(".lance")]
        self._read = read
        self._options = options
        self._version = read.version + 1
        self._folder = None if "://" in read.uri else Path(read.uri) / "_versions"

    def commit(self, operation: Any, message: str) -> None:
        """Makes an operation the version that follows the one that was read, whatever Lance lets pass beside it.

        Lance is told that the versions of the table are kept by somebody else, who takes none but that one.

        Raises:
            Exception: Lance's, when somebody has committed since.
        """
        lance.LanceDataset.commit(
            self._read,
            operation,
            read_version=self._read.version,
            storage_options=self._options,
            max_retries=0,
            commit_message=message,
            namespace_client=self,
            namespace_client_managed_versioning=True,
            table_id=self.table_id,
        )

    def knows_version(self) -> bool:
        """Whether the manifest of the version that was read is where a table of today has it."""
        name = f"{_NUMBERS - self._version:020}.manifest"
        if self._folder is not None:
            return (self._folder / name).exists()
        try:
            found: Any = super().describe_table_version({"id": self.table_id, "version": self._version - 1})
        except Exception:  # a table that is not called `….lance`, or a branch
            return False
        return str(found["version"]["manifest_path"]).endswith(f"/{name}")

    def describe_table_version(self, request: Any) -> Any:
        """Where the manifest of a version is."""
        version = request["version"]
        # The number of a staged version arrives as a negative one. Lance also asks whose a version is that it was not
        # allowed to make: not its own.
        name = f"d{version + _NUMBERS}" if version < 0 else f"{_NUMBERS - 1 - min(version, self._version):020}"
        return {"version": {"version": version, "manifest_path": f"{self._find_manifests(request)}/{name}.manifest"}}

    def create_table_version(self, request: Any) -> Any:
        """Puts a manifest that is written into its place, where there is none yet."""
        if request["version"] != self._version:
            raise ConcurrentModificationError(f"version {self._version} is there already")
        if self._folder is None:
            return super().create_table_version(request)
        path = request["manifest_path"]
        staged = self._folder / path.rpartition("/")[2]
        name = f"{staged.name.partition('.')[0]}.manifest"
        try:
            os.link(staged, self._folder / name)
        except FileExistsError:
            raise ConcurrentModificationError(f"version {self._version} is there already") from None
        staged.unlink()
        return {"version": {"version": self._version, "manifest_path": f"{self._find_manifests(request)}/{name}"}}

    def _find_manifests(self, request: Any) -> str:
        """What Lance calls the folder of the manifests."""
        if self._folder is not None:
            return self._folder.as_posix().lstrip("/")
        read: Any = super().describe_table_version({**request, "version": self._version - 1})
        path: str = read["version"]["manifest_path"]
        return path.rpartition("/")[0]
