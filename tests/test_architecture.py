"""Who may import whom: the layers, read by import-linter, and third parties, read from the source."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lancesql"
OWNERS = {"lance": "storage", "lancedb": "storage", "duckdb": "engines", "polars": "frames", "pandas": "frames"}
FOLDERS = {
    "catalog.py",
    "errors.py",
    "plan",
    "parser",
    "binder",
    "optimizer",
    "storage",
    "engines",
    "frames",
    "execution",
}


def test_layers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == os.EX_OK, (
        capsys.readouterr().out
    )


def read_imports(path: Path) -> set[str]:
    """The packages a module imports when it runs; what is imported for the type checker alone is left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_third_parties(path: Path) -> None:
    folder = path.relative_to(PACKAGE).parts[0]
    if folder not in FOLDERS:
        return
    foreign = {name for name in read_imports(path) if name in OWNERS and OWNERS[name] != folder}
    assert not foreign, f"{path.name} imports {', '.join(foreign)}, which is for {OWNERS[foreign.pop()]}/ alone"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_are_short_and_named_for_what_they_do(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{path.name} has {lines} lines"
    assert path.stem not in {"utils", "helpers", "common", "misc"}


def test_every_package_is_placed() -> None:
    for path in PACKAGE.rglob("*"):
        if path.is_dir() and any(path.glob("*.py")):
            assert (path / "__init__.py").is_file(), f"{path} is not a package"
