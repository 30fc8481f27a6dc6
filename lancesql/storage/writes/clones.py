"""Tables copied from a version of another one, with its indexes: whole, or over the files that are there."""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lance

from lancesql.catalog import TableInfo
from lancesql.errors import StorageError, UnsupportedError
from lancesql.storage.database import is_table_path
from lancesql.storage.scan import wrap_lance_error

from .moves import move_table

if TYPE_CHECKING:
    from lancesql.storage.database import LanceDatabase

__all__ = ["clone_table", "dropping", "measure_table", "refuse_read_by_clones"]

_PREFIX = "clone."
_SOURCE = "lancesql.clone_of"
_TAG = "lancesql.clone_tag"
_LEFT_SECONDS = 86_400


def clone_table(
    source: LanceDatabase,
    table: TableInfo,
    target: LanceDatabase,
    name: str,
    *,
    shallow: bool = False,
    replace: bool = False,
) -> None:
    """Makes a table of a version of another one: its rows with their ids, its schema, constraints and indexes.

    A shallow clone reads the files of its source, where a tag keeps the version from being cleaned away.

    Args:
        source: The database of the table that is copied.
        table: The table, at the version that is copied.
        target: The database of the copy.
        name: The name of the copy.
        shallow: Copy nothing but what says where the files are.
        replace: Take the place of a table that is there, and of its versions.

    Raises:
        StorageError: When it cannot be made; all is then as it was.
    """
    uri = target.table_uri(name)
    existing = target.find_table(name)
    if existing is not None and not replace:
        raise StorageError(f"table '{name}' exists already", hint=f"CREATE OR REPLACE TABLE {name}")
    local = "://" not in uri
    if existing is not None:
        if not local:
            raise UnsupportedError(
                "a table in an object store is not replaced by a clone", hint=f"DROP TABLE {name} first"
            )
        refuse_read_by_clones(target, existing)
    held = None if existing is None else _read_source(target, existing)
    place = str(_choose_place(Path(uri))) if local else uri
    tag = _pin(source, table, name) if shallow else None
    try:
        dataset = source.open_dataset(table)
        copy = dataset.shallow_clone if shallow else dataset.deep_clone
        made = copy(place, _refer(table), target.storage_options)
        _sign(made, table, tag)
        if local:
            move_table(Path(place), Path(uri), replace=existing is not None)
        _release(target, held)
    except BaseException as error:
        if isinstance(error, FileExistsError):
            error = StorageError(f"table '{name}' was made meanwhile", hint="run the statement again")
        if tag is not None:
            with contextlib.suppress(Exception):
                _open(source, table.root).tags.delete(tag)
        if local:
            shutil.rmtree(place, ignore_errors=True)
        raise wrap_lance_error(error, f"cloning table '{table.name}'") from None
    finally:
        target.forget(name)


def measure_table(database: LanceDatabase, table: TableInfo) -> tuple[int, int]:
    """The fragments of a table, and the bytes of their files."""
    fragments = database.open_dataset(table).get_fragments()
    files = (file for fragment in fragments for file in fragment.metadata.files)
    return len(fragments), sum(file.file_size_bytes or 0 for file in files)


def refuse_read_by_clones(database: LanceDatabase, table: TableInfo) -> None:
    """Raises when shallow clones read the files of a table that are to go, or to move.

    Raises:
        UnsupportedError: With their tags.
    """
    if table.branch:
        return
    tags = sorted(tag for tag in database.open_dataset(table).tags.list() if tag.startswith(_PREFIX))
    if tags:
        listed = ", ".join(f"'{tag.removeprefix(_PREFIX)}'" for tag in tags)
        raise UnsupportedError(
            f"shallow clones read the files of '{table.name}': {listed}",
            hint=f"drop them first; of one that is gone, DROP TAG '{tags[0]}' ON {table.name}",
        )


@contextlib.contextmanager
def dropping(database: LanceDatabase, table: TableInfo) -> Iterator[None]:
    """Around what removes a table: refuses it while shallow clones read it, and lets go of what it reads itself."""
    refuse_read_by_clones(database, table)
    held = _read_source(database, table)
    yield
    _release(database, held)


def _read_source(database: LanceDatabase, table: TableInfo) -> tuple[str, str] | None:
    """Where the source of a shallow clone lies, and its tag; None of any other table."""
    config = database.open_dataset(table).config()
    return (config[_SOURCE], config[_TAG]) if _SOURCE in config and _TAG in config else None


def _release(database: LanceDatabase, held: tuple[str, str] | None) -> None:
    if held is not None:
        with contextlib.suppress(Exception):  # the source may be gone
            _open(database, held[0]).tags.delete(held[1])


def _pin(database: LanceDatabase, table: TableInfo, name: str) -> str:
    """A new tag at the version that is read."""
    stem = Path(name.rstrip("/")).stem if is_table_path(name) else name.rpartition(".")[2]
    tags = _open(database, table.root).tags
    taken = tags.list()
    names = (f"{_PREFIX}{stem}" if number == 1 else f"{_PREFIX}{stem}.{number}" for number in range(1, len(taken) + 2))
    tag = next(one for one in names if one not in taken)
    try:
        tags.create(tag, _refer(table))
    except BaseException as error:
        raise wrap_lance_error(error, f"tagging '{table.name}'") from None
    return tag


def _sign(made: Any, table: TableInfo, tag: str | None) -> None:
    """Says in a clone which tag keeps its source; a deep clone of a shallow one does not need it any more."""
    if tag is not None:
        made.update_config({_SOURCE: table.root, _TAG: tag})
    elif _TAG in made.config():
        made.update_config({_SOURCE: None, _TAG: None})


def _refer(table: TableInfo) -> Any:
    """How Lance is told a version, or the version of a branch."""
    return (table.branch, table.version) if table.branch else table.version


def _open(database: LanceDatabase, uri: str) -> Any:
    return lance.dataset(uri, storage_options=database.storage_options)


def _choose_place(path: Path) -> Path:
    """Where a copy is made before it takes its place; what a killed writer left there goes after a day."""
    for left in path.parent.glob(f".{path.stem}.{'?' * 32}*"):
        if time.time() - max(one.stat().st_mtime for one in (left, *left.rglob("*"))) > _LEFT_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    return path.parent / f".{path.stem}.{uuid.uuid4().hex}"
