"""A table as a LazyFrame: columns, limits, and the predicates that LanceDB answers as Polars does are pushed down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from lancesql.plan.spelling import quote_name

from .lazy import Reading, RowSource
from .predicates import translate_conjuncts
from .statements import Asker, Bound, Piece, Statement, StatementWriter

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TableRows"]


class TableRows(RowSource):
    """The rows of a table.

    Args:
        asker: Who answers.
        relation: The table, as FROM names it.
        row_ids: Whether `_rowid` is a column too.
    """

    def __init__(self, asker: Asker, relation: str, *, row_ids: bool = False) -> None:
        self._asker = asker
        self._relation = relation
        description = asker.describe_statement(self._write(["*"], None, ()))
        ids = [pa.field("_rowid", pa.uint64())] if row_ids else []
        self.schema = pa.schema([*description.schema, *ids])
        self.name = f"scan {description.table}"
        self.detail = f"version {description.version} or newer; of SELECTION Lance answers what it does as Polars does"

    def plan_reading(self, columns: Sequence[str], limit: int | None, filters: Sequence[pl.Expr]) -> Reading:
        """As the base says; a predicate that LanceDB cannot be told is left to Polars."""
        translated = [translate_conjuncts(one, self.schema) for one in filters]
        conjuncts = [piece for pieces, _ in translated for piece in pieces]
        statement = self._write_columns(columns, limit, conjuncts)
        description = self._asker.describe_statement(statement)
        is_pushed = [one is not None for one in description.pushed]
        left, at = [], 0
        for one, (pieces, is_whole) in zip(filters, translated, strict=True):
            if not is_whole or not all(is_pushed[at : at + len(pieces)]):
                left.append(one)
            at += len(pieces)
        needed = tuple(dict.fromkeys((*columns, *(name for one in left for name in one.meta.root_names()))))
        if needed != tuple(columns) or not all(is_pushed):
            kept = [piece for piece, pushed in zip(conjuncts, is_pushed, strict=True) if pushed]
            statement = self._write_columns(needed, limit, kept)
            description = self._asker.describe_statement(statement)
        return Reading(statement, description, tuple(left), needed, limit)

    def _write_columns(self, columns: Sequence[str], limit: int | None, conjuncts: Sequence[Piece]) -> Statement:
        quoted = [quote_name(name) for name in columns] or [quote_name(self.schema.names[0])]
        return self._write(quoted, limit, conjuncts)

    def read_batches(self, reading: Reading) -> Iterator[pa.RecordBatch]:
        """The rows, as LanceDB gives them."""
        with self._asker.read_statement(reading.statement) as reader:
            yield from reader

    def describe_reading(self, reading: Reading) -> str:
        """The version, the columns, the limit, and what LanceDB is told."""
        parts = [
            f"version {reading.description.version}",
            f"{len(reading.columns)} of {len(self.schema)} columns",
            *([] if reading.limit is None else [f"limit {reading.limit}"]),
            *(f"filter → Lance: {text}" for text in reading.description.pushed),
            *(f"filter → Polars: {one}" for one in reading.left),
        ]
        return ", ".join(parts)

    def _write(self, columns: Sequence[str], limit: int | None, conjuncts: Sequence[Piece]) -> Statement:
        writer = StatementWriter()
        writer.add(f"SELECT {', '.join(columns)} FROM {self._relation}")
        if conjuncts:
            writer.add(" WHERE ")
            writer.add_conjuncts(conjuncts)
        if limit is not None:
            writer.add(" LIMIT ", Bound(limit))
        return writer.finish()
