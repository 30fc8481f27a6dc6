"""What every LazyFrame can do with a connection, as `frame.lance`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import polars as pl

    from .statements import Asker

__all__ = ["register_namespace"]


def register_namespace() -> None:
    """Makes `lance` an attribute of every LazyFrame, once Polars is imported."""
    polars = sys.modules.get("polars")
    frame = getattr(polars, "LazyFrame", None)
    if polars is not None and frame is not None and not hasattr(frame, "lance"):
        polars.api.register_lazyframe_namespace("lance")(LanceNamespace)


class LanceNamespace:
    """What a LazyFrame can do with a connection, as `frame.lance`."""

    def __init__(self, frame: pl.LazyFrame) -> None:
        self._frame = frame

    def knn_join(
        self,
        db: Asker,
        table: str,
        *,
        on: str,
        how: Literal["inner", "left"] = "inner",
        suffix: str = "_right",
        columns: Sequence[str] | None = None,
        filter: str | pl.Expr | None = None,
        **arguments: Any,
    ) -> pl.LazyFrame:
        """Each row with the k rows of a table whose vectors are nearest to its own, nearest first.

        Args:
            db: The connection.
            table: The table's name.
            on: The frame's column of vectors, or of texts that are embedded. A null finds nothing.
            how: `left` keeps the rows for which nothing is found.
            suffix: What is added to the names of the table's columns that the frame has too.
            columns: Those of the table's columns that are read, `_distance` among them; all unless given.
            filter: A predicate on the table's columns, as a Polars expression or as SQL, applied before each search.
            arguments: Those of `vector_search` in SQL: `k`, `metric`, `column`, `upper_bound`, …

        Raises:
            BindError: A name or an argument does not fit.

        Example:
            >>> import lancesql, polars as pl, tempfile
            >>> db = lancesql.connect(tempfile.mkdtemp())
            >>> _ = db.execute("CREATE TABLE spots AS SELECT i AS id, [i, 0]::FLOAT[2] AS v FROM range(9) AS t(i)")
            >>> asked = pl.LazyFrame({"v": [[3.1, 0.0], [7.0, 0.2]]}, schema={"v": pl.Array(pl.Float32, 2)})
            >>> asked.lance.knn_join(db, "spots", on="v", k=2).collect()["id"].to_list()
            [3, 4, 7, 6]
        """
        from .neighbours import join_neighbours

        return join_neighbours(self._frame, db, table, on, how, suffix, columns, filter, arguments)
