"""Each rule alone: statements and the plans it makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lancesql
from lancesql.optimizer import RULES
from tests.fixture_files import Case, check_file, list_files
from tests.library import open_library
from tests.planning import render_plan

BY_NAME = {rule.__name__: rule for rule in RULES}


@pytest.fixture(scope="module")
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as db:
        yield db


@pytest.mark.parametrize("path", list_files("optimizer"), ids=lambda path: path.stem)
def test_rule(path: Path, db: lancesql.Connection, complete: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lancesql.optimizer.choose_deferral._ASK_TWICE", 0.0)  # the tables of the fixtures are small

    def render(case: Case) -> str:
        names = case.options.get("rules", path.stem).split(", ")
        return render_plan(db, case.text, tuple(BY_NAME[name] for name in names))

    check_file(path, render, complete=complete)


def test_every_rule_has_a_file() -> None:
    assert {path.stem for path in list_files("optimizer")} == set(BY_NAME)
