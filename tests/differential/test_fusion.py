"""Fused searches against each formula written out in plain Python, over legs ranked by brute force."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql
from lancesql.execution.searches.fusion import Ranking, fuse_rankings

from .conftest import DIFFERENTIAL, scaled

ROWS = 60
TEXTS = ("a calm lake", "a loud storm", "a calm storm, a storm at the lake", "nothing", None)
TODAY = date(2024, 6, 1)

Leg = list[tuple[int, float]]
"""Row ids and scores, the greater the better, best first."""


def normalize(leg: Leg, how: str) -> list[float]:
    scores = [score for _, score in leg]
    if not leg or how == "none":
        return scores
    if how == "rank":
        return [(len(leg) + 1 - rank) / len(leg) for rank in range(1, len(leg) + 1)]
    if how == "l2":
        length = math.sqrt(sum(score * score for score in scores))
        return [score / length if length else 0.0 for score in scores]
    low, high = min(scores), max(scores)
    if low == high:
        return [1.0] * len(leg)
    mean = sum(scores) / len(scores)
    scale = high - low if how == "minmax" else math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
    return [(score - low) / scale for score in scores]


def fuse(legs: list[Leg], weights: list[float], formula: str, rrf_k: float, how: str) -> dict[int, float]:
    """The fused score of every row of every leg."""
    total: dict[int, float] = {}
    for leg, weight in zip(legs, weights, strict=True):
        scaled_scores = normalize(leg, how)
        for rank, (row, _) in enumerate(leg, 1):
            own = 1 / (rrf_k + rank) if formula == "rrf" else scaled_scores[rank - 1]
            total[row] = total.get(row, 0.0) + weight * own
    return total


@st.composite
def legs_of_rows(draw: st.DrawFn) -> list[Leg]:
    """Legs over few rows, so that some are the same, some have nothing in common and many scores are tied."""
    count = draw(st.integers(1, 4))
    legs = []
    for _ in range(count):
        rows = draw(st.lists(st.integers(0, 12), unique=True, max_size=8))
        scores = sorted((draw(st.sampled_from([0.0, 0.25, 0.5, 1.0, 7.0])) for _ in rows), reverse=True)
        legs.append(list(zip(rows, scores, strict=True)))
    if draw(st.booleans()):
        legs.append(list(legs[0]))
    return legs


@settings(DIFFERENTIAL, max_examples=scaled(120))
@given(legs=legs_of_rows(), data=st.data())
def test_formulas(legs: list[Leg], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=len(legs), max_size=len(legs)))
    formula = data.draw(st.sampled_from(["rrf", "linear"]))
    how = data.draw(st.sampled_from(["minmax", "zscore", "l2", "rank", "none"]))
    rrf_k = data.draw(st.sampled_from([0.0, 1.0, 60.0]))
    rankings = [Ranking(np.array([r for r, _ in leg], np.uint64), np.array([s for _, s in leg])) for leg in legs]
    fused = fuse_rankings(rankings, weights, formula=formula, rrf_k=rrf_k, normalize=how)
    wanted = fuse(legs, weights, formula, rrf_k, how)
    assert dict(zip(fused.row_ids.tolist(), fused.scores.tolist(), strict=True)) == pytest.approx(wanted)
    for leg, places in zip(legs, fused.places, strict=True):
        ranks = {row: place for place, (row, _) in enumerate(leg)}
        assert places.tolist() == [ranks.get(row, -1) for row in fused.row_ids.tolist()]


class Notes:
    """A table, what Lance made of it, and its rows beside it."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(3)
        self.near = rng.integers(0, 3, (ROWS, 2)).astype(np.float32)
        self.near[5::13] = np.nan  # rows without a vector
        self.colour = rng.integers(0, 4, (ROWS, 3)).astype(np.float32)
        self.texts = [TEXTS[n] for n in rng.integers(0, len(TEXTS), ROWS)]
        self.days = [
            None if n % 7 == 0 else TODAY + timedelta(days=int(d)) for n, d in enumerate(rng.integers(-90, 9, ROWS))
        ]
        self.years = [None if n % 11 == 0 else int(y) for n, y in enumerate(rng.integers(1990, 2026, ROWS))]
        moments = [None if one is None else f"{one}T06:30:00" for one in self.days]
        table = pa.table(
            {
                "id": pa.array(range(ROWS), pa.int64()),
                "shelf": pa.array([n % 5 for n in range(ROWS)], pa.int32()),
                "body": pa.array(self.texts, pa.string()),
                "near": pa.array(
                    [None if np.isnan(one).any() else one.tolist() for one in self.near], pa.list_(pa.float32(), 2)
                ),
                "colour": pa.array(self.colour.tolist(), pa.list_(pa.float32(), 3)),
                "day": pa.array(self.days, pa.date32()),
                "year": pa.array(self.years, pa.int16()),
                "clock": pa.array(moments, pa.string()).cast(pa.timestamp("ms")),
                "instant": pa.array(moments, pa.string()).cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
            }
        )
        dataset = lance.write_dataset(table, folder / "notes.lance", max_rows_per_file=25)
        dataset.create_scalar_index("body", "INVERTED")
        self.ids = dataset.scanner(columns=["id"], with_row_id=True).to_table().column("_rowid").to_pylist()

    def rank(self, vectors: np.ndarray[Any, Any], query: list[float], kept: set[int], depth: int) -> Leg:
        """The nearest rows by brute force, with their distance negated."""
        far = ((vectors.astype(np.float64) - np.array(query)) ** 2).sum(axis=1)
        order = sorted((n for n in kept if np.isfinite(far[n])), key=lambda n: (far[n], self.ids[n]))
        return [(n, -float(far[n])) for n in order[:depth]]

    def read(self, db: lancesql.Connection, words: str, kept: set[int], depth: int) -> Leg:
        """The matches of a text, each of which scores the same whatever the filter."""
        rows = db.sql("SELECT id, _score FROM fts('notes', 'body', $w)", {"w": words}).fetchall()
        order = sorted((row for row in rows if row[0] in kept), key=lambda row: (-row[1], self.ids[row[0]]))
        return [(n, score) for n, score in order[:depth]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fusion")


@pytest.fixture(scope="module")
def notes(folder: Path) -> Notes:
    return Notes(folder)


@pytest.fixture(scope="module")
def db(folder: Path, notes: Notes) -> Iterator[lancesql.Connection]:
    with lancesql.connect(folder) as connection:
        yield connection


FILTERS = {
    "": lambda n: True,
    "WHERE shelf < 3": lambda n: n % 5 < 3,
    "WHERE sqrt(shelf) > 1.1": lambda n: n % 5 > 1,
    "WHERE shelf IN (SELECT 2 * i FROM range(2) AS r(i))": lambda n: n % 5 in (0, 2),
    "WHERE shelf > 7": lambda n: False,
}


def check(rows: list[tuple[Any, ...]], legs: list[Leg], scores: dict[int, float], notes: Notes, k: int) -> None:
    """The rows are the k best by score and row id, with their ranks."""
    wanted = sorted(scores, key=lambda n: (-scores[n], notes.ids[n]))[:k]
    assert [row[0] for row in rows] == wanted
    assert [row[1] for row in rows] == pytest.approx([scores[n] for n in wanted])
    for row in rows:
        ranks = [next((rank for rank, (n, _) in enumerate(leg, 1) if n == row[0]), None) for leg in legs]
        assert list(row[2:]) == ranks


@settings(DIFFERENTIAL, max_examples=scaled(50))
@given(data=st.data())
def test_hybrid_search(db: lancesql.Connection, notes: Notes, data: st.DataObject) -> None:
    where = data.draw(st.sampled_from(sorted(FILTERS)))
    kept = {n for n in range(ROWS) if FILTERS[where](n)}
    query = data.draw(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=2, max_size=2))
    words = data.draw(st.sampled_from(["storm", "calm lake", "nothing", "absent"]))
    k, candidates = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 70))
    weights = data.draw(st.none() | st.sampled_from([[1, 0], [0.0, 2.0], [3, 0.25]]))
    formula = data.draw(st.sampled_from(["rrf", "linear"]))
    how = data.draw(st.sampled_from(["minmax", "zscore", "rank"])) if formula == "linear" else "minmax"
    options = "" if formula == "rrf" else f", fusion => 'linear', normalize => '{how}'"
    options += "" if weights is None else ", weights => $weights"
    depth = max(k, candidates)
    legs = [notes.rank(notes.near, query, kept, depth), notes.read(db, words, kept, depth)]
    given_weights = [float(one) for one in weights] if weights else ([1.0, 1.0] if formula == "rrf" else [0.5, 0.5])
    scores = fuse(legs, given_weights, formula, 60, how)
    sql = (
        "SELECT id, _relevance_score, _rank_vector, _rank_text "
        f"FROM hybrid_search('notes', 'near', $q, 'body', $w, k => {k}, candidates => {candidates}{options}) {where}"
    )
    values = {"q": query, "w": words} | ({} if weights is None else {"weights": weights})
    check(db.sql(sql, values).fetchall(), legs, scores, notes, k)


def decay(age: float | None, half_life: float, weight: float) -> float:
    return 1 - weight + weight * (0.0 if age is None else 0.5 ** (max(age, 0.0) / half_life))


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("weight", [1, 0.25, 0])
@pytest.mark.parametrize("column", ["day", "clock", "instant", "year"])
def test_recency(db: lancesql.Connection, notes: Notes, column: str, weight: float, zone: str) -> None:
    kept = set(range(ROWS))
    legs = [notes.rank(notes.near, [1.0, 1.0], kept, 100), notes.read(db, "storm", kept, 100)]
    scores = fuse(legs, [1.0, 1.0], "rrf", 60, "minmax")
    shift = {"day": 0.0, "clock": 6.5 / 24, "year": 0.0, "instant": 6.5 / 24 - (4 / 24 if zone != "UTC" else 0)}[column]
    for n in scores:
        if column == "year":
            age = None if notes.years[n] is None else float(TODAY.year - notes.years[n])
            scores[n] *= decay(age, 4.0, weight)
        else:
            age = None if notes.days[n] is None else (TODAY - notes.days[n]).days - shift
            scores[n] *= decay(age, 20.0, weight)
    half_life = "INTERVAL 4 YEARS" if column == "year" else "INTERVAL 20 DAYS"
    sql = (
        "SELECT id, _relevance_score, _rank_vector, _rank_text FROM hybrid_search('notes', 'near', [1, 1], 'body', "
        "'storm', k => 20, candidates => 100, recency => "
        f"{{'column': '{column}', 'half_life': {half_life}, 'now': DATE '{TODAY}', 'weight': {weight}}})"
    )
    db.sql(f"SET TimeZone = '{zone}'")
    try:
        check(db.sql(sql).fetchall(), legs, scores, notes, 20)
        call = "rrf(vector_search('notes', near, [1, 1], k => 100), fts('notes', 'storm', k => 100), k => 20, "
        fused = f"SELECT id, _relevance_score, _rank_1, _rank_2 FROM {call}recency{sql.partition('recency')[2]}"
        check(db.sql(fused).fetchall(), legs, scores, notes, 20)
        parameter = {"column": column, "half_life": half_life.removeprefix("INTERVAL "), "now": TODAY, "weight": weight}
        again = sql.partition("recency")[0] + "recency => $r)"
        assert db.sql(again, {"r": parameter}).fetchall() == db.sql(sql).fetchall()
    finally:
        db.sql("SET TimeZone = 'UTC'")


def test_recency_from_this_moment(db: lancesql.Connection) -> None:
    sql = (
        "SELECT id, _relevance_score FROM hybrid_search('notes', 'near', [1, 1], 'body', 'storm', k => 60, "
        "recency => {'column': 'year', 'half_life': 4%s})"
    )
    assert db.sql(sql % "").fetchall() == db.sql(sql % ", 'now': year(today())").fetchall()


def test_alpha_is_short_for_weights(db: lancesql.Connection) -> None:
    sql = "SELECT id, _relevance_score FROM hybrid_search('notes', 'near', [1, 1], 'body', 'storm', %s)"
    for formula in ("rrf", "linear"):
        by_alpha = db.sql(sql % f"fusion => '{formula}', alpha => 0.25").fetchall()
        assert by_alpha == db.sql(sql % f"fusion => '{formula}', weights => [0.25, 0.75]").fetchall()


@settings(DIFFERENTIAL, max_examples=scaled(40))
@given(data=st.data())
def test_any_searches(db: lancesql.Connection, notes: Notes, data: st.DataObject) -> None:
    where = data.draw(st.sampled_from(sorted(FILTERS)))
    kept = {n for n in range(ROWS) if FILTERS[where](n)}
    k, candidates = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 70))
    values: dict[str, object] = {}
    calls, legs = [], []
    for number in range(data.draw(st.integers(1, 4))):
        own = data.draw(st.none() | st.integers(1, 40))
        depth = max(k, candidates) if own is None else own
        given_k = "" if own is None else f", k => {own}"
        kind = data.draw(st.sampled_from(["near", "colour", "body", "nested"]))
        mine = kept
        if data.draw(st.booleans()):
            given_k += ", filter => 'shelf <> 1'"
            mine = {n for n in kept if n % 5 != 1}
        if kind == "body":
            values[f"w{number}"] = words = data.draw(st.sampled_from(["storm", "calm lake", "absent"]))
            calls.append(f"fts('notes', 'body', $w{number}{given_k})")
            legs.append(notes.read(db, words, mine, depth))
        elif kind == "nested":
            calls.append(
                f"rrf(vector_search('notes', 'near', [1, 1], k => 7), fts('notes', 'body', 'lake', k => 9){given_k})"
            )
            inner = [notes.rank(notes.near, [1.0, 1.0], mine, 7), notes.read(db, "lake", mine, 9)]
            fused = fuse(inner, [1.0, 1.0], "rrf", 60, "none")
            order = sorted(fused, key=lambda n: (-fused[n], notes.ids[n]))[:depth]
            legs.append([(n, fused[n]) for n in order])
        else:
            vectors = notes.near if kind == "near" else notes.colour
            values[f"q{number}"] = query = [float(n) for n in range(vectors.shape[1])]
            calls.append(f"vector_search('notes', '{kind}', $q{number}{given_k})")
            legs.append(notes.rank(vectors, query, mine, depth))
    weights = data.draw(st.none() | st.just([0.5 + n for n in range(len(legs))]))
    options = "" if weights is None else f", weights => {weights}"
    scores = fuse(legs, weights or [1.0] * len(legs), "rrf", 20, "none")
    ranks = ", ".join(f"_rank_{number}" for number in range(1, len(legs) + 1))
    sql = (
        f"SELECT id, _relevance_score, {ranks} FROM rrf({', '.join(calls)}, k => {k}, candidates => {candidates}, "
        f"rrf_k => 20{options}) {where}"
    )
    check(db.sql(sql, values).fetchall(), legs, scores, notes, k)


def test_a_fusion_in_sql(db: lancesql.Connection) -> None:
    """The idiom of the documentation gives what rrf() gives."""
    by_hand = """
        WITH near AS (SELECT id, row_number() OVER (ORDER BY _distance, id) AS rank
                      FROM vector_search('notes', 'near', [1, 1], k => 30)),
             found AS (SELECT id, row_number() OVER (ORDER BY _score DESC, id) AS rank
                       FROM fts('notes', 'body', 'storm', k => 30))
        SELECT id, sum(1 / (60 + rank)) AS score FROM (FROM near UNION ALL FROM found) GROUP BY id
        ORDER BY score DESC, id LIMIT 20
    """
    call = "SELECT id, _relevance_score FROM rrf(vector_search('notes', 'near', [1, 1], k => 30), "
    rows = db.sql(call + "fts('notes', 'body', 'storm', k => 30), k => 20)").fetchall()
    wanted = db.sql(by_hand).fetchall()
    assert [row[0] for row in rows] == [row[0] for row in wanted]
    assert [row[1] for row in rows] == pytest.approx([row[1] for row in wanted])


def test_a_row_of_another_relation(db: lancesql.Connection) -> None:
    sql = (
        "SELECT a.id, b.id, b._relevance_score FROM (SELECT id, near, shelf FROM notes WHERE id % 9 = 4) a, "
        "LATERAL rrf(vector_search('notes', a.near, column => 'near'), fts('notes', 'storm'), k => 3) b "
        "WHERE b.shelf <> a.shelf ORDER BY a.id, b._relevance_score DESC, b.id"
    )
    rows = db.sql(sql).fetchall()
    owners = [n for n in range(4, ROWS, 9) if n % 13 != 5]  # one row has no vector, and finds nothing
    assert len(rows) == 3 * len(owners)
    one = (
        "SELECT id, _relevance_score FROM rrf(vector_search('notes', 'near', (SELECT near FROM notes WHERE id = $id)), "
        "fts('notes', 'storm'), k => 3) WHERE shelf <> $id % 5 ORDER BY _relevance_score DESC, id"
    )
    for owner in owners:
        assert [row[1:] for row in rows if row[0] == owner] == db.sql(one, {"id": owner}).fetchall()


@pytest.mark.parametrize(
    "search",
    [
        "hybrid_search('notes', 'near', [1, 1], 'body', 'storm', candidates => 40)",
        "rrf(vector_search('notes', near, [1, 1]), vector_search('notes', colour, [1, 2, 3]), fts('notes', 'lake'))",
        "rerank(hybrid_search('notes', 'near', [1, 1], 'body', 'storm'), 'rrf')",
    ],
)
def test_pages_are_cut_from_one_ranking(db: lancesql.Connection, search: str) -> None:
    whole = db.sql(f"SELECT id FROM {search} LIMIT 40").fetchall()
    pages = [db.sql(f"SELECT id FROM {search} LIMIT 4 OFFSET {offset}").fetchall() for offset in range(0, 40, 4)]
    assert [row for page in pages for row in page] == whole
    assert len(set(whole)) == 40


RERANKERS = {
    "rrf": lambda v, t: (1 / (60 + v) if v else 0) + (1 / (60 + t) if t else 0),
    "mrr": lambda v, t: 0.5 * (1 / v if v else 0) + 0.5 * (1 / t if t else 0),
}


@pytest.mark.parametrize("name", ["rrf", "mrr", "linear_combination"])
@pytest.mark.parametrize("where", ["", "WHERE shelf < 3"])
def test_rerankers_without_a_model(db: lancesql.Connection, notes: Notes, name: str, where: str) -> None:
    hybrid = "hybrid_search('notes', 'near', [1, 1], 'body', 'storm', candidates => 25, k => 30)"
    rows = db.sql(f"SELECT id, _distance, _score, _rank_vector, _rank_text FROM {hybrid} {where}").fetchall()
    near = sorted((row[3], row[0]) for row in rows if row[3] is not None)
    found = sorted((row[4], row[0]) for row in rows if row[4] is not None)
    places = [{n: place for place, (_, n) in enumerate(leg, 1)} for leg in (near, found)]
    scores = {}
    for n, distance, score, _, _ in rows:
        if name == "linear_combination":
            scores[n] = 0.3 * (0.0 if distance is None else 1 - distance) + 0.7 * (0.0 if score is None else score)
        else:
            scores[n] = RERANKERS[name](*(place.get(n) for place in places))
    option = ", weight => 0.3" if name == "linear_combination" else ""
    columns = "id, _relevance_score, _rank_vector, _rank_text"
    sql = f"SELECT {columns} FROM rerank({hybrid}, '{name}', k => 12{option}) {where}"
    answer = db.sql(sql).fetchall()
    assert [row[1] for row in answer] == pytest.approx(sorted(scores.values(), reverse=True)[:12], rel=1e-5)
    assert [row[1] for row in answer] == pytest.approx([scores[row[0]] for row in answer], rel=1e-5)
    assert all(a[1] > b[1] or notes.ids[a[0]] < notes.ids[b[0]] for a, b in itertools.pairwise(answer))
    assert {row[0]: row[2:] for row in answer} == {row[0]: row[3:] for row in rows if row[0] in {r[0] for r in answer}}
