"""Small tables, and statements over them in which a search may be written out as the subquery that it means."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import lance
import pyarrow as pa

import lancesql
from lancesql.errors import LanceSQLError

from .rows import count_rows

QUERY = "[1, 0, -1]"
OWN = """
    CREATE TEMP TABLE own AS SELECT * FROM (VALUES (1, 2, 'x', [0, 1, 2]::FLOAT[3]), (3, NULL, 'y', [1, 1, 1]),
        (NULL, 1, NULL, NULL), (0, 4, 'z', [2, -1, 0]), (2, 2, 'xy', [0, 0, 0])) v(p, q, r, w)
"""


def make_rows(number: int, seed: int) -> pa.Table:
    """Rows with NULLs in every column but `id`, and many equal values."""
    chance = random.Random(seed)

    def draw(*values: Any) -> Any:
        return None if chance.random() < 0.2 else chance.choice(values)

    days = [date(2020, 1, 1) + timedelta(day) for day in range(9)]
    rows = [
        {
            "id": at,
            "a": draw(*range(6)),
            "b": draw(True, False),
            "s": draw("x", "y", "z", "xy", ""),
            "d": draw(*days),
            "st": draw(*({"k": draw(*range(4)), "n": letter} for letter in "pq")),
            "tags": draw([], ["a"], ["b"], ["a", "b"], ["c", "c"]),
            "v": draw(*([float(chance.randrange(-3, 4)) for _ in range(3)] for _ in range(5))),
        }
        for at in range(number)
    ]
    schema = pa.schema(
        {
            "id": pa.int64(),
            "a": pa.int32(),
            "b": pa.bool_(),
            "s": pa.string(),
            "d": pa.date32(),
            "st": pa.struct({"k": pa.int32(), "n": pa.string()}),
            "tags": pa.list_(pa.string()),
            "v": pa.list_(pa.float32(), 3),
        }
    )
    return pa.Table.from_pylist(rows, schema)


def write_out(table: str, k: int, where: str = "true", query: str = f"{QUERY}::FLOAT[3]", alias: str = "m") -> str:
    """The subquery that `vector_search(table, query, k => k) WHERE …` means."""
    distance = f"list_sum(list_transform(range(1, 4), lambda i: (v[i] - ({query})[i]) ** 2))::FLOAT"
    return (
        f"(SELECT * EXCLUDE (_rowid) FROM (SELECT *, {distance} AS _distance FROM {table}_all {alias}) {alias} "
        f"WHERE v IS NOT NULL AND ({query}) IS NOT NULL AND ({where}) ORDER BY _distance, _rowid LIMIT {k})"
    )


def write_out_query(listed: str, base: str, table: str, k: int, where: str, alias: str) -> str:
    """The subquery that `vector_search((SELECT listed FROM table …), …) WHERE …` means; `base` begins at FROM."""
    distance = f"list_sum(list_transform(range(1, 4), lambda i: (v_[i] - ({QUERY})[i]) ** 2))::FLOAT"
    rows = f"SELECT {listed}, _rowid AS r_, v AS v_ {base.replace(f'FROM {table}', f'FROM {table}_all', 1)}"
    return (
        f"(SELECT * EXCLUDE (r_, v_) FROM (SELECT *, {distance} AS _distance FROM ({rows}) {alias}) {alias} "
        f"WHERE v_ IS NOT NULL AND ({where}) ORDER BY _distance, r_ LIMIT {k})"
    )


def pick_named(parameters: Mapping[str, Any] | None, text: str) -> dict[str, Any] | None:
    """The parameters that a text names."""
    named = {name: value for name, value in (parameters or {}).items() if re.search(rf"\${name}\b", text)}
    return named or None


@dataclass(frozen=True)
class Both:
    """lancesql over the tables t and u, and a DuckDB that has them in memory: with `_rowid` as t_all and u_all."""

    lance: lancesql.Connection
    plain: duckdb.DuckDBPyConnection

    def check(self, asked: str, meant: str, parameters: Mapping[str, Any] | None = None) -> None:
        """The rows of one statement are those of the other.

        Raises:
            duckdb.Error: When DuckDB refuses what is meant.
        """
        wanted = self.plain.sql(meant, params=pick_named(parameters, meant)).to_arrow_table()
        try:
            got = self.lance.sql(asked, pick_named(parameters, asked)).to_arrow()
        except (LanceSQLError, duckdb.Error) as error:
            raise AssertionError(f"{error}\n{asked}") from error
        assert got.num_columns == wanted.num_columns, f"{got.column_names}: {asked}"
        found, expected = count_rows(got), count_rows(wanted)
        assert found == expected, f"{asked}\nmore {found - expected}\nfewer {expected - found}\n{parameters}"


def open_both(folder: Path) -> Both:
    """Both of them, over tables in two fragments with deleted rows."""
    plain = duckdb.connect()
    for name, number, seed in (("t", 40, 1), ("u", 20, 2)):
        rows = make_rows(number, seed)
        path = folder / f"{name}.lance"
        lance.write_dataset(rows.slice(0, 9), path, enable_stable_row_ids=True)
        lance.write_dataset(rows.slice(9), path, mode="append")
        lance.dataset(path).delete("id % 11 = 5")
        plain.register("read", lance.dataset(path).to_table(with_row_id=True))
        plain.execute(f"CREATE TABLE {name}_all AS FROM read")
        plain.execute(f"CREATE VIEW {name} AS SELECT * EXCLUDE (_rowid) FROM {name}_all")
        plain.unregister("read")
    first = lance.dataset(folder / "t.lance", version=1).to_table()
    plain.register("read", first)
    plain.execute("CREATE TABLE t_before AS FROM read")
    plain.unregister("read")
    database = lancesql.connect(folder)
    late, hits = "SELECT id, a + 1 AS e, s FROM t WHERE id > 3", "SELECT id, b AS f, s FROM {} m WHERE NOT b"
    for connection, search in ((plain, write_out("t", 6, "NOT b")), (database, f"vector_search('t', {QUERY}, k => 6)")):
        connection.execute(OWN)
        connection.execute(f"CREATE VIEW late AS {late}")
        connection.execute(f"CREATE VIEW hits AS {hits.format(search)}")
    if duckdb.__version__.startswith("1."):  # there the filters of a join go below a LIMIT, now and then
        plain.execute("SET disabled_optimizers = 'join_filter_pushdown'")
        database.execute("SET disabled_optimizers = 'join_filter_pushdown'")
    return Both(database, plain)
