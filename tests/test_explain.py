"""EXPLAIN prints the plan that runs, and runs it only when asked to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

import lancesql
from tests.library import open_library

QUERY = [1, 0, 0, 0]


@pytest.fixture(scope="module")
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as db:
        yield db


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    """A table large enough that its index is worth asking."""
    folder = tmp_path_factory.mktemp("indexed")
    vectors = np.random.default_rng(7).normal(size=(6000, 1024)).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 1024)
    table = pa.table({"id": pa.array(range(6000)), "part": pa.array([i % 100 for i in range(6000)]), "vector": column})
    dataset = lance.write_dataset(table, str(folder / "points.lance"))
    dataset.create_index("vector", "IVF_FLAT", num_partitions=4, metric="cosine")
    dataset.create_scalar_index("part", "BTREE")
    with lancesql.connect(folder) as db:
        yield db


def test_the_three_ways_to_ask_agree(db: lancesql.Connection) -> None:
    sql = "SELECT id FROM vector_search('movies', $q, k => 3) WHERE year > $y AND upper(title) > 'B'"
    values = {"q": QUERY, "y": 1980}
    text = db.explain(sql, values)
    assert db.sql(sql, values).explain() == text
    assert "\n".join(row[0] for row in db.sql(f"EXPLAIN {sql}", values).fetchall()) == text
    assert "\n".join(row[0] for row in db.sql(f"explain\n{sql}", values).fetchall()) == text


def test_pushed_text_holds_the_values(db: lancesql.Connection) -> None:
    text = db.explain("SELECT id FROM vector_search('movies', $q, k => 3) WHERE year > $y", {"q": QUERY, "y": 1980})
    assert "year > $y → Lance: `year` > 1980" in text


def test_what_duckdb_evaluates_comes_with_the_reason(db: lancesql.Connection) -> None:
    text = db.explain("SELECT id FROM vector_search('movies', [1,0,0,0]) WHERE upper(title) > 'B'")
    assert "upper(title) > 'B' → DuckDB, as row ids: upper() is computed" in text


def test_a_long_vector_is_not_printed(db: lancesql.Connection, indexed: lancesql.Connection) -> None:
    literal = ", ".join("0.25" for _ in range(1024))
    text = indexed.explain(f"SELECT id FROM vector_search('points', [{literal}], k => 3)")
    assert "[0.25, 0.25, 0.25, … 1024]" in text
    assert max(len(line) for line in text.split("\n")) < 200


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT id FROM vector_search('points', $q, k => 3)", "strategy   index vector_idx: "),
        ("SELECT id FROM vector_search('points', $q, k => 3)", "metric cosine (of index vector_idx)"),
        ("SELECT id FROM vector_search('points', $q, k => 3, exact => true)", "strategy   exact: asked for"),
        (
            "SELECT id FROM vector_search('points', $q, k => 3, recall => 1)",
            "strategy   exact: a recall of 1 is asked for",
        ),
        (
            "SELECT id FROM vector_search('points', $q, k => 3, metric => 'l2')",
            "exact: index vector_idx has metric cosine, not l2",
        ),
        ("SELECT id FROM vector_search('points', $q, k => 3) WHERE part = 7", "exact: the filter keeps 60 rows"),
        ("SELECT id FROM vector_search('points', $q, k => 3) WHERE part = 7", "60 rows qualify"),
        ("SELECT id FROM vector_search('points', $q, k => 3, nprobes => 2)", "index vector_idx: 2 of 4 partitions"),
        (
            "SELECT id FROM vector_search('points', $q, k => NULL, upper_bound => 0.1)",
            "exact: a range of distances needs true distances",
        ),
    ],
)
def test_the_strategy_and_why(indexed: lancesql.Connection, sql: str, wanted: str) -> None:
    assert wanted in indexed.explain(sql, {"q": [1.0] * 1024})


def test_each_source_names_its_table_and_version(db: lancesql.Connection) -> None:
    text = db.explain("SELECT count(*) FROM stock a, stock AT (VERSION => 1) b, movies m")
    assert "TableScan stock @ version 3 as __lancesql_0 (a)" in text
    assert "TableScan stock @ version 1 as __lancesql_1 (b)" in text
    assert "TableScan movies @ version 2 as __lancesql_2 (m)" in text


def test_explain_runs_nothing(db: lancesql.Connection) -> None:
    db.sql("EXPLAIN INSERT INTO box_office SELECT id, 0 FROM movies").fetchall()
    assert db.sql("SELECT count(*) FROM box_office").fetchall() == [(6,)]


def test_analyze_counts_rows_and_times(db: lancesql.Connection) -> None:
    sql = "SELECT m.id, count(*) FROM vector_search('movies', $q, k => 3) m, reviews r GROUP BY 1"
    text = db.explain(sql, {"q": QUERY}, analyze=True)
    rows = [line.split()[1] for line in text.split("\n") if line.split()[:1] == ["rows"]]
    assert rows == ["3", "6", "3"]
    assert text.count(" ms") >= 3
    assert "rows" in "\n".join(row[0] for row in db.sql(f"EXPLAIN ANALYZE {sql}", {"q": QUERY}).fetchall())


def test_analyze_of_a_direct_answer(db: lancesql.Connection) -> None:
    text = db.explain("SELECT id FROM vector_search('movies', $q, k => 3)", {"q": QUERY}, analyze=True)
    assert "Answered without DuckDB" in text
    assert "  rows       3" in text


def test_plain_duckdb_is_explained_by_duckdb(db: lancesql.Connection) -> None:
    text = db.explain("SELECT sum(gross) FROM box_office WHERE gross > 100")
    assert text.startswith("Relation (DuckDB)")
    assert "box_office" in text


def test_explaining_what_cannot_be_bound_is_the_same_error(db: lancesql.Connection) -> None:
    with pytest.raises(lancesql.UnknownTableError) as caught:
        db.sql("EXPLAIN SELECT * FROM vector_search('movie', [1,0,0,0])")
    assert caught.value.span is not None
    assert caught.value.sql is not None
    assert caught.value.sql[slice(*caught.value.span)] == "'movie'"
