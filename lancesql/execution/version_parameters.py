"""Versions of tables that are parameters, written into the statement before it is planned: a plan is one of a version.

So the plan of each version is kept under a text of its own, and whatever takes a constant takes a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from lancesql.errors import ArgumentError, Span
from lancesql.parser import read_tokens
from lancesql.parser.parameters import ParameterUse, find_parameters
from lancesql.parser.version_parameters import VersionParameter, find_version_parameters
from lancesql.plan.composition import Composition, compose
from lancesql.plan.query import QueryPlan
from lancesql.plan.spelling import quote_text

from .request import Parameters
from .run import check_parameters

__all__ = ["WrittenVersions", "write_versions"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WANTED = {
    "version": "a version number or a tag",
    "tag": "the name of a tag",
    "branch": "the name of a branch",
    "timestamp": "a timestamp, a text or a number of microseconds",
}


@dataclass(frozen=True)
class WrittenVersions:
    """A statement with its versions written out, and the parameters it still has."""

    composition: Composition
    parameters: Parameters


def write_versions(sql: str, parameters: Parameters) -> WrittenVersions | None:
    """The statement with its versions written out; None when none of them is a parameter.

    Raises:
        ParameterError: When a parameter is missing or unused.
        ArgumentError: When a value is not the name of a version.
    """
    found = {one.use.span: one for one in find_version_parameters(sql)}
    if not found:
        return None
    uses = find_parameters(read_tokens(sql))
    names = tuple(dict.fromkeys(use.name for use in uses))
    values = check_parameters(QueryPlan(sql=sql, relation=sql, used_parameters=names), parameters)
    kept = [use for use in uses if use.span not in found]
    new_names = _rename(kept)
    parts: list[str | Span | tuple[str, Span]] = []
    at = 0
    for use in uses:
        written = found.get(use.span)
        text = f"${new_names[use.name]}" if written is None else _write(written, values[use.name])
        parts += [Span(at, use.span.start), (text, use.span)]
        at = use.span.end
    composition = compose(sql, [*parts, Span(at, len(sql))])
    rest: dict[str, object] = {new: values[old] for old, new in new_names.items()}
    is_listed = all(name.isdigit() for name in rest)
    return WrittenVersions(composition, (list(rest.values()) if is_listed else rest) or None)


def _rename(kept: Sequence[ParameterUse]) -> dict[str, str]:
    """What the parameters that are left are called: numbers without gaps, in their order, and names as they are."""
    names = {use.name for use in kept}
    if not all(name.isdigit() for name in names):
        return {name: name for name in sorted(names)}
    return {name: str(number) for number, name in enumerate(sorted(names, key=int), 1)}


def _write(parameter: VersionParameter, value: object) -> str:
    value = _simplify(value)
    text = _write_moment(value, parameter) if parameter.kind == "timestamp" else _write_name(value, parameter.kind)
    if text is not None:
        return text
    use = parameter.use
    called = f"parameter {use.name}" if use.anonymous else f"${use.name}"
    shown = "NULL" if value is None else f"{type(value).__name__} {value!r}"[:60]
    raise ArgumentError(f"{called} is {shown}, and {_WANTED[parameter.kind]} is expected here", span=use.span)


def _simplify(value: object) -> object:
    if isinstance(value, np.datetime64 | np.timedelta64):
        unit = "datetime64[us]" if isinstance(value, np.datetime64) else "timedelta64[us]"
        return value.astype(unit).item()
    return value


def _write_name(value: object, kind: str) -> str | None:
    if isinstance(value, str):
        return quote_text(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if kind == "version" and is_number else None


def _write_moment(value: object, parameter: VersionParameter) -> str | None:
    """A moment as text when it is all there is; within an expression a literal of its type."""
    if isinstance(value, datetime):
        zoned = value.tzinfo is not None
        text = quote_text((value.astimezone(UTC) if zoned else value).isoformat(" "))
        return text if parameter.alone else f"{'TIMESTAMPTZ' if zoned else 'TIMESTAMP'} {text}"
    if isinstance(value, date):
        return quote_text(value.isoformat()) if parameter.alone else f"DATE {quote_text(value.isoformat())}"
    if isinstance(value, str):
        return quote_text(value)
    if isinstance(value, bool) or (parameter.alone and not isinstance(value, int)):
        return None
    if parameter.alone:
        return _write_microseconds(value)  # type: ignore[arg-type]
    if isinstance(value, timedelta):
        return f"(INTERVAL '{value // timedelta(microseconds=1)} microseconds')"
    return f"({value})" if isinstance(value, int | float | Decimal) else None


def _write_microseconds(value: int) -> str | None:
    try:
        return quote_text((_EPOCH + timedelta(microseconds=value)).isoformat(" "))
    except OverflowError:
        return None
