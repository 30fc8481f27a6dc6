"""Checks come and go while columns are added, renamed and dropped; what each row may be, DuckDB says of its values."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

import lancesql
from lancesql.errors import ConstraintError

from .conftest import NIGHTLY

ONE = ("{0} >= -2", "{0} < 8", "{0} <> 3", "{0} + 1 <= 9", "{0} IS NOT NULL OR 1 = 1")
TWO = ("{0} <> {1}", "{0} + {1} < 14", "{0} > 0 OR {1} > 0")
NAMES = "abcdef"


@dataclass
class Life:
    """A table as it has to be: its columns by a number for each, and the checks on them."""

    db: lancesql.Connection
    choose: random.Random
    columns: dict[int, str] = field(default_factory=lambda: {0: "a", 1: "b"})
    checks: list[tuple[str, list[int], str]] = field(default_factory=list)
    made: int = 2

    def add_check(self) -> None:
        numbers = self.choose.sample(list(self.columns), self.choose.randint(1, min(2, len(self.columns))))
        form = self.choose.choice(ONE if len(numbers) == 1 else TWO)
        predicate = form.format(*(f'"{self.columns[number]}"' for number in numbers))
        broken = self.db.sql(f"SELECT count(*) FROM (SELECT * FROM t) WHERE NOT ({predicate})").fetchall()[0][0]
        self.made += 1
        name = f"c{self.made}"
        try:
            self.db.execute(f"ALTER TABLE t ADD CONSTRAINT {name} CHECK ({predicate})")
            assert broken == 0
            self.checks.append((name, numbers, form))
        except ConstraintError:
            assert broken > 0

    def drop_check(self) -> None:
        if self.checks:
            self.db.execute(
                f"ALTER TABLE t DROP CONSTRAINT {self.checks.pop(self.choose.randrange(len(self.checks)))[0]}"
            )

    def rename(self) -> None:
        number, new = self.choose.choice(list(self.columns)), self.choose.choice(NAMES)
        if new not in self.columns.values():
            self.db.execute(f"ALTER TABLE t RENAME {self.columns[number]} TO {new}")
            self.columns[number] = new

    def add_column(self) -> None:
        new, default = self.choose.choice(NAMES), self.choose.choice(["", " DEFAULT 1", " DEFAULT 5"])
        if new in self.columns.values() or len(self.columns) == 5:
            return
        self.made += 1
        name, has_check = f"c{self.made}", self.choose.random() < 0.5
        check = f" CONSTRAINT {name} CHECK ({new} < 7)" if has_check else ""
        self.db.execute(f"ALTER TABLE t ADD COLUMN {new} INTEGER{default}{check}")
        self.columns[self.made] = new
        if has_check:
            self.checks.append((name, [self.made], "{0} < 7"))

    def drop_column(self) -> None:
        if len(self.columns) > 1:
            number = self.choose.choice(list(self.columns))
            self.db.execute(f"ALTER TABLE t DROP COLUMN {self.columns.pop(number)} CASCADE")
            self.checks = [one for one in self.checks if number not in one[1]]

    def insert(self) -> None:
        row = {number: self.choose.choice(["NULL::INTEGER", *map(str, range(-4, 10))]) for number in self.columns}
        asked = [form.format(*(f"({row[number]})" for number in numbers)) for _, numbers, form in self.checks]
        kept = [duckdb.sql(f"SELECT {predicate}").fetchall()[0][0] for predicate in asked]
        before = self.db.sql("SELECT count(*) FROM t").fetchall()[0][0]
        statement = f"INSERT INTO t ({', '.join(self.columns.values())}) VALUES ({', '.join(row.values())})"
        if False in kept:
            broken = [name for (name, _, _), is_kept in zip(self.checks, kept, strict=True) if is_kept is False]
            with pytest.raises(ConstraintError, match=rf"\(({'|'.join(broken)})\)"):
                self.db.execute(statement)
        else:
            self.db.execute(statement)
        assert self.db.sql("SELECT count(*) FROM t").fetchall() == [(before + (False not in kept),)]


@pytest.mark.parametrize("seed", range(100 if NIGHTLY else 6))
def test_what_rows_may_be(seed: int, tmp_path: Path) -> None:
    choose = random.Random(seed)
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t (a INTEGER, b INTEGER)")
        life = Life(db, choose)
        acts = [life.insert] * 8 + [life.add_check] * 5 + [life.rename] * 3 + [life.add_column, life.drop_column] * 2
        for _ in range(50):
            choose.choice([*acts, life.drop_check])()
