"""A Polars expression that restricts the rows a search looks at: as SQL, or as the row ids that Polars finds."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lancesql.errors import ArgumentError, UnknownColumnError, nearest_name

from .convert import import_polars
from .lazy import make_lazy_frame
from .predicates import translate_conjuncts
from .scan import TableRows
from .statements import Asker, Piece, StatementWriter, name_table
from .typed import settle_types

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Prefilter", "add_row_ids", "names_row_ids"]

_KEPT = "__lancesql_kept"


class Prefilter:
    """A predicate on a table's rows.

    Args:
        asker: Who answers.
        table: The table, as a search names it.
        expr: The predicate.
        version: The version whose columns it is checked against.

    Raises:
        ArgumentError: It is no expression.
        UnknownColumnError: It names a column that the table does not have.
    """

    def __init__(self, asker: Asker, table: str, expr: Any, version: int) -> None:
        self._asker, self._table = asker, table
        polars = import_polars("a filter")
        if not isinstance(expr, polars.Expr):
            raise ArgumentError(
                f"filter cannot be a {type(expr).__name__}",
                hint="filter=pl.col('year') > 2000, or filter='year > 2000'",
            )
        self.expr: pl.Expr = expr
        names = self._open_rows(version).schema.names
        for name in expr.meta.root_names():
            if name not in names:
                near = nearest_name(name, names)
                hint = f"did you mean '{near}'?" if near else f"columns: {', '.join(names)}"
                raise UnknownColumnError(f"column '{name}' of the filter is none of table '{table}'", hint=hint)

    def _open_rows(self, version: int) -> TableRows:
        return TableRows(self._asker, name_table(self._table, {"version": version}), row_ids=True)

    def translate(self, version: int) -> list[Piece] | None:
        """The conjuncts in SQL; None when SQL cannot say all of it."""
        schema = self._open_rows(version).schema
        typed = settle_types(self.expr, schema)
        translated = [translate_conjuncts(one, schema) for one in typed or ()]
        if typed is None or not all(is_whole for _, is_whole in translated):
            return None
        return [piece for pieces, _ in translated for piece in pieces]

    def find_rows(self, version: int) -> pa.Table:
        """The row ids of the rows that satisfy it."""
        frame = make_lazy_frame(self._open_rows(version), "filter").filter(self.expr)
        found: pa.Table = frame.select("_rowid").collect().to_arrow()
        return found


def add_row_ids(writer: StatementWriter, rows: pa.Table | None) -> None:
    """Adds the predicate that a row is one of these; without them only its shape."""
    writer.add("_rowid IN (SELECT _rowid FROM ")
    writer.add_table(_KEPT, pa.table({"_rowid": pa.array([], pa.uint64())}) if rows is None else rows)
    writer.add(")")


def names_row_ids(held: Container[str]) -> bool:
    """Whether that predicate is in a text, or its table among those of a statement."""
    return _KEPT in held
