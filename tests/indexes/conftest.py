"""A small table with a column for every kind of index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lancesql

ROWS = 400


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path / "db") as db:
        fill(db)
        yield db


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    """For tests that change nothing, or nothing that another one asks for."""
    with lancesql.connect(tmp_path_factory.mktemp("indexes") / "db") as db:
        fill(db)
        yield db


def fill(db: lancesql.Connection) -> None:
    db.execute(
        f"""CREATE TABLE docs AS SELECT i AS id, i % 7 AS few, i % 2 = 0 AS flag, 'name ' || i AS name,
        'the quick fox number ' || (i % 9) || ' jumps' AS body, ['even', 'odd'][1 + i % 2:1 + i % 2] AS tags,
        DATE '2024-01-01' + (i % 50)::INTEGER AS day, [sin(i), cos(i), i / 400, 1, 0, 1, 2, 3]::FLOAT[8] AS vec,
        [i % 256, i % 5, 7, 0]::UTINYINT[4] AS bits FROM range({ROWS}) r(i)"""
    )
    db.execute("CREATE TABLE halves WITH (float16 = vec) AS SELECT id, vec FROM docs")


def look(db: lancesql.Connection) -> object:
    """Everything a statement that fails has to leave as it was."""
    indexes = db.sql("SELECT * EXCLUDE (age) FROM (SHOW INDEXES) ORDER BY ALL").fetchall()
    versions = [db.sql(f"SELECT count(*) FROM (SHOW VERSIONS ON {name})").fetchall() for name in ("docs", "halves")]
    return indexes, versions, db.sql("SELECT * FROM docs ORDER BY id").to_arrow()
