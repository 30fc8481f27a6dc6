"""Answers as HTML: what a notebook shows."""

from __future__ import annotations

import io
import json
import re
import struct
from html.parser import HTMLParser

import lance
import numpy as np
import pyarrow as pa
import pytest

import lancesql
from lancesql.execution.results.markup.images import ImageBudget
from lancesql.execution.results.markup.table import render_html
from tests.library import open_library
from tests.test_explain_formats import STATEMENTS

VOID = {"img", "line", "path", "br"}


class Page(HTMLParser):
    """Reads HTML as strictly as it is written: every tag closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def vectors(width, rows=2):
    numbers = np.linspace(-1, 1, width * rows).astype("f4")
    return pa.FixedSizeListArray.from_arrays(pa.array(numbers), width)


def make_png(width, height):
    pillow = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    pillow.fromarray(np.random.default_rng(3).integers(0, 255, (height, width, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_everything_is_escaped():
    nasty = "<script>alert(\"x\" + 'y')</script>"
    page = Page(render_html(pa.table({nasty: [nasty, None], nasty + "2": [nasty * 30, nasty.encode() + b"<"]})))
    assert "script" not in {tag for tag, _ in page.tags}
    assert nasty in page.texts
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_names_types_and_rows():
    page = Page(render_html(pa.table({"title": ["Alien", None], "n": [1, 2], "v": vectors(384)})))
    norm = f"norm {np.linalg.norm(np.linspace(-1, 1, 768)[:384]):.4g}"
    assert [text.strip() for text in page.texts if text.strip()][:10] == [
        "2 rows", "title", "VARCHAR", "n", "BIGINT", "v", "FLOAT[384]", "Alien", "1", norm,
    ]  # fmt: skip
    assert "NULL" in page.texts
    assert len(page.all("tr")) == 3


def test_a_preview_says_that_there_is_more():
    page = Page(render_html(pa.table({"x": ["a" * 100_000]}), rows=2, complete=False))
    assert "the first 1 row, there are more" in page.texts
    assert sum(map(len, page.texts)) < 1_000


def test_many_columns_are_cut():
    page = Page(render_html(pa.table({f"c{i}": [i] for i in range(150)})))
    assert len(page.all("td")) == 100
    assert "1 row, 100 of 150 columns shown" in page.texts


@pytest.mark.parametrize(
    ("name", "values", "parts"),
    [
        ("_distance", [0.5, 1.0, None, float("nan")], ["--part:50.0%", "--part:100.0%", None, None]),
        ("text_score", [-1.0, 4.0], ["--part:25.0%", "--part:100.0%"]),
        ("_relevance_score", [0.0, 0.0], [None, None]),
        ("price", [1.0, 2.0], [None, None]),
    ],
)
def test_scores_have_bars(name, values, parts):
    cells = Page(render_html(pa.table({name: pa.array(values, pa.float32())}))).all("td")
    assert [cell.get("style") for cell in cells] == parts


def test_a_vector_is_drawn_to_the_scale_of_its_column():
    table = pa.table({"v": pa.array([[3.0, *[0.0] * 11], [0.0] * 11 + [-1.5], [float("nan")] * 12, None])})
    page = Page(render_html(table))
    first, second, third = (attributes["d"] for attributes in page.all("path"))
    assert re.fullmatch(r"M4\.0 10V0\.0", first)
    assert re.fullmatch(r"M93\.0 10V15\.0", second)
    assert third == ""
    assert {"norm 3", "norm 1.5", "norm nan"} <= set(page.texts)


def test_short_lists_and_lists_of_other_things_are_text():
    page = Page(render_html(pa.table({"a": [[1.0, 2.0]], "b": [["x"] * 20], "c": [[True] * 20]})))
    assert page.all("svg") == []


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_images_are_thumbnails(kind):
    pillow = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    pillow.new("RGB", (300, 200), "red").save(file, kind)
    (image,) = Page(ImageBudget().draw(file.getvalue()) or "").all("img")
    assert image["alt"] is not None
    assert image["alt"].startswith(f"{kind} image, 300 × 200, ")
    assert (image["src"] or "").startswith(f"data:image/{kind.lower()};base64,")


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_images_that_lance_keeps_apart(version, tmp_path):
    schema = pa.schema([pa.field("image", pa.large_binary(), metadata={"lance-encoding:blob": "true"})])
    lance.write_dataset(
        pa.table([[make_png(8, 8)] * 30], schema=schema), tmp_path / "t.lance", data_storage_version=version
    )
    with lancesql.connect(tmp_path) as db:
        for sql in ("FROM t", "SELECT image, 1 AS one FROM t"):
            assert len(Page(db.sql(sql)._repr_html_()).all("img")) == 20


def test_a_large_image_is_shrunk():
    data = make_png(640, 480)
    (image,) = Page(ImageBudget().draw(data) or "").all("img")
    assert len(image["src"] or "") < len(data) / 4
    assert "640 × 480" in (image["alt"] or "")


def test_images_of_a_page_have_a_bound():
    budget = ImageBudget()
    data = make_png(80, 80)
    drawn = [budget.draw(data) or "" for _ in range(400)]
    assert "<img" in drawn[0]
    assert sum(map(len, drawn)) < 5_000_000
    assert drawn[-1].startswith("PNG image, 80 × 80")


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 100_000, 100_000),
        b"\xff\xd8\xff\xe0\x00\x02\xff",
        b"\xff\xd8\xff" + b"\xff" * 100,
        b"GIF89a\x01",
        b"RIFF\0\0\0\0WEBPVP8L",
        b"RIFF\0\0\0\0WEBPVP8X" + b"\xff" * 14,
    ],
)
def test_what_only_begins_like_an_image_is_words(data):
    text = ImageBudget().draw(data)
    assert text is not None
    assert "<img" not in text


def test_other_bytes_are_their_first():
    page = Page(render_html(pa.table({"b": [b"\x00\x01", b"x" * 5_000]})))
    assert page.all("img") == []
    assert any(text.endswith("… 5.0 kB") for text in page.texts)


def test_an_error_is_shown_in_place_of_the_rows():
    with lancesql.connect() as db:
        shown = db.sql("SELECT 'no <b>'::INTEGER FROM range(3)")._repr_mimebundle_()
    assert "EngineError" in shown["text/plain"]
    page = Page(shown["text/html"])
    assert [attributes["role"] for attributes in page.all("pre")] == ["alert"]
    assert any("no <b>" in text for text in page.texts)


@pytest.fixture(scope="module")
def films(library):
    with open_library(library) as db:
        yield db


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_plan_is_drawn_with_all_that_its_json_says(films, sql):
    shown = films.explain(sql)
    plan = shown.document
    assert plan == json.loads(films.sql(f"EXPLAIN (FORMAT JSON) {sql}").fetchall()[0][0])
    page = Page(shown._repr_mimebundle_()["text/html"])
    text = " ".join(page.texts)
    classes = [attributes.get("class") for attributes in page.all("div")]
    assert classes.count("card duckdb") == (plan["engine"] is not None)
    assert classes.count("card command") == (plan["command"] is not None)
    for source in plan["sources"]:
        for one in (*source["pushed"], *source["left"], *source["known"]):
            assert one["condition"] in page.texts
        for one in (*source["strategy"], *source["left"]):
            assert one["reason"] in text
        for one in (*source["properties"].values(), *source["notes"], *source["keys"]):
            assert one in text
    marks = [mark["title"] for mark in page.all("mark")]
    assert set(marks) <= {source["name"] for source in plan["sources"]}
    assert bool(marks) == (plan["engine"] is not None and bool(plan["sources"]))
    assert str(shown) == films.sql(f"EXPLAIN {sql}").explain()


def test_a_plan_that_is_a_text_is_shown_as_such(films):
    for plan in (films.explain("SELECT 1 < 2 AS less"), films.sql("EXPLAIN (SQL) SELECT id FROM movies WHERE id < 3")):
        shown = plan._repr_mimebundle_()
        text = shown["text/plain"]
        assert "DuckDB" in text
        assert text in "".join(Page(shown["text/html"]).texts)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT range AS a, range AS a FROM range(500)",
        "SELECT i::VARCHAR || '!' AS t FROM range(30_000) t(i) ORDER BY i DESC",
        "SHOW ALL TABLES",
        "SELECT 1 AS a",
        "VALUES (1, 'x')",
    ],
)
def test_a_preview_is_the_beginning_of_the_answer(sql):
    with lancesql.connect() as db:
        db.sql("CREATE TEMP TABLE t AS SELECT 1 AS a")
        whole = db.sql(sql).to_arrow()
        result = db.sql(sql)
        cells = Page(result._repr_html_()).all("td")
        assert len(cells) == min(whole.num_rows, 20) * whole.num_columns
        assert result.to_arrow().equals(whole)
