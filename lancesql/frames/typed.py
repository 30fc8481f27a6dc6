"""A predicate as Polars gives it to a source: its names resolved, its literals of their columns' types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .convert import table_to_polars

if TYPE_CHECKING:
    import polars as pl

__all__ = ["settle_types"]


def settle_types(expr: pl.Expr, schema: pa.Schema) -> list[pl.Expr] | None:
    """The conjuncts of an expression, or None when it is no predicate of one row after the other.

    Polars gives a source no predicate that looks at other rows: such a one stays in the plan.

    Example:
        >>> import polars as pl
        >>> schema = pa.schema([("year", pa.int16())])
        >>> [str(one) for one in settle_types(pl.col("year") > 2000, schema)]
        ['[(col("year")) > (2000)]']
        >>> settle_types(pl.col("year") > pl.col("year").mean(), schema) is None
        True
    """
    from polars.io.plugins import register_io_source

    nothing = table_to_polars(schema.empty_table())
    found: list[pl.Expr] = []

    def give(columns: list[str] | None, predicate: Any, *_: object) -> Iterator[pl.DataFrame]:
        if predicate is not None:
            found.append(predicate)
        yield nothing if columns is None else nothing.select(columns)

    frame = register_io_source(give, schema=nothing.schema).filter(expr)
    if "FILTER" in frame.explain():
        return None
    frame.collect()
    return found or None  # of a predicate that is always false Polars makes no scan at all
