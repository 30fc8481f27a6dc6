"""The texts cut into words here hold what an index of Lance finds in them, however it cuts."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import lance
import pyarrow as pa
import pytest
from lance.query import DocumentGranularity

import lancesql
from lancesql.plan.text import AllOf, AnyOf, Excluding, Phrase, Preferring, Prefix, TextQuery, Words
from lancesql.storage.searches import texts as searches
from lancesql.storage.searches.texts import describe_text_search, search_texts
from lancesql.storage.texts import corpora
from lancesql.storage.texts.candidates import read_statistics
from lancesql.storage.texts.corpora import open_corpus
from lancesql.storage.texts.edits import find_near
from lancesql.storage.texts.indexes import read_text_indexes
from lancesql.storage.texts.matches import join_matches
from lancesql.storage.texts.scoring import search_blocks
from lancesql.storage.texts.terms import bind_query
from lancesql.storage.texts.tokens import Tokenizer
from tests.differential.naive_texts import count_edits

PIECES = [
    "running", "Runs", "the", "of", "café", "naïve", "straße", "東京で寿司を食べた", "서울에서", "ที่นี่", "x-ray", "e.g.",
    "3.14", "a_b", "don't", "İstanbul", "ΑΒΓ", "½", "Ⓐ", "\u00a0",
    "wordthatislongerthanfortylettersandthereforenotkeptatall",
    "emoji😀here", "data", "Database", "base",
]  # fmt: skip
OPTIONS = [
    {},
    {"stem": False, "remove_stop_words": False},
    {"base_tokenizer": "whitespace"},
    {"base_tokenizer": "icu"},
    {"base_tokenizer": "icu/split"},
    {"base_tokenizer": "raw"},
    {"language": "German"},
    {"lower_case": False, "ascii_folding": False},
    {"max_token_length": 6},
    {"custom_stop_words": ["data", "q"]},
    {"base_tokenizer": "code"},
]
QUERIES: list[TextQuery] = [
    *(Words(piece) for piece in PIECES),
    Words("running data base"),
    Words("running data base", "and"),
    Words("the café", "and"),
    Phrase("running data"),
    Phrase("data of base"),
    Phrase("data base", 2),
    AllOf((Words("data"), AnyOf((Words("runs"), Phrase("x-ray"))))),
]


def _write_texts(seed: int, count: int = 120) -> list[str | None]:
    chooser = random.Random(seed)
    joints = [" ", " ", ", ", "\n", "-"]
    texts: list[str | None] = [None, "", "the of", "?"]
    for _ in range(count):
        texts.append("".join(chooser.choice(PIECES) + chooser.choice(joints) for _ in range(chooser.randint(1, 8))))
    return [*texts, *PIECES]


def _search_flat(dataset: lance.LanceDataset, query: TextQuery, options: dict[str, object]) -> dict[int, float]:
    tokenizer = Tokenizer(options)
    node = bind_query(query, {"t": tokenizer})
    if node is None:
        return {}
    found = join_matches(node, lambda leaf: search_blocks(open_corpus(dataset, "t", tokenizer), [leaf])[0])
    return dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))


def _search(dataset: lance.LanceDataset, query: TextQuery, **options: object) -> dict[int, float]:
    found = search_texts(dataset, ["_rowid", "_score"], text_columns=["t"], query=query, limit=None, **options)  # type: ignore[arg-type]
    return dict(zip(found["_rowid"].to_pylist(), found["_score"].to_pylist(), strict=True))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", ["string", "large_string", "list"])
def test_any_tokenizer(tmp_path: Path, options: dict[str, object], kind: str) -> None:
    texts, tokenizer = _write_texts(len(str(options))), options.get("base_tokenizer")
    if kind == "list":
        pairs = [None if text is None else [text, None, "data"][: 1 + len(text) % 3] for text in texts]
        column = pa.array(pairs, pa.list_(pa.string()))
    else:
        column = pa.array(texts, pa.large_string() if kind == "large_string" else pa.string())
    dataset = lance.write_dataset(pa.table({"t": column}), str(tmp_path / "t.lance"))
    dataset.create_scalar_index("t", "INVERTED", with_position=True, **options)
    dataset = lance.dataset(str(tmp_path / "t.lance"))
    details = dict(read_text_indexes(dataset)["t"].options)
    for query in QUERIES:
        found, wanted = _search_flat(dataset, query, details), _search(dataset, query)
        assert set(found) == set(wanted), query
        if (kind, tokenizer) != ("list", "raw"):  # Lance counts a list of nothing but "" as a text, or not
            assert found == pytest.approx(wanted, rel=1e-4), query


def test_whole_values_are_found_whole(tmp_path: Path) -> None:
    dataset = lance.write_dataset(pa.table({"t": ["Red Fox", "red", "fox red"]}), str(tmp_path / "t.lance"))
    dataset.create_scalar_index("t", "INVERTED", base_tokenizer="raw")
    dataset = lance.dataset(str(tmp_path / "t.lance"))
    assert set(_search(dataset, Words("red fox"))) == {0}
    assert set(_search(dataset, Words("red"))) == {1}
    assert set(_search(dataset, Prefix("RED"))) == {0, 1}


def test_an_index_alone_leaves_out_what_it_does_not_cover(tmp_path: Path) -> None:
    path = str(tmp_path / "t.lance")
    lance.write_dataset(pa.table({"t": ["running fox", "fox"]}), path)
    lance.dataset(path).create_scalar_index("t", "INVERTED", with_position=False)
    dataset = lance.write_dataset(pa.table({"t": ["runner fox", "running fox"]}), path, mode="append")
    for query in (Prefix("runn"), Words("runnning", "or", 1), Phrase("running fox")):
        every, indexed = _search(dataset, query), _search(dataset, query, fast_search=True)
        assert len(every) >= 2, query
        assert len(indexed) == 1, query
        assert set(indexed) < set(every), query


def test_nothing_is_asked_by_what_is_no_word(tmp_path: Path) -> None:
    dataset = lance.write_dataset(pa.table({"t": ["the fox", "the", "", None]}), str(tmp_path / "t.lance"))
    for indexed in (False, True):
        if indexed:
            dataset.create_scalar_index("t", "INVERTED")
            dataset = lance.dataset(str(tmp_path / "t.lance"))
        assert not _search(dataset, Words("the"))
        assert set(_search(dataset, AllOf((Words("the"), Words("fox"))))) == {0}
        assert not _search(dataset, Excluding(Words("..."), (Words("cat"),)))
        assert set(_search(dataset, Excluding(Words("fox"), (Words("the"), Words(""))))) == {0}
        assert set(_search(dataset, Preferring(Phrase("the"), (Words("fox"),)))) == {0}
        assert set(_search(dataset, AnyOf((Excluding(Words("fox"), (Words("fox"),)), Words("fox"))))) == {0}


def test_words_near_another() -> None:
    chooser = random.Random(5)
    words = ["".join(chooser.choices("abc", k=chooser.randint(0, 6))) for _ in range(300)]
    for word in ("abc", "aabbcc", "", "cab"):
        for edits in (0, 1, 2):
            near = [at for at, other in enumerate(words) if count_edits(other, word) <= edits]
            assert find_near(words, word, edits) == near


def test_columns_that_hold_texts_in_other_ways(tmp_path: Path) -> None:
    texts = ["Red foxes", None, "a fox runs", "blue"]
    table = pa.table(
        {
            "id": [0, 1, 2, 3],
            "large": pa.array(texts, pa.large_string()),
            "few": pa.array(texts).dictionary_encode(),
            "tags": pa.array([["Red", "foxes"], None, ["a fox", None, "runs"], ["blue", ""]], pa.list_(pa.string())),
        }
    )
    lance.write_dataset(table, str(tmp_path / "t.lance"))
    with lancesql.connect(tmp_path) as db:
        for column in ("large", "few", "tags"):
            for query, wanted in (("fox", [0, 2]), ('"fox runs"', [2]), ("fo* AND NOT red", [2]), ("foz~1", [2])):
                sql = f"SELECT id FROM fts('t', '{column}', $q) ORDER BY id"
                assert [row[0] for row in db.sql(sql, {"q": query}).fetchall()] == wanted, (column, query)
        db.execute("CREATE INDEX ON t USING FTS (tags)")
        assert db.sql("SELECT id FROM fts('t', 'tags', '\"red foxes\"')").fetchall() == [(0,)]
        with pytest.raises(lancesql.LanceSQLError, match="column 'id' is not text"):
            db.sql("SELECT id FROM fts('t', 'id', 'fox')")


def test_texts_kept_are_those_of_the_version(tmp_path: Path) -> None:
    path = str(tmp_path / "t.lance")
    chooser = random.Random(11)

    def write(count: int, mode: str) -> None:
        texts = [" ".join(chooser.choices(["fox", "foxes", "hat", "the"], k=3)) for _ in range(count)]
        lance.write_dataset(pa.table({"t": texts, "n": list(range(count))}), path, mode=mode, max_rows_per_file=7)

    def check() -> None:
        dataset = lance.dataset(path)
        rows = dataset.scanner(columns=["t"], with_row_id=True).to_table().to_pylist()
        assert set(_search(dataset, Prefix("fo"))) == {row["_rowid"] for row in rows if "fox" in row["t"]}

    write(30, "create")
    check()
    for change in (
        lambda: write(5, "append"),
        lambda: lance.dataset(path).delete("n % 4 = 1"),
        lambda: lance.dataset(path).update({"t": "'hat'"}, where="n % 5 = 0"),
        lambda: lance.dataset(path).optimize.compact_files(),
        lambda: lance.dataset(path).add_columns({"m": "n + 1"}),
        lambda: lance.dataset(path).restore(),
        lambda: write(20, "overwrite"),
        lambda: shutil.rmtree(path),
    ):
        change()
        if not Path(path).exists():
            write(12, "create")
        check()


def test_letters_looked_for_by_lance_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chooser = random.Random(4)
    pieces = [*PIECES, "cœur", "coeur", "Cafés", "cafeteria", "elan", "élan", "fuchs", "fuch", "FUCHSE", "re\u0301sume"]
    texts = ["".join(chooser.choice(pieces) + chooser.choice(" ,\n") for _ in range(3)) for _ in range(400)]
    path = str(tmp_path / "t.lance")
    lance.write_dataset(pa.table({"t": texts[:300]}), path)
    lance.dataset(path).create_scalar_index("t", "INVERTED")
    dataset = lance.write_dataset(pa.table({"t": texts[300:]}), path, mode="append")
    asked: list[TextQuery] = [Prefix(begun) for begun in ("co", "coe", "caf", "cafe", "el", "fu", "fuch", "re", "str")]
    asked += [
        Words(word, "or", edits) for word in ("coeur", "cafes", "fuchs", "elam", "data", "runs") for edits in (1, 2)
    ]
    index = read_text_indexes(dataset)["t"]
    assert read_statistics(dataset, index, Tokenizer(index.options)) is not None
    for query in asked:
        wanted = _search(dataset, query)
        monkeypatch.setattr(searches, "MANY_ROWS", 1)
        corpora._KEPT.clear()
        assert _search(dataset, query) == pytest.approx(wanted), query
        assert not corpora.has_corpus(dataset, "t", Tokenizer(index.options)), query
        monkeypatch.undo()


def test_a_phrase_is_looked_for_in_few_texts_or_in_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chooser = random.Random(9)
    texts = [" ".join(chooser.choices(["red", "fox", "hat", "of"], k=4)) for _ in range(200)]
    dataset = lance.write_dataset(pa.table({"t": texts}), str(tmp_path / "t.lance"))
    dataset.create_scalar_index("t", "INVERTED", with_position=False)
    dataset = lance.dataset(str(tmp_path / "t.lance"))
    for query in (Phrase("red fox"), Phrase("red of fox"), Phrase("red fox hat", 1)):
        found = []
        for few in (0, 10**9):  # always the candidates alone, then never
            corpora._KEPT.clear()
            monkeypatch.setattr(searches, "_FEW", few)
            found.append(_search(dataset, query))
            assert corpora.has_corpus(dataset, "t", Tokenizer(read_text_indexes(dataset)["t"].options)) is bool(few)
        assert found[0] == found[1]
        assert found[0]


def test_an_index_of_elements_finds_rows_once(tmp_path: Path) -> None:
    lists = pa.array([["red fox", "fox"], ["hat"], None, ["a fox", "red"]], pa.list_(pa.string()))
    dataset = lance.write_dataset(pa.table({"t": lists}), str(tmp_path / "t.lance"))
    dataset.create_scalar_index(
        "t", "INVERTED", document_granularity=DocumentGranularity.LIST_ELEMENT, with_position=True
    )
    dataset = lance.dataset(str(tmp_path / "t.lance"))
    assert not read_text_indexes(dataset)["t"].finds_rows
    assert set(_search(dataset, Words("fox"))) == {0, 3}
    assert set(_search(dataset, Phrase("red fox"))) == {0}
    assert set(_search(dataset, AllOf((Words("red"), Prefix("fo"))))) == {0, 3}
    assert describe_text_search(dataset, text_columns=["t"], query=Words("fox")) == [
        "fox in t → every text, cut into words: the index finds elements of lists, not rows"
    ]
    dataset.create_scalar_index("t", "INVERTED", name="rows", with_position=True)
    dataset = lance.dataset(str(tmp_path / "t.lance"))
    assert not describe_text_search(dataset, text_columns=["t"], query=Words("fox"))
    assert set(_search(dataset, AnyOf((Words("fox"), Phrase("red fox"))))) == {0, 3}


def test_rows_of_one_score_come_by_their_ids_whatever_the_last_search_was(tmp_path: Path) -> None:
    texts = [f"rare {'common ' * 30}{'more ' * (number % 3)}" if number % 7 == 0 else "common" for number in range(700)]
    texts += [f"lonely {'word ' * number}" for number in range(30)]
    uri = str(tmp_path / "docs.lance")
    lance.write_dataset(pa.table({"id": range(len(texts)), "text": texts}), uri)
    dataset = lance.dataset(uri)
    dataset.create_scalar_index("text", "INVERTED")
    dataset = lance.dataset(uri)

    def search(word: str, limit: int | None) -> list[tuple[int, float]]:
        found = search_texts(dataset, ["id", "_score"], text_columns=["text"], query=Words(word), limit=limit)
        return list(zip(found["id"].to_pylist(), found["_score"].to_pylist(), strict=True))

    every = {word: search(word, None) for word in ("common", "rare", "lonely")}
    for found in every.values():
        assert found == sorted(found, key=lambda one: (-one[1], one[0]))
    assert [len(found) for found in every.values()] == [700, 100, 30]
    for word, limit in [("lonely", 5), ("common", 10), ("common", 600), ("lonely", 5), ("rare", 33), ("rare", 34),
                        ("rare", 35), ("lonely", 29), ("lonely", 30), ("common", 700), ("rare", 1)]:  # fmt: skip
        assert search(word, limit) == every[word][:limit], (word, limit)
