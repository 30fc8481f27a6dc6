"""Ranking quality on judged collections, searched in plain SQL over an index with its defaults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lancesql
from benchmarks.relevance import (
    BARS,
    SEARCHES,
    Collection,
    build_collection,
    is_reached,
    measure_search,
    read_collection,
)

from .conftest import find_folder

VECTOR = {"scifact": 0.6451, "cranfield": 0.374}
"""What brute force over the vectors gives, published or computed."""

Judged = tuple[lancesql.Connection, Collection]


@pytest.fixture(scope="module", params=["scifact", "cranfield"])
def judged(
    request: pytest.FixtureRequest, data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Judged]:
    collection = read_collection(find_folder(data_dir, request.param).parent, request.param)
    with lancesql.connect(tmp_path_factory.mktemp("relevance")) as db:
        build_collection(db, collection)
        yield db, collection


def test_exact_vector_search(judged: Judged) -> None:
    db, collection = judged
    assert measure_search(db, collection, SEARCHES["vector"]) == pytest.approx(VECTOR[collection.name], abs=0.0005)


@pytest.mark.parametrize("search", ["fts", "hybrid"])
def test_the_bars(judged: Judged, search: str) -> None:
    db, collection = judged
    measured = measure_search(db, collection, SEARCHES[search])
    assert is_reached(measured, BARS[collection.name, search]), measured
