"""What DuckDB's own plan says of a query: how many rows it reads, and whether it answers alike when asked twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from lancesql.errors import LanceSQLError

from .duckdb import DuckDBEngine
from .namespace import Namespace

__all__ = ["Inspection", "inspect_query"]

_ARROW_SCANS = frozenset({"ARROW_SCAN", "PYTHON_ARROW_SCAN"})
_REPEATABLE = _ARROW_SCANS | {
    "SEQ_SCAN", "TABLE_SCAN", "INDEX_SCAN", "PANDAS_SCAN", "READ_PARQUET", "PARQUET_SCAN", "COLUMN_DATA_SCAN",
    "DUMMY_SCAN", "EMPTY_RESULT", "RANGE", "GENERATE_SERIES", "UNNEST", "PROJECTION", "FILTER", "ORDER_BY", "UNION",
    "EXCEPT", "INTERSECT", "HASH_JOIN", "NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN", "PIECEWISE_MERGE_JOIN", "IE_JOIN",
    "CROSS_PRODUCT", "LEFT_DELIM_JOIN", "RIGHT_DELIM_JOIN", "DELIM_SCAN", "HASH_GROUP_BY", "PERFECT_HASH_GROUP_BY",
    "UNGROUPED_AGGREGATE", "CTE", "CTE_SCAN",
}  # fmt: skip
"""Operators whose rows do not hang on chance, on the order of threads or on a stream that is read once."""
_AGGREGATES = frozenset({"count", "count_star", "min", "max", "bool_and", "bool_or", "filter", "where"})
_CALLED = re.compile(r'(\w+)"?\(')


@dataclass(frozen=True)
class Inspection:
    """A query as DuckDB plans it.

    Attributes:
        rows: The rows its leaves give, by DuckDB's estimate; an Arrow stream or data set counts as one.
        arrow_scans: How often it reads an Arrow object.
        doubt: What might make it answer differently the next time; None when nothing does.
    """

    rows: int
    arrow_scans: int
    doubt: str | None


def inspect_query(
    engine: DuckDBEngine, sql: str, parameters: object, sources: Mapping[str, object], namespace: Namespace
) -> Inspection | None:
    """Plans a query without running it; None when DuckDB cannot plan it alone."""
    try:
        relation = engine.relate(f"EXPLAIN (FORMAT json) {sql}", parameters, sources, namespace)
        plan = json.loads(relation.fetchall()[0][1]) if relation is not None else []
    except (LanceSQLError, duckdb.Error, ValueError, IndexError):
        return None
    nodes = [one for root in plan for one in _walk(root)]
    leaves = [node for node in nodes if not node.get("children")]
    return Inspection(
        rows=sum(int(node.get("extra_info", {}).get("Estimated Cardinality") or 0) for node in leaves),
        arrow_scans=sum(node["name"].strip() in _ARROW_SCANS for node in leaves),
        doubt=next((doubt for node in nodes if (doubt := _doubt(node, engine)) is not None), None),
    )


def _walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("children") or ():
        yield from _walk(child)


def _doubt(node: Mapping[str, Any], engine: DuckDBEngine) -> str | None:
    name = str(node["name"]).strip()
    if name not in _REPEATABLE:
        return name
    details: Mapping[str, Any] = node.get("extra_info", {})
    for label, value in details.items():
        called = {function.lower() for function in _CALLED.findall(str(value))}
        unsure = called - _AGGREGATES if label == "Aggregates" else {one for one in called if engine.is_volatile(one)}
        if unsure:
            return f"{min(unsure)}()"
    return None
