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


@pytest.mark.parametrize(
    ("sql", "approximate", "wanted"),
    [
        ("SELECT id FROM points ORDER BY vector <=> $q LIMIT 3", True, "strategy   index vector_idx: "),
        ("SELECT min_by(id, array_cosine_distance(vector, $q::FLOAT[1024])) FROM points", True, "index vector_idx: "),
        (
            "SELECT id FROM points ORDER BY vector <=> $q LIMIT 3",
            False,
            "strategy   exact: lancesql.approximate is off",
        ),
        (
            "SELECT id FROM points ORDER BY vector <-> $q LIMIT 3",
            True,
            "exact: index vector_idx has metric cosine, not l2",
        ),
        (
            "SELECT id FROM points WHERE part = 7 ORDER BY vector <=> $q LIMIT 3",
            True,
            "exact: the filter keeps 60 rows",
        ),
        ("SELECT id FROM points WHERE vector <=> $q < 0.5 ORDER BY vector <=> $q LIMIT 3", True, "index vector_idx: "),
        ("SELECT id FROM points ORDER BY vector <=> $q LIMIT 6000", True, "scan: no more than k rows qualify, 6,000"),
    ],
)
def test_how_the_nearest_are_found(indexed: lancesql.Connection, sql: str, approximate: bool, wanted: str) -> None:
    indexed.execute(f"SET lancesql.approximate = {approximate}")
    try:
        assert wanted in indexed.explain(sql, {"q": [1.0] * 1024})
    finally:
        indexed.execute("RESET lancesql.approximate")


def test_analyze_says_that_the_scan_answered(tmp_path: Path) -> None:
    vectors = pa.array([[1, 0], None, [0, 1], None], pa.list_(pa.float32(), 2))
    lance.write_dataset(pa.table({"id": range(4), "vector": vectors}), str(tmp_path / "few.lance"))
    with lancesql.connect(tmp_path) as db:
        sql = "SELECT id FROM few ORDER BY vector <-> [1,0] LIMIT 3"
        assert "strategy   exact: no index on the column" in db.explain(sql)
        text = db.explain(sql, analyze=True)
        assert "strategy   scan: not every row that qualifies has a distance" in text
        assert [line.split()[1] for line in text.split("\n") if line.split()[:1] == ["rows"]] == ["4", "3"]


def test_the_nearest_are_those_of_every_row(indexed: lancesql.Connection) -> None:
    queries = np.random.default_rng(8).normal(size=(20, 1024)).astype(np.float32)
    table = indexed.sql("SELECT id, vector FROM points").to_arrow()
    matrix = table.column("vector").combine_chunks().values.to_numpy().reshape(-1, 1024).astype(np.float64)
    found = 0
    for query in queries:
        wide = query.astype(np.float64)
        similarities = matrix @ wide / np.linalg.norm(matrix, axis=1) / np.linalg.norm(wide)
        nearest = [int(at) for at in np.argsort(-similarities, kind="stable")[:10]]
        sql = "SELECT id FROM points ORDER BY array_cosine_distance(vector, $q::FLOAT[1024]) LIMIT 10"
        found += len(set(nearest) & {id_ for (id_,) in indexed.sql(sql, {"q": query}).fetchall()})
        indexed.execute("SET lancesql.approximate = false")
        exact = [id_ for (id_,) in indexed.sql(sql, {"q": query}).fetchall()]
        indexed.execute("RESET lancesql.approximate")
        assert exact == nearest
    assert found >= 0.95 * 10 * len(queries)


def test_each_source_names_its_table_and_version(db: lancesql.Connection) -> None:
    text = db.explain("SELECT count(*) FROM stock a, stock AT (VERSION => 1) b, movies m")
    assert "TableScan stock @ version 3 as __lancesql_0 (a)" in text
    assert "TableScan stock @ version 1 as __lancesql_1 (b)" in text
    assert "TableScan movies @ version 2 as __lancesql_2 (m)" in text


def test_explain_runs_nothing(db: lancesql.Connection) -> None:
    db.sql("EXPLAIN INSERT INTO box_office SELECT id, 0 FROM movies").fetchall()
    assert db.sql("SELECT count(*) FROM box_office").fetchall() == [(6,)]


def test_a_statement_that_is_explained_changes_nothing(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE docs AS SELECT i AS id FROM range(9) t(i)")
        db.execute("CREATE TEMP TABLE mine AS SELECT 1 AS id")
        for sql in [
            "DELETE FROM docs WHERE id < 5",
            "INSERT INTO docs VALUES (9)",
            "UPDATE docs SET id = 0",
            "DROP TABLE docs",
            "CREATE TABLE more AS SELECT 1 AS id",
            "CREATE VIEW v AS SELECT * FROM docs",
            "SET lancesql.recall = 0.5",
            "INSERT INTO mine SELECT id FROM docs",
            "INSERT INTO mine VALUES (2)",
        ]:
            assert db.explain(sql)
        assert db.sql("SELECT count(*), sum(id) FROM docs").fetchall() == [(9, 36)]
        assert db.sql("SELECT * FROM mine").fetchall() == [(1,)]
        assert db.tables() == ["docs"]
        assert db.settings.recall == lancesql.connect().settings.recall
        with pytest.raises(lancesql.LanceSQLError):
            db.sql("SELECT * FROM v").fetchall()


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


def test_a_text_predicate_says_how_its_rows_were_found(db: lancesql.Connection) -> None:
    by_ids = db.explain("SELECT id FROM vector_search('movies', [1, 0, 0, 0]) WHERE match(plot, 'space') LIMIT 2")
    assert "match(plot, 'space') → row ids by the text search: 3 rows" in by_ids
    scanned = db.explain("SELECT id FROM movies WHERE NOT match(plot, 'space') AND year > 1950")
    assert "NOT match(plot, 'space') → row ids by the text search: 9 rows" in scanned
    assert "WHERE true AND true" in scanned
    mixed = db.explain("SELECT id FROM vector_search('movies', [1, 0, 0, 0]) WHERE match(plot, 'space') OR year > 1990")
    assert "match(plot, 'space') OR year > 1990 → DuckDB, as row ids: the words of each text are looked at" in mixed
    marked = db.explain("SELECT highlight(plot, 'space'), highlight(body, 'x') FROM movies, reviews")
    assert "Function highlight() of movies.plot, cut as index plot_idx cuts it" in marked
    assert "Function highlight() of reviews.body, cut as a default index cuts it" in marked
    assert "__lancesql_text" not in by_ids + scanned + mixed + marked
