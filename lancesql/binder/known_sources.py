"""What the names that stand for a statement's sources have for columns, where its texts are read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from lancesql.catalog import Catalog, TableInfo, VersionRef
from lancesql.plan.sources import ROW_ID

from .drafts import Draft
from .filters.conjuncts import COMPUTED

__all__ = ["know_sources", "list_source_columns"]


def list_source_columns(draft: Draft) -> tuple[str, ...]:
    """The columns of what stands for a source in the relation."""
    return (*draft.table.schema.names, ROW_ID, *(() if draft.call is None else COMPUTED))


def know_sources(catalog: Catalog, columns: Mapping[str, Sequence[str]]) -> Catalog:
    """The catalog, which takes placeholders for tables of the engine that have these columns."""
    return cast("Catalog", _KnownSources(catalog, columns))


class _KnownSources:
    def __init__(self, catalog: Catalog, columns: Mapping[str, Sequence[str]]) -> None:
        self._catalog, self._columns = catalog, columns

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalog, name)

    def find_table(self, name: str, version: VersionRef | None = None) -> TableInfo | None:
        return None if name in self._columns else self._catalog.find_table(name, version)

    def engine_columns(self, name: str) -> Sequence[str] | None:
        return self._columns[name] if name in self._columns else self._catalog.engine_columns(name)
