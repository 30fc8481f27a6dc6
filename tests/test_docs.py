"""Every example of the README and of docs/ runs, in the order of the page, in an empty directory."""

import re
from pathlib import Path

import pytest

import lancesql

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(python|sql)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_blocks(page):
    return [(match.group(1), match.group(2)) for match in BLOCK.finditer(page.read_text())]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_a_page_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    ran = 0
    for language, text in read_blocks(page):
        if language == "python":
            exec(compile(text, str(page), "exec"), names)
        else:
            parameters = {key: value for key, value in names.get("parameters", {}).items() if f"${key}" in text}
            table = names["db"].sql(text, parameters).to_arrow()
            assert table.num_columns > 0, text
        ran += 1
    capsys.readouterr()
    assert ran > 0 or page.name in ("architecture.md",)


def test_every_search_argument_is_documented():
    from lancesql.binder.signatures import SIGNATURES

    text = (ROOT / "docs" / "sql-reference.md").read_text() + (ROOT / "docs" / "semantics.md").read_text()
    missing = {
        name
        for function in ("vector_search", "fts", "hybrid_search")
        for name in SIGNATURES[function].names
        if not re.search(rf"\b{name}\b", text)
    }
    assert missing == set()


def test_every_error_class_is_drawn_in_the_tree():
    for name in lancesql.errors.__all__:
        if name.endswith("Error"):
            assert name in (lancesql.errors.__doc__ or ""), name
