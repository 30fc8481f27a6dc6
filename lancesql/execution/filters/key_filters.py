"""Predicates of the form `column IN (SELECT …)`, settled: their keys listed for Lance, or looked up row by row."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lancesql.catalog import TableInfo
from lancesql.execution.run import Run
from lancesql.optimizer.choose_keys import cost_listing, cost_matching
from lancesql.plan.sources import Conjunct, KeyQuery

from .key_sets import KeySet
from .keys import list_keys, read_keys

__all__ = ["SettledKeys", "settle_keys"]


@dataclass(frozen=True)
class SettledKeys:
    """What becomes of the predicates Lance does not evaluate as they stand.

    Attributes:
        listed: Those whose keys are a list now, and their Lance text.
        matched: The keys that rows are looked up by.
        left: Those that DuckDB evaluates, and why.
        notes: The user's predicate → what became of its keys.
    """

    listed: list[tuple[Conjunct, str]]
    matched: list[tuple[KeyQuery, KeySet]]
    left: list[tuple[Conjunct, str]]
    notes: tuple[tuple[str, str], ...]


def settle_keys(table: TableInfo, left: list[tuple[Conjunct, str]], run: Run) -> SettledKeys:
    """Reads the keys of each subquery that stands alone: a few are listed for Lance, many become row ids."""
    settled = SettledKeys([], [], [], ())
    notes: list[tuple[str, str]] = []
    for conjunct, reason in left:
        keys = read_keys(conjunct.keys, table, run) if conjunct.keys is not None else reason
        if conjunct.keys is None or isinstance(keys, str):
            settled.left.append((conjunct, keys if isinstance(keys, str) else reason))
            continue
        few = 2 * cost_listing(table, conjunct.keys.column, len(keys)) < cost_matching(table)
        listed = list_keys(conjunct.keys, keys) if few else None
        if listed is not None:
            predicate, text = listed
            settled.listed.append((replace(conjunct, predicate=predicate), text))
            notes.append((conjunct.sql, f"Lance: {len(keys):,} keys as IN"))
        else:
            settled.matched.append((conjunct.keys, keys))
            notes.append((conjunct.sql, f"{len(keys):,} keys, as row ids"))
    return replace(settled, notes=tuple(notes))
