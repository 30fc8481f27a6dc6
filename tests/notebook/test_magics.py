"""`%lancesql` and `%sql` in IPython."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import lancesql

interactive = pytest.importorskip("IPython.core.interactiveshell")


def open_shell() -> Any:
    from traitlets.config import Config

    made = interactive.InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    made.run_line_magic("colors", "nocolor")
    return made


def close_shell(shell: Any) -> None:
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()


@pytest.fixture
def shell(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    made = open_shell()
    made.run_line_magic("load_ext", "lancesql")
    made.user_ns["folder"] = str(library)
    yield made
    made.run_line_magic("lancesql", "close")
    close_shell(made)


def run(shell: Any, cell: str) -> Any:
    done = shell.run_cell(cell)
    if done.error_in_exec or done.error_before_exec:
        raise done.error_in_exec or done.error_before_exec
    return done.result


def fail(shell: Any, cell: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert shell.run_cell(cell).error_in_exec is not None
    shown = capsys.readouterr()
    return shown.out + shown.err


def test_a_session(shell, library):
    found = run(shell, "%lancesql connect {folder}")
    assert repr(found) == f"<lancesql.Connection to {str(library)!r}>"
    assert run(shell, "%lancesql") is found
    assert run(shell, "%sql SELECT title FROM movies WHERE id = 1").fetchall() == [("Alien",)]
    assert run(shell, "%lancesql SELECT count(*) FROM movies").fetchall() == [(12,)]
    run(shell, "year = 1980")
    rows = run(shell, "%%sql\nSELECT title FROM movies\nWHERE year > {year} AND year < {year + 3}\nORDER BY id")
    with lancesql.connect(library) as db:
        expected = db.sql("SELECT title FROM movies WHERE year > 1980 AND year < 1983 ORDER BY id").fetchall()
    assert rows.fetchall() == expected
    run(shell, "%lancesql close")
    assert found.closed


def test_an_answer_is_kept(shell):
    run(shell, "%lancesql connect {folder}")
    assert run(shell, "%sql found << SELECT id FROM movies ORDER BY id LIMIT 2") is None
    assert run(shell, "found.fetchall()") == [(1,), (2,)]
    assert run(shell, "%%sql found <<\nSELECT 1 AS id\n") is None
    assert run(shell, "found.fetchall()") == [(1,)]
    assert run(shell, "%%sql found << SELECT 2\nAS id") is None
    assert run(shell, "found.fetchall()") == [(2,)]
    assert run(shell, "rows = %sql SELECT 3 AS id\nrows.fetchall()") == [(3,)]
    assert run(shell, "%sql SELECT 1 << 3 AS id").fetchall() == [(8,)]


def test_variables_are_bound_and_frames_are_tables(shell):
    run(shell, "%lancesql connect {folder}")
    shell.user_ns |= {"q": [1.0, 0.0, 0.0, 0.0], "k": 3, "stars": pa.table({"film": [1, 2], "n": [5, 4]})}
    joined = "SELECT id, n FROM vector_search('movies', {q}, k => {k}) JOIN stars ON film = id ORDER BY id"
    found = run(shell, f"%sql {joined}")
    assert found.columns == ["id", "n"]
    with lancesql.connect(shell.user_ns["folder"]) as db:
        stars = shell.user_ns["stars"]
        assert stars.num_rows == 2
        text = joined.replace("{q}", "$q").replace("{k}", "$k")
        assert found.fetchall() == db.sql(text, {"q": shell.user_ns["q"], "k": 3}).fetchall()
    shell.user_ns["word"] = "'; DROP TABLE movies; --"
    assert run(shell, "%sql SELECT {word} AS word").fetchall() == [(shell.user_ns["word"],)]
    assert run(shell, "%sql SELECT {'a': 1, 'b': {word}} AS s").fetchall() == [({"a": 1, "b": shell.user_ns["word"]},)]


def test_a_connection_of_ones_own_stays_open(shell, library):
    with lancesql.connect(library) as db:
        shell.user_ns["db"] = db
        assert run(shell, "%lancesql connect {db}") is db
        assert run(shell, "%sql SELECT count(*) FROM movies").fetchall() == [(12,)]
        run(shell, "%lancesql close")
        assert not db.closed


def test_a_folder_of_its_own(shell, tmp_path):
    shell.user_ns["base"] = tmp_path
    run(shell, "%lancesql connect '{base}/a folder'")
    run(shell, "%lancesql connect {base}/films")
    run(shell, "%sql CREATE TABLE t AS SELECT 1 AS a")
    assert (tmp_path / "films" / "t.lance").is_dir()
    run(shell, "%lancesql connect {base / 'films'} --read-only")
    with pytest.raises(lancesql.UnsupportedError, match="reading only"):
        run(shell, "%sql DROP TABLE t")


def test_errors_are_shown_without_a_traceback(shell, capsys):
    assert "the notebook has no connection" in fail(shell, "%sql SELECT 1", capsys)
    run(shell, "%lancesql connect {folder}")
    shown = fail(shell, "%sql SELECT titel FROM movies WHERE {1 + 1} > 1", capsys)
    assert shown.splitlines()[0].startswith("UnknownColumnError: ")
    assert "Traceback" not in shown
    assert "  LINE 1: SELECT titel FROM movies WHERE {1 + 1} > 1" in shown
    assert "                 ^^^^^\n" in shown
    shown = fail(shell, "%%sql\nSELECT {1 + 1},\n  titel FROM movies", capsys)
    assert "  LINE 2:   titel FROM movies\n            ^^^^^" in shown
    assert "ConversionError" in (shown := fail(shell, "%sql SELECT 'x'::INTEGER", capsys)) or "EngineError" in shown
    assert "there is no statement" in fail(shell, "%sql", capsys)
    assert "no option '--readonly'" in fail(shell, "%lancesql connect x --readonly", capsys)
    assert "one database at a time" in fail(shell, "%lancesql connect a b", capsys)


def test_a_sql_magic_of_another_stays(library, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    made = open_shell()
    made.register_magic_function(lambda line: "theirs", "line", "sql")
    made.run_line_magic("load_ext", "lancesql")
    assert "%lancesql" in capsys.readouterr().out
    assert made.run_line_magic("sql", "SELECT 1") == "theirs"
    made.user_ns["folder"] = str(library)
    made.run_line_magic("lancesql", "connect {folder}")
    assert made.run_line_magic("lancesql", "SELECT 1 AS a").fetchall() == [(1,)]
    made.run_line_magic("lancesql", "close")
    close_shell(made)


def test_a_plan_is_a_tree(shell):
    run(shell, "%lancesql connect {folder}")
    shown = run(shell, "%sql EXPLAIN SELECT id FROM movies WHERE year > 1980")._repr_mimebundle_()
    assert "year &gt; 1980" in shown["text/html"]
    assert "RowCount" not in shown["text/plain"]
    assert "TableScan movies" in shown["text/plain"]
