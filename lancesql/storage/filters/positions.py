"""Ordered types as whole numbers: integers, decimals, dates, timestamps and times of day, each in its own unit.

To compare a column with a value is to find the positions of the column's type that equal it: one, none (`1.5` among
integers), or several (a DOUBLE beside a BIGINT). What lies before them is less, what lies behind them is more.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import pyarrow as pa

from lancesql.plan.moments import PER_SECOND, Moment, measure_datetime, read_date, read_timestamp

from .clauses import UnrenderableError
from .values import Values, describe_value

__all__ = ["Domain", "find_domain"]

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_UTC = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal"})
_UNITS = {"s": "Second", "ms": "Millisecond", "us": "Microsecond", "ns": "Nanosecond"}
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_PARSED = ((date(1678, 1, 1).toordinal() - _EPOCH_DAY) * _DAY, (date(2262, 1, 1).toordinal() - _EPOCH_DAY) * _DAY)
"""The seconds between which Lance reads `TIMESTAMP '…'`: it goes through nanoseconds."""
_WRITTEN = ((date.min.toordinal() - _EPOCH_DAY) * _DAY, (date.max.toordinal() - _EPOCH_DAY) * _DAY)


@dataclass(frozen=True)
class Domain(ABC):
    """The values of a type in their order, as the whole numbers from `low` to `high`."""

    low: int
    high: int

    @abstractmethod
    def locate(self, values: Values, value: object) -> tuple[int, int]:
        """The first position that is not less than the value, and the first that is more."""

    @abstractmethod
    def write(self, position: int) -> str:
        """The literal of a position."""


@lru_cache(maxsize=256)
def find_domain(type_: Any) -> Domain | None:
    """The order of a type's values, or None for a type that is compared as it is.

    Example:
        >>> find_domain(pa.uint8()).high
        255
    """
    if pa.types.is_integer(type_):
        bits = type_.bit_width
        name = {8: "TINYINT", 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT"}[bits]
        if pa.types.is_unsigned_integer(type_):
            return _Integers(0, 2**bits - 1, f"U{name}")
        return _Integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, name)
    if pa.types.is_decimal(type_) and 0 <= type_.scale <= type_.precision <= 38:
        most = 10**type_.precision - 1
        return _Decimals(-most, most, type_.precision, type_.scale, pa.types.is_decimal256(type_))
    if pa.types.is_date(type_):
        return _Dates(-(2**31), 2**31 - 1)
    if pa.types.is_timestamp(type_):
        return _Timestamps(-(2**63), 2**63 - 1, type_.unit, type_.tz)
    if pa.types.is_time(type_):
        return _Times(0, _DAY * PER_SECOND[type_.unit], type_.unit, type_.bit_width)
    return None


def _enclose(number: Fraction) -> tuple[int, int]:
    return math.ceil(number), math.floor(number) + 1


def _refuse(column: str, value: object) -> UnrenderableError:
    kind = describe_value(value)
    return UnrenderableError(f"{column} column is compared with {'an' if kind[0] in 'aeiou' else 'a'} {kind}")


def _measure_decimal(value: Decimal) -> tuple[int, int]:
    """Digits before and behind the point."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise UnrenderableError(f"{value} is not a number of digits")
    return max(len(str(abs(int(value)))) if abs(value) >= 1 else 0, 0), max(-exponent, 0)


@dataclass(frozen=True)
class _Integers(Domain):
    name: str

    def locate(self, values: Values, value: object) -> tuple[int, int]:
        if isinstance(value, str) and not _INTEGER.fullmatch(value):
            value = values.cast(value, self.name)
        match value:
            case bool():
                pass
            case int() if abs(value) < 10**38:
                return value, value + 1
            case Decimal():
                before, behind = _measure_decimal(value)
                if max(before, len(str(self.high))) + behind > 38:
                    raise UnrenderableError(f"{value} has more digits than DuckDB compares exactly")
                return _enclose(Fraction(value))
            case float():
                return self._locate_double(value)
            case str() if _INTEGER.fullmatch(value) and self.low <= int(value) <= self.high:
                return int(value), int(value) + 1
        raise _refuse("an integer", value)

    def _locate_double(self, value: float) -> tuple[int, int]:
        if math.isnan(value) or value == math.inf:
            return self.high + 1, self.high + 1
        if value == -math.inf:
            return self.low, self.low
        if self.high < 2**53:
            return _enclose(Fraction(value))
        every = range(self.low, self.high + 1)  # DuckDB rounds a BIGINT to the nearest DOUBLE before it compares
        return _bisect(every, value, beyond=False), _bisect(every, value, beyond=True)

    def write(self, position: int) -> str:
        if position == -(2**63):  # Lance reads the bare number as a DOUBLE
            return f"CAST('{position}' AS BIGINT)"
        return str(position)


def _bisect(every: range, value: float, *, beyond: bool) -> int:
    """The first whole number that is, as a DOUBLE, not less than a value, or more than it."""
    low, high = every.start, every.stop
    while low < high:
        middle = (low + high) // 2
        number = float(middle)
        if number < value or (beyond and number == value):
            low = middle + 1
        else:
            high = middle
    return low


@dataclass(frozen=True)
class _Decimals(Domain):
    precision: int
    scale: int
    wide: bool

    def locate(self, values: Values, value: object) -> tuple[int, int]:
        if isinstance(value, str):
            value = values.cast(value, f"DECIMAL({self.precision},{self.scale})")
        match value:
            case bool():
                pass
            case int() if abs(value) < 10**18:
                return self._enclose(Decimal(value))
            case Decimal():
                return self._enclose(value)
        raise _refuse("a DECIMAL", value)

    def _enclose(self, value: Decimal) -> tuple[int, int]:
        before, behind = _measure_decimal(value)
        if max(before, self.precision - self.scale) + max(behind, self.scale) > 38:
            raise UnrenderableError(f"{value} has more digits than DuckDB compares exactly")
        return _enclose(Fraction(value) * 10**self.scale)

    def write(self, position: int) -> str:
        digits = str(abs(position)).rjust(self.scale + 1, "0")
        text = f"{'-' if position < 0 else ''}{digits[: len(digits) - self.scale]}"
        if self.scale:
            text += f".{digits[-self.scale :]}"
        if self.wide:
            return f"arrow_cast('{text}', 'Decimal256({self.precision}, {self.scale})')"
        return f"CAST('{text}' AS DECIMAL({self.precision},{self.scale}))"


def _unzone(values: Values, value: object) -> object:
    """An instant beside a clock's reading: DuckDB makes an instant of the reading, which in UTC changes nothing."""
    if not isinstance(value, Moment) or not value.zoned or value.unit != "us":
        return value
    if values.ask is None or values.ask("current_setting('TimeZone')", {}) not in _UTC:
        raise UnrenderableError("an instant beside a column without a time zone, and the session's zone is not UTC")
    return Moment(value.number, "us", False)


@dataclass(frozen=True)
class _Dates(Domain):
    def locate(self, values: Values, value: object) -> tuple[int, int]:
        if isinstance(value, str):
            value = read_date(value) or values.cast(value, "DATE")
        value = _unzone(values, value)
        match value:
            case Moment(number, unit, False) if unit != "ns":
                return _enclose(Fraction(number, PER_SECOND[unit] * _DAY))
            case date():
                day = value.toordinal() - _EPOCH_DAY
                return day, day + 1
        raise _refuse("a DATE", value)

    def write(self, position: int) -> str:
        if not 1 <= position + _EPOCH_DAY <= date.max.toordinal():
            raise UnrenderableError("the date lies outside the years 1 to 9999")
        return f"DATE '{date.fromordinal(position + _EPOCH_DAY).isoformat()}'"


_NAIVE = {"s": "TIMESTAMP_S", "ms": "TIMESTAMP_MS", "us": "TIMESTAMP", "ns": "TIMESTAMP_NS"}


@dataclass(frozen=True)
class _Timestamps(Domain):
    unit: str
    zone: str | None

    def locate(self, values: Values, value: object) -> tuple[int, int]:
        if self.zone is not None:
            return self._enclose(self._read_instant(values, value))
        if isinstance(value, str):
            exact = read_timestamp(value) if self.unit == "us" else None
            value = values.cast(value, _NAIVE[self.unit]) if exact is None else measure_datetime(exact)
        if isinstance(value, date):
            value = Moment((value.toordinal() - _EPOCH_DAY) * _DAY, "s", False)
        value = _unzone(values, value)
        if not isinstance(value, Moment) or value.zoned or (value.unit == "ns" and self.unit != "ns"):
            raise _refuse(f"a {_NAIVE[self.unit]}", value)
        return self._enclose(value)

    def _read_instant(self, values: Values, value: object) -> Moment:
        """What DuckDB compares with an instant: a date or a clock's reading is one by the session's time zone."""
        if self.unit == "ns":
            raise UnrenderableError("comparisons on instants in nanoseconds are not proved equal")
        if isinstance(value, str | date) or (isinstance(value, Moment) and not value.zoned):
            value = values.cast(value, "TIMESTAMPTZ")
        if not isinstance(value, Moment) or value.unit != "us":
            raise _refuse("a TIMESTAMPTZ", value)
        return value

    def _enclose(self, moment: Moment) -> tuple[int, int]:
        start, stop = _enclose(Fraction(moment.number * PER_SECOND[self.unit], PER_SECOND[moment.unit]))
        if self.unit == "ns" and not self.low <= start <= self.high:
            raise UnrenderableError("the moment lies outside the range of TIMESTAMP_NS")
        return start, stop

    def write(self, position: int) -> str:
        seconds, part = divmod(position, PER_SECOND[self.unit])
        if not _WRITTEN[0] <= seconds < _WRITTEN[1]:
            raise UnrenderableError("the moment lies outside the years 1 to 9999")
        day = _EPOCH + timedelta(seconds=seconds)
        digits = _DIGITS[self.unit]
        clock = f"{day:%H:%M:%S}" + (f".{part:0{digits}}" if digits else "")
        text = f"{day.date().isoformat()} {clock}"
        if self.zone is not None:
            return f"arrow_cast('{text.replace(' ', 'T')}Z', 'Timestamp({_UNITS[self.unit]}, Some(\"UTC\"))')"
        if self.unit != "ns" and _PARSED[0] <= seconds < _PARSED[1]:  # of nanoseconds Lance cuts `TIMESTAMP '…'`
            return f"TIMESTAMP '{text}'"
        return f"arrow_cast('{text.replace(' ', 'T')}', 'Timestamp({_UNITS[self.unit]}, None)')"


@dataclass(frozen=True)
class _Times(Domain):
    unit: str
    bits: int

    def locate(self, values: Values, value: object) -> tuple[int, int]:
        if self.unit == "ns":
            raise UnrenderableError("comparisons on times in nanoseconds are not proved equal")
        if isinstance(value, str):
            value = values.cast(value, "TIME")
        if not isinstance(value, time) or value.tzinfo is not None:
            raise _refuse("a TIME", value)
        micros = ((value.hour * 60 + value.minute) * 60 + value.second) * 10**6 + value.microsecond
        return _enclose(Fraction(micros * PER_SECOND[self.unit], 10**6))

    def write(self, position: int) -> str:
        seconds, part = divmod(position, PER_SECOND[self.unit])
        if seconds >= _DAY:
            raise UnrenderableError("the time of day is 24:00")
        digits = _DIGITS[self.unit]
        text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (
            f".{part:0{digits}}" if digits else ""
        )
        return f"arrow_cast('{text}', 'Time{self.bits}({_UNITS[self.unit]})')"
