"""Building an index: what is going to be built, and doing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import lance
from lance.indices import IndexConfig
from lance.query import DocumentGranularity

from lancesql.catalog import IndexInfo
from lancesql.errors import StorageError
from lancesql.plan.commands import CreateIndex, IndexPlan

from .index_options import LANCE_NAMES, choose_partitions, complete_options, count_least, read_built_options
from .indexes import read_indexes, show_kind
from .scan import wrap_lance_error

if TYPE_CHECKING:
    from .database import LanceDatabase

__all__ = ["OnProgress", "build_index", "plan_index", "rebuild_index", "stage_index"]

OnProgress = Callable[[str, int | None, int | None], None]
"""Told the stage of a build, how much of it is done, and how much there is."""

_SMALL_ROWS = 50_000
"""A table of fewer rows is searched as fast without an index."""
_UNTRAINED = "with 0 vectors"
_CODED = ("PQ", "RQ", "SQ")


def plan_index(database: LanceDatabase, command: CreateIndex) -> IndexPlan:
    """What CREATE INDEX builds, over all rows the table has now.

    Raises:
        StorageError: When there is such an index already.
    """
    table, column, kind = command.table, command.column, command.kind
    try:
        dataset = lance.dataset(table.uri, storage_options=database.storage_options)
        existing = read_indexes(dataset)
    except BaseException as error:
        raise wrap_lance_error(error, f"opening table '{table.name}'") from None
    rival = _find_rival(existing, column, kind, command.name)
    if rival is not None and not command.replace:
        if command.if_not_exists:
            return IndexPlan(table, column, kind, rival.name, {}, replaces=rival, stays=True)
        raise StorageError(
            f"table '{table.name}' has an index '{rival.name}' ({show_kind(rival)}) "
            f"on column '{rival.columns[0]}' already",
            hint="CREATE OR REPLACE INDEX builds it anew; another name builds another",
        )
    if rival is not None and rival.columns != (column,):
        raise StorageError(
            f"index '{rival.name}' is on column '{rival.columns[0]}', so it cannot be replaced by one on '{column}'",
            hint="give the new index another name",
        )
    try:
        options, notes = complete_options(kind, command.options, dataset, column)
    except BaseException as error:
        raise wrap_lance_error(error, f"planning an index on column '{column}'") from None
    defaults = tuple(name for name in options if name not in command.given)
    return IndexPlan(
        table,
        column,
        kind,
        name=command.name or (rival.name if rival is not None else _name_index(existing, column, kind)),
        options=options,
        defaults=defaults,
        notes=(*_list_reasons(command), *notes, *_list_notes(kind, options, defaults, dataset.count_rows())),
        replaces=rival,
    )


def build_index(database: LanceDatabase, plan: IndexPlan, on_progress: OnProgress | None = None) -> None:
    """Builds an index, in one commit: it is there when all of it is.

    Raises:
        StorageError: When Lance cannot build it; the table is then as it was.
    """
    if plan.stays:
        return
    doing = f"building {plan.kind} index '{plan.name}' on column '{plan.column}'"
    try:
        dataset = lance.dataset(plan.table.uri, storage_options=database.storage_options)
        replace = plan.replaces is not None
        _build(dataset, plan.column, plan.kind, plan.name, plan.options, replace=replace, on_progress=on_progress)
    except BaseException as error:
        raise wrap_lance_error(error, doing) from None
    finally:
        database.forget(plan.table.name)


def rebuild_index(dataset: lance.LanceDataset, index: IndexInfo, on_progress: OnProgress | None = None) -> None:
    """Builds an index anew over all rows, as it was built.

    Partitions that were those of a default are chosen for the rows there are now. Upstream: Lance's own retraining is
    passed over in silence for all but vector indexes, and there it forgets how many partitions were asked for.

    Args:
        dataset: The newest version of the table.
        index: The index.
        on_progress: Told how the build goes on.
    """
    options = _read_options(dataset, dataset, index)
    kind, (column,) = show_kind(index), index.columns
    _build(dataset, column, kind, index.name, options, replace=True, on_progress=on_progress)


def stage_index(
    source: lance.LanceDataset,
    target: lance.LanceDataset,
    index: IndexInfo,
    fragments: list[int] | None = None,
    on_progress: OnProgress | None = None,
) -> Any:
    """Writes the files of an index as it was built over `source`; no version has it yet.

    Args:
        source: The version that has the index.
        target: Whose rows the new one is built over.
        index: The index.
        fragments: The rows of these fragments only.
        on_progress: Told how the build goes on.
    """
    kind, (column,) = show_kind(index), index.columns
    what, options = _name_build(kind, _read_options(source, target, index))
    if fragments is None:
        fragments = [fragment.fragment_id for fragment in target.get_fragments()]
    options["progress_callback"] = _adapt_progress(on_progress)
    made = target.create_index_uncommitted(column, what, name=index.name, fragment_ids=fragments, **options)
    # Upstream: the files of a text index stay in a folder of their own, where no search finds them, until this.
    return target.merge_existing_index_segments([made]) if kind == "FTS" else made


def _read_options(source: lance.LanceDataset, target: lance.LanceDataset, index: IndexInfo) -> dict[str, object]:
    kind = show_kind(index)
    options = read_built_options(source, index)
    if options.get("num_partitions") == choose_partitions(kind, index.rows_indexed):
        del options["num_partitions"]
    if kind.startswith("IVF"):
        options, _ = complete_options(kind, options, target, index.columns[0])
    details = _read_text_details(source, index.name) if kind == "FTS" else {}
    return {**options, **details}


def _build(
    dataset: lance.LanceDataset,
    column: str,
    kind: str,
    name: str,
    options: dict[str, object],
    *,
    replace: bool,
    on_progress: OnProgress | None,
) -> None:
    what, named = _name_build(kind, options)
    shared: dict[str, Any] = {"name": name, "replace": replace, "progress_callback": _adapt_progress(on_progress)}
    if not kind.startswith("IVF"):
        dataset.create_scalar_index(column, what, **shared, **named)
        return
    try:
        dataset.create_index(column, what, **shared, **named)
    except Exception as error:
        if _UNTRAINED not in str(error):
            raise
        raise StorageError(
            f"column '{column}' holds no vector that an index could be trained on",
            hint="fill it first; until then a search finds nothing there, with an index or without",
        ) from None


def _name_build(kind: str, options: dict[str, object]) -> tuple[Any, dict[str, Any]]:
    """What Lance calls a kind of index and its options."""
    named: dict[str, Any] = {LANCE_NAMES.get(key, key): value for key, value in options.items()}
    if kind == "FTS":
        return "INVERTED", named
    if kind.startswith("IVF") or not named:
        return kind, named
    return IndexConfig(kind.lower(), named), {}


def _read_text_details(dataset: lance.LanceDataset, name: str) -> dict[str, object]:
    details = next((dict(one.details or {}) for one in dataset.describe_indices() if one.name == name), {})
    kept = {key: value for key, value in details.items() if value is not None}
    if "document_granularity" in kept:
        kept["document_granularity"] = DocumentGranularity(kept["document_granularity"])
    return kept


def _list_reasons(command: CreateIndex) -> list[str]:
    return [] if command.chosen is None else [f"{command.kind}, since {command.chosen}"]


def _list_notes(kind: str, options: dict[str, object], defaults: Sequence[str], rows: int) -> list[str]:
    """What to know of the answers through an index, and of its use."""
    if not rows:
        return ["the table is empty: REINDEX when it has rows"]
    if not kind.startswith("IVF"):
        return []
    notes = []
    if "metric" in defaults:
        notes.append(f"metric {options['metric']}: a search with another metric compares every row")
    if kind.endswith(_CODED):
        notes.append("searches compare the true distances of the candidates; ANALYZE measures how many they need")
    least = count_least(kind, options.get("num_bits", 8))
    if rows < least:
        notes.append(f"{rows:,} rows are too few to train it on: OPTIMIZE builds it when there are {least:,}")
    if rows < _SMALL_ROWS:
        notes.append(f"{rows:,} rows are searched as fast without an index")
    return notes


def _find_rival(existing: tuple[IndexInfo, ...], column: str, kind: str, name: str | None) -> IndexInfo | None:
    """The index of that name; without a name, the one of the same family on the column."""
    for index in existing:
        if name is not None:
            if index.name.lower() == name.lower():
                return index
        elif index.columns == (column,) and _find_family(index.kind) == _find_family(kind):
            return index
    return None


def _find_family(kind: str) -> str:
    return "IVF" if kind.startswith("IVF") else "FTS" if kind == "INVERTED" else kind


def _name_index(existing: tuple[IndexInfo, ...], column: str, kind: str) -> str:
    taken = {index.name.lower() for index in existing}
    column = column.replace(".", "_")
    name = f"{column}_idx"
    if name.lower() in taken:
        name = f"{column}_{kind.lower()}_idx"
    number = 2
    while name.lower() in taken:
        name = f"{column}_{kind.lower()}_idx{number}"
        number += 1
    return name


def _adapt_progress(on_progress: OnProgress | None) -> Callable[[Any], None] | None:
    if on_progress is None:
        return None

    def report(event: Any) -> None:
        on_progress(event.stage, event.completed, event.total)

    return report
