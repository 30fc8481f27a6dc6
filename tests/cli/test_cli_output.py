"""Rows written as JSON, CSV, Arrow and Parquet."""

import datetime as dt
import decimal
import io
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from lancesql.errors import UnsupportedError
from lancesql.output import format_json_value, open_output, write_rows

ROWS = pa.table(
    {
        "id": [1, None],
        "ratio": [1.5, float("nan")],
        "text": ['é"x', ""],
        "price": [decimal.Decimal("1.50"), None],
        "blob": [b"\x00a", None],
        "moment": pa.array([1, None], pa.timestamp("ns")),
        "zoned": pa.array([1, None], pa.timestamp("us", "UTC")),
        "clock": pa.array([1, None], pa.time64("ns")),
        "span": pa.array([1_500_000, None], pa.duration("us")),
        "day": pa.array([1, None], pa.date32()),
        "vector": pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2)),
        "nested": [{"days": [dt.date(2024, 1, 1)]}, None],
        "nothing": pa.nulls(2),
        "word": pa.array(["x", None]).dictionary_encode(),
        "large": pa.array([2**64 - 1, None], pa.uint64()),
    }
)


def write(table: pa.Table, file_format: str) -> bytes:
    sink = io.BytesIO()
    write_rows(table.to_reader(max_chunksize=1), sink, file_format)
    return sink.getvalue()


def test_json_is_one_array_of_objects() -> None:
    first, second = json.loads(write(ROWS, "json"))
    assert first == {
        "id": 1,
        "ratio": 1.5,
        "text": 'é"x',
        "price": 1.5,
        "blob": "AGE=",
        "moment": "1970-01-01T00:00:00.000000001",
        "zoned": "1970-01-01T00:00:00.000001+00:00",
        "clock": "00:00:00.000000001",
        "span": "PT1.5S",
        "day": "1970-01-02",
        "vector": [1.0, 2.0],
        "nested": {"days": ["2024-01-01"]},
        "nothing": None,
        "word": "x",
        "large": 2**64 - 1,
    }
    assert second == dict.fromkeys(first) | {"text": ""}


def test_json_keeps_the_digits_of_decimals_and_the_letters_of_texts() -> None:
    text = write(ROWS, "json").decode()
    assert '"price": 1.50' in text
    assert '"é\\"x"' in text


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_json_of_any_number_of_rows_is_valid(rows: int) -> None:
    table = pa.table({"n": pa.array(range(rows), pa.int64())})
    assert json.loads(write(table, "json")) == [{"n": n} for n in range(rows)]


def test_json_gives_columns_of_the_same_name_their_own_keys() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "a", "a_1"])
    assert json.loads(write(table, "json")) == [{"a": 1, "a_1": 2, "a_1_1": 3}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (float("inf"), "null"),
        (decimal.Decimal("NaN"), "null"),
        (decimal.Decimal("1E+3"), "1000"),
        (dt.timedelta(days=-1, seconds=1), '"P-1DT1S"'),
        (pa.MonthDayNano([14, 0, 0]), '"P14M"'),
        (pa.MonthDayNano([0, 0, 0]), '"PT0S"'),
        ([("key", None)], '[["key", null]]'),
        ("line\nbreak", '"line\\nbreak"'),
        (dt.time(12, 30), '"12:30:00"'),
    ],
)
def test_json_values(value: object, text: str) -> None:
    assert format_json_value(value) == text


def test_csv_tells_null_from_empty_text() -> None:
    lines = write(ROWS.select(["id", "ratio", "text", "price", "blob", "span", "vector"]), "csv").decode().splitlines()
    assert lines == [
        '"id","ratio","text","price","blob","span","vector"',
        '1,1.5,"é""x","1.50","AGE=","PT1.5S","[1.0, 2.0]"',
        ',nan,"",,,,',
    ]


def test_csv_writes_every_type() -> None:
    assert len(write(ROWS, "csv").splitlines()) == 3


def test_arrow_and_parquet_give_the_same_table_back() -> None:
    plain = ROWS.drop_columns(["ratio", "word", "nothing"])
    assert pa.ipc.open_stream(write(plain, "arrow")).read_all().equals(plain)
    assert parquet.read_table(io.BytesIO(write(plain, "parquet"))).to_pylist() == plain.to_pylist()


def test_parquet_refuses_what_it_has_no_type_for() -> None:
    table = pa.table({"wait": pa.array([pa.MonthDayNano([1, 2, 3])])})
    with pytest.raises(UnsupportedError, match="cannot be written as parquet") as caught:
        write(table, "parquet")
    assert "CAST" in (caught.value.hint or "")


def test_a_failed_file_leaves_what_was_there(tmp_path) -> None:
    target = tmp_path / "rows.csv"
    target.write_text("before")

    def fail_halfway() -> None:
        with open_output(target) as sink:
            sink.write(b"half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail_halfway()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_written_file_appears_whole(tmp_path) -> None:
    with open_output(tmp_path / "rows.csv") as sink:
        sink.write(b"a\n1\n")
    assert (tmp_path / "rows.csv").read_bytes() == b"a\n1\n"
    assert len(list(tmp_path.iterdir())) == 1
