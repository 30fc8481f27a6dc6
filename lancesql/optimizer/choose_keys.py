"""How the keys of a small side narrow a source, by what each way costs."""

from __future__ import annotations

import pyarrow as pa

from lancesql.catalog import TableInfo

__all__ = ["cost_full_scan", "cost_listing", "cost_matching", "cost_taking"]

# Nanoseconds, measured on a million rows with two cores.
_READ_BYTE = 1.2
_HAND_OVER_ROW = 35.0
"""What DuckDB spends on a row of a join that has no partner."""
_MATCH_ROW = 28.0
"""Reading the key and the id of a row, and looking the key up."""
_TAKE_ROW, _TAKE_BYTE = 300.0, 5.0
"""A row that is read by its id."""
_LIST_KEY = 4_000.0
"""A key written into a filter: parsed, then looked up."""
_FILTER_ROW = 8.0
"""A row whose key is compared with a list, when no index knows it."""
_MAX_LISTED = 5_000
_LEFT_BY = (1.0, 0.3, 0.1)
"""The share of the rows that no, one and more predicates are taken to leave."""

_SCALAR_INDEXES = ("BTREE", "BITMAP")
_WIDTHS = ((pa.types.is_string, 32), (pa.types.is_large_string, 64), (pa.types.is_list, 64), (pa.types.is_binary, 256))


def cost_full_scan(table: TableInfo, columns: tuple[str, ...], predicates: int = 0) -> float:
    """Reading the columns of every row that so many predicates leave, and joining them."""
    return table.rows * _LEFT_BY[min(predicates, 2)] * (_READ_BYTE * _add_widths(table, columns) + _HAND_OVER_ROW)


def cost_listing(table: TableInfo, column: str, keys: int) -> float:
    """A filter that lists the keys; more than a few thousand are never listed.

    Example:
        >>> table = TableInfo("t", "t", 1, pa.schema([("id", pa.int64())]), 1_000_000)
        >>> cost_listing(table, "id", 10) < cost_matching(table) < cost_listing(table, "id", 10_000)
        True
    """
    if keys > _MAX_LISTED:
        return float("inf")
    indexed = table.index_on(column, _SCALAR_INDEXES) is not None
    return keys * _LIST_KEY + (0.0 if indexed else table.rows * _FILTER_ROW)


def cost_matching(table: TableInfo) -> float:
    """Finding the ids of the rows that have one of the keys."""
    return table.rows * _MATCH_ROW


def cost_taking(table: TableInfo, columns: tuple[str, ...]) -> float:
    """Reading one row by its id."""
    return _TAKE_ROW + _TAKE_BYTE * _add_widths(table, columns)


def _add_widths(table: TableInfo, columns: tuple[str, ...]) -> float:
    return sum(_read_width(table.schema.field(name).type) if name in table.schema.names else 8 for name in columns)


def _read_width(type_: pa.DataType) -> float:
    if pa.types.is_fixed_size_list(type_):
        return float(type_.list_size) * _read_width(type_.value_type)
    if pa.types.is_struct(type_):
        return sum(_read_width(field.type) for field in type_)
    try:
        return float(type_.bit_width) / 8
    except ValueError:
        return next((width for is_kind, width in _WIDTHS if is_kind(type_)), 1024)
