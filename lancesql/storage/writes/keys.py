"""The primary key of a table, set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lance

from lancesql.catalog import TableInfo
from lancesql.errors import StorageError
from lancesql.plan.constraints import PRIMARY_KEY, PRIMARY_KEY_PLACE
from lancesql.storage.scan import wrap_lance_error

if TYPE_CHECKING:
    from lancesql.storage.database import LanceDatabase

__all__ = ["set_primary_key"]


def set_primary_key(database: LanceDatabase, table: TableInfo, columns: tuple[str, ...]) -> None:
    """Makes columns the primary key, which LanceDB never changes again; they cannot be NULL from then on."""
    places = {
        name: {PRIMARY_KEY.decode(): "true", PRIMARY_KEY_PLACE.decode(): str(place)}
        for place, name in enumerate(columns, 1)
    }
    try:
        dataset: Any = lance.dataset(table.uri, storage_options=database.storage_options)
        if dataset.version != table.version:
            raise StorageError(f"table '{table.name}' was changed meanwhile", hint="run the statement again")
        nullable = [name for name in columns if table.schema.field(name).nullable]
        if nullable:
            dataset.alter_columns(*({"path": name, "nullable": False} for name in nullable))
        dataset.update_field_metadata(places)
    except BaseException as error:
        raise wrap_lance_error(error, f"setting the primary key of '{table.name}'") from None
    finally:
        database.forget(table.name)
