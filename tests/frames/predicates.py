"""46 predicates on any column, as Polars writes them, and the values they are asked with."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from tests.differential.tables import Column

Predicate = Callable[[pl.Expr, list[Any]], pl.Expr]

PREDICATES: dict[str, Predicate] = {
    "eq": lambda c, v: c == v[0],
    "ne": lambda c, v: c != v[0],
    "lt": lambda c, v: c < v[0],
    "le": lambda c, v: c <= v[0],
    "gt": lambda c, v: c > v[0],
    "ge": lambda c, v: c >= v[0],
    "flipped lt": lambda c, v: pl.lit(v[0]) < c,
    "flipped ge": lambda c, v: pl.lit(v[0]) >= c,
    "in one": lambda c, v: c.is_in([v[0]]),
    "in many": lambda c, v: c.is_in(v),
    "in with null": lambda c, v: c.is_in([*v, None]),
    "in, nulls equal": lambda c, v: c.is_in(v, nulls_equal=True),
    "in with null, nulls equal": lambda c, v: c.is_in([*v, None], nulls_equal=True),
    "not in": lambda c, v: ~c.is_in(v),
    "not in with null": lambda c, v: ~c.is_in([*v, None]),
    "not in with null, nulls equal": lambda c, v: ~c.is_in([*v, None], nulls_equal=True),
    "in nothing": lambda c, v: c.is_in([]),
    "in null alone": lambda c, v: c.is_in(pl.lit([None])),
    "between": lambda c, v: c.is_between(v[0], v[1]),
    "between, left": lambda c, v: c.is_between(v[0], v[1], closed="left"),
    "between, right": lambda c, v: c.is_between(v[0], v[1], closed="right"),
    "between, none": lambda c, v: c.is_between(v[0], v[1], closed="none"),
    "not between": lambda c, v: ~c.is_between(v[0], v[1]),
    "null": lambda c, v: c.is_null(),
    "not null": lambda c, v: c.is_not_null(),
    "eq missing": lambda c, v: c.eq_missing(v[0]),
    "ne missing": lambda c, v: c.ne_missing(v[0]),
    "eq missing null": lambda c, v: c.eq_missing(pl.lit(None)),
    "not eq": lambda c, v: ~(c == v[0]),
    "not lt": lambda c, v: ~(c < v[0]),
    "not ge": lambda c, v: ~(c >= v[0]),
    "or": lambda c, v: (c == v[0]) | (c > v[1]),
    "or null": lambda c, v: (c < v[0]) | c.is_null(),
    "and": lambda c, v: (c >= v[0]) & (pl.col("i32") > 1),
    "not and": lambda c, v: ~((c >= v[0]) & (pl.col("i32") > 1)),
    "not or": lambda c, v: ~((c == v[0]) | (pl.col("s") < "b")),
    "xor": lambda c, v: (c == v[0]) ^ (pl.col("i32") > 1),
    "filled with false": lambda c, v: ~(c > v[0]).fill_null(False),
    "filled with true": lambda c, v: (c > v[0]).fill_null(True),
    "when": lambda c, v: pl.when(c == v[0]).then(True).otherwise(False),
    "any": lambda c, v: pl.any_horizontal(c == v[0], c == v[1], pl.col("u8") == 3),
    "all": lambda c, v: pl.all_horizontal(c >= v[0], pl.col("b")),
    "three": lambda c, v: (c > v[0]) & (c <= v[1]) & c.is_not_null(),
    "column": lambda c, v: c == c.shift(0),
    "aggregate": lambda c, v: c >= c.max(),
    "kept by cast": lambda c, v: c.cast(pl.String).str.len_chars() > 2,
}


def choose_values(column: Column, seed: int) -> list[Any]:
    """Three values of a column's own pool, as Python has them."""
    chosen = random.Random(f"{column.name} {seed}")
    values = [chosen.choice(column.pool) for _ in range(3)]
    zone = getattr(column.type, "tz", None)
    return [one.astimezone(ZoneInfo(zone)) if zone else one for one in values]
