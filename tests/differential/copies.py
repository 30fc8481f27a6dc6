"""One small table stored many times: under each kind of scalar index, fresh and with the index behind the data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import lance
import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.engines.duckdb import DuckDBEngine
from lancesql.engines.namespace import Namespace
from lancesql.execution.filters.constants import ask_engine
from lancesql.optimizer.translation.predicates import UntranslatableError, translate_predicate
from lancesql.storage.filters.render import Ask, UnrenderableError, render_filter
from lancesql.storage.scan import count_matches, open_scan, read_scan

from .oracle import Failure, widen
from .tables import COLUMNS, make_table

ROWS, BEHIND = 60, 30
NESTED = {"tags", "nums", "reals", "llist", "st", "dict"}
BLOOMS = {"f16", "b", "dur", "dec", "dec256", "fsb"} | NESTED
PLAIN = [column.name for column in COLUMNS if column.name not in NESTED]
INDEXED: dict[str, list[tuple[str, str]]] = {
    "none": [],
    "btree": [*((name, "BTREE") for name in [*PLAIN, "st.a"])],
    "bitmap": [*((name, "BITMAP") for name in PLAIN)],
    "zonemap": [(column.name, "ZONEMAP") for column in COLUMNS],
    "bloom": [(column.name, "BLOOMFILTER") for column in COLUMNS if column.name not in BLOOMS],
    "labels": [
        *((name, "LABEL_LIST") for name in ("tags", "nums", "reals", "llist")),
        *((name, "NGRAM") for name in ("s", "ls", "select")),
    ],
}
STATES = ("fresh", "behind", "compacted")


class Copies:
    """The copies, and DuckDB over the same rows in memory.

    Attributes:
        datasets: Copy → its handle.
        pushed: How many predicates Lance was asked.
        left: Why it was not asked the others: reason → how many.
    """

    def __init__(self, root: Path) -> None:
        self.datasets: dict[str, lance.LanceDataset] = {}
        for kind in INDEXED:
            for state in STATES:
                if (kind, state) not in (("none", "fresh"), ("none", "compacted")):
                    self.datasets[f"{kind}_{state}"] = _write(root / f"{kind}_{state}.lance", kind, state)
        stored = self.datasets["none_behind"].to_table()
        self.table = TableInfo("t", "t", 1, stored.schema, stored.num_rows)
        self.memory = duckdb.connect()
        self.memory.register("arrow", widen(stored))
        self.memory.execute("CREATE TABLE t AS FROM arrow")
        self.engine = DuckDBEngine()
        self.restart()

    def restart(self, zone: str = "UTC") -> None:
        """Counts anew, in another time zone."""
        self.pushed = 0
        self.left: dict[str, int] = {}
        for connection in (self.memory, self.engine.connection):
            connection.execute(f"SET TimeZone = '{zone}'")
        self.ask: Ask = ask_engine(self.engine, Namespace(None), {})

    def expect_pushed(self, share: float) -> None:
        """Fails when the translator refuses what it can answer: every other check would pass without it."""
        asked = self.pushed + sum(self.left.values())
        reasons = sorted(self.left.items(), key=lambda one: -one[1])
        assert self.pushed >= share * asked, f"{self.pushed} of {asked} pushed: {reasons}"

    def close(self) -> None:
        self.memory.close()
        self.engine.close()

    def find_ids(self, where: str, parameters: Mapping[str, Any]) -> list[int] | Failure:
        """The ids of the rows DuckDB keeps."""
        used = {name: value for name, value in parameters.items() if f"${name}" in where}
        try:
            answer = self.memory.sql(f"SELECT id FROM t WHERE {where}", params=used or None)
            return sorted(row[0] for row in answer.fetchall())
        except (duckdb.Error, TypeError, ValueError, OverflowError) as error:
            return Failure(str(error))

    def render(self, where: str, parameters: Mapping[str, Any]) -> str | None:
        """What Lance is asked, or None; a plain count of both is kept."""
        try:
            text = render_filter(translate_predicate(where, "t", self.table), parameters, self.ask)
        except (UntranslatableError, UnrenderableError) as error:
            self.left[str(error)] = self.left.get(str(error), 0) + 1
            return None
        self.pushed += 1
        return text

    def check(self, where: str, parameters: Mapping[str, Any], *, turn: int = 0, every: bool = False) -> str | None:
        """What is wrong with Lance's rows under a predicate, without an index and with each kind, or with two."""
        wanted = self.find_ids(where, parameters)
        text = self.render(where, parameters)
        if text is None or isinstance(wanted, Failure):
            return None
        names = list(self.datasets)
        if not every:
            others = names[1:]
            names = [names[0], *(others[(turn * 2 + one) % len(others)] for one in range(2))]
        for name in names:
            dataset = self.datasets[name]
            found = sorted(read_scan(open_scan(dataset, ["id"], filter=text)).column(0).to_pylist())
            if found != wanted:
                more, fewer = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
                what = f"too many {more[:5]}, too few {fewer[:5]}, of {len(wanted)}"
                return f"{name}: {what}\n  {where}\n  {parameters}\n  {text}"
        if count_matches(self.datasets[names[-1]], text) != len(wanted):
            return f"{names[-1]} counts otherwise\n  {where}\n  {parameters}\n  {text}"
        return None


def _write(path: Path, kind: str, state: str) -> lance.LanceDataset:
    first, second = make_table(7, ROWS), make_table(8, BEHIND, first_id=1000)
    dataset = lance.write_dataset(first, path, max_rows_per_file=ROWS // 2)
    if state == "fresh":
        _change(dataset, second)
        dataset = lance.dataset(path)
    for column, index in INDEXED[kind]:
        dataset.create_scalar_index(column, index)
    if state != "fresh":
        _change(lance.dataset(path), second)
    dataset = lance.dataset(path)
    if state == "compacted":
        dataset.optimize.compact_files()
    return lance.dataset(path)


def _change(dataset: lance.LanceDataset, more: pa.Table) -> None:
    dataset.insert(more)
    dataset.delete("id % 4 = 1")
    dataset.update({"i32": "7", "s": "'abc'", "f64": "1.5", "b": "true", "d": "DATE '2024-01-01'"}, where="id % 5 = 2")
