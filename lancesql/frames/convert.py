"""Arrow tables → Polars and pandas frames, and frames of any kind → Arrow."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, cast

import pyarrow as pa

from lancesql.errors import ArgumentError, ExecutionError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow.dataset as ds

__all__ = ["frame_to_arrow", "import_polars", "name_columns", "runs_python", "table_to_pandas", "table_to_polars"]

_ACCEPTED = (
    "a pandas DataFrame, a Polars DataFrame or LazyFrame, a pyarrow Table, RecordBatch, RecordBatchReader or Dataset, "
    "or any object with __arrow_c_stream__"
)


def table_to_polars(table: pa.Table) -> pl.DataFrame:
    """A Polars frame over the same buffers; only columns of types that Polars lacks are converted.

    Decimals of more than 38 digits become decimals of 38, intervals become durations (a month counts 30 days, as in
    `fetchall`), UUIDs text.

    Raises:
        ExecutionError: Polars is not installed, or has no type for a column.
    """
    polars = import_polars("to_polars()")
    _refuse_repeated_names(table.column_names, "Polars")
    fields = [_recast_column(table.column(i), table.schema.field(i)) for i in range(table.num_columns)]
    recast = pa.table([column for column, _ in fields], schema=pa.schema([field for _, field in fields]))
    try:
        frame: pl.DataFrame = polars.from_arrow(recast)
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, TypeError, ValueError) as error:
        raise ExecutionError(
            f"Polars cannot hold this answer: {str(error).splitlines()[0]}",
            hint="cast the column in the statement, or use to_arrow()",
        ) from None
    return frame


def table_to_pandas(table: pa.Table, engine_types: Sequence[str] | None = None) -> pd.DataFrame:
    """A pandas frame of the table.

    Args:
        table: The answer.
        engine_types: The SQL type of each column, when known: a HUGEINT (every sum of integers is one) becomes int64
            when its values fit, instead of a column of Decimal objects.

    Raises:
        ExecutionError: pandas is not installed, or has no type for a column.
    """
    _import_package("pandas", "to_pandas()")
    for index, kind in enumerate(engine_types or ()):
        if kind == "HUGEINT" and pa.types.is_decimal(table.schema.field(index).type):
            try:
                column = table.column(index).cast(pa.int64())
            except pa.ArrowInvalid:
                continue
            table = table.set_column(index, table.schema.field(index).name, column)
    try:
        return table.to_pandas()
    except (pa.ArrowException, ValueError, OverflowError, TypeError) as error:
        raise ExecutionError(
            f"pandas cannot hold this answer: {str(error).splitlines()[0]}",
            hint="cast the column in the statement, or use to_arrow()",
        ) from None


def frame_to_arrow(obj: object) -> pa.Table | ds.Dataset:
    """The Arrow table of a frame; a Dataset is returned as it is, for it is read with push-down.

    A LazyFrame is collected now, a RecordBatchReader is read to its end now.

    Raises:
        ArgumentError: The object is not a frame, or has a column that Arrow cannot hold.
    """
    polars, pandas = sys.modules.get("polars"), sys.modules.get("pandas")
    if isinstance(obj, pa.Table):
        return obj
    if isinstance(obj, pa.RecordBatch):
        return pa.Table.from_batches([obj])
    if isinstance(obj, pa.RecordBatchReader):
        return obj.read_all()
    if polars is not None and isinstance(obj, polars.LazyFrame):
        obj = _collect_frame(obj, polars)
    if polars is not None and isinstance(obj, polars.DataFrame):
        return _read_polars_frame(obj, polars)
    if pandas is not None and isinstance(obj, pandas.DataFrame):
        return _read_pandas_frame(obj)
    dataset = sys.modules.get("pyarrow.dataset")
    if dataset is not None and isinstance(obj, dataset.Dataset):
        return cast("ds.Dataset", obj)
    if hasattr(obj, "__arrow_c_stream__"):
        try:
            return pa.RecordBatchReader.from_stream(obj).read_all()
        except (pa.ArrowException, TypeError, ValueError) as error:
            _refuse_frame(obj, f": its Arrow stream is not a table ({str(error).splitlines()[0]})")
    return _refuse_frame(obj, "")


def name_columns(frame: Any) -> list[str] | None:
    """The names of a frame's columns; None when they are not known before it is read."""
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(frame, polars.LazyFrame):
        try:
            return list(frame.collect_schema().names())
        except polars.exceptions.PolarsError:
            return None
    columns = getattr(frame, "column_names", None) or getattr(frame, "columns", None)
    return None if columns is None else [str(column) for column in columns]


def runs_python(frame: Any) -> bool:
    """Whether collecting a LazyFrame calls Python: tables and searches of a connection may be among what it reads."""
    return "PYTHON" in frame.explain(optimized=False)


def _collect_frame(frame: Any, polars: ModuleType) -> Any:
    try:
        return frame.collect(engine="streaming")
    except polars.exceptions.PolarsError as error:
        raise ExecutionError(
            f"the LazyFrame could not be collected: {str(error).splitlines()[0]}", hint="collect() it to see all of it"
        ) from None


def _read_polars_frame(frame: Any, polars: ModuleType) -> pa.Table:
    objects = [name for name, kind in frame.schema.items() if kind == polars.Object]
    if objects:
        raise ArgumentError(
            f"column {objects[0]!r} of the Polars frame holds Python objects, which Arrow cannot hold",
            hint=f"cast it to a Polars type, or drop({objects[0]!r})",
        )
    try:
        table: pa.Table = frame.to_arrow()
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, pa.ArrowException) as error:
        raise ArgumentError(
            f"the Polars frame cannot become an Arrow table: {str(error).splitlines()[0]}", hint="cast the column first"
        ) from None
    return table


def _read_pandas_frame(frame: Any) -> pa.Table:
    _refuse_repeated_names([str(name) for name in frame.columns], "the pandas frame", ArgumentError)
    for name in frame.columns:  # one at a time, so that the error can name the column
        try:
            pa.Array.from_pandas(frame[name])
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            reason = str(error.args[0] if error.args else error).splitlines()[0]
            raise ArgumentError(
                f"column {str(name)!r} of the pandas frame has no single Arrow type: {reason}",
                hint=f"give it one type first, e.g. frame[{name!r}].astype(str)",
            ) from None
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def _refuse_frame(obj: object, reason: str) -> NoReturn:
    kind = type(obj)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    raise ArgumentError(f"a {name} cannot be read as a table{reason}", hint=f"pass {_ACCEPTED}")


def _refuse_repeated_names(
    names: Sequence[str], holder: str, error: type[ArgumentError | ExecutionError] = ExecutionError
) -> None:
    repeated = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if repeated is not None:
        raise error(f"{holder} cannot have two columns named {repeated!r}", hint="give each its own name (AS in SQL)")


def import_polars(wanted_by: str) -> ModuleType:
    """Polars.

    Raises:
        ExecutionError: It is not installed; `wanted_by` says what needs it.
    """
    from .namespace import register_namespace

    polars = _import_package("polars", wanted_by)
    register_namespace()
    return polars


def _import_package(name: str, wanted_by: str) -> ModuleType:
    try:
        return __import__(name)
    except ImportError:
        shown = {"polars": "Polars"}.get(name, name)
        raise ExecutionError(
            f"{wanted_by} needs {shown}, which is not installed", hint=f"pip install 'lancesql[{name}]'"
        ) from None


def _recast_column(column: pa.ChunkedArray[Any], field: pa.Field[Any]) -> tuple[pa.ChunkedArray[Any], pa.Field[Any]]:
    kind: Any = field.type
    if pa.types.is_interval(kind):
        spans = [_count_micros(value) for value in column]
        return pa.chunked_array([pa.array(spans, pa.duration("us"))]), pa.field(field.name, pa.duration("us"))
    if isinstance(kind, pa.UuidType):
        texts = [None if value is None else str(uuid.UUID(bytes=value)) for value in _iterate_storage(column)]
        return pa.chunked_array([pa.array(texts, pa.string())]), pa.field(field.name, pa.string())
    if isinstance(kind, pa.RunEndEncodedType):
        import pyarrow.compute as pc

        chunks = [pc.call_function("run_end_decode", [chunk]) for chunk in column.chunks]
        plain = field.with_type(kind.value_type)
        return _recast_column(pa.chunked_array(chunks, kind.value_type), plain)
    target: Any = _find_held_type(kind)
    if target == kind:
        return column, field
    if "list_view" in str(kind):  # Arrow's cast of a list view with NULLs makes a broken list
        rebuilt = [pa.array(chunk.to_pylist(), target) for chunk in column.chunks]
        return pa.chunked_array(rebuilt, target), field.with_type(target)
    try:
        return column.cast(target), field.with_type(target)
    except pa.ArrowException as error:
        raise ExecutionError(
            f"column {field.name!r} is {kind}, which Polars lacks, and its values do not fit {target}: {error}",
            hint="cast it to DOUBLE or VARCHAR, or use to_arrow()",
        ) from None


def _find_held_type(kind: Any) -> pa.DataType:
    """The nearest type that Polars holds; the same type where it holds it."""
    if isinstance(kind, pa.Decimal256Type):  # Polars panics on these
        digits = max(0, 38 - (kind.precision - kind.scale))
        return pa.decimal128(38, kind.scale if kind.precision <= 38 else min(kind.scale, digits))
    if pa.types.is_date64(kind):
        return pa.date32()
    if isinstance(kind, pa.FixedSizeListType):
        return pa.list_(kind.value_field.with_type(_find_held_type(kind.value_type)), kind.list_size)
    if isinstance(kind, (pa.ListType, pa.ListViewType)):
        return pa.list_(kind.value_field.with_type(_find_held_type(kind.value_type)))
    if isinstance(kind, (pa.LargeListType, pa.LargeListViewType)):
        return pa.large_list(kind.value_field.with_type(_find_held_type(kind.value_type)))
    if isinstance(kind, pa.StructType):
        return pa.struct([field.with_type(_find_held_type(field.type)) for field in kind])
    found: pa.DataType = kind
    return found


def _count_micros(value: Any) -> int | None:
    span = value.as_py()
    return None if span is None else (span.months * 30 + span.days) * 86_400_000_000 + span.nanoseconds // 1000


def _iterate_storage(column: pa.ChunkedArray[Any]) -> Iterator[bytes | None]:
    for chunk in column.chunks:
        yield from chunk.storage.to_pylist()  # type: ignore[attr-defined]
