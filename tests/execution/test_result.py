"""Results: lazy, read once, the same through every method."""

import decimal
import subprocess
import sys

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lancesql.errors import UnsupportedError
from lancesql.execution.results.result import Result


class Statement:
    """A statement whose answer differs each time, and which counts how often it ran and how much was read."""

    def __init__(self, rows=3, batch_rows=1_000):
        self.rows = rows
        self.batch_rows = batch_rows
        self.runs = 0
        self.batches = 0

    @property
    def schema(self):
        return pa.schema([("run", pa.int64()), ("row", pa.int64())])

    def open_reader(self):
        self.runs += 1
        return pa.RecordBatchReader.from_batches(self.schema, self._batches(self.runs))

    def _batches(self, run):
        for start in range(0, self.rows, self.batch_rows):
            self.batches += 1
            numbers = range(start, min(start + self.batch_rows, self.rows))
            yield pa.record_batch([pa.array([run] * len(numbers)), pa.array(numbers)], schema=self.schema)


def test_nothing_runs_until_asked():
    statement = Statement()
    result = Result(statement.open_reader, schema=lambda: statement.schema)
    assert result.columns == ["run", "row"]
    assert result.schema == statement.schema
    assert statement.runs == 0


def test_every_method_answers_from_one_run():
    statement = Statement()
    result = Result(statement.open_reader)
    rows = [(1, 0), (1, 1), (1, 2)]
    assert result.fetchall() == rows
    assert result.to_arrow().to_pydict() == {"run": [1, 1, 1], "row": [0, 1, 2]}
    assert result.to_polars().equals(pl.DataFrame(rows, schema=["run", "row"], orient="row"))
    pd.testing.assert_frame_equal(result.to_pandas(), pd.DataFrame(rows, columns=["run", "row"]))
    assert "3 rows" in repr(result)
    assert result.to_reader().read_all() is not None
    assert pa.table(result).equals(result.to_arrow())
    assert result.columns == ["run", "row"]
    assert statement.runs == 1
    assert result.to_arrow() is result.to_arrow()


@pytest.mark.parametrize(
    "read",
    [
        lambda result: repr(result),
        lambda result: result._repr_html_(),
        lambda result: result.show(),
        lambda result: result.fetchone(),
        lambda result: result.schema,
    ],
)
def test_a_short_answer_is_kept_by_whatever_reads_it_first(read, capsys):
    statement = Statement()
    result = Result(statement.open_reader)
    read(result)
    assert [run for run, _ in result.fetchall()][-1] == 1
    assert statement.runs == 1


def test_a_preview_of_a_long_answer_reads_little():
    statement = Statement(rows=1_000_000)
    result = Result(statement.open_reader)
    text = repr(result)
    assert "at least 10,000 rows, 20 shown" in text
    assert statement.batches == 10
    assert repr(result) == text
    assert result._repr_html_().count("<tr>") == 21
    assert statement.runs == 1
    assert result.to_arrow().num_rows == 1_000_000
    assert "1,000,000 rows, 20 shown" in repr(result)


def test_show_asks_for_as_many_rows_as_it_prints(capsys):
    result = Result(Statement(rows=20_000).open_reader)
    result.show(max_rows=2)
    assert "at least 10,000 rows, 2 shown" in capsys.readouterr().out
    result.show(max_rows=15_000, max_width=60)
    assert "the first 15,000 rows, there are more" in capsys.readouterr().out
    result.show(max_rows=20_000)
    assert "20,000 rows\n" in capsys.readouterr().out


def test_a_stream_keeps_nothing():
    statement = Statement(rows=5_000)
    result = Result(statement.open_reader)
    reader = result.to_reader()
    reader.read_next_batch()
    reader.close()
    assert statement.batches == 1
    assert result.to_reader().read_all()["run"][0].as_py() == 2
    assert result.to_arrow()["run"][0].as_py() == 3
    assert result.to_reader().read_all()["run"][0].as_py() == 3


def test_a_statement_that_must_not_run_twice():
    statement = Statement(rows=50_000)
    result = Result(statement.open_reader, repeatable=False)
    assert "50,000 rows, 20 shown" in repr(result)
    assert result.to_reader().read_all().num_rows == 50_000
    assert len(result.fetchall()) == 50_000
    assert statement.runs == 1


def test_the_fast_path_is_taken_for_a_whole_answer():
    table = pa.table({"a": [1]})
    result = Result(lambda: pytest.fail("streamed"), read_table=lambda: table)
    assert result.to_arrow() is table
    assert "1 row" in repr(result)


def test_rows_one_by_one():
    result = Result(Statement(rows=5).open_reader)
    assert result.fetchone() == (1, 0)
    assert result.fetchmany(2) == [(1, 1), (1, 2)]
    assert result.fetchall() == [(1, 3), (1, 4)]
    assert len(result.fetchall()) == 5
    assert [result.fetchone() for _ in range(7)][-3:] == [(1, 4), None, None]
    assert result.fetchmany(3) == []
    assert result.fetchmany(0) == []


def test_rows_one_by_one_over_many_windows():
    result = Result(Statement(rows=3_333).open_reader)
    rows = []
    while row := result.fetchone():
        rows.append(row)
    assert [row for _, row in rows] == list(range(3_333))
    result = Result(Statement(rows=3_333).open_reader)
    assert [len(result.fetchmany(1_500)) for _ in range(4)] == [1_500, 1_500, 333, 0]


def test_engine_types_decide_the_values():
    table = pa.table({"s": pa.array([decimal.Decimal(7)], pa.decimal128(38, 0))})
    asked = []
    result = Result(table.to_reader, engine_types=lambda: asked.append(1) or ["HUGEINT"])
    assert asked == []
    assert repr(result.fetchall()) == "[(7,)]"
    assert "HUGEINT" in repr(result)
    assert result.to_pandas()["s"].dtype == "int64"
    assert asked == [1]
    assert repr(Result(table.to_reader).fetchall()) == "[(Decimal('7'),)]"


def test_explain():
    result = Result(Statement().open_reader, explain=lambda analyze: f"plan {analyze}")
    assert result.explain() == "plan False"
    assert result.explain(analyze=True) == "plan True"
    with pytest.raises(UnsupportedError, match="no plan"):
        Result(Statement().open_reader).explain()


def test_a_failure_is_not_kept():
    table = pa.table({"a": [1]})
    failures = [RuntimeError("first")]

    def open_reader():
        if failures:
            raise failures.pop()
        return table.to_reader()

    result = Result(open_reader)
    with pytest.raises(RuntimeError, match="first"):
        result.fetchall()
    assert result.fetchall() == [(1,)]


def test_other_libraries_read_it():
    result = Result(Statement().open_reader, schema=lambda: Statement().schema)
    assert pl.DataFrame(result).shape == (3, 2)
    with duckdb.connect() as connection:
        assert connection.sql("SELECT sum(row) FROM result").fetchall() == [(3,)]


def test_an_empty_answer():
    result = Result(Statement(rows=0).open_reader)
    assert result.fetchall() == []
    assert result.fetchone() is None
    assert "0 rows" in repr(result)
    assert result.to_polars().shape == (0, 2)
    assert result.columns == ["run", "row"]


def test_show_survives_a_narrow_encoding():
    code = """
import pyarrow as pa
from lancesql.execution.results.result import Result
Result(pa.table({"a": ["日本"]}).to_reader).show()
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONIOENCODING": "ascii"}
    )
    assert b"1 row" in answer.stdout


def test_importing_it_stays_light():
    heavy = ["rich", "polars", "pandas", "duckdb"]
    code = f"import sys, lancesql.execution.results.result; print([m for m in {heavy} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
