"""Names of SQL types: read from DuckDB's spelling, and spelled for an Arrow type as DuckDB would."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import pyarrow as pa

from lancesql.plan.spelling import spell_name

__all__ = ["EngineType", "name_arrow_type", "parse_engine_type"]


@dataclass(frozen=True)
class EngineType:
    """A SQL type without its arguments: `DECIMAL(4,1)[]` is LIST of DECIMAL.

    Attributes:
        name: The type's name in capitals; `LIST` and `ARRAY` stand for the suffixes `[]` and `[n]`.
        children: Element, key and value, fields or members, in order.
    """

    name: str
    children: tuple[EngineType, ...] = ()


@functools.lru_cache(maxsize=512)
def parse_engine_type(text: str) -> EngineType:
    """Reads a type as DuckDB spells it.

    Example:
        >>> parse_engine_type("MAP(VARCHAR, DECIMAL(4,1)[])").children[1]
        EngineType(name='LIST', children=(EngineType(name='DECIMAL', children=()),))
    """
    return _TypeReader(text).read_type()


class _TypeReader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def read_type(self) -> EngineType:
        self._skip_spaces()
        start = self.at
        if self._peek() == '"':
            self._skip_quoted('"')
        while self._peek() not in ("", "(", ")", ",", "["):
            self.at += 1
        name = self.text[start : self.at].strip().upper()
        children: list[EngineType] = []
        if self._peek() == "(":
            self.at += 1
            if name in {"STRUCT", "UNION", "MAP", "TUPLE"}:
                children = self._read_children(named=name in {"STRUCT", "UNION"})
            else:
                self._skip_arguments()
        node = EngineType(name, tuple(children))
        while self._peek() == "[":
            end = self.text.index("]", self.at)
            node = EngineType("ARRAY" if end > self.at + 1 else "LIST", (node,))
            self.at = end + 1
        return node

    def _read_children(self, *, named: bool) -> list[EngineType]:
        children: list[EngineType] = []
        while self._peek() not in ("", ")"):
            self._skip_spaces()
            if named:
                self._skip_field_name()
            children.append(self.read_type())
            self._skip_spaces()
            if self._peek() == ",":
                self.at += 1
        self.at += 1
        return children

    def _skip_field_name(self) -> None:
        start = self.at
        if self._peek() == '"':
            self._skip_quoted('"')
        else:
            while self._peek() not in ("", " ", ",", ")", "(", "["):
                self.at += 1
        if self._peek() != " ":  # DuckDB 1.x spells an unnamed struct STRUCT(INTEGER, VARCHAR)
            self.at = start

    def _skip_arguments(self) -> None:
        depth = 1
        while depth and self._peek():
            character = self._peek()
            if character in "'\"":
                self._skip_quoted(character)
                continue
            depth += {"(": 1, ")": -1}.get(character, 0)
            self.at += 1

    def _skip_quoted(self, quote: str) -> None:
        # A doubled quote ends one quoted run and starts the next; skipping both is the same.
        end = self.text.find(quote, self.at + 1)
        self.at = len(self.text) if end < 0 else end + 1
        if self._peek() == quote:
            self._skip_quoted(quote)

    def _skip_spaces(self) -> None:
        while self._peek() == " ":
            self.at += 1

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]


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
