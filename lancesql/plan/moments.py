"""Dates and timestamps: as text, in exactly the forms that Python and DuckDB read alike, and as numbers of a unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

__all__ = ["PER_SECOND", "Moment", "measure_datetime", "read_date", "read_timestamp"]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(_DATE.pattern + r"([ T]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(frozen=True)
class Moment:
    """So many units since 1970: an instant when it is zoned, else the reading of a clock that knows no zone."""

    number: int
    unit: str
    zoned: bool


def measure_datetime(value: datetime) -> Moment:
    """A datetime as a number of microseconds.

    Example:
        >>> measure_datetime(datetime(1970, 1, 2))
        Moment(number=86400000000, unit='us', zoned=False)
    """
    zoned = value.tzinfo is not None
    return Moment(((value if zoned else value.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND, "us", zoned)


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
