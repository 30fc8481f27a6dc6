"""The demo from end to end, over a small library."""

import re
from pathlib import Path

import pytest

import lancesql
from lancesql.demo.database import find_state
from lancesql.demo.questions import QUESTIONS
from lancesql.demo.run import run_demo
from lancesql.errors import ExecutionError

THINGS = (
    "archive",
    "socket",
    "timer",
    "directory",
    "file",
    "queue",
    "certificate",
    "archive member",
    "thread",
    "task",
)
DEEDS = (
    "open",
    "close",
    "read",
    "write",
    "escape",
    "create",
    "remove",
    "compress",
    "wait for",
    "finish",
    "match",
    "copy",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten modules of some thirty functions each: an index needs a few hundred rows."""
    folder = tmp_path_factory.mktemp("library")
    for number, thing in enumerate(THINGS):
        name = thing.replace(" ", "_")
        lines = [f'"""Every {thing} with special characters, text and temporary tasks."""', "import os"]
        lines += [f"import {other.replace(' ', '_')}" for other in THINGS[:number]]
        for deed in DEEDS:
            for way in ("several", "compressed", "regular expression"):
                function = f"{deed}_{way}".replace(" ", "_")
                lines.append(
                    f'def {function}():\n    """{deed.title()} the {way} {thing} with a timeout afterwards."""'
                )
        (folder / f"{name}.py").write_text("\n".join(lines) + "\n")
    return folder


def run(library: Path, capsys: pytest.CaptureFixture[str], directory: Path | None = None, *, keep: bool = False) -> str:
    run_demo(directory, keep=keep, library=library)
    return capsys.readouterr().out


def test_the_demo_explains_itself_and_leaves_nothing(library: Path, capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    printed = run(library, capsys)
    assert "370 modules, classes, functions and methods have a docstring" in printed
    assert "not a neural model" in " ".join(printed.split())
    for number, question in enumerate(QUESTIONS, 1):
        assert f"{number}. {question.title}" in printed
        assert question.sql.splitlines()[0] in printed
    assert len(re.findall(r"^  [\d,.]+ m?s$", printed, re.MULTILINE)) == len(QUESTIONS)
    assert len(re.findall(r"^  5 rows$", printed, re.MULTILINE)) == len(QUESTIONS)
    assert "\x1b" not in printed
    assert max(map(len, printed.splitlines())) <= 100
    assert list(tmp_path.iterdir()) == []


def test_a_kept_database_is_used_again_and_answers_alike(library: Path, capsys, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    first = run(library, capsys, folder, keep=True)
    assert f"lancesql -d {folder} shell" in first.replace("\n", " ")
    again = run(library, capsys, folder)
    assert "again" in again
    assert "CREATE INDEX" in first
    assert "CREATE INDEX" not in again
    tables = re.compile(r"^[│┌└├].*$", re.MULTILINE)
    assert tables.findall(again) == tables.findall(first)
    assert find_state(folder) == "finished"
    with lancesql.connect(folder) as db:
        assert db.tables() == ["docstrings", "questions"]
        kinds = {row[0] for row in db.sql("SELECT DISTINCT kind FROM docstrings").fetchall()}
        assert kinds == {"module", "function"}
        sql = (
            "SELECT name FROM vector_search('docstrings', "
            "(SELECT vector FROM docstrings WHERE name = 'timer.wait_for_several'), k => 1)"
        )
        assert db.sql(sql).fetchall() == [("timer.wait_for_several",)]


def test_without_keep_a_new_directory_is_removed(library: Path, capsys, tmp_path: Path) -> None:
    run(library, capsys, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()
    (tmp_path / "empty").mkdir()
    run(library, capsys, tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_an_outdated_database_is_built_anew_and_left(library: Path, capsys, tmp_path: Path) -> None:
    run(library, capsys, tmp_path, keep=True)
    marker = tmp_path / "lancesql-demo.json"
    marker.write_text(marker.read_text().replace('"python": "3', '"python": "2'))
    assert find_state(tmp_path) == "outdated"
    assert "CREATE INDEX" in run(library, capsys, tmp_path)
    assert find_state(tmp_path) == "finished"


def test_every_statement_fits_a_terminal_of_80_columns() -> None:
    shown = [f"  {line}" for question in QUESTIONS for line in question.sql.splitlines()]
    shown += [f"  -- $question is the vector of '{question.text}'" for question in QUESTIONS]
    assert max(map(len, shown)) < 80


def test_a_directory_of_something_else_is_refused(library: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ExecutionError, match="is not empty, and no database of the demo") as caught:
        run_demo(tmp_path, library=library)
    assert "--dir" in (caught.value.hint or "")
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_a_python_without_sources_is_told(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    with pytest.raises(ExecutionError, match="no source of the standard library"):
        run_demo(tmp_path / "new", library=tmp_path / "library")
    assert not (tmp_path / "new").exists()


def test_without_scikit_learn_the_demo_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(ExecutionError) as caught:
        run_demo()
    assert caught.value.hint == "pip install 'lancesql[demo]'"
