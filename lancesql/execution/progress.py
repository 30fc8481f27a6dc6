"""Progress of long builds, on a terminal; silent anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Report", "show_progress"]

Report = Callable[[str, int | None, int | None], None]
"""Told the stage, `part: stage` where there are several parts, how much of it is done, and how much there is."""

_STAGES = {
    "train_ivf": "training partitions",
    "train_quantizer": "training the quantizer",
    "shuffle": "sorting rows into partitions",
    "merge_partitions": "writing partitions",
}


@contextmanager
def show_progress(title: str) -> Iterator[Report | None]:
    """Shows a bar with the time passed while the block runs, when the standard error is a terminal.

    Yields:
        What the block reports its progress to; None when nobody looks.
    """
    stream = sys.stderr
    if stream is None or not stream.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns: tuple[Any, ...] = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task(title, total=None, done="")

        def report(stage: str, completed: int | None, total: int | None) -> None:
            place, sign, last = stage.rpartition(": ")
            name = f"{place}{sign}{_STAGES.get(last, last.replace('_', ' '))}"
            done = "" if not completed else f"{completed:,}" if not total else f"{completed:,} of {total:,}"
            progress.update(
                task, description=f"{title}: {name}", completed=completed or 0, total=total or None, done=done
            )

        yield report
