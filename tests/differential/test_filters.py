"""Lance's own rows under the filter text of a predicate: those of DuckDB in memory, whatever index answers."""

from __future__ import annotations

from collections.abc import Iterator

import lance
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql

from .checks import Database, check_predicate
from .conftest import DIFFERENTIAL, NIGHTLY, scaled
from .copies import Copies
from .oracle import Failure, Oracle
from .predicates import CONSTANTS, Where, wheres
from .tables import COLUMNS, Column, make_table
from .test_predicate_matrix import write_predicates

ZONES = ("UTC", "America/New_York")


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    held = Copies(tmp_path_factory.mktemp("copies"))
    yield held
    held.close()


@pytest.fixture(scope="module")
def zoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    root = tmp_path_factory.mktemp("zoned")
    dataset = lance.write_dataset(make_table(3, 60), root / "zoned.lance", max_rows_per_file=20)
    for column, index in (("st", "ZONEMAP"), ("dict", "ZONEMAP"), ("txt", "INVERTED")):
        dataset.create_scalar_index(column, index)
    oracle = Oracle(lance.dataset(root / "zoned.lance"), "zoned")
    with lancesql.connect(root) as connection:
        yield Database(connection, {"zoned": oracle})
    oracle.close()


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


FLAWED = (
    "st.a IS NULL",
    "st.n.s IS NOT NULL",
    "st.n IS NULL",
    "dict LIKE 'r%'",
    "NOT starts_with(dict, 'r')",
    "st.a = 1",
)


@pytest.mark.parametrize("where", FLAWED)
def test_zonemaps_that_answer_wrongly_are_gone_around(copies: Copies, where: str) -> None:
    assert copies.check(where, {}, every=True) is None


@pytest.mark.parametrize("where", FLAWED)
def test_searches_go_around_zonemaps_too(zoned: Database, where: str) -> None:
    assert not check_predicate(zoned, "zoned", where, {})
    wanted = zoned.oracles["zoned"].find_ids(f"regexp_matches(txt, '\\bquick\\b') AND {where}")
    found = zoned.query(f"SELECT _rowid FROM fts('zoned', 'txt', 'quick') t WHERE {where}")
    assert not isinstance(wanted, Failure)
    assert not isinstance(found, Failure)
    assert sorted(found.column(0).to_pylist()) == sorted(wanted)
