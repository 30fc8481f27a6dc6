"""The border between Lance's types and the engine's: what DuckDB lacks is widened, nothing is narrowed."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

__all__ = [
    "READ_BLOBS",
    "needs_widening",
    "restore_blobs",
    "widen_batch",
    "widen_object",
    "widen_schema",
    "widen_table",
    "widen_type",
]

READ_BLOBS: dict[str, Any] = {"blob_handling": "all_binary"}
"""What a scan is told: Lance's own answer for a column of blobs is where they lie."""
_BLOB = "lance.blob.v2"
_BLOB_MARK = {b"lance-encoding:blob": b"true"}


def restore_blobs(schema: pa.Schema) -> pa.Schema:
    """The schema of what is read: blobs that are kept apart are bytes, marked as older tables mark them.

    A batch whose field is so marked can be written back to the table.
    """
    for at, field in enumerate(schema):
        if isinstance(field.type, pa.BaseExtensionType) and field.type.extension_name == _BLOB:
            schema = schema.set(at, pa.field(field.name, pa.large_binary(), field.nullable, _BLOB_MARK))
    return schema


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
