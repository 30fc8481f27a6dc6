"""The settings of a session: their names, types, defaults and what they may be."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from .errors import ArgumentError, Span, nearest_name

__all__ = ["SETTINGS_SCHEMA", "Settings", "check_setting", "find_setting", "list_settings"]

SETTINGS_SCHEMA = "lancesql"
"""What stands before the name of a setting in SQL: `SET lancesql.recall = 0.99`."""


def _setting(default: object, description: str) -> Any:
    return field(default=default, metadata={"description": description})


@dataclass(frozen=True)
class Settings:
    """What a statement of this session does where it does not say it itself.

    Attributes:
        approximate: Whether `ORDER BY` a distance may be answered by an index.
        recall: The share of the true k nearest that a search through an index aims at.
        timeout: Seconds after which a statement is stopped; None for never.
        max_rows: A result of more rows is an error; None for no bound.
        order_by_search_limit: The most rows for which `ORDER BY` a distance becomes a search.
        autocommit_in_transaction: Whether Lance tables may be written between BEGIN and COMMIT, each time for good.
        finite_vectors: Whether a statement that writes a vector with NaN or an infinity is refused: no search finds it.

    Example:
        >>> Settings(recall=0.99).recall
        0.99
    """

    approximate: bool = _setting(True, "ORDER BY a distance may be answered by an index")
    recall: float = _setting(0.95, "the share of the true k nearest that a search through an index aims at")
    timeout: float | None = _setting(None, "seconds after which a statement is stopped; NULL for never")
    max_rows: int | None = _setting(None, "a result of more rows is an error; NULL for no bound")
    order_by_search_limit: int = _setting(10_000, "the most rows for which ORDER BY a distance becomes a search")
    autocommit_in_transaction: bool = _setting(False, "Lance tables may be written between BEGIN and COMMIT")
    finite_vectors: bool = _setting(True, "a statement that writes a vector with NaN or an infinity is refused")

    def __post_init__(self) -> None:
        for name, value in list_settings(self):
            object.__setattr__(self, name, check_setting(name, value))


def list_settings(settings: Settings) -> list[tuple[str, Any]]:
    """Every setting with its value."""
    return [(one.name, getattr(settings, one.name)) for one in fields(settings)]


def find_setting(name: str, span: Span | None = None) -> str:
    """The setting of that name, in any case.

    Raises:
        ArgumentError: When there is none; it says which is nearest.
    """
    names = [one.name for one in fields(Settings)]
    if name.lower() in names:
        return name.lower()
    near = nearest_name(name, names)
    listed = f"settings: {', '.join(names)}"
    raise ArgumentError(
        f"there is no setting '{SETTINGS_SCHEMA}.{name}'",
        hint=f"did you mean '{near}'? {listed}" if near else listed,
        span=span,
    )


def check_setting(name: str, value: object, span: Span | None = None) -> object:
    """The value as the setting holds it.

    Raises:
        ArgumentError: When the setting cannot have it.

    Example:
        >>> check_setting("recall", 1)
        1.0
    """
    match name:
        case "approximate" | "autocommit_in_transaction" | "finite_vectors":
            fits, wanted = isinstance(value, bool), "true or false"
        case "recall":
            fits, wanted = _is_number(value) and 0 < value <= 1, "a number above 0, at most 1"  # type: ignore[operator]
            value = float(value) if fits else value  # type: ignore[arg-type]
        case "timeout":
            fits = value is None or (_is_number(value) and value > 0)  # type: ignore[operator]
            wanted = "a number of seconds above 0, or NULL for never"
            value = value if value is None or not fits else float(value)  # type: ignore[arg-type]
        case "max_rows":
            fits, wanted = value is None or _is_count(value), "a whole number, or NULL for no bound"
        case _:
            fits, wanted = _is_count(value), "a whole number, at least 0"
    if not fits:
        shown = "NULL" if value is None else repr(value) if isinstance(value, str) else str(value).lower()
        raise ArgumentError(f"setting '{name}' is {wanted}, not {shown}", span=span)
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
