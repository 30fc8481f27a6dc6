"""Searches that are more than the k nearest of a float column, against brute force that shares nothing with them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql

from .conftest import DIFFERENTIAL, scaled

DIMENSION = 3
STATES = ("fresh", "appended", "deleted", "updated", "compacted")
TYPES = {
    "f16": pa.float16(), "f32": pa.float32(), "f64": pa.float64(), "i8": pa.int8(), "i16": pa.int16(),
    "i64": pa.int64(), "u8": pa.uint8(), "u32": pa.uint32(),
}  # fmt: skip
FLOATS, INTEGERS = ("f16", "f32", "f64"), ("i8", "i16", "i64", "u8", "u32")
METRICS = ("l2", "cosine", "dot", "l1", "hamming")
CONDITIONS = {  # SQL and the same in Python, of a row as a dict; NULL is not true
    "true": lambda row: True,
    "id % 3 <> 1": lambda row: row["id"] % 3 != 1,
    "g > 1": lambda row: row["g"] is not None and row["g"] > 1,
    "upper(s) = 'B' OR g IS NULL": lambda row: row["s"] in ("b", "B") or row["g"] is None,
    "id IN (SELECT 7 * i FROM range(20) AS r(i))": lambda row: row["id"] % 7 == 0 and row["id"] < 140,
    "id < 0": lambda row: False,
}
VECTORS = st.lists(st.integers(0, 4), min_size=DIMENSION, max_size=DIMENSION).filter(any)
TABLES = st.sampled_from(STATES)


def _make_table(rows: int, first_id: int) -> pa.Table:
    """Small whole numbers, so that distances are exact and many are equal; and rows that have none."""
    chosen = random.Random(rows + first_id)

    def vector(dtype: pa.DataType) -> list[Any] | None:
        dice = chosen.random()
        if dice < 0.08:
            return None
        numbers: list[Any] = [chosen.randint(0, 3) for _ in range(DIMENSION)]
        if pa.types.is_floating(dtype):
            numbers = [float(number) for number in numbers]
            if dice < 0.14:
                numbers[chosen.randrange(DIMENSION)] = chosen.choice([math.nan, math.inf, -math.inf])
        elif dice < 0.11:
            numbers[0] = None
        return [np.float16(number) for number in numbers] if pa.types.is_float16(dtype) else numbers

    def words() -> list[Any] | None:
        if chosen.random() < 0.1:
            return None
        return [vector(pa.float32()) for _ in range(chosen.randint(0, 4))]

    arrays = {
        "id": pa.array(range(first_id, first_id + rows), pa.int64()),
        "g": pa.array([chosen.choice([None, 0, 1, 2, 3]) for _ in range(rows)], pa.int32()),
        "x": pa.array([chosen.choice([None, math.nan, -math.nan, 0.0, -0.0, 1.5]) for _ in range(rows)]),
        "s": pa.array([chosen.choice([None, "", "a", "b", "B"]) for _ in range(rows)]),
        "t": pa.array([chosen.choice(["deep river", "deep", "shallow river"]) for _ in range(rows)]),
        "words": pa.array([words() for _ in range(rows)], pa.list_(pa.list_(pa.float32(), DIMENSION))),
    }
    arrays |= {
        name: pa.array([vector(type_) for _ in range(rows)], pa.list_(type_, DIMENSION))
        for name, type_ in TYPES.items()
    }
    return pa.table(arrays)


def _write_state(path: Path, state: str) -> None:
    dataset = lance.write_dataset(_make_table(70, 0), path, max_rows_per_file=30)
    dataset.create_index("f32", "IVF_FLAT", metric="l2", num_partitions=2)
    dataset.create_index("u8", "IVF_FLAT", metric="hamming", num_partitions=2)
    dataset.create_scalar_index("t", "INVERTED", stem=False, remove_stop_words=False)
    if state in ("appended", "compacted"):
        dataset.insert(_make_table(25, 70))
    if state in ("deleted", "compacted"):
        dataset.delete("id % 5 = 2")
    if state in ("updated", "compacted"):
        dataset.update({"g": "1", "s": "'b'"}, where="id % 4 = 0")
    if state == "compacted":
        dataset.optimize.compact_files()


class Tables:
    """The connection, and every row of each table as a dict."""

    def __init__(self, folder: Path, db: lancesql.Connection) -> None:
        self.db = db
        self.rows = {
            state: lance.dataset(folder / f"{state}.lance").to_table(with_row_id=True).to_pylist() for state in STATES
        }

    def ask(self, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[int, float]]:
        answer = self.db.sql(sql, parameters).to_arrow()
        return list(zip(answer.column("_rowid").to_pylist(), answer.column("_distance").to_pylist(), strict=True))

    def rank(
        self, state: str, column: str, query: Any, metric: str, condition: str = "true"
    ) -> list[tuple[int, float]]:
        """Every row that has a distance, nearest first."""
        measure = _measure_words if column == "words" else _measure
        found = []
        for row in self.rows[state]:
            distance = measure(row[column], query, metric) if row[column] is not None else math.nan
            if CONDITIONS[condition](row) and math.isfinite(distance):
                found.append((row["_rowid"], float(np.float32(distance))))
        return sorted(found, key=lambda one: (one[1], one[0]))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    folder = tmp_path_factory.mktemp("variants")
    for state in STATES:
        _write_state(folder / f"{state}.lance", state)
    with lancesql.connect(folder) as db:
        yield Tables(folder, db)


def _measure(vector: Sequence[Any], query: Sequence[Any], metric: str) -> float:
    """One distance; NULL counts as zero, which is what LanceDB stores for it."""
    vector, query = ([0 if number is None else number for number in one] for one in (vector, query))
    if metric == "hamming":
        return float(sum((int(one) ^ int(other)).bit_count() for one, other in zip(vector, query, strict=True)))
    pairs = [(float(one), float(other)) for one, other in zip(vector, query, strict=True)]
    if metric == "l1":
        return sum(abs(one - other) for one, other in pairs)
    if metric == "l2":
        return sum((one - other) ** 2 for one, other in pairs)
    product = sum(one * other for one, other in pairs)
    if metric == "dot":
        return 1 - product
    lengths = math.sqrt(sum(one * one for one, _ in pairs)) * math.sqrt(sum(other * other for _, other in pairs))
    return 1 - product / lengths if lengths else math.nan


def _measure_words(vectors: Sequence[Any], query: Sequence[Sequence[float]], metric: str) -> float:
    known = [vector for vector in vectors if vector is not None]
    total = 0.0
    for one in query:
        distances = [distance for vector in known if math.isfinite(distance := _measure(vector, one, metric))]
        if not distances:
            return math.nan
        total += min(distances)
    return total


def _check(got: list[tuple[int, float]], wanted: list[tuple[int, float]], metric: str, context: str) -> None:
    """Whole numbers are compared exactly, rows, order and ties; cosines up to the rounding of single precision."""
    if metric != "cosine":
        assert got == wanted, context
        return
    assert [one[1] for one in got] == pytest.approx([one[1] for one in wanted], abs=2e-6), context
    for distance in {round(one[1], 4) for one in wanted[:-1]}:  # ties at the end may be cut elsewhere
        if distance < round(wanted[-1][1], 4):
            own = [{row for row, far in side if round(far, 4) == distance} for side in (got, wanted)]
            assert own[0] == own[1], context


def _fits(column: str, metric: str) -> bool:
    return metric != "hamming" or column in INTEGERS


@settings(DIFFERENTIAL, max_examples=scaled(30))
@given(
    state=TABLES,
    column=st.sampled_from(tuple(TYPES)),
    metric=st.sampled_from(METRICS),
    query=VECTORS,
    k=st.integers(1, 40),
    condition=st.sampled_from(tuple(CONDITIONS)),
)
def test_every_metric_of_every_type(
    tables: Tables, state: str, column: str, metric: str, query: list[int], k: int, condition: str
) -> None:
    if not _fits(column, metric):
        return
    sql = (
        f"SELECT _rowid, _distance FROM vector_search('{state}', '{column}', $q, metric => '{metric}', k => {k}, "
        f"exact => true) WHERE {condition}"
    )
    wanted = tables.rank(state, column, query, metric, condition)[:k]
    _check(tables.ask(sql, {"q": query}), wanted, metric, sql)


@settings(DIFFERENTIAL, max_examples=scaled(40))
@given(
    state=TABLES,
    column=st.sampled_from((*TYPES, "words")),
    metric=st.sampled_from(METRICS),
    query=VECTORS,
    places=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    nudges=st.tuples(st.sampled_from((-1e-9, 0.0, 1e-9)), st.sampled_from((-1e-9, 0.0, 1e-9))),
    k=st.sampled_from(("NULL", "1", "7")),
    condition=st.sampled_from(tuple(CONDITIONS)),
)
def test_ranges_are_cut_at_the_distance_shown(
    tables: Tables,
    state: str,
    column: str,
    metric: str,
    query: list[int],
    places: tuple[int, int],
    nudges: tuple[float, float],
    k: str,
    condition: str,
) -> None:
    if not _fits(column, metric):
        return
    call = f"vector_search('{state}', '{column}', $q, metric => '{metric}', k => {{}}, {{}}) WHERE {condition}"
    every = tables.ask(f"SELECT _rowid, _distance FROM {call.format(1000, 'exact => true')}", {"q": query})
    if not every:
        return
    low, high = sorted(every[place % len(every)][1] + nudge for place, nudge in zip(places, nudges, strict=True))
    wanted = [(row, distance) for row, distance in every if low <= distance < high]
    sql = f"SELECT _rowid, _distance FROM {call.format(k, 'lower_bound => $low, upper_bound => $high')}"
    got = tables.ask(sql, {"q": query, "low": low, "high": high})
    assert got == (wanted if k == "NULL" else wanted[: int(k)]), (sql, low, high)
    open_ended = tables.ask(sql, {"q": query, "low": low, "high": None})
    beyond = [(row, distance) for row, distance in every if distance >= low]
    assert open_ended == (beyond if k == "NULL" else beyond[: int(k)]), (sql, low)


def _pick_groups(
    ranked: list[tuple[int, float]], groups: dict[int, Any], k: int | None, size: int
) -> list[tuple[int, float]]:
    def same(value: Any) -> Any:
        if isinstance(value, float):
            return "NaN" if math.isnan(value) else value + 0.0
        return value

    order: list[Any] = []
    members: dict[Any, list[int]] = {}
    for row, _ in ranked:
        group = same(groups[row])
        if group not in members:
            order.append(group)
        members.setdefault(group, []).append(row)
    kept = {row for group in order[:k] for row in members[group][:size]}
    return [one for one in ranked if one[0] in kept]


@settings(DIFFERENTIAL, max_examples=scaled(30))
@given(
    state=TABLES,
    column=st.sampled_from(("f32", "i8", "u8")),
    metric=st.sampled_from(("l2", "l1", "dot")),
    query=VECTORS,
    group=st.sampled_from(("g", "x", "s", "id", "t")),
    k=st.one_of(st.none(), st.integers(1, 6)),
    size=st.integers(1, 4),
    condition=st.sampled_from(tuple(CONDITIONS)),
)
def test_groups(
    tables: Tables,
    state: str,
    column: str,
    metric: str,
    query: list[int],
    group: str,
    k: int | None,
    size: int,
    condition: str,
) -> None:
    sql = (
        f"SELECT _rowid, _distance FROM vector_search('{state}', '{column}', $q, metric => '{metric}', "
        f"k => {'NULL' if k is None else k}, exact => true, group_by => '{group}', group_size => {size}) "
        f"WHERE {condition}"
    )
    ranked = tables.rank(state, column, query, metric, condition)
    groups = {row["_rowid"]: row[group] for row in tables.rows[state]}
    assert tables.ask(sql, {"q": query}) == _pick_groups(ranked, groups, k, size), sql


def test_groups_are_looked_for_as_deep_as_they_lie(tmp_path: Path) -> None:
    numbers = np.arange(6000)
    near = pa.table(
        {
            "id": numbers,
            "g": np.where(numbers < 5000, 0, np.where(numbers < 5990, 1, numbers)),
            "v": pa.FixedSizeListArray.from_arrays(pa.array(np.repeat(numbers, 2).astype(np.float32)), 2),
        }
    )
    lance.write_dataset(near, tmp_path / "t.lance")
    with lancesql.connect(tmp_path) as db:
        found = db.sql("SELECT id FROM vector_search('t', [0, 0], group_by => 'g', group_size => 2, k => 4)").fetchall()
    assert [one[0] for one in found] == [0, 1, 5000, 5001, 5990, 5991]


def _choose_diverse(
    ranked: list[tuple[int, float]], vectors: dict[int, Any], metric: str, weight: float, k: int
) -> list[int]:
    left, chosen = list(ranked), []
    while left and len(chosen) < k:
        costs = []
        for row, distance in left:
            apart = min((_measure(vectors[row], vectors[one], metric) for one in chosen), default=None)
            costs.append(distance if apart is None else weight * distance - (1 - weight) * apart)
        chosen.append(left.pop(costs.index(min(costs)))[0])
    return chosen


@settings(DIFFERENTIAL, max_examples=scaled(30))
@given(
    state=TABLES,
    column=st.sampled_from(("f16", "f32", "f64", "i8", "u8")),
    metric=st.sampled_from(("l2", "l1", "dot", "hamming")),
    query=VECTORS,
    weight=st.sampled_from((0, 0.25, 0.5, 0.75, 1)),
    k=st.integers(1, 8),
    candidates=st.integers(10, 60),
    condition=st.sampled_from(tuple(CONDITIONS)),
)
def test_unlike_rows(
    tables: Tables,
    state: str,
    column: str,
    metric: str,
    query: list[int],
    weight: float,
    k: int,
    candidates: int,
    condition: str,
) -> None:
    if not _fits(column, metric):
        return
    call = (
        f"vector_search('{state}', '{column}', $q, metric => '{metric}', exact => true, mmr => {weight}, "
        f"candidates => {candidates}{{}}) WHERE {condition}"
    )
    ranked = tables.rank(state, column, query, metric, condition)
    vectors = {row["_rowid"]: row[column] for row in tables.rows[state]}
    wanted = _choose_diverse(ranked[:candidates], vectors, metric, weight, k)
    sql = f"SELECT _rowid, _distance FROM {call.format(f', k => {k}')}"
    got = tables.ask(sql, {"q": query})
    assert [row for row, _ in got] == wanted, sql
    assert dict(got).items() <= dict(ranked).items()
    if weight == 1:
        assert got == ranked[:k]
    pages = [tables.ask(f"SELECT _rowid, _distance FROM {call.format('')} LIMIT 2 OFFSET {at}", {"q": query})
             for at in range(0, k, 2)]  # fmt: skip
    assert [row for page in pages for row, _ in page][:k] == wanted, call


@settings(DIFFERENTIAL, max_examples=scaled(30))
@given(
    state=TABLES,
    column=st.sampled_from(("f32", "f64", "i8", "u8")),
    metric=st.sampled_from(("l2", "cosine", "dot", "l1")),
    picks=st.lists(st.integers(0, 200), min_size=1, max_size=4),
    extra=st.lists(VECTORS, max_size=2),
    against=st.lists(st.integers(0, 200), max_size=2),
    k=st.integers(1, 12),
    condition=st.sampled_from(tuple(CONDITIONS)),
)
def test_by_example(
    tables: Tables,
    state: str,
    column: str,
    metric: str,
    picks: list[int],
    extra: list[list[int]],
    against: list[int],
    k: int,
    condition: str,
) -> None:
    usable = [row for row in tables.rows[state] if row[column] is not None and None not in row[column]]
    usable = [row for row in usable if np.isfinite(np.array(row[column], np.float64)).all() and any(row[column])]
    near, away = ([usable[pick % len(usable)] for pick in one] for one in (picks, against))

    def average(vectors: list[Any]) -> np.ndarray[Any, Any]:
        matrix = np.array(vectors, np.float64)
        if metric == "cosine":
            matrix = matrix / np.sqrt((matrix**2).sum(axis=1, keepdims=True))
        return matrix.mean(axis=0)

    arguments, parameters = ["like_id => $like"], {"like": near[0]["id"], "away": [row["id"] for row in away]}
    positive = [near[0][column]]
    if extra:
        arguments.append("positive => $extra")
        parameters["extra"] = extra
        positive += extra
    elif len(near) > 1:
        arguments[0] = "positive => $near"
        parameters = {"near": [row["id"] for row in near], "away": parameters["away"]}
        positive = [row[column] for row in near]
    else:
        near = near[:1]
    examples = [*(near if "near" in parameters else near[:1]), *away]
    query = average(positive)
    if away:
        arguments.append("negative => $away")
        query = 2 * query - average([row[column] for row in away])
    else:
        del parameters["away"]
    if column == "f32":
        query = query.astype(np.float32)
    sql = (
        f"SELECT _rowid, _distance FROM vector_search('{state}', '{column}', {', '.join(arguments)}, "
        f"metric => '{metric}', k => {k}, exact => true) WHERE {condition}"
    )
    left_out = {row["_rowid"] for row in examples}
    if metric == "cosine" and np.allclose(query, 0, atol=1e-7):
        with pytest.raises(lancesql.ArgumentError, match="cancel"):
            tables.ask(sql, parameters)
        return
    ranked = [one for one in tables.rank(state, column, query.tolist(), metric, condition) if one[0] not in left_out]
    got = tables.ask(sql, parameters)
    assert not left_out & {row for row, _ in got}, sql
    assert [one[1] for one in got] == pytest.approx([one[1] for one in ranked[:k]], rel=1e-5, abs=1e-5), sql
    assert all(distance == pytest.approx(dict(ranked)[row], rel=1e-5, abs=1e-5) for row, distance in got), sql


@settings(DIFFERENTIAL, max_examples=scaled(30))
@given(
    state=TABLES,
    metric=st.sampled_from(("l2", "cosine", "dot", "l1")),
    query=st.lists(VECTORS, min_size=1, max_size=3),
    k=st.integers(1, 30),
    condition=st.sampled_from(tuple(CONDITIONS)),
)
def test_lists_of_vectors(
    tables: Tables, state: str, metric: str, query: list[list[int]], k: int, condition: str
) -> None:
    sql = (
        f"SELECT _rowid, _distance FROM vector_search('{state}', 'words', $q, metric => '{metric}', k => {k}) "
        f"WHERE {condition}"
    )
    wanted = tables.rank(state, "words", query, metric, condition)[:k]
    _check(tables.ask(sql, {"q": query}), wanted, metric, sql)
    assert tables.ask(sql, {"q": np.array(query, np.float32)}) == tables.ask(sql, {"q": query})


@pytest.mark.parametrize("kind", ["IVF_FLAT", "IVF_PQ", "IVF_RQ"])
def test_lists_of_vectors_through_an_index(kind: str, tmp_path: Path) -> None:
    random_ = np.random.default_rng(1)
    counts = random_.integers(0, 4, 1500)
    flat = random_.normal(size=(int(counts.sum()), 8)).astype(np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), 8)
    words = pa.ListArray.from_arrays(pa.array(np.cumsum([0, *counts]), pa.int32()), vectors)
    dataset = lance.write_dataset(pa.table({"id": np.arange(1500), "words": words}), tmp_path / "t.lance")
    options = {"num_sub_vectors": 4} if kind == "IVF_PQ" else {}
    dataset.create_index("words", kind, metric="cosine", num_partitions=2, **options)
    lists, found = words.to_pylist(), 0
    with lancesql.connect(tmp_path) as db:
        for number in range(10):
            query = random_.normal(size=(1 + number % 3, 8)).astype(np.float32)
            condition = "WHERE id % 3 = 1" if number % 2 else ""
            call = f"vector_search('t', words, $q, k => 10, exact => {{}}) {condition}"
            plan = "\n".join(
                row[0] for row in db.sql(f"EXPLAIN SELECT * FROM {call.format(False)}", {"q": query}).fetchall()
            )
            assert "index words_idx" in plan
            exact, indexed = (
                db.sql(f"SELECT id, _distance FROM {call.format(one)}", {"q": query}).fetchall()
                for one in (True, False)
            )
            for row, distance in indexed:  # what the index finds is measured
                assert distance == pytest.approx(_measure_words(lists[row], query.tolist(), "cosine"), abs=1e-5)
            assert indexed == sorted(indexed, key=lambda one: one[1])
            assert len(indexed) == 10
            found += len(set(exact) & set(indexed))
    assert found >= 95


@pytest.mark.parametrize("state", STATES)
def test_fast_search_leaves_out_what_the_index_does_not_cover(tables: Tables, state: str) -> None:
    covered = {row["_rowid"] for row in tables.rows[state] if row["id"] < 70}
    asked = (
        "SELECT _rowid, _distance FROM vector_search('{}', 'f32', [1, 2, 0], nprobes => 2, k => {}, {}) WHERE g >= 1"
    )
    ranked = tables.rank(state, "f32", [1, 2, 0], "l2", "true")
    ranked = [one for one in ranked if one[0] in {row["_rowid"] for row in tables.rows[state] if (row["g"] or 0) >= 1}]
    got = tables.ask(asked.format(state, 200, "fast_search => true"))
    if state in ("fresh", "deleted", "appended"):  # an updated row is a row that was written later
        assert got == [one for one in ranked if one[0] in covered]
    assert got == [one for one in ranked if one in got]
    assert tables.ask(asked.format(state, 200, "fast_search => false")) == ranked


def test_fast_search_of_texts(tables: Tables) -> None:
    asked = "SELECT id FROM fts('appended', 'shallow'{}) ORDER BY id"
    wanted = [row["id"] for row in tables.rows["appended"] if row["t"].startswith("shallow")]
    assert [one[0] for one in tables.db.sql(asked.format("")).fetchall()] == wanted
    fast = [one[0] for one in tables.db.sql(asked.format(", fast_search => true")).fetchall()]
    assert fast == [one for one in wanted if one < 70]


@settings(DIFFERENTIAL, max_examples=scaled(12))
@given(state=TABLES, pick=st.integers(0, 200), metric=st.sampled_from(("l1", "l2")), k=st.integers(1, 12))
def test_hybrid_by_example(tables: Tables, state: str, pick: int, metric: str, k: int) -> None:
    usable = [row for row in tables.rows[state] if row["f64"] is not None and np.isfinite(row["f64"]).all()]
    row = usable[pick % len(usable)]
    options = f"metric => '{metric}', k => {k}, exact => true"
    columns = "_rowid, _relevance_score, _distance, _score"
    given_id = f"SELECT {columns} FROM hybrid_search('{state}', 'f64', 'river', like_id => $id, {options})"
    given_vector = f"SELECT {columns} FROM hybrid_search('{state}', 'f64', $q, 'river', {options}) WHERE id <> $id"
    got = tables.db.sql(given_id, {"id": row["id"]}).fetchall()
    assert row["_rowid"] not in {one[0] for one in got}
    assert got == tables.db.sql(given_vector, {"id": row["id"], "q": row["f64"]}).fetchall()
