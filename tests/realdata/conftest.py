"""The real data sets as Lance databases, built once through SQL, and what is true of them by brute force."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lancesql

MOVIE_TABLES = ("movie_cast", "movie_genre", "box_office")


def read_vectors(table: pa.Table, column: str = "vector") -> np.ndarray[Any, np.dtype[np.float32]]:
    """A column of vectors as one matrix."""
    chunk = table.column(column).combine_chunks()
    values = chunk.values.to_numpy(zero_copy_only=False).astype(np.float32)
    return values.reshape(len(chunk), chunk.type.list_size)


def create_views(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """The tables of movies that stay with DuckDB."""
    for name in MOVIE_TABLES:
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{folder / name}.parquet'")


def find_folder(data_dir: Path, name: str) -> Path:
    """The folder of one data set; skips where it is absent."""
    folder = data_dir / name
    if not folder.is_dir():
        pytest.skip(f"no {name} at {data_dir}")
    return folder


@pytest.fixture(scope="session")
def movies_folder(data_dir: Path) -> Path:
    return find_folder(data_dir, "movies")


@pytest.fixture(scope="session")
def movies(movies_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    """Movies and netflix in Lance with default indexes; casts, genres and box office in the user's own DuckDB."""
    own = duckdb.connect()
    create_views(own, movies_folder)
    with lancesql.connect(tmp_path_factory.mktemp("realdata") / "movies", duckdb=own) as db:
        db.execute(
            f"CREATE TABLE movies WITH (float16 = 'vector') AS SELECT * FROM '{movies_folder / 'corpus'}.parquet'"
        )
        db.execute("CREATE INDEX ON movies (vector) USING IVF_PQ")
        db.execute("CREATE INDEX ON movies (year) USING BTREE")
        db.execute("CREATE INDEX ON movies (n_cast) USING BTREE")
        db.execute("CREATE INDEX ON movies (genres) USING LABEL_LIST")
        db.execute("CREATE INDEX ON movies (text) USING FTS")
        db.execute(
            f"CREATE TABLE netflix WITH (float16 = 'vector') AS SELECT * FROM '{movies_folder / 'netflix'}.parquet'"
        )
        yield db
    own.close()


@pytest.fixture(scope="session")
def movie_queries(movies_folder: Path) -> dict[int, np.ndarray[Any, np.dtype[np.float32]]]:
    """The query vectors by id."""
    table = pq.read_table(movies_folder / "queries.parquet")
    return dict(zip(table.column("id").to_pylist(), read_vectors(table), strict=True))
