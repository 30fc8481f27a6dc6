"""The nearest rows of a table for each row of a LazyFrame, searched for in batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from lancesql.errors import ArgumentError, UnknownColumnError, nearest_name

from .convert import frame_to_arrow, import_polars, table_to_polars
from .search import SearchCall
from .statements import Asker, Statement, StatementWriter, quote_name

if TYPE_CHECKING:
    import polars as pl

__all__ = ["join_neighbours"]

_ROWS, _ROW, _VALUE, _FOUND = "__lancesql_asked", "__lancesql_row", "__lancesql_value", "__lancesql_neighbour"
Kind = Literal["inner", "left"]


def join_neighbours(
    frame: pl.LazyFrame,
    asker: Asker,
    table: str,
    on: str,
    how: Kind,
    suffix: str,
    filter: str | None,
    arguments: Mapping[str, Any],
) -> pl.LazyFrame:
    """As `LanceNamespace.knn_join`."""
    polars = import_polars("knn_join()")
    if how not in ("inner", "left"):
        raise ArgumentError(f"how is 'inner' or 'left', not {how!r}")
    if filter is not None and not isinstance(filter, str):
        raise ArgumentError(f"filter cannot be a {type(filter).__name__}", hint="write it as SQL: filter='year > 2000'")
    left = frame.collect_schema()
    if on not in left:
        near = nearest_name(on, left.names())
        hint = f"did you mean '{near}'?" if near else f"columns: {', '.join(left.names())}"
        raise UnknownColumnError(f"the frame has no column '{on}'", hint=hint)
    given = {name: one for name, one in arguments.items() if one is not None or name == "k"}
    call = SearchCall("vector_search", table, (), given, filter)
    nothing = polars.DataFrame(schema={on: left[on]})
    found = asker.describe_statement(_write(call, nothing, on, None)).schema
    names = {one: one + suffix if one in left else one for one in found.names}
    repeated = next((new for one, new in names.items() if new in left or list(names.values()).count(new) > 1), None)
    if repeated is not None:
        raise ArgumentError(
            f"two columns would be named '{repeated}'", hint="give another suffix, or rename the column"
        )
    right = table_to_polars(found.empty_table()).schema
    schema = {**left, **{names[one]: kind for one, kind in right.items()}}

    def search(rows: pl.DataFrame) -> pl.DataFrame:
        statement = _write(call, rows.select(on), on, list(found.names))
        with asker.read_statement(statement) as reader:
            answer = table_to_polars(reader.read_all())
        indices = answer[_ROW].cast(polars.UInt32)
        matches = answer.drop(_ROW).cast(right).rename(names)
        joined = rows[indices].hstack(matches)
        if how == "left":
            missing = rows.with_row_index(_ROW).filter(~polars.col(_ROW).is_in(indices.implode()))
            order = polars.concat([indices, missing[_ROW]])
            joined = polars.concat([joined, missing.drop(_ROW)], how="diagonal").select(list(schema))
            joined = joined.with_columns(order.alias(_ROW)).sort(_ROW, maintain_order=True).drop(_ROW)
        return joined

    return frame.map_batches(
        search,
        predicate_pushdown=False,
        projection_pushdown=False,
        slice_pushdown=False,
        schema=schema,
        streamable=True,
    )


def _write(call: SearchCall, rows: pl.DataFrame, on: str, columns: list[str] | None) -> Statement:
    """The search for each row; without columns only what is planned of it."""
    asked: Any = frame_to_arrow(rows.with_row_index(_ROW).rename({on: _VALUE}))
    writer = StatementWriter()
    taken = [f"{_FOUND}.{quote_name(one)}" for one in columns or ()] or [f"{_FOUND}.*"]
    writer.add(f"SELECT {_ROWS}.{_ROW}, {', '.join(taken)} FROM ")
    writer.add_table(_ROWS, pa.table(asked))
    writer.add(", LATERAL ")
    call.write(writer, asked=f"{_ROWS}.{_VALUE}")
    writer.add(f" AS {_FOUND} ORDER BY {_ROWS}.{_ROW}, {_FOUND}._distance, {_FOUND}._rowid")
    return writer.finish()
