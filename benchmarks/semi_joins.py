"""A hundred thousand keys beside a million rows: as `IN (SELECT …)`, and as the list that Lance can be given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa

import lancesql

from .cases import Bar, Case

_ROWS, _KEYS, _DIMENSION = 1_000_000, 100_000, 32
_BAR = Bar(ratio=0.1)


def make_semi_join_cases(folder: Path) -> tuple[lancesql.Connection, list[Case]]:
    """The table, written when it is not there yet, and the cases over it."""
    random = np.random.default_rng(11)
    order = random.permutation(_ROWS)
    keys = random.choice(2 * _ROWS, size=_KEYS, replace=False)
    query = random.normal(size=_DIMENSION).astype(np.float32)
    db = lancesql.connect(folder)
    if "docs" not in db.tables():
        vectors = pa.array(random.normal(size=(_ROWS, _DIMENSION)).astype(np.float32).ravel())
        docs = {
            "id": order,
            "title": [f"title {number} and a few words" for number in order],
            "vector": pa.FixedSizeListArray.from_arrays(vectors, _DIMENSION),
        }
        db.register("docs_rows", pa.table(docs))
        db.execute("CREATE TABLE docs AS SELECT * FROM docs_rows")
        db.execute("CREATE INDEX ON docs (id) USING BTREE")
        db.execute("CREATE INDEX ON docs (vector) USING IVF_FLAT")
    db.register("keys", pa.table({"key": keys}))
    dataset = lance.dataset(str(folder / "docs.lance"))
    listed = f"id IN ({', '.join(map(str, keys.tolist()))})"
    search = (
        "SELECT id, _distance FROM vector_search('docs', $q, k => 10, nprobes => 20) WHERE id IN (SELECT key FROM keys)"
    )
    scan = "SELECT id, title FROM docs WHERE id IN (SELECT key FROM keys) ORDER BY id"

    def search_by_hand(_: Any) -> pa.Table:
        nearest = {"column": "vector", "q": query, "k": 10, "metric": "l2", "minimum_nprobes": 20, "refine_factor": 1}
        return dataset.scanner(
            columns=["id", "_distance"],
            nearest=nearest,
            filter=listed,
            prefilter=True,
            disable_scoring_autoprojection=True,
        ).to_table()

    def scan_by_hand(_: Any) -> pa.Table:
        return dataset.scanner(columns=["id", "title"], filter=listed).to_table().sort_by("id")

    return db, [
        Case("search, 100,000 keys", lambda _: db.sql(search, {"q": query}).to_arrow(), search_by_hand, _BAR),
        Case("scan, 100,000 keys", lambda _: db.sql(scan).to_arrow(), scan_by_hand),
    ]
