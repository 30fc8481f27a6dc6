"""What several test folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets; tests that ask for it are skipped where it is absent."""
    given = os.environ.get("LANCESQL_TEST_DATA")
    path = Path(given) if given else ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip(f"no data at {path}; set LANCESQL_TEST_DATA")
    return path


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--complete", action="store_true", help="write what came out into the fixture files")


@pytest.fixture(scope="session")
def complete(request: pytest.FixtureRequest) -> bool:
    """Whether expected blocks are written instead of compared."""
    return bool(request.config.getoption("--complete"))


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small database of films; not to be written to."""
    from tests.library import build_library

    folder = tmp_path_factory.mktemp("library") / "films"
    folder.mkdir()
    build_library(folder)
    return folder
