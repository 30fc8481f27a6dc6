"""A list of predicates as users write them, those that Lance answers and those it must not be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from .checks import WAYS, Database, check_predicate
from .conftest import NIGHTLY
from .test_predicate_matrix import TABLES

LINES = Path(__file__).with_name("predicates.txt").read_text(encoding="utf-8").splitlines()
GROUPS: dict[str, list[str]] = {}
for line in LINES[1:]:
    if line.startswith("# "):
        GROUPS[line.removeprefix("# ")] = []
    else:
        GROUPS[list(GROUPS)[-1]].append(line)


@pytest.mark.parametrize("group", GROUPS)
def test_rows_under_every_predicate(database: Database, group: str) -> None:
    problems: list[str] = []
    for at, where in enumerate(GROUPS[group]):
        for table in TABLES if NIGHTLY else [TABLES[at % len(TABLES)]]:
            own = where.replace("FROM t", f"FROM {table} AS t") if "SELECT" in where else where
            ways = WAYS if NIGHTLY else WAYS[at % 2 :: 2]
            problems += check_predicate(database, table, own, {}, ways=ways)
    assert not problems, f"{len(problems)} wrong\n" + "\n".join(problems)
