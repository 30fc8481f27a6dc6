"""Random text queries over tables in every state their index can be in, against the naive evaluator."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql
from lancesql.errors import ArgumentError
from lancesql.parser.text_syntax import read_text_query
from lancesql.plan.text import (
    AllOf,
    AnyOf,
    Boosted,
    Demoting,
    Excluding,
    InColumn,
    Phrase,
    Preferring,
    Prefix,
    TextQuery,
    TextReading,
    Words,
)
from lancesql.storage.searches.texts import search_texts

from .conftest import DIFFERENTIAL, scaled
from .naive_texts import Corpus, evaluate

WORDS = [
    "run", "running", "runs", "Runner", "fox", "Foxes", "fax", "the", "of", "a", "café", "CAFES", "well-known",
    "x-ray", "quiet", "quietly", "quite", "the", "incident", "incidents", "naïve", "ship", "shop", "shopping", "s",
]  # fmt: skip
ASKED = [*WORDS, "runnning", "fxo", "cafe", "inciden", "unknown", "...", "The", "quiet,fox", "shp"]
BEGUN = ["r", "run", "Runn", "fo", "ca", "caf", "th", "qui", "x-r", "well-k", "", "of th", "zz"]
OPTIONS: dict[str, tuple[tuple[str, object], ...]] = {
    "t": (),
    "u": (("stem", False), ("remove_stop_words", False)),
}


@dataclass(repr=False)
class State:
    """A table, and whether the index counts exactly the rows it has."""

    dataset: lance.LanceDataset
    corpus: Corpus
    ids: list[int]
    counted: bool


def _write_text(chooser: random.Random) -> str | None:
    if chooser.random() < 0.08:
        return chooser.choice([None, "", "the of", "..."])
    joints = [" ", " ", " ", ", ", " - ", "\n"]
    return "".join(chooser.choice(WORDS) + chooser.choice(joints) for _ in range(chooser.randint(1, 9)))


def _write_rows(chooser: random.Random, first: int, count: int, kind: pa.DataType) -> pa.Table:
    texts = {name: pa.array([_write_text(chooser) for _ in range(count)], pa.string()).cast(kind) for name in "tu"}
    return pa.table({"id": np.arange(first, first + count), **texts})


def _build_state(folder: Path, name: str, seed: int) -> State:
    chooser = random.Random(seed)
    path = str(folder / f"{name}.lance")
    kind = pa.large_string() if "large" in name else pa.string()
    dataset = lance.write_dataset(_write_rows(chooser, 0, 60, kind), path, max_rows_per_file=25)
    if name != "plain":
        for column in ("t", "u") if name != "half" else ("t",):
            options = dict(OPTIONS[column])
            dataset.create_scalar_index(column, "INVERTED", with_position="positions" in name, **options)
    if "behind" in name:
        dataset = lance.write_dataset(_write_rows(chooser, 60, 25, kind), path, mode="append")
    if "changed" in name:
        dataset = lance.dataset(path)
        dataset.delete("id % 7 = 0")
        dataset.update({"t": "'running foxes quietly'"}, where="id % 5 = 1")
    if "compact" in name:
        dataset = lance.dataset(path)
        dataset.optimize.compact_files()
    if "delta" in name:
        dataset = lance.dataset(path)
        dataset.optimize.optimize_indices(num_indices_to_merge=0)
    dataset = lance.dataset(path)
    rows = dataset.scanner(with_row_id=True).to_table().to_pylist()
    bare = {"plain": "tu", "half": "u"}.get(name, "")
    cut = {column: () if column in bare else OPTIONS[column] for column in "tu"}
    counted = not {"behind", "changed"} & set(name.split("_"))
    return State(dataset, Corpus(rows, cut), [row["_rowid"] for row in rows], counted)


STATES = [
    "plain", "half", "fresh", "fresh_positions", "behind", "behind_positions", "changed", "changed_positions",
    "behind_changed_positions", "changed_compact_positions", "behind_delta_positions", "large_behind",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("texts")


@pytest.fixture(scope="module")
def states(folder: Path) -> dict[str, State]:
    return {name: _build_state(folder, name, seed) for seed, name in enumerate(STATES)}


@pytest.fixture(scope="module")
def connection(folder: Path, states: dict[str, State]) -> Iterator[lancesql.Connection]:
    assert states
    with lancesql.connect(folder) as db:
        yield db


def _write_words(most: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(ASKED), min_size=1, max_size=most).map(" ".join)


LEAVES: st.SearchStrategy[TextQuery] = st.one_of(
    st.builds(Words, _write_words(4), st.sampled_from(["or", "and"])),
    st.builds(Words, _write_words(2), st.sampled_from(["or", "and"]), st.sampled_from([1, 2, "auto"])),
    st.builds(Prefix, st.sampled_from(BEGUN)),
    st.builds(Phrase, _write_words(4), st.integers(0, 3)),
)  # fmt: skip
FACTORS = st.sampled_from([0.25, 0.5, 2.0, 3.0])


def _combine(inner: st.SearchStrategy[TextQuery]) -> st.SearchStrategy[TextQuery]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(InColumn, st.sampled_from(["t", "u"]), LEAVES),
        st.builds(Boosted, inner, FACTORS),
        st.builds(AllOf, several),
        st.builds(AnyOf, several),
        st.builds(Preferring, inner, several),
        st.builds(Excluding, inner, several),
        st.builds(Demoting, inner, inner, FACTORS),
    )


QUERIES = st.recursive(LEAVES, _combine, max_leaves=6)


def _search(state: State, query: TextQuery, columns: list[str], **options: object) -> list[tuple[int, float]]:
    table = search_texts(state.dataset, ["_rowid", "_score"], text_columns=columns, query=query, **options)  # type: ignore[arg-type]
    return list(zip(table.column("_rowid").to_pylist(), table.column("_score").to_pylist(), strict=True))


def _ask_columns(query: TextQuery) -> set[str]:
    match query:
        case InColumn(column):
            return {column}
        case Words() | Prefix() | Phrase():
            return set()
        case Boosted(inner):
            return _ask_columns(inner)
        case AllOf(items) | AnyOf(items):
            return {name for item in items for name in _ask_columns(item)}
        case Preferring(first, items) | Excluding(first, items):
            return {name for item in (first, *items) for name in _ask_columns(item)}
        case Demoting(first, second):
            return _ask_columns(first) | _ask_columns(second)


@settings(DIFFERENTIAL, max_examples=scaled(100))
@given(
    st.sampled_from(STATES),
    QUERIES,
    st.sampled_from([["t"], ["u"], ["t", "u"]]),
    st.sampled_from([None, "id % 3 = 0", "id > 20"]),
    st.integers(1, 12),
)
def test_every_state_finds_what_the_words_say(
    states: dict[str, State], name: str, query: TextQuery, columns: list[str], filter: str | None, limit: int
) -> None:
    state = states[name]
    columns = sorted({*columns, *_ask_columns(query)})
    corpus = Corpus(state.corpus.rows, {column: state.corpus.options[column] for column in columns})
    wanted = {}
    for row in corpus.rows:
        score = evaluate(query, row, corpus)
        if score is not None:
            wanted[row["_rowid"]] = score
    every = _search(state, query, columns, limit=None)
    assert {row_id for row_id, _ in every} == set(wanted)
    assert every == sorted(every, key=lambda one: (-one[1], one[0]))
    if state.counted:
        assert dict(every) == pytest.approx(wanted, rel=1e-4, abs=1e-4)
    first = _search(state, query, columns, limit=limit)
    assert len(first) == min(limit, len(every))
    assert [score for _, score in first] == pytest.approx([score for _, score in every[:limit]], rel=1e-5)
    if filter is not None:
        kept = set(state.dataset.scanner(columns=[], filter=filter, with_row_id=True).to_table()["_rowid"].to_pylist())
        found = _search(state, query, columns, limit=None, filter=filter)
        assert {row_id for row_id, _ in found} == kept & set(wanted)
        if state.counted:
            assert found == [one for one in every if one[0] in kept]


ATOMS = st.one_of(
    st.sampled_from(ASKED),
    st.sampled_from(['"running fox"', '"quiet ship"~1', '"the fox runs"~2', "foxe~1", "quite~", "run*", "qui*"]),
    st.sampled_from(["(fox OR run)", "(quiet AND NOT ship)", "fox^2", 't:"quiet ship"', "(+run the)"]),
    st.sampled_from(["t:fox", "u:running", "u:(fox shop)"]),
)
WRITTEN = st.lists(
    st.tuples(st.sampled_from(["", "", "", "+", "-", "NOT ", "AND ", "OR "]), ATOMS), min_size=1, max_size=5
).map(lambda parts: " ".join(sign + atom for sign, atom in parts))


@settings(DIFFERENTIAL, max_examples=scaled(50))
@given(st.sampled_from(STATES), WRITTEN, st.sampled_from(["query", "plain"]), st.sampled_from(["or", "and"]))
def test_a_text_finds_what_its_tree_says(
    connection: lancesql.Connection, states: dict[str, State], name: str, text: str, syntax: str, operator: str
) -> None:
    reading = TextReading(operator=operator, columns=("t", "u"), others=("id",))  # type: ignore[arg-type]
    sql = f"SELECT _rowid FROM fts('{name}', ['t', 'u'], $q, operator => '{operator}', syntax => '{syntax}')"
    try:
        query = read_text_query(text, syntax, reading)  # type: ignore[arg-type]
    except ArgumentError:
        with pytest.raises(ArgumentError):
            connection.sql(sql, {"q": text}).fetchall()
        return
    corpus = states[name].corpus
    wanted = {row["_rowid"] for row in corpus.rows if evaluate(query, row, corpus) is not None}
    assert {row[0] for row in connection.sql(sql, {"q": text}).fetchall()} == wanted
