"""`python -m benchmarks [--rounds N] [--database DIR]`: one table, with the bars that have to hold."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

import lancesql

from .batches import make_batch_cases
from .cases import Bar, cycle_queries, make_cases
from .data import build_database, read_source
from .lazy_frames import make_lazy_cases
from .measure import Measurement, measure_case, measure_imports
from .semi_joins import make_semi_join_cases
from .texts import make_text_cases
from .tpch import make_tpch_cases


def main() -> int:
    """Prints the table; 1 when a bar is missed and `--strict` is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="pairs measured for each case")
    parser.add_argument("--database", type=Path, help="build the tables here, and find them here the next time")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a bar is missed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        met = run(options.database or Path(temporary) / "benchmarks", options.rounds)
    return 0 if met or not options.strict else 1


def run(folder: Path, rounds: int) -> bool:
    """Measures everything; whether every bar is met."""
    source = read_source()
    rows, dimension = source.movies.num_rows, source.queries.shape[1]
    console = Console(width=None if sys.stdout.isatty() else 120)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("duckdb", "pylance", "pyarrow"))
    console.print(f"{source.name}: {rows:,} vectors of {dimension} dimensions; {versions}")
    console.print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {rounds} alternating pairs, milliseconds\n"
    )
    table = Table()
    table.add_column("p50")
    for heading in ("lancesql", "by hand", "difference", "ratio", "bar", ""):
        table.add_column(heading, justify="right")
    verdicts = []
    with build_database(source, folder) as db:
        next_query = cycle_queries(source)
        cases = make_cases(db, source, folder)
        _settle(db)
        verdicts += [_add_row(table, one.name, measure_case(one, rounds, next_query), one.bar) for one in cases]
        texts = make_text_cases(db, source, folder)
        _settle(db)
        verdicts += [_add_row(table, one.name, measure_case(one, rounds, lambda: None), one.bar) for one in texts]
        few = max(2, rounds // 50)
        batches = make_batch_cases(db, source)
        verdicts += [_add_row(table, one.name, measure_case(one, few, lambda: None), one.bar) for one in batches]
    for make_more in (make_tpch_cases, make_semi_join_cases, make_lazy_cases):
        more, cases = make_more(folder / make_more.__module__.rpartition(".")[2])
        with more:
            _settle(more)
            heavy = max(15, rounds // 10)
            verdicts += [_add_row(table, one.name, measure_case(one, heavy, lambda: None), one.bar) for one in cases]
    imported = measure_imports(max(5, rounds // 20))
    verdicts.append(_add_row(table, "import, beside import duckdb", imported, Bar(ratio=1.0)))
    console.print(table)
    return all(verdicts)


def _settle(db: lancesql.Connection) -> None:
    """Lance is asked each time for the newest version of a table that was just written; those measured are older."""
    for seconds in (4, 0):
        for name in db.tables():
            db.sql(f'SELECT count(*) FROM "{name}"').to_arrow()
        time.sleep(seconds)


def _add_row(table: Table, name: str, measured: Measurement, bar: Bar | None) -> bool:
    met = bar is None or _is_met(measured, bar)
    compared = measured.by_hand is not None
    table.add_row(
        name,
        f"{measured.ours:.3f}",
        f"{measured.by_hand:.3f}" if compared else "",
        f"{measured.difference:+.3f}" if compared else "",
        f"{measured.ratio:.2f}" if compared else "",
        "" if bar is None else str(bar),
        "" if bar is None else ("met" if met else "MISSED"),
    )
    return met


def _is_met(measured: Measurement, bar: Bar) -> bool:
    if bar.difference is not None:
        return measured.difference is not None and measured.difference <= bar.difference
    return measured.ratio is not None and bar.ratio is not None and measured.ratio <= bar.ratio


if __name__ == "__main__":
    sys.exit(main())
