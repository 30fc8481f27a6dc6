"""Lance's own rows under the filter text of a predicate: those of DuckDB in memory, whatever index answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import DIFFERENTIAL, NIGHTLY, scaled
from .copies import Copies
from .predicates import CONSTANTS, Where, wheres
from .tables import COLUMNS, Column
from .test_predicate_matrix import write_predicates

ZONES = ("UTC", "America/New_York")


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    held = Copies(tmp_path_factory.mktemp("copies"))
    yield held
    held.close()


REFUSED = {"tags", "nums", "reals", "llist", "st", "fsb", "dur"}
"""Columns whose values are compared as wholes, or as Lance does not."""


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_every_operator_on_every_type(copies: Copies, column: Column) -> None:
    copies.restart()
    problems = [
        problem
        for turn, (where, parameters) in enumerate(write_predicates(column))
        if (problem := copies.check(where, parameters, turn=turn, every=NIGHTLY))
    ]
    assert not problems, f"{len(problems)} wrong\n" + "\n".join(problems[:12])
    copies.expect_pushed(0.0 if column.name in REFUSED else 0.8)


@pytest.mark.parametrize("zone", ZONES)
def test_computed_values(copies: Copies, zone: str) -> None:
    copies.restart(zone)
    problems = [
        problem
        for turn, where in enumerate(CONSTANTS)
        for form in ("{}", "NOT ({})", "({}) IS NOT TRUE", "({}) IS NULL")
        if (problem := copies.check(form.format(where), {}, turn=turn, every=NIGHTLY))
    ]
    assert not problems, f"{len(problems)} wrong\n" + "\n".join(problems[:12])
    copies.expect_pushed(0.85)


def test_any_predicate(copies: Copies) -> None:
    copies.restart()

    @settings(DIFFERENTIAL, max_examples=scaled(1000))
    @given(where=wheres(depth=1), turn=st.integers(0, 8))
    def check(where: Where, turn: int) -> None:
        problem = copies.check(where.sql.replace("@t", "t"), where.parameters, turn=turn)
        assert problem is None, problem

    check()
    assert copies.pushed + sum(copies.left.values()) >= scaled(900)
    copies.expect_pushed(0.6)
