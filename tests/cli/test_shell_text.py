"""When Enter runs what is written, and where history is kept."""

from pathlib import Path

import pytest

from lancesql.shell import find_history, is_complete


@pytest.mark.parametrize(
    "text", ["", "  ", ".help", " .tables", "SELECT 1;", "SELECT 1; -- done", "SELECT ';';", "-- note"]
)
def test_complete(text: str) -> None:
    assert is_complete(text)


@pytest.mark.parametrize("text", ["SELECT 1", "SELECT ';", "SELECT 1; SELECT 2", "SELECT 1 -- ;", "SELECT /* ; */ 1"])
def test_incomplete(text: str) -> None:
    assert not is_complete(text)


def test_history_is_in_the_state_folder(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert find_history() == tmp_path / "lancesql" / "history"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert find_history() == Path.home() / ".local" / "state" / "lancesql" / "history"
