"""The notebooks of `examples/`, run as a reader runs them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


def run(path: Path, folder: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env={**os.environ, "IPYTHONDIR": str(folder / "ipython")})
    return notebook


def list_shown(notebook: Any, kind: str) -> list[str]:
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", ())]
    return [one["data"][kind] for one in outputs if kind in one.get("data", ())]


def read_errors(notebook: Any) -> list[str]:
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", ())]
    return ["\n".join(one["traceback"]) for one in outputs if one["output_type"] == "error"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks")


@pytest.mark.filterwarnings("default")  # of Jupyter's own
def test_quickstart(folder: Path) -> None:
    notebook = run(EXAMPLES / "quickstart.ipynb", folder)
    pages = list_shown(notebook, "text/html")
    assert any(page.count("<img ") == 10 and page.count("<svg ") == 10 for page in pages)
    assert any("--part:100.0%" in page and "FLOAT" in page for page in pages)
    (tree,) = [page for page in pages if 'class="plan"' in page]
    assert re.search(r'tag lance">Lance</span><code>f\.year &lt; \$newest</code>', tree)
    assert "DuckDB, as row ids" in tree
    (shown,) = read_errors(notebook)
    assert shown.startswith("ArgumentError: ")
    assert "vector_search('films', {query}, kk => 3)" in shown
    assert "did you mean 'k'?" in shown


@pytest.mark.filterwarnings("default")
def test_hybrid_search(folder: Path) -> None:
    notebook = run(EXAMPLES / "hybrid_search.ipynb", folder)
    assert read_errors(notebook) == []
    assert len(list_shown(notebook, "image/png")) == 2
    (printed,) = ["".join(one.text for one in cell.outputs) for cell in notebook.cells if "matches" in cell.source[:40]]
    assert "package: asyncio" in printed
    kinds = [int(count) for count in re.findall(r" kind: .* (\d+)$", printed, re.MULTILINE)]
    assert sum(kinds) == int(printed.split()[0])


@pytest.mark.filterwarnings("default")
def test_knn_join(folder: Path) -> None:
    notebook = run(EXAMPLES / "knn_join.ipynb", folder)
    assert read_errors(notebook) == []
    assert len(list_shown(notebook, "image/png")) == 2
    texts = list_shown(notebook, "text/plain")
    (pairs,) = [text for text in texts if "of_the_same_shape" in text]
    assert "3600" in pairs
    (clusters,) = [text for text in texts if "drawings" in text]
    found = {name for name in ("bar", "circle", "ring", "square", "star", "triangle") if f" {name} " in clusters}
    assert len(found) == 6


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_its_outputs(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_every_notebook_is_run() -> None:
    assert {path.stem for path in NOTEBOOKS} == {"quickstart", "hybrid_search", "knn_join"}
