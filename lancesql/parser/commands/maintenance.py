"""OPTIMIZE, VACUUM, SHOW HEALTH, SHOW MAINTENANCE and the clean-up settings of a table, read."""

from __future__ import annotations

from lancesql.errors import LanceSQLError, ParseError, Span, UnsupportedError

from .cursor import NameSyntax, OptionSyntax, TokenCursor
from .upkeep_syntax import AutoCleanupSyntax, OptimizeSyntax, ShowHealthSyntax, VacuumSyntax
from .versions import read_shown_table, read_table

__all__ = ["read_auto_cleanup", "read_optimize", "read_show_health", "read_vacuum"]


def read_optimize(cursor: TokenCursor) -> OptimizeSyntax | None:
    """`[TABLE] name [WITH (…)]`, behind the word OPTIMIZE."""
    cursor.accept("TABLE")
    name = read_table(cursor)
    if name is None:
        return None
    options, problem = cursor.finish_with_options()
    return OptimizeSyntax(name, options, problem)


def read_vacuum(cursor: TokenCursor) -> VacuumSyntax | None:
    """`[LANCE] [TABLE] name [OLDER THAN …] [RETAIN n VERSIONS] [WITH (…)]`, behind the word VACUUM."""
    if cursor.at_word("ANALYZE", "FULL") or cursor.at_end():
        return None
    if not cursor.is_last():
        cursor.accept("LANCE")
        cursor.accept("TABLE")
    name = read_table(cursor)
    if name is None:
        return None
    given: list[OptionSyntax] = []
    problem: LanceSQLError | None = None
    try:
        if cursor.accept("OLDER", "THAN"):
            given.append(_read_age(cursor))
        if cursor.accept("RETAIN"):
            given.append(_read_retained(cursor))
        if cursor.accept("WITH"):
            given += cursor.read_options()
        if not cursor.at_end():
            raise cursor.expected("OLDER THAN, RETAIN, WITH (options) or the end of the statement")
    except (ParseError, UnsupportedError) as error:
        problem = error
    return VacuumSyntax(name, tuple(given), problem)


def read_show_health(cursor: TokenCursor) -> ShowHealthSyntax:
    """`HEALTH | MAINTENANCE ON name`, behind the word SHOW."""
    maintenance = cursor.take().text.upper() == "MAINTENANCE"
    return ShowHealthSyntax(read_shown_table(cursor), maintenance)


def read_auto_cleanup(cursor: TokenCursor, table: NameSyntax) -> AutoCleanupSyntax | None:
    """`SET AUTO_CLEANUP WITH (…)` or `UNSET AUTO_CLEANUP`, behind `ALTER TABLE name`; None for something else."""
    if cursor.accept("UNSET", "AUTO_CLEANUP"):
        problem = None if cursor.at_end() else cursor.expected("the end of the statement")
        return AutoCleanupSyntax(table, None, problem)
    if not cursor.accept("SET", "AUTO_CLEANUP"):
        return None
    try:
        cursor.accept("WITH")
        options = cursor.read_options()
        if not cursor.at_end():
            raise cursor.expected("the end of the statement")
    except (ParseError, UnsupportedError) as error:
        return AutoCleanupSyntax(table, (), error)
    return AutoCleanupSyntax(table, options)


def _read_age(cursor: TokenCursor) -> OptionSyntax:
    """`'7 days'`, `INTERVAL '7 days'` or `INTERVAL 7 DAYS`."""
    start = cursor.span
    cursor.accept("INTERVAL")
    value = cursor.read_value()
    if isinstance(value, int | float) or (isinstance(value, str) and value.isdigit()):
        unit = cursor.read_word()
        if unit is None:
            raise cursor.expected("DAYS, HOURS or MINUTES")
        value = f"{value} {unit.parts[0]}"
    span = Span(start.start, cursor.last_taken.end)
    return OptionSyntax("older_than", value, span, span)


def _read_retained(cursor: TokenCursor) -> OptionSyntax:
    start = cursor.span
    value = cursor.read_value()
    span = Span(start.start, cursor.last_taken.end)
    if not (cursor.accept("VERSIONS") or cursor.accept("VERSION")):
        raise cursor.expected("VERSIONS")
    return OptionSyntax("retain_versions", value, span, span)
