"""What the columns that rows are written to are called in SQL: the engine makes values of those types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.engines.definitions import find_declared
from lancesql.engines.stored_types import is_cast
from lancesql.plan.query import DirectAnswer
from lancesql.plan.sources import ROW_ID, score_fields
from lancesql.plan.type_names import name_arrow_type
from lancesql.storage.types import widen_type
from lancesql.storage.writes.tables import match_columns

from .run import Run, Targets

__all__ = ["find_inserted", "find_places", "is_direct_cast", "name_target"]


def find_inserted(table: TableInfo, columns: Sequence[str], *, by_name: bool) -> Targets:
    """The types of the columns that an INSERT fills."""

    def name_columns(names: Sequence[str]) -> Sequence[str | None]:
        places = match_columns(table, names, columns, by_name=by_name)
        found = {place: name for place, name in zip(places, table.schema.names, strict=True) if place is not None}
        return find_places(table, found)(names)

    return name_columns


def find_places(table: TableInfo, places: Mapping[int, str]) -> Targets:
    """The types of the columns that the columns of a query at these places are for."""
    declared = find_declared(table.schema)
    types = {at: declared.get(name) or name_target(table.schema.field(name).type) for at, name in places.items()}
    return lambda names: [types.get(at) for at in range(len(names))]


def name_target(type_: Any) -> str | None:
    """What DuckDB calls the type of a column; None for one it does not know."""
    if isinstance(type_, pa.BaseExtensionType) or pa.types.is_null(type_):
        return None
    return None if pa.types.is_decimal256(type_) else name_arrow_type(widen_type(type_))


def is_direct_cast(direct: DirectAnswer, run: Run) -> bool:
    """Whether rows that could do without the engine are written to columns of types that it makes."""
    if run.stores is None:
        return False
    (source,) = run.plan.sources
    known = {field.name: field.type for field in (*source.table.schema, *score_fields(source))}
    known[ROW_ID] = pa.uint64()
    given = [known.get(column.source_column) for column in direct.output]
    targets = run.stores([column.name for column in direct.output])
    return any(
        one is not None and target is not None and is_cast(name_arrow_type(widen_type(one)), target)
        for one, target in zip(given, targets, strict=True)
    )
