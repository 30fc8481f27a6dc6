"""The checks of a table, kept in the metadata of its schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import lance

from lancesql.catalog import TableInfo
from lancesql.plan.constraints import NAME, Check, write_checks

from .staging import stage_changes

if TYPE_CHECKING:
    from lancesql.storage.database import LanceDatabase

__all__ = ["hold_checks", "set_checks"]


def set_checks(
    database: LanceDatabase, table: TableInfo, checks: Sequence[Check], columns: Mapping[str, str] | None = None
) -> None:
    """Gives a table these checks, instead of those it has.

    Args:
        database: The database of the table.
        table: The table, at its newest version.
        checks: The checks.
        columns: Columns that no check has named before, and what they are called by these.

    Raises:
        ConflictError: When somebody else has written to the table since its rows were looked at.
    """
    with stage_changes(database, table, f"changing the constraints of '{table.name}'") as staging:
        schema = staging.dataset.lance_schema
        names = {schema.field(name).id(): called for name, called in (columns or {}).items()}
        staging.add(hold_checks(checks, names))
        staging.publish()


def hold_checks(checks: Sequence[Check], columns: Mapping[int, str] | None = None) -> Any:
    """What gives a table these checks, and columns, by their numbers, the names by which checks know them."""
    change = lance.LanceOperation.UpdateMap
    ((key, text),) = write_checks(checks).items()
    assert isinstance(key, bytes)
    assert isinstance(text, bytes)
    return lance.LanceOperation.UpdateConfig(
        schema_metadata_updates=change({key.decode(): text.decode() if checks else None}),
        field_metadata_updates={number: change({NAME.decode(): name}) for number, name in (columns or {}).items()},
    )
