"""Searches for each row against brute force: predicates by DuckDB over every pair, ranks by numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import lance
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql

from .conftest import DIFFERENTIAL, scaled

PREDICATES = (
    "true",
    "d.id <> q.oid",
    "d.category = q.category",
    "d.category IS DISTINCT FROM q.category AND d.price > 2",
    "d.price < q.price",
    "d.price + q.price > 9",
    "d.price IN (q.price, q.oid, 3)",
    "(d.category = q.category OR d.price = q.price) AND d.id > 4",
    "d.category IN (SELECT w.category FROM wanted w WHERE w.price <= q.price)",
    "length(d.category) + d.price = q.price",
)
BASES = (
    "'{t}'",
    "(SELECT * FROM {t} WHERE id >= 0)",
    "(SELECT * FROM (SELECT * FROM {t}) WHERE id >= 0)",
    "(SELECT t.* FROM {t} t JOIN (SELECT 0 AS zero) ON t.id >= zero)",
)
STATES = ("plain", "indexed", "grown", "cut")
ROWS = 90


def make_rows(seed: int, rows: int) -> pa.Table:
    """Rows with ties, NULLs, zero vectors and vectors that cannot be compared."""
    chance = np.random.default_rng(seed)
    vectors: list[Any] = [row.tolist() for row in chance.integers(-2, 3, (rows, 4)).astype(np.float32)]
    for at in range(0, rows, 11):
        vectors[at] = None
    vectors[5], vectors[7] = [np.nan, 0, 0, 1], [np.inf, 0, 0, 1]
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int32()),
            "category": pa.array([(None, "a", "b", "cc")[one] for one in chance.integers(0, 4, rows)]),
            "price": pa.array([None if one == 9 else int(one) for one in chance.integers(0, 10, rows)], pa.int32()),
            "vec": pa.array(vectors, pa.list_(pa.float32(), 4)),
        }
    )


@pytest.fixture(scope="module")
def items() -> pa.Table:
    return make_rows(1, ROWS)


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory, items: pa.Table) -> lancesql.Connection:
    """The same rows in tables of every state; `cut` lacks every seventh row."""
    folder: Path = tmp_path_factory.mktemp("correlated")
    lance.write_dataset(items, folder / "plain.lance")
    lance.write_dataset(items, folder / "indexed.lance").create_scalar_index("category", "BITMAP")
    grown = lance.write_dataset(items.slice(0, 50), folder / "grown.lance")
    grown.create_scalar_index("price", "BTREE")
    lance.write_dataset(items.slice(50), folder / "grown.lance", mode="append")
    lance.write_dataset(items, folder / "cut.lance").delete("id % 7 = 0")
    return lancesql.connect(folder)


def measure(vectors: np.ndarray[Any, Any], query: np.ndarray[Any, Any], metric: str) -> np.ndarray[Any, Any]:
    with np.errstate(all="ignore"):
        if metric == "l2":
            return ((vectors - query) ** 2).sum(axis=1).astype(np.float32)
        products = vectors @ query
        if metric == "dot":
            return (1 - products).astype(np.float32)
        lengths = np.sqrt((vectors**2).sum(axis=1)) * np.sqrt(query @ query)
        return (1 - products / lengths).astype(np.float32)


def rank(items: pa.Table, queries: pa.Table, predicate: str, k: int, metric: str) -> dict[int, list[tuple[int, float]]]:
    """The k nearest of each outer row, by brute force."""
    with duckdb.connect() as own:
        own.register("d", items)
        own.register("q", queries)
        own.register("wanted", make_rows(1, ROWS).slice(0, 6))
        pairs = own.sql(f"SELECT q.oid, d.id FROM q, d WHERE {predicate}").fetchall()
    vectors = np.array([one or [np.nan] * 4 for one in items.column("vec").to_pylist()], np.float64)
    allowed: dict[int, set[int]] = {}
    for oid, id_ in pairs:
        allowed.setdefault(oid, set()).add(id_)
    answer = {}
    for oid, vector in zip(queries.column("oid").to_pylist(), queries.column("vec").to_pylist(), strict=True):
        distances = np.full(len(vectors), np.nan) if vector is None else measure(vectors, np.array(vector), metric)
        ids = items.column("id").to_numpy()
        order = [at for at in np.lexsort((ids, distances)) if np.isfinite(distances[at])]
        chosen = [at for at in order if int(ids[at]) in allowed.get(oid, ())]
        answer[oid] = [(int(ids[at]), float(distances[at])) for at in chosen[:k]]
    return answer


def make_queries(seed: int, rows: int) -> pa.Table:
    """Outer rows: some without a vector, some the same as another."""
    chance = np.random.default_rng(seed)
    vectors = [None if one[0] == 2 else [*one[:3], 1] for one in chance.integers(-2, 3, (rows, 4)).tolist()]
    queries = pa.table(
        {
            "category": pa.array(
                [(None, "a", "b", "cc", "zz")[one] for one in chance.integers(0, 5, rows)], pa.string()
            ),
            "price": pa.array([None if one == 13 else int(one) for one in chance.integers(0, 14, rows)], pa.int32()),
            "vec": pa.array(vectors, pa.list_(pa.float32(), 4)),
        }
    )
    queries = pa.concat_tables([queries, queries.slice(0, 2)])
    return queries.append_column("oid", pa.array(range(queries.num_rows), pa.int32()))


@given(
    seed=st.integers(0, 1 << 16),
    rows=st.sampled_from((0, 3, 10, 14)),
    predicate=st.sampled_from(PREDICATES),
    k=st.integers(1, 12),
    metric=st.sampled_from(("l2", "cosine", "dot")),
    state=st.sampled_from(STATES),
    base=st.sampled_from(BASES),
    shape=st.sampled_from(("comma", "lateral", "left", "on", "subquery", "same", "same left")),
)
@settings(DIFFERENTIAL, max_examples=scaled(80))
def test_every_row_finds_its_nearest(
    shops: lancesql.Connection,
    items: pa.Table,
    seed: int,
    rows: int,
    predicate: str,
    k: int,
    metric: str,
    state: str,
    base: str,
    shape: str,
) -> None:
    queries = make_queries(seed, rows)
    wanted = items.slice(0, 6)
    assert wanted.num_rows == 6
    held = items.filter(pa.array([state != "cut" or at % 7 != 0 for at in range(ROWS)]))
    if shape.startswith("same"):  # nothing but the filter depends on the row
        vectors = pa.array([[1, -1, 2, 0.5]] * queries.num_rows, pa.list_(pa.float32(), 4))
        queries = queries.set_column(queries.column_names.index("vec"), "vec", vectors)
    query = "[1, -1, 2, 0.5]" if shape.startswith("same") else "q.vec"
    call = f"vector_search({base.format(t=state)}, 'vec', {query}, k => {k}, metric => '{metric}', exact => true)"
    relation = {
        "comma": f"FROM queries q, {call} d WHERE {predicate}",
        "lateral": f"FROM queries q CROSS JOIN LATERAL {call} d WHERE {predicate}",
        "left": f"FROM queries q LEFT JOIN LATERAL {call} d ON true WHERE ({predicate}) OR d.id IS NULL",
        "on": f"FROM queries q LEFT JOIN LATERAL {call} d ON {predicate}",
        "subquery": f"FROM queries q, LATERAL (SELECT * FROM {call} d WHERE {predicate}) d",
        "same": f"FROM queries q, LATERAL (SELECT * FROM {call} d WHERE {predicate}) d",
        "same left": f"FROM queries q LEFT JOIN LATERAL (SELECT d.* FROM {call} d WHERE {predicate}) d ON true",
    }[shape]
    found = shops.sql(f"SELECT q.oid, d.id, d._distance {relation} ORDER BY q.oid, d._distance, d.id").fetchall()
    if shape == "left":  # the predicate may be true of NULLs, so it applies to the k rows
        nearest = rank(held, queries, "true", k, metric)
        kept = rank(held, queries, predicate, ROWS, metric)
        expected = {oid: [row for row in rows if row in kept[oid]] for oid, rows in nearest.items()}
        lonely = {oid for oid, rows in nearest.items() if not rows}
    else:
        expected = rank(held, queries, predicate, k, metric)
        lonely = {oid for oid, rows in expected.items() if not rows} if shape in ("on", "same left") else set()
    answers = [(oid, *row) for oid, ranked in expected.items() for row in ranked]
    answers += [(oid, None, None) for oid in lonely]
    answers.sort(key=lambda row: (row[0], row[2] if row[2] is not None else 0.0, row[1] or 0))
    assert [row[:2] for row in found] == [row[:2] for row in answers]
    assert [row[2] for row in found if row[2] is not None] == pytest.approx(
        [row[2] for row in answers if row[2] is not None], rel=1e-5, abs=1e-6
    )
