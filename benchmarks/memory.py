"""`python -m benchmarks.memory [--rows N] [--strict]`: the most memory that large writes hold.

A table of 2,000,000 rows of 128 floats is a gigabyte; a statement that writes it has to stream. Each is measured in a
process of its own. What that held before the statement (the libraries, what its source has) is shown beside the most it
held at any time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

import lancesql

_DIMENSION, _BATCH, _BAR = 128, 16_384, 1_500
_VECTOR = f"list_transform(range({_DIMENSION}), lambda x: ((i * 31 + x * 17) % 1009) / 1009)::FLOAT[{_DIMENSION}]"
_RANGE = f"SELECT i AS id, i % 1000 AS kind, {_VECTOR} AS vector FROM range($n) r(i)"
_TABLE = "CREATE OR REPLACE TABLE t AS FROM rows"
_KEYED = f"CREATE OR REPLACE TABLE t (id BIGINT PRIMARY KEY, kind BIGINT, vector FLOAT[{_DIMENSION}])"


@dataclass(frozen=True)
class Write:
    """A statement, and what has to be there before it."""

    name: str
    statement: str
    before: tuple[str, ...] = ()


WRITES = (
    Write("CREATE TABLE AS, from range()", f"CREATE TABLE t AS {_RANGE}"),
    Write("CREATE TABLE AS, from a stream of Arrow", "CREATE TABLE t AS FROM rows"),
    Write("CREATE TABLE AS, from a Lance table", "CREATE TABLE u AS FROM t", (_TABLE,)),
    Write("INSERT … SELECT, from range()", f"INSERT INTO t {_RANGE}", (_KEYED,)),
    Write("INSERT … SELECT, from a stream of Arrow", "INSERT INTO t FROM rows", (_KEYED,)),
    Write("INSERT … SELECT, from the table itself", "INSERT INTO t FROM t", (_TABLE,)),
    Write("UPDATE, one column of every row", "UPDATE t SET kind = kind + 1", (_TABLE,)),
    Write("UPDATE, the vectors of every row", "UPDATE t SET vector = list_reverse(vector::FLOAT[])", (_TABLE,)),
    Write("DELETE, a third", "DELETE FROM t WHERE id % 3 = 0", (_TABLE,)),
    Write(
        "MERGE, every other row and as many new",
        "MERGE INTO t USING (SELECT id * 2 AS id, vector FROM rows) s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET vector = s.vector"
        " WHEN NOT MATCHED THEN INSERT (id, vector) VALUES (s.id, s.vector)",
        (_TABLE,),
    ),
    Write(
        "INSERT … ON CONFLICT (primary key), as many",
        "INSERT INTO t SELECT id * 2, kind, vector FROM rows ON CONFLICT (id) DO UPDATE SET vector = excluded.vector",
        (_KEYED, "INSERT INTO t FROM rows"),
    ),
    Write("OPTIMIZE, of 64 fragments", "OPTIMIZE t", (_TABLE, *["UPDATE t SET kind = 0 WHERE kind = 7"] * 4)),
)


def main() -> int:
    """Prints the table; 1 when a bar is missed and `--strict` is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--only", default="", help="the cases with this in their name")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a bar is missed")
    options = parser.parse_args()
    table = Table()
    table.add_column(f"{options.rows:,} rows of {_DIMENSION} floats")
    for heading in ("seconds", "held before, MB", "most, MB", f"below {_BAR:,}"):
        table.add_column(heading, justify="right")
    met = True
    for write in WRITES:
        if options.only not in write.name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for statement in write.before:
                _run_in_child(folder, statement, options.rows)
            seconds, held, most = _run_in_child(folder, write.statement, options.rows)
        met = met and most < _BAR
        table.add_row(write.name, f"{seconds:.1f}", f"{held:,}", f"{most:,}", "yes" if most < _BAR else "NO")
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return 0 if met or not options.strict else 1


def _run_in_child(folder: str, statement: str, rows: int) -> tuple[float, int, int]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_write, args=(folder, statement, rows, sender))
    child.start()
    sender.close()
    try:
        measured: tuple[float, int, int] = receiver.recv()
    except EOFError:
        raise SystemExit(f"failed: {statement}") from None
    finally:
        child.join()
    return measured


def _write(folder: str, statement: str, many: int, sender: multiprocessing.connection.Connection) -> None:
    schema = pa.schema({"id": pa.int64(), "kind": pa.int64(), "vector": pa.list_(pa.float32(), _DIMENSION)})
    with lancesql.connect(folder) as db:
        if " rows" in statement:
            rows = pa.RecordBatchReader.from_batches(schema, _make_batches(schema, many))  # noqa: F841 - by its name
        held = _read_memory("VmRSS")
        started = time.perf_counter()
        db.execute(statement, {"n": many} if "$n" in statement else None)
        sender.send((time.perf_counter() - started, held, _read_memory("VmHWM")))


def _make_batches(schema: pa.Schema, rows: int) -> Iterator[pa.RecordBatch]:
    random = np.random.default_rng(5)
    for start in range(0, rows, _BATCH):
        ids = np.arange(start, min(start + _BATCH, rows))
        vectors = pa.array(random.random(len(ids) * _DIMENSION, np.float32))
        columns = [pa.array(ids), pa.array(ids % 1000), pa.FixedSizeListArray.from_arrays(vectors, _DIMENSION)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _read_memory(name: str) -> int:
    """Megabytes, as Linux counts them."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) // 1024
    raise SystemExit("memory is read from /proc/self/status, which this system has not")


if __name__ == "__main__":
    sys.exit(main())
