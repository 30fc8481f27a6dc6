"""A bar on a terminal, nothing anywhere else."""

from __future__ import annotations

import io
import sys

import pytest

from lancesql.execution.progress import show_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return terminal


def test_silent_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        with show_progress("building") as report:
            assert report is None
        assert stream is None or stream.getvalue() == ""


def test_stages_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    with show_progress("building IVF_PQ on t") as report:
        assert report is not None
        report("train_ivf", 3, 50)
        report("some_stage", None, None)
        report("rows", 12_345, None)
    assert "building IVF_PQ on t: rows" in terminal.getvalue()
    assert "12,345" in terminal.getvalue()


def test_parts_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    with show_progress("changing t") as report:
        assert report is not None
        report("index my_index (1 of 2): train_ivf", 3, 50)
    assert "changing t: index my_index (1 of 2): training partitions" in terminal.getvalue()
    assert "3 of 50" in terminal.getvalue()
