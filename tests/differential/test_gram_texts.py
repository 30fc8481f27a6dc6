"""Text searches in scripts without spaces, beside `str` in Python: a part of a text finds the rows that hold it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lancesql

from .conftest import DIFFERENTIAL, scaled

SENTENCES = {
    "zh": """深度学习模型在自然语言处理领域取得了显著进展
        |北京大学计算机科学技术研究所的研究人员
        |学习机器和机器学习，不是一回事
        |中华人民共和国国务院办公厅
        |人工智能技术正在改变我们的生活
        |GPU 加速机器学习 v2.0
        |哈哈哈哈
        |哈哈
        |猫
        |𠮷野家""",
    "ja": """東京都立大学の研究者が新しい自然言語処理の手法を発表した
        |人工知能の研究は急速に進歩している
        |データベースとベクトル検索
        |京都の大学と東京の大学
        |今日は天気がいいから散歩しましょう
        |ＧＰＵで計算する
        |カフェ café
        |の
        |ののの
        |𠮷野家で食べる""",
    "ko": """한국어는 교착어로 조사가 발달한 언어입니다
        |서울특별시는 대한민국의 수도이자 최대 도시이다
        |언어 처리 자연
        |인공지능 기술이 발전하고 있습니다
        |자연언어처리를 공부합니다
        |데이터베이스 DB 입니다
        |가
        |가가 가가가
        |처리를 언어
        |""",
}
LANGUAGES = tuple(SENTENCES)
STATES = ("fresh", "behind", "cut")
"""All rows indexed; some written after the index; some deleted, and the index of several parts."""


def make_texts(language: str) -> list[str | None]:
    chosen = random.Random(language)
    sentences = [sentence.strip() for sentence in SENTENCES[language].split("|")]
    texts: list[str | None] = [*sentences, None]
    for _ in range(60):
        parts = []
        for _ in range(chosen.randint(1, 3)):
            sentence = chosen.choice(sentences)
            start = chosen.randint(0, max(0, len(sentence) - 2))
            parts.append(sentence[start : start + chosen.randint(1, 12)])
        texts.append("".join(parts))
    return texts


TEXTS = {language: make_texts(language) for language in LANGUAGES}


def list_rows(language: str, state: str) -> list[tuple[int, str | None]]:
    rows = list(enumerate(TEXTS[language]))
    return [row for row in rows if row[0] % 7 != 3] if state == "cut" else rows


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path_factory.mktemp("grams")) as connection:
        for language in LANGUAGES:
            for state in STATES:
                write(connection, language, state)
        yield connection


def write(db: lancesql.Connection, language: str, state: str) -> None:
    name = f"{language}_{state}"
    rows = list(enumerate(TEXTS[language]))
    cut = len(rows) if state == "fresh" else 40

    def insert(head: str, some: list[tuple[int, str | None]]) -> None:
        values = ", ".join(f"({id_}, {'NULL' if text is None else repr(text)})" for id_, text in some)
        db.execute(f"{head} SELECT v.id, v.text FROM (VALUES {values}) AS v(id, text)")

    insert(f"CREATE TABLE {name} AS", rows[:cut])
    db.execute(f"CREATE INDEX ON {name} USING FTS (text) WITH (language = '{language}')")
    if rows[cut:]:
        insert(f"INSERT INTO {name}", rows[cut:])
    if state == "cut":
        db.execute(f"DELETE FROM {name} WHERE id % 7 = 3")


def fold(text: str) -> str:
    """The letters as an index has them: small, full-width ones and accents plain."""
    plain = {chr(0xFF21 + at): chr(0x61 + at) for at in range(26)} | {"é": "e"}
    return "".join(plain.get(letter, letter.lower()) for letter in text)


def find_holders(language: str, state: str, part: str) -> list[int]:
    return [id_ for id_, text in list_rows(language, state) if text is not None and fold(part) in fold(text)]


def ask(db: lancesql.Connection, language: str, state: str, query: str, options: str = "") -> list[int]:
    sql = f"SELECT id FROM fts('{language}_{state}', $q{options}) ORDER BY id"
    return [row[0] for row in db.sql(sql, {"q": query}).fetchall()]


@st.composite
def draw_part(draw: st.DrawFn, least: int = 2) -> tuple[str, str, str]:
    """A language, a state, and a part of one of its texts or, often, of no text."""
    language, state = draw(st.sampled_from(LANGUAGES)), draw(st.sampled_from(STATES))
    texts = [text for text in TEXTS[language] if text is not None and len(text) >= least]
    text = draw(st.sampled_from(texts))
    start = draw(st.integers(0, len(text) - least))
    part = text[start : start + draw(st.integers(least, 8))]
    if draw(st.booleans()):
        other = draw(st.sampled_from(texts))
        part = part[: len(part) // 2 + 1] + other[: draw(st.integers(1, 3))]
    return language, state, part


@settings(DIFFERENTIAL, max_examples=scaled(120))
@given(drawn=draw_part())
def test_every_part_of_a_text_finds_the_rows_that_hold_it(db: lancesql.Connection, drawn: tuple[str, str, str]) -> None:
    language, state, part = drawn
    words = part.split()
    holders = [set(find_holders(language, state, word)) for word in words]
    anywhere = sorted(set().union(*holders))
    assert ask(db, language, state, part, ", syntax => 'plain'") == anywhere
    everywhere = sorted(set.intersection(*holders)) if holders else []
    assert ask(db, language, state, part, ", syntax => 'plain', operator => 'and'") == everywhere
    if part.strip():
        assert ask(db, language, state, f'"{part.strip()}"') == find_holders(language, state, part.strip())


@settings(DIFFERENTIAL, max_examples=scaled(40))
@given(drawn=draw_part(least=1), k=st.integers(1, 5))
def test_pages_are_cut_from_one_order(db: lancesql.Connection, drawn: tuple[str, str, str], k: int) -> None:
    language, state, part = drawn
    call = f"fts('{language}_{state}', $q, syntax => 'plain'"
    every = db.sql(f"SELECT id, _score, _rowid FROM {call})", {"q": part}).fetchall()
    assert every == sorted(every, key=lambda row: (-row[1], row[2]))
    assert [row[0] for row in db.sql(f"SELECT id FROM {call}, k => {k})", {"q": part}).fetchall()] == [
        row[0] for row in every[:k]
    ]


@pytest.mark.parametrize("state", STATES)
def test_one_letter_is_looked_for_in_the_texts(db: lancesql.Connection, state: str) -> None:
    for language, letters in (("zh", "猫哈学g"), ("ja", "の都𠮷G"), ("ko", "가를 ")):
        for letter in letters.strip():
            assert ask(db, language, state, letter) == find_holders(language, state, letter), letter


def test_queries_of_several_parts(db: lancesql.Connection) -> None:
    def holders(*parts: str) -> set[int]:
        return set.intersection(*(set(find_holders("zh", "fresh", part)) for part in parts))

    for query, expected in (
        ("机器学习 OR 研究人员", holders("机器学习") | holders("研究人员")),
        ("机器 AND 学习", holders("机器", "学习")),
        ("学习 -机器学习", holders("学习") - holders("机器学习")),
        ("+研究 大学", holders("研究")),
        ("机器学*", holders("机器学")),
        ("(人工 OR 深度) 进展^3", holders("人工") | holders("深度") | holders("进展")),
        ("gpu", holders("GPU")),
        ("v2.0", holders("v2.0")),
    ):
        assert ask(db, "zh", "fresh", query) == sorted(expected), query


def test_a_filter_goes_before(db: lancesql.Connection) -> None:
    call = "fts('ja_behind', '大学', syntax => 'plain', k => 3)"
    expected = [id_ for id_ in find_holders("ja", "behind", "大学") if id_ >= 30]
    found = db.sql(f"SELECT id FROM {call} WHERE id >= 30").fetchall()
    assert len(found) == min(3, len(expected))
    assert {row[0] for row in found} <= set(expected)


def test_what_the_plan_says(db: lancesql.Connection) -> None:
    plan = db.explain("SELECT id FROM fts('zh_fresh', '机器学习 猫 学习')")
    assert "机器学习 in text → index text_idx, then the texts of rows with every 2 letters of it" in plan
    assert "猫 in text → every text, letter by letter: the index knows no parts of less than 2 letters" in plan
    assert "学习 in text → index text_idx" in plan
    assert "→" not in db.explain("SELECT id FROM fts('zh_fresh', '学习')").split("query")[1].split("columns")[0]


@pytest.mark.parametrize(
    ("query", "what"), [("机器学习~1", "letters could be counted"), ('"机器 学习"~2', "stand between")]
)
def test_what_needs_words_is_refused(db: lancesql.Connection, query: str, what: str) -> None:
    with pytest.raises(lancesql.UnsupportedError, match=what):
        ask(db, "zh", "fresh", query)


def test_predicates_and_marks_know_parts(db: lancesql.Connection) -> None:
    found = db.sql("SELECT id FROM zh_fresh WHERE match(text, '机器学习') ORDER BY id").fetchall()
    assert [row[0] for row in found] == find_holders("zh", "fresh", "机器学习")
    shown = db.sql("SELECT highlight(text, '机器学习 gpu') FROM zh_fresh WHERE id = 5").fetchall()
    assert shown == [("<b>GPU</b> 加速<b>机器学习</b> v2.0",)]


@pytest.mark.parametrize("lengths", [(1, 1), (1, 2), (2, 3), (3, 3)])
def test_indexes_of_other_lengths(tmp_path: Path, lengths: tuple[int, int]) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        write(db, "ko", "fresh")
        least, most = lengths
        db.execute(
            "CREATE OR REPLACE INDEX ON ko_fresh USING FTS (text) WITH "
            f"(tokenizer = ngram, ngram_min = {least}, ngram_max = {most})"
        )
        for part in ("언어", "언어처리", "대한민국의", "가가", "가", "없는것", "처리를 언어", "DB"):
            assert ask(db, "ko", "fresh", f'"{part}"') == find_holders("ko", "fresh", part), part


def test_lists_of_texts(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute(
            "CREATE TABLE docs AS SELECT * FROM (VALUES (1, ['机器', '学习']), (2, ['机器学习', NULL]), (3, NULL), "
            "(4, []), (5, ['学习机器'])) AS v(id, tags)"
        )
        db.execute("CREATE INDEX ON docs USING FTS (tags) WITH (language = 'zh')")
        for query, expected in (("机器学习", [2]), ("学习", [1, 2, 5]), ("学", [1, 2, 5]), ("器学习", [2])):
            rows = db.sql("SELECT id FROM fts('docs', 'tags', $q) ORDER BY id", {"q": query}).fetchall()
            assert [row[0] for row in rows] == expected, query


def test_the_plan_warns_of_a_query_in_another_script(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute("CREATE TABLE docs AS SELECT 1 AS id, 'some words' AS text")
        db.execute("CREATE INDEX ON docs USING FTS (text)")
        plan = db.explain("SELECT id FROM fts('docs', '机器学习 words')")
        assert "cannot find parts of such words" in plan
        assert "CREATE OR REPLACE INDEX ON … USING FTS (text) WITH (language = 'zh')" in plan
        assert "cannot find" not in db.explain("SELECT id FROM fts('docs', 'words')")
