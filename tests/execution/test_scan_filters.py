# ruff: noqa: E501  # one case a line
"""Small sides read first: which keys are pushed, how, and what is then read."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import lancesql
from lancesql.storage.scan import open_scan

ROWS = 200_000
TEXT = "the text of number {}, as long as it has to be"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    folder = tmp_path_factory.mktemp("small_sides")
    order = np.random.default_rng(5).permutation(ROWS)
    table = pa.table(
        {
            "id": order,
            "part": (order % 10).astype(np.int32),
            "text": [TEXT.format(number) for number in order],
        }
    )
    lance.write_dataset(table, str(folder / "docs.lance"))
    lance.write_dataset(table.filter(pc.less(table["id"], 100)), str(folder / "notes.lance"))
    with lancesql.connect(folder) as db:
        db.execute("CREATE TEMP TABLE few AS SELECT i * 1000 AS key, i % 3 AS kind FROM range(30) r(i)")
        db.execute("CREATE TEMP TABLE many AS SELECT i * 90 AS key FROM range(2_200) r(i)")
        db.execute("CREATE TEMP TABLE more AS SELECT i AS key FROM range(150_000) r(i)")
        db.execute("CREATE VIEW chance AS SELECT key FROM many ORDER BY random() LIMIT 10")
        yield db


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every small side is looked at, whatever the scan costs; what follows is decided as ever."""
    monkeypatch.setattr("lancesql.execution.filters.scans._PROBE", 0.0)
    monkeypatch.setattr("lancesql.execution.filters.scans._WORTH_TRYING", 1.0)


def explain_keys(db: lancesql.Connection, sql: str) -> str:
    (line,) = [line for line in db.explain(sql).split("\n") if line.startswith("  keys ")]
    return line.removeprefix("  keys       ")


@pytest.mark.parametrize(
    ("joined", "said"),
    [
        ("JOIN few k ON k.key = d.id", "of k.key: 30 pushed as IN on id"),
        ("JOIN few k ON k.key = d.id WHERE k.kind = 1", "of k.key: 10 pushed as IN on id"),
        ("JOIN many k ON k.key = d.id", "of k.key: 2,200 pushed as row ids: 2,200 rows"),
        ("SEMI JOIN (SELECT key FROM few) k ON k.key = d.id", "of k.key: 30 pushed as IN on id"),
        ("WHERE d.id IN (SELECT key FROM few WHERE kind > 7)", "of (SELECT key FROM few WHERE kind > 7): 0 pushed as row ids: 0 rows"),
        ("JOIN more k ON k.key = d.id", "of k.key: not pushed: it is not small beside the table"),
        ("JOIN (VALUES (1), (2)) k(id) USING (id)", "of k.id: 2 pushed as IN on id"),
        ("JOIN chance k ON k.key = d.id", "of k.key: not pushed: TOP_N might answer differently when it is asked twice"),
        ("JOIN (SELECT any_value(key) AS key FROM many GROUP BY key % 5) k ON k.key = d.id",
         "of k.key: not pushed: any_value() might answer differently when it is asked twice"),
        ("JOIN (SELECT key::DOUBLE AS key FROM few) k ON k.key = d.id",
         "of k.key: not pushed: its keys are DOUBLE, the column is BIGINT"),
        ("JOIN (SELECT d.id AS key) k ON k.key = d.id", None),
        ("LEFT JOIN few k ON k.key = d.id", None),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("eager")
def test_what_becomes_of_the_keys(db: lancesql.Connection, joined: str, said: str | None) -> None:
    sql = f"SELECT d.id, length(d.text) AS letters FROM docs d {joined}"
    if said is None:
        assert "  keys " not in db.explain(sql)
    else:
        assert explain_keys(db, sql) == said


def test_an_object_that_can_be_read_once_is_read_once(db: lancesql.Connection) -> None:
    once = pa.table({"key": [1, 2, 3]}).to_reader()
    assert once.schema.names == ["key"]
    rows = db.sql("SELECT d.id FROM docs d JOIN once o ON o.key = d.id AND d.text IS NOT NULL").fetchall()
    assert sorted(rows) == [(1,), (2,), (3,)]


@pytest.mark.usefixtures("eager")
def test_rows_without_a_partner_are_not_read(db: lancesql.Connection) -> None:
    sql = "SELECT sum(length(d.text)) AS letters FROM docs d JOIN few k ON k.key = d.id"
    read = db.explain(sql, analyze=True)
    assert "\n  rows       30\n" in read
    (table,) = {source.table for source in db._plan(sql, lancesql.engines.duckdb.Namespace(None)).sources}
    dataset = db._database.open_dataset(table)
    dataset.io_stats_incremental()
    assert db.sql(sql).fetchall() == [(sum(len(TEXT.format(number * 1000)) for number in range(30)),)]
    narrowed = dataset.io_stats_incremental().read_bytes
    db.sql("SELECT sum(length(d.text)) AS letters FROM docs d").fetchall()
    assert narrowed < dataset.io_stats_incremental().read_bytes / 4


@pytest.mark.usefixtures("eager")
def test_a_search_is_the_small_side_and_runs_once(db: lancesql.Connection) -> None:
    sql = (
        "SELECT d.id FROM docs d JOIN fts('notes', 'text', 'number 77', operator => 'and', k => 5) s ON s.id = d.id "
        "WHERE length(d.text) > 0"
    )
    assert explain_keys(db, sql) == "of s.id: 1 pushed as IN on id"
    assert db.sql(sql).fetchall() == [(77,)]


@pytest.mark.usefixtures("eager")
def test_a_filtered_scan_is_the_small_side(db: lancesql.Connection) -> None:
    text = TEXT.format(1234)
    sql = f"SELECT d.id FROM docs d JOIN docs e ON e.id = d.id WHERE e.text = '{text}' AND length(d.text) > 0"
    first, second = (line for line in db.explain(sql).split("\n") if line.startswith("  keys "))
    assert first.endswith("of e.id: 1 pushed as IN on id")
    assert "of d.id: not pushed: " in second
    assert db.sql(sql).fetchall() == [(1234,)]


def test_a_scan_that_costs_little_is_left_alone(db: lancesql.Connection) -> None:
    assert explain_keys(db, "SELECT d.part FROM docs d JOIN few k ON k.key = d.id") == (
        "of k.key: not pushed: reading every row costs little"
    )


@pytest.mark.usefixtures("eager")
def test_keys_that_most_rows_have_are_left_alone(db: lancesql.Connection) -> None:
    said = explain_keys(
        db, "SELECT d.id, d.text FROM docs d JOIN (SELECT unnest(range(1, 10)) AS part) k ON k.part = d.part"
    )
    assert said == "of k.part: not pushed: 9 keys, and 90% of the rows have one of them"


@pytest.mark.parametrize(
    ("condition", "values", "asks_index"),
    [
        ("id < 1_000", {}, True),
        ("id >= 100_000", {}, False),
        ("id BETWEEN $low AND $high", {"low": 10, "high": 150_000}, False),
        ("id BETWEEN $low AND $high", {"low": 10, "high": 150}, True),
        ("id > 100_000 AND part = 3", {}, True),
        ("id > 10 AND id < 400", {}, True),
    ],
)
def test_ranges_that_keep_many_rows_are_read_without_their_index(
    db: lancesql.Connection,
    monkeypatch: pytest.MonkeyPatch,
    condition: str,
    values: dict[str, int],
    *,
    asks_index: bool,
) -> None:
    db.execute("CREATE INDEX IF NOT EXISTS by_id ON docs (id) USING BTREE")
    asked: list[bool] = []
    opened = open_scan

    def note_and_open(*arguments: object, **options: object) -> object:
        asked.append(bool(options.get("use_index", True)))
        return opened(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("lancesql.execution.query.open_scan", note_and_open)
    found = db.sql(f"SELECT id FROM docs WHERE {condition} ORDER BY id", values).to_arrow().column(0).to_pylist()
    wanted = duckdb.execute(
        f"SELECT id FROM (SELECT i AS id, i % 10 AS part FROM range({ROWS}) r(i)) WHERE {condition} ORDER BY id",
        values or None,
    ).fetchall()
    assert found == [row[0] for row in wanted]
    assert asked == [asks_index]
