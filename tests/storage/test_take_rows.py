"""Rows read by their ids: in the order asked for, of every type, whatever was deleted or changed before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest

from lancesql.plan.sources import ROW_ID
from lancesql.storage.scan import open_scan, take_rows

ROWS = 1_500


def make_table() -> pa.Table:
    numbers = np.arange(ROWS)
    texts = [None if n % 7 == 0 else f"text {n}" for n in numbers]
    columns: dict[str, Any] = {
        "id": numbers,
        "text": texts,
        "large": pa.array(texts, pa.large_string()),
        "half": numbers.astype(np.float16),
        "kind": pa.array([str(n % 3) for n in numbers]).dictionary_encode(),
        "vector": pa.array(np.repeat(numbers, 2).astype(np.float32).reshape(-1, 2).tolist(), pa.list_(pa.float32(), 2)),
        "tags": [[str(n)] * (n % 3) for n in numbers],
        "place": [{"x": int(n), "names": [str(n)]} for n in numbers],
        "moment": pa.array(numbers, pa.timestamp("us", "UTC")),
        "extra": pa.array([f'{{"n": {n}}}' for n in numbers], pa.json_()),
        "blob": pa.array([str(n).encode() for n in numbers], pa.large_binary()),
    }
    table = pa.table(columns)
    at = table.schema.get_field_index("blob")
    blob = table.schema.field("blob").with_metadata({b"lance-encoding:blob": b"true"})
    return table.cast(table.schema.set(at, blob))


@pytest.mark.parametrize("stable", [False, True])
def test_rows_come_in_the_order_of_their_ids(tmp_path: Path, stable: bool) -> None:
    folder = str(tmp_path / "rows.lance")
    lance.write_dataset(
        make_table().drop_columns(["extra", "blob"]), folder, max_rows_per_file=400, enable_stable_row_ids=stable
    )
    lance.dataset(folder).delete("id % 11 = 3")
    lance.dataset(folder).update({"text": "'changed'"}, where="id % 13 = 5")
    dataset = lance.dataset(folder)
    whole = dataset.to_table(with_row_id=True)
    names = [name for name in whole.column_names if name != ROW_ID]
    random = np.random.default_rng(1)
    for count in (0, 1, 10, 999, 1_100):
        places = random.choice(whole.num_rows, count, replace=False)
        ids = whole.column(ROW_ID).to_numpy()[places].tolist()
        for columns in (names, [*reversed(names), ROW_ID], [ROW_ID], ["id"]):
            found = take_rows(dataset, ids, columns)
            assert found.column_names == columns
            wanted = whole.take(pa.array(places, pa.int64())).select(columns)
            assert found.to_pydict() == wanted.to_pydict()
            assert found.schema.types == wanted.schema.types


def test_columns_that_are_not_stored_as_their_type(tmp_path: Path) -> None:
    folder = str(tmp_path / "rows.lance")
    lance.write_dataset(make_table(), folder, data_storage_version="2.2")
    dataset = lance.dataset(folder)
    ids = [700, 3, 12]
    for column in ("extra", "blob"):
        scanned = open_scan(dataset, [column, ROW_ID], widen=False).read_all()
        wanted = [scanned.column(column).to_pylist()[place] for place in ids]
        assert take_rows(dataset, ids, [column]).column(column).to_pylist() == wanted
