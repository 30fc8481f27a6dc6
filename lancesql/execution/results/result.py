"""The answer of a statement: lazy, and the same whichever way it is read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import pyarrow as pa

from lancesql.errors import LanceSQLError, UnsupportedError
from lancesql.execution.turns import Turn
from lancesql.plan.type_names import name_arrow_type

from .plan import ShownPlan
from .rows import table_to_rows

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl
    import torch

    from .plots.figure import Plot

__all__ = ["Result"]

_SHOWN_ROWS = 20
_PREVIEW_ROWS = 10_000
_PREVIEW_BYTES = 32 * 2**20
_CURSOR_ROWS = 1_000


class Result:
    """The answer of one statement.

    Nothing runs until something is asked for. The first method that needs every row reads them once and keeps them, so
    that each later method answers the same. `to_reader` alone streams, and keeps nothing.

    Example:
        >>> answer = pa.table({"id": [1, 2], "title": ["Alien", None]})
        >>> result = Result(answer.to_reader)
        >>> result.fetchall()
        [(1, 'Alien'), (2, None)]
        >>> result.columns
        ['id', 'title']
    """

    def __init__(
        self,
        open_reader: Callable[[], pa.RecordBatchReader],
        *,
        schema: Callable[[], pa.Schema] | None = None,
        read_table: Callable[[], pa.Table] | None = None,
        engine_types: Callable[[], Sequence[str]] | None = None,
        explain: Callable[[bool], str] | None = None,
        repeatable: bool = True,
        answers: Literal["rows", "count", "nothing"] = "rows",
        turn: Turn | None = None,
        open_first: Callable[[int], pa.RecordBatchReader] | None = None,
        whole: bool = False,
        shown: ShownPlan | None = None,
    ) -> None:
        """Keeps how to run the statement.

        Args:
            open_reader: Runs the statement and streams its answer.
            schema: The answer's schema without running the statement.
            read_table: Runs the statement and gives its whole answer, where that is faster than streaming.
            engine_types: The SQL types of the columns as DuckDB spells them; None for an answer straight from Lance.
            explain: Prints the plan; called with whether to run it too.
            repeatable: False for a statement that must not run twice: every method reads the answer of its only run.
            answers: What the table is: rows, the number of rows that the statement wrote, or nothing worth reading.
            turn: What a thread holds while it uses the connection.
            open_first: As `open_reader`, for somebody who reads no more than so many rows.
            whole: Whether the first rows cost as much as all of them.
            shown: The plan that the rows are the lines of.
        """
        self._open_reader = open_reader
        self._read_schema = schema
        self._read_table = read_table
        self._read_engine_types = engine_types
        self._explain = explain
        self._repeatable = repeatable
        self._answers = answers
        self._turn = Turn() if turn is None else turn
        self._open_first = open_first
        self._whole = whole or not repeatable
        self._shown = shown
        self._table: pa.Table | None = None
        self._preview: pa.Table | None = None
        self._schema: pa.Schema | None = None
        self._engine_types: tuple[str, ...] | None = None
        self._cursor = 0
        self._window: list[tuple[Any, ...]] = []

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the answer."""
        with self._turn.take():
            if self._schema is None:
                known = self._table is None and self._read_schema is not None
                self._schema = self._read_schema() if known and self._read_schema else self.to_arrow().schema
            return self._schema

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.schema.names)

    @property
    def types(self) -> list[str]:
        """The SQL types of the columns.

        Example:
            >>> import lancesql
            >>> lancesql.sql("SELECT 1 AS n, [0.5, 1]::FLOAT[2] AS vector").types
            ['INTEGER', 'FLOAT[2]']
        """
        named = self._name_types()
        return list(named) if named is not None else [name_arrow_type(field.type) for field in self.schema]

    @property
    def rows_changed(self) -> int | None:
        """How many rows a statement wrote or removed; None for one that answers with rows or with nothing."""
        return int(self.to_arrow().column(0)[0].as_py()) if self._answers == "count" else None

    @property
    def returns_rows(self) -> bool:
        """Whether the statement answers with rows: a query, a SHOW, what stands behind RETURNING."""
        return self._answers == "rows"

    def to_arrow(self) -> pa.Table:
        """The answer as an Arrow table."""
        if self._table is not None:  # whoever has the connection just now
            return self._table
        with self._turn.take():
            if self._table is None:
                if self._read_table is not None:
                    self._keep(self._read_table())
                else:
                    with self._open_reader() as reader:
                        self._keep(reader.read_all())
            assert self._table is not None
            return self._table

    def to_reader(self) -> pa.RecordBatchReader:
        """The answer as a stream of Arrow batches, for answers larger than memory.

        Each call runs the statement anew, unless its whole answer was already read. A stream holds the connection until
        its end; a later statement of the connection ends it.
        """
        with self._turn.take():
            if not self._repeatable:
                self.to_arrow()
            if self._table is not None:
                return self._table.to_reader()
            return self._open_reader()

    def to_polars(self) -> pl.DataFrame:
        """The answer as a Polars frame."""
        from lancesql.frames.convert import table_to_polars

        return table_to_polars(self.to_arrow())

    def lazy(self) -> pl.LazyFrame:
        """The answer as a Polars LazyFrame, over rows that are read now and kept: every `collect()` answers the same.

        Example:
            >>> import lancesql
            >>> with lancesql.connect() as db:
            ...     db.sql("SELECT 40 + 2 AS answer").lazy().collect()["answer"].to_list()
            [42]
        """
        return self.to_polars().lazy()

    def to_pandas(self) -> pd.DataFrame:
        """The answer as a pandas frame."""
        from lancesql.frames.convert import table_to_pandas

        return table_to_pandas(self.to_arrow(), self._name_types())

    @overload
    def to_numpy(self) -> dict[str, np.ndarray[Any, Any]]: ...
    @overload
    def to_numpy(self, columns: str | Sequence[str]) -> np.ndarray[Any, Any]: ...
    def to_numpy(
        self, columns: str | Sequence[str] | None = None
    ) -> dict[str, np.ndarray[Any, Any]] | np.ndarray[Any, Any]:
        """The answer as NumPy arrays; a vector is a row of a matrix.

        Args:
            columns: One column, whose array is returned; several, which become one matrix of numbers, side by side;
                or None for a dict with an array for each column.

        NULL among floats is NaN, among dates and times NaT; among integers and booleans it is an error. Decimals become
        float64. An array over the memory of the answer is read-only.

        Example:
            >>> import lancesql
            >>> found = lancesql.sql("SELECT i, [i, 0.5]::FLOAT[2] AS vector FROM range(3) AS t(i)")
            >>> found.to_numpy("vector").shape
            (3, 2)
            >>> found.to_numpy(["i", "vector"]).tolist()[2]
            [2.0, 2.0, 0.5]
        """
        from lancesql.frames.arrays import pick_column, table_to_matrix, table_to_numpy

        table, types = self.to_arrow(), self._name_types()
        if columns is None:
            return table_to_numpy(table, types)
        return (
            pick_column(table, columns, types) if isinstance(columns, str) else table_to_matrix(table, columns, types)
        )

    def to_torch(self) -> dict[str, torch.Tensor | list[Any]]:
        """The answer as PyTorch tensors: one for each column of numbers, booleans or vectors, a list for any other.

        NULL is treated as in `to_numpy`.
        """
        from lancesql.frames.arrays import table_to_torch

        return table_to_torch(self.to_arrow(), self._name_types())

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Every row that `fetchone` and `fetchmany` have not taken, as tuples; then starts over."""
        with self._turn.take():
            rows = self._take(self.to_arrow().num_rows)
            self._cursor, self._window = 0, []
            return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None after the last."""
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next `size` rows, fewer at the end."""
        with self._turn.take():
            return self._take(max(0, size))

    def explain(self, analyze: bool = False) -> str:
        """The plan of the statement; with `analyze`, after running it, with rows and times."""
        if self._explain is None:
            raise UnsupportedError("this statement has no plan to explain", hint="EXPLAIN works on a SELECT")
        return self._explain(analyze)

    def show(self, max_rows: int = _SHOWN_ROWS, max_width: int | None = None) -> None:
        """Prints the first rows as a table.

        Args:
            max_rows: How many rows to print.
            max_width: How many characters a line may have; the terminal's width when None.
        """
        text = self._render(max_rows, max_width)
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")

    def plot(
        self, kind: str | None = None, *, column: str | None = None, color: str | None = None, axes: Any = None
    ) -> Plot:
        """Draws the answer: how its scores are distributed, or its vectors on the plane of their principal components.

        Args:
            kind: `scores` or `vectors`; what there is unless given, `vectors` when both are there and `color` is given.
            column: The column to draw, of numbers or of vectors; the only one of its kind unless given.
            color: The column that colours the points.
            axes: Matplotlib's axes to draw on; new ones unless given.

        Raises:
            UnsupportedError: Without Matplotlib, which `lancesql[notebook]` brings.

        Example:
            >>> import lancesql
            >>> with lancesql.connect() as db:
            ...     rows = db.sql("SELECT [i, sin(i)] AS vector, i % 3 AS part FROM range(9) AS t(i)")
            ...     rows.plot(color="part").axes.get_xlabel()
            'first principal component (93%)'
        """
        from .plots.choose import draw_plot

        return draw_plot(self.to_arrow(), kind, column, color, axes)

    def preview(self) -> pa.Table:
        """The first rows, those that a notebook shows; they are read once.

        Example:
            >>> import lancesql
            >>> with lancesql.connect() as db:
            ...     db.sql("FROM range(1_000_000)").preview().num_rows
            20
        """
        return self._read_preview(_SHOWN_ROWS, _SHOWN_ROWS + 1)[0]

    def __repr__(self) -> str:
        return self._render(_SHOWN_ROWS, None)

    def _repr_html_(self) -> str:
        return self._repr_mimebundle_()["text/html"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """What a notebook shows: no more rows are read than are seen, and an error is shown in their place."""
        from .markup.table import render_error, render_html
        from .show import render_table

        if self._shown is not None:
            return self._shown._repr_mimebundle_()
        try:
            table, rows, complete = self._read_preview(_SHOWN_ROWS, _SHOWN_ROWS + 1)
            kinds = self._name_types()
        except LanceSQLError as error:
            return {"text/plain": f"{type(error).__name__}: {error}", "text/html": render_error(error)}
        return {
            "text/plain": render_table(table, kinds, rows=rows, complete=complete),
            "text/html": render_html(table, kinds, rows=rows, complete=complete),
        }

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        reader: Any = self.to_reader()
        stream: object = reader.__arrow_c_stream__(requested_schema)
        return stream

    def _render(self, max_rows: int, max_width: int | None) -> str:
        from .show import render_table

        table, rows, complete = self._read_preview(max_rows, _PREVIEW_ROWS)
        return render_table(table, self._name_types(), rows=rows, complete=complete, max_width=max_width)

    def _read_preview(self, max_rows: int, wanted: int) -> tuple[pa.Table, int, bool]:
        """The first rows, how many rows were seen, and whether those are all; `wanted` are read if none were yet."""
        with self._turn.take():
            if self._table is None and self._whole:
                self.to_arrow()
            if self._table is None and (self._preview is None or self._preview.num_rows <= max_rows):
                self._read_first(max(wanted, max_rows + 1), max_rows)
            table = self._preview if self._table is None else self._table
            assert table is not None
            return table.slice(0, max(0, max_rows)), table.num_rows, self._table is not None

    def _read_first(self, wanted: int, shown: int) -> None:
        """Reads so many rows; when they are large, no more than are shown and one."""
        batches: list[pa.RecordBatch] = []
        rows = size = 0
        ended = True
        with self._open_reader() if self._open_first is None else self._open_first(wanted) as reader:
            schema = reader.schema
            for batch in reader:
                batches.append(batch)
                rows += batch.num_rows
                size += batch.nbytes
                if rows >= wanted or (rows > shown and size > _PREVIEW_BYTES):
                    ended = False
                    break
        head = pa.Table.from_batches(batches, schema)
        if ended:
            self._keep(head)
        else:
            self._preview = head.slice(0, wanted)

    def _keep(self, table: pa.Table) -> None:
        self._table, self._preview, self._schema = table, None, table.schema

    def _take(self, size: int) -> list[tuple[Any, ...]]:
        rows = self._window[:size]
        self._window = self._window[size:]
        if len(rows) < size:
            missing = size - len(rows)
            fetched = max(missing, _CURSOR_ROWS)
            more = table_to_rows(self.to_arrow().slice(self._cursor, fetched), self._name_types())
            self._cursor += len(more)
            self._window = more[missing:]
            rows += more[:missing]
        return rows

    def _name_types(self) -> tuple[str, ...] | None:
        with self._turn.take():
            if self._engine_types is None and self._read_engine_types is not None:
                self._engine_types = tuple(self._read_engine_types())
            return self._engine_types
