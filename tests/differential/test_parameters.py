"""A parameter means what DuckDB takes its Python type for, whoever evaluates the predicate."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from .checks import Database, check_predicate
from .test_predicate_matrix import TABLES

CASES: dict[str, tuple[Any, ...]] = {
    "ts_us = $v": (
        pd.Timestamp("2024-01-01 12:30:15.123456789"), pd.Timestamp("2024-01-01 12:30:15.123456"), date(2024, 1, 1),
        np.datetime64("2024-01-01T12:30:15.123456789", "ns"), np.datetime64("2024-01-01T12:30:15", "s"),
        datetime(2024, 1, 1, 12, 30, 15, tzinfo=UTC), "2024-01-01 12:30:15", "2024-01-01T12:30:15,5", "x",
    ),
    "ts_us >= $v": (pd.Timestamp("2024-01-01 12:30:15.123456789"), datetime(2024, 1, 1), "2024-01-01"),
    "d = $v": (
        date(2024, 1, 1), datetime(2024, 1, 1), datetime(2024, 1, 1, 1), pd.Timestamp("2024-01-01"), pd.NaT,
        np.datetime64("2024-01-01"), "2024-01-01", "2024-W01-1", "20240101",
    ),
    "d = $v::DATE": ("2024-01-01", "x"),
    "d > $v - INTERVAL 1 DAY": (date(2024, 1, 1), datetime(2024, 1, 1)),
    "t64 = $v": (time(12, 30, 15, 1), "12:30:15.000001"),
    "dur = $v": (timedelta(hours=1),),
    "utc = $v": (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1)),
    "f64 = $v": (1.5, float("nan"), float("inf"), -0.0, Decimal("0.1"), np.float64(1.5),
                 2, "1.5", "x", True, 2**53 + 1),
    "f64 > $v": (np.float32(0.1), Decimal("0.10"), float("-inf"), -0.0, np.int8(1)),
    "f32 = $v": (0.1, np.float32(0.1), Decimal("0.1"), "0.1", 16_777_217, 1e39, np.float16(1.5)),
    "f32 >= $v": (0.1, np.float32(0.1), Decimal("0.1"), 3.5e38),
    "i32 = $v": (
        1, 1.0, 1.5, True, "1", "x", b"1", Decimal(1), Decimal("1.5"), 2**40, 2**100, 2**200, None, pd.NA,
        uuid.UUID(int=1),
        np.int8(1), np.uint64(1), np.float64(1), np.bool_(True), np.str_("1"), np.array(1), object(), [1], {"a": 1},
    ),
    "i32 IN ($v, 1)": (2**40, 2, None, "3", 2.0),
    "i32 IN $v": ([1, 2], (1, 2)),
    "i32 = ANY($v)": ([1, 2], np.array([1, 2])),
    "i32 = $v::INT": ("1", 1.4, 1.5),
    "i64 = $v": (-(2**63), 2**63 - 1, 2**63, np.int64(-(2**63))),
    "i8 = $v": (127, 128, -128, -129),
    "u8 BETWEEN $v AND 255": (-1, 0, 256),
    "u64 = $v": (2**64 - 1, 2**64, -1),
    "s = $v": ("a", "a\x00b", "b'c", "", b"a", 1, uuid.UUID(int=1), np.str_("a"), "$v", "?"),
    "s LIKE $v": ("a\x00%", "back\\%", "%", None, 1),
    "starts_with(s, $v)": ("a\x00", "", "back\\", None, 1),
    "s IN $v": (["a", "abc"],),
    "bin = $v": (b"a", bytearray(b"a"), memoryview(b"a"), "a"),
    "dec = $v": (Decimal("1.01"), 1.01, "1.01", 1),
    "b = $v": (True, 1, "true", np.bool_(True), None, 2),
    "$v": (True, None, 1, "true"),
    "b AND $v": (True, False, None),
    "tags = $v": (["x"], []),
    "list_contains($v, s)": (["a", "abc"],),
    "list_contains(tags, $v)": ("x", "it's", 1, None),
    "list_contains(nums, $v)": (1, 1.0, 1.5, "1", True),
    "list_contains(reals, $v)": (0, 0.0, -0.0, False, float("nan"), 1.5, float("inf")),
    "st = $v": ({"a": 1, "n": {"s": "x"}},),
}  # fmt: skip


@pytest.mark.parametrize("where", CASES)
def test_parameters_of_every_type(database: Database, where: str) -> None:
    problems: list[str] = []
    for at, value in enumerate(CASES[where]):
        problems += check_predicate(database, TABLES[at % len(TABLES)], where, {"v": value})
    assert not problems, "\n".join(problems)


PUSHED = (
    "i32 = $v", "u64 > 3", "f64 <= 1.5", "f32 = 0.5", "s = 'a'", "ls <> 'a'", "b", "d >= '2024-01-01'", "i8 IN (1, 2)",
    "ts_us < TIMESTAMP '2024-01-01 12:30:15.5'", "s LIKE 'a%'", "s NOT LIKE 'a%'", "starts_with(s, 'a')", "s IS NULL",
    "list_contains(tags, 'x')", "i16 BETWEEN 1 AND 3", "NOT (i32 = 1 OR s IS NOT NULL)", '"Mixed Case" = 1',
)  # fmt: skip


@pytest.mark.parametrize("where", PUSHED)
def test_lance_is_asked_what_it_can_answer(database: Database, where: str) -> None:
    parameters = {"v": 3} if "$v" in where else None
    sql = f"SELECT id FROM vector_search('btree_fresh', 'vec', [1,0,0,0], k => 3) t WHERE {where}"
    text = database.connection.explain(sql, parameters)
    assert "row ids" not in text
    assert "→ Lance" in text
