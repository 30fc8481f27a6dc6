"""The columns of a table added, changed and dropped; the table renamed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lance
import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.errors import ConflictError, ConstraintError, StorageError, UnsupportedError
from lancesql.plan.commands import ChangeColumn
from lancesql.plan.constraints import COMMENT, DEFAULT, Check, read_constraints
from lancesql.storage.scan import wrap_lance_error

from .checks import hold_checks
from .clones import refuse_read_by_clones
from .conversion import plan_type
from .dropped_columns import drop_column
from .new_table import check_names
from .schemas import find_free_number, put_field
from .staging import stage_changes

if TYPE_CHECKING:
    from lancesql.storage.database import LanceDatabase

__all__ = ["add_column", "change_column", "comment_on", "rename_table"]

_BATCH_ROWS = 8_192


def add_column(
    database: LanceDatabase,
    table: TableInfo,
    field: pa.Field[Any],
    values: pa.Array[Any] | None,
    checks: Sequence[Check] = (),
) -> None:
    """Adds a column behind the others.

    Args:
        database: The database.
        table: The table.
        field: The column.
        values: Those of the rows in the order of a scan, None for NULL.
        checks: What is asked of its values, which they are known to be.
    """
    check_names([field.name])
    planned = field.with_type(plan_type(field.type, field.name))
    schema = pa.schema([planned])
    doing = f"adding column '{field.name}'"
    if checks or (values is not None and len(values)):
        rows = None if values is None else pa.table([values.cast(planned.type)], schema=schema)
        with stage_changes(database, table, doing) as staging:
            staging.add(_merge_column(staging.dataset, planned, rows))
            if checks:
                staging.add(hold_checks([*read_constraints(table.schema).checks, *checks]))
            staging.publish()
    elif planned.nullable:
        _change(database, table, doing, lambda dataset: dataset.add_columns(planned))
    else:
        empty = schema.empty_table()
        _change(database, table, doing, lambda dataset: dataset.add_columns(empty.to_reader(), reader_schema=schema))


def _merge_column(dataset: Any, field: pa.Field[Any], rows: pa.Table | None) -> Any:
    """What adds a column with these values, or with none.

    Upstream: by `add_columns`, rows that somebody appends meanwhile have NULL there, whatever the statement says.
    """
    if rows is None or not len(rows):
        held = [fragment.metadata for fragment in dataset.get_fragments()]
        schema = put_field(dataset.lance_schema, field, find_free_number(dataset))
        return lance.LanceOperation.Merge(held, schema, preserves_nullability=False)
    written: list[Any] = []
    at = 0
    schema = None
    for fragment in dataset.get_fragments():
        own = rows.slice(at, fragment.count_rows())
        at += len(own)
        changed, schema = fragment.merge_columns(own.to_reader(max_chunksize=_BATCH_ROWS), reader_schema=rows.schema)
        written.append(changed)
    return lance.LanceOperation.Merge(written, schema, preserves_nullability=False)


def change_column(database: LanceDatabase, command: ChangeColumn) -> None:
    """Drops, renames or changes a column."""
    table, name, to = command.table, command.column, command.to
    acts: dict[str, Callable[[Any], Any]] = {
        "drop": lambda dataset: drop_column(database, table, dataset, name),
        "rename": lambda dataset: dataset.alter_columns({"path": name, "name": to}),
        "null": lambda dataset: dataset.alter_columns({"path": name, "nullable": bool(to)}),
        "default": lambda dataset: _set_metadata(dataset, name, DEFAULT, to),
    }
    if command.change == "rename":
        check_names([to])
    try:
        _change(database, table, f"changing column '{name}'", acts[command.change])
    except StorageError as error:
        if "contains NULL values" not in error.message:
            raise
        raise ConstraintError(
            f"column '{name}' has rows without a value, and cannot become NOT NULL",
            hint=f"UPDATE {table.name} SET {name} = … WHERE {name} IS NULL",
        ) from None


def comment_on(database: LanceDatabase, table: TableInfo, column: str | None, text: str | None) -> None:
    """Sets or removes a comment."""

    def comment(dataset: Any) -> None:
        if column is None:
            dataset.update_schema_metadata({COMMENT.decode(): text})
        else:
            _set_metadata(dataset, column, COMMENT, text)

    _change(database, table, f"commenting on '{table.name}'", comment)


def rename_table(database: LanceDatabase, table: TableInfo, name: str) -> None:
    """Gives a table of a local database another name.

    Raises:
        UnsupportedError: In an object store, where a table would have to be copied, and when clones or branches read
            its files by its path.
    """
    source, target = Path(table.uri), Path(database.table_uri(name))
    if not source.is_dir():
        raise UnsupportedError(
            "a table in an object store cannot be renamed", hint=f"CREATE TABLE {name} AS SELECT * FROM {table.name}"
        )
    refuse_read_by_clones(database, table)
    _refuse_branches(database, table, name)
    try:
        source.rename(target)
    except OSError as error:
        raise StorageError(f"cannot rename '{table.name}': {error.strerror}") from None
    finally:
        database.forget(table.name)
        database.forget(name)


def _refuse_branches(database: LanceDatabase, table: TableInfo, name: str) -> None:
    """Upstream: a branch looks for the files of its table where they lay when it began, by the whole path."""
    branches = sorted(database.open_dataset(table).branches.list())
    if branches:
        raise UnsupportedError(
            f"branches read the files of '{table.name}' by its path: {', '.join(branches)}",
            hint=f"DROP BRANCH {branches[0]} ON {table.name} first, or CREATE TABLE {name} CLONE {table.name}",
        )


def _change(database: LanceDatabase, table: TableInfo, doing: str, act: Callable[[Any], None]) -> None:
    with _explaining(doing):
        try:
            dataset = lance.dataset(table.uri, storage_options=database.storage_options)
            if dataset.version != table.version:
                raise ConflictError(f"{doing} was overtaken: somebody else changed the table meanwhile")
            act(dataset)
        finally:
            database.forget(table.name)


@contextlib.contextmanager
def _explaining(doing: str) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        raise wrap_lance_error(error, doing) from None


def _set_metadata(dataset: Any, column: str, key: bytes, value: str | None) -> None:
    dataset.update_field_metadata({column: {key.decode(): value}})
