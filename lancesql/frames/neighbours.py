"""The nearest rows of a table for each row of a LazyFrame, searched for in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from lancesql.errors import ArgumentError, UnknownColumnError, nearest_name
from lancesql.plan.spelling import quote_name

from .convert import frame_to_arrow, import_polars, table_to_polars
from .prefilter import Prefilter, add_row_ids
from .search import SearchCall
from .statements import Asker, Piece, Statement, StatementWriter

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
    columns: Sequence[str] | None,
    filter: Any,
    arguments: Mapping[str, Any],
) -> pl.LazyFrame:
    """As `LanceNamespace.knn_join`."""
    polars = import_polars("knn_join()")
    if how not in ("inner", "left"):
        raise ArgumentError(f"how is 'inner' or 'left', not {how!r}")
    left = frame.collect_schema()
    if on not in left:
        near = nearest_name(on, left.names())
        hint = f"did you mean '{near}'?" if near else f"columns: {', '.join(left.names())}"
        raise UnknownColumnError(f"the frame has no column '{on}'", hint=hint)
    given = {name: one for name, one in arguments.items() if one is not None or name == "k"}
    call = SearchCall("vector_search", table, (), given, filter)
    nothing = polars.DataFrame(schema={on: left[on]})
    join = _NeighbourJoin(asker, call, on, columns)
    found = join.check(nothing)
    names = {one: one + suffix if one in left else one for one in found.names}
    repeated = next((new for one, new in names.items() if new in left or list(names.values()).count(new) > 1), None)
    if repeated is not None:
        raise ArgumentError(
            f"two columns would be named '{repeated}'", hint="give another suffix, or rename the column"
        )
    right = table_to_polars(found.empty_table()).schema
    schema = {**left, **{names[one]: kind for one, kind in right.items()}}

    def search(rows: pl.DataFrame) -> pl.DataFrame:
        answer = table_to_polars(join.read(rows.select(on), found.names))
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


class _NeighbourJoin:
    """Searches for each row of a frame."""

    def __init__(self, asker: Asker, call: SearchCall, on: str, columns: Sequence[str] | None) -> None:
        self._asker, self._call, self._on, self._columns = asker, call, on, columns
        self._filter: Prefilter | None = None
        self._kept: tuple[int, pa.Table] | None = None

    def check(self, nothing: pl.DataFrame) -> pa.Schema:
        """The columns that come of the table."""
        description = self._asker.describe_statement(self._write(nothing, None, ()))
        if not isinstance(self._call.filter, str | None):
            self._filter = Prefilter(self._asker, self._call.table, self._call.filter, description.version)
        wanted = description.schema.names if self._columns is None else self._columns
        for name in wanted:
            if name not in description.schema.names:
                near = nearest_name(name, description.schema.names)
                hint = f"did you mean '{near}'?" if near else f"columns: {', '.join(description.schema.names)}"
                raise UnknownColumnError(f"the table '{description.table}' has no column '{name}'", hint=hint)
        return pa.schema([description.schema.field(name) for name in wanted])

    def read(self, rows: pl.DataFrame, columns: Sequence[str]) -> pa.Table:
        """The neighbours of each row, and its number."""
        statement = self._write(rows, columns, ())
        if self._filter is not None:
            statement = self._restrict(rows, columns, self._filter)
        with self._asker.read_statement(statement) as reader:
            return reader.read_all()

    def _restrict(self, rows: pl.DataFrame, columns: Sequence[str], filter: Prefilter) -> Statement:
        """The search among the rows that satisfy a Polars expression."""
        version = self._asker.describe_statement(self._write(rows, columns, ())).version
        conjuncts = filter.translate(version)
        if conjuncts is not None:
            statement = self._write(rows, columns, conjuncts)
            if None not in self._asker.describe_statement(statement).pushed:
                return statement
        kept = self._kept
        if kept is None or kept[0] != version:
            self._kept = kept = version, filter.find_rows(version)
        return self._write(rows, columns, None, kept[1], version)

    def _write(
        self,
        rows: pl.DataFrame,
        columns: Sequence[str] | None,
        conjuncts: Sequence[Piece] | None,
        kept: pa.Table | None = None,
        version: int | None = None,
    ) -> Statement:
        """The search for each row: without columns only what is planned of it, without conjuncts among row ids."""
        asked: Any = frame_to_arrow(rows.with_row_index(_ROW).rename({self._on: _VALUE}))
        writer = StatementWriter()
        taken = [f"{_FOUND}.*"] if columns is None else [f"{_FOUND}.{quote_name(one)}" for one in columns]
        writer.add(f"SELECT {', '.join([f'{_ROWS}.{_ROW}', *taken])} FROM ")
        writer.add_table(_ROWS, pa.table(asked))
        writer.add(", LATERAL ")
        self._call.write(writer, version, asked=f"{_ROWS}.{_VALUE}")
        writer.add(f" AS {_FOUND}")
        if conjuncts is None or conjuncts:
            writer.add(" WHERE ")
        if conjuncts is None:
            add_row_ids(writer, kept)
        else:
            writer.add_conjuncts(conjuncts)
        writer.add(f" ORDER BY {_ROWS}.{_ROW}, {_FOUND}._distance, {_FOUND}._rowid")
        return writer.finish()
