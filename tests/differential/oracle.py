"""Brute force that shares nothing with lancesql: DuckDB over the whole table in memory, distances by numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import lance
import numpy as np
import pyarrow as pa

Parameters = Mapping[str, object] | None


@dataclass(frozen=True)
class Failure:
    """DuckDB refused the statement."""

    message: str


class Oracle:
    """A table in memory, and a DuckDB that has never heard of Lance.

    Attributes:
        stored: The table as Lance stores it, `_rowid` behind its columns.
        table: The same in types that DuckDB reads.
    """

    def __init__(self, dataset: lance.LanceDataset, name: str = "t", setup: Sequence[str] = ()) -> None:
        self.dataset = dataset
        self.name = name
        self.stored = dataset.to_table(with_row_id=True)
        self.table = widen(self.stored)
        self.connection = duckdb.connect()
        self.connection.register(name, self.table)
        self._measured: dict[tuple[object, ...], dict[int, float]] = {}
        for statement in setup:
            self.connection.execute(statement)

    def close(self) -> None:
        self.connection.close()

    def query(self, sql: str, parameters: Parameters = None, **tables: pa.Table) -> pa.Table | Failure:
        """What DuckDB answers; parameters the text does not name are left out."""
        for name, table in tables.items():
            self.connection.register(name, widen(table))
        used = {name: _unwrap(value) for name, value in (parameters or {}).items() if f"${name}" in sql}
        try:
            return self.connection.sql(sql, params=used or None).to_arrow_table()
        except (duckdb.Error, TypeError, ValueError, OverflowError) as error:
            return Failure(f"{type(error).__name__}: {error}")
        finally:
            for name in tables:
                self.connection.unregister(name)

    def find_ids(self, where: str, parameters: Parameters = None, alias: str = "t") -> list[int] | Failure:
        """The ids of the rows that a predicate keeps."""
        answer = self.query(f'SELECT _rowid FROM "{self.name}" AS {alias} WHERE {where}', parameters)
        return answer if isinstance(answer, Failure) else answer.column(0).to_pylist()

    def measure(self, column: str, query: Sequence[float], metric: str) -> dict[int, float]:
        """Row id → true distance, for every row that has one."""
        key = (column, tuple(query), metric)
        if key not in self._measured:
            self._measured[key] = self._measure(column, query, metric)
        return self._measured[key]

    def _measure(self, column: str, query: Sequence[float], metric: str) -> dict[int, float]:
        ids = self.stored.column("_rowid").to_pylist()
        vectors = self.stored.column(column).to_pylist()
        distances = {}
        for row_id, vector in zip(ids, vectors, strict=True):
            if vector is None:
                continue
            distance = measure_distance(np.array(vector), np.array(query), metric)
            if np.isfinite(distance):
                distances[row_id] = float(distance)
        return distances

    def take(self, ids: Sequence[int], **columns: pa.Array) -> pa.Table:
        """The rows with these ids in this order, and further columns beside them."""
        place = {row_id: at for at, row_id in enumerate(self.stored.column("_rowid").to_pylist())}
        rows = self.stored.take(pa.array([place[row_id] for row_id in ids], pa.int64()))
        for name, values in columns.items():
            rows = rows.append_column(name, values)
        return rows


def measure_distance(vector: np.ndarray[Any, Any], query: np.ndarray[Any, Any], metric: str) -> float:
    """One distance in double precision."""
    if metric == "hamming":
        pairs = zip(vector.astype(int), query.astype(int), strict=True)
        return float(sum((int(left) ^ int(right)).bit_count() for left, right in pairs))
    left, right = vector.astype(np.float64), query.astype(np.float64)
    with np.errstate(all="ignore"):
        if metric == "l2":
            return float(((left - right) ** 2).sum())
        if metric == "dot":
            return float(1.0 - (left * right).sum())
        return float(1.0 - (left * right).sum() / (np.sqrt((left**2).sum()) * np.sqrt((right**2).sum())))


def check_nearest(
    got: Sequence[tuple[int, float]], distances: Mapping[int, float], k: int, tolerance: float
) -> str | None:
    """What is wrong with an answer of (row id, distance) pairs; None when it is the k nearest in their order.

    Args:
        got: The answer.
        distances: The true distance of every row that qualifies.
        k: How many were asked for.
        tolerance: How far a distance may be off; rows that are nearer to each other than that may change places.
    """
    ids = [row_id for row_id, _ in got]
    if len(set(ids)) != len(ids):
        return f"a row comes twice: {ids}"
    strangers = [row_id for row_id in ids if row_id not in distances]
    if strangers:
        return f"rows that do not qualify: {strangers}"
    if len(ids) != min(k, len(distances)):
        return f"{len(ids)} rows instead of {min(k, len(distances))}"
    for row_id, distance in got:
        if not abs(distance - distances[row_id]) <= tolerance * max(1.0, abs(distances[row_id])):
            return f"row {row_id}: distance {distance}, truly {distances[row_id]}"
    keys = [(distance, row_id) for row_id, distance in got]
    if keys != sorted(keys):
        return f"not in order: {keys}"
    left_out = [distance for row_id, distance in distances.items() if row_id not in set(ids)]
    if ids and left_out:
        farthest = max(distances[row_id] for row_id in ids)
        if farthest > min(left_out) + tolerance * max(1.0, abs(farthest)):
            return f"a nearer row is missing: {min(left_out)} < {farthest}"
    if tolerance == 0:
        wanted = sorted(distances, key=lambda row_id: (distances[row_id], row_id))[:k]
        if ids != wanted:
            return f"{ids} instead of {wanted}"
    return None


def _unwrap(value: Any) -> Any:
    """lancesql takes every scalar of numpy, DuckDB a few: for the others it is asked with the Python value."""
    is_number = isinstance(value, np.bool_ | np.integer | np.floating) and not isinstance(value, np.timedelta64)
    return value.item() if is_number else value


def widen(table: pa.Table) -> pa.Table:
    """float16 → float, decimal256 → decimal128: the only types of these tables that DuckDB cannot read."""
    schema = pa.schema([pa.field(field.name, _widen_type(field.type)) for field in table.schema])
    return table.cast(schema) if schema != table.schema.remove_metadata() else table


def _widen_type(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_float16(type_):
        return pa.float32()
    if pa.types.is_decimal256(type_):
        return pa.decimal128(type_.precision, type_.scale)
    if pa.types.is_fixed_size_list(type_) and pa.types.is_float16(type_.value_type):
        return pa.list_(pa.float32(), type_.list_size)
    return type_
