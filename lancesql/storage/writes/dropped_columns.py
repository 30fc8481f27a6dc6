"""A column dropped, which may be the last one that is in the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lance
import pyarrow as pa

from lancesql.catalog import TableInfo

from .schemas import list_numbers, take_field
from .staging import Staging

if TYPE_CHECKING:
    from lancesql.storage.database import LanceDatabase

__all__ = ["drop_column"]

_BATCH_ROWS = 8_192


def drop_column(database: LanceDatabase, table: TableInfo, dataset: Any, name: str) -> None:
    """Takes a column out of the schema; no row is written but where no other column is.

    Upstream: a column that was added without values is in no file. When it alone would be left, nothing would say how
    many rows there are, and Lance could not open the table.
    """
    left = [one for one in dataset.lance_schema.fields() if one.name() != name]
    numbers = set(list_numbers(left))
    fragments = dataset.get_fragments()
    bare = [one for one in fragments if not any(numbers & {*file.fields} for file in one.metadata.files)]
    if not bare:
        dataset.drop_columns([name])
        return
    kept = left[0]
    written = {one.fragment_id: _write_nulls(one, dataset.schema.field(kept.name()), kept) for one in bare}
    merged = [written.get(one.fragment_id, one.metadata) for one in fragments]
    with Staging(database, table) as staging:
        staging.add(lance.LanceOperation.Merge(merged, dataset.lance_schema))
        staging.add(lance.LanceOperation.Project(take_field(dataset.lance_schema, name)))
        staging.publish()


def _write_nulls(fragment: Any, field: pa.Field[Any], kept: Any) -> Any:
    """The fragment with a file of the NULLs of a column."""
    named = pa.field("__lancesql_nulls", field.type)
    rows = pa.table([pa.nulls(fragment.count_rows(), named.type)], schema=pa.schema([named]))
    made, schema = fragment.merge_columns(rows.to_reader(max_chunksize=_BATCH_ROWS), reader_schema=rows.schema)
    file = made.files[-1]
    own = dict(zip(list_numbers([schema.field(named.name)]), list_numbers([kept]), strict=True))
    file.fields = [own[number] for number in file.fields]
    return made
