"""OPTIMIZE, VACUUM, SHOW HEALTH and the clean-up settings of a table, bound."""

from __future__ import annotations

from lancesql.binder.options import Age, Flag, Number, Option, read_options
from lancesql.errors import ArgumentError, UnknownTableError
from lancesql.parser.commands import AutoCleanupSyntax, OptimizeSyntax, ShowHealthSyntax, VacuumSyntax
from lancesql.plan.commands import OptimizeTable, SetAutoCleanup, ShowHealth, VacuumTable

from .targets import CommandContext, find_target, require_target

__all__ = ["bind_auto_cleanup", "bind_optimize", "bind_show_health", "bind_vacuum"]

_NOT_LANCE = "only Lance tables are kept in fragments and versions"
_OPTIMIZE: dict[str, Option] = {"target_rows": Number(most=2**31)}
_VACUUM: dict[str, Option] = {
    "older_than": Age(),
    "retain_versions": Number(),
    "before_version": Number(),
    "delete_unverified": Flag(),
}
_CLEANUP: dict[str, Option] = {"interval": Number(), "older_than": Age(), "retain_versions": Number()}
_DEFAULT_AGE = 14 * 86_400.0


def bind_optimize(syntax: OptimizeSyntax, context: CommandContext) -> OptimizeTable:
    """The table to put in order."""
    table = require_target(syntax.name, context.catalog, _NOT_LANCE)
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.name)
    options, _ = read_options(syntax.options, _OPTIMIZE, "OPTIMIZE")
    target = options.get("target_rows")
    return OptimizeTable(table, target if isinstance(target, int) else None)


def bind_vacuum(syntax: VacuumSyntax, context: CommandContext) -> VacuumTable | None:
    """The versions to remove; None when the table is DuckDB's."""
    try:
        table = find_target(syntax.name, context.catalog)
    except UnknownTableError:
        table = None
    if table is None:
        shown = ".".join(syntax.name.parts)
        if context.catalog.engine_tables(shown):
            return None
        table = require_target(syntax.name, context.catalog, _NOT_LANCE)
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.name)
    options, spans = read_options(syntax.options, _VACUUM, "VACUUM")
    chosen = [name for name in ("older_than", "retain_versions", "before_version") if name in options]
    if "before_version" in chosen and len(chosen) > 1:
        raise ArgumentError("before_version stands alone", span=spans["before_version"])
    seconds, retain, before = (options.get(name) for name in ("older_than", "retain_versions", "before_version"))
    return VacuumTable(
        table,
        seconds=seconds if isinstance(seconds, float) else None if chosen else _DEFAULT_AGE,
        retain=retain if isinstance(retain, int) else None,
        before=before if isinstance(before, int) else None,
        unverified=bool(options.get("delete_unverified", False)),
    )


def bind_show_health(syntax: ShowHealthSyntax, context: CommandContext) -> ShowHealth:
    """The table that is looked at."""
    return ShowHealth(require_target(syntax.name, context.catalog, _NOT_LANCE), syntax.maintenance)


def bind_auto_cleanup(syntax: AutoCleanupSyntax, context: CommandContext) -> SetAutoCleanup:
    """How a table removes old versions by itself."""
    table = require_target(syntax.name, context.catalog, _NOT_LANCE)
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.name)
    if syntax.options is None:
        return SetAutoCleanup(table, None)
    options, _ = read_options(syntax.options, _CLEANUP, "AUTO_CLEANUP")
    interval, seconds, retain = (options.get(name) for name in ("interval", "older_than", "retain_versions"))
    return SetAutoCleanup(
        table,
        interval=interval if isinstance(interval, int) else 20,
        seconds=seconds if isinstance(seconds, float) else _DEFAULT_AGE,
        retain=retain if isinstance(retain, int) else None,
    )
