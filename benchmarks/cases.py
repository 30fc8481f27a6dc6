"""Each piece of work twice: as a statement, and written by hand with pylance and DuckDB."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any

import duckdb
import lance
import pyarrow as pa

import lancesql

from .data import Source

Work = Callable[[Any], pa.Table]


@dataclass(frozen=True)
class Bar:
    """What a case may cost: `difference` milliseconds more than by hand, or `ratio` times as much."""

    difference: float | None = None
    ratio: float | None = None

    def __str__(self) -> str:
        return f"≤ +{self.difference} ms" if self.difference is not None else f"≤ {self.ratio} ×"


@dataclass(frozen=True)
class Case:
    """Work to measure; both sides are given the same query vector.

    Attributes:
        ours: The statement, to its Arrow table.
        by_hand: The same answer without lancesql; None where there is nothing to compare with.
        approximate: Both find nearly all of the true rows, need not miss the same ones, and round differently.
    """

    name: str
    ours: Work
    by_hand: Work | None = None
    bar: Bar | None = None
    approximate: bool = False


def make_cases(db: lancesql.Connection, source: Source, folder: Path) -> list[Case]:
    """The cases, in the order of the table that is printed."""
    hand = ByHand(db, source, folder)
    pure = "SELECT id, title, _distance FROM vector_search('movies', $q, k => 10)"
    filtered = f"{pure} WHERE year >= 2000"
    few = f"{pure} WHERE year = 1999"
    grouped = "SELECT b.distributor, count(*) AS films, sum(b.worldwide_gross) AS gross"
    joined = "JOIN box_office b ON m.id = b.movie_id GROUP BY ALL ORDER BY films DESC, b.distributor"
    aggregate = f"{grouped} FROM vector_search('movies', $q, k => 100) m {joined}"
    by_year = "SELECT year, count(*) AS n, avg(n_cast) AS people FROM {} {} GROUP BY year ORDER BY year"
    by_decade = (
        "SELECT year // 10 * 10 AS decade, count(*) AS n, avg(n_cast) AS people, sum(length(text)) AS letters, "
        "count(*) FILTER (WHERE contains(text, 'war')) AS wars FROM {} {} GROUP BY 1 ORDER BY 1"
    )
    fresh = count()
    return [
        Case("plan, cached", lambda q: plan(db, aggregate, q)),
        Case("plan, not cached", lambda q: plan(db, f"{aggregate} -- {next(fresh)}", q)),
        Case("search", hand.ask(pure), hand.search(pure, ["id", "title"], 10), Bar(difference=0.3)),
        Case(
            "search, many rows qualify",
            hand.ask(filtered),
            hand.search(filtered, ["id", "title"], 10, "year >= 2000"),
            approximate=True,
        ),
        Case(
            "search, few rows qualify",
            hand.ask(few),
            hand.search(few, ["id", "title"], 10, "year = 1999"),
            approximate=True,
        ),
        Case(
            "search + join + aggregate",
            hand.ask(aggregate),
            hand.search_then(aggregate, ["id"], 100, f"{grouped} FROM found m {joined}"),
            Bar(difference=0.5),
        ),
        Case(
            "scan + aggregate, two numbers",
            hand.ask(by_year.format("movies", "WHERE year >= 1990")),
            hand.scan_then(["year", "n_cast"], "year >= 1990", by_year.format("found", "")),
            Bar(ratio=1.1),
        ),
        Case(
            "scan + aggregate, with the text",
            hand.ask(by_decade.format("movies", "WHERE n_cast > 0")),
            hand.scan_then(["year", "n_cast", "text"], "n_cast > 0", by_decade.format("found", "")),
            Bar(ratio=1.1),
        ),
        Case(
            "scan + aggregate, the filter outside a CTE",
            hand.ask(f"WITH m AS (SELECT * FROM movies) {by_year.format('m', 'WHERE year >= 1990')}"),
            hand.scan_then(
                ["year", "n_cast"], "year >= 1990", f"WITH m AS (SELECT * FROM found) {by_year.format('m', '')}"
            ),
            Bar(ratio=1.1),
        ),
        Case(
            "count",
            hand.ask("SELECT count(*) AS n FROM movies WHERE year >= 1990"),
            hand.count("year >= 1990"),
            Bar(difference=0.3),
        ),
        Case(
            "first rows, every column",
            hand.ask("SELECT * FROM movies ORDER BY n_cast DESC, id LIMIT 10"),
            hand.take_first(["n_cast", "id"], "ORDER BY n_cast DESC, id LIMIT 10"),
            Bar(difference=1.0),
        ),
    ]


def plan(db: lancesql.Connection, sql: str, query: Any) -> pa.Table:
    """Everything before the first row is asked for."""
    db.sql(sql, {"q": query})
    return pa.table({})


class ByHand:
    """The same work with pylance and DuckDB, and with the strategy that the planner chose."""

    def __init__(self, db: lancesql.Connection, source: Source, folder: Path) -> None:
        self.db = db
        self.dataset = lance.dataset(str(folder / "movies.lance"))
        self.connection = duckdb.connect()
        self.box_office = source.box_office
        self.query = source.queries[0]

    def ask(self, sql: str) -> Work:
        """The statement."""
        if "$q" in sql:
            return lambda query: self.db.sql(sql, {"q": query}).to_arrow()
        return lambda _: self.db.sql(sql).to_arrow()

    def search(self, sql: str, columns: list[str], k: int, predicate: str | None = None) -> Work:
        """A bare pylance search."""
        strategy = self._read_strategy(sql)
        wanted = [*columns, "_distance"]

        def run(query: Any) -> pa.Table:
            nearest = {"column": "vector", "q": query, "k": k, "metric": "l2", **strategy}
            return self.dataset.scanner(
                columns=wanted,
                nearest=nearest,
                filter=predicate,
                prefilter=True,
                disable_scoring_autoprojection=True,
            ).to_table()

        return run

    def search_then(self, sql: str, columns: list[str], k: int, relation: str) -> Work:
        """A pylance search whose answer DuckDB finds by its name."""
        search = self.search(sql, columns, k)

        def run(query: Any) -> pa.Table:
            found, box_office = search(query), self.box_office
            assert found.num_rows
            assert box_office.num_rows
            return self.connection.sql(relation).to_arrow_table()

        return run

    def scan_then(self, columns: list[str], predicate: str, relation: str) -> Work:
        """A pylance scan whose stream DuckDB finds by its name."""

        def run(_: Any) -> pa.Table:
            found = self.dataset.scanner(columns=columns, filter=predicate).to_reader()
            assert found.schema
            return self.connection.sql(relation).to_arrow_table()

        return run

    def count(self, predicate: str) -> Work:
        """A bare count."""
        return lambda _: pa.table({"n": [self.dataset.count_rows(predicate)]})

    def take_first(self, columns: list[str], order: str) -> Work:
        """The columns of an order, DuckDB's choice of rows, and those rows by their ids."""

        def run(_: Any) -> pa.Table:
            found = self.dataset.scanner(columns=columns, with_row_id=True).to_reader()
            assert found.schema
            ids = self.connection.sql(f"SELECT _rowid FROM found {order}").to_arrow_table()
            return self.dataset._take_rows(ids.column(0).to_pylist())

        return run

    def _read_strategy(self, sql: str) -> dict[str, Any]:
        text = self.db.explain(sql, {"q": self.query})
        match = re.search(r"(\d+) of \d+ partitions, true distances of (?:up to )?(\d+) × k", text)
        if match is None:
            return {"use_index": False}
        return {"minimum_nprobes": int(match[1]), "refine_factor": int(match[2])}


def cycle_queries(source: Source) -> Callable[[], Any]:
    """The next query vector, for ever."""
    queries = cycle(list(source.queries))
    return lambda: next(queries)
