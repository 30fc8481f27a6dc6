"""ORDER BY a distance LIMIT k against DuckDB over the whole table in memory: rows, order, values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from .checks import Database
from .conftest import DIFFERENTIAL, scaled
from .oracle import Failure
from .predicates import Where, wheres
from .test_predicate_matrix import TABLES
from .test_searches import QUERIES

FUNCTIONS = {"l2": "distance", "cosine": "cosine_distance", "dot": "negative_inner_product"}
OPERATORS = {"l2": "<->", "cosine": "<=>", "dot": "<#>", "l1": "<+>"}
FORMS = ("array", "flipped", "list", "operator", "operator text", "operator list", "similarity", "subquery", "alias")
TOLERANCE = 2e-5


def spell(form: str, metric: str, column: str, query: Sequence[float]) -> tuple[str, dict[str, Any]]:
    """One of the ways to write the distance, and its parameters."""
    literal = str([float(value) for value in query])
    cast = f"{'DOUBLE' if column == 'v64' else 'FLOAT'}[{len(query)}]"
    if metric == "l1":  # DuckDB has no function for it
        form = form if form.startswith("operator") else "oracle" if form == "" else "operator"
    function = f"array_{FUNCTIONS.get(metric)}"
    match form:
        case "oracle":
            column = f"{column}::DOUBLE[]"
            zipped = f"list_zip({column}, {literal}::DOUBLE[])"
            return f"CASE WHEN {column} IS NOT NULL THEN list_sum([abs(p[1] - p[2]) FOR p IN {zipped}]) END", {}
        case "array":
            return f"{function}(t.{column}, $q::{cast})", {"q": np.array(query)}
        case "flipped":
            return f"{function}({literal}::{cast}, {column})", {}
        case "list":
            return f"list_{FUNCTIONS[metric]}({column}, {literal})", {}
        case "operator":
            return f"{column} {OPERATORS[metric]} $q", {"q": list(query)}
        case "operator text":
            return f"(t.{column}{OPERATORS[metric]}'{literal}')", {}
        case "operator list":
            return f"{literal} {OPERATORS[metric]} {column}", {}
        case "similarity" if metric == "cosine":
            return f"1 - array_cosine_similarity({column}, {literal}::{cast})", {}
        case "similarity" if metric == "dot":
            return f"-array_inner_product({column}, {literal}::{cast})", {}
        case "subquery":
            return f"{function}({column}, (SELECT q.v FROM (VALUES ({literal}::{cast})) AS q(v)))", {}
    return f"{function}({column}, {literal}::{cast})", {}


def is_close(got: float | None, wanted: float | None) -> bool:
    """Whether two distances are one; NULL, NaN and the infinities are values too."""
    if got is None or wanted is None or not (math.isfinite(got) and math.isfinite(wanted)):
        return str(got) == str(wanted)
    return abs(got - wanted) <= TOLERANCE * max(1.0, abs(wanted))


@settings(DIFFERENTIAL, max_examples=scaled(120))
@given(
    table=st.sampled_from(TABLES),
    column=st.sampled_from(("vec", "v32", "v64", "v16")),
    metric=st.sampled_from(("l2", "cosine", "dot", "l1")),
    form=st.sampled_from(FORMS),
    query=QUERIES,
    limit=st.one_of(st.integers(0, 12), st.integers(60, 140)),
    offset=st.one_of(st.none(), st.integers(0, 9)),
    where=st.one_of(st.none(), wheres(depth=1)),
    bound=st.one_of(st.none(), st.none(), st.integers(-3, 6).map(lambda number: number + 0.3)),
)
def test_the_nearest_rows(
    database: Database,
    table: str,
    column: str,
    metric: str,
    form: str,
    query: list[float],
    limit: int,
    offset: int | None,
    where: Where | None,
    bound: float | None,
) -> None:
    oracle = database.oracles[table]
    condition = " WHERE true" if where is None else f" WHERE ({where.sql.replace('@t', 't')})"
    parameters = {} if where is None else dict(where.parameters)
    tail = f" LIMIT {limit}" + ("" if offset is None else f" OFFSET {offset}")
    plain, _ = spell("", metric, column, query)
    within = "" if bound is None else f" AND {plain} < {bound}"
    kept = oracle.query(f"SELECT _rowid, {plain} AS d FROM {table} t{condition}{within} ORDER BY d", parameters)
    distance, own = spell(form, metric, column, query)
    if bound is not None:
        condition += f" AND {'dist' if form == 'alias' else distance} < {bound}"
    if form == "alias":
        sql = f"SELECT _rowid, {distance} AS dist FROM {table} t{condition} ORDER BY dist{tail}"
    else:
        sql = f"SELECT _rowid, {distance} AS d FROM {table} t{condition} ORDER BY {distance}{tail}"
    got = database.query(sql, {**parameters, **own})
    if isinstance(kept, Failure):
        return
    if isinstance(got, Failure):  # DuckDB's list functions fail on NULL arrays, as they do without Lance
        assert form == "list", f"{got.message}\n{sql}"
        assert "can not contain NULL" in got.message, f"{got.message}\n{sql}"
        return
    distances = dict(zip(kept.column(0).to_pylist(), kept.column(1).to_pylist(), strict=True))
    wanted = kept.column(1).to_pylist()[offset or 0 :][:limit]
    ids, shown = got.column(0).to_pylist(), got.column(1).to_pylist()
    assert len(set(ids)) == len(ids), sql
    assert len(shown) == len(wanted), f"{len(shown)} rows instead of {len(wanted)}\n{sql}"
    for row_id, value, nearest in zip(ids, shown, wanted, strict=True):
        assert is_close(value, distances[row_id]), f"row {row_id}: {value}, truly {distances[row_id]}\n{sql}"
        assert is_close(value, nearest), f"{shown}\n instead of\n{wanted}\n{sql}"


@settings(DIFFERENTIAL, max_examples=scaled(40))
@given(
    table=st.sampled_from(TABLES),
    column=st.sampled_from(("vec", "v32", "v64")),
    metric=st.sampled_from(("l2", "cosine", "dot")),
    form=st.sampled_from(("array", "operator", "operator text", "subquery")),
    argument=st.sampled_from(("_rowid", "i32", "t.s", "{'id': _rowid, 'b': b}")),
    query=QUERIES,
    k=st.one_of(st.none(), st.integers(1, 140)),
    where=st.one_of(st.none(), wheres(depth=1)),
)
def test_min_by(
    database: Database,
    table: str,
    column: str,
    metric: str,
    form: str,
    argument: str,
    query: list[float],
    k: int | None,
    where: Where | None,
) -> None:
    condition = "" if where is None else f"({where.sql.replace('@t', 't')}) AND "
    parameters = {} if where is None else dict(where.parameters)
    plain, _ = spell("", metric, column, query)
    distance, own = spell(form, metric, column, query)
    rows = f"SELECT {argument} AS x, {plain} AS d FROM {table} t WHERE {condition}true"
    kept = f"FROM ({rows}) WHERE x IS NOT NULL AND d IS NOT NULL ORDER BY d"
    wanted = database.oracles[table].query(kept, parameters)
    call = f"min_by({argument}, {distance}{'' if k is None else f', {k}'})"
    got = database.query(f"SELECT {call} AS x FROM {table} t WHERE {condition}true", {**parameters, **own})
    if isinstance(wanted, Failure):
        return
    assert not isinstance(got, Failure), f"{got.message}\n{call}"
    (found,) = got.column(0).to_pylist()
    values, distances = wanted.column(0).to_pylist(), wanted.column(1).to_pylist()
    size = 1 if k is None else k
    if k is None or found is None:
        found = [] if found is None else [found]
    assert len(found) == min(size, len(values)), call
    apart = [not is_close(one, other) for one, other in pairwise(distances)]
    for at, value in enumerate(found):
        if all(apart[max(at - 1, 0) : at + 1]):
            assert value == values[at], f"{found}\n instead of\n{values[:size]}\n{call}"
