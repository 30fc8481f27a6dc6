"""How a table is doing: what makes it slow or large, and what would help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lancesql.catalog import TableInfo
from lancesql.plan.spelling import spell_name, spell_table

from .index_options import lacks_vectors
from .scan import wrap_lance_error

if TYPE_CHECKING:
    from .database import LanceDatabase

__all__ = ["Health", "read_health"]

_SMALL_ROWS = 100_000
"""A fragment of fewer rows costs more to open than to read."""
_MANY_SMALL, _MUCH_DELETED, _MUCH_UNINDEXED, _MANY_VERSIONS = 10, 0.1, 0.1, 100
_INDEXED_ROWS = 50_000
"""A table of fewer rows is searched as fast without an index."""


@dataclass(frozen=True)
class Health:
    """One table.

    Attributes:
        deleted_share: Of the rows that are stored.
        small_fragments: Those of fewer than 100,000 rows.
        unindexed_share: The greatest share of rows that one of the indexes does not know; None without an index.
        size_bytes: The data files of the newest version.
    """

    rows: int
    deleted_share: float
    fragments: int
    small_fragments: int
    unindexed_share: float | None
    versions: int
    size_bytes: int
    advice: tuple[str, ...]


def read_health(database: LanceDatabase, table: TableInfo) -> Health:
    """Looks at the newest version's fragments and indexes, and at how many versions are kept."""
    dataset = database.open_dataset(table)
    try:
        fragments = [fragment.metadata for fragment in dataset.get_fragments()]
        versions = len(dataset.versions())
    except BaseException as error:
        raise wrap_lance_error(error, f"looking at '{table.name}'") from None
    stored = sum(fragment.physical_rows for fragment in fragments)
    deleted = sum(fragment.num_deletions for fragment in fragments) / stored if stored else 0.0
    small = sum(fragment.num_rows < _SMALL_ROWS for fragment in fragments)
    behind = {index.name: index.rows_unindexed / table.rows for index in table.indexes if table.rows}
    waiting = {index.name for index in table.indexes if lacks_vectors(dataset, index)}
    late = {name: share for name, share in behind.items() if share > _MUCH_UNINDEXED and name not in waiting}
    return Health(
        rows=table.rows,
        deleted_share=deleted,
        fragments=len(fragments),
        small_fragments=small,
        unindexed_share=max(behind.values(), default=None),
        versions=versions,
        size_bytes=sum(file.file_size_bytes or 0 for fragment in fragments for file in fragment.files),
        advice=tuple(_advise(table, small, deleted, late, versions)),
    )


def _advise(table: TableInfo, small: int, deleted: float, late: dict[str, float], versions: int) -> list[str]:
    advice, name = [], spell_table(table)
    if small > _MANY_SMALL:
        advice.append(f"OPTIMIZE {name}: {small} small fragments")
    elif deleted > _MUCH_DELETED:
        advice.append(f"OPTIMIZE {name}: {deleted:.0%} of the stored rows are deleted")
    if late and not advice:
        advice.append(f"OPTIMIZE {name}: {', '.join(late)} does not know {max(late.values()):.0%} of the rows")
    if versions > _MANY_VERSIONS:
        advice.append(f"VACUUM {name}: {versions} versions are kept")
    vectors = [field.name for field in table.schema if hasattr(field.type, "list_size")]
    unindexed = [column for column in vectors if table.index_on(column, ("IVF",)) is None]
    if unindexed and table.rows >= _INDEXED_ROWS:
        advice.append(f"CREATE INDEX ON {name} ({spell_name(unindexed[0])}) USING IVF_PQ: searches read every vector")
    return advice
