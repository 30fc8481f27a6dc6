"""Making, filling and dropping tables: rows stream from the query into Lance, and appear all at once or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import lance
import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.errors import (
    BindError,
    ConstraintError,
    LanceSQLError,
    StorageError,
    UnknownColumnError,
    nearest_name,
)
from lancesql.storage.scan import wrap_lance_error

from .clones import dropping
from .conversion import RaggedVectorError, convert_column, copy_slice, plan_type
from .fills import fill_column, slice_batches
from .finite import refuse_infinite_rows
from .new_table import NewTable, check_names
from .row_stream import OnRows, RowStream, read_batches
from .rules import RowRules

if TYPE_CHECKING:
    from lancesql.storage.database import LanceDatabase

__all__ = [
    "OpenReader",
    "create_table",
    "define_table",
    "drop_remains",
    "drop_table",
    "fit_column",
    "insert_rows",
    "match_columns",
    "truncate_table",
]

OpenReader = Callable[[], pa.RecordBatchReader]


def create_table(
    database: LanceDatabase,
    name: str,
    open_reader: OpenReader,
    *,
    replace: bool = False,
    if_not_exists: bool = False,
    float16: bool | str | Sequence[str] = False,
    vectors: bool = True,
    finite: bool = False,
    on_rows: OnRows | None = None,
) -> int:
    """Makes a table of a query's rows. With `replace`, an existing table gets them as its new version.

    Rows keep their ids for good (Lance's stable row ids): an id read before a compaction names the same row after it.

    Args:
        database: The database.
        name: The table's name, or a path.
        open_reader: Runs the query; called once more when a list that was taken for a vector turns out not to be one.
        replace: Replace a table that exists.
        if_not_exists: Leave a table that exists as it is.
        float16: Vector columns stored as float16: all of them, or by name.
        vectors: Lists of floating-point numbers that all have one length become vectors.
        finite: Vectors with NaN or an infinity are refused.
        on_rows: Told how many rows were read so far.

    Returns:
        The number of rows written.

    Raises:
        LanceSQLError: The query's own error, or what does not fit; the table is then as it was before.
    """
    if database.connection is None and not name.lower().rstrip("/").endswith(".lance"):
        raise StorageError(
            f"there is no Lance database for table '{name}'", hint="lancesql.connect('directory') opens one"
        )
    exists = database.find_table(name) is not None
    if exists and not replace:
        if if_not_exists:
            return 0
        raise StorageError(f"table '{name}' exists already", hint=f"CREATE OR REPLACE TABLE {name}")
    mode: Literal["create", "overwrite"] = "overwrite" if exists else "create"
    lists: set[str] = set()
    read_before = 0
    while True:

        def decide(reader: pa.RecordBatchReader, at_least: int = read_before) -> RowStream:
            plan = NewTable(reader, vectors=vectors, lists=frozenset(lists), float16=float16)
            convert = _check_vectors(plan.convert) if finite else plan.convert
            return RowStream(plan.batches(), plan.schema, convert, at_least=at_least, on_rows=on_rows)

        rows, ragged = _read_and_write(database, name, open_reader, decide, mode)
        if ragged is None:
            return rows
        lists.add(ragged)
        read_before = rows


def define_table(
    database: LanceDatabase, name: str, schema: pa.Schema, *, replace: bool = False, if_not_exists: bool = False
) -> None:
    """Makes an empty table. With `replace`, an existing table gets an empty version.

    Raises:
        UnsupportedError: When Lance has no type for a column.
    """
    exists = database.find_table(name) is not None
    if exists and not replace:
        if if_not_exists:
            return
        raise StorageError(f"table '{name}' exists already", hint=f"CREATE OR REPLACE TABLE {name}")
    check_names(schema.names)
    fields = [
        pa.field(one.name, plan_type(one.type, one.name), nullable=one.nullable, metadata=one.metadata)
        for one in schema
    ]
    planned = pa.schema(fields).with_metadata(schema.metadata)
    stream = RowStream(iter(()), planned, lambda batch: batch)
    _write(database, name, stream, "overwrite" if exists else "create")


def insert_rows(
    database: LanceDatabase,
    table: TableInfo,
    open_reader: OpenReader,
    *,
    columns: Sequence[str] = (),
    by_name: bool = False,
    on_rows: OnRows | None = None,
    rules: RowRules | None = None,
) -> int:
    """Appends a query's rows to a table, each column cast to the table's type without loss.

    Args:
        database: The database.
        table: The table.
        open_reader: Runs the query.
        columns: The columns the query gives, in order; the others become NULL. All of them when empty.
        by_name: The query's own column names say where its values go.
        on_rows: Told how many rows were read so far.
        rules: How columns that the query does not give are made, and what rows are refused.

    Returns:
        The number of rows written.

    Raises:
        LanceSQLError: The query's own error, or what does not fit; nothing is then written.
    """
    rules = rules or RowRules()

    def decide(reader: pa.RecordBatchReader) -> RowStream:
        places = dict(
            zip(table.schema.names, match_columns(table, reader.schema.names, columns, by_name=by_name), strict=True)
        )
        left_out = [name for name, place in places.items() if place is None]
        found = rules.find_fills() if left_out else ()
        fills = {one.column: one for one in found if one.column in left_out and places[one.source] is not None}
        made = {name for name in left_out if name in fills or rules.make_default(name, 0) is not None}
        _refuse_missing(table, [name for name in left_out if name not in made])

        def make(field: pa.Field[Any], batch: pa.RecordBatch) -> pa.Array[Any]:
            place, fill = places[field.name], fills.get(field.name)
            if fill is not None:
                return fill_column(make(table.schema.field(fill.source), batch), fill, field.type)
            if place is not None:
                return batch.column(place)
            default = rules.make_default(field.name, batch.num_rows)
            return pa.nulls(batch.num_rows, field.type) if default is None else default

        def convert(batch: pa.RecordBatch) -> pa.RecordBatch:
            arrays = [fit_column(rules.read_text(make(field, batch), field), field) for field in table.schema]
            rows = pa.RecordBatch.from_arrays(arrays, schema=table.schema)
            rules.check(rows)
            return rows

        batches = read_batches(reader)
        if fills:
            batches = slice_batches(batches, min(one.most for one in fills.values()))
        checked = _check_vectors(convert) if rules.finite else convert
        return RowStream(batches, table.schema, checked, on_rows=on_rows)

    return _read_and_write(database, table, open_reader, decide, "append")[0]


def drop_table(database: LanceDatabase, name: str) -> None:
    """Removes a table, all its versions and indexes.

    Raises:
        StorageError: When it cannot be removed.
    """
    uri = database.table_uri(name)
    table = database.find_table(name)
    try:
        with contextlib.nullcontext() if table is None else dropping(database, table):
            lance.LanceDataset.drop(uri, storage_options=database.storage_options)
    except BaseException as error:
        raise wrap_lance_error(error, f"dropping table '{name}'") from None
    finally:
        database.forget(name)


def drop_remains(database: LanceDatabase, name: str) -> None:
    """Removes the folder of a table without a version, which Lance refuses to: what a killed writer left.

    Raises:
        StorageError: When there is a version in it after all, or it cannot be removed.
    """
    try:
        if database.connection is None or any(Path(database.table_uri(name)).glob("_versions/*.manifest")):
            raise StorageError(f"table '{name}' has versions, and none of them can be read")
        database.connection.drop_table(name)
    except BaseException as error:
        raise wrap_lance_error(error, f"dropping table '{name}'") from None
    finally:
        database.forget(name)


def truncate_table(database: LanceDatabase, table: TableInfo) -> int:
    """Removes every row of a table; its columns, indexes and earlier versions stay.

    Returns:
        How many rows there were.
    """
    try:
        database.open_dataset(table).checkout_version(table.version).delete("true")
    except BaseException as error:
        raise wrap_lance_error(error, f"emptying table '{table.name}'") from None
    finally:
        database.forget(table.name)
    return table.rows


def _read_and_write(
    database: LanceDatabase,
    target: str | TableInfo,
    open_reader: OpenReader,
    decide: Callable[[pa.RecordBatchReader], RowStream],
    mode: Literal["create", "overwrite", "append"],
) -> tuple[int, str | None]:
    """The rows read, and the column of a ragged vector, for whose sake they were not written.

    A stream of DuckDB occupies its connection until nothing refers to it. So an error leaves here without the frames it
    came through, which would keep the stream for as long as somebody keeps the error.
    """
    reader = open_reader()
    stream: RowStream | None = None
    try:
        stream = decide(reader)
        return _write(database, target, stream, mode), None
    except RaggedVectorError as ragged:
        return 0 if stream is None else stream.rows, ragged.column
    except LanceSQLError as error:
        error.__context__ = None
        raise error.with_traceback(None) from None
    finally:
        reader.close()
        del reader, stream


def _write(
    database: LanceDatabase,
    target: str | TableInfo,
    stream: RowStream,
    mode: Literal["create", "overwrite", "append"],
) -> int:
    """Writes a table of that name, or appends to a table as it was read: whoever altered it meanwhile is noticed."""
    name = target if isinstance(target, str) else target.name
    place: Any = database.table_uri(name) if isinstance(target, str) else database.open_dataset(target)
    options: dict[str, Any] = {} if mode == "append" else {"enable_stable_row_ids": True}
    try:
        lance.write_dataset(stream.to_reader(), place, mode=mode, storage_options=database.storage_options, **options)
    except BaseException as error:
        if mode == "create":
            _remove_empty_folders(Path(place))
        if stream.failure is not None:
            raise stream.take_failure() from None
        raise wrap_lance_error(error, f"writing table '{name}'") from None
    finally:
        database.forget(name)
    return stream.rows


def _check_vectors(convert: Callable[[pa.RecordBatch], pa.RecordBatch]) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    """The conversion of a query's batches, which refuses vectors that no search finds."""
    rows = 0

    def convert_and_check(batch: pa.RecordBatch) -> pa.RecordBatch:
        nonlocal rows
        converted = convert(batch)
        refuse_infinite_rows(converted, rows)
        rows += batch.num_rows
        return converted

    return convert_and_check


def _remove_empty_folders(path: Path) -> None:
    """Removes the folders a failed write left, which would be listed as a table; folders with files in them stay."""
    if not path.is_dir():
        return
    for folder in sorted((one for one in path.rglob("*") if one.is_dir()), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()
    with contextlib.suppress(OSError):
        path.rmdir()


def match_columns(table: TableInfo, given: Sequence[str], columns: Sequence[str], *, by_name: bool) -> list[int | None]:
    """For each column of the table, the column of the query that fills it."""
    names = table.schema.names
    if by_name:
        folded = {name.lower(): name for name in names}
        columns = []
        for name in given:
            target = name if name in names else folded.get(name.lower())
            if target is None:
                near = nearest_name(name, names)
                listed = f"columns: {', '.join(names)}"
                raise UnknownColumnError(
                    f"table '{table.name}' has no column '{name}'",
                    hint=f"did you mean '{near}'? {listed}" if near else listed,
                )
            if target in columns:
                raise BindError(f"two columns of the query are called '{name}'", hint="rename one of them with AS")
            columns.append(target)
    wanted = list(columns) or names
    if len(given) != len(wanted):
        what = f"{len(wanted)} columns are named" if columns else f"table '{table.name}' has {len(wanted)} columns"
        raise BindError(
            f"{what}, and the query gives {len(given)}",
            hint=f"INSERT INTO {table.name} ({', '.join(names)}) …, or BY NAME",
        )
    return [wanted.index(name) if name in wanted else None for name in names]


def _refuse_missing(table: TableInfo, left_out: Sequence[str]) -> None:
    for name in left_out:
        if not table.schema.field(name).nullable:
            raise BindError(f"column '{name}' of table '{table.name}' cannot be NULL, and the query does not give it")


def fit_column(array: pa.Array[Any], field: pa.Field[Any]) -> pa.Array[Any]:
    """The column in the type of the table, NULL only where the table takes it.

    Raises:
        ExecutionError: When a value does not fit, or is NULL where none may stand.
    """
    converted = copy_slice(convert_column(array, field.type, field.name))
    if not field.nullable and converted.null_count:
        raise ConstraintError(
            f"column '{field.name}' cannot be NULL, and a row has no value for it", hint="nothing was written"
        )
    return converted
