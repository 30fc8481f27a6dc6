"""Seeded tables of every type that Lance stores, full of the values on which engines disagree."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa

NEGATIVE_NAN = struct.unpack("d", struct.pack("Q", 0xFFF8000000000000))[0]
DIMENSION = 4

STRINGS = (
    "", "a", "A", "abc", "abd", "b'c", 'q"d', "back\\slash", "per%cent", "under_score", "new\nline", "tab\tstop",
    "ünïcödé", "ß", "İ", "日本語", "🎉 party", "a b", "NULL", "1", "1.5", "2024-01-01", "true", " a", "a ",
    "é", "e\u0301",
    "-- no", "/* no */", ";", "$p0", "?", "z" * 70, "`tick`", "a\x00b", "1e3",
)  # fmt: skip
WORDS = (
    "quick", "brown", "fox", "jumps", "lazy", "dog", "river", "bank", "neural", "network", "deep", "learning",
    "don't", "café", "running", "runs", "the", "and", "OR", "Straße",
)  # fmt: skip
DATES = (
    date(1970, 1, 1), date(2024, 1, 1), date(2024, 2, 29), date(1969, 12, 31), date(1, 1, 1), date(9999, 12, 31),
    date(2023, 12, 31), date(1582, 10, 10),
)  # fmt: skip
MOMENTS = (
    datetime(1970, 1, 1), datetime(2024, 1, 1), datetime(2024, 1, 1, 12, 30, 15), datetime(2024, 3, 31, 2, 30),
    datetime(2024, 1, 1, 12, 30, 15, 500_000), datetime(2024, 1, 1, 12, 30, 15, 123_456),
    datetime(1969, 12, 31, 23, 59, 59),    datetime(1900, 1, 1), datetime(2200, 1, 1, 0, 0, 0, 1),
)  # fmt: skip
DECIMALS = tuple(
    map(Decimal, ("0.00", "1.00", "-1.00", "1.01", "1.25", "2.50", "-2.50", "99999999.99", "-99999999.99"))
)


def integers(bits: int, *, signed: bool) -> tuple[int, ...]:
    """Small numbers and both ends of a type's range."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    inner = (0, 1, 2, 3, 7, 100, -1, -2, 5, 9_007_199_254_740_993)
    return tuple(dict.fromkeys([*(n for n in inner if low <= n <= high), low, low + 1, high - 1, high]))


def floats(bits: int) -> tuple[float, ...]:
    """Ordinary numbers, both zeros, both NaNs, infinities, the smallest and the largest."""
    largest = {16: 65504.0, 32: 3.4028234663852886e38, 64: 1.7976931348623157e308}[bits]
    smallest = {16: 6e-8, 32: 1.401298464324817e-45, 64: 5e-324}[bits]
    ordinary = (0.5, 1.0, 1.5, -1.5, 2.0, 0.1, 100.0, -3.25)
    edges = (0.0, -0.0, float("nan"), NEGATIVE_NAN, float("inf"), float("-inf"), largest, -largest, smallest)
    return (*ordinary, *edges)


@dataclass(frozen=True)
class Column:
    """A column: its Arrow type and the values it draws from. `plain` ones take a scalar index."""

    name: str
    type: pa.DataType
    pool: tuple[Any, ...]
    plain: bool = False


def _lists(pool: Sequence[Any]) -> tuple[Any, ...]:
    chosen = random.Random(7)
    return ([], [None], *([chosen.choice([*pool, None]) for _ in range(chosen.randint(1, 3))] for _ in range(12)))


COLUMNS: tuple[Column, ...] = (
    *(Column(f"i{bits}", getattr(pa, f"int{bits}")(), integers(bits, signed=True), True) for bits in (8, 16, 32, 64)),
    *(Column(f"u{bits}", getattr(pa, f"uint{bits}")(), integers(bits, signed=False), True) for bits in (8, 16, 32, 64)),
    Column("f16", pa.float16(), floats(16)),
    Column("f32", pa.float32(), floats(32), True),
    Column("f64", pa.float64(), floats(64), True),
    Column("b", pa.bool_(), (True, False), True),
    Column("s", pa.string(), STRINGS, True),
    Column("ls", pa.large_string(), STRINGS, True),
    Column("d", pa.date32(), DATES, True),
    Column("d64", pa.date64(), DATES),
    *(Column(f"ts_{unit}", pa.timestamp(unit), MOMENTS, unit == "us") for unit in ("s", "ms", "us", "ns")),
    Column("utc", pa.timestamp("us", "UTC"), tuple(one.replace(tzinfo=UTC) for one in MOMENTS)),
    Column("tokyo", pa.timestamp("us", "Asia/Tokyo"), tuple(one.replace(tzinfo=UTC) for one in MOMENTS)),
    Column("t32", pa.time32("ms"), (time(0), time(12, 30, 15), time(23, 59, 59, 999_000))),
    Column("t64", pa.time64("us"), (time(0), time(12, 30, 15, 1), time(23, 59, 59, 999_999))),
    Column("dur", pa.duration("us"), (timedelta(0), timedelta(hours=1), timedelta(days=-2, microseconds=5))),
    Column("dec", pa.decimal128(10, 2), DECIMALS),
    Column("dec256", pa.decimal256(38, 2), DECIMALS),
    Column("bin", pa.binary(), (b"", b"a", b"\x00\xff", b"abc")),
    Column("lbin", pa.large_binary(), (b"", b"a", b"\x00\xff", b"abc")),
    Column("fsb", pa.binary(3), (b"abc", b"\x00\x01\x02", b"zzz")),
    Column("dict", pa.dictionary(pa.int32(), pa.string()), ("red", "green", "blue", "")),
    Column("tags", pa.list_(pa.string()), _lists(("x", "y", "z", "", "it's", "日本"))),
    Column("nums", pa.list_(pa.int64()), _lists((0, 1, 2, -1, 2**62))),
    Column("reals", pa.list_(pa.float64()), _lists((0.0, -0.0, 1.5, float("nan"), NEGATIVE_NAN, float("inf")))),
    Column("llist", pa.large_list(pa.int32()), _lists((1, 2, 3))),
    Column("st", pa.struct([("a", pa.int32()), ("n", pa.struct([("s", pa.string())]))]),
           ({"a": 1, "n": {"s": "x"}}, {"a": None, "n": None}, {"a": 2, "n": {"s": None}},
            {"a": -1, "n": {"s": "it's"}})),
    Column("Mixed Case", pa.int32(), (1, 2, 3, -5), True),
    Column("select", pa.string(), ("a", "b", "x"), True),
    Column("größe", pa.int16(), (1, 2, 3), True),
)  # fmt: skip
BY_NAME = {column.name: column for column in COLUMNS}


def make_table(seed: int, rows: int, first_id: int = 0) -> pa.Table:
    """A table of `rows` rows: every column of `COLUMNS`, five vector columns, a text column and `id`."""
    chosen = random.Random(seed)
    arrays: dict[str, pa.Array] = {"id": pa.array(range(first_id, first_id + rows), pa.int64())}
    for column in COLUMNS:
        values = [None if chosen.random() < 0.12 else chosen.choice(column.pool) for _ in range(rows)]
        arrays[column.name] = _make_array(values, column.type)
    arrays["txt"] = pa.array([_make_text(chosen) for _ in range(rows)], pa.string())
    arrays |= _make_vectors(chosen, rows)
    return pa.table(arrays)


def _make_array(values: list[Any], type_: pa.DataType) -> pa.Array:
    if pa.types.is_float16(type_):
        return pa.array([None if value is None else np.float16(value) for value in values], type_)
    if pa.types.is_float32(type_):
        halves = np.array([0.0 if value is None else value for value in values], np.float64).astype(np.float32)
        return pa.array(halves, type_, mask=np.array([value is None for value in values], bool))
    return pa.array(values, type_)


def _make_text(chosen: random.Random) -> str | None:
    if chosen.random() < 0.08:
        return None
    return " ".join(chosen.choice(WORDS) for _ in range(chosen.randint(0, 9)))


def _make_vectors(chosen: random.Random, rows: int) -> dict[str, pa.Array]:
    """`vec`: whole numbers, never NULL: distances are exact and many are equal. The others are as nasty as it gets."""

    def whole(size: int = DIMENSION) -> list[float]:
        return [float(chosen.randint(-3, 3)) for _ in range(size)]

    def nasty() -> list[float] | None:
        dice = chosen.random()
        if dice < 0.08:
            return None
        vector = [chosen.gauss(0, 1) for _ in range(DIMENSION)]
        if dice < 0.13:
            vector[chosen.randrange(DIMENSION)] = chosen.choice(
                [float("nan"), float("inf"), float("-inf"), NEGATIVE_NAN]
            )
        elif dice < 0.17:
            return [0.0] * DIMENSION
        return vector

    def halves() -> list[Any] | None:
        vector = nasty()
        return None if vector is None else [np.float16(value) for value in vector]

    return {
        "vec": pa.array([whole() for _ in range(rows)], pa.list_(pa.float32(), DIMENSION)),
        "v32": pa.array([nasty() for _ in range(rows)], pa.list_(pa.float32(), DIMENSION)),
        "v16": pa.array([halves() for _ in range(rows)], pa.list_(pa.float16(), DIMENSION)),
        "v64": pa.array([nasty() for _ in range(rows)], pa.list_(pa.float64(), DIMENSION)),
        "bits": pa.array(
            [None if chosen.random() < 0.05 else [chosen.randrange(256) for _ in range(8)] for _ in range(rows)],
            pa.list_(pa.uint8(), 8),
        ),
    }


STATES = ("fresh", "appended", "deleted", "updated", "compacted")
INDEXES = ("none", "btree", "bitmap")


def write_state(path: Path, index: str, state: str, seed: int, rows: int = 90) -> lance.LanceDataset:
    """Writes a table, indexes it, and brings it into a state an index can be in behind the data."""
    dataset = lance.write_dataset(make_table(seed, rows), path, max_rows_per_file=max(1, rows // 3))
    if index != "none":
        for column in COLUMNS:
            if column.plain:
                dataset.create_scalar_index(column.name, index.upper())
        for name in ("tags", "nums"):
            dataset.create_scalar_index(name, "LABEL_LIST")
    dataset.create_scalar_index("txt", "INVERTED", with_position=True, stem=False, remove_stop_words=False)
    changes: dict[str, Callable[[lance.LanceDataset], Any]] = {
        "deleted": _delete,
        "updated": _update,
        "appended": _append,
    }
    for name in STATES[1:4] if state == "compacted" else (state,):
        if name in changes:
            changes[name](lance.dataset(path))
    dataset = lance.dataset(path)
    if state == "compacted":
        dataset.optimize.compact_files()
        dataset = lance.dataset(path)
    return dataset


def _append(dataset: lance.LanceDataset) -> None:
    dataset.insert(make_table(dataset.count_rows() + 1, 30, first_id=1000))


def _delete(dataset: lance.LanceDataset) -> None:
    dataset.delete("id % 4 = 1")


def _update(dataset: lance.LanceDataset) -> None:
    dataset.update(
        {"i32": "7", "s": "'abc'", "f64": "1.5", "b": "true", "d": "DATE '2024-01-01'", "txt": "'deep river'"},
        where="id % 5 = 2",
    )


def describe(table: pa.Table) -> str:
    """The table's columns in one line, for messages."""
    return json.dumps({field.name: str(field.type) for field in table.schema}, ensure_ascii=False)
