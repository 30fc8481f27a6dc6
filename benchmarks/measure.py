"""Paired, alternating measurements: a machine's mood falls on both sides alike."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from .cases import Case

_WARM_UP = 10


@dataclass(frozen=True)
class Measurement:
    """Milliseconds.

    Attributes:
        ours: The p50 of the statement.
        by_hand: The p50 of the work by hand.
        difference: The typical difference within a pair.
        ratio: The typical ratio within a pair.
    """

    ours: float
    by_hand: float | None = None
    difference: float | None = None
    ratio: float | None = None


def measure_case(case: Case, rounds: int, next_query: Callable[[], Any]) -> Measurement:
    """Checks that both sides answer alike, then times them in turn."""
    for _ in range(_WARM_UP):
        query = next_query()
        answer = case.ours(query)
        if case.by_hand is not None:
            expected = case.by_hand(query)
            assert answer.num_rows == expected.num_rows, case.name
            assert case.approximate or answer.to_pydict() == expected.to_pydict(), case.name
    gc.collect()
    gc.disable()
    try:
        pairs = [time_pair(case, next_query(), first=number % 2 == 0) for number in range(rounds)]
    finally:
        gc.enable()
    ours = median(pair[0] for pair in pairs)
    if case.by_hand is None:
        return Measurement(ours)
    return compare_pairs(pairs)


def compare_pairs(pairs: list[tuple[float, float]]) -> Measurement:
    """Sums up pairs of which every other one was measured in the other order.

    Whoever comes second finds warm caches, so the differences have two modes, and a median of all of them would lie
    anywhere between: it is taken of each order, and their mean is the answer.
    """
    orders = (pairs[0::2], pairs[1::2])
    return Measurement(
        median(pair[0] for pair in pairs),
        median(pair[1] for pair in pairs),
        mean(median(pair[0] - pair[1] for pair in order) for order in orders),
        mean(median(pair[0] / pair[1] for pair in order) for order in orders),
    )


def time_pair(case: Case, query: Any, *, first: bool) -> tuple[float, float]:
    """Milliseconds of the statement and of the work by hand, one after the other."""
    if case.by_hand is None:
        return time_work(case.ours, query), 0.0
    if first:
        ours = time_work(case.ours, query)
        return ours, time_work(case.by_hand, query)
    by_hand = time_work(case.by_hand, query)
    return time_work(case.ours, query), by_hand


def time_work(work: Callable[[Any], Any], query: Any) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    work(query)
    return (time.perf_counter() - started) * 1e3


def measure_imports(rounds: int) -> Measurement:
    """`import lancesql` beside `import duckdb`, each in a new interpreter."""
    pairs = []
    for number in range(rounds):
        names = ("lancesql", "duckdb") if number % 2 else ("duckdb", "lancesql")
        times = {name: _time_import(name) for name in names}
        pairs.append((times["lancesql"], times["duckdb"]))
    return compare_pairs(pairs)


def _time_import(module: str) -> float:
    program = f"import time; t = time.perf_counter(); import {module}; print((time.perf_counter() - t) * 1e3)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(done.stdout)
