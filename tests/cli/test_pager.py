"""Long answers on a terminal go through a pager; nothing else does. Names of the command line are completed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from lancesql.cli import main; main()"]
LONG = "SELECT i FROM range(60) r(i) ORDER BY i"


def run_on_terminal(*arguments: str | Path, stdin: str = "") -> str:
    """What a terminal of 24 lines shows; the pager marks each of its lines."""
    ours, theirs = pytest.importorskip("pty").openpty()
    environment = {**os.environ, "PAGER": "sed s/^/paged:/", "TERM": "xterm", "LINES": "24", "COLUMNS": "80"}
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment
    )
    os.close(theirs)
    if stdin:
        os.write(ours, stdin.encode())
    shown = b""
    while True:
        try:
            read = os.read(ours, 1 << 16)
        except OSError:  # Linux says so when the other side is closed
            break
        if not read:
            break
        shown += read
    assert process.wait(60) == 0, process.communicate()[1]
    process.communicate()
    os.close(ours)
    return shown.decode()


def test_a_long_table_is_paged(database: Path) -> None:
    shown = run_on_terminal("-d", database, "query", LONG, "--rows", "60")
    lines = shown.splitlines()
    assert all(line.startswith("paged:") for line in lines)
    assert [int(line.strip("paged:│ ")) for line in lines[4:-2]] == list(range(60))


def test_what_fits_is_printed(database: Path) -> None:
    assert "paged:" not in run_on_terminal("-d", database, "query", LONG, "--rows", "5")


def test_no_pager_is_heeded(database: Path) -> None:
    assert "paged:" not in run_on_terminal("-d", database, "query", LONG, "--rows", "60", "--no-pager")


def test_a_pipe_has_no_pager_and_no_colours(database: Path) -> None:
    environment = {**os.environ, "PAGER": "sed s/^/paged:/", "TERM": "xterm-256color", "FORCE_COLOR": ""}
    done = subprocess.run(
        [*COMMAND, "-d", str(database), "query", LONG, "--rows", "60"], capture_output=True, env=environment, check=True
    )
    assert b"paged:" not in done.stdout
    assert b"\x1b" not in done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 66


@pytest.mark.parametrize(
    ("shell", "typed", "expected"),
    [
        ("bash", "lancesql q", ["query"]),
        ("bash", "lancesql query --form", ["--format"]),
        ("bash", "lancesql query --format a", ["arrow"]),
        ("bash", "lancesql query --pa", ["--param", "--pager"]),
    ],
)
def test_words_of_the_command_line_are_completed(shell: str, typed: str, expected: list[str]) -> None:
    environment = {
        **os.environ,
        "_LANCESQL_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
        "_TYPER_COMPLETE_ARGS": typed,
    }
    program = "import sys; sys.argv[0] = 'lancesql'; from lancesql.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.split() == expected, done.stderr


def test_a_completion_script_is_shown() -> None:
    program = "import sys; sys.argv[0] = 'lancesql'; from lancesql.cli import main; main(['--show-completion', 'bash'])"
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert "_LANCESQL_COMPLETE=complete_bash" in done.stdout
