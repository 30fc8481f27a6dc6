"""ORDER BY a distance over vectors that no search finds, each metric, each type, against DuckDB in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest

import lancesql

from .oracle import Oracle
from .test_nearest import FUNCTIONS, is_close

NAN, INF = float("nan"), float("inf")
VECTORS: tuple[tuple[float, ...] | None, ...] = (
    (1, 0, 2), (0.5, -1, 0), None, (INF, 1, 1), (0, 0, 0), (NAN, 1, 1), (-INF, 1, 1), (2, 2, 2), (-1, -2, 1),
    (0, 3, 0), None, (1, NAN, INF), (0, INF, -INF), (-1.5, 0.25, 4),
)  # fmt: skip
HUGE = (*VECTORS, (3e38, 3e38, 3e38), (-3e38, 3e38, 1))
"""With vectors whose squared length is no FLOAT: a search knows no cosine of theirs."""
COLUMNS = {"half": pa.float16(), "single": pa.float32(), "double": pa.float64()}
COUNTS = (0, 1, 2, 3, 5, 8, 9, 12, 15, 17)


def _make_column(type_: pa.DataType, vectors: tuple[tuple[float, ...] | None, ...]) -> pa.Array[Any]:
    kind = type_.to_pandas_dtype()
    with np.errstate(over="ignore"):
        values = [None if vector is None else [kind(one) for one in vector] for vector in vectors]
    return pa.array(values, pa.list_(type_, 3))


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[lancesql.Connection, dict[str, Oracle]]]:
    folder = tmp_path_factory.mktemp("edges")
    oracles = {}
    for name, vectors in (("edges", VECTORS), ("huge", HUGE)):
        columns = {column: _make_column(type_, vectors) for column, type_ in COLUMNS.items()}
        table = pa.table({"id": range(len(vectors)), **columns})
        oracles[name] = Oracle(lance.write_dataset(table, folder / f"{name}.lance"), name)
    with lancesql.connect(folder) as db:
        yield db, oracles
    for oracle in oracles.values():
        oracle.close()


@pytest.mark.parametrize("query", [(1.0, 0.5, 2.0), (-1.0, -0.25, 0.0)])
@pytest.mark.parametrize("metric", list(FUNCTIONS))
@pytest.mark.parametrize("column", list(COLUMNS))
@pytest.mark.parametrize("table", ["edges", "huge"])
def test_every_count(
    edges: tuple[lancesql.Connection, dict[str, Oracle]],
    table: str,
    column: str,
    metric: str,
    query: tuple[float, ...],
) -> None:
    if table == "huge" and metric == "cosine":
        return
    db, oracles = edges
    parameters = {"q": list(query)}
    distance = f"array_{FUNCTIONS[metric]}({column}, $q::{'DOUBLE' if column == 'double' else 'FLOAT'}[3])"
    for condition in ("", " WHERE id % 3 <> 1"):
        body = f"SELECT id, {distance} AS d FROM {table}{condition} ORDER BY d"
        ordered = oracles[table].query(body, parameters)
        assert isinstance(ordered, pa.Table)
        truth = dict(zip(ordered.column(0).to_pylist(), ordered.column(1).to_pylist(), strict=True))
        wanted = list(truth.values())
        for k in COUNTS:
            rows = db.sql(f"{body} LIMIT {k}", parameters).fetchall()
            assert len({id_ for id_, _ in rows}) == min(k, len(wanted))
            for (id_, value), expected in zip(rows, wanted[:k], strict=True):
                assert is_close(value, truth[id_]), (k, rows)
                assert is_close(value, expected), (k, rows, wanted)
            if k == 0 or condition:
                continue
            ids = db.sql(f"SELECT min_by(id, {distance}, {k}) FROM {table}", parameters).fetchall()[0][0]
            assert len(ids) == min(k, sum(value is not None for value in wanted))
            for id_, expected in zip(ids, wanted, strict=False):
                assert is_close(truth[id_], expected), (k, ids, wanted)
