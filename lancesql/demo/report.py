"""Prints the demo: headings, paragraphs, steps with their times, statements in colour."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator

__all__ = ["format_time", "print_heading", "print_sql", "print_step", "print_text", "time_step"]

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
    _start_step(label)
    print(f" {note:>9}".rstrip())


@contextlib.contextmanager
def time_step(label: str) -> Iterator[None]:
    """Prints the label and, when the block is done, how long it took."""
    _start_step(label)
    started = time.perf_counter()
    try:
        yield
    except BaseException:
        print()
        raise
    print(f" {format_time(time.perf_counter() - started):>9}")


def _start_step(label: str) -> None:
    whole = re.sub(r"(WITH )?\([^)]*\)", lambda found: found[0].replace(" ", "\xa0"), label)  # no break inside brackets
    *first, last = textwrap.wrap(whole, max(40, _find_width() - 12), subsequent_indent="    ")
    lines = [*first, f"{last:<{_find_width() - 12}}"]
    print(textwrap.indent("\n".join(lines), "  ").replace("\xa0", " "), end="", flush=True)


def format_time(seconds: float) -> str:
    """A time in the unit that suits it.

    Example:
        >>> format_time(0.0431), format_time(2.5)
        ('43 ms', '2.5 s')
    """
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def _find_width() -> int:
    return max(60, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns))


def _has_colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _style(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if _has_colour() else text
