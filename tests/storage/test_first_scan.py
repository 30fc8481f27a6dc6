"""A scan of which only the first rows are likely to be read."""

from __future__ import annotations

import threading

import lance
import pyarrow as pa
import pytest

from lancesql.storage.scan import open_first_scan, open_scan

ROWS = 25_000


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> lance.LanceDataset:
    folder = tmp_path_factory.mktemp("first")
    table = pa.table({"id": range(ROWS), "text": [f"{number:0500}" for number in range(ROWS)]})
    made = lance.write_dataset(table, folder / "rows.lance", max_rows_per_file=6_000)
    made.delete("id % 1000 = 7")
    return made


@pytest.mark.parametrize("limit", [None, 0, 1, 255, 256, 257, 1_024, 3_072, 19_456, 19_457, 24_974, 24_975, 30_000])
@pytest.mark.parametrize("filter", [None, "id % 3 = 1", "id < 256", "id > 24990", "false"])
def test_the_same_rows_in_the_same_order(dataset: lance.LanceDataset, limit: int | None, filter: str | None) -> None:
    given = {"columns": ["text", "_rowid", "id"], "limit": limit, "filter": filter}
    whole = open_scan(dataset, **given).read_all()
    assert open_first_scan(dataset, left=threading.Event(), **given).read_all().equals(whole)


def test_the_first_rows_alone_are_read(dataset: lance.LanceDataset) -> None:
    before = lance.bytes_read_counter()
    left = threading.Event()
    reader = open_first_scan(dataset, ["id", "text"], left=left)
    assert reader.read_next_batch().num_rows == 256
    left.set()
    assert reader.read_all().num_rows == 0
    assert lance.bytes_read_counter() - before < 2_000_000
