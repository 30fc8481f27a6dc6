"""`python -m benchmarks.selectivities`: filtered search beside the best call by hand that finds as much, by share."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import lance
import numpy as np
import pyarrow as pa
from lance.dataset import serialize_row_addrs
from rich.console import Console
from rich.table import Table

import lancesql

from .cases import Bar, Case, Work
from .measure import Measurement, compare_pairs, time_pair, time_work
from .recall import SHARES
from .vectors import VectorSet, build_table, read_vector_sets

__all__ = ["BAR", "WAYS"]

BAR = Bar(ratio=1.2)
K = 10
WAYS = {"BTREE": "scattered < {}", "not indexed": "unindexed < {}", "in DuckDB": "gcd(scattered, 0) < {}"}
"""How Lance learns which rows qualify; of the last it is given a list of ids."""
_PROBES = (0.125, 0.25, 0.5, 1.0)
_FACTORS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class Scope:
    """The rows that qualify.

    Attributes:
        ids: Their ids, which are their places in the set too.
        text: Lance's filter; None when every row qualifies, or Lance cannot evaluate it.
        predicate: DuckDB's, when Lance cannot evaluate it.
    """

    ids: np.ndarray[Any, Any]
    text: str | None = None
    predicate: str | None = None


class ByHand:
    """Calls of pylance that find the nearest rows that qualify."""

    def __init__(self, dataset: lance.LanceDataset, scope: Scope) -> None:
        self.dataset = dataset
        self.scope = scope
        self.connection = duckdb.connect()

    def list_calls(self, partitions: int, *, with_numpy: bool) -> Iterator[tuple[str, list[tuple[str, Work]]]]:
        """Each kind of call from the least effort to the most: the first that finds enough is the best of its kind."""
        yield "flat", [("flat", self.search(use_index=False))]
        if with_numpy:
            yield "rows", [("rows and numpy", self.compare_rows)]
        for share in _PROBES:
            nprobes = max(1, round(share * partitions))
            calls = [
                (f"{nprobes} probes, refine {factor}", self.search(minimum_nprobes=nprobes, refine_factor=factor))
                for factor in _FACTORS
            ]
            yield f"{nprobes} probes", calls

    def search(self, **effort: Any) -> Work:
        """Lance's own search."""

        def run(query: Any) -> pa.Table:
            return self.dataset.scanner(
                columns=["id", "_distance"],
                nearest={"column": "vector", "q": query, "k": K, "metric": "l2", **effort},
                prefilter=True,
                disable_scoring_autoprojection=True,
                **self._narrow(),
            ).to_table()

        return run

    def compare_rows(self, query: Any) -> pa.Table:
        """The rows that qualify are read, and compared by numpy."""
        rows = self.dataset.scanner(columns=["id", "vector"], prefilter=True, **self._narrow()).to_table()
        ids = rows.column("id").to_numpy()
        vectors = rows.column("vector").combine_chunks().flatten().to_numpy().reshape(len(ids), -1)
        away = vectors.astype(np.float32) - query
        distances = np.einsum("ij,ij->i", away, away)
        nearest = np.argsort(distances, kind="stable")[:K]
        return pa.table({"id": ids[nearest], "_distance": distances[nearest]})

    def _narrow(self) -> dict[str, Any]:
        if self.scope.predicate is None:
            return {"filter": self.scope.text}
        rows = self.dataset.scanner(columns=["scattered"], with_row_id=True).to_reader()
        assert rows.schema
        found = self.connection.sql(f"SELECT _rowid FROM rows WHERE {self.scope.predicate}").to_arrow_table()
        return {"row_addr_allowlist": serialize_row_addrs(found.column(0).to_numpy().tolist())}


def main() -> int:
    """Prints a table for each set; 1 when a bar is missed and `--strict` is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.selectivities", description=__doc__)
    parser.add_argument("--sets", nargs="+", default=["movies", "clusters"])
    parser.add_argument("--kind", default="IVF_PQ")
    parser.add_argument("--queries", type=int, default=20, help="of which the recall is taken")
    parser.add_argument("--rounds", type=int, default=20, help="pairs measured for each cell")
    parser.add_argument("--database", type=Path, help="build the tables here, and find them here the next time")
    parser.add_argument("--numpy", action="store_true", help="reading the rows to compare them by numpy counts as well")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a bar is missed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        met = run(options, options.database or Path(temporary) / "selectivities")
    return 0 if met or not options.strict else 1


def run(options: Any, folder: Path) -> bool:
    """Measures every cell; whether all meet the bar."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    met = True
    with lancesql.connect(folder) as db:
        for source in read_vector_sets(options.sets, options.queries):
            name = _build(db, source, options.kind)
            table = Table(title=f"{source.name}, {options.kind}: p50 in ms, k = {K}, {len(source.queries)} queries")
            for heading in ("filter", "rows kept", "lancesql", "recall", "by hand", "recall", "ratio", "", "how"):
                table.add_column(heading)
            for share in SHARES:
                for way in WAYS if share < 1 else ("none",):
                    met &= _add_row(table, db, name, source, share, way, options)
            console.print(table)
    return met


def _build(db: lancesql.Connection, source: VectorSet, kind: str) -> str:
    """The table of a set, with a BTREE on `scattered`, and its copy without an index."""
    name = build_table(db, source, kind, "lancesql")
    dataset = lance.dataset(str(Path(str(db._database.main.uri)) / f"{name}.lance"))
    if "unindexed" not in dataset.schema.names:
        dataset.add_columns({"unindexed": "scattered"})
        db.execute(f"CREATE INDEX ON {name} (scattered) USING BTREE")
    return name


def _add_row(
    table: Table, db: lancesql.Connection, name: str, source: VectorSet, share: float, way: str, options: Any
) -> bool:
    kept = max(1, round(len(source.vectors) * share))
    predicate = WAYS[way].format(kept) if way != "none" else None
    numbers = source.to_arrow().column("scattered").to_numpy()
    pushed = way != "in DuckDB"
    scope = Scope(np.flatnonzero(numbers < kept), predicate if pushed else None, None if pushed else predicate)
    sql = f"SELECT id, _distance FROM vector_search('{name}', $q, k => {K})"
    sql += f" WHERE {predicate}" if predicate else ""
    truth = _find_truth(source, scope)
    recall, _ = _try_work(lambda query: db.sql(sql, {"q": query}).to_arrow(), source, truth, min(K, kept))
    dataset = lance.dataset(str(Path(str(db._database.main.uri)) / f"{name}.lance"))
    partitions = dataset.stats.index_stats("vector_idx")["indices"][0]["num_partitions"]
    how, work, reached = _find_best(ByHand(dataset, scope), partitions, source, truth, recall, with_numpy=options.numpy)
    queries = cycle(list(source.queries))
    case = Case(name, lambda query: db.sql(sql, {"q": query}).to_arrow(), work, BAR)
    measured = compare_pairs(
        [time_pair(case, next(queries), first=number % 2 == 0) for number in range(options.rounds)]
    )
    strategy = db.explain(sql, {"q": source.queries[0]})
    row = _show(measured, way, f"{kept:,} ({share:.2%})", recall, reached, how, _read_strategy(strategy))
    table.add_row(*row)
    print(source.name, *row, sep=" | ", file=sys.stderr, flush=True)
    return measured.ratio is not None and measured.ratio <= (BAR.ratio or 0)


def _find_best(
    hand: ByHand, partitions: int, source: VectorSet, truth: list[float], wanted: float, *, with_numpy: bool
) -> tuple[str, Work, float]:
    """The fastest call whose recall is at least that wanted."""
    best: tuple[float, str, Work, float] | None = None
    for _, calls in hand.list_calls(partitions, with_numpy=with_numpy):
        for how, work in calls:
            recall, milliseconds = _try_work(work, source, truth, min(K, len(hand.scope.ids)))
            if recall >= wanted - 1e-9:
                if best is None or milliseconds < best[0]:
                    best = (milliseconds, how, work, recall)
                break
    assert best is not None
    return best[1:]


def _find_truth(source: VectorSet, scope: Scope) -> list[float]:
    """For each query the distance of the last row that belongs to the answer."""
    wanted = min(K, len(scope.ids))
    vectors = source.vectors[scope.ids]
    lengths = (vectors**2).sum(axis=1)
    bounds = []
    for query in source.queries:
        near = np.argpartition(lengths - 2 * (vectors @ query), wanted - 1)[: wanted + 20]
        bounds.append(float(np.sort(((vectors[near] - query).astype(np.float64) ** 2).sum(axis=1))[wanted - 1]))
    return bounds


def _try_work(work: Work, source: VectorSet, truth: list[float], wanted: int) -> tuple[float, float]:
    """The recall, and the median of milliseconds."""
    work(source.queries[0])
    found, times = 0.0, []
    for query, bound in zip(source.queries, truth, strict=True):
        times.append(time_work(work, query))
        ids = work(query).column("id").to_numpy()
        distances = ((source.vectors[ids] - query).astype(np.float64) ** 2).sum(axis=1)
        found += float((distances <= bound * (1 + 1e-6) + 1e-9).sum()) / wanted
    return found / len(truth), median(times)


def _read_strategy(explained: str) -> str:
    lines = [line.strip(" │├└─") for line in explained.splitlines() if "strategy" in line or "partitions" in line]
    return lines[0][:60] if lines else ""


def _show(
    measured: Measurement, way: str, kept: str, recall: float, reached: float, how: str, strategy: str
) -> tuple[str, ...]:
    ratio = measured.ratio or 0.0
    verdict = "met" if ratio <= (BAR.ratio or 0) else "MISSED"
    return (
        way,
        kept,
        f"{measured.ours:.2f}",
        f"{recall:.3f}",
        f"{measured.by_hand or 0:.2f}",
        f"{reached:.3f}",
        f"{ratio:.2f}",
        verdict,
        f"{how}; ours: {strategy}",
    )


if __name__ == "__main__":
    sys.exit(main())
