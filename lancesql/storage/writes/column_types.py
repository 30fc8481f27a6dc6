"""A column written anew in another type, and its indexes built on it, before any version has them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lance
import pyarrow as pa
from lance.schema import LanceSchema

from lancesql.catalog import IndexInfo, TableInfo
from lancesql.errors import ConflictError, LanceSQLError, StorageError
from lancesql.storage.index_builds import rebuild_index, stage_index
from lancesql.storage.indexes import show_kind
from lancesql.storage.maintenance import Step
from lancesql.storage.scan import wrap_lance_error
from lancesql.storage.types import READ_BLOBS

from .row_stream import OnRows, RowStream

if TYPE_CHECKING:
    from lancesql.storage.database import LanceDatabase

__all__ = ["change_type"]

_BATCH_ROWS = 8_192
_NEW = "__lancesql_new"

Convert = Callable[[pa.RecordBatch], pa.RecordBatch]


def change_type(
    database: LanceDatabase,
    table: TableInfo,
    field: pa.Field[Any],
    reads: Sequence[str],
    convert: Convert,
    indexes: Sequence[IndexInfo] = (),
    on_rows: OnRows | None = None,
) -> list[Step]:
    """Gives a column another type, in one commit; the others stay in their files.

    All files are written first, those of indexes over a version that nobody is shown. Then the column and its indexes
    take their places, a commit each.

    Args:
        database: The database of the table.
        table: The table, at its newest version.
        field: The column as it is going to be.
        reads: The columns that `convert` reads.
        convert: Makes the column of a batch of those.
        indexes: Those of the column, which are built anew.
        on_rows: Told how many rows were written.

    Returns:
        What was done: the column, and each index.

    Raises:
        ConflictError: When somebody else has written to the table meanwhile.
        LanceSQLError: The error of `convert`, or Lance's; the table is then as it was.
    """
    doing = f"changing column '{field.name}'"
    shadow = None
    try:
        dataset = lance.dataset(table.uri, storage_options=database.storage_options)
        if dataset.version != table.version:
            raise ConflictError(f"table '{table.name}' was changed meanwhile", hint="run the statement again")
        started = time.perf_counter()
        operation = _write_column(dataset, field, reads, convert, on_rows)
        steps = [_tell("rewrite", field.name, f"{dataset.count_rows():,} rows, {_show_files(operation)}", started)]
        built = []
        for index in indexes if operation.fragments else ():
            shadow = shadow or _commit(database, dataset, operation, detached=True)
            started = time.perf_counter()
            built.append(stage_index(dataset, shadow, index))
            steps.append(_tell("rebuild", index.name, f"{show_kind(index)} built anew", started))
        done = _commit(database, dataset, operation)
    except BaseException as error:
        raise wrap_lance_error(error, doing) from None
    finally:
        if shadow is not None:
            _forget_staged(shadow)
        database.forget(table.name)
    return [*steps, *_place_indexes(database, table, dataset, done, built, indexes)]


def _write_column(
    dataset: Any,
    field: pa.Field[Any],
    reads: Sequence[str],
    convert: Convert,
    on_rows: OnRows | None,
) -> Any:
    """The commit that puts the new column in the place of the old one."""
    new = pa.schema([field.with_name(_find_free_name(dataset.schema.names))])
    fragments, number, written = [], 1 + max(_list_numbers(dataset.lance_schema.fields())), 0
    for fragment in dataset.get_fragments():
        reader = dataset.scanner(
            fragments=[fragment], columns=list(reads), batch_size=_BATCH_ROWS, **READ_BLOBS
        ).to_reader()
        count = None if on_rows is None else _add_to(on_rows, written)
        stream = RowStream(iter(reader), new, lambda batch: convert(batch).rename_columns(new.names), on_rows=count)
        with _keeping_failure(stream):
            made, schema = fragment.merge_columns(stream.to_reader())
        fragments.append(made)
        number = schema.field(new.names[0]).id()
        written += stream.rows
    schema = _replace_field(dataset.lance_schema, field, number)
    return lance.LanceOperation.Merge(fragments, schema, preserves_nullability=False)


def _find_free_name(names: Sequence[str]) -> str:
    return next(name for name in (f"{_NEW}{number}" for number in range(len(names) + 1)) if name not in names)


def _add_to(on_rows: OnRows, before: int) -> OnRows:
    return lambda rows: on_rows(before + rows)


@contextlib.contextmanager
def _keeping_failure(stream: RowStream) -> Iterator[None]:
    try:
        yield
    except Exception:
        if stream.failure is not None:
            raise stream.take_failure() from None
        raise


def _replace_field(schema: Any, field: pa.Field[Any], number: int) -> Any:
    """The schema with another field in the place of that name.

    Upstream: a field gets its number from its place in a schema, or from the messages by which schemas are pickled.
    """
    fillers = [pa.field(f"{_NEW}{before}", pa.int32()) for before in range(number)]
    _, new = _split_schema(LanceSchema.from_pyarrow(pa.schema([*fillers, field])))
    metadata, held = _split_schema(schema)
    held[field.name] = new[field.name]
    return LanceSchema._from_protos(metadata, *(part for parts in held.values() for part in parts))


def _split_schema(schema: Any) -> tuple[str, dict[str, list[bytes]]]:
    """The metadata of a schema and the messages of each column."""
    _, (metadata, *parts) = schema.__reduce__()
    held: dict[str, list[bytes]] = {}
    for one in schema.fields():
        size = len(_list_numbers([one]))
        held[one.name()], parts = parts[:size], parts[size:]
    return metadata, held


def _list_numbers(fields: Sequence[Any]) -> list[int]:
    """The numbers of fields and of what is within them."""
    return [number for one in fields for number in (one.id(), *_list_numbers(one.children()))]


def _commit(database: LanceDatabase, dataset: Any, operation: Any, *, detached: bool = False) -> Any:
    """The next version, or one that nobody is shown."""
    return lance.LanceDataset.commit(
        dataset,
        operation,
        read_version=dataset.version,
        storage_options=database.storage_options,
        detached=detached,
    )


def _place_indexes(
    database: LanceDatabase,
    table: TableInfo,
    before: Any,
    dataset: Any,
    built: Sequence[Any],
    indexes: Sequence[IndexInfo],
) -> list[Step]:
    """Makes indexes part of the table; those of one without rows are built here, which takes no time.

    Raises:
        StorageError: When somebody has made that impossible meanwhile: the column has its new type by now.
    """
    steps = []
    try:
        if built:
            names = {one.name for one in built}
            stale = [segment for one in dataset.describe_indices() if one.name in names for segment in one.segments]
            made = [replace(one, dataset_version=dataset.version) for one in built]
            _commit(database, dataset, lance.LanceOperation.CreateIndex(new_indices=made, removed_indices=stale))
            return []
        for index in indexes:
            started = time.perf_counter()
            rebuild_index(dataset, index, source=before)
            steps.append(_tell("rebuild", index.name, f"{show_kind(index)} built anew", started))
    except BaseException as error:
        wrapped = wrap_lance_error(error, f"putting the indexes of '{table.name}' in their place")
        if not isinstance(wrapped, LanceSQLError):
            raise wrapped from None
        raise StorageError(
            f"the column has its new type, but not its indexes: {wrapped.message}",
            hint=f"CREATE INDEX {', '.join(index.name for index in indexes)} again",
        ) from None
    finally:
        database.forget(table.name)
    return steps


def _forget_staged(dataset: Any) -> None:
    """Upstream: Lance's clean-up leaves the manifests of such versions where they are."""
    path = Path(dataset.uri) / "_versions" / f"d{dataset.version}.manifest"
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _show_files(operation: Any) -> str:
    size = sum(fragment.files[-1].file_size_bytes or 0 for fragment in operation.fragments)
    count = len(operation.fragments)
    return f"{count:,} fragment{'' if count == 1 else 's'}, {size:,} bytes"


def _tell(step: str, target: str, detail: str, started: float) -> Step:
    return Step(step, target, "done", detail, (time.perf_counter() - started) * 1e3)
