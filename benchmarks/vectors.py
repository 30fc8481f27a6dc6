"""Vector tables whose nearest rows are known: real ones, and clusters made from a seed."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lance
import lancedb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lancedb.index import HnswPq, HnswSq, IvfFlat, IvfPq, IvfRq, IvfSq

import lancesql

from .data import ROOT

__all__ = ["BUILDERS", "KINDS", "VectorSet", "build_table", "generate_clusters", "read_vector_sets"]

KINDS = ("IVF_FLAT", "IVF_SQ", "IVF_PQ", "IVF_RQ", "IVF_HNSW_SQ", "IVF_HNSW_PQ")
BUILDERS = ("lancesql", "lancedb")
"""Whose defaults an index is built by: those of CREATE INDEX, or LanceDB's own."""

_CONFIGS = {
    "IVF_FLAT": IvfFlat,
    "IVF_SQ": IvfSq,
    "IVF_PQ": IvfPq,
    "IVF_RQ": IvfRq,
    "IVF_HNSW_SQ": HnswSq,
    "IVF_HNSW_PQ": HnswPq,
}
Vectors = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class VectorSet:
    """Vectors and queries; the numbers of `scattered` say nothing of where a row lies, those of `near` do.

    Attributes:
        name: What it is called.
        type: The Arrow type of a component.
        vectors: One a row.
        queries: One a row.
    """

    name: str
    type: pa.DataType
    vectors: Vectors
    queries: Vectors

    def to_arrow(self) -> pa.Table:
        """id, scattered, near, vector: a filter `near < n` keeps the n rows nearest to one of them."""
        rows, dimension = self.vectors.shape
        random = np.random.default_rng(5)
        away = ((self.vectors - self.vectors[random.integers(rows)]) ** 2).sum(axis=1)
        components = self.vectors.astype(np.float16 if self.type == pa.float16() else np.float32).ravel()
        return pa.table(
            {
                "id": np.arange(rows),
                "scattered": random.permutation(rows),
                "near": np.argsort(np.argsort(away, kind="stable"), kind="stable"),
                "vector": pa.FixedSizeListArray.from_arrays(pa.array(components, self.type), dimension),
            }
        )


def generate_clusters(rows: int, dimension: int, clusters: int, queries: int, seed: int = 7) -> VectorSet:
    """Clusters of unequal size around random centres, and queries beside some of their rows."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(clusters, dimension))
    share = random.dirichlet(np.full(clusters, 2.0))
    noise = 0.7 * random.normal(size=(rows, dimension))
    vectors = (centres[random.choice(clusters, size=rows, p=share)] + noise).astype(np.float32)
    near = vectors[random.choice(rows, size=queries, replace=False)] + 0.3 * random.normal(size=(queries, dimension))
    return VectorSet(f"clusters {rows // 1000}k × {dimension}", pa.float32(), vectors, near.astype(np.float32))


def read_vector_sets(names: list[str], queries: int) -> list[VectorSet]:
    """The sets of these names; one whose data folder is absent is left out."""
    given = os.environ.get("LANCESQL_TEST_DATA")
    folder = Path(given) if given else ROOT.parent / "shared" / "data"
    sets = []
    if "movies" in names and (folder / "movies").is_dir():
        asked = _read_vectors(folder / "movies" / "queries.parquet", "vector")
        chosen = asked[:: max(1, len(asked) // queries)][:queries]
        sets.append(
            VectorSet("movies", pa.float16(), _read_vectors(folder / "movies" / "corpus.parquet", "vector"), chosen)
        )
    if "sift5k" in names and (folder / "sift5k").is_dir():
        asked = _read_vectors(folder / "sift5k" / "query.parquet", None)[:queries]
        sets.append(VectorSet("sift5k", pa.float32(), _read_vectors(folder / "sift5k" / "base.parquet", None), asked))
    if "clusters" in names:
        sets.append(generate_clusters(200_000, 128, 1_000, queries))
    return sets


def _read_vectors(path: Path, column: str | None) -> Vectors:
    table = pq.read_table(path)
    found = column or next(
        one.name for one in table.schema if pa.types.is_list(one.type) or pa.types.is_fixed_size_list(one.type)
    )
    lists = table.column(found).combine_chunks()
    flat = lists.flatten().to_numpy(zero_copy_only=False)
    return flat.astype(np.float32).reshape(len(lists), -1)


def build_table(db: lancesql.Connection, source: VectorSet, kind: str, builder: str) -> str:
    """The Lance table of a set with one index, built unless it is there; its name."""
    name = "_".join([source.name.replace(" × ", "x").replace(" ", "_"), kind.lower(), builder])
    if name in db.tables():
        return name
    folder = Path(str(db._database.main.uri)) / f"{name}.lance"
    shutil.rmtree(folder, ignore_errors=True)
    lance.write_dataset(source.to_arrow(), folder)
    if builder == "lancedb":
        table: Any = lancedb.connect(folder.parent).open_table(name)
        table.create_index("vector", config=_CONFIGS[kind]())
    else:
        db.execute(f"CREATE INDEX ON {name} (vector) USING {kind}")
    return name
