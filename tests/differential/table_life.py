"""A table of Lance and DuckDB's beside it, told the same statements; every version's rows are kept."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import lance
import numpy as np
import pyarrow as pa

import lancesql

from .rows import Row, count_rows

SOURCE = (
    "CREATE TABLE src(id, k, s, v) AS VALUES (1, 10, 'one', [1, 0, 0]::FLOAT[3]), (2, NULL, 'two', NULL),"
    " (2, 20, 'two again', [0, 2, 0]), (7, 7, '', [0.5, 0.5, 0.5]), (12, 3, NULL, [3, 3, 3]), (15, 1, 'ü', [1, 1, 1]),"
    " (NULL, 9, 'lost', NULL)"
)
WORDS = ("zink", "brom", "gold", "quartz", "radium")
PREDICATES = (
    "id > 5",
    "id IN (1, 2, 30)",
    "id IS NULL",
    "id % 3 = 1",
    "k = 3",
    "k IS NULL",
    "k >= 2 AND k < 12",
    "k + id > 7",
    "coalesce(k, 0) < 2",
    "s = 'a'",
    "s LIKE 'l%'",
    "s IS DISTINCT FROM 'b'",
    "s = ''",
    "length(s) > 3",
    "s IN ('a', 'ü')",
    "x > 0",
    "NOT (x < 1)",
    "x = 'NaN'::DOUBLE",
    "x IS NOT NULL AND x <= 1.5",
    "txt LIKE '%gold%'",
    "contains(txt, 'ink')",
    "v[1] > 0.5",
    "v IS NULL",
    "id BETWEEN 3 AND 9 OR s = 'b'",
    "id NOT IN (1, 4) AND k <> 3",
    "false",
    "true",
    "id IN (SELECT id FROM src)",
    "k = (SELECT max(k) FROM src)",
)


@dataclass(frozen=True)
class Column:
    """A column as the model defines it."""

    name: str
    type: str
    required: bool = False
    default: str | None = None

    def define(self) -> str:
        required, default = " NOT NULL" if self.required else "", f" DEFAULT {self.default}" if self.default else ""
        return f"{self.name} {self.type}{default}{required}"


@dataclass(frozen=True)
class Snapshot:
    """What a version holds."""

    columns: tuple[Column, ...]
    check: str | None
    rows: pa.Table


BASE = (
    Column("id", "BIGINT"),
    Column("k", "INTEGER"),
    Column("s", "VARCHAR"),
    Column("x", "DOUBLE"),
    Column("v", "FLOAT[3]"),
    Column("txt", "VARCHAR"),
)


class TableLife:
    """The table `t` twice.

    Attributes:
        columns: Its columns now.
        versions: What is known of each version of Lance's.
        tags: Tag → version.
        branches: Branch → what it held when it began.
        indexes: Index → its column and kind.
    """

    def __init__(self, seed: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="table-life-"))
        self.random = random.Random(seed)
        self.model = duckdb.connect()
        self.engines = [duckdb.connect(), duckdb.connect()]
        for connection in (self.model, *self.engines):
            connection.execute(SOURCE)
        self.connections = [lancesql.connect(self.folder, duckdb=one) for one in self.engines]
        self.columns: tuple[Column, ...] = BASE
        self.check: str | None = None
        self.key = False
        self.versions: dict[int, Snapshot] = {}
        self.tags: dict[str, int] = {}
        self.branches: dict[str, Snapshot] = {}
        self.indexes: dict[str, tuple[str, str]] = {}

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        for engine in (self.model, *self.engines):
            engine.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def db(self) -> lancesql.Connection:
        """One of two connections: each has to notice what the other did."""
        return self.random.choice(self.connections)

    @property
    def version(self) -> int:
        return int(lance.dataset(self.folder / "t.lance").latest_version)

    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def define(self, columns: tuple[Column, ...], check: str | None, key: bool, rows: pa.Table | None = None) -> str:
        """Makes the model's table anew; the definition as Lance is told it."""
        self.columns, self.check, self.key = columns, check, key
        checked = f" CHECK ({check})" if check else ""
        defined = [column.define() + (checked if column.name == "k" else "") for column in columns]
        self.model.execute(f"CREATE OR REPLACE TABLE t ({', '.join(defined)})")
        if rows is not None:
            self.model.execute("INSERT INTO t FROM rows")
        return ", ".join(one + (" PRIMARY KEY" if key and one.startswith("id ") else "") for one in defined)

    def begin(self, definition: str) -> None:
        """A new table, whose history begins with it."""
        self.db.execute(definition)
        self.versions, self.tags, self.branches, self.indexes = {}, {}, {}, {}
        self.record()

    def change(
        self,
        statement: str,
        model: str | None = None,
        *,
        refused_when: str = "false",
        commits: int | None = 1,
        may_refuse: str = "",
    ) -> bool:
        """Tells both; whether it was carried out. Where one refuses, so does the other, and nothing is changed.

        Args:
            statement: What lancesql is told.
            model: What DuckDB is told, when that is something else; "" for what changes no row.
            refused_when: Whether lancesql refuses what DuckDB does not, asked of the model before.
            commits: How many versions it makes at most; None for any number.
            may_refuse: What an error says that DuckDB need not have.
        """
        before, held = self.version, self.read_model()
        (strict,) = self.model.execute(f"SELECT coalesce(({refused_when}), false)").fetchone() or (False,)
        expected: Any = None
        failure: Exception | None = None
        self.model.execute("BEGIN")
        try:
            if model != "":
                expected = self.model.sql(model or statement)
                expected = None if expected is None else expected.to_arrow_table()
        except duckdb.Error as error:
            failure = error
        answer, refusal = self._try(statement)
        if answer is None:
            self.model.execute("ROLLBACK")
            allowed = bool(may_refuse) and may_refuse in refusal
            assert failure is not None or strict or allowed, f"refused, and DuckDB does it: {statement}\n{refusal}"
            self._check_untouched(statement, refusal, before, held)
            return False
        if failure is not None or strict:
            raise AssertionError(f"done, and should have failed: {statement}\n{failure or refused_when}")
        self.model.execute("COMMIT")
        if expected is not None and not statement.startswith("ALTER"):
            assert count_rows(answer) == count_rows(expected), f"another answer: {statement}"
        assert commits is None or self.version - before <= commits, f"{self.version - before} versions: {statement}"
        self.record()
        return True

    def keep(self, statement: str, *, may_fail: bool = False) -> bool:
        """Tells lancesql what changes no row; whether it was carried out."""
        before = self.version
        answer, refusal = self._try(statement)
        if answer is None:
            assert may_fail, f"{statement}\n{refusal}"
            self._check_untouched(statement, refusal, before, self.read_model())
            return False
        if "outcome" in answer.schema.names:
            assert "failed" not in answer["outcome"].to_pylist(), f"{statement}\n{answer.to_pylist()}"
        for version in range(before + 1, self.version + 1):
            self.versions[version] = self.take_snapshot()
        return True

    def refuse(self, statement: str) -> None:
        """What has to fail."""
        before, held = self.version, self.read_model()
        answer, refusal = self._try(statement)
        assert answer is None, f"not refused: {statement}"
        self._check_untouched(statement, refusal, before, held)

    def _try(self, statement: str) -> tuple[pa.Table | None, str]:
        """What a statement answers, or the error's text."""
        try:
            return self.db.sql(statement).to_arrow(), ""
        except lancesql.LanceSQLError as error:
            return None, str(error)

    def _check_untouched(self, statement: str, refusal: str, version: int, held: pa.Table) -> None:
        """Nothing that fails makes a version, and nothing of ours or of Python's is seen in its error."""
        assert "__lancesql" not in refusal
        assert "Traceback" not in refusal
        assert self.version == version, f"a failure made a version: {statement}\n{refusal}"
        assert count_rows(self.db.sql("FROM t").to_arrow()) == count_rows(held), statement

    def record(self) -> None:
        self.versions[self.version] = self.take_snapshot()

    def take_snapshot(self) -> Snapshot:
        return Snapshot(self.columns, self.check, self.read_model())

    def read_model(self) -> pa.Table:
        return self.model.sql("FROM t").to_arrow_table()

    def read_indexes(self) -> dict[str, tuple[str, str]]:
        listed = self.db.sql('SELECT name, "column", type FROM (SHOW INDEXES ON t)').fetchall()
        return {name: (column, kind) for name, column, kind in listed}

    def rename_column(self, old: str, new: str) -> None:
        self.columns = tuple(replace(one, name=new) if one.name == old else one for one in self.columns)

    def forget_removed(self) -> None:
        """Versions that a clean-up removed; those with a tag, and the newest, have to be left."""
        left = {row[0] for row in self.db.sql("SELECT version FROM (SHOW VERSIONS ON t)").fetchall()}
        assert self.version in left
        assert set(self.tags.values()) <= left, "a tagged version was removed"
        self.versions = {version: held for version, held in self.versions.items() if version in left}

    # What has to hold between two statements.

    def compare(self) -> None:
        rows, held = self.db.sql("FROM t").to_arrow(), self.read_model()
        assert rows.schema.names == self.names()
        assert count_rows(rows) == count_rows(held)
        self._compare_counts()
        self._compare_old_version()
        self._compare_nearest()
        self._compare_words()
        ids = self.db.sql("SELECT _rowid FROM t").to_arrow()["_rowid"].to_pylist()
        assert len(set(ids)) == len(ids)

    def _compare_counts(self) -> None:
        for predicate in self.random.sample(PREDICATES, 2):
            sql = f"SELECT count(*) FROM t WHERE {predicate}"
            assert self.db.sql(sql).fetchall() == self.model.sql(sql).fetchall(), sql
        predicate, column = self.random.choice(PREDICATES), self.random.choice(self.names())
        sql = f"SELECT id, {column} FROM t WHERE {predicate}"
        found, wanted = self.db.sql(sql).to_arrow(), self.model.sql(sql).to_arrow_table()
        assert count_rows(found) == count_rows(wanted), sql

    def _compare_old_version(self) -> None:
        version = self.random.choice(sorted(self.versions))
        self._compare_snapshot(f"VERSION => {version}", self.versions[version])
        if self.tags:
            tag = self.random.choice(sorted(self.tags))
            self._compare_snapshot(f"TAG => '{tag}'", self.versions[self.tags[tag]])
        if self.branches:
            branch = self.random.choice(sorted(self.branches))
            self._compare_snapshot(f"BRANCH => '{branch}'", self.branches[branch])

    def _compare_snapshot(self, place: str, held: Snapshot) -> None:
        rows = self.db.sql(f"FROM t AT ({place})").to_arrow()
        assert rows.schema.names == held.rows.schema.names, place
        assert count_rows(rows) == count_rows(held.rows), place

    def _compare_nearest(self) -> None:
        query = [self.random.choice((0.0, 1.0, 2.5)) for _ in range(3)]
        flat = any(kind == "IVF_FLAT" for _, kind in self.indexes.values())
        how = "nprobes => 100" if flat and self.random.random() < 0.5 else "exact => true"
        for condition in ("", f" WHERE {self.random.choice(PREDICATES)}"):
            held = self.model.sql(f"SELECT id, v FROM t{condition}").to_arrow_table()
            given = [(row["id"], row["v"]) for row in held.to_pylist() if row["v"] is not None]
            meant = sorted(((id_, _measure(vector, query)) for id_, vector in given), key=lambda row: row[1])
            sql = f"SELECT id, _distance FROM vector_search('t', v, $q, k => 4, {how}){condition}"
            found = self.db.sql(sql, {"q": query}).fetchall()
            assert len(found) == min(4, len(meant)), (sql, query, found, meant[:6])
            distances = [one for _, one in meant[: len(found)]]
            assert np.allclose([one for _, one in found], distances, rtol=1e-5, atol=1e-6), (sql, found, meant[:6])
            if found:
                last = distances[-1] * (1 - 1e-5) - 1e-6
                near = Counter(row[0] for row in found if row[1] < last)
                assert near == Counter(row[0] for row in meant if row[1] < last), (sql, query, found, meant[:6])

    def _compare_words(self) -> None:
        word = self.random.choice(WORDS)
        for condition in ("", f" WHERE {self.random.choice(PREDICATES)}"):
            texts = self.model.sql(f"SELECT id, txt FROM t{condition}").fetchall()
            wanted = Counter(id_ for id_, text in texts if text is not None and word in text.split())
            sql = f"SELECT id FROM fts('t', txt, '{word}'){condition}"
            assert Counter(row[0] for row in self.db.sql(sql).fetchall()) == wanted, sql


def _measure(vector: list[float | None], query: list[float]) -> float:
    """A NULL among the numbers counts as zero."""
    numbers = [0 if one is None else one for one in vector]
    return float(((np.array(numbers, np.float32) - np.array(query, np.float32)) ** 2).sum())


def show_rows(table: pa.Table) -> list[Row]:
    """For a look at a failure."""
    return sorted(count_rows(table), key=repr)
