"""Builds the demo's database by SQL, and remembers in it what it was built from."""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from lancesql.demo.report import format_time, print_step
from lancesql.errors import ExecutionError

if TYPE_CHECKING:
    import lancesql

__all__ = ["BUILD_STATEMENTS", "build_database", "find_state", "read_vectors", "register_modules"]

_MARKER = "lancesql-demo.json"
_FORMAT = 1

BUILD_STATEMENTS = (
    "CREATE OR REPLACE TABLE docstrings AS SELECT * FROM objects",
    "CREATE OR REPLACE TABLE questions AS SELECT * FROM asked",
    "CREATE INDEX ON docstrings (vector) USING IVF_PQ WITH (metric = 'cosine')",
    "CREATE INDEX ON docstrings (text) USING FTS",
    "CREATE INDEX ON docstrings (kind) USING BITMAP",
    "CREATE INDEX ON docstrings (module) USING BTREE",
)


def find_state(folder: Path) -> Literal["absent", "outdated", "finished"]:
    """Whether a demo lies in `folder`, and whether this version built it to its end from the same Python.

    Raises:
        ExecutionError: When the folder holds something else, which must not be overwritten.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return "absent"
    try:
        marker = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ExecutionError(
            f"'{folder}' is not empty, and no database of the demo", hint="choose another directory with --dir"
        ) from None
    return "finished" if marker == {**_describe_source(), "finished": True} else "outdated"


def build_database(db: lancesql.Connection, folder: Path, objects: pa.Table, questions: pa.Table) -> None:
    """Makes the tables and their indexes, one statement each, and prints them with their times."""
    _write_marker(folder, finished=False)
    db.register("objects", objects)
    db.register("asked", questions)
    for statement in BUILD_STATEMENTS:
        started = time.perf_counter()
        db.execute(statement)
        print_step(f"{statement};", format_time(time.perf_counter() - started))  # last: a progress bar wipes its line
    _write_marker(folder, finished=True)


def register_modules(db: lancesql.Connection, modules: pa.Table) -> None:
    """Makes the temporary DuckDB table that the demo joins with."""
    db.register("counted", modules)
    statement = "CREATE TEMP TABLE modules AS SELECT * FROM counted"
    db.execute(statement)
    print_step(f"{statement};", f"{modules.num_rows:,} rows")


def read_vectors(db: lancesql.Connection) -> dict[str, list[float]]:
    """The vectors of the questions that the database was built with."""
    return {question: list(vector) for question, vector in db.sql("SELECT question, vector FROM questions").fetchall()}


def _describe_source() -> dict[str, object]:
    return {"format": _FORMAT, "python": platform.python_version()}


def _write_marker(folder: Path, *, finished: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).write_text(json.dumps({**_describe_source(), "finished": finished}), encoding="utf-8")
