"""Prints the demo: headings, paragraphs, steps with their times, statements in colour."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator

__all__ = ["print_heading", "print_sql", "print_step", "print_text", "time_step"]

_WIDEST = 100


def print_heading(text: str) -> None:
    """Prints a heading, with an empty line above it."""
    print(f"\n{_style(text, '1')}\n")


def print_text(text: str, indent: str = "") -> None:
    """Prints a paragraph, broken at the width of the terminal."""
    print(textwrap.fill(text, _find_width(), initial_indent=indent, subsequent_indent=indent, break_long_words=False))


def print_sql(sql: str, indent: str = "  ") -> None:
    """Prints a statement, in colour on a terminal."""
    if _has_colour():
        from pygments import highlight  # type: ignore[import-untyped]
        from pygments.formatters import TerminalFormatter  # type: ignore[import-untyped]
        from pygments.lexers.sql import SqlLexer  # type: ignore[import-untyped]

        sql = highlight(sql, SqlLexer(), TerminalFormatter()).rstrip("\n")
    print(textwrap.indent(sql, indent))


def print_step(label: str, note: str) -> None:
    """Prints what was done, with a note at the right."""
    lines = textwrap.wrap(label, max(40, _find_width() - 12), subsequent_indent="  ") or [""]
    *first, last = lines
    for line in first:
        print(f"  {line}")
    print(f"  {last:<{_find_width() - 12}} {note:>9}")


@contextlib.contextmanager
def time_step(label: str) -> Iterator[None]:
    """Prints the label and, at its right, how long the block took."""
    started = time.perf_counter()
    yield
    print_step(label, f"{time.perf_counter() - started:.1f} s")


def _find_width() -> int:
    return max(60, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns))


def _has_colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _style(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if _has_colour() else text
