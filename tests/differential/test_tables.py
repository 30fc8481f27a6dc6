"""Tables of any size, the empty one too: every type comes back as it was stored, and searches find what there is."""

from __future__ import annotations

import itertools
from pathlib import Path

import lance
import pytest

import lancesql

from .checks import Database, check_predicate, check_same_rows
from .conftest import NIGHTLY
from .oracle import Oracle
from .tables import INDEXES, make_table

PREDICATES = (
    "true",
    "i32 > 0",
    "upper(s) = 'ABC' OR b",
    "s NOT LIKE 'a%'",
    "f64 >= 0",
    "id IN (SELECT id FROM {name})",
    "v32 IS NOT NULL",
)
SIZES = (0, 1, 2, 17, 300)


@pytest.mark.parametrize(("rows", "index"), list(itertools.product(SIZES, INDEXES)))
def test_tables_of_any_size(tmp_path: Path, rows: int, index: str) -> None:
    for seed in range(20 if NIGHTLY else 1):
        name = f"n{rows}_{index}_{seed}"
        dataset = lance.write_dataset(make_table(1000 + seed + rows, rows), tmp_path / f"{name}.lance")
        if index != "none" and rows:
            for column in ("i32", "s", "f64", "b", "id"):
                dataset.create_scalar_index(column, index.upper())
        oracle = Oracle(lance.dataset(tmp_path / f"{name}.lance"), name)
        with lancesql.connect(tmp_path) as connection:
            database = Database(connection, {name: oracle})
            everything = oracle.query(f'SELECT * EXCLUDE (_rowid) FROM "{name}"')
            stored = dataset.schema
            got = database.query(f"SELECT * FROM {name}")
            assert check_same_rows(got, everything) is None
            assert got.schema.types == stored.types
            ordered = f'FROM "{name}" ORDER BY id DESC'
            got = database.query(f"SELECT * {ordered}")
            assert check_same_rows(got, oracle.query(f"SELECT * EXCLUDE (_rowid) {ordered}"), ordered=True) is None
            # DuckDB knows no duration, and an interval of its own cannot be told from one that was stored.
            changed = [field.name for field in stored if got.schema.field(field.name).type != field.type]
            assert changed == ["dur"]
            problems = [
                problem
                for where in PREDICATES
                for problem in check_predicate(database, name, where.format(name=name), {}, k=4)
            ]
            assert not problems, "\n".join(problems)
        oracle.close()


def test_an_empty_table_answers_every_search(tmp_path: Path) -> None:
    lance.write_dataset(make_table(1, 0), tmp_path / "empty.lance")
    with lancesql.connect(tmp_path) as connection:
        for source in (
            "vector_search('empty', 'vec', [1, 2, 3, 4])",
            "vector_search('empty', 'bits', [1, 2, 3, 4, 5, 6, 7, 8])",
            "vector_search('empty', 'vec', [1, 2, 3, 4], k => NULL, upper_bound => 3)",
            "fts('empty', 'txt', 'quick')",
            "hybrid_search('empty', 'vec', [1, 2, 3, 4], 'txt', 'quick')",
        ):
            for where in ("", " WHERE i32 > 0", " WHERE upper(s) = 'A'"):
                assert connection.sql(f"SELECT id FROM {source} t{where}").fetchall() == []
