"""`match()`, `highlight()` and `snippet()` against a search, the naive evaluator, brute force and the text itself."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql
from lancesql.execution import text_functions
from lancesql.parser.text_syntax import read_text_query
from lancesql.plan.text import TextReading

from .conftest import DIFFERENTIAL, scaled
from .naive_texts import Corpus, evaluate

WORDS = [
    "run", "running", "Runner", "fox", "Foxes", "fax", "the", "of", "a", "café", "CAFES", "x-ray", "quiet", "quietly",
    "quite", "ship", "shop", "shopping",
]  # fmt: skip
ATOMS = ["run", "foxes", "cafe", "the", "qui*", "fxo~1", "shp~2", '"quiet fox"', '"fox run"~2', "x-ray", "sho*", "zzz"]
OPTIONS: dict[str, tuple[tuple[str, Any], ...]] = {
    "t": (),
    "u": (("stem", False), ("remove_stop_words", False)),
}
ROWS = 90


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[lancesql.Connection, list[dict[str, Any]]]]:
    root = tmp_path_factory.mktemp("text_functions")
    chooser = random.Random(5)
    rows = [_write_row(chooser, number) for number in range(ROWS)]
    _write_table(root, rows)
    with lancesql.connect(root) as db:
        yield db, rows


def _write_text(chooser: random.Random) -> str | None:
    if chooser.random() < 0.15:
        return chooser.choice([None, "", "the of", "..."])
    return "".join(chooser.choice(WORDS) + chooser.choice([" ", " ", ", ", "\n"]) for _ in range(chooser.randint(1, 8)))


def _write_row(chooser: random.Random, number: int) -> dict[str, Any]:
    vector = [chooser.random(), chooser.random(), number / ROWS]
    return {"id": number, "t": _write_text(chooser), "u": _write_text(chooser), "vector": vector}


def _write_table(root: Path, rows: list[dict[str, Any]]) -> None:
    schema = pa.schema(
        [("id", pa.int64()), ("t", pa.string()), ("u", pa.string()), ("vector", pa.list_(pa.float32(), 3))]
    )
    path = str(root / "docs.lance")
    dataset = lance.write_dataset(pa.Table.from_pylist(rows[:70], schema), path, max_rows_per_file=30)
    for column, options in OPTIONS.items():
        dataset.create_scalar_index(column, "INVERTED", with_position=column == "t", **dict(options))
    lance.write_dataset(pa.Table.from_pylist(rows[70:], schema), path, mode="append")  # the index is behind


ATOM = st.sampled_from(ATOMS)
QUERY = st.one_of(
    ATOM,
    st.lists(ATOM, min_size=2, max_size=3).map(" ".join),
    st.tuples(ATOM, st.sampled_from([" AND ", " OR ", " NOT ", " -"]), ATOM).map("".join),
    st.tuples(ATOM, ATOM, ATOM).map(lambda three: "+{} {} -({})".format(*three)),
)
COLUMNS = st.sampled_from([("t",), ("u",), ("t", "u")])


def _match_naively(rows: list[dict[str, Any]], query: str, columns: tuple[str, ...]) -> dict[int, bool | None]:
    """The truth of each row by its id."""
    corpus = Corpus(rows, {column: OPTIONS[column] for column in columns})
    tree = read_text_query(query, "query", TextReading(columns=columns))
    return {
        row["id"]: None if all(row[column] is None for column in columns) else evaluate(tree, row, corpus) is not None
        for row in rows
    }


def _write_match(columns: tuple[str, ...], alias: str = "") -> str:
    named = [f"{alias}{column}" for column in columns]
    return f"match({named[0] if len(named) == 1 else '(' + ', '.join(named) + ')'}, $q)"


@settings(DIFFERENTIAL, max_examples=scaled(30))
@given(QUERY, COLUMNS, st.sampled_from([0, 1 << 30]))
def test_match_is_what_the_words_say_wherever_it_stands(
    table: tuple[lancesql.Connection, list[dict[str, Any]]], query: str, columns: tuple[str, ...], many: int
) -> None:
    db, rows = table
    truth = _match_naively(rows, query, columns)
    yes, no = ([one for one in truth if truth[one] is wanted] for wanted in (True, False))
    even = [one for one in truth if truth[one] or one % 2 == 0]
    match, other, inner = _write_match(columns), _write_match(columns, "d."), _write_match(columns, "x.")
    named = ", ".join(f"'{column}'" for column in columns)
    asked = {
        f"SELECT id FROM docs WHERE {match}": yes,
        f"SELECT id FROM docs WHERE NOT {match}": no,
        f"SELECT id FROM docs WHERE {match} OR id % 2 = 0": even,
        f"SELECT id FROM docs WHERE {match} AND NOT (NOT {match} OR id < 0)": yes,
        f"SELECT id FROM (SELECT *, {match} AS m FROM docs) WHERE m": yes,
        f"WITH x AS (SELECT id, t, u FROM docs) SELECT id FROM x WHERE NOT {inner}": no,
        f"SELECT d.id FROM docs d JOIN docs e ON d.id = e.id AND {other}": yes,
        f"SELECT d.id FROM docs e LEFT JOIN docs d ON d.id = e.id WHERE {other}": yes,
        f"SELECT CASE WHEN {match} THEN id END AS i FROM docs WHERE {match} IS NOT NULL AND i IS NOT NULL": yes,
        f"SELECT id FROM fts('docs', [{named}], $q)": yes,
        f"SELECT id FROM vector_search('docs', [0, 0, 0], k => 1000) WHERE NOT {match}": no,
        "SELECT id FROM vector_search('docs', [0, 0, 0], k => 1000, filter => "
        f"'{match.replace('$q', chr(39) * 2 + query.replace(chr(39), '') + chr(39) * 2)}')": yes,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_functions, "_MANY", many)  # by the words of each text, or by the texts a search finds
        for sql, wanted in asked.items():
            found = db.sql(sql, {"q": query} if "$q" in sql else None).fetchall()
            assert sorted(row[0] for row in found) == wanted, sql
    counted = db.sql(f"SELECT count(*), count({match}), count(*) FILTER (WHERE {match}) FROM docs", {"q": query})
    assert counted.fetchall() == [(ROWS, len(yes) + len(no), len(yes))]
    assert db.sql(f"SELECT count(*) FROM docs WHERE {match}", {"q": query}).fetchall() == [(len(yes),)]


@settings(DIFFERENTIAL, max_examples=scaled(25))
@given(QUERY, st.integers(1, 8), st.booleans(), st.sampled_from(["true", "id > 20", "id % 3 = 1"]))
def test_a_vector_search_among_matches_is_brute_force(
    table: tuple[lancesql.Connection, list[dict[str, Any]]], query: str, k: int, negated: bool, also: str
) -> None:
    db, rows = table
    truth = _match_naively(rows, query, ("t",))
    kept = [row for row in rows if truth[row["id"]] is not negated and truth[row["id"]] is not None]
    kept = [row for row in kept if also == "true" or (row["id"] > 20 if ">" in also else row["id"] % 3 == 1)]
    point = np.array([0.3, 0.7, 0.4], np.float32)
    distances = [float(((np.array(row["vector"], np.float32) - point) ** 2).sum()) for row in kept]
    wanted = [kept[at]["id"] for at in np.argsort(distances, kind="stable")[:k]]
    found = db.sql(
        f"SELECT id FROM vector_search('docs', $v, k => {k}) WHERE {'NOT ' if negated else ''}match(t, $q) AND {also}",
        {"v": point.tolist(), "q": query},
    )
    assert [row[0] for row in found.fetchall()] == wanted
