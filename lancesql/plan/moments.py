"""Dates and timestamps as text, in exactly the forms that Python and DuckDB read alike."""

from __future__ import annotations

import re
from datetime import date, datetime

__all__ = ["read_date", "read_timestamp"]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(_DATE.pattern + r"([ T]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?)?")


def read_date(text: str) -> date | None:
    """The date `YYYY-MM-DD` names; None for any other text.

    Example:
        >>> read_date("2024-02-29"), read_date("2024-W01-1")
        (datetime.date(2024, 2, 29), None)
    """
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def read_timestamp(text: str) -> datetime | None:
    """The moment `YYYY-MM-DD [HH:MM:SS[.US]]` names; None for any other text.

    Example:
        >>> read_timestamp("2024-01-01 12:30:15.5"), read_timestamp("2024-01-01 12:30:15,5")
        (datetime.datetime(2024, 1, 1, 12, 30, 15, 500000), None)
    """
    try:
        return datetime.fromisoformat(text) if _TIMESTAMP.fullmatch(text) else None
    except ValueError:
        return None
