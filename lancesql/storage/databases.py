"""The Lance databases of a session: its own and those that are attached, and which of them plain names mean."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import lance
import pyarrow as pa

from lancesql.catalog import MAIN_DATABASE, DatabaseInfo, TableInfo, VersionRef
from lancesql.errors import ArgumentError, StorageError

from .database import LanceDatabase, is_table_path

__all__ = ["Databases"]


class Databases:
    """Finds tables by names like `docs` and `other.docs`; what is attached is written nowhere.

    A table of the session's own database is called by its plain name, or `lance.docs` while `USE` has chosen another;
    one of any other `other.docs`. So a name that was found means the same table for the rest of the statement.

    Attributes:
        main: The session's own database.
        current: The one that plain names mean.
    """

    def __init__(self, main: LanceDatabase) -> None:
        self.main = main
        self.current = main
        self._attached: dict[str, LanceDatabase] = {}
        self._detached: dict[str, LanceDatabase] = {}

    def reopen(self) -> Databases:
        """The same databases with handles of their own."""
        other = Databases(self.main.reopen())
        other._attached = {key: one.reopen() for key, one in self._attached.items()}
        if self.current is not self.main:
            other.use(self.current.name)
        return other

    @property
    def names(self) -> Sequence[str]:
        """The names of the attached databases, sorted."""
        return sorted(one.name for one in self._attached.values())

    def describe(self) -> list[DatabaseInfo]:
        """The session's own database, when it has one, and the attached ones."""
        own = [] if self.main.connection is None else [self.main]
        attached = sorted(self._attached.values(), key=lambda one: one.name)
        return [DatabaseInfo(one.name, one.uri, one.read_only, one is self.current) for one in (*own, *attached)]

    def attach(self, database: LanceDatabase) -> None:
        """Makes a database known by its name."""
        self._attached[database.name.lower()] = database

    def detach(self, name: str) -> None:
        """Forgets a database; a result that has not been read yet can still be."""
        self._detached[name.lower()] = self._attached.pop(name.lower())

    def use(self, name: str) -> None:
        """Makes plain names mean the tables of a database."""
        self.current = self.main if name.lower() == MAIN_DATABASE else self._attached[name.lower()]

    def find_database(self, name: str) -> LanceDatabase:
        """The database in which a table of that name lies, or would lie."""
        return self._split(name)[0]

    def of(self, table: TableInfo) -> LanceDatabase:
        """The database of a table."""
        if table.database in ("", MAIN_DATABASE):
            return self.main
        key = table.database.lower()
        return self._attached.get(key) or self._detached[key]

    def find_table(self, name: str, version: VersionRef | None = None) -> TableInfo | None:
        """The table that a name means, at its newest version or at `version`; None when there is none."""
        database, own = self._split(name)
        table = database.find_table(own, version)
        if table is None or database is not self.main or self.current is self.main or is_table_path(name):
            return table
        return replace(table, name=f"{MAIN_DATABASE}.{table.name}", database=MAIN_DATABASE)

    def list_tables(self, database: str | None = None) -> dict[str, TableInfo | None]:
        """The tables of a database by their own names, sorted; None for one that is damaged.

        Args:
            database: Its name; the current one unless it is given.
        """
        prefix = "" if database is None else f"{database}."
        of = self.current if database is None else self.find_database(prefix)
        found: dict[str, TableInfo | None] = {}
        for name in sorted(of.table_names()):
            try:
                table = self.find_table(f"{prefix}{name}")
            except StorageError:
                found[name] = None
            except ArgumentError:  # it has no such version
                if of.snapshot is None:
                    raise
            else:
                if table is not None:
                    found[name] = table
        return found

    def whole_tables(self) -> list[TableInfo]:
        """Every table of every database, sorted by name, but for those that are damaged."""
        found = []
        for name in sorted(self.table_names()):
            with suppress(StorageError):
                found.append(self.find_table(name))
        return [table for table in found if table is not None]

    def names_in(self, database: str | None = None) -> Sequence[str]:
        """The tables of a database by their own names; of the current one unless it is named."""
        return (self.current if database is None else self.find_database(f"{database}.")).table_names()

    def table_names(self) -> Sequence[str]:
        """Every table as a statement names it, freshly listed; those of the current database first."""
        names = list(self.current.table_names())
        others = [one for one in (self.main, *self._attached.values()) if one is not self.current]
        return names + [f"{one.name}.{name}" for one in others for name in sorted(one.table_names())]

    def known_names(self) -> frozenset[str]:
        """What makes a text name a table, in lower case: the tables of the last listing, and the databases."""
        return self.current.known_names() | self._attached.keys()

    def table_uri(self, name: str) -> str:
        """Where the table of that name lies, or would lie."""
        database, own = self._split(name)
        return database.table_uri(own)

    def newest_version(self, table: TableInfo) -> int | None:
        """The newest version number of a table; None when it is gone."""
        return self.of(table).newest_version(table)

    def open_dataset(self, table: TableInfo) -> lance.LanceDataset:
        """The immutable handle of a table at its version."""
        return self.of(table).open_dataset(table)

    def count_matches(self, table: TableInfo, filter: str) -> int:
        """The number of rows the filter text keeps."""
        return self.of(table).count_matches(table, filter)

    def sample_column(self, table: TableInfo, column: str) -> pa.Array[Any]:
        """Some values of a column, from all over the table."""
        return self.of(table).sample_column(table, column)

    def place_table(self, name: str) -> str:
        """What a table that is called so now is called while plain names mean the session's own database."""
        database, own = self._split(name)
        if is_table_path(name):
            return database.table_uri(own)
        return own if database is self.main else f"{database.name}.{own}"

    def name_table(self, place: str) -> str:
        """What a table that `place_table` has placed is called now."""
        is_plain = (
            self.current is self.main or is_table_path(place) or place.partition(".")[0].lower() in self._attached
        )
        return place if is_plain else f"{MAIN_DATABASE}.{place}"

    def _split(self, name: str) -> tuple[LanceDatabase, str]:
        """The database a name means, and the name within it."""
        if is_table_path(name):
            return self.main, name
        qualifier, dot, own = name.partition(".")
        if dot and qualifier.lower() == MAIN_DATABASE:
            return self.main, own
        database = self._attached.get(qualifier.lower()) if dot else None
        return (self.current, name) if database is None else (database, own)
