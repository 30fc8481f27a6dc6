"""ORDER BY … LIMIT, with the rows found by their keys first: DuckDB in memory is right, whatever its settings."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import lance
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql

from .conftest import DIFFERENTIAL, scaled
from .rows import read_rows

NAN, INFINITY = float("nan"), float("inf")
TABLE = pa.table(
    {
        "id": pa.array(range(14), pa.int32()),
        "f": pa.array([1.5, NAN, None, 0.0, -0.0, -1.0, -NAN, INFINITY, -INFINITY, None, 1.5, 2.0, -0.0, NAN]),
        "n": pa.array([3, None, 1, 1, 2, 2, None, 5, -4, 3, 3, 0, 0, 1], pa.int16()),
        "s": pa.array(["b", "B", None, "", "a", "ä", "ab", "Z", "z", "b", None, "b", "a", "10"]),
        "v": pa.array([[float(i), 1.0] for i in range(14)], pa.list_(pa.float32(), 2)),
        "note": pa.array([f"note {i}" for i in range(14)]),
    }
)
KEYS = ("f", "n", "s", "lower(s)", "n % 2", "f IS NULL", "-f", "t.n", "coalesce(n, 2)", "CASE WHEN n > 1 THEN s END")
ORDERS = ("", " ASC", " DESC", " NULLS FIRST", " NULLS LAST", " DESC NULLS FIRST", " DESC NULLS LAST")
CONDITIONS = ("", "WHERE n > 0", "WHERE f >= 0 OR f IS NULL", "WHERE length(s) = 1", "WHERE n <> 3 AND upper(s) > 'A'")
LISTS = ("*", "*, -n AS n", "id, note", "v, note, id", "note, upper(s) AS u, id", "id, n AS m, v", "id, f AS s, note")
SETTINGS = ("RESET default_null_order", "SET default_null_order = 'nulls_first'", "SET default_order = 'DESC'")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[lancesql.Connection, duckdb.DuckDBPyConnection]]:
    folder = tmp_path_factory.mktemp("first")
    lance.write_dataset(TABLE, folder / "t.lance", max_rows_per_file=5)
    oracle = duckdb.connect()
    oracle.register("t", TABLE)
    with pytest.MonkeyPatch.context() as patch, lancesql.connect(folder) as db:
        patch.setattr("lancesql.optimizer.choose_deferral._ASK_TWICE", -1e9)  # as if the table were large
        yield db, oracle
    oracle.close()


@settings(DIFFERENTIAL, max_examples=scaled(150))
@given(
    keys=st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(ORDERS)), min_size=1, max_size=2),
    columns=st.sampled_from(LISTS),
    where=st.sampled_from(CONDITIONS),
    limit=st.integers(0, 16),
    offset=st.one_of(st.none(), st.integers(0, 4)),
    setting=st.sampled_from(SETTINGS),
)
def test_every_order(
    both: tuple[lancesql.Connection, duckdb.DuckDBPyConnection],
    keys: list[tuple[str, str]],
    columns: str,
    where: str,
    limit: int,
    offset: int | None,
    setting: str,
) -> None:
    db, oracle = both
    order = ", ".join([*(f"{key}{direction}" for key, direction in keys), "id"])  # `id` leaves no ties
    page = f"LIMIT {limit}" + ("" if offset is None else f" OFFSET {offset}")
    sql = f"SELECT {columns} FROM t {where} ORDER BY {order} {page}"
    for connection in (db, oracle):
        connection.execute("RESET default_order")
        connection.execute("RESET default_null_order")
        connection.execute(setting)
    text = f"{sql} -- {setting}"  # plans are kept by their text, settings are no part of it
    assert read_rows(db.sql(text).to_arrow()) == read_rows(oracle.sql(sql).to_arrow_table()), db.explain(text)


@pytest.mark.parametrize("key", ["n", "f", "s"])
def test_ties_at_the_border_are_any_rows_of_that_key(
    both: tuple[lancesql.Connection, duckdb.DuckDBPyConnection], key: str
) -> None:
    db, oracle = both
    for limit in range(1, 14):
        sql = f"SELECT {key}, note FROM t ORDER BY {key} DESC LIMIT {limit}"
        got, wanted = read_rows(db.sql(sql).to_arrow()), read_rows(oracle.sql(sql).to_arrow_table())
        assert [row[0] for row in got] == [row[0] for row in wanted]
        assert len(set(got)) == limit
        assert set(got) <= set(read_rows(TABLE.select([key, "note"])))


def test_inside_a_larger_statement(both: tuple[lancesql.Connection, duckdb.DuckDBPyConnection]) -> None:
    db, oracle = both
    top = "SELECT * FROM t ORDER BY {} LIMIT 4"
    sql = f"SELECT a.id, b.note FROM ({top.format('n DESC, id')}) a JOIN ({top.format('s, id')}) b ON a.n >= b.n"
    got, wanted = db.sql(sql), oracle.sql(sql)
    assert sorted(read_rows(got.to_arrow())) == sorted(read_rows(wanted.to_arrow_table()))
    assert db.explain(sql).count("found before other columns are read") == 2
    assert "found before" in db.explain("SELECT * FROM t ORDER BY n LIMIT $k", {"k": 3})
