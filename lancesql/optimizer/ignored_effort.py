"""What a search says of its effort and its index, or the lack of one, has no use for: EXPLAIN tells."""

from __future__ import annotations

from lancesql.catalog import IndexInfo

from .choose_strategy import Effort, Strategy

__all__ = ["describe_ignored"]


def describe_ignored(index: IndexInfo | None, strategy: Strategy, effort: Effort) -> list[str]:
    """A note for each argument that changes nothing.

    Example:
        >>> describe_ignored(None, Strategy(True, "no index on the column"), Effort(nprobes=8))
        ['nprobes is not used: no index is asked']
    """
    given = [name for name in ("nprobes", "ef", "refine_factor") if getattr(effort, name) is not None]
    if strategy.exact or index is None:
        return [f"{' and '.join(given)} {_are(given)} not used: no index is asked"] if given else []
    notes = []
    if effort.nprobes is not None and effort.nprobes > (index.partitions or 1):
        notes.append(f"nprobes is more than the {index.partitions or 1} partitions there are")
    if effort.ef is not None and "HNSW" not in index.kind:
        notes.append(f"ef is not used: {index.kind} has no graph")
    if effort.ef is not None and strategy.ef is not None and strategy.ef > effort.ef:
        notes.append(f"ef is {strategy.ef}: a list holds all candidates")
    if effort.refine_factor is not None and index.kind.endswith("FLAT"):
        notes.append(f"refine_factor is not used: {index.kind} keeps the vectors themselves")
    return notes


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
