"""A NULL among the numbers of a stored vector counts as zero, whatever statement wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import lancesql

MADE = "[if(i % 3 = 0, NULL, i), 1.5, if(i % 4 = 0, NULL, i % 7)]"
TYPES = {"f": "FLOAT[3]", "d": "DOUBLE[3]", "h": "HALF[3]"}
UPSERT = (
    "WHEN MATCHED THEN UPDATE SET d = [if(i % 2 = 0, NULL, 4), 1, k]"
    " WHEN NOT MATCHED THEN INSERT (id, f, h) VALUES (i, [i, NULL, 1], [if(i % 2 = 0, NULL, 1), 2, 3])"
)
STATEMENTS = (
    f"INSERT INTO t (id, k, {', '.join(TYPES)}) SELECT i, i % 5, {MADE}, {MADE}, {MADE} FROM range(999) r(i)",
    "UPDATE t SET f = [id, if(k = 1, NULL, k), 2], d = [if(k = 2, NULL, 3), k, id], h = [k, if(k = 3, NULL, 1), 2]",
    "UPDATE t SET f = NULL, h = NULL WHERE id % 5 = 0",
    f"MERGE INTO t USING range(500, 1500) s(i) ON id = i {UPSERT}",
    "ALTER TABLE t ADD COLUMN a AS [if(k = 1, NULL, k), 1, 2]::FLOAT[3]",
    "ALTER TABLE t ALTER d TYPE FLOAT[3]",
    "OPTIMIZE t",
    "CREATE OR REPLACE TABLE t AS SELECT id, k, f, d, h FROM t",
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path) as db:
        db.execute(f"CREATE TABLE t (id BIGINT, k INTEGER, {', '.join(f'{name} {of}' for name, of in TYPES.items())})")
        yield db


def test_a_null_among_the_numbers_counts_as_zero(db: lancesql.Connection) -> None:
    for statement in STATEMENTS:
        db.execute(statement)
        for column in db.sql("FROM t LIMIT 0").to_arrow().schema.names[2:]:
            held = db.sql(f"SELECT id, {column} FROM t WHERE {column} IS NOT NULL").fetchall()
            vectors = np.array([[0 if one is None else one for one in vector] for _, vector in held], np.float64)
            meant = dict(zip((row[0] for row in held), ((vectors - 1) ** 2).sum(axis=1), strict=True))
            search = f"vector_search('t', {column}, [1, 1, 1], k => 9999, exact => true)"
            found = dict(db.sql(f"SELECT id, _distance FROM {search}").fetchall())
            assert found.keys() == meant.keys(), (statement, column)
            assert np.allclose([found[row] for row in meant], list(meant.values()), rtol=1e-3), (statement, column)
