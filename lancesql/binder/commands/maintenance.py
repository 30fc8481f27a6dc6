"""OPTIMIZE, VACUUM, SHOW HEALTH and the clean-up settings of a table, bound."""

from __future__ import annotations

import time
from collections.abc import Mapping

from lancesql.binder.options import Age, Flag, Number, Option, Share, read_options
from lancesql.errors import ArgumentError, Span, UnknownTableError
from lancesql.parser.commands import AutoCleanupSyntax, OptimizeSyntax, ShowHealthSyntax, VacuumSyntax
from lancesql.plan.commands import OptimizeTable, SetAutoCleanup, ShowHealth, VacuumTable

from .targets import CommandContext, find_target, require_target

__all__ = ["bind_auto_cleanup", "bind_optimize", "bind_show_health", "bind_vacuum"]

_NOT_LANCE = "only Lance tables are kept in fragments and versions"
_OPTIMIZE: dict[str, Option] = {
    "target_rows": Number(),
    "materialize_deletions": Flag(),
    "materialize_deletions_threshold": Share(ends=True),
    "max_bytes_per_file": Number(most=2**62),
    "max_source_fragments": Number(),
    "batch_size": Number(),
    "num_threads": Number(),
    "defer_index_remap": Flag(),
    "max_rows_per_group": Number(),
}
_VACUUM: dict[str, Option] = {
    "older_than": Age(),
    "retain_versions": Number(),
    "before_version": Number(),
    "delete_unverified": Flag(),
    "older_than_seconds": Number(least=0, most=2**40),
    "before_timestamp_millis": Number(least=0, most=2**50),
    "error_if_tagged_old_versions": Flag(),
}
_CLEANUP: dict[str, Option] = {"interval": Number(), "older_than": Age(), "retain_versions": Number()}
_AGES = ("older_than", "older_than_seconds", "before_timestamp_millis")
_DEFAULT_AGE = 14 * 86_400.0


def bind_optimize(syntax: OptimizeSyntax, context: CommandContext) -> OptimizeTable:
    """The table to put in order."""
    table = require_target(syntax.name, context.catalog, _NOT_LANCE)
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.name)
    options, _ = read_options(syntax.options, _OPTIMIZE, "OPTIMIZE")
    return OptimizeTable(table, options)


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
    seconds = _read_age(options, spans)
    retain, before = (options.get(name) for name in ("retain_versions", "before_version"))
    if before is not None and not (seconds is None and retain is None):
        raise ArgumentError("before_version stands alone", span=spans["before_version"])
    return VacuumTable(
        table,
        seconds=_DEFAULT_AGE if seconds is None and retain is None and before is None else seconds,
        retain=retain if isinstance(retain, int) else None,
        before=before if isinstance(before, int) else None,
        unverified=bool(options.get("delete_unverified", False)),
        strict=bool(options.get("error_if_tagged_old_versions", False)),
    )


def _read_age(options: Mapping[str, object], spans: Mapping[str, Span]) -> float | None:
    """The age in seconds from which versions go, however it was said."""
    given = [name for name in _AGES if name in options]
    if len(given) > 1:
        raise ArgumentError("the age is given twice", hint=f"one of {', '.join(_AGES)}", span=spans[given[1]])
    if not given:
        return None
    value = options[given[0]]
    assert isinstance(value, int | float)
    return max(0.0, time.time() - value / 1000) if given == ["before_timestamp_millis"] else float(value)


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
