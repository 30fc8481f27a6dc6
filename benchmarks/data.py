"""The tables that are measured: movies when the data folder is there, else clusters made from a seed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import lancesql

ROOT = Path(__file__).resolve().parent.parent
_ROWS, _DIMENSION, _CLUSTERS, _FIGURES = 30_000, 256, 300, 3_000


@dataclass(frozen=True)
class Source:
    """Two tables and some queries.

    Attributes:
        name: Where they come from.
        movies: id, title, year, n_cast, text, vector.
        box_office: movie_id, distributor, worldwide_gross.
        queries: One query vector a row.
    """

    name: str
    movies: pa.Table
    box_office: pa.Table
    queries: np.ndarray[Any, np.dtype[np.float32]]


def read_source() -> Source:
    """The movies of the data folder, or generated ones."""
    given = os.environ.get("LANCESQL_TEST_DATA")
    folder = (Path(given) if given else ROOT.parent / "shared" / "data") / "movies"
    if not folder.is_dir():
        return _generate_source()
    queries = pq.read_table(folder / "queries.parquet").column("vector").combine_chunks()
    values = queries.values.to_numpy(zero_copy_only=False).astype(np.float32)
    return Source(
        "movies",
        pq.read_table(folder / "corpus.parquet", columns=["id", "title", "year", "n_cast", "text", "vector"]),
        pq.read_table(folder / "box_office.parquet", columns=["movie_id", "distributor", "worldwide_gross"]),
        values.reshape(len(queries), -1),
    )


def _generate_source() -> Source:
    random = np.random.default_rng(7)
    centres = random.normal(size=(_CLUSTERS, _DIMENSION))
    vectors = centres[random.integers(_CLUSTERS, size=_ROWS)] + 0.7 * random.normal(size=(_ROWS, _DIMENSION))
    words = np.array([f"word{number}" for number in range(2_000)])
    flat = pa.array(vectors.astype(np.float32).ravel())
    movies = pa.table(
        {
            "id": np.arange(_ROWS),
            "title": [f"Film {number}" for number in range(_ROWS)],
            "year": np.sort(random.integers(1930, 2025, size=_ROWS)).astype(np.int32),
            "n_cast": random.poisson(4, size=_ROWS).astype(np.int32),
            "text": [" ".join(random.choice(words, size=80)) for _ in range(_ROWS)],
            "vector": pa.FixedSizeListArray.from_arrays(flat, _DIMENSION),
        }
    )
    box_office = pa.table(
        {
            "movie_id": random.choice(_ROWS, size=_FIGURES, replace=False),
            "distributor": [f"Studio {number}" for number in random.integers(40, size=_FIGURES)],
            "worldwide_gross": random.integers(10**5, 10**9, size=_FIGURES),
        }
    )
    near = vectors[random.choice(_ROWS, size=200, replace=False)] + 0.3 * random.normal(size=(200, _DIMENSION))
    return Source("generated clusters", movies, box_office, near.astype(np.float32))


def build_database(source: Source, folder: Path) -> lancesql.Connection:
    """The Lance table with its indexes; box_office stays in memory."""
    db = lancesql.connect(folder)
    db.register("box_office", source.box_office)
    if "movies" not in db.tables():
        half = pa.types.is_float16(source.movies.schema.field("vector").type.value_type)
        db.register("source_rows", source.movies)
        options = "WITH (float16 = 'vector') " if half else ""
        db.execute(f"CREATE TABLE movies {options}AS SELECT * FROM source_rows")
        db.execute("CREATE INDEX ON movies (vector) USING IVF_PQ")
        db.execute("CREATE INDEX ON movies (year) USING BTREE")
    return db
