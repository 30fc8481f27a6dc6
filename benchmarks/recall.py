"""`python -m benchmarks.recall`: recall@k of the default search for every kind of index and selectivity."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import lancesql

from .vectors import BUILDERS, KINDS, VectorSet, build_table, read_vector_sets

__all__ = ["BAR", "SHARES", "Cell", "measure_cell"]

BAR = 0.95
SHARES = (1.0, 0.1, 0.01, 0.001, 0.0001)
FILTERS = ("scattered", "near")


@dataclass(frozen=True)
class Cell:
    """What came of one filter.

    Attributes:
        recall: The mean share of the true k nearest that were found.
        complete: Every answer had min(k, matches) rows, nearest first, with true distances.
        milliseconds: The mean time of a statement.
    """

    recall: float
    complete: bool
    milliseconds: float


def measure_cell(
    db: lancesql.Connection, table: str, source: VectorSet, column: str, share: float, k: int = 10, options: str = ""
) -> Cell:
    """Asks every query of the set with the default settings, and compares with brute force."""
    rows = len(source.vectors)
    kept = max(1, round(rows * share))
    numbers = source.to_arrow().column(column).to_numpy()
    ids = np.flatnonzero(numbers < kept)
    vectors = source.vectors[ids]
    where = "" if share >= 1 else f" WHERE {column} < {kept}"
    sql = f"SELECT id, _distance FROM vector_search('{table}', $q, k => {k}{options}){where}"
    found, complete, seconds = 0.0, True, 0.0
    lengths = (vectors**2).sum(axis=1)
    for query in source.queries:
        started = time.perf_counter()
        answer = db.sql(sql, {"q": query}).to_arrow()
        seconds += time.perf_counter() - started
        wanted = min(k, len(ids))
        near = np.argpartition(lengths - 2 * (vectors @ query), wanted - 1)[: wanted + 20]
        truth = np.sort(((vectors[near] - query).astype(np.float64) ** 2).sum(axis=1))[:wanted]
        got = answer.column("id").to_numpy()
        true = ((source.vectors[got] - query).astype(np.float64) ** 2).sum(axis=1)
        distances = answer.column("_distance").to_numpy()
        complete &= len(got) == wanted == len(set(got.tolist())) and bool(np.isin(got, ids).all())
        complete &= np.allclose(distances, true, rtol=2e-3) and bool((np.diff(distances) >= 0).all())
        found += float((true <= truth[-1] * (1 + 1e-6) + 1e-9).sum()) / wanted
    return Cell(found / len(source.queries), complete, seconds * 1e3 / len(source.queries))


def main() -> int:
    """Prints a table for each set; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recall", description=__doc__)
    parser.add_argument("--sets", nargs="+", default=["movies", "sift5k", "clusters"])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS))
    parser.add_argument("--builders", nargs="+", default=list(BUILDERS))
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--database", type=Path, help="build the tables here, and find them here the next time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        return 0 if run(options, options.database or Path(temporary) / "recall") else 1


def run(options: Any, folder: Path) -> bool:
    """Measures every cell; whether all meet the bar."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    met = True
    with lancesql.connect(folder) as db:
        for source in read_vector_sets(options.sets, options.queries):
            table = Table(title=f"{source.name}: recall@{options.k} and milliseconds, {len(source.queries)} queries")
            for heading in ("index", "built by", "filter", *(f"{share:.2%}" for share in SHARES)):
                table.add_column(heading)
            for kind in options.kinds:
                for builder in options.builders:
                    met &= _add_rows(table, db, source, kind, builder, options.k)
            console.print(table)
    return met


def _add_rows(table: Table, db: lancesql.Connection, source: VectorSet, kind: str, builder: str, k: int) -> bool:
    name = build_table(db, source, kind, builder)
    met = True
    for column in FILTERS:
        cells = [measure_cell(db, name, source, column, share, k) for share in SHARES]
        met &= all(cell.complete and cell.recall >= BAR for cell in cells)
        shown = [_show(cell) for cell in cells]
        table.add_row(kind, builder, column, *shown)
        print(kind, builder, column, *shown, file=sys.stderr, flush=True)
    return met


def _show(cell: Cell) -> str:
    flaw = "" if cell.complete else "incomplete "
    return f"{flaw}{'' if cell.recall >= BAR else '* '}{cell.recall:.3f} {cell.milliseconds:6.1f}"


if __name__ == "__main__":
    sys.exit(main())
