"""Tables as text and HTML."""

import datetime as dt
import math
import uuid

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from rich.cells import cell_len

from lancesql.execution.results.engine_types import EngineType, parse_engine_type
from lancesql.execution.results.show import render_table
from lancesql.plan.type_names import name_arrow_type


def vectors(width, rows=2):
    numbers = np.linspace(-1, 1, width * rows).astype("f4")
    return pa.FixedSizeListArray.from_arrays(pa.array(numbers), width)


def test_a_small_table():
    table = pa.table({"id": [1, 20], "title": ["Alien", None], "score": pa.array([0.1, 1e-7], pa.float32())})
    assert render_table(table).splitlines() == [
        "┌────────┬─────────┬───────┐",
        "│     id │ title   │ score │",
        "│ BIGINT │ VARCHAR │ FLOAT │",
        "├────────┼─────────┼───────┤",
        "│      1 │ Alien   │   0.1 │",
        "│     20 │ NULL    │ 1e-07 │",
        "└────────┴─────────┴───────┘",
        "  2 rows",
    ]


def test_vectors_are_abbreviated():
    text = render_table(pa.table({"v": vectors(384)}))
    assert "FLOAT[384]" in text
    assert "[-1.00, -1.00, -0.99, … 384]" in text
    assert "[1.0, 2.0]" in render_table(pa.table({"v": pa.array([[1.0, 2.0]])}))


@pytest.mark.parametrize("width", [16, 20, 40, 60, 79, 80, 81, 120, 200])
@pytest.mark.parametrize(
    "table",
    [
        pa.table({f"column_{i}": [i, 10**i] for i in range(15)}),
        pa.table({"text": ["x" * 500, "日本語" * 50], "n": [1, 2]}),
        pa.table({"🦆" * 30: ["👩‍👩‍👧" * 20], "e": ["e\u0301" * 90]}),
        pa.table({"v": vectors(8), "w": vectors(1024), "long": ["a\n" * 40, "\t"]}),
    ],
    ids=["many columns", "wide characters", "joined emoji", "vectors"],
)
def test_lines_fit_and_are_equally_wide(table, width):
    lines = render_table(table, max_width=width).splitlines()[:-1]
    assert len({cell_len(line) for line in lines}) == 1
    assert cell_len(lines[0]) <= width
    assert len(lines) == table.num_rows + 5


def test_columns_are_omitted_in_the_middle():
    table = pa.table({f"c{i}": ["a" * 12] for i in range(10)})
    text = render_table(table, max_width=60)
    header = text.splitlines()[1]
    assert header.startswith("│ c0 ")
    assert header.rstrip(" │").endswith("c9")
    assert " … " in header
    assert text.endswith("1 row, 3 of 10 columns shown")


def test_room_goes_to_the_columns_that_need_it():
    table = pa.table({"id": [1], "title": ["t" * 30], "overview": ["o" * 300]})
    line = render_table(table, max_width=100).splitlines()[4]
    assert "t" * 30 in line
    assert "o" * 40 in line
    assert "…" in line


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("two\nlines\r\tend", "two\\nlines\\r\\tend"),
        ("\x1b[31mred\x1b[0m\x07", "\\x1b[31mred\\x1b[0m\\x07"),
        ("a\u202eb\u2028c\x85\ufeff", "a\\u202eb\\u2028c\\x85\\ufeff"),
        ("", ""),
        (b"ab\x00\\", "ab\\x00\\x5C"),
        (True, "true"),
        (dt.datetime(2024, 7, 1, 12, 0), "2024-07-01 12:00:00"),
        (dt.date(2024, 7, 1), "2024-07-01"),
        (dt.time(1, 2, 3), "01:02:03"),
        (dt.timedelta(days=1), "1 day, 0:00:00"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        ([1, None], "[1, NULL]"),
        (["a", "it\n"], "['a', 'it\\n']"),
        ({"a": 1, "b": [True]}, "{'a': 1, 'b': [true]}"),
        (list(range(100)), "[0, 1, 2, … 100]"),
        ([[1.0] * 9] * 2, "[[1.00, 1.00, 1.00, … 9], [1.00, 1.00, 1.00, … 9]]"),
    ],
)
def test_values(value, shown):
    line = render_table(pa.table({"x": pa.array([value])}), max_width=120).splitlines()[4]
    assert line.strip("│").strip() == shown


def test_names_are_escaped_too():
    header = render_table(pa.table({"a\x1b[2J\n": [1]})).splitlines()[1]
    assert "a\\x1b[2J\\n" in header


def test_a_cut_leaves_whole_characters():
    text = render_table(pa.table({"x": ["e\u0301" * 100]}), max_width=40).splitlines()[4]
    assert "\u0301…" in text
    assert "e…" not in text


def test_engine_types_are_shown_short():
    words = ", ".join(f"'word {i}'" for i in range(300))
    text = render_table(pa.table({"e": ["a"], "u": [None]}), [f"ENUM({words})[]", '"NULL"'])
    assert "ENUM(…)[]" in text
    assert "NULL" in text
    assert '"NULL"' not in text


def test_counts():
    table = pa.table({"a": [1]})
    assert render_table(table).endswith("  1 row")
    assert render_table(table, rows=1_234_567).endswith("  1,234,567 rows, 1 shown")
    assert render_table(table, rows=10_000, complete=False).endswith("  at least 10,000 rows, 1 shown")
    assert render_table(table.slice(0, 0)).endswith("  0 rows")
    assert render_table(table.select([])) == "  1 row"


def test_the_terminal_decides_the_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    assert cell_len(render_table(pa.table({"x": ["a" * 300]})).splitlines()[0]) == 50


def test_every_duckdb_type_can_be_shown():
    with duckdb.connect() as connection:
        relation = connection.sql("SELECT * FROM test_all_types()")
        types = [str(kind) for kind in relation.types]
        table = relation.to_arrow_table()
    text = render_table(table, types, max_width=100_000)
    assert "290309-12-22 (BC) 00:00:00" in text
    assert "ffffffff-ffff-ffff-ffff-ffffffffffff" in text
    assert text.endswith("3 rows")
    assert render_table(table, max_width=100).endswith("columns shown")


@pytest.mark.parametrize(
    "sql",
    [
        "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT",
        "DOUBLE", "VARCHAR", "BLOB", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS",
        "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "INTERVAL", "DECIMAL(18,3)", "INTEGER[]", "FLOAT[3]", "FLOAT[2][]",
        "STRUCT(a INTEGER, b VARCHAR[])", "MAP(VARCHAR, DOUBLE)", "UNION(a INTEGER, b VARCHAR)", "BIGNUM",
    ],
)  # fmt: skip
def test_arrow_types_have_duckdbs_names(sql):
    with duckdb.connect() as connection:
        relation = connection.sql(f"SELECT NULL::{sql} AS x")
        assert name_arrow_type(relation.to_arrow_table().schema.field(0).type) == str(relation.types[0])


def test_names_of_types_that_duckdb_lacks():
    names = {
        name_arrow_type(kind)
        for kind in (
            pa.float16(),
            pa.uuid(),
            pa.json_(),
            pa.dictionary(pa.int8(), pa.string()),
            pa.binary(4),
            pa.null(),
        )
    }
    assert name_arrow_type(pa.time64("ns")) == "TIME_NS"
    assert names == {"FLOAT16", "UUID", "JSON", "VARCHAR", "BLOB", "NULL"}


def test_reading_type_names():
    kind = parse_engine_type(
        """STRUCT("a ""b(" MAP(UUID, ENUM('x)', 'it''s')[3]), t TIME WITH TIME ZONE, e STRUCT)[]"""
    )
    inner = kind.children[0]
    assert kind.name == "LIST"
    assert [child.name for child in inner.children] == ["MAP", "TIME WITH TIME ZONE", "STRUCT"]
    assert inner.children[0].children == (EngineType("UUID"), EngineType("ARRAY", (EngineType("ENUM"),)))
    assert parse_engine_type("STRUCT(INTEGER, DECIMAL(4,1))").children == (EngineType("INTEGER"), EngineType("DECIMAL"))
    assert parse_engine_type(str(uuid.UUID(int=0))).children == ()
