"""Text searches beside the bare calls of pylance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lance
import pyarrow as pa
from lance.query import BooleanQuery, FullTextOperator, FullTextQuery, MatchQuery, Occur, PhraseQuery

import lancesql

from .cases import Bar, Case, Work
from .data import Source

_BAR = Bar(ratio=1.3)
_COLUMN = "text"


def make_text_cases(db: lancesql.Connection, source: Source, folder: Path) -> list[Case]:
    """The cases: the ten best rows, once each.

    Rows of one score come in an order of their own on each side, so only their number is compared.
    """
    if "words" not in db.tables():
        db.register("text_rows", source.movies.select(["id", "title", "year", "text"]))
        db.execute("CREATE TABLE words AS SELECT * FROM text_rows")
        db.execute("CREATE INDEX ON words (text) USING FTS WITH (with_position = true)")
        db.execute("CREATE INDEX ON words (year) USING BTREE")
    dataset = lance.dataset(str(folder / "words.lance"))
    one, two, three = _choose_words(source)
    several = f"{one} {two} {three}"
    each = [(Occur.MUST, MatchQuery(word, _COLUMN)) for word in (one, two)]
    either = [(Occur.SHOULD, MatchQuery(word, _COLUMN)) for word in (one, three)]
    return [
        _compare("one word", one, MatchQuery(one, _COLUMN), db, dataset),
        _compare("three words", several, MatchQuery(several, _COLUMN), db, dataset),
        _compare("three words, a filter", several, MatchQuery(several, _COLUMN), db, dataset, "year >= 2000"),
        _compare(
            "two words, each",
            f"{one} AND {two}",
            MatchQuery(f"{one} {two}", _COLUMN, operator=FullTextOperator.AND),
            db,
            dataset,
        ),
        _compare("a phrase", f'"{one} {two}"', PhraseQuery(f"{one} {two}", _COLUMN), db, dataset),
        _compare(
            "boolean",
            f"+({one} OR {three}) +{two}",
            BooleanQuery([each[1], (Occur.MUST, BooleanQuery(either))]),
            db,
            dataset,
        ),
    ]


def _choose_words(source: Source) -> tuple[str, str, str]:
    return ("new", "york", "detective") if source.name == "movies" else ("word3", "word5", "word8")


def _compare(
    name: str,
    text: str,
    query: FullTextQuery,
    db: lancesql.Connection,
    dataset: lance.LanceDataset,
    predicate: str | None = None,
) -> Case:
    where = f"WHERE {predicate}" if predicate is not None else ""
    sql = f"SELECT id, title, _score FROM fts('words', $text) {where} LIMIT 10"

    def by_hand(_: Any) -> pa.Table:
        return dataset.scanner(
            columns=["id", "title", "_score"],
            full_text_query=query,
            filter=predicate,
            prefilter=True,
            limit=10,
            disable_scoring_autoprojection=True,
        ).to_table()

    ours: Work = lambda _: db.sql(sql, {"text": text}).to_arrow()  # noqa: E731
    return Case(f"text: {name}", ours, by_hand, _BAR, approximate=True)
