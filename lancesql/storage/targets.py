"""What a database is opened by: a path, or a URI of an object store."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lancesql.errors import ArgumentError, StorageError, UnsupportedError

__all__ = ["is_remote", "is_table_path", "read_target"]

_REMOTE = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def is_remote(place: str) -> bool:
    """Whether a place is a URI."""
    return _REMOTE.match(place) is not None


def is_table_path(name: str) -> bool:
    """Whether a name is the path of a table."""
    return name.lower().rstrip("/").endswith(".lance")


def read_target(target: object, storage_options: object, *, read_only: bool) -> str:
    """Where the database lies, as an absolute path or a URI.

    Raises:
        ArgumentError: The target or the options are of another type.
        UnsupportedError: It is a remote database, whose tables cannot be read one by one.
        StorageError: A file or a table lies there, or nothing that could be read.
    """
    if not isinstance(target, str | os.PathLike):
        raise ArgumentError(
            f"a database is a path, a URI or a connection of lancedb, not {type(target).__name__}",
            hint="lancesql.connect('films')",
        )
    if not (storage_options is None or _is_text_map(storage_options)):
        raise ArgumentError("storage_options is a dict of texts", hint="storage_options={'region': 'eu-central-1'}")
    uri = str(target)
    if uri.startswith("db://"):
        raise UnsupportedError(
            "a remote db:// database cannot be read table by table", hint="open its storage location instead"
        )
    if is_remote(uri):
        return uri
    uri = str(Path(uri).expanduser().absolute())
    _refuse_file(uri)
    if read_only and not Path(uri).is_dir():
        raise StorageError(f"there is no database at '{uri}'", hint="one that is open for reading only is not created")
    return uri


def _is_text_map(options: object) -> bool:
    return isinstance(options, dict) and all(isinstance(one, str) for pair in options.items() for one in pair)


def _refuse_file(uri: str) -> None:
    path = Path(uri)
    if path.is_file():
        raise StorageError(f"'{uri}' is a file", hint="a Lance database is a directory of tables")
    if is_table_path(uri) and (path / "_versions").is_dir():
        raise StorageError(
            f"'{uri}' is a table, not a database", hint=f"open the directory it lies in, '{path.parent}'"
        )
