"""The truth about movies: DuckDB and numpy over everything in memory, no code of the library."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .conftest import create_views, read_vectors

Vector = np.ndarray[Any, np.dtype[np.float32]]


class MovieOracle:
    """Answers a statement in which a search is replaced by the table of its brute-force answer."""

    def __init__(self, folder: Path) -> None:
        self.connection = duckdb.connect()
        create_views(self.connection, folder)
        self.tables = {
            "movies": pq.read_table(folder / "corpus.parquet"),
            "netflix": pq.read_table(folder / "netflix.parquet"),
        }
        self.vectors = {name: read_vectors(table).astype(np.float64) for name, table in self.tables.items()}
        for name, table in self.tables.items():
            place = pa.array(range(table.num_rows), pa.int64())
            self.connection.register("rows", table.drop_columns(["vector"]).append_column("place", place))
            self.connection.execute(f"CREATE TABLE all_{name} AS SELECT * FROM rows")
            self.connection.unregister("rows")
            self.connection.execute(f"CREATE VIEW {name} AS SELECT * EXCLUDE (place) FROM all_{name}")

    def search(self, table: str, alias: str, query: Vector, k: int, predicate: str, parameters: dict[str, Any]) -> None:
        """Leaves the k nearest rows that satisfy the predicate in the table `nearest_<table>`."""
        used = {name: value for name, value in parameters.items() if f"${name}" in predicate}
        found = self.connection.execute(
            f"SELECT place FROM all_{table} {alias} WHERE {predicate} ORDER BY place", used or None
        ).fetchall()
        places = np.array([row[0] for row in found], np.int64)
        difference = self.vectors[table][places] - query.astype(np.float64)
        distances = np.einsum("ij,ij->i", difference, difference)
        order = np.lexsort((places, distances))[:k]
        nearest = self.tables[table].drop_columns(["vector"]).take(places[order])
        nearest = nearest.append_column("_distance", pa.array(distances[order], pa.float32()))
        self.connection.register("rows", nearest)
        self.connection.execute(f"CREATE OR REPLACE TABLE nearest_{table} AS SELECT * FROM rows")
        self.connection.unregister("rows")

    def answer(self, sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        used = {name: value for name, value in parameters.items() if f"${name}" in sql}
        return self.connection.execute(sql, used or None).fetchall()


def assert_same_rows(ours: list[tuple[Any, ...]], true: list[tuple[Any, ...]]) -> None:
    """Rows and their order are equal; numbers with a fraction within the precision of float32 distances."""
    assert len(ours) == len(true)
    for place, (our_row, true_row) in enumerate(zip(ours, true, strict=True)):
        assert len(our_row) == len(true_row)
        for mine, other in zip(our_row, true_row, strict=True):
            if isinstance(mine, float) and isinstance(other, float):
                assert math.isclose(mine, other, rel_tol=1e-5, abs_tol=1e-6), (place, our_row, true_row)
            else:
                assert mine == other, (place, our_row, true_row)
