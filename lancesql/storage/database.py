"""A LanceDB database: its tables by name, at a version, through immutable handles."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import lance
import lancedb
import pyarrow as pa

from lancesql.catalog import MAIN_BRANCH, MAIN_DATABASE, TableInfo, VersionRef
from lancesql.errors import ArgumentError, StorageError, nearest_name

from .forks import start_lance
from .indexes import read_indexes
from .lance_errors import find_remedy, read_reason
from .newest_versions import NewestVersions, read_state
from .replaced_tables import ReplacedTables
from .scan import count_matches, sample_column
from .targets import is_remote, is_table_path, read_target
from .types import restore_blobs

__all__ = ["LanceDatabase", "is_table_path"]

_MAX_HANDLES = 256
_MAX_COUNTS = 4096
_MAX_SAMPLES = 256
_OPENINGS = 4


class LanceDatabase:
    """A directory (or object-store prefix) of Lance tables.

    A handle is opened per version and never moved to another one: `checkout_latest` on a shared handle races with its
    readers. The newest version of a table is asked of storage for every statement.

    Attributes:
        uri: Where the database lies.
        storage_options: Credentials and settings of the object store.
        read_only: Whether writes are refused.
        snapshot: The version at which its tables are read unless a statement says another; None for the newest.
        name: What statements call it. The tables of any but the session's own are called `name.table`.
    """

    def __init__(
        self,
        target: str | Path | lancedb.DBConnection | None,
        storage_options: dict[str, str] | None = None,
        *,
        read_only: bool = False,
        name: str = MAIN_DATABASE,
        snapshot: VersionRef | None = None,
    ) -> None:
        self.storage_options = storage_options
        self.read_only = read_only
        self.name = name
        self.snapshot = snapshot
        self._qualifier = "" if name == MAIN_DATABASE else name
        self.connection: lancedb.DBConnection | None = None
        if target is None:
            self.uri = ""  # no database: only tables named by their path
        elif isinstance(target, lancedb.DBConnection):
            self.connection = target
            self.uri = str(target.uri)
        else:
            self.uri = read_target(target, storage_options, read_only=read_only)
            start_lance()
            try:
                self.connection = lancedb.connect(self.uri, storage_options=storage_options)
            except Exception as error:  # lancedb raises many kinds
                raise StorageError(f"cannot open '{self.uri}': {read_reason(error)}") from None
        self._latest: dict[str, lance.LanceDataset] = {}
        self._newest = NewestVersions()
        self._replaced = ReplacedTables()
        self._tables: dict[tuple[str, int], tuple[lance.LanceDataset, TableInfo]] = {}
        self._samples: dict[tuple[str, int, str], pa.Array[Any]] = {}
        self._counts: dict[tuple[str, int, str], int] = {}
        self._names: dict[str, str] | None = None
        self._lock = threading.Lock()

    def reopen(self) -> LanceDatabase:
        """The same database with handles of its own: Lance refuses some calls of a handle that another thread is in."""
        other = LanceDatabase(self.connection, self.storage_options, read_only=self.read_only, name=self.name)
        other.uri, other.snapshot = self.uri, self.snapshot
        return other

    def table_names(self) -> Sequence[str]:
        """Every table of the database, freshly listed."""
        names: list[str] = []
        token: str | None = None
        if self.connection is None:
            self._names = {}
            return names
        try:
            while True:
                page = self.connection.list_tables(page_token=token, limit=1000)
                names += page.tables
                token = page.page_token
                if not token:
                    break
        except Exception as error:
            raise StorageError(f"cannot list the tables of '{self.uri}': {read_reason(error)}") from None
        with self._lock:
            self._names = {name.lower(): name for name in names}
        return names

    def known_names(self) -> frozenset[str]:
        """The tables of the last listing, in lower case."""
        if self._names is None:
            self.table_names()
        return frozenset(self._names or ())

    def table_uri(self, name: str) -> str:
        """Where the table of that name lies, or would lie."""
        if is_table_path(name):
            return name if is_remote(name) else str(Path(name).expanduser().absolute())
        return f"{self.uri.rstrip('/')}/{self._shorten(name)}.lance"

    def find_table(self, name: str, version: VersionRef | None = None) -> TableInfo | None:
        """The table called `name`, in any case, at its newest version or at `version`; None when there is none."""
        is_path = is_table_path(name)
        uri = self.table_uri(name) if is_path else None
        if not is_path:
            name = self._shorten(name)
            spelled = self._spell(name)
            name = name if spelled is None else spelled
            uri = self._find_in_namespace(name) if spelled is None else self.table_uri(name)
        if uri is None:
            return None
        newest = self._open_newest(uri)
        if newest is None:
            if not is_path:
                self.forget(name)
            return None
        version = self.snapshot if version is None else version
        branch, number = self._resolve_version(newest, name, version)
        if branch is not None:
            uri = self._find_branch(uri, name, branch)
            newest = self._open_newest(uri)
            if newest is None:
                raise StorageError(f"branch '{branch}' of table '{name}' is gone")
        info = self._describe(name, uri, newest.latest_version if number is None else number, newest)[1]
        return replace(info, moves=True, branch=branch or "") if isinstance(version, str) else info

    def find_newest(self, table: TableInfo) -> TableInfo | None:
        """A table, or its branch, as it is now; None when it is gone."""
        return self.find_table(table.name, f"branch:{table.branch}" if table.branch else None)

    def _find_branch(self, uri: str, name: str, branch: str) -> str:
        newest = self._open_newest(uri)
        branches = [] if newest is None else sorted(newest.branches.list())
        if branch not in branches:
            raise ArgumentError(f"table '{name}' has no branch '{branch}'", hint=_suggest(branch, "branches", branches))
        return f"{uri.rstrip('/')}/tree/{branch}"

    def _find_in_namespace(self, name: str) -> str | None:
        """Where the table `namespace.table` lies, or None."""
        *namespace, table = name.split(".")
        if not namespace or self.connection is None:
            return None
        try:
            for one in self.connection.list_tables(namespace_path=namespace, limit=10_000).tables:
                if one.lower() == table.lower():
                    uri: str = self.connection.open_table(one, namespace_path=namespace).to_lance().uri
                    return uri.removeprefix("file://")
        except Exception:  # a namespace that does not exist, or a database that knows none
            return None
        return None

    def newest_version(self, table: TableInfo) -> int | None:
        """The newest version number of a table; None when it is gone, or another has come in its place.

        Cheap: asked for every statement.
        """
        if self._notices_another(table.uri) or table.place != self._replaced.number(table.uri):
            return None
        newest = self._latest.get(table.uri)
        if newest is None:
            newest = self._open_newest(table.uri)
        try:
            return None if newest is None else self._newest.find(table.uri, lambda: int(newest.latest_version))
        except Exception:  # the table was dropped
            self._latest.pop(table.uri, None)
            return None

    def open_dataset(self, table: TableInfo) -> lance.LanceDataset:
        """The immutable handle of a table at its version."""
        held = self._tables.get((table.uri, table.version))
        if held is not None:
            return held[0]
        newest = self._open_newest(table.uri)
        if newest is None:
            raise StorageError(f"table '{table.name}' is gone", hint="it was dropped after the statement was planned")
        if table.place != self._replaced.number(table.uri):
            raise StorageError(f"another table has come in the place of '{table.name}'", hint="run the statement again")
        return self._describe(table.name, table.uri, table.version, newest)[0]

    def count_matches(self, table: TableInfo, filter: str) -> int:
        """The number of rows the filter text keeps; remembered, since a version never changes."""
        key = (table.uri, table.version, filter)
        count = self._counts.get(key)
        if count is None:
            count = count_matches(self.open_dataset(table), filter)
            with self._lock:
                if len(self._counts) >= _MAX_COUNTS:
                    self._counts.pop(next(iter(self._counts)))
                self._counts[key] = count
        return count

    def sample_column(self, table: TableInfo, column: str) -> pa.Array[Any]:
        """Some values of a column, from all over the table; remembered, since a version never changes."""
        key = (table.uri, table.version, column)
        sample = self._samples.get(key)
        if sample is None:
            sample = sample_column(self.open_dataset(table), column, table.rows)
            with self._lock:
                if len(self._samples) >= _MAX_SAMPLES:
                    self._samples.pop(next(iter(self._samples)))
                self._samples[key] = sample
        return sample

    def forget(self, name: str) -> None:
        """Drops what is remembered of a table and its branches, after it was written, replaced or dropped."""
        uri = self.table_uri(name)
        branches = [one for one in list(self._latest) if one.startswith(f"{uri.rstrip('/')}/tree/")]
        for place in (uri, *branches):
            self._forget_place(place)
        with self._lock:
            self._names = None

    def _forget_place(self, uri: str) -> None:
        with self._lock:
            self._latest.pop(uri, None)
            for key in [key for key in self._tables if key[0] == uri]:
                del self._tables[key]
            self._counts.clear()
            self._samples.clear()

    def _notices_another(self, uri: str) -> bool:
        """Whether another table has come in the place of the one that was opened; what was known is then forgotten."""
        is_replaced = self._replaced.is_replaced(uri)
        if is_replaced:
            self._forget_place(uri)
        return is_replaced

    def _shorten(self, name: str) -> str:
        """A table's name without that of this database before it."""
        qualifier, dot, own = name.partition(".")
        return own if dot and qualifier.lower() == self.name.lower() else name

    def _qualify(self, name: str) -> str:
        return f"{self._qualifier}.{name}" if self._qualifier else name

    def _spell(self, name: str) -> str | None:
        folded = name.lower()
        if self._names is None or folded not in self._names:
            self.table_names()
        assert self._names is not None
        return self._names.get(folded)

    def _open_newest(self, uri: str) -> lance.LanceDataset | None:
        self._notices_another(uri)
        held = self._latest.get(uri)
        if held is not None:
            if _is_alive(held):
                return held
            self._latest.pop(uri, None)
        opened = self._open_settled(uri)
        if opened is not None:
            self._latest[uri] = opened
        return opened

    def _open_settled(self, uri: str) -> lance.LanceDataset | None:
        """The newest version; opened again when a commit came between, or another table."""
        opened: lance.LanceDataset | None = None
        for _ in range(_OPENINGS):
            before = read_state(uri)
            opened = self._open(uri)
            if opened is None or self._replaced.note(uri, opened.version, before):
                break
        return opened

    def _open(self, uri: str) -> lance.LanceDataset | None:
        start_lance()
        try:
            return lance.dataset(uri, storage_options=self.storage_options)
        except (ValueError, FileNotFoundError, OSError) as error:
            if "not found" in str(error).lower() or "does not exist" in str(error).lower():
                return None
            reason = read_reason(error)
            raise StorageError(f"cannot open '{uri}': {reason}", hint=find_remedy(reason)) from None

    def _describe(self, name: str, uri: str, number: int, newest: Any) -> tuple[lance.LanceDataset, TableInfo]:
        held = self._tables.get((uri, number))
        if held is not None:
            return held
        try:
            dataset = newest if newest.version == number else newest.checkout_version(number)
            info = TableInfo(
                name=name if is_table_path(name) else self._qualify(self._shorten(name)),
                database=self._qualifier,
                uri=uri,
                version=number,
                place=self._replaced.number(uri),
                schema=restore_blobs(dataset.schema),
                rows=dataset.count_rows(),
                indexes=read_indexes(dataset),
            )
        except Exception as error:
            if number >= 0 and "not found" not in str(error).lower():
                raise StorageError(f"cannot open version {number} of '{name}': {read_reason(error)}") from None
            raise ArgumentError(f"table '{name}' has no version {number}", hint=_list_versions(newest)) from None
        with self._lock:
            if len(self._tables) >= _MAX_HANDLES:
                self._tables.pop(next(iter(self._tables)))
            self._tables[(uri, number)] = (dataset, info)
        return dataset, info

    def _resolve_version(self, newest: Any, name: str, version: VersionRef | None) -> tuple[str | None, int | None]:
        """The branch, None for the main line, and the number of a version; None for the newest."""
        if version is None or isinstance(version, int):
            return None, version
        if version.startswith("timestamp:"):
            return None, self._find_version_at(newest, name, version.removeprefix("timestamp:"))
        if version.startswith("branch:"):
            branch, _, number = version.removeprefix("branch:").partition("@")
            return None if branch == MAIN_BRANCH else branch, int(number) if number else None
        tags = newest.tags.list()
        if version not in tags:
            hint = _suggest(version, "tags", tags)
            if version in newest.branches.list():
                hint = f"a branch has that name: AT (BRANCH => '{version}')"
            raise ArgumentError(f"table '{name}' has no tag '{version}'", hint=hint)
        return tags[version].get("branch"), int(tags[version]["version"])

    def _find_version_at(self, newest: Any, name: str, text: str) -> int:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ArgumentError(f"'{text}' is not a timestamp", hint="write '2026-01-31 12:00:00'") from None
        moment = moment.astimezone()
        earlier = [one for one in newest.versions() if one["timestamp"].astimezone() <= moment]
        if not earlier:
            raise ArgumentError(f"table '{name}' has no version that early", hint="its history begins later")
        return int(max(earlier, key=lambda one: one["version"])["version"])


def _suggest(name: str, kind: str, names: Iterable[str]) -> str:
    near = nearest_name(name, names)
    listed = f"{kind}: {', '.join(sorted(names)) or 'none'}"
    return f"did you mean '{near}'? {listed}" if near else listed


def _is_alive(dataset: lance.LanceDataset) -> bool:
    try:
        return int(dataset.latest_version) > 0
    except Exception:  # the table was dropped
        return False


def _list_versions(newest: Any) -> str:
    oldest, last = int(newest.versions()[0]["version"]), int(newest.latest_version)
    return f"it has version {last} alone" if oldest == last else f"it has versions from {oldest} to {last}"
