"""What a source offers the engine, before anything of it is read."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from lancesql.execution.searches.query_batches import QUERY_INDEX, find_queries
from lancesql.plan.sources import ROW_ID, Source, TableScan, VectorSearch, score_fields
from lancesql.storage.scan import choose_batch_rows
from lancesql.storage.types import widen_schema

from .held import Held
from .run import Run

__all__ = ["find_offer", "offer_columns"]


@dataclass(frozen=True)
class Offer:
    """What a scan offers the engine.

    Attributes:
        wide: Some of its columns are.
        widened: Some of its columns are of types DuckDB lacks.
        batch_rows: How many rows a batch of all of them has.
    """

    schema: pa.Schema
    wide: bool
    widened: bool
    batch_rows: int | None


_OFFERED: Held[Offer] = Held()


def find_offer(source: TableScan) -> Offer:
    """What a scan offers; found once for a plan."""
    return _OFFERED.find(source, lambda: _describe_offer(source))


def offer_columns(source: Source, run: Run) -> pa.Table:
    """The columns of a source, without a row: enough to bind the relation."""
    if isinstance(source, VectorSearch) and source.scan is not None:
        return offer_columns(source.scan, run)
    known = {field.name: field for field in (*source.table.schema, *score_fields(source))}
    fields = [pa.field(ROW_ID, pa.uint64()) if name == ROW_ID else known[name] for name in source.columns]
    if isinstance(source, VectorSearch) and find_queries(source, run) is not None:
        fields.insert(0, pa.field(QUERY_INDEX, pa.int32()))
    return widen_schema(pa.schema(fields)).empty_table()


def _describe_offer(source: TableScan) -> Offer:
    own = source.table.schema
    stored = pa.schema([pa.field(ROW_ID, pa.uint64()) if one == ROW_ID else own.field(one) for one in source.columns])
    schema = widen_schema(stored)
    # A name may be another table's column. To read a vector or a blob in vain costs more than to let DuckDB choose.
    wide = any(pa.types.is_fixed_size_list(field.type) or pa.types.is_large_binary(field.type) for field in schema)
    return Offer(schema, wide, schema != stored, choose_batch_rows(own, source.columns))
