"""A thousand query vectors in one statement, beside a thousand statements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

import lancesql

from .cases import Bar, Case
from .data import Source

_QUERIES = 1_000
_BAR = Bar(ratio=1 / 3)


def make_batch_cases(db: lancesql.Connection, source: Source) -> list[Case]:
    """Each side gives the number of rows: single searches ask the index, and may find other rows of its recall."""
    vectors = np.resize(source.queries, (_QUERIES, source.queries.shape[1])).astype(np.float32)
    numbers = np.arange(_QUERIES)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    db.register("query_rows", pa.table({"id": numbers, "vector": column}))
    single = "SELECT id, title, _distance FROM vector_search('movies', $q, k => 10)"
    lateral = (
        "SELECT q.id, d.id AS found, d.title, d._distance "
        "FROM query_rows q, LATERAL vector_search('movies', q.vector, k => 10) d"
    )
    listed = "SELECT query_index, id, title, _distance FROM vector_search('movies', $m, k => 10)"

    def search_one_by_one(_: Any) -> pa.Table:
        return pa.table({"rows": [sum(db.sql(single, {"q": one}).to_arrow().num_rows for one in vectors)]})

    def count_rows(sql: str, parameters: dict[str, object] | None = None) -> pa.Table:
        return pa.table({"rows": [db.sql(sql, parameters).to_arrow().num_rows]})

    return [
        Case("1,000 queries, LATERAL", lambda _: count_rows(lateral), search_one_by_one, _BAR),
        Case("1,000 queries, a matrix", lambda _: count_rows(listed, {"m": vectors}), search_one_by_one, _BAR),
    ]
