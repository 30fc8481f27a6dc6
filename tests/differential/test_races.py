"""Two processes that write the same table lose nothing and write nothing twice."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

import lancesql

from .conftest import NIGHTLY

ROUNDS = 50 if NIGHTLY else 12
"""Four statements a round."""


def write(folder: str, number: int, rounds: int) -> None:
    first = 1000 * number
    with lancesql.connect(folder) as db:
        for one in range(rounds):
            row = first + one
            db.execute("UPDATE t SET x = x + 1 WHERE id = 1")
            db.execute("INSERT INTO t VALUES ($id, 0)", {"id": row})
            db.execute(
                "MERGE INTO t USING (SELECT $id AS id, 5 AS x UNION ALL SELECT 2, 1) s USING (id)"
                " WHEN MATCHED THEN UPDATE SET x = t.x + s.x WHEN NOT MATCHED THEN INSERT BY NAME",
                {"id": row},
            )
            if one % 3 == 0:
                db.execute("DELETE FROM t WHERE id = $id", {"id": row})


def test_nothing_is_lost_and_nothing_is_written_twice(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT i AS id, 0 AS x FROM range(4) r(i)")
        context = multiprocessing.get_context("spawn")
        writers = [context.Process(target=write, args=(str(tmp_path), number, ROUNDS)) for number in (1, 2)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert [writer.exitcode for writer in writers] == [0, 0]
        kept = ROUNDS - len(range(0, ROUNDS, 3))
        assert db.sql("SELECT id, x FROM t WHERE id < 4 ORDER BY id").fetchall() == [
            (0, 0),
            (1, 2 * ROUNDS),
            (2, 2 * ROUNDS),
            (3, 0),
        ]
        written = db.sql("SELECT id, x FROM t WHERE id >= 4 ORDER BY id").fetchall()
        assert written == [(1000 * n + one, 5) for n in (1, 2) for one in range(ROUNDS) if one % 3]
        assert len(written) == 2 * kept


def test_a_conflict_is_an_error_of_ours_when_every_attempt_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lancesql.execution.retries._ATTEMPTS", 1)
    with lancesql.connect(tmp_path) as db, lancesql.connect(tmp_path) as other:
        db.execute("CREATE TABLE t AS SELECT i AS id, 0 AS x FROM range(4) r(i)")
        seen = []

        def interfere(value: int) -> int:
            if not seen:
                seen.append(other.sql("UPDATE t SET x = 9").fetchall())
            return value

        db._engine.connection.create_function("interfere", interfere, ["BIGINT"], "BIGINT")
        with pytest.raises(lancesql.ConflictError, match="changed by somebody else"):
            db.execute("UPDATE t SET x = interfere(id)")
        assert seen == [[(4,)]]
        assert db.sql("SELECT DISTINCT x FROM t").fetchall() == [(9,)]
