"""End to end: every file of statements and rows, each with a connection and a copy of the tables of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.library import open_library
from tests.slt.runner import run_file

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("path", sorted(HERE.rglob("*.slt")), ids=lambda path: str(path.relative_to(HERE)))
def test_slt(path: Path, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complete: bool) -> None:
    shutil.copytree(library, tmp_path / "films")
    monkeypatch.chdir(tmp_path)
    with open_library(tmp_path / "films") as db:
        run_file(path, db, complete=complete)
