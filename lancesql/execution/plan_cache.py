"""Plans kept under the text of their statement, for as long as they still mean the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lancesql.catalog import TableInfo
from lancesql.engines.duckdb import DuckDBEngine
from lancesql.parser.embed_calls import EMBED
from lancesql.plan import LogicalPlan, QueryPlan
from lancesql.plan.sources import RowCount, TableScan
from lancesql.settings import Settings
from lancesql.storage.databases import Databases

__all__ = ["PlanCache"]

_MAX_PLANS = 512
_MAX_TEXT = 1 << 16


@dataclass(frozen=True)
class _CachedPlan:
    """A plan, the newest version each of its tables had when it was made, and the settings then."""

    plan: LogicalPlan
    versions: tuple[tuple[Any, int | None], ...]
    settings: Settings


class PlanCache:
    """The plans of a connection."""

    def __init__(self, database: Databases, engine: DuckDBEngine) -> None:
        self._database = database
        self._engine = engine
        self._plans: dict[str, _CachedPlan] = {}

    def __len__(self) -> int:
        return len(self._plans)

    def find(self, sql: str, settings: Settings) -> LogicalPlan | None:
        """The plan of a text, unless a table has a newer version or a setting was changed."""
        cached = self._plans.get(sql)
        if cached is None:
            return None
        current = cached.settings is settings and all(
            self._database.newest_version(table) == version for table, version in cached.versions
        )
        if current and not self._is_shadowed(cached.plan):
            return cached.plan
        self._plans.pop(sql, None)
        return None

    def keep(self, sql: str, plan: LogicalPlan, settings: Settings) -> None:
        """Keeps the plan of a query; of too many, the oldest goes."""
        if not isinstance(plan, QueryPlan) or len(sql) > _MAX_TEXT:
            return
        if any(source.table.moves for source in plan.sources):
            return
        if len(self._plans) >= _MAX_PLANS:
            self._plans.pop(next(iter(self._plans)), None)
        tables = {source.table.uri: source.table for source in plan.sources}
        tables |= {one.table.uri: one.table for one in plan.embeds if isinstance(one.table, TableInfo)}
        versions = tuple((table, self._database.newest_version(table)) for table in tables.values())
        self._plans[sql] = _CachedPlan(plan, versions, settings)

    def clear(self) -> None:
        """Forgets every plan."""
        self._plans.clear()

    def _is_shadowed(self, plan: LogicalPlan) -> bool:
        """A user's own connection can gain a table of the same name behind our back."""
        if self._engine.owned or not isinstance(plan, QueryPlan):
            return False
        if plan.embeds and self._engine.has_function(EMBED):
            return True
        scans = [getattr(source, "scan", None) or source for source in plan.sources]
        names = {scan.table.name for scan in scans if isinstance(scan, TableScan | RowCount)}
        return any(self._engine.tables_named(name) for name in names if not name.lower().endswith(".lance"))
