"""The primary key of a table, set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lance

from lancesql.catalog import TableInfo
from lancesql.plan.constraints import PRIMARY_KEY, PRIMARY_KEY_PLACE

from .schemas import put_field
from .staging import stage_changes

if TYPE_CHECKING:
    from lancesql.storage.database import LanceDatabase

__all__ = ["set_primary_key"]


def set_primary_key(database: LanceDatabase, table: TableInfo, columns: tuple[str, ...]) -> None:
    """Makes columns the primary key, which LanceDB never changes again; they cannot be NULL from then on.

    Raises:
        ConflictError: When somebody else has written to the table since its rows were looked at.
    """
    with stage_changes(database, table, f"setting the primary key of '{table.name}'") as staging:
        read = staging.dataset
        schema: Any = read.lance_schema
        numbers = {name: schema.field(name).id() for name in columns}
        nullable = [name for name in columns if read.schema.field(name).nullable]
        for name in nullable:
            schema = put_field(schema, read.schema.field(name).with_nullable(False), numbers[name])
        if nullable:
            staging.add(lance.LanceOperation.Project(schema))
        places = {
            numbers[name]: lance.LanceOperation.UpdateMap(
                {PRIMARY_KEY.decode(): "true", PRIMARY_KEY_PLACE.decode(): str(place)}
            )
            for place, name in enumerate(columns, 1)
        }
        staging.add(lance.LanceOperation.UpdateConfig(field_metadata_updates=places))
        staging.publish()
