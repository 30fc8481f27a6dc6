"""Dates, times and intervals of an Arrow array → Python's, as DuckDB gives them.

What `datetime` cannot hold (before year 1, after 9999, 24:00) becomes DuckDB's text for it; infinity becomes the last
or first moment Python has; nanoseconds are cut to microseconds.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import zoneinfo
from typing import Any

import pyarrow as pa

__all__ = ["read_dates", "read_durations", "read_intervals", "read_times", "read_timestamps", "read_zoned_time"]

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - DuckDB's TIMESTAMP has no zone
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_CYCLE_DAYS = 146_097  # the Gregorian calendar repeats every 400 years
_DAY_MICROS = 86_400_000_000
_INFINITY = {32: 2**31 - 1, 64: 2**63 - 1}
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def read_dates(array: pa.Array[Any]) -> list[Any]:
    """The dates of a date32 or date64 array."""
    days = array if pa.types.is_date32(array.type) else array.cast(pa.date32())
    values = days.to_numpy(zero_copy_only=False).tolist()
    return [_date_of_days(value) if type(value) is int else value for value in values]


def read_timestamps(array: Any) -> list[Any]:
    """The moments of a timestamp array, aware when it has a zone."""
    unit, zone = array.type.unit, array.type.tz
    if unit == "ns":
        values = [_moment_of_nanos(number) for number in array.cast(pa.int64()).to_pylist()]
    else:  # numpy gives a datetime where one exists, and the bare number where none does
        naive = array.cast(pa.timestamp(unit)) if zone else array
        values = naive.to_numpy(zero_copy_only=False).tolist()
    place = None if zone is None else _find_zone(zone)
    for index, value in enumerate(values):
        if type(value) is int:
            values[index] = _moment_of_number(value, _PER_SECOND[unit], zoned=place is not None)
        elif place is not None and value is not None:
            values[index] = _move_to_zone(value, place)
    return values


def read_times(array: Any) -> list[Any]:
    """The times of day of a time32 or time64 array."""
    scale = _PER_SECOND[array.type.unit]
    integers = array.cast(pa.int32() if pa.types.is_time32(array.type) else pa.int64()).to_pylist()
    return [None if number is None else _time_of_micros(number * 1_000_000 // scale) for number in integers]


def read_durations(array: Any) -> list[Any]:
    """The spans of a duration array."""
    scale = _PER_SECOND[array.type.unit]
    return [
        None if number is None else _span_of(0, 0, _scale_to_micros(number, scale))
        for number in array.cast(pa.int64()).to_pylist()
    ]


def read_intervals(array: pa.Array[Any]) -> list[Any]:
    """The spans of an interval array; a month counts 30 days, as in DuckDB."""
    return [None if value is None else _span_of(value[0], value[1], value[2] // 1000) for value in array.to_pylist()]


def read_zoned_time(value: bytes) -> Any:
    """A TIME WITH TIME ZONE from DuckDB's eight bytes: 40 bits of time, 24 of offset counted down from +15:59:59."""
    bits = int.from_bytes(value, "little")
    offset = 57_599 - (bits & 0xFFFFFF)
    time = _time_of_micros(bits >> 24)
    if isinstance(time, str):
        return time + _spell_offset(offset)
    return time.replace(tzinfo=dt.timezone(dt.timedelta(seconds=offset)))


def _moment_of_nanos(number: int | None) -> Any:
    if number is None or abs(number) == _INFINITY[64]:
        return number
    return _EPOCH + dt.timedelta(microseconds=_scale_to_micros(number, _PER_SECOND["ns"]))


def _scale_to_micros(number: int, per_second: int) -> int:
    micros = abs(number) * 1_000_000 // per_second
    return micros if number >= 0 else -micros  # DuckDB cuts towards zero


def _date_of_days(days: int) -> Any:
    if abs(days) == _INFINITY[32]:
        return dt.date.max if days > 0 else dt.date.min
    return _spell_date(days)


def _spell_date(days: int) -> str:
    cycles, rest = divmod(days + _EPOCH_DAY - 1, _CYCLE_DAYS)
    day = dt.date.fromordinal(rest + 1)
    year = day.year + 400 * cycles
    text = f"{year if year > 0 else 1 - year:04d}-{day.month:02d}-{day.day:02d}"
    return text if year > 0 else f"{text} (BC)"


def _moment_of_number(number: int, per_second: int, *, zoned: bool) -> Any:
    if abs(number) == _INFINITY[64]:
        return dt.datetime.max if number > 0 else dt.datetime.min  # noqa: DTZ901
    days, rest = divmod(number * 1_000_000 // per_second, _DAY_MICROS)
    return f"{_spell_date(days)} {_spell_time(rest)}{'+00' if zoned else ''}"


def _spell_time(micros: int) -> str:
    seconds, fraction = divmod(micros, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}".rstrip("0") if fraction else text


def _time_of_micros(micros: int) -> Any:
    if micros >= _DAY_MICROS:
        return _spell_time(micros)
    seconds, fraction = divmod(micros, 1_000_000)
    return dt.time(seconds // 3600, seconds // 60 % 60, seconds % 60, fraction)


def _span_of(months: int, days: int, micros: int) -> Any:
    try:
        return dt.timedelta(days=months * 30 + days, microseconds=micros)
    except OverflowError:
        years = int(months / 12)
        sign = "-" if micros < 0 else ""
        parts = [(years, "years"), (months - 12 * years, "months"), (days, "days")]
        words = [f"{number} {unit}" for number, unit in parts if number]
        return " ".join([*words, sign + _spell_time(abs(micros))] if micros else words)


def _spell_offset(seconds: int) -> str:
    size = abs(seconds)
    parts = [f"{size // 3600:02d}"]
    if size % 3600:
        parts.append(f"{size // 60 % 60:02d}")
    if size % 60:
        parts.append(f"{size % 60:02d}")
    return ("-" if seconds < 0 else "+") + ":".join(parts)


def _move_to_zone(moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    aware = moment.replace(tzinfo=dt.UTC)
    try:
        return aware.astimezone(zone)
    except OverflowError:  # within a day of the first or last moment Python has
        return aware


@functools.lru_cache(maxsize=64)
def _find_zone(name: str) -> dt.tzinfo:
    if name.upper() in {"UTC", "ETC/UTC", "Z"}:
        return dt.UTC
    offset = re.fullmatch(r"([+-])(\d\d):?(\d\d)", name)
    if offset:
        sign, hours, minutes = offset.groups()
        span = dt.timedelta(hours=int(hours), minutes=int(minutes))
        return dt.timezone(-span if sign == "-" else span)
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # a machine without the zone: the instant is the same
        return dt.UTC
