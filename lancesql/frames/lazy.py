"""Rows that are read when a LazyFrame is collected: Polars says what it needs, and a source reads no more."""

from __future__ import annotations

import inspect
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa

from lancesql.errors import UnsupportedError

from .convert import import_polars, table_to_polars
from .statements import Description, Statement

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Reading", "RowSource", "make_lazy_frame"]


@dataclass(frozen=True)
class Reading:
    """What is read of a source.

    Attributes:
        statement: What the database is asked.
        description: What it will do.
        left: The predicates that Polars still has to apply.
        columns: The columns that are read: those that come out, and those of `left`.
        limit: At most so many rows.
    """

    statement: Statement
    description: Description
    left: tuple[Any, ...]
    columns: tuple[str, ...]
    limit: int | None = None


class RowSource(ABC):
    """Rows of the database that a LazyFrame stands for.

    Attributes:
        name: What `explain()` calls it.
        detail: What `explain()` says of it.
        schema: Its columns in Arrow's types.
    """

    name: str
    detail: str
    schema: pa.Schema

    @abstractmethod
    def plan_reading(self, columns: Sequence[str], limit: int | None, filters: Sequence[pl.Expr]) -> Reading:
        """What is asked for these columns of the rows that satisfy the filters, or of the first `limit` rows."""

    @abstractmethod
    def read_batches(self, reading: Reading) -> Iterator[pa.RecordBatch]:
        """Carries it out."""

    @abstractmethod
    def describe_reading(self, reading: Reading) -> str:
        """What is read, in one line."""

    def __reduce__(self) -> NoReturn:
        raise UnsupportedError(
            "a LazyFrame over a connection cannot be pickled or serialized", hint="collect() it, and pickle the frame"
        )


def make_lazy_frame(source: RowSource, wanted_by: str) -> pl.LazyFrame:
    """The LazyFrame of a source.

    It is a plugin of Polars, not a resolver, by which `pl.scan_lance` reads. Upstream: behind a resolver Polars 2.1
    loses the schema of the columns that are read, and a filter over a window panics in the streaming engine.
    """
    import_polars(wanted_by)
    from polars.io.plugins import register_io_source

    schema = _convert_schema(source.schema)
    shown = {"explain_name": f"lancesql {source.name}", "explain_detail": source.detail}
    known = inspect.signature(register_io_source).parameters
    options: Any = {name: text for name, text in shown.items() if name in known}
    return register_io_source(_Reader(source, schema), schema=schema, **options)


@lru_cache(maxsize=256)
def _convert_schema(schema: pa.Schema) -> pl.Schema:
    return table_to_polars(schema.empty_table()).schema


@dataclass(frozen=True)
class _Reader:
    """What Polars calls, each time anew: it reads the newest version."""

    source: RowSource
    schema: pl.Schema

    def __call__(
        self, with_columns: list[str] | None, predicate: Any, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        columns = tuple(self.schema if with_columns is None else with_columns)
        given = [] if predicate is None else [predicate]
        if n_rows is None:
            return _read_frames(self.source, self.schema, columns, None, given)
        return _read_frames(self.source, self.schema, columns, n_rows, [], given)  # the limit comes first

    def __reduce__(self) -> NoReturn:
        self.source.__reduce__()
        raise AssertionError


def _read_frames(
    source: RowSource,
    schema: pl.Schema,
    columns: Sequence[str],
    limit: int | None,
    before: Sequence[Any],
    behind: Sequence[Any] = (),
) -> Iterator[pl.DataFrame]:
    """The frames of a source.

    Args:
        source: The source.
        schema: Its columns in the types of Polars.
        columns: The columns that come out.
        limit: At most so many rows of those that satisfy `before`.
        before: Predicates; there are none with a limit.
        behind: Predicates on the rows within the limit.
    """
    wanted = (*columns, *(name for one in behind for name in one.meta.root_names()))
    reading = source.plan_reading(tuple(dict.fromkeys(wanted)), limit, before)
    if os.environ.get("POLARS_VERBOSE") == "1":
        sys.stderr.write(f"lancesql {source.name}: {source.describe_reading(reading)}\n")
    promised = {name: schema[name] for name in reading.columns}
    left = limit
    is_any = False
    for batch in source.read_batches(reading):
        frame = _conform(table_to_polars(pa.Table.from_batches([batch])), promised)
        if reading.left:
            frame = frame.filter(*reading.left)
        if left is not None:
            frame = frame.head(left)
            left -= frame.height
        if behind:
            frame = frame.filter(*behind)
        if frame.height or not is_any:
            is_any = True
            yield frame.select(columns) if tuple(frame.columns) != tuple(columns) else frame
        if left == 0:
            return
    if not is_any:
        yield import_polars("collect()").DataFrame(schema={name: schema[name] for name in columns})


def _conform(frame: Any, schema: dict[str, Any]) -> Any:
    """The frame in the types that were promised: what went through DuckDB may be of wider ones."""
    return frame if frame.dtypes == list(schema.values()) else frame.cast(schema)
