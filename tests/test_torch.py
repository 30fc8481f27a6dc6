"""Tensors, and datasets that a DataLoader reads, when PyTorch is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

import lancesql
from lancesql.torch import QueryDataset

torch = pytest.importorskip("torch")
from torch.utils.data import DataLoader  # noqa: E402

ROWS = "SELECT id, [id, id / 2]::FLOAT[2] AS vector, 'film ' || id AS title FROM films"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    with lancesql.connect(folder) as db:
        db.execute("CREATE TABLE films AS SELECT i AS id FROM range(2500) AS t(i)")
    return folder


def test_tensors(films: Path) -> None:
    with lancesql.connect(films) as db:
        found = db.sql(f"{ROWS} ORDER BY id LIMIT 3").to_torch()
    assert torch.equal(found["vector"], torch.tensor([[0, 0], [1, 0.5], [2, 1]]))
    assert found["id"].dtype == torch.int64
    assert found["title"] == ["film 0", "film 1", "film 2"]
    found["vector"] += 1  # it is its own


def test_batches(films: Path) -> None:
    dataset = QueryDataset(films, f"{ROWS} ORDER BY id", batch_size=1000)
    for _ in range(2):  # each pass reads anew
        batches = list(DataLoader(dataset, batch_size=None))
        assert [len(batch["id"]) for batch in batches] == [1000, 1000, 500]
        assert torch.equal(torch.cat([batch["id"] for batch in batches]), torch.arange(2500))
        assert batches[2]["title"][-1] == "film 2499"


def test_single_rows_are_batched_by_the_loader(films: Path) -> None:
    with lancesql.connect(films) as db:
        dataset = QueryDataset(db, f"{ROWS} WHERE id < $n ORDER BY id", {"n": 5}, batch_size=None)
        batches = list(DataLoader(dataset, batch_size=2))
        assert [batch["id"].tolist() for batch in batches] == [[0, 1], [2, 3], [4]]
        dataset.parameters["n"] = 2
        assert [row["title"] for row in dataset] == ["film 0", "film 1"]


def test_workers_divide_the_query(films: Path) -> None:
    dataset = QueryDataset(films, "SELECT id FROM films WHERE id % $workers = $worker", batch_size=700)
    loader = DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context="spawn")
    assert sorted(torch.cat([batch["id"] for batch in loader]).tolist()) == list(range(2500))


def test_a_query_that_is_not_divided_has_one_worker(films: Path) -> None:
    loader = DataLoader(QueryDataset(films, ROWS), batch_size=None, num_workers=2, multiprocessing_context="spawn")
    with pytest.raises(lancesql.ArgumentError, match=r"divide it among them: WHERE id % \$workers = \$worker"):
        list(loader)


def test_a_null_among_integers_is_an_error(films: Path) -> None:
    with pytest.raises(lancesql.ExecutionError, match="coalesce"):
        list(QueryDataset(films, "SELECT nullif(id, 3) AS id FROM films"))


def test_a_batch_has_rows(films: Path) -> None:
    with pytest.raises(lancesql.ArgumentError, match="batch_size is 0"):
        QueryDataset(films, ROWS, batch_size=0)
