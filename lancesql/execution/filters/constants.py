"""Constant expressions and casts of a filter, computed by DuckDB once in a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from lancesql.engines.duckdb import DuckDBEngine
from lancesql.engines.namespace import Namespace
from lancesql.errors import LanceSQLError
from lancesql.plan.moments import Moment
from lancesql.storage.filters.render import Ask, UnrenderableError

__all__ = ["ask_engine"]


def ask_engine(engine: DuckDBEngine, namespace: Namespace, computed: dict[tuple[Any, ...], object]) -> Ask:
    """What computes the constants of filters: on the user's connection, in its transaction and time zone.

    Args:
        engine: Who computes.
        namespace: The variables a statement may name.
        computed: What was computed already in this run.
    """

    def ask(sql: str, parameters: Mapping[str, object]) -> object:
        key = (sql, *sorted((name, repr(value)) for name, value in parameters.items()))
        if key not in computed:
            try:
                table = engine.run(f"SELECT {sql}", dict(parameters) or None, {}, namespace)
            except LanceSQLError as error:
                raise UnrenderableError(f"DuckDB refuses a constant: {error.message}") from None
            computed[key] = _read_scalar(table.column(0)[0])
        return computed[key]

    return ask


def _read_scalar(scalar: Any) -> object:
    """A value in the kind that decides how it is compared."""
    type_ = scalar.type
    if not scalar.is_valid:
        return None
    if pa.types.is_timestamp(type_):
        return Moment(scalar.value, type_.unit, type_.tz is not None)
    if pa.types.is_float32(type_):
        return np.float32(scalar.as_py())
    kinds = (
        pa.types.is_integer, pa.types.is_float64, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_string,
        pa.types.is_binary, pa.types.is_date32, pa.types.is_time64, pa.types.is_list,
    )  # fmt: skip
    if not any(is_kind(type_) for is_kind in kinds):
        raise UnrenderableError(f"a constant of type {type_} is not proved equal")
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        raise UnrenderableError("a constant that Python cannot hold") from None
