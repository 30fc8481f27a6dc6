"""How a vector search is carried out: exactly, or through the index with how much effort, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from lancesql.catalog import CalibratedEffort, IndexInfo

__all__ = ["Effort", "Strategy", "choose_strategy", "is_batch_cheaper_exactly", "is_cheaper_by_rows"]

TARGET_RECALL = 0.95

# Microseconds, measured on 34,514 vectors of 384 dimensions in half precision, and 200,000 of 128 in single precision,
# with two cores. A word is 4 bytes of a vector: two components in half precision, one in single.
_ASK_INDEX = 3_000
_READ_ROW = 8.5
"""Reading one vector that lies anywhere: 10 for a hundred rows, 8 for a thousand, 7 for six thousand."""
_READ_WORD = 0.003
"""Reading and comparing a word of a whole column. Lance reads all of it, whatever its filter keeps."""
_STREAM_WORD = 0.0008
"""The same, when many queries share one stream."""
_READ_ROW_OF_MANY = 3.0
_MULTIPLY_COMPONENT = 0.00005
"""One component of one vector of a column with one of many queries."""
_LOOK_AT_PRODUCT = 0.005
_WORTH_OF_TRUTH = 1.5
"""An exact answer to many queries may cost so many times the index's."""

_REFINED_ROWS = 75.0
"""True distances computed for k = 1 when the index keeps half a bit a dimension."""
_GROWTH = 0.72
"""They grow as this power of k: 1 → 75, 10 → 394, 100 → 2,066 give a recall of 0.96 to 0.98."""
_DECLINE = 0.9
"""They shrink as this power of the bits kept."""
_ASSUMED_BITS = {"PQ": 0.5, "RQ": 1.0, "SQ": 8.0}
_LIST_SIZE = 128
"""The least candidate list of an HNSW search that plans its own effort."""
_APART = 9.0
"""Among rows that lie together and away from the query, estimates differ less than they err."""
_COARSE = 2.0
"""Rotated codes of more bits a dimension than this tell such rows apart."""
_ADAPTED_ROWS = 250
"""True distances that are computed in general for k = 10, when it is found out how many are needed."""
_MISSED, _MISSED_WITH_MORE = 0.08, 0.05
"""The share of the k rows that may then be expected among the candidates that are not compared. A third of what was
expected was missed of PQ, over 44 sets of queries; all of it sometimes of RQ, whose estimates err either way. A graph
loses some rows besides."""
_BY_GRAPH = 1.5
"""A graph over PQ's estimates loses some rows on its way."""
_ROTATED = 0.8
"""A rotated code (RQ) needs so much of what PQ needs with as many bits."""


@dataclass(frozen=True)
class Effort:
    """What the user, or the session's settings, asked for; None where the planner decides."""

    exact: bool | None = None
    recall: float = TARGET_RECALL
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
        adapts: No more of the candidates than turn out to be needed get a true distance.
        missed: The share of the k rows that may then be expected among the other candidates.
        code_bits: The bits the index keeps a dimension.
    """

    exact: bool
    reason: str
    index: str | None = None
    nprobes: int | None = None
    refine_factor: int | None = None
    ef: int | None = None
    adapts: bool = False
    missed: float = 0.0
    code_bits: float = 0.0


def is_cheaper_by_rows(candidates: int, rows: int, words: int) -> bool:
    """Whether reading the vectors of so many rows one by one costs less than reading the whole column."""
    return candidates * _READ_ROW <= rows * words * _READ_WORD


def is_batch_cheaper_exactly(
    index: IndexInfo, dimension: int, k: int, candidates: int, queries: int, effort: Effort
) -> bool:
    """Whether comparing all candidates with all of many queries costs less than the index: the column is read once."""
    if effort.exact is False or (effort.nprobes, effort.ef, effort.refine_factor) != (None, None, None):
        return False
    exactly = candidates * dimension * _STREAM_WORD
    exactly += queries * candidates * (dimension * _MULTIPLY_COMPONENT + _LOOK_AT_PRODUCT)
    through_index = _ASK_INDEX / 2 + _count_refined(index, k, candidates, effort) * _READ_ROW_OF_MANY
    return exactly <= _WORTH_OF_TRUTH * queries * through_index


@lru_cache(maxsize=1024)
def choose_strategy(
    index: IndexInfo | None, metric: str, words: int, k: int, candidates: int, effort: Effort, *, filtered: bool
) -> Strategy:
    """Chooses by the number of rows that qualify, so that recall@k meets its target (0.95 unless asked otherwise).

    Args:
        index: The index on the column, or None.
        metric: The metric of the search.
        words: The length of a vector in words of 4 bytes.
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
        if effort.recall >= 1.0:
            return Strategy(True, "a recall of 1 is asked for")
        rows = max(index.rows_indexed + index.rows_unindexed, candidates)
        refined = _count_refined(index, k, candidates, effort)
        if _adapts(index, candidates, effort):
            refined = min(refined, max(_ADAPTED_ROWS, 3 * k))
        through_index = _ASK_INDEX + refined * _READ_ROW
        if _cost_exactly(candidates, rows, words) <= through_index:
            what = f"the filter keeps {candidates:,} rows" if filtered else f"the table has {candidates:,} rows"
            return Strategy(True, f"{what}: comparing all of them costs no more than the index")
    return _use_index(index, k, candidates, effort)


def _cost_exactly(candidates: int, rows: int, words: int) -> float:
    return min(candidates * _READ_ROW, rows * words * _READ_WORD)


def _find_calibrated(index: IndexInfo, candidates: int, effort: Effort) -> CalibratedEffort | None:
    """What ANALYZE found for the least recall that is enough, and for a share of the rows like this one."""
    targets = [one.target for one in index.calibration if one.target >= effort.recall]
    if not targets:
        return None
    share = candidates / max(index.rows_indexed + index.rows_unindexed, 1)
    near = [one for one in index.calibration if one.target == min(targets)]
    return min(near, key=lambda one: abs(math.log(one.share) - math.log(max(share, 1e-9))))


def _adapts(index: IndexInfo, candidates: int, effort: Effort) -> bool:
    """Whether it depends on where the rows lie how many true distances are needed, and is found out while asking."""
    return (
        _is_coarse(index)
        and index.metric in ("l2", "cosine")
        and index.rows_unindexed == 0
        and candidates < index.rows_indexed
        and effort.refine_factor is None
        and effort.recall <= TARGET_RECALL
        and _find_calibrated(index, candidates, effort) is None
    )


def _count_bits(index: IndexInfo) -> float:
    return index.code_bits or _ASSUMED_BITS.get(index.kind.split("_")[-1], 0.5)


def _is_coarse(index: IndexInfo) -> bool:
    """Whether estimates err more than rows that lie together differ."""
    code = index.kind.split("_")[-1]
    return code == "PQ" or (code == "RQ" and _count_bits(index) <= _COARSE)


def _count_refined(index: IndexInfo, k: int, candidates: int, effort: Effort) -> int:
    """How many candidates need their true distance for the recall wanted."""
    calibrated = _find_calibrated(index, candidates, effort)
    if calibrated is not None:
        return max(k, round(float(calibrated.candidates * (k / 10) ** _GROWTH)))
    code = index.kind.split("_")[-1]
    if code == "FLAT":
        return k
    bits = _count_bits(index)
    refined = _REFINED_ROWS * k**_GROWTH * (0.5 / bits) ** _DECLINE
    if code == "RQ":
        refined *= _ROTATED
    if _is_coarse(index) and candidates < index.rows_indexed + index.rows_unindexed:
        refined *= _APART
    elif code == "PQ" and "HNSW" in index.kind:
        refined *= _BY_GRAPH
    if effort.recall > TARGET_RECALL:
        refined *= 4
    return max(2 * k, min(round(float(refined)), candidates))


def _use_index(index: IndexInfo, k: int, candidates: int, effort: Effort) -> Strategy:
    target = effort.recall
    partitions = index.partitions or 1
    rows = max(index.rows_indexed + index.rows_unindexed, 1)
    # Half the partitions, and more as the filter thins them out: a query's neighbours spread over few of many.
    share = min(1.0, 0.5 + 0.5 * (1 - candidates / rows))
    if target > TARGET_RECALL or partitions <= 16:
        share = 1.0
    nprobes = effort.nprobes if effort.nprobes is not None else max(1, round(partitions * share))
    refined = _count_refined(index, k, candidates, effort)
    calibrated = _find_calibrated(index, candidates, effort)
    if calibrated is not None and effort.nprobes is None:
        nprobes = calibrated.nprobes
    factor = effort.refine_factor if effort.refine_factor is not None else -(-refined // k)
    adapts = _adapts(index, candidates, effort)
    ef = None
    if "HNSW" in index.kind:
        if effort.ef is not None and effort.refine_factor is None:
            factor = max(1, min(factor, effort.ef // k))
        least = _LIST_SIZE if target <= TARGET_RECALL or calibrated is not None else 4 * _LIST_SIZE
        ef = max(effort.ef or least, factor * k)  # Lance refuses a list shorter than the candidates
    depth = f"{'up to ' if adapts else ''}{factor}"
    return Strategy(
        exact=False,
        index=index.name,
        nprobes=min(nprobes, partitions) if effort.nprobes is None else nprobes,
        refine_factor=factor,
        ef=ef,
        adapts=adapts,
        code_bits=_count_bits(index),
        missed=0.0 if not adapts else _MISSED if index.kind == "IVF_PQ" else _MISSED_WITH_MORE,
        reason=(
            f"{nprobes} of {partitions} partitions, true distances of {depth} × k candidates, for recall {target:g}"
            + (f", as ANALYZE measured {calibrated.recall:g}" if calibrated is not None else "")
        ),
    )
