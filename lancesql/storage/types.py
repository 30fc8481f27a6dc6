"""The border between Lance's types and the engine's: what DuckDB lacks is widened, nothing is narrowed."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

__all__ = ["needs_widening", "widen_batch", "widen_object", "widen_schema", "widen_table", "widen_type"]


def widen_type(type_: Any) -> pa.DataType:
    """The type the engine is given for a column of Lance.

    Example:
        >>> widen_type(pa.list_(pa.float16(), 3)) == pa.list_(pa.float32(), 3)
        True
    """
    if pa.types.is_float16(type_):
        return pa.float32()
    if pa.types.is_decimal256(type_):
        return pa.decimal128(type_.precision, type_.scale) if type_.precision <= 38 else pa.string()
    if isinstance(type_, pa.BaseExtensionType) and str(type_.extension_name).startswith("lance."):
        storage: pa.DataType = type_.storage_type
        return storage
    if pa.types.is_fixed_size_list(type_):
        widened: pa.DataType = pa.list_(_widen_field(type_.value_field), type_.list_size)
        return widened
    if pa.types.is_list(type_):
        return pa.list_(_widen_field(type_.value_field))
    if pa.types.is_large_list(type_):
        return pa.large_list(_widen_field(type_.value_field))
    if pa.types.is_struct(type_):
        return pa.struct([_widen_field(type_.field(index)) for index in range(type_.num_fields)])
    unchanged: pa.DataType = type_
    return unchanged


def _widen_field(field: pa.Field[Any]) -> pa.Field[Any]:
    return field.with_type(widen_type(field.type))


def needs_widening(schema: pa.Schema) -> bool:
    """Whether the engine cannot read the schema as it is."""
    return any(widen_type(field.type) != field.type for field in schema)


def widen_schema(schema: pa.Schema) -> pa.Schema:
    """The schema the engine is given; metadata is dropped."""
    return pa.schema([pa.field(field.name, widen_type(field.type), field.nullable) for field in schema])


def widen_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with each column in the type `schema` says."""
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def widen_table(table: pa.Table) -> pa.Table:
    """The table as the engine is given it."""
    return table.cast(widen_schema(table.schema)) if needs_widening(table.schema) else table


def widen_object(data: object) -> object:
    """An Arrow table as the engine is given it; anything else as it is."""
    return widen_table(data) if isinstance(data, pa.Table) else data
