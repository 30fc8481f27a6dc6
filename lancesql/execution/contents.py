"""What a session has: databases, tables and views, for those who list them without SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lancesql.catalog import DatabaseInfo, TableInfo, View
from lancesql.errors import UnknownTableError, nearest_name
from lancesql.storage.databases import Databases

__all__ = ["Contents"]


@dataclass(frozen=True)
class Contents:
    """The databases and the views of a session as they are now."""

    _databases: Databases
    _views: Mapping[str, View]

    def databases(self) -> list[DatabaseInfo]:
        """The Lance databases that statements can name; the session's own first, when it has one."""
        return self._databases.describe()

    def table_names(self, database: str | None = None) -> list[str]:
        """The names of the tables of a database, sorted; of the one that plain names mean unless it is named."""
        return sorted(self._databases.names_in(database))

    def find_table(self, name: str) -> TableInfo | None:
        """What is known of a Lance table at its newest version; None when there is none."""
        return self._databases.find_table(name)

    def require_table(self, name: str) -> TableInfo:
        """The Lance table of that name, at its newest version.

        Raises:
            UnknownTableError: There is none.
        """
        table = self.find_table(name)
        if table is None:
            near = nearest_name(name, self._databases.table_names())
            raise UnknownTableError(f"there is no table '{name}'", hint=f"did you mean '{near}'?" if near else None)
        return table

    def open_table(self, name: str) -> Any:
        """The immutable handle of a Lance table, at its newest version."""
        return self._databases.open_dataset(self.require_table(name))

    def view_names(self) -> list[str]:
        """The names of the views, sorted."""
        return [self._views[name].name for name in sorted(self._views)]

    def view_definition(self, name: str) -> str | None:
        """The query of a view; None when there is none."""
        view = self._views.get(name.lower())
        return None if view is None else view.sql
