"""The shell, from a pipe and on a terminal."""

from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from typer.testing import CliRunner, Result

import lancesql
from lancesql.cli import app
from lancesql.completion import read_names
from lancesql.shell import run_shell


def run(database: Path, text: str) -> Result:
    return CliRunner().invoke(app, ["-d", str(database), "shell"], input=text)


def test_statements_and_commands_from_a_pipe(database: Path) -> None:
    done = run(
        database,
        ".tables\nSELECT title\nFROM films\nWHERE year = 1942; SELECT ';' AS semicolon;\n.timer on\nSELECT 41 + 1",
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("films\n")
    assert "Casablanca" in done.stdout
    assert "semicolon" in done.stdout
    assert "timer on" in done.stdout
    assert "42" in done.stdout
    assert " ms\n" in done.stdout


def test_a_schema_lists_columns_and_indexes(database: Path) -> None:
    done = run(database, ".schema films\n")
    assert done.exit_code == 0, done.output
    assert "plot" in done.stdout
    assert "FLOAT[2]" in done.stdout


def test_a_statement_without_rows_is_done_and_a_plan_is_no_table(database: Path) -> None:
    run(database, "CREATE TABLE gone AS SELECT 1 AS n;")
    done = run(
        database,
        "CREATE TEMP TABLE t AS SELECT 1 AS n; DROP TABLE t; DROP TABLE gone; EXPLAIN SELECT title FROM films;",
    )
    assert done.exit_code == 0, done.output
    plan = done.stdout.partition("Done.\nDone.\n")[2]
    assert "films" in plan
    assert "│" not in plan


def test_an_explained_statement(database: Path) -> None:
    done = run(database, ".explain SELECT title FROM films WHERE id = 1;\n")
    assert done.exit_code == 0, done.output
    assert "films" in done.stdout


def test_a_script_stops_at_its_first_error(database: Path) -> None:
    done = run(database, "SELECT 'before';\nSELECT * FROM flims;\nSELECT 'after';\n")
    assert done.exit_code == 1
    assert "before" in done.stdout
    assert "after" not in done.stdout
    assert "flims" in done.stderr


@pytest.mark.parametrize(
    ("text", "hint"), [(".tabels", "did you mean .tables?"), (".what", ".help"), (".timer x", "on or off")]
)
def test_a_wrong_command_has_a_hint(database: Path, text: str, hint: str) -> None:
    done = run(database, text)
    assert done.exit_code == 1
    assert hint in done.stderr


def test_quit_leaves_at_once(database: Path) -> None:
    done = run(database, ".quit\nSELECT * FROM nothing;\n")
    assert done.exit_code == 0, done.output


def test_names_for_completion(database: Path) -> None:
    with lancesql.connect(database) as db:
        names = read_names(db)
    assert names.columns == {"films": ("id", "title", "year", "plot", "vector")}
    assert "SELECT" in names.keywords
    assert "array_distance" in names.functions


def test_the_terminal(database: Path, monkeypatch, tmp_path: Path, capsys) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    keys = [
        "SELECT title\rFROM films WHERE id = 3;\r",  # Enter goes on until the semicolon
        "SELECT * FROM flims;\r",
        "SELECT half\x03",  # Ctrl-C clears the line
        ".tables\r",
        "\x04",
    ]
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text("".join(keys))
        with lancesql.connect(database) as db:
            run_shell(db)
    printed = capsys.readouterr()
    assert "Casablanca" in printed.out
    assert "\nfilms\n" in printed.out
    assert "flims" in printed.err
    history = (tmp_path / "lancesql" / "history").read_text()
    assert "+SELECT title\n+FROM films WHERE id = 3;" in history
