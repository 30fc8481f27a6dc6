"""Recency: a fused score decays with the age of its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.errors import ArgumentError, Span, UnknownColumnError, nearest_name
from lancesql.execution.filters.constants import ask_engine
from lancesql.execution.run import Run
from lancesql.plan.fusion import RECENCY_FIELDS, Recency, can_decay
from lancesql.plan.moments import PER_SECOND
from lancesql.plan.sources import ROW_ID, FusedSearch
from lancesql.plan.type_names import name_arrow_type
from lancesql.plan.values import ConstantExpression
from lancesql.storage.filters.render import UnrenderableError
from lancesql.storage.scan import list_row_ids, take_rows

__all__ = ["Decay", "decay_scores", "read_decay"]

Array = np.ndarray[Any, Any]

_YEAR = 31_557_600.0
"""Seconds, as DuckDB counts a year of an interval: 365.25 days. A month of it has 30."""


@dataclass(frozen=True)
class Decay:
    """A decay whose values are known.

    Attributes:
        column: The column that says when.
        now: From when the age counts: seconds since 1970, by the column's own clock; of a year the year.
        half_life: In the same unit.
        weight: How much of the score decays.
    """

    column: str
    now: float
    half_life: float
    weight: float


def decay_scores(source: FusedSearch, recency: Recency, run: Run, row_ids: Array, scores: Array) -> Array:
    """The scores times (1 − weight) + weight · 0.5^(age / half_life).

    What lies in the future has age 0; NULL is as old as can be.
    """
    decay = read_decay(source, recency, run)
    if not len(row_ids):
        return scores
    dataset = run.database.open_dataset(source.table)
    column = take_rows(dataset, list_row_ids(pa.chunked_array([row_ids])), [decay.column, ROW_ID]).column(0)
    age = np.maximum(decay.now - _read_moments(column), 0.0)
    aged = np.exp2(-age / decay.half_life)
    return np.asarray(scores * (1.0 - decay.weight + decay.weight * np.where(np.isnan(aged), 0.0, aged)))


def read_decay(source: FusedSearch, recency: Recency, run: Run) -> Decay:
    """The decay with its values, computed once in a run.

    Raises:
        ArgumentError: When a value is of another kind or out of range.
    """
    key = ("recency", source.placeholder)
    held = run.constants.get(key)
    if not isinstance(held, Decay):
        held = run.constants[key] = _Reader(source, recency, run).read()
    return held


def _read_moments(column: Any) -> Array:
    """Seconds since 1970, or the numbers of an integer column; NaN for NULL."""
    type_ = column.type
    if pa.types.is_integer(type_):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), np.float64)
    if pa.types.is_date(type_):
        days = column.cast(pa.date32()).cast(pa.int32())
        return np.asarray(days.to_numpy(), np.float64) * 86_400
    return np.asarray(column.cast(pa.int64()).to_numpy(), np.float64) / PER_SECOND[type_.unit]


class _Reader:
    """Reads the values of one decay; DuckDB computes and casts them, in the session's time zone."""

    def __init__(self, source: FusedSearch, recency: Recency, run: Run) -> None:
        self._source, self._recency, self._run = source, recency, run
        self._values: Mapping[str, object] = run.values

    def read(self) -> Decay:
        recency = self._recency if self._recency.given is None else self._read_given()
        column = self._find_column(recency.column)
        type_ = self._source.table.schema.field(column).type
        if not can_decay(type_):
            raise ArgumentError(
                f"recency reads a date, a timestamp or a year, and column '{column}' is {name_arrow_type(type_)}",
                span=recency.span,
            )
        assert recency.half_life is not None
        half_life = self._read_half_life(recency.half_life, type_)
        if not (np.isfinite(half_life) and half_life > 0):
            raise self._refuse("the half_life of recency is longer than nothing")
        weight = (
            1.0 if recency.weight is None else self._ask_number(f"CAST({recency.weight.sql} AS DOUBLE)", recency.weight)
        )
        if not 0 <= weight <= 1:
            raise self._refuse("the weight of recency is between 0 and 1")
        return Decay(column, self._read_now(recency.now, type_), half_life, weight)

    def _read_given(self) -> Recency:
        """The parameter's fields, as if each were a parameter of its own."""
        assert self._recency.given is not None
        fields = self._run.values[self._recency.given.name]
        if not isinstance(fields, Mapping):
            raise self._refuse("recency is a struct, or a dict of the same fields")
        unknown = next((name for name in fields if name not in RECENCY_FIELDS), None)
        if unknown is not None:
            near = nearest_name(str(unknown), RECENCY_FIELDS)
            raise self._refuse(f"recency has no field '{unknown}'", f"did you mean '{near}'?" if near else None)
        missing = next((name for name in RECENCY_FIELDS[:2] if fields.get(name) is None), None)
        if missing is not None:
            raise self._refuse(f"recency needs a field '{missing}'")
        self._values = fields

        def read(name: str) -> ConstantExpression | None:
            return ConstantExpression(f"${name}", (name,)) if fields.get(name) is not None else None

        half_life, now, weight = read("half_life"), read("now"), read("weight")
        return Recency(str(fields["column"]), half_life, now, weight, span=self._recency.span)

    def _find_column(self, name: str) -> str:
        names = self._source.table.schema.names
        matches = [column for column in names if column.lower() == name.lower()]
        if name in matches or len(matches) == 1:
            return name if name in matches else matches[0]
        near = nearest_name(name, names)
        raise UnknownColumnError(
            f"table '{self._source.table.name}' has no column '{name}'",
            hint=f"did you mean '{near}'?" if near else f"columns: {', '.join(names)}",
            span=self._recency.span,
        )

    def _read_half_life(self, value: ConstantExpression, type_: Any) -> float:
        kind = str(self._ask(f"typeof({value.sql})", value))
        is_year = pa.types.is_integer(type_)
        if kind in ("INTERVAL", "VARCHAR"):
            seconds = self._ask_number(f"epoch(CAST({value.sql} AS INTERVAL))", value)
            return seconds / _YEAR if is_year else seconds
        if not is_year:
            raise self._refuse("the half_life of recency is an interval", "write INTERVAL 30 DAYS, or '30 days'")
        return self._ask_number(f"CAST({value.sql} AS DOUBLE)", value)

    def _read_now(self, value: ConstantExpression | None, type_: Any) -> float:
        zone = "TIMESTAMPTZ" if pa.types.is_timestamp(type_) and type_.tz is not None else "TIMESTAMP"
        value = value or ConstantExpression("now()")
        if pa.types.is_integer(type_):
            if str(self._ask(f"typeof({value.sql})", value)).endswith(("INT", "INTEGER")):
                return self._ask_number(f"CAST({value.sql} AS DOUBLE)", value)
            return self._ask_number(f"year(CAST({value.sql} AS TIMESTAMP))", value)
        return self._ask_number(f"epoch_us(CAST({value.sql} AS {zone}))", value) / 1e6

    def _ask(self, sql: str, value: ConstantExpression) -> object:
        run = self._run
        ask = ask_engine(run.engine, run.namespace, run.constants)
        try:
            return ask(sql, {name: self._values[name] for name in value.parameters})
        except UnrenderableError as error:
            raise self._refuse(f"a value of recency cannot be read: {error}") from None

    def _ask_number(self, sql: str, value: ConstantExpression) -> float:
        answer = self._ask(sql, value)
        if not isinstance(answer, int | float):
            raise self._refuse("a value of recency is NULL")
        return float(answer)

    def _refuse(self, message: str, hint: str | None = None) -> ArgumentError:
        span: Span | None = self._recency.span
        usage = "recency => {'column': 'published', 'half_life': INTERVAL 30 DAYS}"
        return ArgumentError(message, hint=hint or usage, span=span)
