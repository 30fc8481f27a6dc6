"""A small database, made by the command line's own library."""

from pathlib import Path

import pyarrow as pa
import pytest

import lancesql

TITLES = ("Alien", "Aliens", "Brazil", "Casablanca", "Duel")


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "films"
    films = pa.table(
        {
            "id": pa.array(range(5), pa.int64()),
            "title": TITLES,
            "year": pa.array([1979, 1986, 1985, 1942, 1971], pa.int32()),
            "plot": ["a monster in space", "more monsters", "a form is lost", "a bar in a war", "a truck"],
            "vector": pa.array([[float(n), 1.0] for n in range(5)], pa.list_(pa.float32(), 2)),
        }
    )
    with lancesql.connect(folder) as db:
        db.register("rows", films)
        db.execute("CREATE TABLE films AS SELECT * FROM rows")
        db.execute("CREATE INDEX ON films (plot) USING FTS")
    return folder
