"""DIFF TABLE says what a comparison of both versions, row by row, says."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import lance
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql

from .conftest import DIFFERENTIAL, scaled

CHANGES = (
    "INSERT INTO t SELECT id + 1000, 'copy of ' || name, vector FROM t WHERE id % 4 = 1 AND id < 1000",
    "UPDATE t SET name = name || '!' WHERE id % 3 = 0",
    "UPDATE t SET name = name WHERE id % 2 = 0",
    "UPDATE t SET vector = [id, 0]::FLOAT[2], name = NULL WHERE id % 5 = 2",
    "DELETE FROM t WHERE id % 6 = 4",
    "DELETE FROM t WHERE id > 1000",
    (
        "MERGE INTO t USING (VALUES (3, 'three'), (77, 'new')) s(id, name) USING (id)"
        " WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT BY NAME"
    ),
    "RESTORE TABLE t TO VERSION 1",
    "compact",
)


def read_version(path: Path, version: int) -> dict[int, tuple[Any, ...]]:
    table = lance.dataset(path, version=version).to_table(columns=["id", "name", "vector"], with_row_id=True)
    return {row.pop("_rowid"): tuple(map(repr, row.values())) for row in table.to_pylist()}


@settings(DIFFERENTIAL, max_examples=scaled(12))
@given(changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=5), data=st.data())
def test_difference(tmp_path_factory: Any, changes: list[str], data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("versions")
    path = folder / "t.lance"
    with lancesql.connect(folder) as db:
        db.execute(
            "CREATE TABLE t AS SELECT i AS id, 'name ' || i AS name, [i, 1]::FLOAT[2] AS vector FROM range(20) r(i)"
        )
        db.execute("INSERT INTO t SELECT id + 100, name, vector FROM t")
        for change in changes:
            if change == "compact":
                lance.dataset(path).optimize.compact_files()
            else:
                db.execute(change)
        newest = lance.dataset(path).latest_version
        older = data.draw(st.integers(1, newest))
        newer = data.draw(st.integers(1, newest))
        before, after = read_version(path, older), read_version(path, newer)
        expected = {
            row: (
                "insert" if row not in before else "delete" if row not in after else "update",
                after.get(row) or before[row],
            )
            for row in before.keys() | after.keys()
            if before.get(row) != after.get(row)
        }
        answer = db.sql(f"DIFF TABLE t BETWEEN VERSION {older} AND {newer}").to_arrow()
        rows = {
            row["_rowid"]: (row["change"], tuple(repr(row[name]) for name in ("id", "name", "vector")))
            for row in answer.to_pylist()
        }
        assert len(rows) == answer.num_rows
        assert rows == expected
        assert len(db.sql("SHOW VERSIONS ON t").fetchall()) == newest


def test_a_difference_over_another_type(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute(
            "CREATE TABLE t AS SELECT i AS id, i AS n, [i, 1]::FLOAT[2] AS v, DATE '2026-01-01' + i::INT AS d "
            "FROM range(4) r(i)"
        )
        for change in ("n TYPE VARCHAR", "v TYPE DOUBLE[2]", "d TYPE TIMESTAMP"):
            db.execute(f"ALTER TABLE t ALTER {change}")
        assert db.sql("DIFF TABLE t SINCE VERSION 1").fetchall() == []
        db.execute("UPDATE t SET n = 'many' WHERE id = 0")
        db.execute("DELETE FROM t WHERE id = 3")
        newest = db.sql("SHOW VERSIONS ON t").fetchall()[0][0]
        gone, noon = datetime(2026, 1, 4), datetime(2026, 1, 1)
        assert db.sql("DIFF TABLE t SINCE VERSION 1").fetchall() == [
            ("update", 0, 0, "many", (0.0, 1.0), noon),
            ("delete", 3, 3, "3", (3.0, 1.0), gone),
        ]
        assert db.sql(f"DIFF TABLE t BETWEEN VERSION {newest} AND 1").fetchall() == [
            ("update", 0, 0, 0, (0.0, 1.0), noon.date()),
            ("insert", 3, 3, 3, (3.0, 1.0), gone.date()),
        ]
        db.execute("CREATE OR REPLACE TABLE t AS SELECT {'a': 1} AS s, 7 AS id")
        db.execute("CREATE OR REPLACE TABLE t AS SELECT {'b': 1} AS s, 'x' AS id")
        changes = db.sql(f"DIFF TABLE t SINCE VERSION {newest + 1}").fetchall()
        assert [(row[0], *row[2:]) for row in changes] == [("delete", None, "7"), ("insert", {"b": 1}, "x")]
