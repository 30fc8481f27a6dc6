"""LazyFrames: a scan beside Polars' own of the same table, and a join of neighbours beside one search for each row."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import lance
import numpy as np
import polars as pl
import pyarrow as pa

import lancesql

from .cases import Bar, Case

_ROWS, _DIMENSION, _ASKED = 100_000, 64, 200


def make_lazy_cases(folder: Path) -> tuple[lancesql.Connection, list[Case]]:
    """The table, written when it is not there yet, and the cases over it."""
    random = np.random.default_rng(17)
    vectors = random.normal(size=(_ROWS, _DIMENSION)).astype(np.float32)
    db = lancesql.connect(folder)
    if "films" not in db.tables():
        films = {
            "id": np.arange(_ROWS),
            "title": [f"film {number}" for number in range(_ROWS)],
            "year": random.integers(1930, 2025, size=_ROWS).astype(np.int32),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), _DIMENSION),
        }
        db.register("films_rows", pa.table(films))
        db.execute("CREATE TABLE films AS SELECT * FROM films_rows")
        db.execute("CREATE INDEX ON films (id) USING BTREE")
    path = str(folder / "films.lance")
    dataset = lance.dataset(path)
    keys = count()
    asked = pl.DataFrame({"row": range(_ASKED)}).with_columns(
        query=pl.Series(vectors[:_ASKED] + np.float32(0.01), dtype=pl.Array(pl.Float32, _DIMENSION))
    )

    def choose_key() -> int:
        return next(keys) // 2 * 7 % _ROWS  # one key for both sides of a pair

    def join_by_hand(_: Any) -> pa.Table:
        found = []
        for query in asked["query"].to_numpy():
            nearest = {"column": "vector", "q": query, "k": 3}
            scanner = dataset.scanner(columns=["id"], nearest=nearest, disable_scoring_autoprojection=True)
            found.append(scanner.to_table())
        return pa.concat_tables(found)

    def join(_: Any) -> pa.Table:
        return asked.lazy().lance.knn_join(db, "films", on="query", k=3).select("id").collect().to_arrow()

    def scan(_: Any) -> pa.Table:
        return db.scan("films").filter(id=choose_key()).collect().to_arrow()

    def scan_by_hand(_: Any) -> pa.Table:
        return pl.scan_lance(path).filter(id=choose_key()).collect().to_arrow()

    return db, [
        Case("LazyFrame: the row of a key, beside pl.scan_lance", scan, scan_by_hand, Bar(ratio=0.5)),
        Case("LazyFrame: knn_join of 200 rows, one by one", join, join_by_hand, Bar(ratio=1.0), approximate=True),
    ]
