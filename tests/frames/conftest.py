"""The database of films, copied where a test may write, and one table of every type."""

from __future__ import annotations

import shutil
from pathlib import Path

import lance
import pyarrow as pa
import pytest

import lancesql
from tests.differential.tables import COLUMNS, make_table


@pytest.fixture(scope="session")
def edges() -> pa.Table:
    return make_table(11, 300).select(["id", *[column.name for column in COLUMNS]])


@pytest.fixture(scope="session")
def edge_db(edges: pa.Table, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("edges")
    lance.write_dataset(edges, str(folder / "edges.lance"), max_rows_per_file=120)
    with lancesql.connect(folder) as db:
        yield db


@pytest.fixture
def films(library: Path):
    with lancesql.connect(library) as db:
        yield db


@pytest.fixture
def own_films(library: Path, tmp_path: Path):
    shutil.copytree(library, tmp_path / "films")
    with lancesql.connect(tmp_path / "films") as db:
        yield db
