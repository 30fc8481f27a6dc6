"""What is amiss with an index, and what would help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lancesql.catalog import IndexInfo, TableInfo
from lancesql.plan.spelling import spell_column, spell_name, spell_table

from .index_flaws import find_flawed
from .index_options import choose_partitions, lacks_vectors
from .indexes import show_kind
from .scan import wrap_lance_error
from .text_indexes import advise_language

if TYPE_CHECKING:
    from .database import LanceDatabase

__all__ = ["advise_index"]

_MUCH_UNINDEXED, _MANY_UNINDEXED = 0.1, 50_000
_MANY_SEGMENTS = 8
_LEAST_ROWS, _TIMES_PARTITIONS = 64, 8
"""Partitions of fewer rows are too many; this many times fewer than by default are too few."""
_DISTINCT = 0.5


def advise_index(database: LanceDatabase, table: TableInfo, index: IndexInfo) -> str | None:
    """What to do about an index, most needed first; None when nothing is amiss."""
    return "; ".join(_list_advice(database, table, index)) or None


def _list_advice(database: LanceDatabase, table: TableInfo, index: IndexInfo) -> Iterator[str]:
    language = advise_language(database, table, index)
    if language is not None:
        yield language
    behind = index.rows_unindexed
    if index.kind.startswith("IVF") and index.partitions is None and index.rows_indexed:
        yield f"its files are gone: REINDEX {spell_name(index.name)} ON {spell_table(table)}"
    is_behind = behind > _MANY_UNINDEXED or behind > _MUCH_UNINDEXED * table.rows
    if is_behind and not lacks_vectors(database.open_dataset(table), index):
        yield f"{behind:,} of {table.rows:,} rows are not in it: OPTIMIZE {spell_table(table)}"
    elif index.segments > _MANY_SEGMENTS:
        yield (
            f"it is in {index.segments} parts, each of which is searched: "
            f"ALTER INDEX {spell_name(index.name)} ON {spell_table(table)} OPTIMIZE WITH (mode = 'merge')"
        )
    if index.partitions is not None and not behind:
        yield from _advise_partitions(table, index)
    yield from _advise_rivals(table, index)
    yield from _advise_kind(database, table, index)


def _advise_partitions(table: TableInfo, index: IndexInfo) -> Iterator[str]:
    made = index.partitions or 1
    wanted = choose_partitions(index.kind, table.rows)
    if made > 1 and index.rows_indexed < _LEAST_ROWS * made:
        rows = index.rows_indexed // made
        yield f"{made:,} partitions of about {rows:,} rows are many: {_repartition(table, index, wanted)}"
    elif wanted > _TIMES_PARTITIONS * made:
        few = "1 partition is little" if made == 1 else f"{made:,} partitions are few"
        yield f"{few} for {table.rows:,} rows: {_repartition(table, index, wanted)}"


def _replace(table: TableInfo, index: IndexInfo) -> str:
    column = spell_column(index.columns[0])
    return f"CREATE OR REPLACE INDEX {spell_name(index.name)} ON {spell_table(table)} ({column}) USING"


def _repartition(table: TableInfo, index: IndexInfo, partitions: int) -> str:
    return f"{_replace(table, index)} {index.kind} WITH (metric = {index.metric}, num_partitions = {partitions})"


def _advise_rivals(table: TableInfo, index: IndexInfo) -> Iterator[str]:
    """Of several indexes that serve the same queries the first is asked."""
    earlier = table.indexes[: table.indexes.index(index)]
    same = [other for other in earlier if other.columns == index.columns and _serves_alike(other, index)]
    if not same:
        return
    twin = next((other for other in same if other.metric == index.metric), None)
    if twin is not None:
        yield f"'{twin.name}' serves the same queries: DROP INDEX {spell_name(index.name)} ON {spell_table(table)}"
    else:
        yield f"a search has to say metric => '{index.metric}' for it; without, '{same[0].name}' is asked"


def _serves_alike(one: IndexInfo, other: IndexInfo) -> bool:
    if one.kind.startswith("IVF") and other.kind.startswith("IVF"):
        return True
    return one.kind == other.kind or {one.kind, other.kind} <= {"BTREE", "BITMAP"}


def _advise_kind(database: LanceDatabase, table: TableInfo, index: IndexInfo) -> Iterator[str]:
    if index.kind not in ("ZONEMAP", "BITMAP"):
        return
    try:
        dataset = database.open_dataset(table)
        if index.kind == "ZONEMAP" and f"`{index.columns[0]}`" in find_flawed(dataset):
            yield f"Lance answers wrongly by {show_kind(index)} on such a column, so that it is not asked: drop it"
        if index.kind == "BITMAP" and table.rows:
            parts = dataset.stats.index_stats(index.name).get("indices") or []
            values = sum(int(part.get("num_bitmaps") or 0) for part in parts)
            if values > _DISTINCT * table.rows and values > _LEAST_ROWS:
                yield f"it keeps {values:,} values for {table.rows:,} rows: {_replace(table, index)} BTREE"
    except BaseException as error:
        raise wrap_lance_error(error, f"looking at index '{index.name}'") from None
