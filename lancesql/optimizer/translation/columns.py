"""Names in a predicate → columns of the table, and fields of its structs, as the table spells them."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
from sqlglot import exp

from lancesql.catalog import TableInfo
from lancesql.parser import read_tokens
from lancesql.parser.tokens import TokenType
from lancesql.plan.predicates import Column
from lancesql.plan.sources import ROW_ID

from .values import UntranslatableError, describe

__all__ = ["ColumnReader", "is_column", "is_comparable"]


_BLOB_MARK = b"lance-encoding:blob"
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ColumnReader:
    """Finds the columns a predicate names."""

    def __init__(self, sql: str, alias: str, table: TableInfo) -> None:
        self.sql = sql
        self.alias = alias.lower()
        self.schema = table.schema
        self.indexes = table.indexes

    def read(self, tree: exp.Expr) -> Column:
        """The column or field an expression names.

        Raises:
            UntranslatableError: When it is anything else, or has a name that Lance cannot write.
        """
        if isinstance(tree, exp.JSONExtractScalar):
            return self._read_json(tree)
        steps: list[str] = []
        while isinstance(tree, exp.Paren | exp.Bracket | exp.StructExtract):
            if isinstance(tree.this, exp.JSONExtractScalar) and isinstance(tree, exp.Paren):
                return self._read_json(tree.this)
            if not isinstance(tree, exp.Paren):
                steps.insert(0, _read_field(tree))
            tree = tree.this
        if not isinstance(tree, exp.Column | exp.Dot) or tree.find(exp.Star, exp.Func) is not None:
            raise UntranslatableError(f"{describe(tree)} is computed, and Lance computes some things differently")
        parts = [*(part.name for part in tree.parts), *steps]
        for qualifier in ("lance", self.alias):
            if len(parts) > 1 and parts[0].lower() == qualifier and not self._find(qualifier):
                parts = parts[1:]
        if len(parts) > 1 and parts[0].lower() == self.alias:
            raise UntranslatableError(f"'{parts[0]}' names both the table and a column")
        return self._descend(parts)

    def _read_json(self, tree: exp.JSONExtractScalar) -> Column:
        """`column ->> '$.a.b'`, where each name of the path is a plain word."""
        column = self.read(tree.this)
        if not (isinstance(column.type, pa.BaseExtensionType) and column.type.extension_name == "arrow.json"):
            raise UntranslatableError(f"->> on {column.type} is not proved equal")
        if column.path or any(index.covers(column.name) for index in self.indexes):
            raise UntranslatableError("->> on a JSON column with an index, or in a struct, is not proved equal")
        path = tree.expression
        keys = [part.this for part in path.expressions[1:]] if isinstance(path, exp.JSONPath) else []
        if not keys or not all(isinstance(key, str) and _WORD.fullmatch(key) for key in keys):
            raise UntranslatableError("the path is more than plain names")
        written = f"$.{'.'.join(keys)}"
        # To DuckDB 'a.b' is one name, which sqlglot takes for two: the path must stand in the text as it is read.
        texts = {token.text for token in read_tokens(self.sql) if token.token_type is TokenType.STRING}
        if written not in texts and not (len(keys) == 1 and keys[0] in texts):
            raise UntranslatableError("the path is more than plain names")
        return Column(column.name, pa.string(), json=written)

    def _find(self, name: str) -> list[pa.Field[Any]]:
        return [field for field in self.schema if field.name.lower() == name.lower()]

    def _descend(self, parts: list[str]) -> Column:
        found = self._find(parts[0])
        if [part.lower() for part in parts] == [ROW_ID] and not found:
            return Column(ROW_ID, pa.uint64())
        names: list[str] = []
        for place, part in enumerate(parts):
            if place:
                inner = found[0].type
                if not pa.types.is_struct(inner):
                    raise UntranslatableError(f"'{'.'.join(names)}' is {inner}, which has no field '{part}'")
                fields = (inner.field(at) for at in range(inner.num_fields))
                found = [field for field in fields if field.name.lower() == part.lower()]
            if len(found) != 1:
                raise UntranslatableError(f"'{part}' is not a column Lance can filter by")
            name = found[0].name
            if not name or "." in name or "`" in name:
                raise UntranslatableError(f"Lance cannot write the name '{name}' in a filter")
            if _BLOB_MARK in (found[0].metadata or {}):
                raise UntranslatableError(f"'{name}' holds blobs, and Lance compares where they lie")
            names.append(name)
        return Column(names[0], found[0].type, tuple(names[1:]))


def _read_field(tree: exp.Expr) -> str:
    keys = tree.expressions if isinstance(tree, exp.Bracket) else [tree.expression]
    if len(keys) == 1 and isinstance(keys[0], exp.Literal) and keys[0].is_string:
        return str(keys[0].this)
    raise UntranslatableError("a list's element is computed, and Lance computes some things differently")


def is_column(tree: exp.Expr) -> bool:
    """Whether an expression names a column or a field of one."""
    while isinstance(tree, exp.Paren | exp.Bracket | exp.StructExtract):
        tree = tree.this
    return isinstance(tree, exp.Column | exp.Dot | exp.JSONExtractScalar)


def is_comparable(type_: Any) -> bool:
    """Whether values of the type are compared as DuckDB compares them.

    Example:
        >>> is_comparable(pa.int8()), is_comparable(pa.list_(pa.int8()))
        (True, False)
    """
    types = pa.types
    if types.is_dictionary(type_):
        return bool(types.is_string(type_.value_type) or types.is_large_string(type_.value_type))
    if types.is_decimal(type_):
        return bool(type_.precision <= 38 and type_.scale >= 0 and type_.bit_width >= 128)
    return any(
        check(type_)
        for check in (
            types.is_integer, types.is_floating, types.is_boolean, types.is_string, types.is_large_string,
            types.is_date, types.is_time, types.is_timestamp, types.is_binary, types.is_large_binary,
        )
    )  # fmt: skip
