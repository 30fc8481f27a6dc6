"""Every example of the README and of docs/ runs, in the order of the page, in an empty directory."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lancesql

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NEEDED = {"torch.md": "torch", "langchain.md": "langchain_core", "llama-index.md": "llama_index.core"}
"""Packages too large for every environment of the tests."""
BLOCK = re.compile(r"^```(python|ipython|sql|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_blocks(page):
    return [(match.group(1), match.group(2)) for match in BLOCK.finditer(page.read_text())]


def run_shell(text, folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout or "-o " in text


def run_cell(text, names):
    """A cell of a notebook; its variables are those of the page."""
    if "shell" not in names:
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        names["shell"] = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}), user_ns=names)
    done = names["shell"].run_cell(text)
    done.raise_error()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_a_page_run(page, tmp_path, monkeypatch, capsys):
    if page.name in NEEDED:
        pytest.importorskip(NEEDED[page.name])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # IPython puts its own there
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    names: dict[str, object] = {"__name__": "__main__"}
    ran = 0
    for language, text in read_blocks(page):
        if language == "bash":
            if "venv" not in text:  # the installation is what the CI script does
                run_shell(text, tmp_path)
        elif language == "ipython":
            run_cell(text, names)
        elif language == "python":
            exec(compile(text, str(page), "exec"), names)
        else:
            parameters = {key: value for key, value in names.get("parameters", {}).items() if f"${key}" in text}
            table = names["db"].sql(text, parameters).to_arrow()
            assert table.num_columns > 0, text
        ran += 1
    capsys.readouterr()
    assert ran > 0 or page.name in ("architecture.md", "api.md")


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_a_page_is_listed(page):
    listed = (ROOT / "docs" / "index.md").read_text().splitlines()
    assert page.stem in (*listed, "index")


def test_every_search_argument_is_documented():
    from lancesql.binder.searches.signatures import SIGNATURES

    text = (ROOT / "docs" / "sql-reference.md").read_text() + (ROOT / "docs" / "semantics.md").read_text()
    missing = {
        name
        for function in ("vector_search", "fts", "hybrid_search")
        for name in SIGNATURES[function].names
        if not re.search(rf"\b{name}\b", text)
    }
    assert missing == set()


def test_every_setting_is_documented_with_its_default():
    from lancesql.settings import Settings, list_settings

    text = (ROOT / "docs" / "sql-reference.md").read_text()
    for name, value in list_settings(Settings()):
        assert f"| `{name}` | {'NULL' if value is None else str(value).lower()} |" in text, name


def test_every_error_class_is_drawn_in_the_tree_and_documented():
    page = (ROOT / "docs" / "errors.md").read_text()
    for name in lancesql.errors.__all__:
        if name.endswith("Error"):
            assert name in (lancesql.errors.__doc__ or ""), name
            assert f"`{name}`" in page or f"`lancesql.{name}`" in page, name
