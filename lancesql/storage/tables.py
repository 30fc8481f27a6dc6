"""Making, filling and dropping tables: rows stream from the query into Lance, and appear all at once or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import lance
import pyarrow as pa
import pyarrow.compute as pc

from lancesql.catalog import TableInfo
from lancesql.errors import (
    BindError,
    ExecutionError,
    StorageError,
    UnknownColumnError,
    nearest_name,
)

from .conversion import RaggedVectorError, convert_column, convert_to_half, plan_field
from .row_stream import RowStream, read_batches
from .scan import wrap_lance_error

if TYPE_CHECKING:
    from .database import LanceDatabase

__all__ = ["OpenReader", "create_table", "drop_table", "insert_rows"]

OpenReader = Callable[[], pa.RecordBatchReader]

_PEEKED_ROWS = 65_536
_RESERVED = ("_rowid", "_rowaddr", "_rowoffset", "_distance", "_score", "_relevance_score")


def create_table(
    database: LanceDatabase,
    name: str,
    open_reader: OpenReader,
    *,
    replace: bool = False,
    if_not_exists: bool = False,
    float16: bool | str | Sequence[str] = False,
    vectors: bool = True,
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

    Returns:
        The number of rows written.

    Raises:
        LanceSQLError: The query's own error, or what does not fit; the table is then as it was before.
    """
    exists = database.find_table(name) is not None
    if exists and not replace:
        if if_not_exists:
            return 0
        raise StorageError(f"table '{name}' exists already", hint=f"CREATE OR REPLACE TABLE {name}")
    lists: set[str] = set()
    read_before = 0
    while True:
        with contextlib.closing(open_reader()) as reader:
            plan = _NewTable(reader, vectors=vectors, lists=lists, float16=float16)
            stream = RowStream(plan.batches(), plan.schema, plan.convert, at_least=read_before)
            try:
                return _write(database, name, stream, "overwrite" if exists else "create")
            except RaggedVectorError as ragged:
                lists.add(ragged.column)
                read_before = stream.rows


def insert_rows(
    database: LanceDatabase,
    table: TableInfo,
    open_reader: OpenReader,
    *,
    columns: Sequence[str] = (),
    by_name: bool = False,
) -> int:
    """Appends a query's rows to a table, each column cast to the table's type without loss.

    Args:
        database: The database.
        table: The table.
        open_reader: Runs the query.
        columns: The columns the query gives, in order; the others become NULL. All of them when empty.
        by_name: The query's own column names say where its values go.

    Returns:
        The number of rows written.

    Raises:
        LanceSQLError: The query's own error, or what does not fit; nothing is then written.
    """
    with contextlib.closing(open_reader()) as reader:
        places = _match_columns(table, reader.schema, columns, by_name=by_name)

        def convert(batch: pa.RecordBatch) -> pa.RecordBatch:
            arrays = [
                _fit_column(pa.nulls(batch.num_rows, field.type) if place is None else batch.column(place), field)
                for field, place in zip(table.schema, places, strict=True)
            ]
            return pa.RecordBatch.from_arrays(arrays, schema=table.schema)

        return _write(database, table.name, RowStream(read_batches(reader), table.schema, convert), "append")


def drop_table(database: LanceDatabase, name: str) -> None:
    """Removes a table, all its versions and indexes.

    Raises:
        StorageError: When it cannot be removed.
    """
    uri = database.table_uri(name)
    try:
        lance.LanceDataset.drop(uri, storage_options=database.storage_options)
    except BaseException as error:
        raise wrap_lance_error(error, f"dropping table '{name}'") from None
    finally:
        database.forget(name)


class _NewTable:
    """The schema of a new table, decided by the query's first rows, and its rows in that schema."""

    def __init__(
        self, reader: pa.RecordBatchReader, *, vectors: bool, lists: set[str], float16: bool | str | Sequence[str]
    ) -> None:
        _check_names(reader.schema.names)
        self._reader = read_batches(reader)
        self._peeked: list[pa.RecordBatch] = []
        given = reader.schema
        candidates = [
            field.name for field in given if vectors and _is_number_list(field.type) and field.name not in lists
        ]
        sizes = self._measure_lists(candidates)
        fields = []
        for field in given:
            planned = plan_field(field)
            size = sizes.get(field.name)
            if size is not None:
                planned = planned.with_type(pa.list_(field.type.value_type, size))
            fields.append(planned)
        self._guessed = frozenset(sizes)
        self._half = _choose_half(fields, float16)
        self.schema = pa.schema(
            [
                field.with_type(pa.list_(pa.float16(), field.type.list_size)) if field.name in self._half else field
                for field in fields
            ]
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as the query gives them, from the first."""
        while self._peeked:
            yield self._peeked.pop(0)
        yield from self._reader

    def convert(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch in the schema of the table."""
        arrays = [self._convert(column, field) for column, field in zip(batch.columns, self.schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _convert(self, array: pa.Array[Any], field: pa.Field[Any]) -> pa.Array[Any]:
        if field.name in self._guessed and _find_size(array, field.type.list_size) is None:
            raise RaggedVectorError(field.name)
        if field.name in self._half and pa.types.is_fixed_size_list(array.type) and array.type != field.type:
            return _copy_slice(convert_to_half(array, field.name))
        if array.type == field.type:
            return _copy_slice(array)
        if field.name in self._guessed:
            array = array.cast(pa.list_(array.type.value_type, field.type.list_size))
            return convert_to_half(array, field.name) if field.name in self._half else array
        return _copy_slice(array.cast(field.type))

    def _measure_lists(self, columns: list[str]) -> dict[str, int]:
        """The one length the lists of each column have, as far as the first rows tell."""
        sizes: dict[str, int | None] = {}
        rows = 0
        while len(sizes) < len(columns) and rows < _PEEKED_ROWS:
            batch = next(self._reader, None)
            if batch is None:
                break
            self._peeked.append(batch)
            rows += batch.num_rows
            for name in columns:
                array = batch.column(name)
                if name not in sizes and array.null_count < len(array):
                    sizes[name] = _find_size(array)
        return {name: size for name, size in sizes.items() if size is not None}


def _write(
    database: LanceDatabase, name: str, stream: RowStream, mode: Literal["create", "overwrite", "append"]
) -> int:
    uri = database.table_uri(name)
    options: dict[str, Any] = {} if mode == "append" else {"enable_stable_row_ids": True}
    try:
        lance.write_dataset(stream.to_reader(), uri, mode=mode, storage_options=database.storage_options, **options)
    except BaseException as error:
        if mode == "create":
            _remove_empty_folders(Path(uri))
        if stream.failure is not None:
            raise stream.failure from None
        raise wrap_lance_error(error, f"writing table '{name}'") from None
    finally:
        database.forget(name)
    return stream.rows


def _remove_empty_folders(path: Path) -> None:
    """Removes the folders a failed write left, which would be listed as a table; folders with files in them stay."""
    if not path.is_dir():
        return
    for folder in sorted((one for one in path.rglob("*") if one.is_dir()), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()
    with contextlib.suppress(OSError):
        path.rmdir()


def _check_names(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise BindError(f"two columns of the query are called '{name}'", hint="rename one of them with AS")
        seen.add(name.lower())
        if name.lower() in _RESERVED:
            raise BindError(
                f"a Lance table cannot have a column '{name}'",
                hint=f"rename it: {name} AS {name.lstrip('_')}, or leave it out",
            )
        if not name or "." in name or "`" in name:
            raise BindError(
                f"a Lance table cannot have a column '{name}'",
                hint="a name is not empty and has no '.' and no '`': rename it with AS",
            )


def _is_number_list(type_: pa.DataType) -> bool:
    return bool((pa.types.is_list(type_) or pa.types.is_large_list(type_)) and pa.types.is_floating(type_.value_type))


def _find_size(array: pa.Array[Any], size: int | None = None) -> int | None:
    """The one length (of two or more) all lists have; None when there is none, or it is not `size`."""
    bounds = pc.min_max(pc.list_value_length(array))
    least, most = bounds["min"].as_py(), bounds["max"].as_py()
    if least is None:
        return size
    return int(least) if least == most and least >= 2 and size in (None, least) else None


def _choose_half(fields: Sequence[pa.Field[Any]], float16: bool | str | Sequence[str]) -> frozenset[str]:
    vectors = [
        field.name
        for field in fields
        if pa.types.is_fixed_size_list(field.type) and pa.types.is_floating(field.type.value_type)
    ]
    if isinstance(float16, bool):
        return frozenset(vectors if float16 else ())
    wanted = [float16] if isinstance(float16, str) else list(float16)
    folded = {name.lower(): name for name in vectors}
    for name in wanted:
        if name.lower() not in folded:
            known = [field.name for field in fields]
            if name.lower() in [one.lower() for one in known]:
                raise BindError(
                    f"float16 is for vectors, and column '{name}' is none",
                    hint=f"vectors: {', '.join(vectors) or 'none'}",
                )
            near = nearest_name(name, known)
            raise UnknownColumnError(
                f"float16 names column '{name}', which the query does not give",
                hint=f"did you mean '{near}'?" if near else None,
            )
    return frozenset(folded[name.lower()] for name in wanted)


def _match_columns(table: TableInfo, given: pa.Schema, columns: Sequence[str], *, by_name: bool) -> list[int | None]:
    """For each column of the table, the column of the query that fills it."""
    names = table.schema.names
    if by_name:
        folded = {name.lower(): name for name in names}
        columns = []
        for name in given.names:
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
        what = "columns are named" if columns else f"columns has table '{table.name}'"
        raise BindError(
            f"{len(wanted)} {what}, and the query gives {len(given)}",
            hint=f"INSERT INTO {table.name} ({', '.join(names)}) …, or BY NAME",
        )
    places = [wanted.index(name) if name in wanted else None for name in names]
    for field, place in zip(table.schema, places, strict=True):
        if place is None and not field.nullable:
            raise BindError(
                f"column '{field.name}' of table '{table.name}' cannot be NULL, and the query does not give it"
            )
    return places


def _fit_column(array: pa.Array[Any], field: pa.Field[Any]) -> pa.Array[Any]:
    converted = _copy_slice(convert_column(array, field.type, field.name))
    if not field.nullable and converted.null_count:
        raise ExecutionError(
            f"column '{field.name}' cannot be NULL, and a row has no value for it", hint="nothing was written"
        )
    return converted


def _copy_slice(array: pa.Array[Any]) -> pa.Array[Any]:
    """Upstream: Lance panics on a slice of nested structs."""
    return pa.concat_arrays([array, array.slice(0, 0)]) if array.offset and pa.types.is_nested(array.type) else array
