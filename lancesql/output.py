"""Writes a result as CSV, JSON, Arrow or Parquet, batch by batch."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import decimal
import errno
import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

from lancesql.errors import UnsupportedError

if TYPE_CHECKING:
    import lancesql

__all__ = ["BINARY_FORMATS", "FORMATS", "format_json_value", "open_output", "show_result", "write_rows"]

BINARY_FORMATS = frozenset({"arrow", "parquet"})


def write_rows(reader: pa.RecordBatchReader, sink: IO[bytes], file_format: str) -> None:
    """Writes every row of `reader`; `file_format` is `csv`, `json`, `arrow` or `parquet`.

    Raises:
        UnsupportedError: When the format has no place for a type of the result.
    """
    try:
        _WRITERS[file_format](reader, sink)
    except pa.ArrowNotImplementedError as error:
        raise UnsupportedError(
            f"the result cannot be written as {file_format}: {error}", hint="CAST the column to VARCHAR, or choose json"
        ) from None


def show_result(result: lancesql.Result, sql: str, rows: int) -> None:
    """Prints the answer of a statement: a table of at most `rows` rows, a plan as it is, or that it is done."""
    if not result.columns or (result.columns == ["Success"] and not result.fetchall()):  # Lance's answer, and DuckDB's
        print("Done.")
    elif result.columns == ["plan"] and sql.lstrip()[:7].upper() == "EXPLAIN":
        print("\n".join(str(line) for (line,) in result.fetchall()))
    else:
        result.show(max_rows=rows)


@contextlib.contextmanager
def open_output(path: Path) -> Iterator[IO[bytes]]:
    """Opens `path` to be written: it appears whole, or not at all."""
    if path.exists() and not path.is_file():  # a pipe or a device
        with path.open("wb") as sink:
            yield sink
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path.parent))
    try:
        with partial.open("wb") as sink:
            yield sink
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def format_json_value(value: object) -> str:
    """One value as JSON text.

    Numbers keep their digits; NaN and the infinities, which JSON lacks, are null; dates, times and intervals are
    ISO 8601 text (`P1DT0.5S` is an interval); bytes are base64.

    Example:
        >>> format_json_value({"price": decimal.Decimal("1.50"), "day": dt.date(2024, 2, 29), "x": math.nan})
        '{"price": 1.50, "day": "2024-02-29", "x": null}'
    """
    match value:
        case None | bool() | int() | str():
            return json.dumps(value, ensure_ascii=False)
        case float():
            return repr(value) if math.isfinite(value) else "null"
        case decimal.Decimal():
            return format(value, "f") if value.is_finite() else "null"
        case dt.date() | dt.time():
            return json.dumps(value.isoformat())
        case dt.timedelta():
            return f'"{_format_interval(0, value.days, value.seconds * 10**9 + value.microseconds * 1000)}"'
        case bytes():
            return json.dumps(base64.b64encode(value).decode())
        case dict():
            fields = (f"{json.dumps(str(key), ensure_ascii=False)}: {format_json_value(v)}" for key, v in value.items())
            return "{" + ", ".join(fields) + "}"
        case pa.MonthDayNano():
            return f'"{_format_interval(value.months, value.days, value.nanoseconds)}"'
        case list() | tuple():
            return "[" + ", ".join(map(format_json_value, value)) + "]"
        case _:
            return json.dumps(str(value), ensure_ascii=False)


def _write_json(reader: pa.RecordBatchReader, sink: IO[bytes]) -> None:
    keys = [json.dumps(name, ensure_ascii=False) for name in _name_keys(reader.schema.names)]
    before = "[\n"
    for batch in reader:
        columns = [_list_values(column) for column in batch.columns]
        for row in zip(*columns, strict=True):
            fields = (f"{key}: {format_json_value(value)}" for key, value in zip(keys, row, strict=True))
            sink.write(f"{before}{{{', '.join(fields)}}}".encode())
            before = ",\n"
    sink.write(b"[]\n" if before.startswith("[") else b"\n]\n")


def _write_csv(reader: pa.RecordBatchReader, sink: IO[bytes]) -> None:
    from pyarrow import csv

    schema = pa.schema([pa.field(field.name, _csv_type(field.type)) for field in reader.schema])
    with csv.CSVWriter(sink, schema) as writer:
        for batch in reader:
            columns = [_to_csv(column, kind) for column, kind in zip(batch.columns, schema.types, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


def _write_arrow(reader: pa.RecordBatchReader, sink: IO[bytes]) -> None:
    stream: Any = sink  # any object with write() serves; the type stubs say otherwise
    with pa.ipc.new_stream(stream, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


def _write_parquet(reader: pa.RecordBatchReader, sink: IO[bytes]) -> None:
    from pyarrow import parquet

    with parquet.ParquetWriter(sink, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


_WRITERS: dict[str, Callable[[pa.RecordBatchReader, IO[bytes]], None]] = {
    "json": _write_json,
    "csv": _write_csv,
    "arrow": _write_arrow,
    "parquet": _write_parquet,
}
FORMATS = ("table", *_WRITERS)


def _name_keys(names: list[str]) -> Iterator[str]:
    """The names, with `_1`, `_2` … after those that were there before: a JSON object has each key once."""
    seen: set[str] = set()
    for name in names:
        candidate, number = name, 0
        while candidate in seen:
            number += 1
            candidate = f"{name}_{number}"
        seen.add(candidate)
        yield candidate


def _format_interval(months: int, days: int, nanoseconds: int) -> str:
    date = "".join(f"{number}{unit}" for number, unit in ((months, "M"), (days, "D")) if number)
    seconds = decimal.Decimal(nanoseconds).scaleb(-9).normalize()
    return f"P{date}T{seconds:f}S" if seconds or not date else f"P{date}"


def _list_values(column: pa.Array[Any]) -> list[Any]:
    kind = column.type
    if pa.types.is_duration(kind):
        column = column.cast(pa.duration("us"), safe=False)
        return column.to_pylist()
    if pa.types.is_temporal(kind) and getattr(kind, "unit", None) == "ns":  # Python's own types end at microseconds
        return [text and text.replace(" ", "T", 1) for text in column.cast(pa.string()).to_pylist()]
    return column.to_pylist()


def _csv_type(kind: pa.DataType) -> pa.DataType:
    plain = pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
    return kind if plain or pa.types.is_null(kind) else pa.string()


def _needs_json(kind: pa.DataType) -> bool:
    types = pa.types
    binary = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return any(check(kind) for check in (*binary, types.is_nested, types.is_interval, types.is_duration))


def _to_csv(column: pa.Array[Any], kind: pa.DataType) -> pa.Array[Any]:
    if column.type == kind:
        return column
    if _needs_json(column.type):
        texts = [None if value is None else format_json_value(value).strip('"') for value in _list_values(column)]
        return pa.array(texts, pa.string())
    return column.cast(pa.string())
