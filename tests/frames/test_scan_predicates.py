"""46 predicates on every type: a scan keeps the rows that Polars keeps of the same table in memory."""

from __future__ import annotations

import os
from datetime import datetime
from decimal import Decimal

import polars as pl
import pytest

from lancesql.frames import table_to_polars
from tests.differential.tables import BY_NAME, COLUMNS
from tests.frames.predicates import PREDICATES, choose_values

NIGHTLY = os.environ.get("LANCESQL_NIGHTLY") == "1"
pytestmark = pytest.mark.filterwarnings("ignore")  # Polars warns of what some of these mean
c = pl.col


def keep(frame, predicate):
    """The ids that a predicate keeps, or the class of the error."""
    try:
        return frame.filter(predicate).select("id").collect()["id"].to_list()
    except pl.exceptions.PolarsError as error:
        return type(error)


@pytest.mark.parametrize("name", PREDICATES)
def test_a_predicate_keeps_the_same_rows_of_every_type(name, edges, edge_db):
    memory, scan = table_to_polars(edges).lazy(), edge_db.scan("edges")
    turn = list(PREDICATES).index(name)
    for at, column in enumerate(COLUMNS):
        if (at + turn) % 3 and not NIGHTLY:  # a third of all pairs, and the whole of them at night
            continue
        for seed in range(40 if NIGHTLY else 1):
            predicate = PREDICATES[name](c(column.name), choose_values(column, seed))
            assert keep(scan, predicate) == keep(memory, predicate), (column.name, choose_values(column, seed))


def test_there_are_46_predicates():
    assert len(PREDICATES) == 46


PUSHED = [
    ("numbers", c("i32") > 1),
    ("a wider literal", c("i16") == pl.lit(2, dtype=pl.Int64)),
    ("a double", c("i32") > 1.5),
    ("a float beside a double", c("f32") > pl.lit(0.1, dtype=pl.Float64)),
    ("nan", c("f64").is_nan()),
    ("not nan", c("f32").is_not_nan()),
    ("texts", c("s").str.starts_with("a")),
    ("an ending", c("s").str.ends_with("c")),
    ("a pattern that is a text", c("s").str.contains("ab")),
    ("a text that is a pattern", c("s").str.contains("%", literal=True)),
    ("a field", c("st").struct.field("a") == 2),
    ("a field of a field", c("st").struct.field("n").struct.field("s") == "it's"),
    ("a list", c("tags").list.contains("x")),
    ("numbers in a list", c("nums").list.contains(2)),
    ("a day and a moment", c("d") >= datetime(2024, 1, 1, 3)),
    ("a decimal and a whole number", c("dec") > 1),
    ("a flag", c("b")),
    ("no flag", ~c("b")),
    ("a name with a blank", c("Mixed Case").is_in([1, -5])),
    ("never", c("u8") > 300),
    ("either", pl.any_horizontal(c("u8") == 1, c("s") == "a")),
]


@pytest.fixture
def said(capfd, monkeypatch):
    monkeypatch.setenv("POLARS_VERBOSE", "1")
    return lambda: "".join(line for line in capfd.readouterr().err.split("\n") if line.startswith("lancesql"))


@pytest.mark.parametrize("predicate", [one for _, one in PUSHED], ids=[name for name, _ in PUSHED])
def test_lance_is_given_what_is_proved_equal(predicate, edges, edge_db, said):
    got = keep(edge_db.scan("edges"), predicate)
    told = said()
    assert "filter → Lance" in told
    assert "→ Polars" not in told
    assert got == keep(table_to_polars(edges).lazy(), predicate)


LEFT = [
    ("a pattern", c("s").str.contains("^a.*c$")),
    ("letters made small", c("s").str.to_lowercase() == "abc"),
    ("arithmetic", c("i32") + 1 > 2),
    ("a column", c("i32") == c("i64")),
    ("a year", c("ts_us").dt.year() == 2024),
    ("a decimal of more digits", c("dec") == Decimal("1.005")),
    ("a double beside a decimal", c("dec") > 1.5),
    ("a nan", c("f64") == float("nan")),
    ("infinity", c("f64") < float("inf")),
    ("nanoseconds", c("ts_ns") > pl.lit(1, dtype=pl.Datetime("ns"))),
    ("a list of numbers with a point", c("reals").list.contains(1.5)),
    ("a category", c("dict") == "red"),
    ("an end that is not there", c("tags").list.len() == 2),
]


@pytest.mark.parametrize("predicate", [one for _, one in LEFT], ids=[name for name, _ in LEFT])
def test_polars_is_left_what_is_not(predicate, edges, edge_db, said):
    got = keep(edge_db.scan("edges"), predicate & (c("i32") > 0))
    told = said()
    assert "filter → Lance: `i32` > 0" in told
    assert "filter → Polars" in told
    assert got == keep(table_to_polars(edges).lazy(), predicate & (c("i32") > 0))


def test_every_type_comes_as_polars_has_it(edges, edge_db):
    got, wanted = edge_db.scan("edges").collect(), table_to_polars(edges)
    assert got.schema == wanted.schema
    for name in got.columns:
        assert got[name].equals(wanted[name]), name
    assert got.schema["f16"] == pl.Float16
    assert got.schema["dec"] == pl.Decimal(10, 2)
    assert BY_NAME["tokyo"].type.tz == got.schema["tokyo"].time_zone
