"""Files of Arrow's IPC format: written as a whole or not at all, and read as a stream."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from lancesql.errors import StorageError

from .writes.row_stream import OnRows, read_batches

__all__ = ["open_arrow_file", "write_arrow_file"]


def write_arrow_file(
    path: str,
    open_reader: Callable[[], pa.RecordBatchReader],
    *,
    compression: Literal["lz4", "zstd"] | None = None,
    on_rows: OnRows | None = None,
) -> int:
    """Writes rows to a file, which takes the place of one that is there; how many rows.

    Raises:
        StorageError: When it cannot be written.
        LanceSQLError: The query's own error; the file is then as it was.
    """
    target = _read_local(path)
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    rows = 0
    options = pa.ipc.IpcWriteOptions(compression=compression)
    try:
        with (
            open_reader() as reader,
            pa.OSFile(str(beside), "wb") as sink,
            pa.ipc.new_file(sink, reader.schema, options=options) as writer,
        ):
            for batch in read_batches(reader):
                writer.write_batch(batch)
                rows += batch.num_rows
                if on_rows is not None:
                    on_rows(rows)
        beside.replace(target)
    except OSError as error:
        raise StorageError(f"cannot write '{path}': {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    return rows


def open_arrow_file(path: str) -> pa.RecordBatchReader:
    """The rows of a file, which may be of either of Arrow's formats.

    Raises:
        StorageError: When there is none, or it is something else.
    """
    # Upstream: Lance panics on buffers that the format aligns to 8 bytes alone, as those of decimals.
    ipc: Any = pa.ipc
    aligned = {"ensure_alignment": ipc.Alignment.At64Byte} if hasattr(ipc, "Alignment") else {}
    options = ipc.IpcReadOptions(**aligned)
    try:
        source = pa.memory_map(str(_read_local(path)))
        try:
            file = pa.ipc.open_file(source, options=options)
        except pa.ArrowInvalid:
            source.seek(0)
            return pa.ipc.open_stream(source, options=options)
        batches = (file.get_batch(number) for number in range(file.num_record_batches))
        return pa.RecordBatchReader.from_batches(file.schema, batches)
    except FileNotFoundError:
        raise StorageError(f"there is no file '{path}'") from None
    except OSError as error:
        raise StorageError(f"cannot read '{path}': {error.strerror or error}") from None
    except pa.ArrowInvalid:
        raise StorageError(f"'{path}' is no file of Arrow's IPC format") from None


def _read_local(path: str) -> Path:
    if "://" in path:
        raise StorageError(f"'{path}' is not on this machine", hint="an Arrow file is copied from and to a local path")
    return Path(path)
