"""Names of SQL types for Arrow types, as DuckDB spells them."""

from __future__ import annotations

import pyarrow as pa

from .spelling import spell_name

__all__ = ["name_arrow_type"]

_PLAIN_NAMES = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "halffloat": "FLOAT16",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "string_view": "VARCHAR",
    "binary": "BLOB",
    "large_binary": "BLOB",
    "binary_view": "BLOB",
    "date32[day]": "DATE",
    "date64[ms]": "DATE",
    "time32[s]": "TIME",
    "time32[ms]": "TIME",
    "time64[us]": "TIME",
    "time64[ns]": "TIME_NS",
    "timestamp[s]": "TIMESTAMP_S",
    "timestamp[ms]": "TIMESTAMP_MS",
    "timestamp[us]": "TIMESTAMP",
    "timestamp[ns]": "TIMESTAMP_NS",
    "month_day_nano_interval": "INTERVAL",
    "null": "NULL",
}


def name_arrow_type(kind: pa.DataType) -> str:
    """The SQL name of an Arrow type.

    Example:
        >>> name_arrow_type(pa.list_(pa.float32(), 384))
        'FLOAT[384]'
        >>> print(name_arrow_type(pa.struct({"a b": pa.int32()})))
        STRUCT("a b" INTEGER)
    """
    plain = _PLAIN_NAMES.get(str(kind))
    if plain is not None:
        return plain
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        named = {"arrow.uuid": "UUID", "arrow.json": "JSON", "arrow.bool8": "BOOLEAN"}
        if isinstance(kind, pa.OpaqueType):
            return kind.type_name.upper()
        return named.get(kind.extension_name) or name_arrow_type(kind.storage_type)
    if isinstance(kind, pa.FixedSizeListType):
        return f"{name_arrow_type(kind.value_type)}[{kind.list_size}]"
    if isinstance(kind, (pa.ListType, pa.LargeListType, pa.ListViewType, pa.LargeListViewType)):
        return f"{name_arrow_type(kind.value_type)}[]"
    if isinstance(kind, pa.MapType):
        return f"MAP({name_arrow_type(kind.key_type)}, {name_arrow_type(kind.item_type)})"
    if isinstance(kind, (pa.StructType, pa.UnionType)):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        inner = ", ".join(f"{spell_name(field.name)} {name_arrow_type(field.type)}" for field in fields)
        return f"{'STRUCT' if isinstance(kind, pa.StructType) else 'UNION'}({inner})"
    if isinstance(kind, (pa.DictionaryType, pa.RunEndEncodedType)):
        return name_arrow_type(kind.value_type)
    if types.is_timestamp(kind):
        return "TIMESTAMPTZ_NS" if kind.unit == "ns" else "TIMESTAMP WITH TIME ZONE"
    if types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if types.is_duration(kind):
        return "INTERVAL"
    return "BLOB" if types.is_fixed_size_binary(kind) else str(kind).upper()
