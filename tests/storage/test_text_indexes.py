"""Text indexes and the languages of the texts under them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import pyarrow as pa
import pytest

import lancesql
from lancesql.storage.scripts import find_spaceless_language
from lancesql.storage.texts.indexes import read_text_indexes
from lancesql.storage.texts.tokens import Tokenizer

TEXTS = {
    "zh": ["深度学习模型在自然语言处理领域取得了显著进展", "北京大学计算机科学技术研究所"],
    "ja": ["東京都立大学の研究者が手法を発表した", "人工知能の研究は急速に進歩している", "データベース"],
    "ko": ["서울특별시는 대한민국의 수도이자 최대 도시이다", "한국어는 조사가 발달한 언어입니다"],
    "th": ["ประเทศไทยเป็นประเทศในภูมิภาคเอเชีย", "กรุงเทพมหานครเป็นเมืองหลวง"],
    "lo": ["ປະເທດລາວເປັນປະເທດ"],
    "km": ["ប្រទេសកម្ពុជាជាប្រទេស"],
    "my": ["မြန်မာနိုင်ငံသည်အရှေ့"],
}
ELSE = {
    "english": ["a quick brown fox", "one 東京 among many English words about that city"],
    "russian": ["быстрая коричневая лиса"],
    "arabic": ["القطط والكلاب"],
    "nothing": [],
    "digits": ["1234", "!?"],
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path / "db") as connection:
        yield connection


@pytest.mark.parametrize("code", TEXTS)
def test_scripts_without_spaces(code: str) -> None:
    assert find_spaceless_language(TEXTS[code]) == code
    assert find_spaceless_language([*TEXTS[code], "GPU v2.0"]) == code


@pytest.mark.parametrize("name", ELSE)
def test_scripts_with_spaces(name: str) -> None:
    assert find_spaceless_language(ELSE[name]) is None


def write(db: lancesql.Connection, texts: list[str]) -> None:
    values = ", ".join(f"({number}, '{text}')" for number, text in enumerate([*texts, ""]))
    db.execute(f"CREATE OR REPLACE TABLE docs AS SELECT * FROM (VALUES {values}, (99, NULL)) AS v(id, text)")


@pytest.mark.parametrize("code", ["zh", "ja", "ko", "th"])
def test_an_index_that_finds_no_words_is_warned_of(db: lancesql.Connection, code: str) -> None:
    write(db, TEXTS[code])
    advised = f"CREATE OR REPLACE INDEX ON docs USING FTS (text) WITH (language = '{code}')"
    with pytest.warns(UserWarning, match="script whose words this index cannot find") as warned:
        answer = db.execute("CREATE INDEX ON docs USING FTS (text)").to_arrow()
    assert warned[0].filename == __file__
    assert answer["advice"].to_pylist() == db.sql("SHOW INDEXES ON docs").to_arrow()["advice"].to_pylist()
    assert answer["advice"][0].as_py().endswith(advised)
    mended = db.execute(advised).to_arrow()
    assert mended["advice"].to_pylist() == [None]


def test_a_list_of_texts_is_looked_at_too(db: lancesql.Connection) -> None:
    db.execute("CREATE TABLE docs AS SELECT 1 AS id, ['自然语言处理', '机器学习'] AS tags UNION ALL SELECT 2, NULL")
    with pytest.warns(UserWarning, match=r"USING FTS \(tags\) WITH \(language = 'zh'\)"):
        db.execute("CREATE INDEX ON docs USING FTS (tags)")


@pytest.mark.parametrize("texts", [ELSE["english"], []])
def test_no_advice_without_need(db: lancesql.Connection, texts: list[str]) -> None:
    write(db, texts)
    assert db.execute("CREATE INDEX ON docs USING FTS (text)").to_arrow()["advice"].to_pylist() == [None]
    db.execute("CREATE OR REPLACE TABLE docs AS SELECT 1 AS id, '' AS text WHERE false")
    assert db.execute("CREATE INDEX ON docs USING FTS (text)").to_arrow()["advice"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (
            "",
            "base_tokenizer = simple, language = English, stem = true, remove_stop_words = true, with_position = true",
        ),
        (
            "language = 'ja'",
            "base_tokenizer = ngram, ngram_min_length = 2, ngram_max_length = 2, with_position = false",
        ),
        (
            "tokenizer = 'icu/split', language = hi, ascii_folding = off, with_position = off",
            (
                "base_tokenizer = 'icu/split', stem = false, remove_stop_words = false, ascii_folding = false, "
                "with_position = false"
            ),
        ),
        (
            "tokenizer = ngram, ngram_min = 3, lower_case = off",
            (
                "base_tokenizer = ngram, ngram_min_length = 3, ngram_max_length = 3, "
                "lower_case = false, with_position = false"
            ),
        ),
    ],
)
def test_options_are_shown_as_they_would_be_given(db: lancesql.Connection, given: str, shown: str) -> None:
    write(db, ELSE["english"])
    options = f"WITH ({given})" if given else ""
    assert db.execute(f"CREATE INDEX ON docs USING FTS (text) {options}").to_arrow()["parameters"].to_pylist() == [
        shown
    ]
    again = db.execute(f"CREATE OR REPLACE INDEX ON docs USING FTS (text) WITH ({shown})").to_arrow()
    assert again["parameters"].to_pylist() == [shown]


@pytest.mark.parametrize(
    ("language", "text", "query"),
    [
        ("de", "die alten Häuser der Stadt", "haus"),
        ("german", "breite Straßen", "Straße"),
        ("fr", "les chevaux étaient fatigués", "cheval"),
        ("es", "los gatos negros", "gato negro"),
        ("ru", "две кошки бежали", "кошка"),
        ("nl", "de oude huizen", "huis"),
        ("sv", "flickorna sprang", "flicka"),
        ("tr", "kediler geldi", "kedi"),
        ("en", "running incidents", "incident run"),
    ],
)
def test_stems_of_a_language(db: lancesql.Connection, language: str, text: str, query: str) -> None:
    write(db, [text, "unrelated"])
    db.execute(f"CREATE INDEX ON docs USING FTS (text) WITH (language = '{language}')")
    assert db.sql("SELECT id FROM fts('docs', $q)", {"q": query}).fetchall() == [(0,)]


MIXED = [
    "The Häuser of the CITY, running & jumped; naïve café's U.S.A. foo_bar fooBar2 v2.0",
    "自然语言处理 and 機械学習 テスト 언어처리 ภาษาธรรมชาติ",
    "x" * 60 + " ÆON ﬁne Ａｂ İstanbul ſtraße \u00ad e\u0301 😀",
    "",
]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"language": "German"},
        {"stem": False, "remove_stop_words": False},
        {"custom_stop_words": ["citi", "foo_bar"]},
        {"remove_stop_words": False, "custom_stop_words": ["citi"]},
        {"lower_case": False},
        {"ascii_folding": False, "with_position": True},
        {"max_token_length": None},
        {"max_token_length": 5},
        {"base_tokenizer": "whitespace"},
        {"base_tokenizer": "raw"},
        {"base_tokenizer": "icu", "language": "French"},
        {"base_tokenizer": "icu/split"},
        {"base_tokenizer": "ngram"},
        {"base_tokenizer": "ngram", "min_ngram_length": 1, "max_ngram_length": 4, "stem": False, "lower_case": False},
        {"base_tokenizer": "ngram", "prefix_only": True, "min_ngram_length": 2, "max_ngram_length": 5},
        {"base_tokenizer": "code"},
        {"base_tokenizer": "code", "split_identifiers": True, "split_on_numerics": True, "preserve_original": True},
    ],
    ids=str,
)
def test_the_tokens_are_those_of_the_index(tmp_path: Path, options: dict[str, Any]) -> None:
    table = pa.table({"text": MIXED})
    dataset = lance.write_dataset(table, tmp_path / "t.lance")
    build: Any = dataset.create_scalar_index
    build("text", "INVERTED", **options)
    tokenizer = Tokenizer(read_text_indexes(dataset)["text"].options)
    read = {token for text in MIXED for token, _ in tokenizer.read(text)}
    (built,) = dataset.stats.index_stats("text_idx")["indices"]
    assert len(read) == built["num_tokens"]
