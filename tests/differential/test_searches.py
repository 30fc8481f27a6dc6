"""Vector, text and hybrid searches against distances by numpy, a naive reader of texts, and ranks fused by hand."""

from __future__ import annotations

from functools import cache
from typing import Any

import lance
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lance.dataset import serialize_row_addrs
from lance.query import MatchQuery

from .checks import Database, check_predicate
from .conftest import DIFFERENTIAL, scaled
from .oracle import Failure, Oracle, check_nearest
from .predicates import Where, wheres
from .rows import read_rows
from .tables import DIMENSION, WORDS
from .test_predicate_matrix import TABLES

TOLERANCE = {"vec": 0.0, "v32": 1e-5, "v64": 1e-5, "v16": 2e-2, "bits": 0.0}
VECTORS = st.lists(st.integers(-4, 4).map(float), min_size=DIMENSION, max_size=DIMENSION)
QUERIES = st.one_of(VECTORS, st.lists(st.floats(-3, 3, width=32), min_size=DIMENSION, max_size=DIMENSION))
FORMS = ("literal", "list", "float32", "float64", "int")


def _keep(database: Database, table: str, where: Where) -> set[int] | None:
    found = database.oracles[table].find_ids(where.sql.replace("@t", table), where.parameters)
    return None if isinstance(found, Failure) else set(found)


@settings(DIFFERENTIAL, max_examples=scaled(90))
@given(
    table=st.sampled_from(TABLES),
    column=st.sampled_from(("vec", "v32", "v64", "v16", "bits")),
    metric=st.sampled_from(("l2", "cosine", "dot")),
    query=QUERIES,
    k=st.integers(1, 30),
    form=st.sampled_from(FORMS),
    where=st.one_of(st.none(), wheres(depth=1)),
)
def test_nearest_rows(
    database: Database, table: str, column: str, metric: str, query: list[float], k: int, form: str, where: Where | None
) -> None:
    oracle = database.oracles[table]
    if column == "bits":
        metric, query = "hamming", [float(int(abs(value) * 80) % 256) for value in (query * 2)]
    elif metric == "cosine" and not np.any(np.array(query, np.float32)):
        query = [1.0, 0.0, 0.0, 0.0]
    if form == "int":
        query = [float(int(value)) for value in query]
        if metric == "cosine" and not any(query):
            query = [0.0, 1.0, 0.0, 0.0]
    kept = None
    condition = ""
    parameters: dict[str, Any] = dict(where.parameters) if where is not None else {}
    if where is not None:
        kept = _keep(database, table, where)
        if kept is None:
            return
        condition = f" WHERE {where.sql.replace('@t', table)}"
    text = str(query)
    if form != "literal":
        text = "$query"
        parameters["query"] = {
            "list": query,
            "float32": np.array(query, np.float32),
            "float64": np.array(query, np.float64),
            "int": [int(value) for value in query],
        }[form]
    sql = (
        f"SELECT _rowid, _distance FROM vector_search('{table}', '{column}', {text}, k => {k}, metric => '{metric}', "
        f"exact => true) t{condition}"
    )
    got = database.query(sql, parameters)
    assert not isinstance(got, Failure), got.message
    # Lance is given the query in single precision, for a DOUBLE column in double.
    own = np.array(query) if column == "v64" else np.array(query, np.float32)
    distances = oracle.measure(column, own.tolist(), metric)
    if kept is not None:
        distances = {row_id: distance for row_id, distance in distances.items() if row_id in kept}
    exact = column in ("vec", "bits") and metric != "cosine" and all(value == int(value) for value in query)
    tolerance = 0.0 if exact else max(TOLERANCE[column], 1e-5)
    problem = check_nearest(read_rows(got), distances, k, tolerance)
    assert problem is None, f"{problem}\n{sql}\n{parameters}"


@pytest.mark.parametrize("size", [1e-45, 1e-30, 1e-18, 1e19, 1e37])
@pytest.mark.parametrize("column", ["vec", "v64"])
def test_the_length_of_a_query_does_not_matter_under_cosine(database: Database, column: str, size: float) -> None:
    sql = f"SELECT _rowid, _distance FROM vector_search('none_fresh', '{column}', $q, k => 9, metric => 'cosine')"
    got = database.query(sql, {"q": [0.0, 0.0, 0.0, size]})
    assert not isinstance(got, Failure), got.message
    distances = database.oracles["none_fresh"].measure(column, [0.0, 0.0, 0.0, 1.0], "cosine")
    assert check_nearest(read_rows(got), distances, 9, 1e-5) is None


@settings(DIFFERENTIAL, max_examples=scaled(15))
@given(table=st.sampled_from(TABLES), query=VECTORS, low=st.integers(0, 20), width=st.integers(1, 40))
def test_rows_in_a_range_of_distances(database: Database, table: str, query: list[float], low: int, width: int) -> None:
    sql = (
        f"SELECT _rowid, _distance FROM vector_search('{table}', 'vec', {query}, k => NULL, lower_bound => {low}, "
        f"upper_bound => {low + width})"
    )
    got = database.query(sql)
    assert not isinstance(got, Failure), got.message
    distances = database.oracles[table].measure("vec", query, "l2")
    within = {row_id: distance for row_id, distance in distances.items() if low <= distance < low + width}
    assert check_nearest(read_rows(got), within, 10_000, 0.0) is None


# A text query as a tree: a word, a phrase ("p", words), or ("and" | "or" | "not", left, right).
TREES = st.recursive(
    st.one_of(
        st.sampled_from(WORDS).map(lambda word: ("word", word)),
        st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: ("phrase", " ".join(words))),
    ),
    lambda inner: st.tuples(st.sampled_from(("and", "or", "not")), inner, inner),
    max_leaves=4,
)


@cache
def _tokens(text: str) -> list[str]:
    return [token.text for token in lance.tokenize(text, stem=False, remove_stop_words=False)]


def _write_query(tree: Any) -> str:
    kind = tree[0]
    if kind == "word":
        return f'"{tree[1]}"' if tree[1] in ("OR", "AND", "NOT") else str(tree[1])
    if kind == "phrase":
        return f'"{tree[1]}"'
    operator = {"and": "AND", "or": "OR", "not": "AND NOT"}[kind]
    return f"({_write_query(tree[1])} {operator} {_write_query(tree[2])})"


def _matches(tree: Any, tokens: list[str]) -> bool:
    kind = tree[0]
    if kind in ("word", "phrase"):
        wanted = _tokens(tree[1])
        return any(tokens[at : at + len(wanted)] == wanted for at in range(len(tokens) - len(wanted) + 1))
    left, right = _matches(tree[1], tokens), _matches(tree[2], tokens)
    return (left or right) if kind == "or" else left and (right if kind == "and" else not right)


def _find_texts(oracle: Oracle, tree: Any) -> set[int]:
    ids, texts = oracle.stored.column("_rowid").to_pylist(), oracle.stored.column("txt").to_pylist()
    return {
        row_id for row_id, text in zip(ids, texts, strict=True) if text is not None and _matches(tree, _tokens(text))
    }


@settings(DIFFERENTIAL, max_examples=scaled(80))
@given(
    table=st.sampled_from(TABLES),
    tree=TREES,
    where=st.one_of(st.none(), wheres(depth=0)),
    k=st.one_of(st.none(), st.integers(1, 12)),
)
def test_matching_rows(database: Database, table: str, tree: Any, where: Where | None, k: int | None) -> None:
    wanted = _find_texts(database.oracles[table], tree)
    condition, parameters = "", {}
    if where is not None:
        kept = _keep(database, table, where)
        if kept is None:
            return
        wanted &= kept
        condition, parameters = f" WHERE {where.sql.replace('@t', table)}", dict(where.parameters)
    sql = f"SELECT _rowid, _score FROM fts('{table}', txt, $words{{}}) t{condition}"
    every = database.query(sql.format(""), {**parameters, "words": _write_query(tree)})
    assert not isinstance(every, Failure), every.message
    rows = read_rows(every)
    assert {row_id for row_id, _ in rows} == wanted, (sql, _write_query(tree), parameters)
    assert len(rows) == len(wanted)
    assert rows == sorted(rows, key=lambda row: (-row[1], row[0]))
    if k is not None:
        first = database.query(sql.format(f", k => {k}"), {**parameters, "words": _write_query(tree)})
        assert not isinstance(first, Failure), first.message
        assert read_rows(first) == rows[:k]


@settings(DIFFERENTIAL, max_examples=scaled(40))
@given(
    table=st.sampled_from(TABLES),
    query=VECTORS,
    words=st.lists(st.sampled_from(WORDS[:14]), min_size=1, max_size=3, unique=True),
    where=st.one_of(st.none(), wheres(depth=0)),
    k=st.integers(1, 20),
    candidates=st.sampled_from((5, 20, 100)),
)
def test_fused_ranks(
    database: Database, table: str, query: list[float], words: list[str], where: Where | None, k: int, candidates: int
) -> None:
    oracle = database.oracles[table]
    kept = set(oracle.stored.column("_rowid").to_pylist())
    condition, parameters = "", {}
    if where is not None:
        found = _keep(database, table, where)
        if found is None:
            return
        kept, parameters = found, dict(where.parameters)
        condition = f" WHERE {where.sql.replace('@t', table)}"
    distances = {row_id: one for row_id, one in oracle.measure("vec", query, "l2").items() if row_id in kept}
    nearest = sorted(distances, key=lambda row_id: (distances[row_id], row_id))
    scores = _read_scores(oracle, " ".join(words), kept, table)
    matching = sorted(scores, key=lambda row_id: (-scores[row_id], row_id))
    depth = max(k, candidates)
    fused: dict[int, float] = {}
    for leg in (nearest[:depth], matching[:depth]):
        for rank, row_id in enumerate(leg, 1):
            fused[row_id] = fused.get(row_id, 0.0) + 1.0 / (60 + rank)
    wanted = sorted(fused, key=lambda row_id: (-fused[row_id], row_id))[:k]
    sql = (
        "SELECT _rowid, _relevance_score, _distance, _score "
        f"FROM hybrid_search('{table}', 'vec', {query}, 'txt', $words, "
        f"k => {k}, candidates => {candidates}, exact => true) t{condition}"
    )
    got = database.query(sql, {**parameters, "words": " ".join(words)})
    assert not isinstance(got, Failure), got.message
    rows = read_rows(got)
    assert [row[0] for row in rows] == wanted, (sql, parameters, words)
    for row_id, relevance, distance, score in rows:
        assert relevance == pytest.approx(fused[row_id])
        assert distance == (distances[row_id] if row_id in nearest[:depth] else None)
        assert score == (pytest.approx(scores[row_id]) if row_id in matching[:depth] else None)


def _read_scores(oracle: Oracle, words: str, kept: set[int], table: str) -> dict[int, float]:
    """Lance's own scores of every matching row, without a limit, and without a filter where every row is indexed.

    Lance counts words in rows that the index does not know yet among those that the filter keeps, so that their scores
    depend on the filter.
    """
    indexed = table.endswith(("fresh", "deleted"))
    scan = oracle.dataset.scanner(
        columns=["_score"],
        full_text_query=MatchQuery(words, "txt"),
        with_row_id=True,
        prefilter=True,
        row_addr_allowlist=None if indexed else serialize_row_addrs(sorted(kept)),
        disable_scoring_autoprojection=True,
    )
    return {row["_rowid"]: row["_score"] for row in scan.to_table().to_pylist() if row["_rowid"] in kept}


@pytest.mark.parametrize("table", TABLES)
def test_a_search_of_every_row(database: Database, table: str) -> None:
    assert not check_predicate(database, table, "true", {}, k=25)
