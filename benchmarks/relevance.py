"""`python -m benchmarks.relevance`: how good the rankings of judged collections are, each search as plain SQL."""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

import lancesql

ROOT = Path(__file__).resolve().parent.parent

SEARCHES = {
    "vector": "SELECT id FROM vector_search('docs', $vector, k => 10, metric => 'cosine', exact => true)",
    "fts": "SELECT id FROM fts('docs', 'body', $text, syntax => 'plain', k => 10)",
    "hybrid": "SELECT id FROM hybrid_search('docs', $vector, 'body', $text, k => 10, metric => 'cosine', "
    "exact => true, syntax => 'plain')",
    "fts, title²": "SELECT id FROM fts('docs', ['title', 'text'], $text, syntax => 'plain', k => 10, "
    "boosts => {'title': 2})",
}
"""A search and its SQL. The last needs an index on each of its columns and has no bar."""

BARS = {
    ("scifact", "fts"): "0.684",
    ("scifact", "hybrid"): "0.7146",
    ("cranfield", "fts"): "0.367",
    ("cranfield", "hybrid"): "0.410",
    ("movies", "fts"): "0.437",
}
"""The least nDCG@10, to the digits given: what Lance's own pieces reach when they are put together by hand."""


@dataclass(frozen=True)
class Query:
    """A query and the documents that answer it.

    Attributes:
        relevant: Document → grade; all others are 0.
    """

    text: str
    vector: np.ndarray[Any, np.dtype[np.float32]]
    relevant: Mapping[Any, float]


@dataclass(frozen=True)
class Collection:
    """A judged collection: where its corpus lies, and its queries."""

    name: str
    corpus: Path
    queries: Sequence[Query]


def find_data() -> Path:
    """The folder of the collections, which may be absent."""
    given = os.environ.get("LANCESQL_TEST_DATA")
    return Path(given) if given else ROOT.parent / "shared" / "data"


def read_collection(data: Path, name: str) -> Collection:
    """Reads the queries of `scifact` (those of its test split), `cranfield` or `movies`, and their judgements."""
    split = [("split", "=", "test")] if name == "scifact" else None
    queries = pq.read_table(data / name / "queries.parquet", filters=split)
    judged: dict[Any, dict[Any, float]] = {}
    for row in pq.read_table(data / name / "qrels.parquet", filters=split).to_pylist():
        judged.setdefault(row["query_id"], {})[row["doc_id"]] = row["relevance"]
    vectors = queries["vector"].combine_chunks()
    values = vectors.values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(len(vectors), -1)
    listed = zip(queries["id"].to_pylist(), queries["text"].to_pylist(), values, strict=True)
    return Collection(
        name,
        data / name / "corpus.parquet",
        [Query(text, vector, judged[id_]) for id_, text, vector in listed if id_ in judged],
    )


def build_collection(db: lancesql.Connection, collection: Collection, *, fields: bool = False) -> None:
    """Makes the table `docs`: one column of text, `body`, with a text index as it is by default.

    Args:
        db: The database.
        collection: What to read.
        fields: Index the title and the text each as well.
    """
    float16 = "WITH (float16 = 'vector') " if collection.name == "movies" else ""
    db.execute(
        f"CREATE OR REPLACE TABLE docs {float16}AS SELECT id, title, text, title || ' ' || text AS body, vector "
        f"FROM '{collection.corpus}' ORDER BY id"
    )
    for column in ("body", "title", "text") if fields else ("body",):
        db.execute(f"CREATE INDEX ON docs ({column}) USING FTS")


def measure_search(db: lancesql.Connection, collection: Collection, sql: str) -> float:
    """The mean nDCG@10 of a search over the queries of a collection."""
    scores = []
    for query in collection.queries:
        parameters = {"text": query.text, "vector": query.vector}
        used = {name: value for name, value in parameters.items() if f"${name}" in sql}
        answer = [row[0] for row in db.sql(sql, used).fetchall()]
        scores.append(score_answer(answer, query.relevant))
    return sum(scores) / len(scores)


def score_answer(answer: Sequence[Any], relevant: Mapping[Any, float], k: int = 10) -> float:
    """The nDCG@k of one answer: each grade over the logarithm of its place (Järvelin and Kekäläinen, 2002)."""

    def sum_gains(grades: Sequence[float]) -> float:
        return sum(grade / math.log2(place + 2) for place, grade in enumerate(grades[:k]))

    ideal = sum_gains(sorted(relevant.values(), reverse=True))
    return sum_gains([relevant.get(document, 0) for document in answer]) / ideal if ideal else 0.0


def main() -> int:
    """Prints the table; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relevance", description=__doc__)
    parser.add_argument("collections", nargs="*", default=["scifact", "cranfield", "movies"])
    names = parser.parse_args().collections
    data = find_data()
    table = Table("collection", "queries", "search", "nDCG@10", "bar", "")
    met = True
    for name in names:
        if not (data / name).is_dir():
            print(f"no {name} at {data}")
            continue
        collection = read_collection(data, name)
        with tempfile.TemporaryDirectory() as folder, lancesql.connect(folder) as db:
            build_collection(db, collection, fields=True)
            for search, sql in SEARCHES.items():
                bar = BARS.get((name, search))
                measured = measure_search(db, collection, sql)
                reached = bar is None or is_reached(measured, bar)
                met = met and reached
                shown = "" if bar is None else "met" if reached else "MISSED"
                table.add_row(
                    name,
                    str(len(collection.queries)),
                    search,
                    f"{measured:.4f}",
                    "" if bar is None else str(bar),
                    shown,
                )
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return 0 if met else 1


def is_reached(measured: float, bar: str) -> bool:
    """Whether a figure, rounded to the digits of the bar, reaches it."""
    return round(measured, len(bar.partition(".")[2])) >= float(bar)


if __name__ == "__main__":
    sys.exit(main())
