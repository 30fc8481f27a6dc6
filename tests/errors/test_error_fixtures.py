"""Statements that fail, and every character of what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lancesql
from lancesql import LanceSQLError
from tests.fixture_files import Case, check_file, list_files
from tests.library import open_library


@pytest.fixture(scope="module")
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as db:
        yield db


@pytest.mark.parametrize("path", list_files("errors"), ids=lambda path: path.stem)
def test_errors(path: Path, db: lancesql.Connection, library: Path, complete: bool) -> None:
    def render(case: Case) -> str:
        try:
            answer = db.sql(case.text, case.parameters).to_arrow()
        except LanceSQLError as error:
            foreign = error.__cause__ or (error.__context__ if not error.__suppress_context__ else None)
            note = f"\n\nbehind it: {foreign!r}" if foreign is not None else ""
            return f"{type(error).__name__}: {error}{note}".replace(str(library), "<library>")
        return f"no error: {answer.to_pylist()}"

    check_file(path, render, complete=complete)
