"""A `?` is the one it is in the statement, whatever the order of its parts when it runs: DuckDB is the oracle."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

import lancesql

CREATE = "CREATE TABLE t (id INTEGER PRIMARY KEY, y INTEGER)"
FILL = "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)"
MERGE = """
MERGE INTO t USING (SELECT unnest([?, ?])::INTEGER AS id) AS s ON t.id = s.id AND s.id <> ?
WHEN MATCHED AND t.y = ? THEN UPDATE SET y = ?
WHEN NOT MATCHED THEN INSERT VALUES (s.id + ?, ?)
"""
STATEMENTS = [
    ("INSERT INTO t VALUES (?, ?) RETURNING id, y + ?", [10, 20, 30]),
    ("INSERT INTO t SELECT ?, ? WHERE ? = 5 RETURNING ?, y", [10, 20, 5, 40]),
    ("INSERT INTO t VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET y = ? WHERE t.y = ?", [1, 20, 30, 1]),
    ("INSERT INTO t VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET y = ? + excluded.y RETURNING y, ?", [2, 20, 30, 40]),
    ("UPDATE t SET y = ? WHERE id = ? RETURNING y + ?", [10, 2, 30]),
    ("UPDATE t SET y = ? + z FROM (SELECT ? AS k, ? AS z) AS s WHERE id = k AND y < ?", [10, 2, 30, 5]),
    ("DELETE FROM t WHERE id = ? RETURNING y * ?", [3, 10]),
    ("DELETE FROM t USING (SELECT ? AS k) AS s WHERE id = k + ? RETURNING y, ?", [1, 1, 10]),
    (MERGE, [1, 5, 9, 1, 77, 80, 90]),
]


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(("sql", "values"), STATEMENTS)
def test_parameters_stay_in_their_places(tmp_path: Path, sql: str, values: list[int], named: bool) -> None:
    ours = lancesql.connect(tmp_path)
    with duckdb.connect() as theirs, ours:
        for statement in (CREATE, FILL):
            ours.execute(statement)
            theirs.execute(statement)
        parts = sql.split("?")
        written = "".join(f"{part}{value}" for part, value in zip(parts, [*values, ""], strict=True))
        expected = theirs.execute(written).fetchall()  # DuckDB binds nothing within RETURNING
        if named:
            sql = parts[0] + "".join(f"${at}{part}" for at, part in enumerate(parts[1:], 1))
        assert ours.sql(sql, values).fetchall() == expected
        everything = "SELECT * FROM t ORDER BY ALL"
        assert ours.sql(everything).fetchall() == theirs.execute(everything).fetchall()
