"""The command line from end to end."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from lancesql.cli import app


def run(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def start(*arguments: str | Path, **options: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "lancesql", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_a_search_as_json(database: Path) -> None:
    sql = "SELECT id, title, _distance FROM vector_search('films', $q, k => 2)"
    done = run("-d", database, "query", sql, "--param", "q=[2, 1]", "--format", "json")
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [row["title"] for row in rows] == ["Brazil", "Aliens"]
    assert [row["_distance"] for row in rows] == [0, 1]


def test_a_text_is_embedded_by_a_function_of_a_module(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = "SELECT title FROM vector_search('films', 'xx', k => 1)"
    failed = run("-d", database, "query", sql)
    assert failed.exit_code == 1
    assert "column 'films.vector' has no embedding function" in failed.stderr
    assert "--embedding TABLE.COLUMN=MODULE:FUNCTION, or -p q=@vector.json" in failed.stderr
    (tmp_path / "two_numbers.py").write_text("def embed(texts):\n    return [[len(text), 1] for text in texts]\n")
    (tmp_path / "broken.py").write_text("raise ValueError")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    done = run("-d", database, "--embedding", "films.vector=two_numbers:embed", "query", sql, "-f", "csv")
    assert done.stdout == run("-d", database, "query", sql.replace("'xx'", "[2, 1]"), "-f", "csv").stdout
    for text in [
        "films.vector",
        "films=two_numbers:embed",
        "films.vector=nowhere:embed",
        "films.vector=two_numbers:nothing",
        "films.vector=broken:embed",
    ]:
        assert run("-d", database, "--embedding", text, "query", sql).exit_code == 2
    assert run("-d", database, "--embedding", "films.vectro=two_numbers:embed", "query", sql).exit_code == 1


def test_a_table_is_the_default(database: Path) -> None:
    done = run("-d", database, "query", "SELECT title FROM films WHERE year < $year", "-p", "year=1950")
    assert done.exit_code == 0, done.output
    assert "│ Casablanca │" in done.stdout
    assert "1 row" in done.stdout


def test_a_parameter_from_a_file_and_by_position(database: Path, tmp_path: Path) -> None:
    (tmp_path / "q.json").write_text("[4, 1]")
    sql = "SELECT title FROM vector_search('films', ?, k => ?)"
    done = run("-d", database, "query", sql, "-p", f"1=@{tmp_path / 'q.json'}", "-p", "2=1", "-f", "csv")
    assert done.stdout == '"title"\n"Duel"\n'


def test_sql_from_standard_input(database: Path) -> None:
    done = run("-d", database, "query", "-", "-f", "csv", stdin="SELECT count(*) AS n\nFROM films")
    assert done.stdout == '"n"\n5\n'


def test_the_last_of_several_statements_is_written(database: Path) -> None:
    done = run("-d", database, "query", "CREATE TEMP TABLE t AS SELECT 7 AS n; SELECT n FROM t", "-f", "json")
    assert json.loads(done.stdout) == [{"n": 7}]


@pytest.mark.parametrize("name", ["rows.parquet", "rows.arrow", "rows.csv", "rows.json"])
def test_the_file_says_its_format(database: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    done = run("-d", database, "query", "SELECT id, title FROM films ORDER BY id", "-o", target)
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    readers = {
        ".parquet": lambda: parquet.read_table(target).to_pylist(),
        ".arrow": lambda: pa.ipc.open_stream(target.read_bytes()).read_all().to_pylist(),
        ".csv": lambda: [{"id": int(i), "title": t.strip('"')} for i, t in (x.split(",") for x in lines()[1:])],
        ".json": lambda: json.loads(target.read_text()),
    }

    def lines() -> list[str]:
        return target.read_text().splitlines()

    assert readers[target.suffix]()[3] == {"id": 3, "title": "Casablanca"}


def test_a_table_in_a_file(database: Path, tmp_path: Path) -> None:
    run("-d", database, "query", "SELECT * FROM range(100)", "--rows", "60", "-o", tmp_path / "rows.txt")
    assert "100 rows, 60 shown" in (tmp_path / "rows.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("file_format", ["arrow", "parquet"])
def test_binary_formats_go_into_a_pipe(database: Path, file_format: str) -> None:
    done = run("-d", database, "query", "SELECT id FROM films ORDER BY id", "-f", file_format)
    assert done.exit_code == 0, done.output
    data = io.BytesIO(done.stdout_bytes)
    table = pa.ipc.open_stream(data).read_all() if file_format == "arrow" else parquet.read_table(data)
    assert table["id"].to_pylist() == [0, 1, 2, 3, 4]


def test_binary_formats_are_refused_on_a_terminal(database: Path) -> None:
    ours, theirs = pytest.importorskip("pty").openpty()
    command = [sys.executable, "-c", "from lancesql.cli import main; main()", "-d", database, "query", "SELECT 1"]
    done = subprocess.run([*command, "-f", "arrow"], stdout=theirs, stderr=subprocess.PIPE, check=False, text=True)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2
    assert "-o FILE" in done.stderr


def test_an_error_shows_the_place_and_a_hint(database: Path) -> None:
    done = run("-d", database, "query", "SELECT *\nFROM vector_search('film', [1, 2])")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "Error: " in done.stderr
    assert "LINE 2: FROM vector_search('film', [1, 2])" in done.stderr
    assert "^^^^" in done.stderr
    assert "films" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_of_the_engine_is_no_traceback(database: Path) -> None:
    done = run("-d", database, "query", "SELECT 1 +")
    assert done.exit_code == 1
    assert "Error: " in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "SELECT 1"),
        ("-d", "x", "query"),
        ("-d", "x", "query", "SELECT 1", "--format", "xml"),
        ("-d", "x", "query", "SELECT $a", "--param", "a"),
        ("-d", "x", "nonsense"),
    ],
)
def test_a_wrong_command_line_is_2(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANCESQL_DATABASE", raising=False)
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_the_database_may_come_from_the_environment(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANCESQL_DATABASE", str(database))
    assert run("query", "SELECT count(*) AS n FROM films", "-f", "csv").stdout == '"n"\n5\n'


def test_an_unwritable_file_is_an_error(database: Path, tmp_path: Path) -> None:
    done = run("-d", database, "query", "SELECT 1", "-o", tmp_path / "no" / "such" / "rows.csv")
    assert done.exit_code == 1
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.output


def test_explain_prints_the_plan(database: Path) -> None:
    sql = "SELECT title FROM vector_search('films', $q, k => 2) WHERE year > 1950"
    done = run("-d", database, "explain", sql, "-p", "q=[0, 1]")
    assert done.exit_code == 0, done.output
    assert "films" in done.stdout
    assert "year" in done.stdout


def test_explain_analyze_runs_it(database: Path) -> None:
    sql = "SELECT title FROM vector_search('films', [0, 1], k => 2)"
    done = run("-d", database, "explain", "--analyze", sql)
    assert done.exit_code == 0, done.output
    assert "rows" in done.stdout


def test_a_reader_that_leaves_early_is_no_error(database: Path) -> None:
    process = start("-d", database, "query", "SELECT * FROM range(3000000)", "-f", "csv")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b'"range"\n'
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.stderr.close()
    process.wait(60)
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors


def test_version() -> None:
    assert run("--version").stdout.startswith("lancesql ")
