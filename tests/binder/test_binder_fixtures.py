"""Statements and the plans the binder makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lancesql
from tests.fixture_files import check_file, list_files
from tests.library import open_library
from tests.planning import render_plan


@pytest.fixture(scope="module")
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as db:
        yield db


@pytest.mark.parametrize("path", list_files("binder"), ids=lambda path: path.stem)
def test_binder(path: Path, db: lancesql.Connection, complete: bool) -> None:
    check_file(path, lambda case: render_plan(db, case.text), complete=complete)
