"""How a vector search is carried out: exactly, or through the index with how much effort, and why."""

from __future__ import annotations

from dataclasses import dataclass

from lancesql.catalog import IndexInfo

__all__ = ["Effort", "Strategy", "choose_strategy", "is_cheap_exactly"]

EXACT_COST = 4_000_000
"""Vector components compared in about the time of an index search with refinement (measured: 1.8 ns a component)."""

TARGET_RECALL = 0.95
_REFINED_ROWS = {"PQ": 250, "RQ": 250, "SQ": 50, "FLAT": 1}
"""True distances computed per search, by the kind of code, at one bit a dimension (measured on 384 dimensions)."""


@dataclass(frozen=True)
class Effort:
    """What the user asked for; None where the planner decides."""

    exact: bool | None = None
    recall: float | None = None
    nprobes: int | None = None
    ef: int | None = None
    refine_factor: int | None = None


@dataclass(frozen=True)
class Strategy:
    """What a search does.

    Attributes:
        exact: Every qualifying row is compared.
        index: The index used, when it is not exact.
        reason: Why, for EXPLAIN.
    """

    exact: bool
    reason: str
    index: str | None = None
    nprobes: int | None = None
    refine_factor: int | None = None
    ef: int | None = None


def is_cheap_exactly(rows: int, dimension: int) -> bool:
    """Whether comparing so many rows costs no more than asking an index."""
    return rows * dimension <= EXACT_COST


def choose_strategy(
    index: IndexInfo | None, metric: str, dimension: int, k: int, candidates: int, effort: Effort, *, filtered: bool
) -> Strategy:
    """Chooses by the number of rows that qualify, so that recall@k meets its target (0.95 unless asked otherwise).

    Args:
        index: The index on the column, or None.
        metric: The metric of the search.
        dimension: The number of components of a vector.
        k: The number of rows wanted.
        candidates: The number of rows that qualify.
        effort: What the user asked for.
        filtered: Whether a filter narrows the table.

    Example:
        >>> choose_strategy(None, "l2", 384, 10, 50_000, Effort(), filtered=False).reason
        'no index on the column'
    """
    if index is None:
        return Strategy(True, "no index on the column")
    if index.metric is not None and index.metric != metric:
        return Strategy(True, f"index {index.name} has metric {index.metric}, not {metric}")
    if effort.exact:
        return Strategy(True, "asked for")
    asked = effort.exact is False or (effort.nprobes, effort.ef, effort.refine_factor) != (None, None, None)
    if not asked:
        if effort.recall is not None and effort.recall >= 1.0:
            return Strategy(True, "recall => 1")
        if is_cheap_exactly(candidates, dimension):
            what = f"the filter keeps {candidates:,} rows" if filtered else f"the table has {candidates:,} rows"
            return Strategy(True, f"{what}: comparing all of them costs less than the index")
    return _use_index(index, k, candidates, effort)


def _use_index(index: IndexInfo, k: int, candidates: int, effort: Effort) -> Strategy:
    target = TARGET_RECALL if effort.recall is None else effort.recall
    partitions = index.partitions or 1
    rows = max(index.rows_indexed + index.rows_unindexed, 1)
    # Half the partitions, and more as the filter thins them out: a query's neighbours spread over few of many.
    share = min(1.0, 0.5 + 0.5 * (1 - candidates / rows))
    if target > TARGET_RECALL or partitions <= 16:
        share = 1.0
    nprobes = effort.nprobes if effort.nprobes is not None else max(1, round(partitions * share))
    code = index.kind.split("_")[-1]
    refined = _REFINED_ROWS.get(code, 250)
    if code in ("PQ", "RQ") and index.code_bits:
        refined = round(refined * max(0.5, 1.0 / index.code_bits))
    if target > TARGET_RECALL:
        refined *= 4
    wanted = 1 if code == "FLAT" else -(-(refined + 4 * k) // k)
    factor = effort.refine_factor if effort.refine_factor is not None else wanted
    ef = effort.ef if effort.ef is not None else (max(refined, 2 * k, 128) if "HNSW" in index.kind else None)
    return Strategy(
        exact=False,
        index=index.name,
        nprobes=min(nprobes, partitions) if effort.nprobes is None else nprobes,
        refine_factor=factor,
        ef=ef,
        reason=f"{nprobes} of {partitions} partitions, true distances of {factor} × k candidates, for recall {target:g}",
    )
