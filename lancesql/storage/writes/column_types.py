"""A column written anew in another type, and its indexes built on it, before any version has them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import lance
import pyarrow as pa
from lance.fragment import write_fragments

from lancesql.catalog import IndexInfo, TableInfo
from lancesql.storage.index_builds import OnProgress, stage_index
from lancesql.storage.indexes import show_kind
from lancesql.storage.maintenance import Step
from lancesql.storage.types import READ_BLOBS

from .row_stream import OnRows, RowStream
from .schemas import find_free_number, put_field
from .staging import Staging, stage_changes

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
    on_progress: OnProgress | None = None,
) -> list[Step]:
    """Gives a column another type, in one commit with its indexes; the other columns stay in their files.

    Args:
        database: The database of the table.
        table: The table, at its newest version.
        field: The column as it is going to be.
        reads: The columns that `convert` reads.
        convert: Makes the column of a batch of those.
        indexes: Those of the column, which are built anew.
        on_progress: Told how many rows are written, and how the builds go on.

    Returns:
        What was done: the column, and each index.

    Raises:
        ConflictError: When somebody else has written to the table meanwhile.
        LanceSQLError: The error of `convert`, or Lance's; the table is then as it was.
    """
    with stage_changes(database, table, f"changing column '{field.name}'") as staging:
        read, started = staging.dataset, time.perf_counter()
        rows = read.count_rows()
        operation = _write_column(read, field, reads, convert, _count(on_progress, field.name, rows))
        staging.add(operation)
        steps = [_tell("rewrite", field.name, f"{rows:,} rows, {_show_files(operation)}", started)]
        built = []
        for number, index in enumerate(indexes, 1):
            started = time.perf_counter()
            place = f"index {index.name} ({number} of {len(indexes)})"
            built.append(_build_index(staging, read, index, _prefix(on_progress, place)))
            steps.append(_tell("rebuild", index.name, f"{show_kind(index)} built anew", started))
        if built:
            staging.add(lance.LanceOperation.CreateIndex(new_indices=built, removed_indices=[]))
        staging.publish()
    return steps


def _write_column(
    dataset: Any,
    field: pa.Field[Any],
    reads: Sequence[str],
    convert: Convert,
    on_rows: OnRows | None,
) -> Any:
    """The commit that puts the new column in the place of the old one."""
    new = pa.schema([field.with_name(_find_free_name(dataset.schema.names))])
    fragments, number, written = [], find_free_number(dataset), 0
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
    schema = put_field(dataset.lance_schema, field, number)
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


def _count(on_progress: OnProgress | None, column: str, total: int) -> OnRows | None:
    return None if on_progress is None else lambda rows: on_progress(f"rewriting {column}: rows", rows, total)


def _prefix(on_progress: OnProgress | None, place: str) -> OnProgress | None:
    if on_progress is None:
        return None
    return lambda stage, done, total: on_progress(f"{place}: {stage}", done, total)


def _build_index(staging: Staging, read: Any, index: IndexInfo, on_progress: OnProgress | None) -> Any:
    """An index over the new column, which no version has yet.

    Upstream: Lance builds no bitmap over no rows at all, but one over none of the rows of another table.
    """
    target, number = staging.dataset, staging.dataset.lance_schema.field(index.columns[0]).id()
    if show_kind(index) == "BITMAP" and not target.count_rows():
        row = pa.table(
            [pa.nulls(1, target.schema.field(name).type) for name in index.columns], names=list(index.columns)
        )
        written = write_fragments(row, target.uri, mode="overwrite", storage_options=staging.options)
        target = staging.try_out(lance.LanceOperation.Overwrite(row.schema, written))
        made = stage_index(read, target, index, fragments=[], on_progress=on_progress)
    else:
        made = stage_index(read, target, index, on_progress=on_progress)
    return replace(made, fields=[number], dataset_version=staging.version)


def _show_files(operation: Any) -> str:
    size = sum(fragment.files[-1].file_size_bytes or 0 for fragment in operation.fragments)
    count = len(operation.fragments)
    return f"{count:,} fragment{'' if count == 1 else 's'}, {size:,} bytes"


def _tell(step: str, target: str, detail: str, started: float) -> Step:
    return Step(step, target, "done", detail, (time.perf_counter() - started) * 1e3)
